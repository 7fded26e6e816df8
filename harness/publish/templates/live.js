"use strict";
// Replaces the changing part of the page by what the server sends; the server has escaped it.
const state = document.getElementById("state"), lost = document.getElementById("lost"), pause = document.getElementById("pause");
let source = null, ended = false;

function follow() {
  source = new EventSource("live/events");
  source.addEventListener("state", (event) => { state.innerHTML = event.data; lost.hidden = true; });
  source.addEventListener("end", () => { ended = true; source.close(); pause.hidden = true; });
  source.addEventListener("error", () => {
    lost.hidden = false;
    if (source.readyState === EventSource.CLOSED) setTimeout(start, 10000);  // refused: too many listeners
  });
}

function start() {
  if (source) source.close();
  if (!ended && !document.hidden && pause.getAttribute("aria-pressed") === "false") follow();
}

pause.addEventListener("click", () => {
  const paused = pause.getAttribute("aria-pressed") === "false";
  pause.setAttribute("aria-pressed", String(paused));
  if (paused) source.close(); else start();
});
document.addEventListener("visibilitychange", () => { if (document.hidden) source.close(); else start(); });
pause.hidden = false;
start();

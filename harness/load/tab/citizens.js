"use strict";
// Draws citizens, arrivals, generator health and steps below the table of the tab "Citizens". Texts are set as texts, never as markup.
const EVERY_MS = 2000, HEIGHT = 170, LEFT = 46, RIGHT = 10, TOP = 8, BOTTOM = 22, FAILED = -1;
const SVG = "http://www.w3.org/2000/svg";

function make(tag, attributes = {}, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...inside);
  return element;
}

function shape(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

const number = (value, digits = 0) => value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const clock = (seconds) => {
  const whole = Math.round(seconds), hours = Math.floor(whole / 3600);
  const rest = `${String(Math.floor(whole / 60) % 60).padStart(hours ? 2 : 1, "0")}:${String(whole % 60).padStart(2, "0")}`;
  return hours ? `${hours}:${rest}` : rest;
};

function step(highest, most) {
  const power = 10 ** Math.floor(Math.log10(highest / most));
  return [1, 2, 5, 10].map((factor) => factor * power).find((size) => highest / size <= most);
}

function timeStep(seconds, most) {
  return [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400].find((size) => seconds / size <= most) || 86400 * 7;
}

/** A chart whose figure stays on the page; `draw` renews what it holds. Series: {name, style, at: column of the points, text}. */
function chart(title) {
  const legend = make("ul", { class: "legend" }), plot = make("div"), figure = make("figure", {}, make("figcaption", {}, title), legend, plot);
  function draw(points, series, digits = 0) {
    legend.replaceChildren(...series.map(({ name, style, text }) => {
      const swatch = shape("svg", { width: 26, height: 8, "aria-hidden": "true" });
      swatch.append(shape("path", { d: "M0 4H26", class: `line ${style}` }));
      return make("li", {}, swatch, `${name}: ${text}`);
    }));
    const width = Math.max(220, plot.clientWidth), from = points.length ? points[0][0] : 0;
    const until = Math.max(from + 10, points.length ? points[points.length - 1][0] : 0);
    const highest = Math.max(digits ? 0.1 : 1, ...points.flatMap((point) => series.map(({ at }) => point[at])));
    const x = (seconds) => LEFT + (seconds - from) / (until - from) * (width - LEFT - RIGHT);
    const y = (value) => HEIGHT - BOTTOM - value / highest * (HEIGHT - TOP - BOTTOM);
    const label = `${title}, from ${clock(from)} to ${clock(until)} after the start. ${series.map(({ name, text }) => `${name}: ${text}`).join("; ")}.`;
    const svg = shape("svg", { role: "img", "aria-label": label, width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}` });
    const size = Math.max(step(highest, 4), digits ? 0 : 1);
    for (let value = 0; value <= highest * 1.0001; value += size) {
      svg.append(shape("path", { d: `M${LEFT} ${y(value)}H${width - RIGHT}`, class: "rule" }));
      svg.append(shape("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, number(value, size < 1 ? 1 : 0)));
    }
    const every = timeStep(until - from, width / 80);
    for (let seconds = Math.ceil(from / every) * every; seconds <= until; seconds += every) {
      svg.append(shape("text", { x: x(seconds), y: HEIGHT - 5, "text-anchor": "middle" }, clock(seconds)));
    }
    for (const { style, at } of series) {
      if (points.length) svg.append(shape("path", { d: `M${points.map((point) => `${x(point[0]).toFixed(1)} ${y(point[at]).toFixed(1)}`).join("L")}`, class: `line ${style}` }));
    }
    plot.replaceChildren(svg);
  }
  return { figure, draw };
}

/** A table whose scroll position stays; `fill` renews its rows. The first cell of a row is its heading. */
function table(caption, headings) {
  const body = make("tbody"), head = make("thead", {}, make("tr", {}, ...headings.map((heading) => make("th", { scope: "col" }, heading))));
  const wide = make("div", { class: "wide", role: "region", tabindex: "0", "aria-label": caption },
    make("table", {}, make("caption", {}, caption), head, body));
  const row = ([first, ...cells]) => make("tr", {}, make("th", { scope: "row" }, first), ...cells.map((cell) => (cell instanceof Node ? cell : make("td", {}, cell))));
  return { wide, fill: (rows) => body.replaceChildren(...rows.map(row)) };
}

const most = (points, column) => points.reduce((highest, point) => Math.max(highest, point[column]), 0);

const section = make("section", { id: "citizens", "aria-label": "Citizens, arrivals, steps and generator", hidden: "" });
let shown = null;

/** The parts of the page for one test: made anew when another one begins, otherwise only filled. */
function layout(state) {
  const several = state.portals.length > 1, now = make("p"), said = make("p", { class: "said" }), note = make("p"), kept = make("p");
  const portals = state.portals.map(({ portal }) => ({
    heading: make("h2", {}, portal), flight: chart("Citizens in flight"), arrivals: chart("Arrivals since the start of the test"),
  }));
  const load = chart("Processor of the busiest worker, % of one core"), lag = chart("Delays of the generator, worst of each second, ms");
  const workers = table("Workers, last second", ["Worker", "CPU %", "Steal %", "Scheduler lag ms", "Latest arrival ms", "Arrivals", "Reference error ms"]);
  const steps = table("Steps so far, ms", [...(several ? ["Portal", "Step"] : ["Step"]), "n", "Failed", ...state.percents.map(([percent]) => `p${percent}`)]);
  section.replaceChildren(said, now, ...portals.flatMap(({ heading, flight, arrivals }) => [heading, make("div", { class: "charts" }, flight.figure, arrivals.figure)]),
    make("h2", {}, "Steps"), steps.wide, note, make("h2", {}, "Generator"), make("div", { class: "charts" }, load.figure, lag.figure), workers.wide, kept);
  return { test: state.test, several, now, said, note, kept, portals, load, lag, workers, steps };
}

function fill(state, parts) {
  const open = Boolean(state.workload);
  parts.said.textContent = state.said;
  parts.said.hidden = !state.said;
  parts.now.textContent = `${open ? `Open workload ${state.workload}: arrivals follow its plan, whatever the portal does; Locust's number of users is that of its workers.`
    : "Closed run: as many citizens as Locust has users. Its load falls when the portal is slow, so it gets no points."} ${open && state.rounds.length ? `Now: ${state.rounds.join("; ")}.` : state.rounds.length ? "" : "Nobody is sent now."}`;
  state.portals.forEach(({ history, in_flight, due, begun, turned_away }, index) => {
    const { flight, arrivals } = parts.portals[index];
    flight.draw(history, [{ name: "in flight", style: "done", at: 1, text: `${number(in_flight)} now, ${number(most(history, 1))} at most` }]);
    arrivals.draw(history, [
      ...(due === null ? [] : [{ name: "planned until now", style: "planned", at: 2, text: number(due) }]),
      { name: "begun", style: "done", at: 3, text: number(begun) },
      ...(due === null ? [] : [{ name: "turned away", style: "away", at: 4, text: number(turned_away) }]),
    ]);
  });
  const { history, limits, workers } = state.health, limit = (key) => (limits[key] === undefined ? "" : ` (limit ${number(limits[key])})`);
  const said = (column, digits) => (history.length ? `${number(history[history.length - 1][column], digits)} now, ${number(most(history, column), digits)} at most` : "–");
  parts.load.draw(history, [
    { name: "CPU", style: "done", at: 1, text: said(1, 0) + limit("cpu_percent") },
    { name: "steal, of the machine", style: "away", at: 2, text: said(2, 1) + limit("steal_percent") },
  ], 1);
  parts.lag.draw(history, [
    { name: "scheduler lag", style: "done", at: 3, text: said(3, 1) + limit("scheduler_lag_ms") },
    { name: "late arrivals", style: "planned", at: 4, text: said(4, 1) + limit("arrival_lateness_ms") },
  ], 1);
  parts.workers.fill(workers.map(({ worker, cpu, steal, lag_ms, late_ms, late_count, reference_ms }) => [
    worker, number(cpu), number(steal, 1), number(lag_ms, 1), number(late_ms, 1), number(late_count), reference_ms === null ? "none" : number(reference_ms, 1)]));
  parts.steps.fill(state.steps.map(({ portal, name, n, failed, percentiles_ms }) => [
    ...(parts.several ? [portal] : []), name, number(n), number(failed), ...percentiles_ms.map((value, index) => percentile(value, n, state.percents[index]))]));
  const floors = state.percents.map(([percent, floor]) => `${floor} for p${percent}`).join(", ");
  parts.note.textContent = (state.steps.length ? "" : "No step of a scored stage has ended yet. ") +
    "Exact, by nearest rank over every step since the start of the test; the warm-up and lone citizens are left out, as they are of the scores. " +
    "A step that failed, that was not reached, or whose visit was turned away counts as infinitely slow: “failed”. " +
    `“–”: fewer steps than the percentile needs (${floors}). Points come from single windows (harness score), never from these figures.`;
  parts.kept.textContent = `Every request is kept in ${state.kept}: samples/ (Parquet, from the end of its round on), and health/ with each second of each worker.`;
}

function percentile(value, n, [percent, floor]) {
  if (value === null) return make("td", { title: `${n} of ${floor} steps that p${percent} needs` }, "–");
  return value === FAILED ? make("td", {}, "failed") : number(value);
}

/** Puts the section below Locust's own content; answers whether its tab is chosen. Locust makes its elements anew at times. */
function place() {
  const main = document.querySelector("main"), chosen = document.querySelector('[role="tab"][aria-selected="true"]');
  if (main && section.parentNode !== main) main.append(section);
  section.hidden = !main || !chosen || chosen.textContent.trim() !== "Citizens";
  return !section.hidden;
}

function isDark() {
  const [red, green, blue, alpha = 1] = (getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g) || [255, 255, 255]).map(Number);
  return alpha > 0 && red + green + blue < 384;
}

async function renew() {
  if (!place() || document.hidden) return;
  section.classList.toggle("dark", isDark());
  const answer = await fetch("./citizens/state.json", { cache: "no-store" }).catch(() => null);
  if (!answer || !answer.ok) return;  // Locust has ended: what is drawn stays
  const state = await answer.json();
  if (!state.test) {
    section.replaceChildren(make("p", { class: "said" }, state.said || "No test has begun yet."));
    shown = null;
    return;
  }
  if (!shown || shown.test !== state.test) shown = layout(state);
  fill(state, shown);
}

let under_way = false;
async function renewOnce() {
  if (under_way) return;
  under_way = true;
  try { await renew(); } finally { under_way = false; }
}

setInterval(renewOnce, EVERY_MS);
document.addEventListener("click", () => setTimeout(renewOnce, 50));
document.addEventListener("keyup", () => setTimeout(renewOnce, 50));
window.addEventListener("popstate", renewOnce);
window.addEventListener("resize", renewOnce);
renewOnce();

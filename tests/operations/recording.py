"""Recording in a real browser: Chromium's network events as a HAR, as its developer tools save one."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome, ChromeOptions, ChromeService


class Recorder:
    """Chromium with its network panel open. ``settle`` reads what has happened since the last call.

    The browser's profile is a new one in the folder: nobody is logged in from a recording before.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        options = ChromeOptions()
        for argument in (
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            f"--user-data-dir={mkdtemp(prefix='profile-', dir=folder.resolve())}",
        ):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
        self.browser = Chrome(options=options, service=ChromeService("/usr/bin/chromedriver"))
        self.browser.set_page_load_timeout(30)
        self.browser.implicitly_wait(5)
        self._entries: list[dict[str, Any]] = []
        self._open: dict[str, dict[str, Any]] = {}

    def close(self) -> None:
        self.browser.quit()

    def settle(self) -> None:
        """Wait until the page has loaded and keep every answer's body while the browser still has it."""
        quiet = 0
        for _ in range(200):
            events = self.browser.get_log("performance")
            for entry in events:
                message = json.loads(entry["message"])["message"]
                self._event(message["method"], message["params"])
            under_way = any(not entry["response"] and entry["_resourceType"] == "document" for entry in self._open.values())
            complete = self.browser.execute_script("return document.readyState") == "complete"
            quiet = quiet + 1 if complete and not events and not under_way else 0
            if quiet == 3:
                return
            time.sleep(0.05)

    def _event(self, method: str, said: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            if (before := self._open.get(said["requestId"])) and "redirectResponse" in said:
                self._finish(before, said["redirectResponse"], said["requestId"], with_body=False)
            self._open[said["requestId"]] = self._entry(said)
            self._entries.append(self._open[said["requestId"]])
        elif method == "Network.responseReceived" and said["requestId"] in self._open:
            self._open[said["requestId"]]["answer"] = said["response"]
        elif method == "Network.loadingFinished" and (entry := self._open.get(said["requestId"])) and "answer" in entry:
            self._finish(entry, entry.pop("answer"), said["requestId"], with_body=True)

    def _entry(self, said: dict[str, Any]) -> dict[str, Any]:
        request = said["request"]
        headers = [{"name": name, "value": value} for name, value in request["headers"].items()]
        made: dict[str, Any] = {"method": request["method"], "url": request["url"], "headers": headers, "queryString": [], "cookies": []}
        kind = next((item["value"] for item in headers if item["name"].lower() == "content-type"), "")
        posted = b"".join(base64.b64decode(item.get("bytes", "")) for item in request.get("postDataEntries", []))
        if request.get("hasPostData"):
            text = request.get("postData") or posted.decode("utf-8", errors="replace") or self._posted(said["requestId"])
            made["postData"] = {"mimeType": kind, "text": text}
        return {
            "startedDateTime": datetime.fromtimestamp(said["wallTime"], UTC).isoformat(),
            "time": 0,
            "_resourceType": said.get("type", "").lower(),
            "request": made,
            "response": {},
        }

    def _posted(self, identifier: str) -> str:
        try:
            return self.browser.execute_cdp_cmd("Network.getRequestPostData", {"requestId": identifier})["postData"]
        except WebDriverException:
            return ""

    def _finish(self, entry: dict[str, Any], response: dict[str, Any], identifier: str, *, with_body: bool) -> None:
        headers = {name.lower(): value for name, value in response["headers"].items()}
        content: dict[str, Any] = {"size": 0, "mimeType": headers.get("content-type", response.get("mimeType", "")), "text": ""}
        if with_body:
            try:
                body = self.browser.execute_cdp_cmd("Network.getResponseBody", {"requestId": identifier})
            except WebDriverException:  # the browser has let go of it already
                body = {"body": "", "base64Encoded": False}
            content["text"] = body["body"]
            if body["base64Encoded"]:
                content["encoding"] = "base64"
        entry["response"] = {
            "status": response["status"], "statusText": "", "httpVersion": "HTTP/1.1", "cookies": [], "redirectURL": headers.get("location", ""),
            "headers": [{"name": name, "value": value} for name, value in response["headers"].items()], "content": content,
        }  # fmt: skip

    def save(self, path: Path) -> None:
        """Write the HAR."""
        entries = [
            entry for entry in self._entries if entry["response"] and entry["request"]["url"].startswith("http")
        ]  # no new tab of the browser's
        har = {"log": {"version": "1.2", "creator": {"name": "Chromium", "version": "test"}, "entries": entries}}
        path.write_text(json.dumps(har, ensure_ascii=False, indent=1), encoding="utf-8")

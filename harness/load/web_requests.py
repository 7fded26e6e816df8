"""Which requests Locust's web UI answers: those of its own page, and no start of a test that names another host than those loaded."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, jsonify, request
from locust.web import WebUI

from harness.origins import locate


def refuse_foreign_requests(web_ui: WebUI) -> None:
    """Answer 403 to requests under a foreign name (DNS rebinding), and to those that another site's page sends.

    A browser says with `Sec-Fetch-Site` and `Origin` (Fetch Metadata, Fetch Standard 3.2) whose page sends a request. Locust
    stops a test and resets its figures by GET, so all methods are checked. Only the page itself may be opened from elsewhere.
    """
    own = {"localhost", web_ui.host.lower()}

    def refuse() -> Response | None:
        host, _ = locate(f"http://{request.host}")
        if host is None or (host.address is None and host.name not in own):
            return _refused(f"the name {request.host!r}; open it by an address of this machine or the name given by --web-host")
        sender = request.headers.get("Origin", "")
        origin, _ = locate(sender) if sender else (host, "")
        same_site = request.headers.get("Sec-Fetch-Site", "same-origin") in {"same-origin", "none"}
        opened = request.method == "GET" and request.headers.get("Sec-Fetch-Mode") == "navigate" and request.path == "/"
        if not opened and (origin is None or origin.authority != host.authority or not same_site):
            return _refused(f"a request of {sender or 'another site'}")
        return None

    assert web_ui.app is not None
    web_ui.app.before_request(refuse)


def refuse_hosts(web_ui: WebUI, why: Callable[[str, str], str]) -> None:
    """Have the start form say why its host is refused. ``why`` gives the reason for a host and a portal, or an empty text.

    Locust's page shows the message of a start that did not succeed.
    """

    def refuse() -> Response | None:
        if request.method != "POST" or not request.path.endswith("/swarm"):
            return None
        reason = why(request.form.get("host", ""), request.form.get("portal", ""))
        return jsonify({"success": False, "message": reason}) if reason else None

    assert web_ui.app is not None
    web_ui.app.before_request(refuse)


def _refused(what: str) -> Response:
    return Response(f"Locust's page does not answer {what}.\n", 403, mimetype="text/plain")

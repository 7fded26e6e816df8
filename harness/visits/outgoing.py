"""A request as it is sent, and the request that a redirect turns it into."""

from __future__ import annotations

from typing import NamedTuple

from harness.origins import shown_origin, without_fragment
from harness.pages.redirects import KEEP_METHOD
from harness.profiles.executable import BODY_HEADERS


class OutgoingRequest(NamedTuple):
    """Method, absolute URL, headers and body."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes

    def redirected(self, status: int, location: str) -> OutgoingRequest:
        """The request that a redirect leads to (Fetch Standard, "HTTP-redirect fetch").

        A 303, and a 301 or 302 that answers a POST, lead to a GET; every other redirect repeats the request. Another origin is
        not told the path of the page before, nor the credentials of the request.
        """
        repeats = self.method in ("GET", "HEAD") or status in KEEP_METHOD or (status != 303 and self.method != "POST")
        request = self if repeats else OutgoingRequest("GET", self.url, _without(self.headers, *BODY_HEADERS), b"")
        headers = request.headers
        if shown_origin(location) != shown_origin(self.url):
            headers = _without(headers, "authorization")
            if "Referer" in headers:
                headers["Referer"] = referer(headers["Referer"], location)
        return request._replace(url=location, headers=headers)

    def sent_on(self, page_url: str, url: str) -> OutgoingRequest:
        """The request that a refresh or a script of a page leads to: a GET from that page."""
        return OutgoingRequest("GET", url, _without(self.headers, *BODY_HEADERS) | {"Referer": referer(page_url, url)}, b"")


def referer(page_url: str, url: str) -> str:
    """The Referer of a request that a page leads to, by the policy strict-origin-when-cross-origin."""
    origin = shown_origin(page_url)
    return without_fragment(page_url) if shown_origin(url) == origin else f"{origin}/"


def _without(headers: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in names}

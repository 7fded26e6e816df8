"""A request as it is sent, and the request that a redirect turns it into."""

from __future__ import annotations

from typing import NamedTuple

from harness.pages.redirects import KEEP_METHOD
from harness.profiles.executable import BODY_HEADERS


class OutgoingRequest(NamedTuple):
    """Method, absolute URL, headers and body."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes

    def redirected(self, status: int, location: str) -> OutgoingRequest:
        """The request that a redirect leads to: 307 and 308 repeat it, the others make it a GET (Fetch Standard, 4.4)."""
        if status in KEEP_METHOD or self.method in ("GET", "HEAD"):
            return OutgoingRequest(self.method, location, self.headers, self.body)
        headers = self.headers.copy()
        for name in BODY_HEADERS.values():
            headers.pop(name, None)
        return OutgoingRequest("GET", location, headers, b"")

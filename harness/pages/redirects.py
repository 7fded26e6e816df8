"""Redirects in a page: ``<meta http-equiv=refresh>`` and scripts that set the location."""

from __future__ import annotations

import html
import re
from collections.abc import Set as AbstractSet

from harness.origins import resolve
from harness.pages.page import Page

_REFRESH = re.compile(r"^\s*[\d.]+\s*[;,]\s*(?:url\s*=\s*)?[\"']?([^\"']+)", re.IGNORECASE)
_LOCATION = re.compile(
    r"""(?:\b(?:window|document|top|self|parent)\s*\.\s*)?\blocation(?:\s*\.\s*href)?\s*(?:=(?!=)\s*|\.\s*(?:replace|assign)\s*\(\s*)(["'])(.*?)\1"""
)
_ESCAPES = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))")

KEEP_METHOD = frozenset({307, 308})
REDIRECTS = frozenset({301, 302, 303, 307, 308})


def page_redirect(page: Page, kinds: AbstractSet[str]) -> str | None:
    """The absolute URL to which a page sends the browser in one of these ways (``meta``, ``script``); None where it does not."""
    if "meta" in kinds:
        for node in page.nodes("meta[http-equiv]"):
            attributes = node.attributes
            if (attributes.get("http-equiv") or "").lower() == "refresh":
                found = _REFRESH.match(attributes.get("content") or "")
                if found:
                    return resolve(page.base, html.unescape(found.group(1)))
    if "script" in kinds:
        for node in page.nodes("script"):
            found = _LOCATION.search(node.text(deep=True))
            if found:
                return resolve(page.base, _ESCAPES.sub(_unescaped, found.group(2)))
    return None


def _unescaped(match: re.Match[str]) -> str:
    code = match.group(1) or match.group(2)
    return chr(int(code, 16)) if code else match.group(3)

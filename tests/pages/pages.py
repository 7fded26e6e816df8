"""Answers made up for tests of what is done with an answer."""

from __future__ import annotations

import json as jsons
from typing import Any

from harness.client import Exchange, Headers
from harness.pages import Page


def page(
    body: str | bytes,
    *,
    url: str = "http://127.0.0.1:8000/a/b?x=1",
    status: int = 200,
    kind: str = "text/html; charset=utf-8",
    **headers: str,
) -> Page:
    raw = body.encode() if isinstance(body, str) else body
    fields = [("Content-Type", kind), *((name.replace("_", "-"), value) for name, value in headers.items())]
    return Page(Exchange("GET", url, "http://127.0.0.1:8000", status=status, headers=Headers(fields), body=raw))


def json_page(data: Any, **more: Any) -> Page:
    return page(jsons.dumps(data, ensure_ascii=False), kind="application/json", **more)

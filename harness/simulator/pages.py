"""Pages from templates, padded to the size that the personality sets."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, Template

_PADDING_MARK = b"<!--padding-->"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["vnd"] = lambda amount: f"{amount:,}".replace(",", ".") + " đồng"
    return environment


@cache
def _template(name: str) -> Template:
    return _environment().get_template(name)


def compile_templates(folders: Iterable[str]) -> None:
    """Compile the templates of these folders and the shared ones before the first request."""
    root = Path(__file__).parent / "templates"
    for path in (*root.glob("*.html"), *(item for folder in folders for item in (root / folder).glob("*.html"))):
        _template(path.relative_to(root).as_posix())
    _padding()


@cache
def _padding() -> bytes:
    """A long list of notices, as portals have in their footers; rendered once, then sliced."""
    lines = (
        f'<li class="tin"><a href="/tin-tuc/{number}">Thông báo số {number}: hướng dẫn người dân, doanh nghiệp nộp hồ sơ trực tuyến và tra cứu kết quả</a></li>\n'
        for number in range(1, 1200)
    )
    return "".join(lines).encode()


def render(template: str, min_bytes: int, **values: Any) -> bytes:
    """The page in UTF-8, at least ``min_bytes`` long."""
    page = _template(template).render(values).encode()
    head, _, tail = page.partition(_PADDING_MARK)
    missing = min_bytes - len(page)
    if missing <= 0:
        return head + tail
    padding = _padding()
    end = padding.find(b"</li>\n", missing)
    return b"".join((head, padding[: end + 6] if end >= 0 else padding, tail))


@cache
def filler(size_bytes: int) -> str:
    """About ``size_bytes`` of Vietnamese text, for answers in JSON."""
    text = "Hướng dẫn người dân, doanh nghiệp chuẩn bị thành phần hồ sơ theo quy định của pháp luật. "
    return text * max(size_bytes // len(text.encode()), 0)

"""What a reader of Vietnamese sees on a page, and the English words and codes in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser

from harness.evidence import reasons
from harness.publish.criterion_words import _SHIPPED
from harness.publish.wording import PHRASES

_NOT_CLOSED = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_WORD = re.compile(r"[A-Za-zÀ-ỹ]+")
CODE = re.compile(r"\b[A-Za-z]+(?:_[A-Za-z0-9]+)+\b")

ALLOWED = {
    "English", "Tiếng", "Việt",  # the switch of languages
    "dichvucong", "harness", "Locust", "Linux", "Python", "python", "locust", "gevent", "httptools", "httpx", "msgpack", "numpy", "pandas", "pyarrow", "selectolax",
    "AMD", "EPYC",  # software and the machine, by their names
    "demo",  # the name of a criteria set and a workload
}  # fmt: skip
"""Words that are no Vietnamese and stand on pages all the same: proper names. Commands, file names, digests and ids stand in ``code`` or ``.mono``."""


class VietnameseView(HTMLParser):
    """Collects the texts of a page that Vietnamese readers see: not those of English, of scripts and styles, of commands and file names."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if not self._hidden and given.get("lang") != "en":
            self.texts += [value for name, value in given.items() if name in ("data-vi", "title") and value]
        if tag not in _NOT_CLOSED:
            self._open.append((tag, given))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not self._hidden and data.strip():
            self.texts.append(data)

    @property
    def _hidden(self) -> bool:
        return any(
            tag in ("script", "style", "title", "code")
            or (attrs.get("lang") == "en" and tag != "html")
            or "mono" in (attrs.get("class") or "").split()
            for tag, attrs in self._open
        )


def english_in(page: str, also: frozenset[str] = frozenset()) -> list[str]:
    """English words and codes that Vietnamese readers of a page meet, each with the text around; ``also``: further words that may stand there."""
    return [f"{word}: {text.strip()}" for text in VietnameseView(page).texts for word in _of_text(text, ALLOWED | also)]


def _of_text(text: str, allowed: frozenset[str] | set[str]) -> Iterator[str]:
    text = re.sub(r"`[^`]*`", "", text)  # commands to type
    for code in CODE.findall(text):
        if code not in allowed:
            yield code
    for word in _WORD.findall(text):
        if word.lower() in ENGLISH and word not in allowed:
            yield word


def words_of(texts: Iterable[str]) -> set[str]:
    """The words of texts of ours."""
    return {word.lower() for text in texts for word in _WORD.findall(own_words(text))}


def own_words(text: str) -> str:
    """A text of ours without what is filled in and without commands."""
    return re.sub(r"{[^}]*}|`[^`]*`", "", text)


IN_VIETNAMESE = words_of(
    [*(words.vi for words in PHRASES.values()), *(vietnamese for vietnamese, _ in reasons._TEXTS.values()), *_SHIPPED["sources"].values(), *_SHIPPED["names"].values()]
)  # fmt: skip
"""The words of all Vietnamese texts."""
IN_ENGLISH = words_of(
    [*(words.en for words in PHRASES.values()), *(english for _, english in reasons._TEXTS.values()), *_SHIPPED["sources"]]
)
"""The words of all English texts."""
ENGLISH = {word for word in IN_ENGLISH - IN_VIETNAMESE if len(word) > 2}

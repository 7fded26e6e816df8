"""The failures of a round: how often each kind happened, and the pages on which they show."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from harness.errors import visible
from harness.evidence.folder import SweepFolder
from harness.records import FailureCount, FailureKind, PageEntry, WindowKey, read_pages
from harness.records.files import write_whole
from harness.records.fleet_messages import BatchContents
from harness.records.step_failures import (
    PAGES_BYTES_PER_PORTAL,
    PAGES_PER_PORTAL,
    FailedPage,
    PageIndex,
    has_room,
    write_pages,
)

_STYLE = "body{font:14px/1.5 sans-serif;margin:1rem}dl{display:grid;grid-template-columns:max-content 1fr;gap:0 1rem}dd{margin:0;overflow-wrap:anywhere}iframe{width:100%;height:75vh;border:1px solid #999}pre{white-space:pre-wrap;overflow-wrap:anywhere}"
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n\f\r"}  # a terminal would obey them
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'"


class RoundFailures:
    """The failures of one round, gathered from its batches."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, int], Counter[FailureKind]] = {}
        self._pages: dict[str, list[tuple[WindowKey, FailedPage]]] = {}

    def take(self, batch: BatchContents) -> None:
        """Add the failures of a batch."""
        for index, failure in batch.failures:
            key = batch.keys[index]
            self._counts.setdefault((key.portal, key.window), Counter())[failure.kind] += failure.count
        for index, page in batch.pages:
            key = batch.keys[index]
            self._pages.setdefault(key.portal, []).append((key, page))

    def of_window(self, portal: str, window: int) -> tuple[FailureCount, ...]:
        """The kinds of failures of one window with their counts, in a fixed order."""
        counts = self._counts.get((portal, window), Counter())
        return tuple(FailureCount(*kind, counts[kind]) for kind in sorted(counts))

    def of_journey(self, portal: str, journey: str) -> FailureKind | None:
        """The failure of a journey that was walked once in the round; None where it has none."""
        kinds = (kind for (of_portal, _), counts in self._counts.items() if of_portal == portal for kind in counts)
        return next((kind for kind in kinds if kind.journey == journey), None)

    def write_pages(self, folder: SweepFolder, name: str, utc_of: Callable[[str, int], str] = lambda _worker, _us: "") -> None:
        """Add this round's pages to those of earlier rounds while there is room, the earliest first.

        ``utc_of`` turns a moment of a worker's clock into wall clock.
        """
        for index in folder.path.glob("pages/*/index.json"):
            _remove_pages_of(folder, index, name)
        for portal, found in sorted(self._pages.items()):
            entries = list(read_pages(folder.pages(portal)))
            dated = [(key.window, utc_of(key.worker, page.when_us), page.visit, key, page) for key, page in found]
            for _window, at_utc, _visit, key, page in sorted(dated, key=lambda item: item[:3]):
                if _has_room(entries, page.kind, at_utc):
                    entries.append(_write(folder, name, key, page, entries, at_utc))
            write_pages(folder.pages(portal), PageIndex(portal, tuple(entries)))


def rule_in_words(kind: FailureKind) -> str:
    """The rule of a failure and, where it has one, the profile's name for it."""
    return f"{kind.means}: {kind.rule}" if kind.means and kind.rule else kind.means or kind.rule


def page_of(entries: Sequence[PageEntry], kind: FailureKind, visit: int) -> str:
    """The saved page of a visit that failed, or else of another one that failed alike; empty where there is none."""
    alike = _alike(entries, kind)
    own = [entry for entry in alike if (entry.journey, entry.visit) == (kind.journey, visit)]
    return next((entry.file for entry in [*own, *alike]), "")


def _alike(entries: Sequence[PageEntry], kind: FailureKind) -> list[PageEntry]:
    """The pages of failures with the same step, outcome and rule."""
    return [entry for entry in entries if (entry.step, entry.outcome, entry.rule) == (kind.step, kind.outcome, kind.rule)]


def _remove_pages_of(folder: SweepFolder, index: Path, name: str) -> None:
    """Remove the pages of an earlier attempt at this round that was not sealed."""
    entries = read_pages(index)
    for entry in entries:
        if entry.part == name:
            (folder.path / entry.file).unlink(missing_ok=True)
    if kept := tuple(entry for entry in entries if entry.part != name):
        write_pages(index, PageIndex(index.parent.name, kept))
    elif entries:
        index.unlink()


def _has_room(entries: Sequence[PageEntry], kind: FailureKind, at_utc: str) -> bool:
    if len(entries) >= PAGES_PER_PORTAL or sum(entry.bytes_kept for entry in entries) >= PAGES_BYTES_PER_PORTAL:
        return False
    alike = _alike(entries, kind)
    latest = max((entry.at_utc for entry in alike), default="")
    pause_s = (datetime.fromisoformat(at_utc) - datetime.fromisoformat(latest)).total_seconds() if latest and at_utc else 0.0
    return has_room(len(alike), pause_s)


def _write(folder: SweepFolder, name: str, key: WindowKey, page: FailedPage, entries: Sequence[PageEntry], at_utc: str) -> PageEntry:
    kind = page.kind
    before = [entry.number for entry in entries if (entry.step, entry.outcome) == (kind.step, kind.outcome)]
    number = max(before, default=0) + 1
    path = folder.pages(key.portal).with_name(f"{kind.step}-{kind.outcome}-{number}.html")
    facts = {
        "portal": key.portal, "round": key.round, "part": name, "window": key.window, "stage": key.stage, **kind._asdict(),
        "visit": page.visit, "url": page.url, "status": page.status, "bytes": page.bytes, "truncated": page.truncated,
        **({"at_utc": at_utc} if at_utc else {}),
    }  # fmt: skip
    content = _shown(facts, page.text, markup=page.markup).encode()
    write_whole(path, content)
    return PageEntry(
        **facts, number=number, bytes_kept=len(page.text.encode()), file=folder.relative(path), sha256=sha256(content).hexdigest()
    )


def _shown(facts: Mapping[str, object], text: str, *, markup: bool) -> str:
    """The page and its facts, in a frame in which it can run no script and load nothing."""
    said = html.escape(text.translate(_CONTROLS))
    body = f'<iframe sandbox srcdoc="{said}"></iframe>' if markup else f"<pre>{said}</pre>"
    lines = "".join(f"<dt>{name}</dt><dd>{html.escape(visible(str(value)))}</dd>" for name, value in facts.items())
    return (
        f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="viewport" content="width=device-width"><title>{html.escape(str(facts["portal"]))}: {facts["step"]} {facts["outcome"]}'
        f"</title><style>{_STYLE}</style></head>\n<body><dl>{lines}</dl>\n{body}\n</body></html>\n"
    )

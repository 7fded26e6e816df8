"""What failed in a round: how often, by kind, and the pages that show it."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from harness.evidence.folder import SweepFolder
from harness.records import FailureKind, WindowKey
from harness.records.failure import PAGES_BYTES_PER_PORTAL, PAGES_PER_KIND, PAGES_PER_PORTAL
from harness.records.files import read_json, write_json, write_whole

_KIND = ("step", "outcome", "rule")
_STYLE = "body{font:14px/1.5 sans-serif;margin:1rem}dl{display:grid;grid-template-columns:max-content 1fr;gap:0 1rem}dd{margin:0;overflow-wrap:anywhere}iframe{width:100%;height:75vh;border:1px solid #999}pre{white-space:pre-wrap;overflow-wrap:anywhere}"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'"


class Failures:
    """One round's failures, gathered from its batches."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, int], Counter[FailureKind]] = {}
        self._pages: dict[str, list[tuple[WindowKey, Mapping[str, Any]]]] = {}

    def take(self, batch: Mapping[str, Any]) -> None:
        """Add what a batch says of failures; one of an earlier version says nothing."""
        keys = {index: WindowKey(*key) for index, key in batch["keys"].items()}
        for index, *kind, count in batch.get("failures", ()):
            key = keys[index]
            self._counts.setdefault((key.portal, key.window), Counter())[FailureKind(*kind)] += count
        for index, page in batch.get("pages", ()):
            self._pages.setdefault(keys[index].portal, []).append((keys[index], page))

    def of_window(self, portal: str, window: int) -> list[dict[str, Any]]:
        """The kinds of failures of one window with their counts, in a fixed order."""
        counts = self._counts.get((portal, window), Counter())
        return [{**kind._asdict(), "count": counts[kind]} for kind in sorted(counts)]

    def write_pages(self, folder: SweepFolder, name: str) -> None:
        """Add this round's pages to those of the rounds before, the earliest visits first, so far as there is room."""
        for index in folder.path.glob("pages/*/index.json"):
            _forget(folder, index, name)
        for portal, found in sorted(self._pages.items()):
            index = folder.pages(portal)
            entries = _entries(index)
            found.sort(key=lambda item: (item[0].window, item[1]["visit"]))
            for key, page in found:
                if _has_room(entries, page):
                    entries.append(_write(folder, name, key, page, entries))
            write_json(index, {"portal": portal, "pages": entries})


def _entries(index: Path) -> list[dict[str, Any]]:
    return list(read_json(index)["pages"]) if index.is_file() else []


def _forget(folder: SweepFolder, index: Path, name: str) -> None:
    """Drop what an attempt at this round has left that was broken off before it was sealed."""
    entries = _entries(index)
    for entry in entries:
        if entry["part"] == name:
            (folder.path / entry["file"]).unlink(missing_ok=True)
    if kept := [entry for entry in entries if entry["part"] != name]:
        write_json(index, {"portal": index.parent.name, "pages": kept})
    elif entries:
        index.unlink()


def _has_room(entries: Sequence[Mapping[str, Any]], page: Mapping[str, Any]) -> bool:
    if len(entries) >= PAGES_PER_PORTAL or sum(entry["bytes_kept"] for entry in entries) >= PAGES_BYTES_PER_PORTAL:
        return False
    return sum(all(entry[name] == page[name] for name in _KIND) for entry in entries) < PAGES_PER_KIND


def _write(folder: SweepFolder, name: str, key: WindowKey, page: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    before = [entry["number"] for entry in entries if (entry["step"], entry["outcome"]) == (page["step"], page["outcome"])]
    number = max(before, default=0) + 1
    path = folder.pages(key.portal).with_name(f"{page['step']}-{page['outcome']}-{number}.html")
    facts = {
        "portal": key.portal, "round": key.round, "part": name, "window": key.window, "stage": key.stage,
        **{field: page[field] for field in (*FailureKind._fields, "visit", "url", "status", "bytes", "truncated")},
    }  # fmt: skip
    content = _shown(facts, page["text"], markup=page["markup"]).encode()
    write_whole(path, content)
    return {
        **facts, "number": number, "bytes_kept": len(page["text"].encode()), "file": folder.relative(path),
        "sha256": sha256(content).hexdigest(),
    }  # fmt: skip


def _shown(facts: Mapping[str, Any], text: str, *, markup: bool) -> str:
    """The page with what is known of it, in a frame where it can run nothing and ask nobody for anything."""
    said = html.escape(text)
    body = f'<iframe sandbox srcdoc="{said}"></iframe>' if markup else f"<pre>{said}</pre>"
    lines = "".join(f"<dt>{name}</dt><dd>{html.escape(str(value))}</dd>" for name, value in facts.items())
    return (
        f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="viewport" content="width=device-width"><title>{html.escape(facts["portal"])}: {facts["step"]} {facts["outcome"]}'
        f"</title><style>{_STYLE}</style></head>\n<body><dl>{lines}</dl>\n{body}\n</body></html>\n"
    )

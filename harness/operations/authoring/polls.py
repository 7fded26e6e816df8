"""Drafts a poll: one request that is repeated until its answer is the last one of the capture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.operations.authoring.draft_state import CaptureDraft, require
from harness.operations.authoring.drafted_request import DraftedRequest
from harness.operations.authoring.naming import MACHINE_MADE
from harness.operations.authoring.tracing import scalars_of
from harness.pages import Page


def poll_rule(draft: CaptureDraft, drafted: DraftedRequest) -> None:
    """One request that is repeated until its answer is the last one of the capture."""
    chain, last = drafted.chain, drafted.page
    until = _until([item.page for item in chain.polled], last)
    expect = drafted.rule["expect"]
    drafted.rule["poll"] = {"until": until or {"bytes_min": len(last.body)}, "every_s": chain.every_s}
    for key in [key for key in expect if key != "status"]:  # what `expect` says must hold of the earlier answers too
        require(drafted, key, expect.pop(key))
    statuses = {page.status for page in (*(item.page for item in chain.polled), last)}
    if any(not 200 <= status < 300 for status in statuses):
        expect["status"] = sorted(statuses)
        drafted.rule["poll"]["until"]["status"] = last.status
    entries = ", ".join(str(item.entry) for item in chain.polled)
    said = f"the same request as entries {entries}, repeated until its answer changed: one `poll`"
    draft.left_out.append(chain.first.remark(said + ("" if until else "; say in `until` what ends it")))
    draft.left_out += [item.remark(f"an earlier answer to the poll of entry {chain.first.entry}") for item in chain.polled]


def _until(earlier: Sequence[Page], last: Page) -> dict[str, Any]:
    """What holds of the last answer and of none before it."""
    if all(page.status != last.status for page in earlier):
        return {"status": last.status}
    before = [scalars_of(page) for page in earlier]
    new = {path: value for path, value in scalars_of(last).items() if all(found.get(path) != value for found in before)}
    for path, value in sorted(new.items(), key=lambda item: not isinstance(item[1], bool) and _is_one_time(item[1])):
        return {"json": {"path": path, "present": True} if _is_one_time(value) else {"path": path, "equals": value}}
    for css in ("main h1", "h1", "h2", "title"):
        node = last.first(css)
        text = "" if node is None else " ".join(node.text(deep=True).split())
        if text and last.holds(text) and not any(page.holds(text) for page in earlier):
            return {"require_text": text}
    return {}


def _is_one_time(value: Any) -> bool:
    return not isinstance(value, bool) and MACHINE_MADE.match(str(value)) is not None

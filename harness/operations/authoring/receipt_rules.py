"""The rules of a draft about the receipt: where a visit gets it, what each visit types anew, and which later answers have to show it."""

from __future__ import annotations

from harness.operations.authoring.draft_state import CaptureDraft
from harness.operations.authoring.drafted_request import DraftedRequest
from harness.operations.authoring.found_receipt import TakenReceipt, written_anew
from harness.operations.authoring.naming import identifier

SHORTEST_SHOWN = 4
"""The fewest characters of a receipt for which pages are searched (assumed: a receipt `3` would be found on any page)."""


def type_unique_text(draft: CaptureDraft, drafted: DraftedRequest, name: str, text: str) -> None:
    """Type a text of its own for each visit, by which later pages show that this visit's dossier is there."""
    write_anew(draft, drafted, name, text, "since later pages show it")
    draft.unique_text = text


def write_anew(draft: CaptureDraft, drafted: DraftedRequest, name: str, text: str, why: str) -> None:
    """Let each visit write a text of its own wherever the capture has this one."""
    variable = draft.values.free_name(identifier(name))
    drafted.rule.setdefault("let", {})[variable] = written_anew(text)
    draft.values.known[text] = (variable, False)
    draft.values.anew.add(variable)
    draft.values.constants.append(drafted.chain.first.remark(f"{name} = {text[:60]}: written anew for each visit, {why}", "settled"))


def type_receipt(draft: CaptureDraft, drafted: DraftedRequest) -> None:
    """Take what was typed for the receipt: the answer gives nothing better."""
    variable = draft.values.known[draft.unique_text][0]
    drafted.rule.setdefault("let", {})["receipt"] = "{{ " + variable + " }}"
    draft.receipt = draft.unique_text
    draft.values.known[draft.receipt] = ("receipt", False)
    drafted.rule["receipt"] = {"code": "{{ receipt }}"}
    _note_receipt(draft, drafted, f"the text that was typed as {variable}")


def take_receipt(draft: CaptureDraft, drafted: DraftedRequest, taken: TakenReceipt) -> None:
    """Take what the answer gives for the receipt, with a remark where it may be another value."""
    draft.receipt = taken.code
    draft.values.known[taken.code] = ("receipt", False)
    drafted.rule.setdefault("extract", {})["receipt"] = taken.rule
    drafted.rule["receipt"] = {"code": "{{ receipt }}"}
    if not taken.is_certain:
        _note_receipt(draft, drafted, f"{taken.code}, by {taken.rule}")


def expect_receipt(draft: CaptureDraft, drafted: DraftedRequest) -> None:
    """An answer that shows the dossier again must show it in a walk too: its code, or the text that only this visit typed."""
    extracts = "receipt" in drafted.rule.get("extract", {})
    distinct = [text for text in (draft.receipt, draft.unique_text) if len(text) >= SHORTEST_SHOWN]
    texts = [text for text in distinct if drafted.page.holds(text)]
    shown = ["{{ " + draft.values.known[text][0] + " }}" for text in dict.fromkeys(texts) if not (extracts and text == draft.receipt)]
    if shown:
        drafted.rule["expect"]["require_text"] = shown if shown[1:] else shown[0]
    is_named = "{{ receipt }}" in str(drafted.rule.get("get", "")) and not distinct
    first = drafted.chain.first
    is_preview = first.method != "GET" and any(
        each.entry > first.entry and (each.method, each.url) == (first.method, first.url) for each in draft.recorded
    )
    if (texts or is_named) and drafted.step == "track" and not is_preview:
        drafted.rule["confirms"] = {"code": "{{ receipt }}"}


def _note_receipt(draft: CaptureDraft, drafted: DraftedRequest, taken: str) -> None:
    said = f"taken for the receipt: {taken}; if it is another value, say so by `receipt` and `extract`"
    draft.values.constants.append(drafted.chain.last.remark(said))

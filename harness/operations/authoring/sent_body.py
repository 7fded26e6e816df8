"""Drafts the body of a request: fields, JSON, text, files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from harness.catalog.json_file import read_json_text
from harness.errors import Problem
from harness.operations.authoring.draft_state import CaptureDraft
from harness.operations.authoring.drafted_request import DraftedRequest
from harness.operations.authoring.har import Recorded, shown_address
from harness.operations.authoring.learned import literal

_FILE_TYPES = {"pdf": "pdf", "png": "png", "jpg": "jpg", "jpeg": "jpg", "docx": "docx", "txt": "txt"}


def named_values(draft: CaptureDraft, drafted: DraftedRequest, pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Fields or parameters by name; a repeated name has a list."""
    recorded = drafted.chain.first
    found: dict[str, Any] = {}
    for name, value in pairs:
        variable = draft.values.made_by_script(recorded, name, value)
        if variable is not None:
            drafted.rule.setdefault("let", {})[variable] = "{{ random_hex(32) }}"
        written = draft.values.template(value, recorded, drafted.step, name)
        key = draft.values.name_template(name, recorded)
        found[key] = [*found[key], written] if isinstance(found.get(key), list) else [found[key], written] if key in found else written
    return found


def body_rule(draft: CaptureDraft, drafted: DraftedRequest) -> None:
    """Write the body of a request into its rule; one that the capture has lost is a problem of the draft."""
    recorded, request = drafted.chain.first, drafted.rule
    posted = recorded.posted
    if posted.is_file:
        _upload(draft, drafted)
    elif posted.lost:
        note_lost_body(draft, recorded)
    elif posted.fields:
        plain = [(item.name, item.value) for item in posted.fields if item.filename is None]
        if plain:
            request["fields"] = named_values(draft, drafted, plain)
        file_rules(draft, drafted)
    elif posted.text:
        _text_body(draft, drafted)
    else:
        request["empty"] = True


def _text_body(draft: CaptureDraft, drafted: DraftedRequest) -> None:
    recorded, request = drafted.chain.first, drafted.rule
    posted = recorded.posted
    is_json = "json" in posted.mime.lower() or posted.text.lstrip()[:1] in ("{", "[")
    data = read_json_text(posted.text, "", []) if is_json else None  # what is no JSON, or has a key twice, is sent as it stands
    if data is not None:
        request["json"] = _nested(draft, drafted, data)
        if posted.mime and posted.mime.lower() != "application/json":
            request["content_type"] = posted.mime
        return
    request.update(
        {"body": draft.values.template(posted.text, recorded, drafted.step, "body"), "content_type": posted.mime or "text/plain"}
    )


def _nested(draft: CaptureDraft, drafted: DraftedRequest, data: Any, name: str = "") -> Any:
    if isinstance(data, dict):
        names = draft.values.name_template
        return {names(key, drafted.chain.first): _nested(draft, drafted, value, key) for key, value in data.items()}
    if isinstance(data, list):
        return [_nested(draft, drafted, value, name) for value in data]
    if isinstance(data, bool) or data is None:
        return data
    return draft.values.template(data, drafted.chain.first, drafted.step, name, in_json=True)


def note_lost_body(draft: CaptureDraft, recorded: Recorded) -> None:
    """A body that the capture has lost: the draft would send nothing in its place."""
    remedy = "Record the journey with a tool that keeps bodies with files (mitmproxy, Fiddler, Charles), or write its fields into postData.params."
    kind = recorded.posted.mime.partition(";")[0] or "of an unknown type"
    shown = f"{recorded.method} {shown_address(recorded.url)} without its body ({kind}, {recorded.posted.size_bytes} bytes)"
    draft.lost.append(Problem(str(draft.capture), f"log.entries[{recorded.entry - 1}]", shown, "the fields that were sent", remedy))


def _upload(draft: CaptureDraft, drafted: DraftedRequest) -> None:
    recorded, posted = drafted.chain.first, drafted.chain.first.posted
    ending = re.search(
        r"\.(pdf|png|jpe?g|docx|txt)(?=$|[^\w])", unquote(recorded.url) + " " + recorded.header("content-disposition"), re.IGNORECASE
    )
    of_mime = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}.get(posted.mime.partition(";")[0], "")
    kind = of_mime or (_FILE_TYPES[ending[1].lower()] if ending else "pdf")
    size = posted.size_bytes if 0 < posted.size_bytes <= 50_000_000 else 20_000
    drafted.rule["upload"] = {"type": kind, "size_bytes": size}
    drafted.rule["content_type"] = posted.mime
    draft.left_out.append(recorded.remark(f"the file itself ({posted.mime}): a {kind} of {size} bytes is sent in its place"))


def file_rules(draft: CaptureDraft, drafted: DraftedRequest) -> None:
    """Write a valid file in the place of each that was sent."""
    recorded = drafted.chain.first
    for item in recorded.posted.fields:
        if item.filename is None:
            continue
        kind = _FILE_TYPES.get(item.filename.rpartition(".")[2].lower(), "pdf")
        if item.filename:
            file = {"name": literal(item.name), "type": kind, "size_bytes": 20_000, "filename": literal(item.filename)}
            drafted.rule.setdefault("files", []).append(file)
            draft.left_out.append(recorded.remark(f"the file {item.filename} of {item.name}: a {kind} of 20000 bytes is sent in its place"))

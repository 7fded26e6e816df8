"""Drafts a request that was sent from a form of the page: only what a person or a script changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from selectolax.lexbor import LexborNode

from harness.operations.authoring.draft_state import CaptureDraft
from harness.operations.authoring.drafted_request import DraftedRequest
from harness.operations.authoring.expected_answer import require_element
from harness.operations.authoring.har import Recorded
from harness.operations.authoring.learned import literal
from harness.operations.authoring.sent_body import file_rules, named_values, note_lost_body
from harness.operations.authoring.tracing import selector
from harness.origins import without_fragment
from harness.pages.addresses import address_on
from harness.pages.controls import controls_of
from harness.pages.forms import FormChanges, fill
from harness.pages.page import Page, all_within

_TYPED_IN = frozenset({"text", "textarea", "email", "tel", "number", "date", "search", "url", "password", "select", "select-multiple"})


def form_of(draft: CaptureDraft, recorded: Recorded) -> LexborNode | None:
    """The form of the page that the browser shows, from which a request was sent."""
    page = draft.shown
    if page is None or recorded.method not in ("GET", "POST"):
        return None
    if recorded.kind in ("xhr", "fetch") and recorded.posted.mime.lower().startswith(("application/json", "text/")):
        return None
    if recorded.posted.text and not recorded.posted.fields:
        return None  # a body that is no form's
    names = {item.name for item in recorded.posted.fields} or {name for name, _ in parse_qsl(urlsplit(recorded.url).query)}
    best: tuple[int, LexborNode] | None = None
    for node in page.nodes("form"):
        attributes = node.attributes
        if (attributes.get("method") or "get").upper() != recorded.method:
            continue
        action = without_fragment(address_on(page, attributes.get("action") or page.url))
        if recorded.method == "GET":
            if action.partition("?")[0] != recorded.url.partition("?")[0] or "?" not in recorded.url:
                continue
        elif action != recorded.url:
            continue
        shared = len(names & {control.name for control in controls_of(page, node)})
        if recorded.method == "GET" and not shared:
            continue  # a link, or a script's own question
        if best is None or shared > best[0]:
            best = (shared, node)
    return best[1] if best else None


def form_rule(draft: CaptureDraft, node: LexborNode, drafted: DraftedRequest) -> None:
    """Write what was changed in a form of the page that the browser shows."""
    shown, page = draft.page, draft.shown
    assert shown is not None
    assert page is not None
    recorded, request = drafted.chain.first, drafted.rule
    filled = fill(page, node, FormChanges({}))
    before = _grouped((name, value) for name, value in filled.entries if value is not None)
    in_address = parse_qsl(urlsplit(recorded.url).query, keep_blank_values=True)
    plain = [(item.name, item.value) for item in recorded.posted.fields if item.filename is None]
    after = _grouped(in_address if recorded.method == "GET" else plain)
    controls = {control.name: control for control in controls_of(page, node)}
    from_page, must_have = _which_form(page, node)
    rule: dict[str, Any] = {"from_page": from_page}
    if shown is not draft.newest_document:
        kept = shown.rule.setdefault("keep_page", f"page_{recorded.entry}")
        rule["page"] = kept
    require_element(draft, shown, must_have)
    request["form"] = rule
    lost = recorded.posted.lost and recorded.method == "POST"
    pressed = _pressed(node, after)
    if pressed is not None:
        rule["press"], clicked = pressed
        after = {name: values for name, values in after.items() if name not in clicked}
    for name, values in after.items():
        if before.get(name) == values or (name in controls and controls[name].kind == "file"):
            continue
        control = controls.get(name)
        if control is not None and control.kind == "checkbox" and values == [control.when_on]:
            rule.setdefault("set", {})[name] = True
        elif control is not None and control.kind == "password" and len(values) == 1:
            rule.setdefault("set", {})[name] = "{{ " + draft.values.password(values[0], recorded, name) + " }}"
        else:
            written = named_values(draft, drafted, [(name, value) for value in values])
            rule.setdefault("set" if control is not None else "add", {}).update(written)
    gone = [name for name in before if name not in after]
    if after and gone and not lost:
        rule["drop"] = [literal(name) for name in gone]
    file_rules(draft, drafted)
    if lost:
        _lost_form(draft, drafted, filled.empty_files, node)


def _which_form(page: Page, node: LexborNode) -> tuple[Any, str]:
    """How a profile names a form of a page, and a selector that finds it: by a field where several forms look alike."""
    css = selector(page, node)
    forms = page.nodes(css)
    if forms[0].mem_id == node.mem_id:
        return css, css
    for control in controls_of(page, node):
        plain = control.name and not set(control.name) & set('"\\\n')
        if plain and not any(
            control.name == other.name for form in forms if form.mem_id != node.mem_id for other in controls_of(page, form)
        ):
            return {"css": css, "with_field": control.name}, f'{css} [name="{control.name}"]'
    return css, css


def _pressed(node: LexborNode, sent: Mapping[str, Sequence[str]]) -> tuple[str, set[str]] | None:
    """The selector of the button that was pressed, and the names that it sent; None where none had a name."""
    for button in all_within(node, "button[name], input[type=submit][name], input[type=image]"):
        name, value = button.attributes.get("name") or "", button.attributes.get("value") or ""
        css = f'{button.tag}[name="{name}"]' if name else f"{button.tag}[type=image]"
        if (button.attributes.get("type") or "").lower() == "image":
            place = {f"{name}.x", f"{name}.y"} if name else {"x", "y"}
            if place <= sent.keys():
                return css, place
        elif sent.get(name) == [value] and '"' not in name + value:
            return f'{css}[value="{value}"]' if value else css, {name}
    return None


def _lost_form(draft: CaptureDraft, drafted: DraftedRequest, files: Sequence[str], node: LexborNode) -> None:
    """The body of a form with files, which browsers leave out of a HAR: its fields are known from the page, what was typed is not."""
    page = draft.shown
    assert page is not None
    recorded, rule = drafted.chain.first, drafted.rule["form"]
    if not files:
        note_lost_body(draft, recorded)
        return
    drafted.rule["files"] = [{"name": name, "type": "pdf", "size_bytes": 20_000} for name in dict.fromkeys(files)]
    draft.left_out.append(
        recorded.remark(f"the files of {', '.join(dict.fromkeys(files))}: a pdf of 20000 bytes each is sent in their place")
    )
    for control in controls_of(page, node):
        if control.kind in _TYPED_IN and not any(control.sent):
            if control.kind == "textarea":
                rule.setdefault("set", {})[control.name] = "{{ dossier.note }}"
            draft.values.constants.append(recorded.remark(f"{control.name}: the capture does not hold what was typed here"))
        elif control.kind in ("checkbox", "radio", "select", "select-multiple"):
            draft.values.constants.append(recorded.remark(f"{control.name}: the capture does not hold what was chosen here"))


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found

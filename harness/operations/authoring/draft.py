"""Drafts a profile from a browser's HAR. Values of earlier answers are extracted; typed values are listed to be named by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import yaml
from selectolax.lexbor import LexborNode

from harness.catalog.platform import GOALS
from harness.catalog.scalars import Dumper
from harness.operations.authoring.capture import Chain, Field, Recorded, read_capture
from harness.operations.authoring.tracing import link_to, selector, trace
from harness.origins import shown_origin, without_fragment
from harness.pages import Page
from harness.pages.addresses import address_on
from harness.pages.controls import controls_of
from harness.pages.forms import FormChanges, fill
from harness.profiles.functions import unaccented

RECEIPT = re.compile(r"\bH\d\d(?:\.\d+)*-\d{6}-\d{4,}\b")
_GOAL_OF = {
    "search": "find", "open_procedure": "find", "log_in": "file", "start_dossier": "file", "fill_in": "file", "attach": "file", "submit": "file",
    "quote_fee": "pay", "pay": "pay", "confirm_payment": "pay", "track": "track", "withdraw": "withdraw",
}  # fmt: skip
_GIVES: dict[str, dict[str, Any]] = {
    "find": {"procedure": {"url": "{{ page.url }}"}},
    "file": {"receipt": "{{ receipt }}"},
    "pay": {"payment": "{{ receipt }}"},
    "track": {"status": "{{ receipt }}"},
    "withdraw": {"withdrawn": "{{ receipt }}"},
}
_KEPT_HEADERS = re.compile(r"^(authorization|token|groupid|x-(?!requested|client|devtools).*)$")
_FILE_TYPES = {"pdf": "pdf", "png": "png", "jpg": "jpg", "jpeg": "jpg", "docx": "docx", "txt": "txt"}
_MACHINE_MADE = re.compile(r"^(?:\d+|[\w.~+/=-]*\d[\w.~+/=-]{3,})$")


@dataclass
class _Draft:
    """The draft so far."""

    origins: dict[str, str] = field(default_factory=dict)  # origin → role
    steps: list[tuple[str, dict[str, Any]]] = field(default_factory=list)  # (step, request), in order
    answers: list[tuple[Page, dict[str, Any]]] = field(default_factory=list)  # and the request that each belongs to
    known: dict[str, str] = field(default_factory=dict)  # value → variable
    typed: list[str] = field(default_factory=list)  # typed or chosen values, to be named by hand
    receipt: str = ""
    logged_in: bool = False
    page: Page | None = None


def draft_profile(capture: Path, *, profile: str = "draft") -> str:
    """The text of a platform profile; UsageError for a file that is not a HAR."""
    draft = _Draft()
    for chain in read_capture(capture):
        _add(draft, chain)
    return _written(draft, profile, capture.name)


def _add(draft: _Draft, chain: Chain) -> None:
    first, last = chain.first, chain.last
    for recorded in (first, last):
        _role(draft, recorded.url)
    request: dict[str, Any] = {}
    step = _step_of(draft, chain)
    _address_and_body(draft, first, request, step)
    for name, value in first.headers.items():
        if _KEPT_HEADERS.match(name):
            request.setdefault("headers", {})[name] = _value(draft, value)
    kinds = chain.follow - {"http"}
    if kinds:
        request["follow"] = ["http", *sorted(kinds)]
    expect: dict[str, Any] = {} if 200 <= last.page.status < 300 else {"status": last.page.status}
    if last.page.is_markup:
        headings = last.page.nodes("main h1, main h2, h2, h1, title")
        expect["require_selector"] = selector(last.page, headings[0]) if headings else "body"
    request["expect"] = expect
    code = RECEIPT.search(last.page.text)
    if code is not None and not draft.receipt:
        draft.receipt = code.group()
        draft.known[code.group()] = "receipt"
        request.setdefault("extract", {})["receipt"] = _receipt_rule(last.page, code.group())
        request["receipt"] = {"code": "{{ receipt }}"}
    elif draft.receipt and draft.receipt in last.page.text:
        expect["require_text"] = "{{ receipt }}"
        if step == "track":
            request["confirms"] = {"code": "{{ receipt }}"}
    draft.steps.append((step, request))
    draft.answers.append((last.page, request))
    if last.page.is_markup:
        draft.page = last.page
    draft.logged_in = (
        draft.logged_in or any(item.filename is None and "pass" in item.name.lower() for item in first.fields) or step == "log_in"
    )


def _receipt_rule(page: Page, code: str) -> dict[str, Any]:
    found = trace(page, code)
    return found[1] if found is not None else {"regex": RECEIPT.pattern.replace("(?:", "(?:")}


def _role(draft: _Draft, url: str) -> str:
    origin = shown_origin(url)
    if origin not in draft.origins:
        path = urlsplit(url).path.lower()
        if not draft.origins:
            role = "portal"
        elif re.search(r"oauth|authorize|login|dang-nhap|sso", path):
            role = "identity"
        elif re.search(r"thanh-toan|pay", path):
            role = "payment"
        else:
            role = f"host_{len(draft.origins)}"
        draft.origins[origin] = role if role not in draft.origins.values() else f"host_{len(draft.origins)}"
    return draft.origins[origin]


def _address_and_body(draft: _Draft, recorded: Recorded, request: dict[str, Any], step: str) -> None:
    method = recorded.method.lower()
    form = _form_of(draft, recorded)
    if form is not None and draft.page is not None:
        request[method] = "{{ form.action }}"
        _form_rule(draft, form, recorded, request, step)
        return
    if method == "get" and draft.page is not None:
        link = link_to(draft.page, recorded.url)
        if link is not None:
            _require(draft, link["css"])
            request["get"] = "{{ " + _extraction(draft, recorded.url, "link", link) + " }}"
            return
    parts = urlsplit(recorded.url)
    path = "/".join(_path_part(draft, part) for part in parts.path.split("/"))
    request[method] = "{{ origin." + _role(draft, recorded.url) + " }}" + path
    if parts.query:
        request["query"] = {name: _value(draft, value, step, name) for name, value in parse_qsl(parts.query, keep_blank_values=True)}
    if method == "get":
        return
    _plain_body(draft, recorded, request, step)


def _plain_body(draft: _Draft, recorded: Recorded, request: dict[str, Any], step: str) -> None:
    if "json" in recorded.mime and recorded.text:
        try:
            request["json"] = _nested(draft, json.loads(recorded.text), step)
        except ValueError:
            request.update({"body": recorded.text, "content_type": recorded.mime})
    elif recorded.fields:
        plain = [item for item in recorded.fields if item.filename is None]
        if plain:
            request["fields"] = {item.name: _value(draft, item.value, step, item.name) for item in plain}
        _files(recorded, request)
    elif recorded.text:
        request.update({"body": recorded.text, "content_type": recorded.mime})
    else:
        request["empty"] = True


def _form_of(draft: _Draft, recorded: Recorded) -> LexborNode | None:
    """The form of the current page that a request was sent from."""
    if draft.page is None or not draft.page.is_markup:
        return None
    names = {item.name for item in recorded.fields} or {name for name, _ in parse_qsl(urlsplit(recorded.url).query)}
    best: tuple[int, LexborNode] | None = None
    for node in draft.page.nodes("form"):
        attributes = node.attributes
        if (attributes.get("method") or "get").upper() != recorded.method:
            continue
        action = without_fragment(address_on(draft.page, attributes.get("action") or draft.page.url))
        if recorded.method == "GET":
            if action.partition("?")[0] != recorded.url.partition("?")[0] or "?" not in recorded.url:
                continue
        elif action != recorded.url:
            continue
        shared = len(names & {control.name for control in controls_of(draft.page, node)})
        if best is None or shared > best[0]:
            best = (shared, node)
    return best[1] if best else None


def _form_rule(draft: _Draft, node: LexborNode, recorded: Recorded, request: dict[str, Any], step: str) -> None:
    page = draft.page
    assert page is not None
    filled = fill(page, node, FormChanges({}))
    before = _grouped((Field(name, value) for name, value in filled.entries if value is not None))
    in_address = [Field(name, value) for name, value in parse_qsl(urlsplit(recorded.url).query, keep_blank_values=True)]
    sent = in_address if recorded.method == "GET" else recorded.fields
    after = _grouped(item for item in sent if item.filename is None)
    controls = {control.name: control for control in controls_of(page, node)}
    rule: dict[str, Any] = {"from_page": selector(page, node)}
    _require(draft, rule["from_page"])
    for name, values in after.items():
        if before.get(name) == values or (controls.get(name) and controls[name].kind == "file"):
            continue
        control = controls.get(name)
        if control is not None and control.kind == "checkbox" and values == [control.when_on]:
            rule.setdefault("set", {})[name] = True
        else:
            value = _value(draft, values[0], step, name) if len(values) == 1 else values
            rule.setdefault("set" if control is not None else "add", {})[name] = value
    gone = [name for name in before if name not in after]
    if recorded.fields and gone:
        rule["drop"] = gone
    request["form"] = rule
    _files(recorded, request)
    empty = [name for name in filled.empty_files if not any(item["name"] == name for item in request.get("files", ()))]
    if empty and filled.multipart and not recorded.fields:  # browsers leave bodies with files out of a HAR
        request["files"] = [{"name": name, "type": "pdf", "size_bytes": 20_000} for name in dict.fromkeys(empty)]
        for control in controls.values():
            if control.kind == "textarea" and not any(control.sent):
                rule.setdefault("set", {})[control.name] = "{{ dossier.note }}"
                draft.typed.append(f"{step}: {control.name} (the capture does not hold what was typed here)")


def _require(draft: _Draft, css: str) -> None:
    """Expect the element that the next request is made from: it says more about the page than a heading."""
    for page, request in reversed(draft.answers):
        if page is draft.page:
            request["expect"]["require_selector"] = css
            return


def _files(recorded: Recorded, request: dict[str, Any]) -> None:
    for item in recorded.fields:
        if item.filename:
            kind = _FILE_TYPES.get(item.filename.rpartition(".")[2].lower(), "pdf")
            request.setdefault("files", []).append({"name": item.name, "type": kind, "size_bytes": 20_000, "filename": item.filename})


def _grouped(fields: Iterator[Field]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in fields:
        found.setdefault(item.name, []).append(item.value)
    return found


def _nested(draft: _Draft, data: Any, step: str, name: str = "") -> Any:
    if isinstance(data, dict):
        return {key: _nested(draft, value, step, key) for key, value in data.items()}
    if isinstance(data, list):
        return [_nested(draft, value, step, name) for value in data]
    return _value(draft, data, step, name) if isinstance(data, str | int) and not isinstance(data, bool) else data


def _path_part(draft: _Draft, part: str) -> str:
    text = unquote(part)
    return str(_value(draft, text)) if _MACHINE_MADE.match(text) else part


def _value(draft: _Draft, value: str | int, step: str = "", name: str = "") -> Any:
    """A value for the profile: a variable if an earlier answer holds it, else the value itself, to be named by hand."""
    text = str(value)
    prefix = "Bearer " if text.startswith("Bearer ") else ""
    text = text.removeprefix(prefix)
    if text in draft.known:
        return prefix + "{{ " + draft.known[text] + " }}"
    if len(text) >= 4 and _MACHINE_MADE.match(text):
        for page, request in reversed(draft.answers):
            found = trace(page, text)
            if found is not None:
                return prefix + "{{ " + _extraction(draft, text, *found, request=request) + " }}"
    if _is_keyword(draft, step, name, text):
        draft.known[text] = "keyword"
        return "{{ keyword }}"
    if name and text:
        draft.typed.append(f"{step}: {name} = {text[:60]}")
    return value


def _is_keyword(draft: _Draft, step: str, name: str, text: str) -> bool:
    if step != "search" or "keyword" in draft.known.values() or not any(sign.isalpha() for sign in text):
        return False
    return re.search(r"q$|key|tim|tu_?khoa|search|query|text", unaccented(name).lower()) is not None


def _extraction(draft: _Draft, value: str, name: str, rule: dict[str, Any], request: dict[str, Any] | None = None) -> str:
    """The name of a variable that is extracted from the answer that holds the value."""
    if request is None:
        request = next(item for page, item in reversed(draft.answers) if page is draft.page)
    taken = {variable for _, item in draft.answers for variable in item.get("extract", {})} | {"receipt", "keyword"}
    name = name if name not in ("page", "form", "run", "visit", "origin", "person", "portal", "journey") else f"{name}_value"
    variable, number = name, 1
    while variable in taken:
        number += 1
        variable = f"{name}_{number}"
    request.setdefault("extract", {})[variable] = rule
    draft.known[value] = variable
    return variable


def _step_of(draft: _Draft, chain: Chain) -> str:
    first, last = chain.first, chain.last
    origin_role = _role(draft, first.url)
    words = unaccented(unquote(urlsplit(first.url).path)).lower()
    names = " ".join(item.name.lower() for item in first.fields)
    to_payment = _role(draft, last.url) == "payment"
    if not draft.receipt and RECEIPT.search(last.page.text):
        return "submit"
    if (
        origin_role == "identity"
        or _role(draft, last.url) == "identity"
        or re.search(r"pass|mat_?khau", names)
        or re.search(r"login|dang-nhap|sso|oidc|/token", words)
    ):
        return "log_in"
    if origin_role == "payment":
        return "confirm_payment" if first.method == "POST" else "pay"
    if to_payment or (re.search(r"thanh-toan|payment|epay|le-phi", words) and first.method == "POST"):
        return "pay"
    if re.search(r"thanh-toan|payment|le-phi|/fee", words):
        return "quote_fee"
    if re.search(r"rut|withdraw|cancel", words):
        return "withdraw"
    if draft.receipt:
        return "track" if re.search(r"tra-?cuu|track|by-code|search", words + unquote(first.url)) else "withdraw"
    if any(item.filename for item in first.fields) or (first.mime.startswith("multipart/") and not first.fields):
        return "attach"
    if draft.logged_in:
        return "fill_in" if first.method != "GET" or any(step == "start_dossier" for step, _ in draft.steps) else "start_dossier"
    searched = any(item == "search" and ("query" in request or "form" in request or "json" in request) for item, request in draft.steps)
    return "open_procedure" if searched else "search"


def _written(draft: _Draft, profile: str, source: str) -> str:
    goals: dict[str, Any] = {}
    for step, request in draft.steps:
        goal = _GOAL_OF[step]
        inside = "file" if goal == "pay" and "receipt" not in _extracted_before(draft, request) else goal
        gives: dict[str, Any] = dict(_GIVES[inside])
        steps = goals.setdefault(inside, {"steps": [], "gives": gives})["steps"]
        if inside != goal:
            goals[inside]["gives"].setdefault("payment", "{{ page.url }}")
        if steps and steps[-1]["step"] == step:
            steps[-1]["requests"].append(request)
        else:
            steps.append({"step": step, **({"goal": goal} if inside != goal else {}), "requests": [request]})
    nested = {step.get("goal") for goal in goals.values() for step in goal["steps"]}
    if "file" in goals and not draft.receipt:
        goals["file"]["gives"]["receipt"] = "{{ page.url }}"
    body = {
        "id": profile,
        "name_vi": profile,
        "name_en": profile,
        "known_from": {"source": f"a browser's capture, {source}", "basis": "assumed"},
        "origins": list(draft.origins.values()),
        "absent": {goal: "not in the capture" for goal in GOALS if goal not in goals and goal not in nested},
        "goals": {goal: goals[goal] for goal in GOALS if goal in goals},
    }
    if not body["absent"]:
        del body["absent"]
    lines = [f"# Drafted from {source}: read it, name what was typed, tighten what each answer must be, then `harness walk`."]
    lines += [f"# origin.{role} was {origin} when this was recorded" for origin, role in draft.origins.items()]
    if draft.typed:
        lines.append("# Typed or chosen, to be replaced by person, dossier or other values:")
        lines += [f"#   {item}" for item in dict.fromkeys(draft.typed)]
    return "\n".join(lines) + "\n" + yaml.dump(body, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=150)


def _extracted_before(draft: _Draft, until: dict[str, Any]) -> set[str]:
    names: set[str] = set()
    for _, request in draft.steps:
        if request is until:
            break
        names.update(request.get("extract", {}))
    return names

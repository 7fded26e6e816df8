"""Writes a draft: its requests as steps of goals in the order of the capture, and what has to be mended by hand as comments."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.catalog.platform import GOALS
from harness.catalog.scalars import yaml_text
from harness.operations.authoring.drafted_request import DraftedRequest
from harness.operations.authoring.har import ASSET, EntryRemark

NOT_RECORDED = "not in the capture"
"""Why a draft lacks a goal."""
_MANY = 3
"""Requests with one constant from which one line names them all (assumed: two lines are still read)."""
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


def outline(
    drafted: Sequence[DraftedRequest], roles: Mapping[str, str], profile: str, source: str
) -> tuple[dict[str, Any], list[EntryRemark]]:
    """The profile as plain data, and remarks on requests that stand elsewhere than in the capture."""
    goals: dict[str, Any] = {}
    remarks: list[EntryRemark] = []
    ended: list[str] = []
    for goal, request in zip(_goals_of(drafted), drafted, strict=True):
        own = _GOAL_OF[request.step]
        inside = own if own == "pay" and goal == "file" else ""
        steps = goals.setdefault(goal, {"steps": [], "gives": dict(_GIVES[goal])})["steps"]
        if inside:
            goals[goal]["gives"].setdefault("payment", "{{ page.url }}")
        if ended and ended[-1] != goal and goal in ended:
            remarks.append(request.chain.first.remark(f"asked after the goal {ended[-1]}; it stands at the end of the goal {goal}"))
        if not ended or ended[-1] != goal:
            ended.append(goal)
        if steps and steps[-1]["step"] == request.step and steps[-1].get("goal", "") == inside:
            steps[-1]["requests"].append(request.rule)
        else:
            steps.append({"step": request.step, **({"goal": inside} if inside else {}), "requests": [request.rule]})
    nested = {step.get("goal") for goal in goals.values() for step in goal["steps"]}
    if "file" in goals and not any("receipt" in request.rule for request in drafted):
        goals["file"]["gives"]["receipt"] = "{{ page.url }}"
    absent = {goal: NOT_RECORDED for goal in GOALS if goal not in goals and goal not in nested}
    body = {
        "id": profile,
        "name_vi": profile,
        "name_en": profile,
        "known_from": {"source": f"a browser's capture, {source}", "basis": "assumed"},
        "origins": list(roles.values()),
        **({"absent": absent} if absent else {}),
        "goals": {goal: goals[goal] for goal in GOALS if goal in goals},
    }
    return body, remarks


def _goals_of(drafted: Sequence[DraftedRequest]) -> list[str]:
    """The goal of each request. Up to the receipt, a goal that has begun is not left for an earlier one: the order is the capture's."""
    own = [_GOAL_OF[request.step] for request in drafted]
    acknowledged = next((index for index, request in enumerate(drafted) if "receipt" in request.rule), -1)
    until = acknowledged + 1 or len(own)
    filing = [index for index in range(until) if own[index] == "file" and drafted[index].step != "log_in"]
    finding = [index for index in range(filing[0] if filing else until) if own[index] == "find"]
    found = finding[-1] if finding else -1
    goals = ["find" if index <= found else "file" for index in range(until)]
    if acknowledged < 0 and not filing and "file" not in own[found + 1 :]:
        goals = ["find" if index <= found else goal for index, goal in enumerate(own)]
    return goals + _after_the_receipt([request.step for request in drafted[until:]])


def _after_the_receipt(steps: Sequence[str]) -> list[str]:
    """The goals of what follows the receipt. A login belongs to the goal that comes next, and after the dossier was looked up to its withdrawal."""
    looked_up = steps.index("track") if "track" in steps else len(steps)
    login = next((index for index in range(looked_up, len(steps)) if steps[index] == "log_in"), len(steps))
    if "withdraw" in steps[login:]:
        return [*_after_the_receipt(steps[:login]), *["withdraw"] * len(steps[login:])]
    following = (next((step for step in steps[index:] if step != "log_in"), "track") for index in range(len(steps)))
    return [_GOAL_OF[step] for step in following]


def _once_each(constants: Sequence[EntryRemark]) -> Iterator[str]:
    """The remarks, those that many requests have alike in one line."""
    alike = Counter(item.said for item in constants if item.matter == "routine")
    told: set[str] = set()
    for item in constants:
        number = alike[item.said]
        if item.matter != "routine" or number < _MANY:
            yield str(item)
        elif item.said not in told:
            told.add(item.said)
            yield f"{item} (the same in {number - 1} later requests)"


def profile_text(
    body: Mapping[str, Any], roles: Mapping[str, str], source: str, constants: Sequence[EntryRemark], left_out: Sequence[EntryRemark]
) -> str:
    """The draft as YAML, with comments on top: what to name by hand, and what of the capture is not in it."""
    lines = [f"# Drafted from {source}: read it, name what was typed, tighten what each answer must be, then `harness walk`."]
    lines += [f"# origin.{role} was {origin} when this was recorded" for origin, role in roles.items()]
    if constants:
        lines.append("# Typed, chosen or kept from this session, to be replaced by person, dossier or other values:")
        lines += [f"#   {item}" for item in dict.fromkeys(_once_each(constants))]
    assets = [item for item in left_out if item.said == ASSET]
    others = dict.fromkeys(str(item) for item in left_out if item.said != ASSET)
    if left_out:
        lines.append("# Left out, or not as it was recorded:")
        lines += [f"#   {item}" for item in others]
    if assets:
        said = "`assets: true` at a page asks for what it refers to"
        lines.append(f"#   assets of pages (images, scripts, style sheets): {len(assets)}; {said}")
    return "\n".join(lines) + "\n" + commented_yaml(dict(body))


def commented_yaml(body: Mapping[str, Any]) -> str:
    """A profile as YAML. A key that begins with ``# `` becomes a comment where it stands."""
    return re.sub(r"^( +)'(# [^'\n]*)': null$", r"\1\2", yaml_text(dict(body)), flags=re.MULTILINE)


def with_comments_as_keys(text: str) -> str:
    """The YAML of ``commented_yaml`` with its comments as keys, so that they are read with the rest."""
    return re.sub(r"^( +)(# [^'\n]*)$", r"\1'\2': null", text, flags=re.MULTILINE)

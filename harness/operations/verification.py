"""Whether a sealed sweep is what it says, for those who do not trust us: offline, anywhere, and without the private key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import pyarrow as pa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from harness.catalog import Catalog
from harness.errors import EvidenceError, HarnessError, Problem
from harness.evidence import SweepFolder
from harness.evidence.folder import packed_portal
from harness.load.schedule import schedule
from harness.operations.addenda import read_addenda, read_seal
from harness.operations.integrity import evidence_problems
from harness.operations.publication_record import publication_problems
from harness.operations.register import register_problems
from harness.operations.rules import SweepRules
from harness.operations.score_folder import read_sweep_scores, recompute
from harness.operations.sealed_evidence import seal_problems
from harness.operations.signing import fingerprint, is_signed, public_key
from harness.publish.import_file import to_bytes
from harness.records import Plan, PlannedWindow, RoundRecord, Slot, SlotRecord, read_plan
from harness.records.files import digest, read_json
from harness.records.plain import read_record
from harness.records.sweep_journal import journal_problems
from harness.scoring.scorecard import earlier_forms

_ARCHIVE = "Restore the file from the archive, or ask those who sealed it."


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found to hold."""

    sweep: str
    portal: str  # empty: all of them
    key: str  # the fingerprint of the key that sealed it
    files: int
    addenda: int
    rounds: int
    rules_signed: bool  # before the first packet
    scores: str  # SHA-256 of the criteria set that gave the same bytes again; empty where there are no scores


def verify(
    folder: SweepFolder, catalog: Catalog, *, key: Ed25519PublicKey | None = None, portal: str = "", criteria: str = "",
    earlier: Sequence[SweepFolder] = (),
) -> Verified:  # fmt: skip
    """Check seal, signatures, chain, counts, schedules, rules, register and scores of a sweep; nothing is written and nothing is sent.

    Raises EvidenceError with every problem.
    """
    portal = portal or packed_portal(folder)
    checks: list[Callable[[], Iterable[Problem]]] = [
        lambda: seal_problems(folder, key, portal),
        lambda: evidence_problems(folder, portal),
        lambda: _schedule_problems(folder),
        lambda: _rules_problems(folder, key),
        lambda: register_problems(folder),
        lambda: journal_problems(folder.journal),
        lambda: publication_problems(folder, key or public_key(read_seal(folder).public_key), portal),
    ]
    problems: list[Problem] = []
    for check in checks:
        problems += _collected(check)
    if not problems:
        problems += _collected(lambda: _score_problems(folder, catalog, portal, criteria, earlier))
    if problems:
        raise EvidenceError(*dict.fromkeys(problems))
    made = read_seal(folder)
    scores = read_sweep_scores(folder.path).criteria_set.sha256 if folder.scores.is_file() else ""
    return Verified(
        made.sweep, portal, made.key, len(made.files), len(read_addenda(folder)), len(folder.sealed_rounds()),
        folder.rules_signature.is_file(), scores,
    )  # fmt: skip


def _collected(check: Callable[[], Iterable[Problem]]) -> Iterator[Problem]:
    """The problems of one check, also where what it reads is broken: the other checks have their turn."""
    try:
        yield from check()
    except HarnessError as error:
        for each in error.problems:
            yield each if isinstance(each, Problem) else Problem("evidence", "content", each, "evidence as it was written", _ARCHIVE)


def _rules_problems(folder: SweepFolder, key: Ed25519PublicKey | None) -> Iterator[Problem]:
    """Where a sweep was measured or scored by other rules than were fixed before; nothing for evidence without rules."""
    if not folder.rules.is_file():
        return
    rules, plan, path = read_record(SweepRules, folder.rules), read_plan(folder.plan), str(folder.rules)
    found = {"sweep": plan.sweep, "plan_sha256": digest(folder.plan), "seed": plan.seed, "workload": plan.workload}
    for name, value in found.items():
        if getattr(rules, name) != value:
            yield Problem(path, name, str(getattr(rules, name)), f"{value}, as {folder.plan.name} has it", _ARCHIVE)
    begins = [round_.began_utc for round_ in folder.rounds()]
    if begins and datetime.fromisoformat(rules.fixed_utc) > min(map(datetime.fromisoformat, begins)):
        yield Problem(path, "fixed_utc", rules.fixed_utc, f"a time before the first round, {min(begins)}", _ARCHIVE)
    for manifest in folder.manifests():
        measured = read_json(manifest)["catalog_sha256"]
        if measured != rules.catalog_sha256:
            remedy = "The catalog was changed during the night; say what changed, and why."
            yield Problem(str(manifest), "catalog_sha256", measured, f"{rules.catalog_sha256}, as {folder.rules.name} has it", remedy)
    if folder.scores.is_file():
        applied = read_sweep_scores(folder.path).criteria_set
        if applied.sha256 != rules.criteria.sha256:
            expected = f"{rules.criteria.id}@{rules.criteria.version} ({rules.criteria.sha256}), fixed before the sweep"
            remedy = f"Score it by that set: `harness score --criteria {rules.criteria.id}@{rules.criteria.version}`."
            yield Problem(str(folder.scores), "criteria_set", f"{applied.named} ({applied.sha256})", expected, remedy)
    signer = key or public_key(read_seal(folder).public_key)
    if folder.rules_signature.is_file() and not is_signed(folder.rules.read_bytes(), folder.rules_signature.read_bytes(), signer):
        said, expected = "not of these rules by this key", f"that of key {fingerprint(signer)}"
        yield Problem(str(folder.rules_signature), "signature", said, expected, _ARCHIVE)


def _schedule_problems(folder: SweepFolder) -> Iterator[Problem]:
    """Rounds whose windows or arrivals are other than plan and seed give."""
    plan = read_plan(folder.plan)
    planned = {(slot.portal, window.window): window for round_ in plan.rounds for slot in round_.slots for window in slot.windows}
    for round_ in folder.rounds():
        for slot in round_.slots:
            yield from _of_slot(folder, plan, planned, round_, slot)


def _of_slot(
    folder: SweepFolder, plan: Plan, planned: dict[tuple[str, int], PlannedWindow], round_: RoundRecord, slot: SlotRecord
) -> Iterator[Problem]:
    path = str(folder.round(round_.name))
    windows = tuple(window.as_planned for window in slot.windows)
    for window in windows:
        of_plan = planned.get((slot.portal, window.window if window.make_up_of is None else window.make_up_of))
        if of_plan is not None and not _is_part_of(window, of_plan):
            yield Problem(path, f"window {window.window} of {slot.portal}", "not as planned", f"the window of {folder.plan.name}", _ARCHIVE)
    if slot.schedule_sha256:
        made = schedule(Slot(slot.portal, slot.run, windows, slot.in_flight_ceiling), seed=plan.seed, arrivals=plan.arrivals).digest()
        if made != slot.schedule_sha256:
            yield Problem(path, f"schedule_sha256 of {slot.portal}", slot.schedule_sha256, f"{made}, by plan and seed", _ARCHIVE)


def _is_part_of(window: PlannedWindow, of_plan: PlannedWindow) -> bool:
    """Whether a window is that of the plan, with all of its journeys or those that could be loaded."""
    allowed = of_plan.only({*window.rates_per_s, *window.quota})
    own = (window.window, window.round, window.begin_s, window.make_up_of)
    as_sent = replace(allowed, window=own[0], round=own[1], begin_s=own[2], make_up_of=own[3], first_serial=window.first_serial)
    return window == as_sent and (window.make_up_of is not None or own[:3] == (of_plan.window, of_plan.round, of_plan.begin_s))


def _score_problems(folder: SweepFolder, catalog: Catalog, portal: str, criteria: str, earlier: Sequence[SweepFolder]) -> Iterator[Problem]:
    if not folder.scores.is_file():
        return
    given_out = read_sweep_scores(folder.path)
    elsewhere = sorted({file.file for card in given_out.scorecards for file in card.evidence if file.file.startswith("../")})
    if elsewhere and not earlier:
        remedy = "Name the folders of these nights with --with."
        yield Problem(str(folder.scores), "evidence", f"{elsewhere[0]} among others", "evidence of this sweep alone", remedy)
        return
    try:
        made = recompute(folder, catalog, given_out, criteria, earlier, portal)
    except (pa.ArrowException, LookupError, ValueError) as error:
        yield Problem(str(folder.path), "evidence", f"not to be scored ({error})", "evidence as it was written", _ARCHIVE)
        return
    remedy = "They were not made from this evidence by this criteria set and this version of the program."
    if portal:
        mine = tuple(card for card in given_out.scorecards if card.portal == portal)
        if all(mine != form.scorecards for form in (made, *earlier_forms(made))):
            yield Problem(str(folder.scores), f"scores of {portal}", "other than the evidence gives", "the same card", remedy)
    elif folder.scores.read_bytes() not in (to_bytes(form) for form in (made, *earlier_forms(made))):
        other = [card.portal for card, given in zip(made.scorecards, given_out.scorecards, strict=False) if card != given]
        found = f"other bytes than the evidence gives ({', '.join(other) or 'the list of portals or the head'})"
        yield Problem(str(folder.scores), "content", found, "the same bytes", remedy)

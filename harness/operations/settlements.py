"""What two persons settle on the record: unproven journeys, and windows in which the portal may have limited our address.

    settlements.json     every step in order: proposals and confirmations, with time, name, reason and attachment
    settlements/…        the attachments, for example what a person saw in a browser in the same hours

No step changes an earlier one. Of a journey, ``portal`` gives its criteria zero points, and ``profile`` leaves them without points: it
is measured again, in another sweep. Of the windows with ``address_limit``, ``portal`` scores them, and ``address`` leaves them unscored.
``unproven`` and ``address_limit`` take a settlement back, and need two names as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from harness.catalog.agency import AGENCY_FILE, AgencyRole, agency_of, same_person
from harness.errors import EvidenceError, Problem, UsageError
from harness.evidence import Reason, RunFacts, SweepFolder, Verdict, WindowFacts, read_runs
from harness.evidence.folder import results_around
from harness.evidence.publication import publication_of, read_publication
from harness.operations.addenda import enter_addenda
from harness.operations.kept_files import Attachment, keep_file
from harness.operations.locust_run import require_not_measured
from harness.operations.named_persons import person_problems
from harness.records import SCORED_STAGES, Slot, read_plan
from harness.records.files import digest, write_json
from harness.records.plain import read_record, to_plain
from harness.scoring import Evidence

SETTLEMENTS: Final = "settlements.json"
ADDRESS_LIMIT: Final = "address_limit"
"""Stands in the place of a journey for the windows in which the portal may have limited our address."""
Cause = Literal["portal", "profile", "unproven", "address", "address_limit"]
_CAUSES_OF_JOURNEY: Final[tuple[Cause, ...]] = ("portal", "profile", "unproven")
_CAUSES_OF_REFUSALS: Final[tuple[Cause, ...]] = ("portal", "address", ADDRESS_LIMIT)


@dataclass(frozen=True, slots=True)
class SettlementStep:
    """A proposal, or the confirmation of the proposal before it."""

    step: Literal["proposed", "confirmed"]
    portal: str
    journey: str  # or ``address_limit``
    cause: Cause
    by: str
    at_utc: str  # ISO 8601
    reason: str = ""
    attachment: Attachment | None = None


@dataclass(frozen=True, slots=True)
class SettlementRecord:
    """The contents of ``settlements.json``: all steps, in order."""

    schema: str = "settlements/1"
    steps: tuple[SettlementStep, ...] = ()


@dataclass(frozen=True, slots=True)
class SettlementState:
    """Where one journey, or the windows with ``address_limit``, of one portal stand."""

    cause: Cause
    names: tuple[str, ...] = ()  # who proposed and who confirmed that
    open: SettlementStep | None = None  # a proposal that nobody has confirmed

    @property
    def is_settled(self) -> bool:
        """Whether two persons have named a cause and not taken it back."""
        return self.cause not in {"unproven", ADDRESS_LIMIT}

    def reasons(self, journey: str) -> tuple[Reason, ...]:
        """For the card."""
        settled = [Reason(f"settled_as_{self.cause}", f"{journey}: {' & '.join(self.names)}")] if self.is_settled else []
        return (*settled, *self.proposed(journey))

    def proposed(self, journey: str) -> tuple[Reason, ...]:
        """The proposal that nobody has confirmed, for the card."""
        return () if self.open is None else (Reason("settlement_proposed", f"{journey}: {self.open.cause}, {self.open.by}"),)


def read_settlements(folder: SweepFolder) -> SettlementRecord:
    """The steps so far; EvidenceError where the file or an attachment was changed."""
    path = folder.path / SETTLEMENTS
    record = read_record(SettlementRecord, path) if path.is_file() else SettlementRecord()
    for attached in (step.attachment for step in record.steps if step.attachment is not None):
        attached.check(folder)
    return record


def standing(record: SettlementRecord, portal: str, journey: str) -> SettlementState:
    """Where a journey, or ``address_limit``, stands after all steps."""
    found = SettlementState(_causes(journey)[-1])
    for each in record.steps:
        if (each.portal, each.journey) != (portal, journey):
            continue
        if each.step == "proposed":
            found = replace(found, open=each)
        elif found.open is not None:
            found = SettlementState(each.cause, (found.open.by, each.by))
    return found


def apply_settlements(run: RunFacts, record: SettlementRecord) -> RunFacts:
    """The run as settled: what counts against the portal is scored, and the card's reasons name the persons."""
    return _with_journeys(_with_refusals(run, standing(record, run.portal, ADDRESS_LIMIT)), record)


def _with_refusals(run: RunFacts, state: SettlementState) -> RunFacts:
    """The run, whose windows with ``address_limit`` are scored if that is settled as the portal's fault."""
    limited = [reason.detail for reason in run.reasons if reason.code == ADDRESS_LIMIT]
    if not limited:
        return run
    run = replace(run, reasons=(*run.reasons, *state.proposed(ADDRESS_LIMIT)))
    if not state.is_settled:
        return run
    settled = Reason(f"refusals_settled_as_{state.cause}", f"{' & '.join(state.names)}: {'; '.join(limited)}")
    windows = tuple(_settled(window, state.cause, settled) for window in run.windows)
    others = tuple(reason for reason in run.reasons if reason.code != ADDRESS_LIMIT)
    scored = any(window.stage in SCORED_STAGES and window.verdict is Verdict.VALID for window in windows)
    verdict = Verdict.VALID if scored and run.verdict is Verdict.INSUFFICIENT else run.verdict
    return replace(run, windows=windows, reasons=(settled, *others), verdict=verdict)


def _settled(window: WindowFacts, cause: Cause, settled: Reason) -> WindowFacts:
    if all(reason.code != ADDRESS_LIMIT for reason in window.reasons):
        return window
    return replace(window, verdict=Verdict.VALID, reasons=()) if cause == "portal" else replace(window, reasons=(settled,))


def _with_journeys(run: RunFacts, record: SettlementRecord) -> RunFacts:
    stands = {each.journey: standing(record, run.portal, each.journey) for each in run.unproven}
    against = tuple(each for each in run.unproven if stands[each.journey].cause == "portal")
    reasons = tuple(reason for journey, each in stands.items() for reason in each.reasons(journey))
    if not reasons:
        return run
    settled = replace(
        run,
        unproven=tuple(each for each in run.unproven if each not in against),
        settled_as_portal=against,
        reasons=(*run.reasons, *reasons),
    )
    loaded = any(window.stage in SCORED_STAGES for window in run.windows)
    if not settled.unproven and not loaded and run.verdict is Verdict.INSUFFICIENT:
        return replace(settled, verdict=Verdict.VALID)  # nothing could be loaded, and now it is known why
    return settled


def settlement_evidence(folder: SweepFolder, record: SettlementRecord, portal: str) -> tuple[Evidence, ...]:
    """The files that a settled portal's points depend on."""
    mine = [step for step in record.steps if step.portal == portal]
    attached = {step.attachment.file: step.attachment.sha256 for step in mine if step.attachment is not None}
    own = {SETTLEMENTS: digest(folder.path / SETTLEMENTS)} if mine else {}
    return tuple(Evidence(file, sha) for file, sha in {**own, **attached}.items())


def propose(
    folder: SweepFolder, portal: str, journey: str, cause: Cause, *, by: str, reason: str, attachment: Path | None = None
) -> SettlementStep:
    """Record a proposal; it takes the place of one that nobody has confirmed. Points do not change yet. ``journey``: or ``address_limit``.

    UsageError where there is nothing to propose, EvidenceError where the sweep has not ended.
    """
    record = _record_of_ended(folder, portal, journey)
    if not by.strip() or not reason.strip():
        lacking = "--by" if not by.strip() else "--reason"
        raise UsageError(Problem("command line", lacking, "empty", "who proposes it, and why", "Name a person and say what was found."))
    if cause not in (possible := _causes(journey)):
        expected = f"one of {', '.join(possible)} for {journey}"
        raise UsageError(Problem("command line", "--as", cause, expected, "Correct the cause, or name what it is to settle."))
    if standing(record, portal, journey).cause == cause:
        remedy = "Propose something else; `harness explain` shows where it stands."
        raise UsageError(Problem("command line", "--as", cause, f"another state of {portal} {journey}, which is that already", remedy))
    name = _named(folder, by, "evaluator")
    kept = None if attachment is None else keep_file(folder, "settlements", attachment)
    return _append(folder, record, SettlementStep("proposed", portal, journey, cause, name, _now(), reason.strip(), kept))


def confirm(folder: SweepFolder, portal: str, journey: str, *, by: str) -> SettlementStep:
    """Record the confirmation of the open proposal, by another person than the one who made it. Raises what ``propose`` raises."""
    record = _record_of_ended(folder, portal, journey)
    proposal = standing(record, portal, journey).open
    if proposal is None:
        raise UsageError(
            Problem("command line", "--confirm", f"nothing is proposed for {portal} {journey}", "an open proposal", "Propose with --as and --reason first.")
        )  # fmt: skip
    if not by.strip() or same_person(by, proposal.by):
        expected = f"the name of another person than {proposal.by}, who proposed it"
        raise UsageError(
            Problem("command line", "--by", by.strip() or "empty", expected, "Have a second person look at the evidence and confirm it.")
        )
    return _append(folder, record, SettlementStep("confirmed", portal, journey, proposal.cause, _named(folder, by, "confirmer"), _now()))


def _named(folder: SweepFolder, by: str, role: AgencyRole) -> str:
    """The name as the agency's names file has it; UsageError where it has no such person in this role. Without a file any name will do."""
    results = results_around(folder.path.parent)
    if (agency := agency_of(results)) is None:
        return by.strip()
    if problems := [*person_problems(agency, results / AGENCY_FILE, "--by", by, role)]:
        raise UsageError(*problems)
    return agency.entered(by)


def _require_not_final(folder: SweepFolder, portal: str) -> None:
    """Raise EvidenceError where the portal's scores are final: every step of a settlement changes its card."""
    found = publication_of(read_publication(folder), portal)
    if found.state == "final":
        remedy = f"Name the cause first: `harness publication {folder.path} reopened --portal {portal} --by NAME --confirmed-by NAME --reason CAUSE`."
        raise EvidenceError(Problem(str(folder.path), portal, f"final since {found.since_utc}", "scores that are not final", remedy))


def _record_of_ended(folder: SweepFolder, portal: str, journey: str) -> SettlementRecord:
    _require_ended(folder)
    _require_not_final(folder, portal)
    to_settle = {run.portal: _to_settle(run) for run in read_runs(folder)}
    if journey not in to_settle.get(portal, ()):
        named = "; ".join(f"{name}: {', '.join(names)}" for name, names in to_settle.items() if names) or "there is none"
        limited = any(ADDRESS_LIMIT in names for names in to_settle.values())
        expected = f"an unproven journey{f' or {ADDRESS_LIMIT}' if limited else ''} ({named})"
        remedy = "Only what a person has to decide is settled."
        raise UsageError(Problem(str(folder.path), "PORTAL JOURNEY", f"{portal} {journey}", expected, remedy))
    return read_settlements(folder)


def _to_settle(run: RunFacts) -> list[str]:
    """The unproven journeys of a run, and ``address_limit`` where a window has it."""
    limited = any(reason.code == ADDRESS_LIMIT for window in run.windows for reason in window.reasons)
    return [*_unproven(run), *([ADDRESS_LIMIT] if limited else [])]


def _unproven(run: RunFacts) -> list[str]:
    return [each.journey for each in run.unproven]


def _causes(journey: str) -> tuple[Cause, ...]:
    """What it can be settled as; the last one takes a settlement back."""
    return _CAUSES_OF_REFUSALS if journey == ADDRESS_LIMIT else _CAUSES_OF_JOURNEY


def _require_ended(folder: SweepFolder) -> None:
    """Raise EvidenceError while the sweep runs, and where it was cut off: later rounds may still have proven the journey."""
    require_not_measured(folder)
    runs = {run.portal: run for run in read_runs(folder)}
    sealed = set(folder.sealed_rounds())
    lacking = [
        round_.name
        for round_ in read_plan(folder.plan).rounds
        if round_.name not in sealed and any(_could_be_loaded(slot, runs[slot.portal]) for slot in round_.slots)
    ]
    if lacking:
        remedy = "Measure the portal again: a sweep that was cut off is not settled."
        raise EvidenceError(Problem(str(folder.path), "rounds", f"{', '.join(lacking)} not sealed", "all rounds of the plan", remedy))


def _could_be_loaded(slot: Slot, run: RunFacts) -> bool:
    """Whether a round that is not there can be one that was cut off: for refused portals and unproven journeys none is run."""
    journeys = frozenset().union(*(window.journeys for window in slot.windows))
    never_loaded = {*_unproven(run), *run.stopped_at_shared_host}
    return run.verdict not in {Verdict.BLOCKED, Verdict.UNREACHABLE} and not journeys <= never_loaded


def _append(folder: SweepFolder, record: SettlementRecord, step: SettlementStep) -> SettlementStep:
    write_json(folder.path / SETTLEMENTS, to_plain(replace(record, steps=(*record.steps, step))))
    attached = [folder.path / step.attachment.file] if step.attachment is not None else []
    enter_addenda(folder, "settle", [folder.path / SETTLEMENTS, *attached])
    return step


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

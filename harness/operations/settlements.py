"""Unproven journeys that two persons settle on the record: the portal is broken there, or our profile was out of date.

    settlements.json     every step in order: proposals and confirmations, with time, name, reason and attachment
    settlements/…        the attachments, for example what a person saw in a browser in the same hours

No step changes an earlier one. ``portal`` gives the journey's criteria zero points. ``profile`` leaves them without points: the
journey is measured again, in another sweep. ``unproven`` takes a settlement back, and needs two names as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

from harness.errors import EvidenceError, Problem, UsageError
from harness.evidence import Reason, RunFacts, SweepFolder, Verdict, read_runs
from harness.operations.locust_run import running_process
from harness.records import SCORED_STAGES, Slot, read_plan
from harness.records.files import digest, write_json, write_whole
from harness.records.plain import read_record, to_plain
from harness.scoring import Evidence

SETTLEMENTS: Final = "settlements.json"
Cause = Literal["portal", "profile", "unproven"]
CAUSES: Final[tuple[Cause, ...]] = ("portal", "profile", "unproven")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a proposal refers to; ``file`` is relative to the sweep's folder."""

    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class SettlementStep:
    """A proposal, or the confirmation of the proposal before it."""

    step: Literal["proposed", "confirmed"]
    portal: str
    journey: str
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
class JourneySettlement:
    """Where one journey of one portal stands."""

    cause: Cause = "unproven"
    names: tuple[str, ...] = ()  # who proposed and who confirmed that
    open: SettlementStep | None = None  # a proposal that nobody has confirmed

    def reasons(self, journey: str) -> tuple[Reason, ...]:
        """For the card."""
        settled = [Reason(f"settled_as_{self.cause}", f"{journey}: {' & '.join(self.names)}")] if self.cause != "unproven" else []
        proposed = [Reason("settlement_proposed", f"{journey}: {self.open.cause}, {self.open.by}")] if self.open is not None else []
        return (*settled, *proposed)


def read_settlements(folder: SweepFolder) -> SettlementRecord:
    """The steps so far; EvidenceError where the file or an attachment was changed."""
    path = folder.path / SETTLEMENTS
    record = read_record(SettlementRecord, path) if path.is_file() else SettlementRecord()
    for attached in (step.attachment for step in record.steps if step.attachment is not None):
        file = folder.path / attached.file
        found = digest(file) if file.is_file() else "no file"
        if found != attached.sha256:
            raise EvidenceError(Problem(str(file), "SHA-256", found, attached.sha256, "Restore the attachment from the archive."))
    return record


def standing(record: SettlementRecord, portal: str, journey: str) -> JourneySettlement:
    """Where a journey stands after all steps."""
    found = JourneySettlement()
    for each in record.steps:
        if (each.portal, each.journey) != (portal, journey):
            continue
        if each.step == "proposed":
            found = replace(found, open=each)
        elif found.open is not None:
            found = JourneySettlement(each.cause, (found.open.by, each.by))
    return found


def apply_settlements(run: RunFacts, record: SettlementRecord) -> RunFacts:
    """The run as settled: what counts against the portal is no longer unproven, and the card's reasons name the persons."""
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
    """Record a proposal; it takes the place of one that nobody has confirmed. Points do not change yet.

    UsageError where there is nothing to propose, EvidenceError where the sweep has not ended.
    """
    record = _record_of_ended(folder, portal, journey)
    if not by.strip() or not reason.strip():
        lacking = "--by" if not by.strip() else "--reason"
        raise UsageError(Problem("command line", lacking, "empty", "who proposes it, and why", "Name a person and say what was found."))
    if standing(record, portal, journey).cause == cause:
        remedy = "Propose something else; `harness explain` shows where it stands."
        raise UsageError(Problem("command line", "--as", cause, f"another state of {portal} {journey}, which is that already", remedy))
    return _append(
        folder, record, SettlementStep("proposed", portal, journey, cause, by.strip(), _now(), reason.strip(), _attach(folder, attachment))
    )


def confirm(folder: SweepFolder, portal: str, journey: str, *, by: str) -> SettlementStep:
    """Record the confirmation of the open proposal, by another person than the one who made it; errors as of ``propose``."""
    record = _record_of_ended(folder, portal, journey)
    proposal = standing(record, portal, journey).open
    if proposal is None:
        raise UsageError(
            Problem("command line", "--confirm", f"nothing is proposed for {portal} {journey}", "an open proposal", "Propose with --as and --reason first.")
        )  # fmt: skip
    if not by.strip() or _same_person(by, proposal.by):
        expected = f"the name of another person than {proposal.by}, who proposed it"
        raise UsageError(
            Problem("command line", "--by", by.strip() or "empty", expected, "Have a second person look at the evidence and confirm it.")
        )
    return _append(folder, record, SettlementStep("confirmed", portal, journey, proposal.cause, by.strip(), _now()))


def _record_of_ended(folder: SweepFolder, portal: str, journey: str) -> SettlementRecord:
    _require_ended(folder)
    unproven = {run.portal: [each.journey for each in run.unproven] for run in read_runs(folder)}
    if journey not in unproven.get(portal, ()):
        named = "; ".join(f"{name}: {', '.join(journeys)}" for name, journeys in unproven.items() if journeys) or "there is none"
        remedy = "Only what no lone walk got through is settled."
        raise UsageError(Problem(str(folder.path), "PORTAL JOURNEY", f"{portal} {journey}", f"an unproven journey ({named})", remedy))
    return read_settlements(folder)


def _require_ended(folder: SweepFolder) -> None:
    """Raise EvidenceError while the sweep runs, and where it was cut off: later rounds may still have proven the journey."""
    process = running_process(folder)
    if process is not None:
        found, remedy = f"process {process} still measures it", "Wait until it has ended."
        raise EvidenceError(Problem(str(folder.path), "sweep", found, "a sweep that has ended", remedy))
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
    journeys = {journey for window in slot.windows for journey in (*window.rates_per_s, *window.quota)}
    return run.verdict not in {Verdict.BLOCKED, Verdict.UNREACHABLE} and not journeys <= {each.journey for each in run.unproven}


def _same_person(one: str, other: str) -> bool:
    first, second = (" ".join(name.split()).casefold() for name in (one, other))
    return first == second


def _attach(folder: SweepFolder, path: Path | None) -> Attachment | None:
    """Copy a file beside the record, under a name that begins with its digest."""
    if path is None:
        return None
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(Problem("command line", "--attach", f"{path} ({error})", "a file that can be read", "Check the path.")) from error
    value = sha256(content).hexdigest()
    kept = folder.path / "settlements" / f"{value[:12]}-{path.name}"
    write_whole(kept, content)
    return Attachment(folder.relative(kept), value)


def _append(folder: SweepFolder, record: SettlementRecord, step: SettlementStep) -> SettlementStep:
    write_json(folder.path / SETTLEMENTS, to_plain(replace(record, steps=(*record.steps, step))))
    return step


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

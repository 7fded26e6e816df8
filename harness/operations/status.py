"""How far a sweep is: what is done, under way, void and left, and when it is expected to end. Read from its folder alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from harness.errors import EvidenceError
from harness.evidence import SweepFolder
from harness.evidence.filed_dossiers import read_filed_dossiers
from harness.evidence.reasons import Language
from harness.load.earlier_attempts import EarlierAttempts
from harness.operations.attempts import is_under_way
from harness.operations.locust_run import measuring
from harness.operations.portal_status import PortalStatus, portals_of
from harness.operations.timetable import expected_end, longest_make_up_s
from harness.publish.wording import phrase
from harness.records import RoundRecord, read_plan, read_round
from harness.records.sweep_journal import is_complete, last_attempt

UNDER_WAY, COMPLETE, CUT_OFF = "under way", "complete", "cut off"
SHOWN = 12
"""Portals that the text names; JSON has all."""


@dataclass(frozen=True, slots=True)
class RoundUnderWay:
    """A part of a round that has begun and is not sealed."""

    name: str
    began_utc: str
    stage: str
    portals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SweepStatus:
    """A sweep at one moment."""

    sweep: str
    state: str  # under way, complete or cut off
    attempt: int  # 0 where it has no journal
    process: int | None  # that measures now
    parts_planned: int
    parts_sealed: int
    parts_incomplete: int  # of the sealed ones: recovered after a crash
    parts_left: int
    under_way: tuple[RoundUnderWay, ...]
    portals: Mapping[str, PortalStatus]
    dossiers: int
    dossiers_not_withdrawn: int
    expected_end_utc: str | None  # of the plan's rounds; None where the sweep is not under way
    make_up_at_most_s: float  # of make-up windows after that end

    def lines(self, language: Language = "en") -> Iterator[str]:
        """The status as lines of text."""

        def words(key: str, *values: object) -> str:
            return phrase(f"status.{key}").into(language).format(*values)

        process = words("process", self.process) if self.process is not None else ""
        yield words("sweep", self.sweep, words(self.state), self.attempt, process)
        incomplete = words("incomplete", self.parts_incomplete) if self.parts_incomplete else ""
        yield words("rounds", self.parts_sealed, incomplete, self.parts_left, self.parts_planned)
        for each in self.under_way:
            stage = phrase(f"stage.{each.stage}").into(language)
            yield words("since" if self.state == UNDER_WAY else "began", each.name, stage, len(each.portals), each.began_utc)
        void = sum((Counter(portal.void) for portal in self.portals.values()), Counter[str]())
        causes = ", ".join(f"{phrase(f'cause.{code}').into(language)} {count}" for code, count in sorted(void.items()))
        measured, left = (sum(getattr(portal, name) for portal in self.portals.values()) for name in ("measured", "left"))
        yield words("windows", measured, void.total(), f" ({causes})" if causes else "", left)
        spoiled = [name for name, portal in self.portals.items() if portal.void]
        if spoiled:
            more = words("more", len(spoiled) - SHOWN) if len(spoiled) > SHOWN else ""
            yield words("spoiled", ", ".join(spoiled[:SHOWN]), more)
        for name, portal in self.portals.items():
            if portal.left_out:
                yield words("left_out", name, portal.left_out)
        yield words("dossiers", self.dossiers, self.dossiers_not_withdrawn)
        if self.expected_end_utc is not None:
            yield words("end", self.expected_end_utc, round(self.make_up_at_most_s / 60))
        elif self.state == CUT_OFF:
            yield words("resume")


def status_of(folder: SweepFolder, now: datetime | None = None) -> SweepStatus:
    """The status of a sweep; EvidenceError where its files cannot be read."""
    now = now or datetime.now(UTC)
    plan, rounds = read_plan(folder.plan), folder.rounds()
    process = measuring(folder)
    attempt = last_attempt(folder.journal)
    running = process is not None or is_under_way(folder)
    left = EarlierAttempts(plan, rounds).left_of_plan()
    ended = is_complete(folder.journal) if attempt is not None else not left  # evidence of an earlier version has no journal
    filed = read_filed_dossiers(folder)
    open_ = tuple(_under_way(folder, {round_.name for round_ in rounds}))
    begun = {record.name for record in open_}
    not_begun = [each for each in left if each.name not in begun]
    end = expected_end(plan, [*rounds, *open_], not_begun, now, attempt.at_utc if attempt is not None else "") if running else None
    return SweepStatus(
        sweep=plan.sweep,
        state=UNDER_WAY if running else COMPLETE if ended else CUT_OFF,
        attempt=attempt.attempt if attempt is not None else 0,
        process=process,
        parts_planned=len(plan.rounds),
        parts_sealed=len(rounds),
        parts_incomplete=sum(round_.incomplete for round_ in rounds),
        parts_left=len(left),
        under_way=tuple(map(_in_brief, open_)),
        portals=portals_of(plan, rounds, left, attempt.left_out if attempt is not None else {}),
        dossiers=len(filed.filed),
        dossiers_not_withdrawn=len(filed.not_withdrawn()),
        expected_end_utc=None if end is None else end.isoformat(timespec="minutes"),
        make_up_at_most_s=longest_make_up_s(plan) if plan.rounds else 0.0,
    )


def _under_way(folder: SweepFolder, sealed: Collection[str]) -> Iterator[RoundRecord]:
    for path in sorted((folder.path / "rounds").glob("round-*.planned.json")):
        with suppress(EvidenceError):  # it may be sealed at this moment
            record = read_round(path)
            if record.name not in sealed:
                yield record


def _in_brief(record: RoundRecord) -> RoundUnderWay:
    stage, portals = record.slots[0].windows[0].stage, tuple(slot.portal for slot in record.slots)
    return RoundUnderWay(record.name, record.began_utc, stage, portals)

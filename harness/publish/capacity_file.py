"""capacity.json: the levels of a search for a portal's capacity, and its answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from harness.evidence.folder import CAPACITY_JSON
from harness.records.files import write_json
from harness.records.plain import read_record, to_plain
from harness.scoring.capacity_search import CapacityAnswer, LevelPurpose, MeasuredLevel, RateCeiling, SearchSettings
from harness.scoring.level_figures import MissedLimit, StepAtLevel
from harness.scoring.littles_law import CitizensInFlight

SCHEMA = "capacity/1"


@dataclass(frozen=True, slots=True)
class LevelRecord:
    """One level of a search. Its evidence is the sweep in ``folder``, relative to that of the search."""

    folder: str
    rate_per_s: float  # visits
    purpose: LevelPurpose
    run_up_s: float  # arrivals before the hold, left out of all figures
    hold_s: float
    visits: int  # planned in the hold
    began_utc: str = ""  # of the hold
    void: str = ""  # the code of the reason and its figures, where the level is our fault
    stopped: str = ""  # the limit that ended its arrivals for the portal's sake
    missed: tuple[MissedLimit, ...] = ()
    steps: tuple[StepAtLevel, ...] = ()
    in_flight: CitizensInFlight | None = None
    turned_away: int = 0  # visits that found the ceiling of citizens in flight full
    needed_s: float = 0.0  # how long it has to be held for enough steps, at least; 0 where it has enough of them

    @property
    def measured(self) -> MeasuredLevel:
        """The level as the search sees it."""
        medians_s = {f"{each.journey}/{each.goal}/{each.step}": each.median_s for each in self.steps if each.median_s is not None}
        missed = tuple(each.limit for each in self.missed)
        return MeasuredLevel(self.rate_per_s, self.purpose, missed, self.void, self.stopped, medians_s)


@dataclass(frozen=True, slots=True)
class CapacityReport:
    """A search: what was asked, what was measured, and the answer, which is None until it has ended."""

    search: str  # the name of its folder
    portal: str
    name_vi: str
    name_en: str
    objective: str
    workload: str
    journeys: dict[str, float]  # share of the visits
    shortened: bool  # levels may be shorter than 60 s
    seed: int
    settings: SearchSettings
    ceiling: RateCeiling
    levels: tuple[LevelRecord, ...] = ()
    answer: CapacityAnswer | None = None
    ended: Literal["under way", "ended", "aborted"] = "under way"
    schema: str = field(default=SCHEMA)

    def stay_s(self, rate_per_s: float) -> float | None:
        """The mean whole stay of a visit at a rate, over its levels that count; None where none has one."""
        stays = [each.in_flight.stay_s for each in self.levels if each.rate_per_s == rate_per_s and each.in_flight and not each.void]
        return sum(stays) / len(stays) if stays else None

    def citizens(self, rate_per_s: float) -> float | None:
        """Citizens in flight at a rate, by Little's law."""
        stay_s = self.stay_s(rate_per_s)
        return None if stay_s is None else rate_per_s * stay_s


def write_capacity(folder: Path, report: CapacityReport) -> None:
    """Write the file, whole, also while the search is under way."""
    write_json(folder / CAPACITY_JSON, to_plain(report))


def read_capacity(folder: Path) -> CapacityReport:
    """The file in a search's folder; EvidenceError where it is missing or unreadable."""
    return read_record(CapacityReport, folder / CAPACITY_JSON)

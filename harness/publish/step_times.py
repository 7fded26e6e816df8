"""One portal's steps as charts show them: their distribution, their phases, and how far visits come. Times in seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from harness.publish.reduction import StepSummary, measured
from harness.records import PORTAL, VISIT_ROW, Outcome
from harness.scoring import Integers
from harness.scoring.scored_units import Part, Steps
from harness.statistics.percentile import Floats

PHASES: Final = ("wait", "dns", "connect", "tls", "server", "transfer", "polling", "shared")
"""Where the time of a step goes. For requests to the portal's own hosts: the wait until the request starts, DNS, connect, TLS, the time to the
first byte, the transfer, and the waits between polls. ``shared`` is the whole time of requests to shared hosts."""


@dataclass(frozen=True, slots=True)
class StepSpread:
    """How long one step takes. ``n`` executions were due; those that ended well took ``whole_s``."""

    part: Part
    n: int  # as scored: skipped steps, and visits that were turned away, included
    whole_s: Floats  # in order
    own_s: Floats  # in order: without the time at hosts that portals share

    @property
    def never(self) -> float:
        """The share that did not end well."""
        return 1 - len(self.whole_s) / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True)
class StepPhases:
    """The mean of each phase over the executions of one step that ended well; requests side by side count each."""

    part: Part
    n: int
    mean_s: Mapping[str, float]  # by phase, in the order of PHASES; phases that took no time are left out


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """How many visits of a journey began this step, and how many ended it well."""

    part: Part
    begun: int
    well: int


@dataclass(frozen=True, slots=True)
class Funnel:
    """How far the visits of one journey came."""

    journey: str
    planned: int
    begun: int
    well: int  # with every goal reached
    steps: tuple[FunnelStep, ...]


def step_spreads(steps: Steps, order: Sequence[StepSummary]) -> list[StepSpread]:
    """The distribution of each step, in the order given."""
    found = []
    for part in map(_part_of, order):
        if part not in steps.parts:
            continue
        here = steps.part == steps.parts.index(part)
        well = here & steps.ok
        whole, own = (np.sort(times[well]) / 1e6 for times in (steps.whole_us, steps.charged_us))
        found.append(StepSpread(part, int(here.sum()), whole, own))
    return found


def step_phases(rows: pd.DataFrame, order: Sequence[StepSummary]) -> list[StepPhases]:
    """The phases of each step, in the order given; steps of which no execution ended well are left out."""
    requests = measured(rows)
    requests = requests[(requests["request"] != VISIT_ROW) & (requests["outcome"] != Outcome.DROPPED)]
    if requests.empty:
        return []
    part, parts = _numbered(requests, "journey", "goal", "step")
    execution, _ = _numbered(requests.assign(part=part), "part", "visit", "attempt")
    ended_well = np.ones(execution.max() + 1, dtype=np.bool_)
    np.logical_and.at(ended_well, execution, (requests["outcome"] == Outcome.OK).to_numpy())
    chosen = ended_well[execution]
    counts = np.bincount(part[np.unique(execution, return_index=True)[1]][ended_well], minlength=len(parts))
    times = {name: np.bincount(part[chosen], seconds[chosen], len(parts)) for name, seconds in _phases(requests).items()}
    numbers = {each: number for number, each in enumerate(parts)}
    return [
        StepPhases(
            wanted, int(counts[number]), {name: float(times[name][number] / counts[number]) for name in PHASES if times[name][number] > 0}
        )
        for wanted in map(_part_of, order)
        if (number := numbers.get(wanted)) is not None and counts[number]
    ]


def funnels(rows: pd.DataFrame, steps: Steps, order: Sequence[StepSummary]) -> list[Funnel]:
    """How far visits came, by journey; a step that a visit does twice counts once."""
    visits = measured(rows)
    visits = visits[visits["request"] == VISIT_ROW]
    found = []
    for journey in dict.fromkeys(each.journey for each in order):
        mine = visits[visits["journey"] == journey]
        reached = tuple(_reached(steps, _part_of(each)) for each in order if each.journey == journey)
        well = int((mine["outcome"] == Outcome.OK).sum())
        found.append(Funnel(journey, len(mine), int((mine["start_us"] > 0).sum()), well, reached))
    return found


def _part_of(summary: StepSummary) -> Part:
    return summary.journey, summary.goal, summary.step


def _reached(steps: Steps, part: Part) -> FunnelStep:
    here = steps.part == steps.parts.index(part) if part in steps.parts else np.zeros(len(steps.part), dtype=np.bool_)
    begun, well = here & (steps.begin_us > 0), here & steps.ok
    return FunnelStep(part, len(np.unique(steps.visit[begun])), len(np.unique(steps.visit[well])))


def _numbered(rows: pd.DataFrame, *names: str) -> tuple[Integers, list[Part]]:
    """A number for each combination that occurs of some columns, and the combinations in the order of their numbers."""
    numbers = rows.groupby(list(names), observed=True, sort=False).ngroup().to_numpy(dtype=np.int64)
    firsts = rows.iloc[np.unique(numbers, return_index=True)[1]]
    return numbers, [(str(one), str(two), str(three)) for one, two, three in firsts[list(names)].itertuples(index=False)]


def _phases(requests: pd.DataFrame) -> dict[str, Floats]:
    """The phases of each request, in seconds."""
    due, start, first, end, dns, connect, tls, polling = (
        requests[f"{name}_us"].to_numpy(dtype=np.int64)
        for name in ("intended", "start", "first_byte", "end", "dns", "connect", "tls", "polling_wait")
    )
    own = (requests["host_owner"] == PORTAL).to_numpy()
    of_portal = {
        "wait": start - due, "dns": dns, "connect": connect, "tls": tls, "server": first - start - dns - connect - tls,
        "transfer": end - first, "polling": polling,
    }  # fmt: skip
    whole = end - due + polling
    return {name: np.where(own, us, 0).clip(min=0) / 1e6 for name, us in of_portal.items()} | {"shared": np.where(own, 0, whole) / 1e6}

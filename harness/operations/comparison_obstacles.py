"""What keeps two sweeps from being judged against each other, and the windows that the measurement itself spoiled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from harness.evidence import SweepFolder, Verdict, read_runs
from harness.records import SCORED_STAGES, PlannedWindow, read_plan
from harness.scoring import Comparison, SweepScores
from harness.scoring.named_change import Obstacle, VoidWindows, WhyNotJudged
from harness.scoring.release_stops import rows_of


def obstacles(found: Comparison, paths: Sequence[Path], scores: Sequence[SweepScores]) -> Iterator[Obstacle]:
    """Why two sweeps, or one of their portals, cannot be judged. ``paths``: a folder or a scores.json each; ``scores``: of the compared portals."""
    before, after = scores
    if before.is_same_sweep_as(after):
        yield Obstacle("", WhyNotJudged.SAME_SWEEP, after.sweep)
    if not found.changes and not found.steps:
        yield Obstacle("", WhyNotJudged.NOTHING)
    elif not all((path / "plan.json").is_file() for path in paths):
        yield Obstacle("", WhyNotJudged.UNKNOWN_LOAD)
    compared = {row.portal for row in rows_of(found)}
    yield from (Obstacle(portal, WhyNotJudged.UNLIKE_LOAD) for portal in unlike_loads(*paths) if portal in compared)
    if found.why_no_steps is None:
        valid, also = ({card.portal for card in each.scorecards if card.verdict is Verdict.VALID} for each in scores)
        stepped = {row.portal for row in rows_of(found) if not row.criterion}
        yield from (Obstacle(portal, WhyNotJudged.NO_ROWS) for portal in sorted((valid & also) - stepped))


def void_windows(paths: Sequence[Path], portals: Collection[str]) -> Iterator[VoidWindows]:
    """The portals with void windows in the folder of a sweep. A scores.json says nothing of windows that gave no points."""
    for path, is_later in zip(paths, (False, True), strict=True):
        for run in read_runs(SweepFolder(path)) if (path / "plan.json").is_file() else ():
            windows = [each for each in run.windows if each.stage in SCORED_STAGES]
            void = [each for each in windows if each.verdict is Verdict.VOID]
            if void and run.portal in portals:
                causes = Counter(code for each in void for code in dict.fromkeys(reason.code for reason in each.reasons))
                yield VoidWindows(run.portal, is_later, len(void), len(windows), tuple(causes.most_common()))


def unlike_loads(before: Path, after: Path) -> tuple[str, ...]:
    """The portals in the plans of both sweeps whose planned windows differ: what is slower under more load is not worse.

    Make-up windows and lone walks do not count. A scores.json has no plan, and says nothing of load.
    """
    one, other = (_planned_loads(path / "plan.json") for path in (before, after))
    return tuple(sorted(portal for portal in one.keys() & other.keys() if one[portal] != other[portal]))


def _planned_loads(path: Path) -> dict[str, list[PlannedWindow]]:
    """The windows of each portal, without their numbers and places in time."""
    found: dict[str, list[PlannedWindow]] = {}
    for slot in (slot for each in (read_plan(path).rounds if path.is_file() else ()) if not each.alone for slot in each.slots):
        windows = [
            replace(window, window=0, round=0, begin_s=0.0, first_serial=None) for window in slot.windows if window.make_up_of is None
        ]
        found[slot.portal] = sorted((*found.get(slot.portal, ()), *windows), key=repr)
    return found

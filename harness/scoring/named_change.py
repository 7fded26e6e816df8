"""What `compare` finds of two sweeps: each change with one word, and what could not be compared."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from harness.scoring.common_movement import CommonMovement
from harness.scoring.rule_changes import RuleChanges

FEW_PORTALS: Final = 6
"""Up to so many portals all rows are shown, and steps are compared without being asked for (assumed: with some 30 rows a portal, nobody reads more)."""

Ends = tuple[float | None, float | None]
"""The lower and the upper end of an interval; None where it is not finite."""


class ChangeWord(StrEnum):
    """What can be said of one figure of one portal."""

    WORSE = "worse"
    BETTER = "better"
    TINY = "detectable_but_tiny"  # significant, and below the minimum effect
    SPREAD_CHANGED = "spread_changed"  # the median held, the distribution within the windows did not
    NOT_SIGNIFICANT = "not_significant"
    CANNOT_TELL = "cannot_tell"  # with so few pairs of windows no change could be named


class WhyMissing(StrEnum):
    """Why something has no test."""

    NOT_BEFORE = "not in the earlier sweep"
    NOT_AFTER = "not in the later sweep"
    OTHER_CRITERION = "another criterion in the earlier sweep"
    NO_WINDOWS = "not assessed by windows in both"
    TOO_FEW_EXECUTIONS = "too few executions in each window"


class WhyNoSteps(StrEnum):
    """Why the steps of two sweeps were not compared."""

    NOT_ASKED_FOR = "not asked for"
    MANY_PORTALS = "many portals are compared"
    SCORES_ONLY = "a scores.json holds no rows"
    ROWS_REMOVED = "the rows of a sweep were removed"
    UNKNOWN_SET = "the criteria set is not in the catalog"
    UNKNOWN_PORTAL = "a portal is not in the catalog"


class WhyNotJudged(StrEnum):
    """Why a comparison says nothing of whether a portal, or any portal, is worse."""

    SAME_SWEEP = "both are one sweep"
    NOTHING = "nothing was compared"
    UNLIKE_LOAD = "loaded otherwise than before"
    UNKNOWN_LOAD = "not known for a scores.json alone"  # whether both sweeps loaded alike
    NO_ROWS = "not compared: one of the sweeps holds no rows of this portal"  # its steps


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps two sweeps, or one of their portals, from being judged against each other."""

    portal: str  # empty: all
    why: WhyNotJudged
    detail: str = ""  # of SAME_SWEEP its id


@dataclass(frozen=True, slots=True)
class VoidWindows:
    """The windows of a portal that one of the sweeps had to leave out by a fault of the measurement. Windows with points are compared alone."""

    portal: str
    is_later: bool  # in the sweep after
    void: int
    windows: int  # of the scored stages, make-up windows among them
    causes: tuple[tuple[str, int], ...]  # code of the reason, and windows that have it; the most frequent first


@dataclass(frozen=True, slots=True)
class ChangeLimits:
    """The limits that a change must reach to be named; all are assumed, and docs/statistics.md gives the reasons."""

    false_discovery_rate: float = 0.05
    ratio: float = 1.10  # of times and levels: 10 % slower, or the inverse
    percentage_points: float = 1.0  # of rates and server load
    apdex: float = 0.02
    spread: float = 1.25  # of p90 / p50: the slow tenth stands a quarter further from the median, or the inverse


@dataclass(frozen=True, slots=True)
class SpreadChange:
    """The distribution of one step's times within its windows, before and after, as p90 / p50.

    ``before`` and ``after`` are the median windows'; None where p90 falls on a failure. ``effect`` is the median ratio of the pairs.
    """

    before: float | None
    after: float | None
    effect: float | None
    interval: Ends
    pairs: int
    p_value: float
    adjusted_p_value: float
    wider: bool  # the direction of the effect
    named: bool  # significant, and at least the minimum effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One figure of one portal, before and after: of a criterion, or else of a step.

    ``before`` and ``after`` are values in the metric's unit; None where censored. ``effect`` is the median over the pairs, without what
    comparable portals moved in common: a ratio after / before for times and levels, otherwise a difference; None where it is not finite
    because values are censored. ``interval`` is its sign-test interval.
    """

    portal: str
    criterion: str = ""  # empty for a step
    metric: str
    effect: float | None
    effect_kind: str  # ratio or difference
    interval: Ends
    pairs: int
    p_value: float
    adjusted_p_value: float
    worse: bool  # the direction of the effect
    named: bool  # significant, and at least the minimum effect
    word: ChangeWord
    before: float | None
    after: float | None
    fewest_pairs: int  # with fewer pairs this change alone cannot be named
    name_vi: str = ""  # of the criterion
    name_en: str = ""
    stage: str = ""  # of a step, like the next three
    journey: str = ""
    goal: str = ""
    step: str = ""
    spread: SpreadChange | None = None  # of a step's times, where windows have enough executions


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingValues:
    """A criterion or step of one portal that has no test, and why. ``before`` and ``after`` say what each sweep lacks; empty: nothing."""

    portal: str
    criterion: str = ""
    why: WhyMissing
    before: str = ""  # the reason on the card, as scores.json has it
    after: str = ""
    name_vi: str = ""
    name_en: str = ""
    stage: str = ""
    journey: str = ""
    goal: str = ""
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureMovement:
    """What the portals moved in common on a criterion, or on a figure of a step. It is taken out of the effects."""

    criterion: str = ""  # empty for a step
    metric: str
    movement: CommonMovement
    name_vi: str = ""  # of the criterion
    name_en: str = ""
    stage: str = ""  # of a step, like the next three
    journey: str = ""
    goal: str = ""
    step: str = ""


class OtherLoad(NamedTuple):
    """A stage of a portal for which the two sweeps planned different loads, in arrivals a second: a change may come from that."""

    portal: str
    stage: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """All changes, by criterion and portal and then by step, and whether the number of windows is large enough to name one."""

    changes: tuple[Change, ...]  # of criteria
    tests: int  # of criteria: the largest number of tests that one is adjusted for
    pairs: int  # of criteria: the smallest number of pairs in a test; 0 without tests
    fewest_pairs: int  # of criteria: with fewer pairs a change of a single portal cannot be named
    not_compared: tuple[tuple[str, str, str], ...]  # (portal, criterion, why)
    steps: tuple[Change, ...] = ()
    missing: tuple[MissingValues, ...] = ()  # criteria, as in not_compared, and steps
    why_no_steps: WhyNoSteps | None = None  # None where steps were compared
    movements: tuple[MeasureMovement, ...] = ()  # of criteria, then of steps
    other_loads: tuple[OtherLoad, ...] = ()  # known where steps were compared
    rule_changes: RuleChanges | None = None  # where the two were given out by other rules
    obstacles: tuple[Obstacle, ...] = ()
    void_windows: tuple[VoidWindows, ...] = ()  # known for folders

    @property
    def regressions(self) -> tuple[Change, ...]:
        """The named changes for the worse, of criteria, then of steps."""
        return self.of_word(ChangeWord.WORSE)

    @property
    def improvements(self) -> tuple[Change, ...]:
        """The named changes for the better, of criteria, then of steps."""
        return self.of_word(ChangeWord.BETTER)

    @property
    def undecided(self) -> tuple[Change, ...]:
        """What had too few windows for any answer."""
        return self.of_word(ChangeWord.CANNOT_TELL)

    def of_word(self, word: ChangeWord) -> tuple[Change, ...]:
        """The changes with a word, of criteria, then of steps."""
        return tuple(change for change in (*self.changes, *self.steps) if change.word is word)

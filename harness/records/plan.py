"""The plan of a sweep: rounds of slots. A slot is one portal's consecutive windows; the slots of a round begin together."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.errors import EvidenceError, Problem
from harness.origins import is_loopback
from harness.records.files import LARGEST_JSON_BYTES, read_at_most
from harness.records.permitted_hours import permitted_until_s
from harness.records.plain import from_plain, to_plain
from harness.records.step_keys import LONE

MOST_UNDER_WAY = 3
"""Parts of rounds at the same time: the one whose citizens arrive, and earlier ones that drain, are sealed or are checked (assumed)."""


def journeys_with_arrivals(rates_per_s: Mapping[str, float], quota: Mapping[str, int]) -> frozenset[str]:
    """The journeys with at least one planned visit."""
    return frozenset(journey for journey in {*rates_per_s, *quota} if rates_per_s.get(journey) or quota.get(journey))


@dataclass(frozen=True, slots=True)
class PlannedWindow:
    """One window of a slot; ``begin_s`` counts from the slot's start."""

    window: int  # unique within the run
    stage: str
    level: float
    begin_s: float
    duration_s: float
    rates_per_s: Mapping[str, float]  # usage, by journey
    quota: Mapping[str, int]  # further arrivals, an exact number, by journey
    curve: tuple[tuple[float, float], ...] = ()  # (share of the window, factor); constant where empty
    round: int = 0  # the round it belongs to; consecutive windows of one slot may belong to different ones
    make_up_of: int | None = None  # the window of the plan that it makes up for, at the end of the night
    first_serial: int | None = None  # of its first visit, if a later attempt measures it once more; otherwise by the plan

    @property
    def journeys(self) -> frozenset[str]:
        """The journeys that have arrivals in it."""
        return journeys_with_arrivals(self.rates_per_s, self.quota)

    def only(self, journeys: Collection[str]) -> PlannedWindow:
        """The window with the arrivals of these journeys alone."""
        return replace(
            self,
            rates_per_s={journey: rate for journey, rate in self.rates_per_s.items() if journey in journeys},
            quota={journey: count for journey, count in self.quota.items() if journey in journeys},
        )


@dataclass(frozen=True, slots=True)
class Slot:
    """One portal's part of a round."""

    portal: str
    run: str
    windows: tuple[PlannedWindow, ...]
    in_flight_ceiling: int

    @property
    def duration_s(self) -> float:
        """From the slot's start to its last window's end."""
        return max(window.begin_s + window.duration_s for window in self.windows)


@dataclass(frozen=True, slots=True)
class Round:
    """A part of a round: slots that begin together, no two on the same machines."""

    round: int
    slots: tuple[Slot, ...]
    part: int = 0

    @property
    def name(self) -> str:
        """Its name in files and tokens."""
        return f"{self.round:03d}-{self.part:02d}"

    @property
    def alone(self) -> bool:
        """Whether its citizens are alone at their portals."""
        return self.slots[0].windows[0].stage == LONE

    @property
    def duration_s(self) -> float:
        """From the first window's start to the last one's end."""
        return max(slot.duration_s for slot in self.slots)


@dataclass(frozen=True, slots=True)
class StopLimits:
    """Beyond any of these, over the last ``span_s`` seconds of one portal, its arrivals stop within one second.

    The defaults never stop anything: they are for embedded portals.
    """

    error_share: float = 1.0
    p95_ms: float = 1e9  # of a request: no more than one in twenty may take longer
    refused_share: float = 1.0  # 429 and 503
    span_s: float = 5.0
    min_requests: int = 50  # with fewer, no share is judged
    requests_per_s: float = 1e9  # mean over the span; more is the generator's fault, not the portal's
    failures_in_a_row: int = 0  # of requests, over any time, at small loads too; 0: no limit


WITHOUT_NUMBER: Mapping[str, str] = {
    "payment_sandbox": "payment_sandbox",
    "captcha_exemption": "captcha_exemption or payment_sandbox",
    "journeys": "to stand in journeys",
}
"""What an authorisation lacks where no larger number would help, by its key."""


@dataclass(frozen=True, slots=True)
class NotPermitted:
    """Load that an authorisation does not cover: it is left out, and the criteria that need it are not assessed."""

    limit: str  # a key of the authorisation
    allowed: float
    needed: float  # the number that would be enough
    stage: str = ""  # empty: all
    journey: str = ""  # empty: all

    @property
    def in_words(self) -> str:
        """What is missing, and how much would be enough."""
        where = " of ".join(part for part in (self.journey, self.stage) if part)
        if self.limit in WITHOUT_NUMBER:
            return f"{where} needs {WITHOUT_NUMBER[self.limit]}"
        return f"{where} needs {self.limit} {self.needed:g} instead of {self.allowed:g}"


@dataclass(frozen=True, slots=True)
class AbsentGoal:
    """A journey that is not walked at a portal, because the profile declares the goal that it is for absent."""

    journey: str
    goal: str

    def __str__(self) -> str:
        return f"journey {self.journey} without goal {self.goal}"


ABOVE_USAGE = 10.0
"""A load above so many times usage is flagged (assumed: ten days' citizens in one)."""


@dataclass(frozen=True, slots=True)
class TimesUsage:
    """The highest planned load of a journey in a scored window, beside usage; both in visits per second."""

    journey: str
    planned_per_s: float
    usage_per_s: float  # 0: there is no figure
    own: bool = False  # from the portal's own daily figures; else from the workload's

    @property
    def times(self) -> float | None:
        """How many times usage it is; None where there is no figure."""
        return self.planned_per_s / self.usage_per_s if self.usage_per_s else None

    @property
    def is_above(self) -> bool:
        """Whether it is above ``ABOVE_USAGE`` times usage, and so flagged."""
        return self.times is not None and self.times > ABOVE_USAGE

    def __str__(self) -> str:
        whose = "its own" if self.own else "the workload's"
        beside = "no usage figure" if self.times is None else f"{self.times:.1f} × {whose} usage"
        return f"{self.journey} {self.planned_per_s:.3f}/s ({beside})"


@dataclass(frozen=True, slots=True)
class Terms:
    """What an authorisation says besides limits of the load, as it stood when the plan was made. A key that it does not have is empty."""

    hours: tuple[str, ...] = ()  # of the day in Viet Nam, in which requests may be sent
    journeys: tuple[str, ...] = ()  # that may be walked
    source_addresses: tuple[str, ...] = ()  # networks that requests may come from
    contact: str = ""  # in the User-Agent of every request
    captcha_exemption: str = ""  # reference of the statement
    emc_exclusion: str = ""  # reference of the statement
    dossiers_max: int = 0  # in this sweep
    dossiers_per_night_max: int = 0
    dossiers_before: int = 0  # filed that night before this sweep

    @property
    def limits_dossiers(self) -> bool:
        """Whether dossiers are to be counted."""
        return bool(self.dossiers_max or self.dossiers_per_night_max)


@dataclass(frozen=True, slots=True)
class PathLimits:
    """When the path from us to the portals is doubted, as the criteria set says it (`path_doubt`)."""

    portals: int  # at least so many are needed, on hosts of their own
    share: float  # of them, that are hit at the same time
    windows: int  # other windows of the same stage that a window is compared with, at least
    slower: float  # than the median of these windows, as a factor
    added_ms: float  # and slower by at least so much
    unreached: float  # share of a window's visits that got no answer


@dataclass(frozen=True, slots=True)
class PlannedTarget:
    """Where one portal is reached in this sweep, and what is permitted there."""

    portal: str
    platform: str  # the profile to walk by
    origins: Mapping[str, str]  # role → origin
    authorisation: str = ""  # id of the written permission; empty for embedded portals
    safety: StopLimits = field(default_factory=StopLimits)
    in_flight_ceiling: int = 0  # citizens at once that the authorisation allows; 0: there is none
    valid_to_s: float = 0.0  # when the authorisation ends, in seconds since 1970; 0: there is none
    not_permitted: tuple[NotPermitted, ...] = ()
    vantage_point: str = ""  # where it is measured from
    shared_hosts: tuple[str, ...] | None = None  # origins that the criteria set lists as shared; None: it says nothing of such hosts
    hosting_group: str = ""  # portals that share machines are never loaded at the same time
    terms: Terms = field(default_factory=Terms)
    times_usage: tuple[TimesUsage, ...] = ()  # of an open workload, by journey
    absent_goals: tuple[AbsentGoal, ...] = ()  # journeys that its profile has no goal for; nobody walks them

    @property
    def is_on_this_machine(self) -> bool:
        """Whether nothing is sent elsewhere: an embedded portal, or hosts that can only mean this machine."""
        return all(is_loopback(origin) for origin in self.origins.values())

    def shares_machines_with(self, other: PlannedTarget) -> bool:
        """Whether load on one portal is load on the other: they are the same portal, in one hosting group, or at one origin."""
        group = bool(self.hosting_group) and self.hosting_group == other.hosting_group
        origin = self.origins.get("portal")
        return self.portal == other.portal or group or (origin is not None and origin == other.origins.get("portal"))

    def has_ended(self, moment_s: float) -> bool:
        """Whether the authorisation has ended at a moment (seconds since 1970)."""
        return bool(self.valid_to_s) and moment_s >= self.valid_to_s

    def why_closed(self, moment_s: float) -> str:
        """Why nothing may be sent there at a moment (seconds since 1970); empty where it may."""
        if self.has_ended(moment_s):
            return "the authorisation has ended"
        return "" if permitted_until_s(self.terms.hours, moment_s) is not None else "the permitted hours have ended"

    def fits(self, begin_s: float, duration_s: float) -> bool:
        """Whether the permitted hours go on for so long from a moment (seconds since 1970)."""
        until_s = permitted_until_s(self.terms.hours, begin_s)
        return until_s is not None and begin_s + duration_s <= until_s


@dataclass(frozen=True, slots=True)
class ThinkTime:
    """A log-normal think time, constant where ``sigma`` is 0, cut off at ``max_s``."""

    median_s: float
    sigma: float
    max_s: float
    basis: str = "assumed"


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the certificate of the last calibration says of this machine."""

    state: str  # valid, failed or none
    why: str = ""  # of none
    made_utc: str = ""
    sha256: str = ""
    largest_error_percent: float | None = None

    def facts(self) -> dict[str, str | float]:
        """The fields that are known, as plan and manifest show them."""
        return {name: value for name, value in to_plain(self).items() if value not in ("", None)}


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole sweep, as the master process is given it."""

    sweep: str
    seed: int
    arrivals: str  # poisson or constant
    workload: str
    targets: tuple[PlannedTarget, ...]
    rounds: tuple[Round, ...]
    timeout_s: float
    drain_s: float
    health: Mapping[str, float]
    results: str  # the sweep's folder
    night: str
    think: Mapping[str, ThinkTime] = field(default_factory=dict)
    lead_s: float = 2.0  # between the message that carries the slices and their common start
    calibration: Calibration | None = None  # None where no certificate was looked for
    shortened: bool = False
    assets: bool = False  # citizens also fetch what pages refer to
    traceparent: bool = False  # each visit's requests to the portal's own hosts name one trace
    patience_s: float = 0.0  # for the portal's answers to one visit in all; 0: without limit, as in plans before this key
    spare_windows: int = 0  # rounds at the end of the night, for windows that were void or missed
    maintenance_notice_h: float = 0.0  # of the criteria set: how long ahead maintenance is announced in time; 0: maintenance is scored
    second_address: str = ""  # of this machine, for the citizen who walks alone after a refusal under load; empty: the usual one
    per_portal: bool = False  # each portal has a load of its own: portals are not ranked
    journeys_not_chosen: tuple[str, ...] = ()  # of the workload, left out by whoever started the test in Locust
    criteria: str = ""  # the set that the sweep is measured for, by name or file; empty: the default set
    shared_lost_max: float | None = None  # a larger share of a journey's visits lost at shared hosts: the window is measured again
    path_doubt: PathLimits | None = None  # None: the path is never doubted, as in plans before this key
    simulator_control: str = ""  # address of the embedded portals' control API; empty for real portals

    def target(self, portal: str) -> PlannedTarget:
        """The target of one portal."""
        return next(target for target in self.targets if target.portal == portal)

    def may_overlap(self, one: Round, other: Round) -> bool:
        """Whether one of two rounds may begin while the other drains: neither is of lone citizens, and they share no machines."""
        targets = {target.portal: target for target in self.targets}
        return not (one.alone or other.alone) and not any(
            targets[slot.portal].shares_machines_with(targets[another.portal]) for slot in one.slots for another in other.slots
        )

    @property
    def journeys(self) -> frozenset[str]:
        """The journeys that the plan lets citizens walk at any portal."""
        return frozenset().union(*(self.journeys_at(target.portal) for target in self.targets))

    def journeys_at(self, portal: str) -> frozenset[str]:
        """The journeys that the plan lets citizens walk at a portal."""
        slots = (slot for each in self.rounds for slot in each.slots if slot.portal == portal)
        return frozenset(journey for slot in slots for window in slot.windows for journey in window.journeys)

    def to_json(self) -> str:
        """The plan as JSON, the same bytes for the same plan."""
        facts = {**to_plain(self), "calibration": self.calibration.facts() if self.calibration else {}}
        windows = [window for each in facts["rounds"] for slot in each["slots"] for window in slot["windows"]]
        later = [
            (facts, "assets"),
            (facts, "traceparent"),
            (facts, "journeys_not_chosen"),
            (facts, "spare_windows"),
            (facts, "patience_s"),
            (facts, "criteria"),
            (facts, "maintenance_notice_h"),
            (facts, "second_address"),
            *((window, "make_up_of") for window in windows),
        ]
        later += [(target["terms"], key) for target in facts["targets"] for key in list(target["terms"])]
        later += [
            (target, key)
            for target in facts["targets"]
            for key in ("not_permitted", "vantage_point", "hosting_group", "terms", "times_usage", "absent_goals")
        ]
        later += [(target["safety"], "failures_in_a_row") for target in facts["targets"]]
        for part, key in later:
            if not part[key]:
                del part[key]  # a plan without it has the same bytes as before the key existed
        for part, key in [(facts, "shared_lost_max"), (facts, "path_doubt"), *((target, "shared_hosts") for target in facts["targets"])]:
            if part[key] is None:
                del part[key]
        for window in windows:
            del window["first_serial"]  # no window of a plan is measured once more
        return json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True)


def run_id(portal: str, seed: int) -> str:
    """A run's name within its sweep. It has no date: randomness is keyed by it, and a later sweep has to repeat it."""
    return f"{portal}-seed{seed}"


def read_plan(path: Path) -> Plan:
    """A plan from its file; EvidenceError where there is none or it cannot be read."""
    try:
        facts = json.loads(read_at_most(path, LARGEST_JSON_BYTES))
        return from_plain(Plan, {**facts, "calibration": facts.get("calibration") or None} if isinstance(facts, dict) else facts)
    except FileNotFoundError:
        raise EvidenceError.missing(path, "the plan of a sweep", "Start sweeps with `harness sweep` or `harness run`.") from None
    except (ValueError, RecursionError, OSError) as error:
        raise EvidenceError(
            Problem(
                str(path),
                "plan",
                f"unreadable ({error})",
                "a plan that `harness` wrote",
                "Start the sweep anew; plans are not written by hand.",
            )
        ) from error

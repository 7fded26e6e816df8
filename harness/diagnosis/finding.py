"""What a diagnosis says of one portal: findings, each with its subject, figures, share, remedy and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

FindingCode = Literal[
    "refused_alone",  # even a lone citizen is refused
    "unreachable",
    "capacity_reached",  # visits are not served, and as many requests at once as the portal handles are known
    "not_served",  # visits are not served; how many requests at once the portal handles is not known
    "no_callback",  # the citizen paid, and the portal never hears of it
    "payment_refused",  # the payment platform says that payments failed
    "fails_with_session_age",
    "failing_step",
    "journey_stopped",  # not loaded, because no lone citizen got through
    "slows_at_level",  # from one level of load on
    "slows_gradually",  # over three levels or more
    "slows_under_load",  # compared with a lone citizen, or between two levels
    "slow_phase",  # DNS, connect, TLS or transfer
    "slow_step",
    "slow_host",  # one of the hosts that portals share, or one of the portal's own
    "slow_window",
    "slow_worker",
    "large_page",
    "slow_server",  # all steps alike, also for a lone citizen
    "server_part",  # application, database, cache …, by the answers' Server-Timing
    "nothing_stands_out",
    "too_few_rows",
    "load_unknown",  # whether time grows with load
    "level_unknown",  # from which level on it grows
    "server_parts_unknown",
    "late_requests",  # the generator sent requests late, so times are less certain
]  # fmt: skip
"""What was found; the last five say what the evidence cannot tell."""

Sureness = Literal["measured", "likely", "cannot_tell"]
"""``measured``: the figures say it. ``likely``: they fit, and other causes fit less well. ``cannot_tell``: figures are missing."""

ShareOf = Literal["", "time", "visits", "steps", "server"]
"""What a share is of.

``time``: the time from sending requests to the end of their answers, at all hosts. ``visits``: all visits.
``steps``: the attempts at the finding's step. ``server``: the server's time of the answers that carry Server-Timing."""

Variant = Literal["", "one", "idle", "levels", "uncompressed", "alone", "step", "void"]
"""Which of a code's statements fits: one request at once, idle time instead of age, two levels, no compression, a lone citizen too, one step only, void windows beside."""

Phase = Literal["connection_wait", "dns", "connect", "tls", "server", "transfer"]
"""A part of a request's time.

``connection_wait``: the request is due and not sent yet, because the generator is late or a browser's six connections are in use.
``server``: from the request sent to the first byte of its answer."""

Remedy = Literal[
    "", "let_measurement_in", "check_reachability", "add_capacity", "mend_callback", "ask_payment_platform", "lengthen_session",
    "look_at_failures", "free_generator", "check_dns", "check_network_path", "check_tls", "widen_line", "look_at_step", "ask_host_owner",
    "look_at_host", "look_at_logs", "check_worker", "shrink_page", "speed_up_server", "speed_up_part", "measure_again", "measure_levels",
    "send_server_timing",
]  # fmt: skip
"""What is to be done; the texts stand under "remedy." in the phrases."""


class FindingFigure(NamedTuple):
    """A measured figure of a finding. Units: s, %, B, visits/s, requests/s, times; empty for a count."""

    name: str
    value: float
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingSubject:
    """What a finding is about; the other fields are empty. A portal's texts stand here as they came, cut to 200 characters."""

    journey: str = ""
    goal: str = ""
    step: str = ""
    path_template: str = ""  # the request of the step, as the profile writes its address
    host: str = ""  # an origin
    host_owner: str = ""
    phase: Phase | Literal[""] = ""
    part: str = ""  # of the server, by its own name
    worker: str = ""
    stage: str = ""
    window: int | None = None
    minute_utc: str = ""  # ISO 8601, to the second: when what the finding is about began
    fault: str = ""  # the name that the profile gives the broken rule, or the outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that the evidence shows, or cannot show."""

    code: FindingCode
    sureness: Sureness
    variant: Variant = ""
    subject: FindingSubject = FindingSubject()
    figures: tuple[FindingFigure, ...] = ()
    share: float | None = None  # 0 to 1
    share_of: ShareOf = ""
    remedy: Remedy = ""

    def figure(self, name: str) -> float | None:
        """The value of a figure, None where the finding has none of this name."""
        return next((each.value for each in self.figures if each.name == name), None)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The findings of one portal, the one that matters most first; there is at least one."""

    portal: str
    findings: tuple[Finding, ...]

    @property
    def main(self) -> Finding:
        """The finding that the conclusion names."""
        return self.findings[0]

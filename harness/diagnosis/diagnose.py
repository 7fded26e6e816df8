"""One portal's diagnosis: all rules, and the order in which their findings matter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np

from harness.diagnosis.failed_visits import failing_steps, session_age, stopped_journeys, unconfirmed_payments, unserved_visits
from harness.diagnosis.finding import Diagnosis, Finding, FindingFigure, FindingSubject
from harness.diagnosis.limits import LEAST_REQUESTS
from harness.diagnosis.load_growth import growth, growth_findings
from harness.diagnosis.moments import slow_moment, slow_worker
from harness.diagnosis.portal_rows import DiagnosedRows, observe
from harness.diagnosis.server_parts import server_parts
from harness.diagnosis.step_attempts import attempts_at_steps
from harness.diagnosis.time_taken import Encodings, large_page, large_pages, late_requests, slow_host, slow_phases, slow_server, slow_step
from harness.evidence.facts import RunFacts, Verdict
from harness.evidence.window_verdict import OF_THE_MACHINE
from harness.records import SCORED_STAGES, FailureCount, Outcome
from harness.scoring import Scorecard

_OF_THE_SERVER = frozenset({"capacity_reached", "slows_at_level", "slows_gradually", "slows_under_load", "slow_step", "slow_server"})
"""Findings whose remedy depends on what the server spends its time on."""


@dataclass(frozen=True, slots=True)
class EvidenceBeside:
    """What a run's evidence has besides rows and facts. The two functions are asked only where a finding needs them."""

    failures: Mapping[int, Sequence[FailureCount]] = field(default_factory=dict)  # by window, as its record has them
    encodings: Callable[[], Encodings] = dict  # of a lone citizen's answers, where they were kept
    server_timings: Callable[[], Any] = lambda: None  # a pyarrow Table of metrics with the columns of their rows, or None


def diagnose(rows: Any, facts: RunFacts, card: Scorecard, beside: EvidenceBeside | None = None) -> Diagnosis:
    """What stands out at one portal, and what the evidence cannot tell.

    ``rows``: a pyarrow Table with DIAGNOSED_COLUMNS, or None where the run has none.
    """
    return Diagnosis(facts.portal, tuple(_findings(rows, facts, card, beside or EvidenceBeside())))


def _findings(rows: Any, facts: RunFacts, card: Scorecard, beside: EvidenceBeside) -> Iterator[Finding]:
    if card.verdict is Verdict.BLOCKED:
        yield Finding(code="refused_alone", sureness="measured", remedy="let_measurement_in")
        return
    if card.verdict is Verdict.UNREACHABLE:
        yield Finding(code="unreachable", sureness="measured", remedy="check_reachability")
        return
    observed = observe(rows, facts) if rows is not None else None
    requests = 0 if observed is None else len(observed.loaded)
    told = requests if observed is None else requests + int(observed.visits.ended(Outcome.NOT_SERVED).sum())
    if observed is not None and requests and told >= LEAST_REQUESTS:
        yield from _in_order(observed, card, beside)
        return
    if observed is not None and told >= LEAST_REQUESTS:  # everybody was turned away
        yield from unserved_visits(observed, None)
    yield from stopped_journeys(facts, beside.failures)
    figures = (FindingFigure("requests", requests), FindingFigure("needed", LEAST_REQUESTS))
    yield Finding(code="too_few_rows", sureness="cannot_tell", figures=figures, remedy="measure_again")


def _in_order(observed: DiagnosedRows, card: Scorecard, beside: EvidenceBeside) -> Iterator[Finding]:
    """Failures, then times, each with the largest share first; then a server that is slow everywhere, and what the evidence cannot tell."""
    grown = growth(observed)
    of_load = list(growth_findings(grown))
    unserved = list(unserved_visits(observed, grown))
    failures = [each for window in observed.windows for each in beside.failures.get(window, ())]
    stopped = stopped_journeys(observed.facts, beside.failures)
    failing = [*unserved, *stopped, *_largest_first(_failures(observed, failures, overloaded=bool(unserved)))]
    large = large_pages(observed)
    slow = _largest_first(
        chain(
            (each for each in of_load if each.sureness != "cannot_tell"),
            slow_phases(observed, large),
            slow_step(observed),
            slow_host(observed),
            large_page(observed, large, beside.encodings() if large.any() else {}),
            slow_moment(observed),
            slow_worker(observed),
        )
    )
    unknown = [each for each in of_load if each.sureness == "cannot_tell"]
    server = [] if any(each.remedy == "add_capacity" for each in (*failing, *slow)) else list(slow_server(observed, grown, card))
    of_server = [each for each in (*failing, *slow, *server) if each.code in _OF_THE_SERVER]
    parts = list(server_parts(beside.server_timings(), observed.facts, of_server[0])) if of_server else []
    unknown += late_requests(observed)
    unknown += [each for each in parts if each.sureness == "cannot_tell"]
    yield from failing
    yield from slow
    yield from server
    yield from (each for each in parts if each.sureness != "cannot_tell")
    if not failing and not slow and not server:
        yield _nothing(observed)
    yield from unknown


def _failures(observed: DiagnosedRows, failures: Sequence[FailureCount], *, overloaded: bool) -> Iterator[Finding]:
    """Why visits fail that the portal served. ``overloaded``: visits were not served, which also explains missing answers."""
    attempts = attempts_at_steps(observed)
    attempts = attempts[~attempts.unserved & ~(attempts.unanswered & overloaded)]
    explained = np.zeros(len(attempts), dtype=np.bool_)
    for each in unconfirmed_payments(attempts, failures):
        explained |= attempts.at(each.subject.step)
        yield each
    rest = attempts[~explained]
    for each in session_age(rest):
        explained |= ~attempts.at("log_in")
        yield each
    yield from failing_steps(observed, attempts, failures, explained)


def _largest_first(findings: Iterator[Finding] | Sequence[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda each: -(each.share or 0.0))


def _nothing(observed: DiagnosedRows) -> Finding:
    rows, visits = observed.loaded, observed.visits
    ours = visits.ended(Outcome.ABORTED, Outcome.DROPPED)  # cut off or left out by us: they neither failed nor ended well
    figures = (
        FindingFigure("server", float(np.median(rows.server[rows.own])) if rows.own.any() else 0.0, "s"),
        FindingFigure("failed_visits", int((~ours & ~visits.ended(Outcome.OK)).sum())),
        FindingFigure("visits", int((~ours).sum())),
    )
    scored = [window for window in observed.facts.windows if window.stage in SCORED_STAGES]
    void = [window for window in scored if window.verdict is Verdict.VOID]
    if not void:
        return Finding(code="nothing_stands_out", sureness="measured", subject=FindingSubject(), figures=figures)
    left_out = (FindingFigure("void", len(void)), FindingFigure("windows", len(scored)))
    of_machine = any(reason.code in OF_THE_MACHINE for window in void for reason in window.reasons)
    return Finding(
        code="nothing_stands_out",
        sureness="measured",
        variant="void",
        figures=(*figures, *left_out),
        remedy="free_generator" if of_machine else "",
    )

"""Why visits fail: not served, payments without a result, sessions that end, or one step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from harness.diagnosis.finding import Finding, FindingFigure, FindingSubject, Remedy, Variant
from harness.diagnosis.limits import LEAST_FAILED_SHARE, LEAST_FAILURES, SATURATED, SEPARATION, STANDS_OUT
from harness.diagnosis.load_growth import Growth
from harness.diagnosis.portal_rows import TEXT_LENGTH, DiagnosedRows, Seconds, at_own_hosts
from harness.diagnosis.step_attempts import StepAttempts
from harness.evidence.facts import RunFacts
from harness.records import OVERLOAD_STATUSES, FailureCount, Outcome
from harness.scoring.rows import Flags

CALLBACK_LOST, PAYMENT_FAILED = "callback_lost", "payment_failed"
"""What profiles call these rules."""
_REMEDIES_OF_RULES: Mapping[str, Remedy] = {
    CALLBACK_LOST: "mend_callback", PAYMENT_FAILED: "ask_payment_platform", "session_expired": "lengthen_session",
    "session_or_token_expired": "lengthen_session",
}  # fmt: skip
_MOST_STEPS = 3
"""The most failing steps that are named one by one (assumed: a page names the main ones; the table of failures has all)."""


def unserved_visits(observed: DiagnosedRows, grown: Growth | None) -> Iterator[Finding]:
    """Visits that were turned away, answered with 429 or 503 under load, or not answered in time while requests queued up.

    Visits that we turned away after a safety stop do not count if most failures before the stop were of another kind. That kind is the cause.
    """
    visits = observed.visits
    not_served = visits.ended(Outcome.NOT_SERVED)
    queued = grown is not None and grown.times >= SATURATED
    timed_out = visits.ended(Outcome.TIMEOUT) & queued
    if any(reason.code == "safety_stop" for reason in observed.facts.reasons):
        other = visits.begun & ~not_served & ~timed_out & ~visits.ended(Outcome.OK, Outcome.ABORTED, Outcome.DROPPED)
        if other.sum() > ((not_served & visits.begun) | timed_out).sum():
            not_served &= visits.begun
    away, late = int(not_served.sum()), int(timed_out.sum())
    unserved = away + late
    if unserved < _least(len(visits)):
        return
    seconds = sum(each.duration_s for each in observed.windows.values())
    figures = [FindingFigure("visits", len(visits)), FindingFigure("not_served", away), FindingFigure("timed_out", late)]
    figures.append(FindingFigure("arrivals_per_s", len(visits) / seconds, "visits/s"))
    figures.append(FindingFigure("served_per_s", int(visits.ended(Outcome.OK).sum()) / seconds, "visits/s"))
    found = Finding(
        code="not_served",
        sureness="measured",
        figures=tuple(figures),
        share=unserved / len(visits),
        share_of="visits",
        remedy="add_capacity",
    )
    at_once = _requests_at_once(observed, grown, seconds)
    if at_once is None:
        yield found
        return
    variant: Variant = "one" if at_once < 1.5 else ""
    figures.append(FindingFigure("requests_at_once", at_once))
    yield replace(found, code="capacity_reached", sureness="likely", variant=variant, figures=tuple(figures))


def _requests_at_once(observed: DiagnosedRows, grown: Growth | None, seconds: float) -> float | None:
    """How many requests the portal works on at once, by Little's law: answers a second times the time of one answer without a queue.

    The time without a queue is a lone citizen's. None where there is none, and where times under load show no queue.
    """
    if grown is None or not grown.compared_with_alone or grown.times < SATURATED:
        return None
    alone = grown.reference.median
    each_s = np.nan_to_num(alone, nan=float(np.nanmedian(alone[at_own_hosts(observed)])))
    rows, visits = observed.under_way, observed.visits
    answered = rows.own & (rows.status > 0) & ~np.isin(rows.status, list(OVERLOAD_STATUSES))
    busy_s = 0.0
    for number, facts in observed.windows.items():
        for worker in np.unique(visits.worker[visits.window == number]):
            begin = visits.due[(visits.window == number) & (visits.worker == worker)].min()
            inside = answered & (rows.worker == worker) & (rows.end >= begin) & (rows.end < begin + facts.duration_s)
            busy_s += float(each_s[rows.place[inside]].sum())
    return busy_s / seconds or None


def unconfirmed_payments(attempts: StepAttempts, failures: Sequence[FailureCount]) -> Iterator[Finding]:
    """Payments that the portal never heard of, and payments that failed by the platform's own word."""
    confirming = attempts[attempts.at("confirm_payment")]
    named = Counter[str]()
    for each in failures:
        named[each.means] += each.count
    begun = len(confirming)
    if begun and (failed := named[PAYMENT_FAILED]) >= _least(begun):
        yield _of_payments(failed, begun, Finding(code="payment_refused", sureness="measured", remedy="ask_payment_platform"))
    lost, unanswered, elsewhere = (
        named[CALLBACK_LOST],
        int(confirming.unanswered.sum()),
        attempts.unanswered[~attempts.at("confirm_payment")],
    )
    if len(elsewhere) and unanswered < STANDS_OUT * begun * elsewhere.mean():
        unanswered = 0  # other steps go unanswered as often
    if begun and lost + unanswered >= _least(begun):
        yield _of_payments(
            lost + unanswered, begun, Finding(code="no_callback", sureness="likely" if unanswered else "measured", remedy="mend_callback")
        )


def _of_payments(count: int, begun: int, found: Finding) -> Finding:
    figures = (FindingFigure("payments", begun), FindingFigure("failed", count))
    subject = FindingSubject(goal="pay", step="confirm_payment")
    return replace(found, subject=subject, figures=figures, share=min(count / begun, 1.0), share_of="steps")


def session_age(attempts: StepAttempts) -> Iterator[Finding]:
    """Steps that succeed early in a session, and fail once the session has lasted, or been idle, for some time."""
    in_session, age = _in_session(attempts)
    failed = in_session.failed
    if int(failed.sum()) < LEAST_FAILURES:
        return
    failing = np.isin(in_session.step, np.unique(in_session.step[failed]))
    found = [(_cut(measure, failed, failing), measure, variant) for measure, variant in ((age, ""), (in_session.idle, "idle"))]
    (j, cut), measure, variant = max(found, key=lambda each: each[0][0])
    after = measure >= cut
    if j < SEPARATION or failed[after].mean() < 0.5:
        return
    visits = len(np.unique(attempts.visit))
    figures = (
        FindingFigure("age", cut, "s"),
        FindingFigure("failed_after", int(failed[after].sum())),
        FindingFigure("steps_after", int(after.sum())),
        FindingFigure("failed_before", int(failed[~after].sum())),
        FindingFigure("steps_before", int((~after).sum())),
    )
    share = len(np.unique(in_session.visit[failed & after])) / visits
    if share >= LEAST_FAILED_SHARE:
        chosen: Literal["", "idle"] = "idle" if variant else ""
        yield Finding(
            code="fails_with_session_age", sureness="likely", variant=chosen, figures=figures, share=share, share_of="visits",
            remedy="lengthen_session",
        )  # fmt: skip


def _in_session(attempts: StepAttempts) -> tuple[StepAttempts, Seconds]:
    """The later steps of each session at the portal's hosts, and the session's age at each; it begins at the login, or else at the first step."""
    _, visit = np.unique(attempts.visit, return_inverse=True)
    began = np.full(int(visit.max(initial=-1)) + 1, np.inf)
    np.minimum.at(began, visit, attempts.begin)
    login = attempts.at("log_in") & ~attempts.failed
    began[visit[login]] = attempts.end[login]
    age = attempts.begin - began[visit]
    chosen = (age > 0) & attempts.own & ~attempts.at("log_in", "track")
    return attempts[chosen], age[chosen]


def _cut(measure: Seconds, failed: Flags, failing: Flags) -> tuple[float, float]:
    """The largest Youden's J over all thresholds of ``measure``, and its threshold.

    Only attempts at steps that fail at all (``failing``) count. Otherwise the threshold would only tell these steps from the others.
    """
    measure, failed = measure[failing], failed[failing]
    good = int((~failed).sum())
    if good < LEAST_FAILURES:
        return 0.0, 0.0
    order = np.argsort(measure)
    failed = failed[order]
    before = np.append(0, np.cumsum(failed)) / failed.sum(), np.append(0, np.cumsum(~failed)) / good
    j = before[1] - before[0]
    best = int(np.argmax(j[:-1]))
    return float(j[best]), float(measure[order][best])


def failing_steps(observed: DiagnosedRows, attempts: StepAttempts, failures: Sequence[FailureCount], explained: Flags) -> Iterator[Finding]:
    """Steps that fail often, for reasons that no other finding names; those with the most failures first."""
    chosen = attempts.failed & ~explained
    counts, begun = (np.bincount(attempts.step[flags], minlength=len(attempts.steps)) for flags in (chosen, chosen | True))
    for number in np.argsort(-counts, kind="stable")[:_MOST_STEPS]:
        count, of = int(counts[number]), int(begun[number])
        if count < _least(of):
            continue
        here = chosen & (attempts.step == number)
        place = observed.places[Counter(attempts.place[here].tolist()).most_common(1)[0][0]]
        kinds = Counter[str]()
        for each in failures:
            if (each.goal, each.step) == attempts.steps[number]:
                kinds[each.means or each.outcome] += each.count
        outcome = Counter(attempts.outcome[here].tolist()).most_common(1)[0][0]
        fault = kinds.most_common(1)[0][0] if kinds else observed.outcomes[outcome]
        subject = replace(place.subject, fault=fault[:TEXT_LENGTH])
        figures = (FindingFigure("failed", count), FindingFigure("attempts", of))
        yield Finding(
            code="failing_step", sureness="measured", subject=subject, figures=figures, share=count / of, share_of="steps",
            remedy=_REMEDIES_OF_RULES.get(fault, "look_at_failures"),
        )  # fmt: skip


def stopped_journeys(facts: RunFacts, failures: Mapping[int, Sequence[FailureCount]]) -> Iterator[Finding]:
    """Journeys that were not loaded, because no lone citizen got through; with the name of the rule that stopped the lone walks."""
    for journey in facts.unproven:
        kinds = Counter[str]()
        for each in (failure for of_window in failures.values() for failure in of_window):
            if (each.journey, each.goal, each.step) == (journey.journey, journey.goal, journey.step):
                kinds[each.means or each.outcome] += each.count
        fault = kinds.most_common(1)[0][0] if kinds else journey.outcome
        subject = FindingSubject(journey=journey.journey, goal=journey.goal, step=journey.step, fault=fault[:TEXT_LENGTH])
        remedy = _REMEDIES_OF_RULES.get(fault, "look_at_failures")
        figures = (FindingFigure("tries", journey.tries),)
        yield Finding(code="journey_stopped", sureness="measured", subject=subject, figures=figures, remedy=remedy)


def _least(of: int) -> float:
    return max(LEAST_FAILURES, LEAST_FAILED_SHARE * of)

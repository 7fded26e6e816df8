"""The verdict on a run, which comes before any score; whose fault a failure is decides it.

A run is blocked or unreachable only if every lone walk before the load was refused. A journey is unproven if all of its lone
walks were stopped by something that no rule explains: it was not loaded, and nobody is blamed yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from harness.evidence.facts import Reason, RunFacts, SharedHostFailure, UnprovenJourney, Verdict, WindowFacts
from harness.evidence.folder import SweepFolder
from harness.evidence.path_doubt import Doubts, doubted_windows, unreachable_together
from harness.evidence.window_verdict import began_utc, judge_window, lost_in_words, only_our_address, refused_in_words
from harness.load.make_up import MeasuredWindow
from harness.records import (
    LONE,
    SCORED_STAGES,
    LoneWalk,
    Met,
    Plan,
    RoundRecord,
    SlotRecord,
    WindowRecord,
    admit,
    read_plan,
    run_id,
    unreadable_by_all,
)
from harness.records.sweep_journal import read_journal


def read_runs(folder: SweepFolder) -> tuple[RunFacts, ...]:
    """Every run of a sweep, judged, in the order of portal ids; reads plan.json, the sealed rounds and the journal."""
    plan, rounds = read_plan(folder.plan), folder.rounds()
    portals = {slot.portal for round_ in plan.rounds for slot in round_.slots} | {target.portal for target in plan.targets}
    doubts = doubted_windows(plan, rounds)
    runs = (judge_run(plan, rounds, portal, doubts) for portal in sorted(portals))
    left_out = {
        portal: Reason("left_out", f"attempt {line.attempt}: {why}")
        for line in read_journal(folder.journal)
        for portal, why in line.left_out.items()
    }
    return tuple(replace(run, reasons=(*run.reasons, left_out[run.portal])) if run.portal in left_out else run for run in runs)


def judge_run(plan: Plan, rounds: Sequence[RoundRecord], portal: str, doubts: Doubts | None = None) -> RunFacts:
    """One portal's run from the facts of the sealed rounds. ``doubts``: what ``doubted_windows`` found in them, where it is known."""
    doubts = doubted_windows(plan, rounds) if doubts is None else doubts
    mine = [(round_, slot) for round_ in rounds for slot in round_.slots if slot.portal == portal]
    ours_before = not unreadable_by_all(failure for _, slot in mine for window in slot.windows for failure in window.failures)
    windows = [
        judge_window(
            plan,
            round_,
            slot,
            window,
            unreadable_is_ours=ours_before and not round_.second_parser,
            rechecks=_rechecks(rounds, round_, portal),
            doubt=doubts.get((portal, window.window), ""),
        )
        for round_, slot in mine
        for window in slot.windows
    ]
    refusal, stopped = _of_lone_walks(rounds, portal)
    unproven = tuple(_unproven(walks) for walks in stopped if walks[-1].met not in {Met.OUR_FILES, Met.SHARED_HOST})
    elsewhere = tuple(walks[-1].journey for walks in stopped if walks[-1].met is Met.SHARED_HOST)
    verdict, reasons = _of_run(windows, refusal, stopped, closed=any(round_.closed for round_ in rounds))
    reasons += tuple(_of_refusals_under_load(rounds, portal))
    reasons += tuple(Reason("shared_failure", said) for said in _shared_failures_in_words(mine))
    if refusal == Verdict.UNREACHABLE and unreachable_together(plan, rounds, portal):
        verdict, reasons = Verdict.INSUFFICIENT, (Reason("path_doubt", "lone walks"),)
    reasons += tuple(
        Reason("path_doubt", f"round {window.round}, window {window.window}: {reason.detail}")
        for window in windows
        for reason in window.reasons
        if reason.code == "path_doubt"
    )
    stops = [f"round {round_.round}: {round_.safety_stops[portal]}" for round_ in rounds if portal in round_.safety_stops]
    reasons += tuple(Reason("safety_stop", stop) for stop in stops)
    without = [round_ for round_ in rounds if portal in round_.held_back and not any(slot.portal == portal for slot in round_.slots)]
    reasons += tuple(Reason("outside_hours", f"round {round_.round}: {round_.held_back[portal]}") for round_ in without)
    lacking = next((target.not_permitted for target in plan.targets if target.portal == portal), ())
    reasons += tuple(Reason("not_permitted", each.in_words) for each in lacking)
    reasons += tuple(Reason("journey_not_chosen", journey) for journey in plan.journeys_not_chosen)
    absent = next((target.absent_goals for target in plan.targets if target.portal == portal), ())
    run, ceiling = (mine[-1][1].run, mine[-1][1].in_flight_ceiling) if mine else (run_id(portal, plan.seed), 0)
    return RunFacts(
        plan.sweep, run, portal, verdict, reasons, tuple(windows), plan.timeout_s, ceiling, unproven, lacking,
        stopped_at_shared_host=elsewhere, shared_failures=tuple(_shared_failures(rounds, portal)),
        journeys_not_chosen=plan.journeys_not_chosen, absent_goals=absent,
    )  # fmt: skip


NOT_CURED_BY_ANOTHER_WINDOW = frozenset({"beyond_authorisation", "calibration_failed", "our_own_files"})
"""Reasons that would void a make-up window too. Test data that a portal refused is not one: another visit has other data."""


Spans = Mapping[str, Sequence[tuple[datetime, datetime]]]
"""By portal: spans of time, each with its beginning and end."""

NO_SPANS: Spans = MappingProxyType({})


def measured_windows(plan: Plan, rounds: Sequence[RoundRecord], maintenance: Spans = NO_SPANS) -> tuple[MeasuredWindow, ...]:
    """The windows of loaded rounds, and which of them a make-up window may replace; ``maintenance`` is what is not scored and over."""
    found, doubts = [], doubted_windows(plan, rounds)
    for portal in dict.fromkeys(slot.portal for round_ in rounds for slot in round_.slots):
        records = [window for round_ in rounds for slot in round_.slots if slot.portal == portal for window in slot.windows]
        for window, facts in zip(records, judge_run(plan, rounds, portal, doubts).windows, strict=True):
            if window.stage != LONE:
                planned = window.window if window.make_up_of is None else window.make_up_of
                in_maintenance = facts.verdict is not Verdict.VOID and _lies_in(facts, maintenance.get(portal, ()))
                again = in_maintenance or _may_be_cured(window, facts)
                found.append(MeasuredWindow(portal, window.window, planned, window.journeys, again))
    return tuple(found)


def _lies_in(window: WindowFacts, spans: Sequence[tuple[datetime, datetime]]) -> bool:
    began = datetime.fromisoformat(window.began_utc)
    return any(began < end and begin < began + timedelta(seconds=window.duration_s) for begin, end in spans)


def _may_be_cured(window: WindowRecord, facts: WindowFacts) -> bool:
    """Whether another window may be spared what spoiled this one."""
    codes = {reason.code for reason in facts.reasons}
    if window.counts.get("refused_as_ours", 0) == window.counts.get("visits_dropped", 0):
        codes.discard("our_own_files")  # each dropped visit had an answer that a rule with `blame: ours` named
    return bool(codes & {"shared_failure", "path_doubt"}) or (facts.verdict is Verdict.VOID and not codes & NOT_CURED_BY_ANOTHER_WINDOW)


def _rechecks(rounds: Sequence[RoundRecord], loaded: RoundRecord, portal: str) -> list[LoneWalk]:
    """The walks of a lone citizen who checked a portal after a loaded round, without those that a shared host stopped."""
    walks = (walk for round_ in rounds if round_.checks == loaded.name for walk in round_.lone_walks if walk.portal == portal)
    return [walk for walk in walks if walk.met is not Met.SHARED_HOST]


def _shared_failures_in_words(mine: Sequence[tuple[RoundRecord, SlotRecord]]) -> Iterator[str]:
    """What shared hosts cost each window under load."""
    for round_, slot in mine:
        for window in slot.windows:
            if window.stage != LONE and window.shared_failures:
                yield f"round {round_.round}, window {window.window}: {lost_in_words(window)}"


def _shared_failures(rounds: Sequence[RoundRecord], portal: str) -> Iterator[SharedHostFailure]:
    for round_ in rounds:
        for window in (window for slot in round_.slots if slot.portal == portal for window in slot.windows):
            for each in window.shared_failures:
                yield SharedHostFailure(each.host, each.owner, began_utc(round_, window), each.lost)


def _of_refusals_under_load(rounds: Sequence[RoundRecord], portal: str) -> Iterator[Reason]:
    """What a portal refused under load, window by window: by a limit on our address, or to everybody, which is scored."""
    for round_ in rounds:
        walks = _rechecks(rounds, round_, portal)
        for window in (
            window for slot in round_.slots if slot.portal == portal for window in slot.windows if window.refuses_many and walks
        ):
            code = "address_limit" if only_our_address(window, walks) else "refused_under_load"
            yield Reason(code, f"round {round_.round}, window {window.window}: {refused_in_words(window)}")


def _of_lone_walks(rounds: Sequence[RoundRecord], portal: str) -> tuple[str, tuple[tuple[LoneWalk, ...], ...]]:
    """blocked, unreachable or nothing, and the walks of journeys that were not loaded. Earlier evidence has refusals alone."""
    walks = [walk for walk in lone_walks_of(rounds) if walk.portal == portal]
    if not walks:
        return next((round_.refusals[portal] for round_ in reversed(rounds) if portal in round_.refusals), ""), ()
    admission = admit(walks)
    return admission.refused, () if admission.refused else admission.stopped


def lone_walks_of(rounds: Sequence[RoundRecord]) -> Iterator[LoneWalk]:
    """The lone walks before the load, in the order in which they took place: a later attempt may repeat an early round."""
    for round_ in sorted((each for each in rounds if not each.checks), key=lambda each: each.began_utc):
        yield from round_.lone_walks


def _unproven(walks: Sequence[LoneWalk]) -> UnprovenJourney:
    last = walks[-1]
    page = next((walk.page for walk in reversed(walks) if walk.page and walk.rule == last.rule), "")
    return UnprovenJourney(last.journey, last.goal, last.step, last.outcome, last.rule, page, len(walks))


def _of_run(
    windows: list[WindowFacts], refusal: str, stopped: Sequence[Sequence[LoneWalk]], *, closed: bool
) -> tuple[Verdict, tuple[Reason, ...]]:
    if refusal:
        code = "lone_citizen_refused" if refusal == Verdict.BLOCKED else "lone_citizen_cannot_connect"
        return Verdict(refusal), (Reason(code),)
    if closed:
        return Verdict.INSUFFICIENT, (Reason("closed_workload"),)
    left_out = tuple(_why_left_out(walks) for walks in stopped)
    scored = [window for window in windows if window.stage in SCORED_STAGES]
    if not scored:
        ours = bool(left_out) and all(reason.code == "our_own_files" for reason in left_out)
        return Verdict.VOID if ours else Verdict.INSUFFICIENT, left_out or (Reason("no_windows"),)
    if all(window.verdict is Verdict.VOID for window in scored):
        causes = sorted({reason.code for window in scored for reason in window.reasons})
        return Verdict.VOID, (Reason("all_windows_void", ", ".join(causes)), *left_out)
    return Verdict.VALID if any(window.verdict is Verdict.VALID for window in scored) else Verdict.INSUFFICIENT, left_out


def _why_left_out(walks: Sequence[LoneWalk]) -> Reason:
    """Why a journey was not loaded."""
    if walks[-1].met is Met.OUR_FILES:
        return Reason("our_own_files", f"{walks[-1].journey}: {walks[-1].step}, {walks[-1].rule}")
    if walks[-1].met is Met.SHARED_HOST:
        return Reason("shared_failure", f"{_in_words(_unproven(walks))}; {walks[-1].owner}, {walks[-1].host}")
    return Reason("journey_unproven", _in_words(_unproven(walks)))


def _in_words(journey: UnprovenJourney) -> str:
    place = "/".join(filter(None, (journey.goal, journey.step)))
    found = ", ".join(filter(None, (place, journey.outcome, journey.rule, journey.page)))
    return f"{journey.journey}: {found}; {journey.tries} lone walks"

"""The steps of a visit: conditions and repetitions, requests in order, polls and bearer tokens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.origins import origin_of
from harness.pages.page import Page
from harness.pages.values import MissingValueError
from harness.profiles.executable import CompiledBearer, CompiledGoal, CompiledRepeat, CompiledRequest, CompiledStep
from harness.profiles.expectation import Broken, Expectation
from harness.profiles.our_fault import OurFaultError
from harness.profiles.template import Value
from harness.records import Outcome
from harness.visits.actor import Actor
from harness.visits.assets import fetch_assets
from harness.visits.blanking import blank, blank_page
from harness.visits.receipt_keeping import note_acknowledged
from harness.visits.recording import record_unanswered
from harness.visits.sending import Sending, SendResult
from harness.visits.state import RequestPlace, StepFailed, VisitState
from harness.visits.timing import monotonic_us, take_due_us, think


def walk_step(state: VisitState, step: CompiledStep) -> None:
    """Take a step, as often as the profile says, or not at all; raises StepFailed."""
    try:
        _take_step(state, step)
    except (MissingValueError, OurFaultError) as error:  # between requests; those of a request are judged with it
        outcome = Outcome.DROPPED if isinstance(error, OurFaultError) else Outcome.EXTRACTION
        place = RequestPlace(step.goal, step.step, max(state.attempts.get((step.goal, step.step), 0), 1))
        raise fail_between(state, outcome, place, str(error)) from None


def give(state: VisitState, goal: CompiledGoal) -> dict[str, Any]:
    """What the citizen has learned at the end of a goal; raises StepFailed."""
    last = goal.steps[-1]
    place = RequestPlace(last.goal, last.step, state.attempts.get((last.goal, last.step), 1), len(last.requests))
    try:
        return {name: value(state.scope) for name, value in goal.gives}
    except (MissingValueError, OurFaultError) as error:
        outcome = Outcome.DROPPED if isinstance(error, OurFaultError) else Outcome.EXTRACTION
        raise fail_between(state, outcome, place, str(error)) from None


def _take_step(state: VisitState, step: CompiledStep) -> None:
    if step.once and any(done == step.step for _, done in state.attempts):
        return
    if not _wanted(state, step.only_if, step.skip_if):
        state.passed_over.add((step.goal, step.step))
        return
    state.place = RequestPlace(step.goal, step.step, state.attempts.get((step.goal, step.step), 0) + 1)
    if step.think is not None:
        think(state, step.think)
    actor = _actor(state, step.actor)
    if step.fresh:
        actor.begin_anew()
    for _ in _times(state, step.repeat):
        _attempt(state, actor, step)
    state.place = None


def fail_between(
    state: VisitState, outcome: Outcome, place: RequestPlace, detail: str, page: Page | None = None, broken: Broken | None = None
) -> StepFailed:
    """A failure between requests, after ``page`` where one was waited for; it has a row of its own, so that the step is not ok."""
    place.intended_us = take_due_us(state, 0)
    host, status = (origin_of(page.url), page.status) if page is not None else ("", 0)
    record_unanswered(state, place, outcome, monotonic_us(), host=host, status=status)
    shown = blank(state, detail)
    if broken is None:
        return StepFailed(outcome, place.goal, place.step, shown, page=page, rule=shown)
    rule = shown.replace(f"{broken.means}: ", "", 1) if broken.means else shown
    seen = broken.seen(lambda text: blank_page(state, text))
    return StepFailed(outcome, place.goal, place.step, shown + seen, page=page, means=broken.means, rule=rule)


def _actor(state: VisitState, name: str) -> Actor:
    """The actor of a name, made with a browser of its own when it first acts."""
    actor = state.actors.pop(name, None) or Actor(name, state.callbacks.new_session())
    state.actors[name] = actor
    return actor


def _attempt(state: VisitState, actor: Actor, step: CompiledStep) -> None:
    """Send the requests of a step, each as often as the profile says."""
    key = (step.goal, step.step)
    attempt = state.attempts[key] = state.attempts.get(key, 0) + 1
    state.place = place = RequestPlace(step.goal, step.step, attempt)
    for request in step.requests:
        if _wanted(state, request.only_if, request.skip_if):
            for _ in _times(state, request.repeat):
                _do(state, actor, request, place)


def _do(state: VisitState, actor: Actor, request: CompiledRequest, place: RequestPlace) -> None:
    """Send a request once, with all that belongs to it; ``place`` moves on to the next request of the step."""
    result = _send(state, actor, request, place) if request.poll is None else _poll(state, actor, request, place)
    if request.assets and state.with_assets:
        fetch_assets(state, actor, result.page, place)
    place.next_request()
    note_acknowledged(state, request, place)


def _poll(state: VisitState, actor: Actor, request: CompiledRequest, place: RequestPlace) -> SendResult:
    """Send a request until its answer is what the profile waits for."""
    poll = request.poll
    assert poll is not None
    began_us = state.last_end_us or monotonic_us()
    while True:
        result = _send(state, actor, request, place, poll.until)
        if result.waiting_for is None:
            return result
        place.next_request(poll.every_us)
        if state.last_end_us + poll.every_us - began_us > poll.limit_us:
            detail = f"not within {poll.limit_us / 1e6:g} s: {result.waiting_for}"
            outcome = Outcome.DROPPED if result.waiting_for.ours else Outcome.WRONG_CONTENT
            raise fail_between(state, outcome, place, detail, actor.page, result.waiting_for)
        state.callbacks.sleep(max((state.last_end_us + poll.every_us - monotonic_us()) / 1e6, 0.0))


def _send(state: VisitState, actor: Actor, request: CompiledRequest, place: RequestPlace, until: Expectation | None = None) -> SendResult:
    """Send a request. Renew its bearer token first if it is about to expire; if it is refused, renew it and send once more."""
    if request.bearer is None:
        return Sending(state, actor, request, place).run(until)
    bearer = state.platform.bearers[request.bearer]
    if not _is_stale(state, bearer, request.bearer):
        result = Sending(state, actor, request, place).run(until, bearer.refused)
        if not result.refused:
            return result
        place.next_request()
    for renewal in bearer.renew:
        Sending(state, actor, renewal, place).run()
        place.next_request()
    return Sending(state, actor, request, place).run(until)


def _is_stale(state: VisitState, bearer: CompiledBearer, name: str) -> bool:
    """Whether a token is not known yet, or is about to expire."""
    learned_us = state.tokens_learned_us.get(name)
    if learned_us is None:
        return True
    if bearer.expires_in_s is None:
        return False
    lifetime = bearer.expires_in_s(state.scope)
    try:
        lifetime_us = round(float(lifetime) * 1e6)
    except (TypeError, ValueError, OverflowError):
        raise MissingValueError(f"{lifetime!r:.80} is no number of seconds until the token expires") from None
    return monotonic_us() > learned_us + lifetime_us - bearer.margin_us


def _wanted(state: VisitState, only_if: Value | None, skip_if: Value | None) -> bool:
    return (only_if is None or _truth(state, only_if)) and (skip_if is None or not _truth(state, skip_if))


def _truth(state: VisitState, condition: Value) -> bool:
    """The value of a condition; a name that is not known makes it false."""
    try:
        value = condition(state.scope)
    except MissingValueError:
        return False
    return bool(value) and value not in ("0", "false")


def _times(state: VisitState, repeat: CompiledRepeat | None) -> Iterator[None]:
    if repeat is None:
        yield
        return
    items = repeat.over(state.scope) if repeat.over is not None else range(1, repeat.times + 1)
    if not isinstance(items, list | tuple | range):
        raise MissingValueError(f"a request is repeated over {items!r:.80}, which is no list")
    for item in items:
        state.scope[repeat.item] = item
        yield

"""A visit: one citizen walking one journey once, goal by goal."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from harness.catalog import Target
from harness.client import LeanSession
from harness.origins import origin_of
from harness.profiles.executable import CompiledPlatform
from harness.profiles.functions import VisitContext
from harness.profiles.our_fault import GivenValues
from harness.profiles.template import CONTEXT
from harness.records import PORTAL, Outcome, Sample
from harness.records.permitted_hours import VIETNAM
from harness.records.server_timing import ServerTiming
from harness.statistics.trace_context import traceparent
from harness.visits.actor import Actor
from harness.visits.flow import give, walk_step
from harness.visits.observer import Observer
from harness.visits.patience import Patience
from harness.visits.person import Person, synthetic_person
from harness.visits.receipts import Receipt
from harness.visits.recording import record_end, record_unanswered
from harness.visits.state import Callbacks, RequestPlace, StepFailed, VisitState
from harness.visits.timing import monotonic_us, think


class Visit:
    """One citizen on one journey; see ``perform``, ``think`` and ``finish``.

    - ``intended_us``: the intended arrival. ``on_time`` delays the first request until then if it is ready sooner.
    - ``think``: draws a think time in seconds, by its name. ``sleep`` waits for it.
    - ``record``: is called with the row of every request.
    - ``server_timing``: is called with what a server says of its own time, just before the row of that answer.
    - ``acknowledge``: is called with what the portal acknowledges, before the visit goes on.
    - ``failed``: is called with a step that fails.
    - ``stop_if_cut``: is called before each request, not before its redirects; what it raises ends the visit there.
    - ``may_follow``: is asked before each redirect; where it says no, the redirect is not sent, and the step fails.
    - ``serial``: the number of the visit in its run without gaps, by default ``visit``. A distinct pool gives it the row of
      that number.
    - ``patience``: how long the visit waits for answers in all.
    - ``with_assets``: the visit also fetches what pages refer to, if their requests say so.
    - ``alone``: no other citizen is at the portal.
    - ``traced``: requests to the portal's own hosts name the visit's trace.
    - ``sweep``: its name; every request then says in a header which visit it belongs to.
    """

    def __init__(
        self,
        compiled: CompiledPlatform,
        target: Target,
        *,
        journey: str,
        goals: tuple[str, ...],
        visit: int,
        seed: int,
        run: str,
        session_factory: Callable[[], LeanSession],
        record: Callable[[Sample], None],
        intended_us: int,
        think: Callable[[str], float],
        sleep: Callable[[float], None],
        on_time: Callable[[int], None] | None = None,
        observer: Observer | None = None,
        acknowledge: Callable[[Receipt], None] | None = None,
        failed: Callable[[VisitState, StepFailed], None] | None = None,
        with_assets: bool = False,
        serial: int | None = None,
        patience: Patience | None = None,
        stop_if_cut: Callable[[], None] | None = None,
        may_follow: Callable[[], bool] | None = None,
        server_timing: Callable[[ServerTiming], None] | None = None,
        alone: bool = False,
        sweep: str = "",
        traced: bool = False,
    ) -> None:
        actors: dict[str, Actor] = {}
        context = VisitContext(
            seed, run, visit, visit if serial is None else serial, sweep or str(time.time_ns()), compiled.pools, target.secret,
            lambda name: _cookie(actors, target, name), lambda: datetime.now(VIETNAM),
        )  # fmt: skip
        person = _person(target, seed, run, visit)
        scope = {
            CONTEXT: context,
            "origin": GivenValues(target.origins, f"hosts of {target.portal}"),
            "person": GivenValues(person.values, "values of `person`"),
            "portal": target.portal,
            "run": run,
            "visit": visit,
            "journey": journey,
        }
        callbacks = Callbacks(session_factory, record, think, sleep, on_time, observer, acknowledge, stop_if_cut, may_follow, server_timing)
        self.state = VisitState(
            compiled, target, journey, goals, visit, person, context, scope, callbacks, with_assets, alone, actors, intended_us, monotonic_us(),
            patience=patience, sweep=sweep, traceparent=traceparent(seed, sweep, run, visit) if traced else "",
        )  # fmt: skip
        self._failed = failed
        self._outcome: Outcome | None = None

    def begin(self) -> None:
        """The citizen arrives, now or at the intended arrival, whichever is later."""
        self.state.began_us = max(monotonic_us(), self.state.intended_us)

    def perform(self, goal: str, **inputs: Any) -> Mapping[str, Any]:
        """Pursue a goal and answer what it gives; raises StepFailed at its first failure.

        A goal that was reached inside another one answers what was learned there. A goal that the platform lacks answers
        nothing.
        """
        state = self.state
        if goal in state.given_inside:
            return state.given_inside[goal]
        compiled = state.platform.goals.get(goal)
        if compiled is None:
            return {}
        for name, value in inputs.items():
            state.scope[name] = value[name] if isinstance(value, Mapping) and name in value else value
        try:
            for step in compiled.steps:
                walk_step(state, step)
            given = give(state, compiled)
        except StepFailed as failure:
            state.failure = state.failure or failure
            if self._failed is not None:
                self._failed(state, failure)
            raise
        state.reached.update((goal, *compiled.inside))
        for inner, outputs in compiled.inside.items():
            state.given_inside[inner] = {name: given[name] for name in outputs}
        return given

    def think(self, name: str = "default") -> None:
        """Pause as a citizen does; the next step is due when the drawn time has passed since the end of the last one."""
        think(self.state, name)

    def finish(self, *, aborted: bool = False) -> Outcome:
        """Record what was not reached and the row that closes the visit; a second call changes nothing."""
        if self._outcome is not None:
            return self._outcome
        state, now_us = self.state, monotonic_us()
        if state.in_flight is not None:
            place, request, start_us = state.in_flight
            host = origin_of(request.url)
            record_unanswered(state, place, Outcome.ABORTED, now_us, start_us=start_us, method=request.method, host=host)
            state.in_flight, aborted = None, True
        elif aborted and state.failure is None:
            _record_cut(state, now_us)
        skipped = _record_skipped(state, now_us)
        if state.failure is not None:
            outcome = state.failure.outcome
        elif aborted:
            outcome = Outcome.ABORTED
        else:
            outcome = Outcome.SKIPPED if skipped else Outcome.OK
        self._outcome = outcome
        record_end(state, now_us if aborted else state.last_end_us or now_us, outcome)
        self.close()
        for actor in state.actors.values():
            actor.page = None  # parsed pages are large: free them now, not at the next garbage collection
        state.kept_pages.clear()
        return outcome

    def close(self) -> None:
        """Close every actor's connections; a goal that is pursued later opens new ones."""
        for actor in self.state.actors.values():
            actor.session.close()


def _not_begun(state: VisitState) -> list[tuple[str, str]]:
    """Goal and step of everything that was planned and never begun, in order."""
    return [
        step
        for step in state.platform.planned(state.goals)
        if step not in state.attempts and step not in state.passed_over and step[0] not in state.reached
    ]


def _record_cut(state: VisitState, now_us: int) -> None:
    """A row for the step at which the visit was cut off between requests: the one that it was taking, or the next."""
    place = state.place or next((RequestPlace(goal, step, 1) for goal, step in _not_begun(state)), None)
    if place is not None:
        record_unanswered(state, place, Outcome.ABORTED, now_us)
        state.attempts.setdefault((place.goal, place.step), place.attempt)


def _record_skipped(state: VisitState, now_us: int) -> bool:
    """Rows for the steps that were planned and never begun; answers whether there are any."""
    skipped = _not_begun(state)
    for goal, step in skipped:
        record_unanswered(state, RequestPlace(goal, step, 1), Outcome.SKIPPED, now_us)
    return bool(skipped)


def _cookie(actors: dict[str, Actor], target: Target, name: str) -> str | None:
    """A cookie of the actor who acted last, for its page."""
    actor = next(reversed(actors.values()), None)
    if actor is None:
        return None
    url = actor.page.url if actor.page is not None else target.origins[PORTAL]
    return actor.session.cookies_for(url).get(name)


def _person(target: Target, seed: int, run: str, visit: int) -> Person:
    """The citizen of the visit: synthetic, or with the number, name and password of a test identity."""
    person = synthetic_person(seed, run, visit)
    if not target.identities:
        return person
    return Person({**person.values, **target.identities[visit % len(target.identities)]})

"""Walking a step: its conditions and repetitions, its requests in order, polls and bearer tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from harness.pages.page import Page
from harness.pages.values import MissingValueError
from harness.profiles.expectation import Expectation
from harness.profiles.steps import CompiledBearer, CompiledRepeat, CompiledRequest, CompiledStep
from harness.profiles.template import Value
from harness.records import Outcome
from harness.visits.actor import Actor
from harness.visits.assets import fetch_assets
from harness.visits.failure import StepFailed
from harness.visits.rows import Turn
from harness.visits.sending import Sending

if TYPE_CHECKING:
    from harness.visits.visit import Visit


class StepWalker:
    """Takes the steps of one visit."""

    __slots__ = ("attempts", "passed_over", "visit")

    def __init__(self, visit: Visit) -> None:
        self.visit: Visit | None = visit  # None once it is over
        self.attempts: dict[tuple[str, str], int] = {}  # how often each step was begun
        self.passed_over: set[tuple[str, str]] = set()  # steps whose condition did not hold

    @property
    def _visit(self) -> Visit:
        assert self.visit is not None
        return self.visit

    def walk(self, step: CompiledStep) -> None:
        """Take a step, as often as the profile says, or not at all; raises StepFailed."""
        visit = self.visit
        assert visit is not None
        if step.once and any(done == step.step for _, done in self.attempts):
            return
        if (step.only_if is not None or step.skip_if is not None) and not self._wanted(step.only_if, step.skip_if):
            self.passed_over.add((step.goal, step.step))
            return
        if step.think is not None:
            visit.think(step.think)
        actor = visit.actor_of(step.actor)
        if step.fresh:
            actor.begin_anew()
        if step.repeat is None:
            self._take(visit, actor, step)
            return
        for _ in self._times(step.repeat, step):
            self._take(visit, actor, step)

    def _take(self, visit: Visit, actor: Actor, step: CompiledStep) -> None:
        """Do the requests of a step, each as often as the profile says."""
        key = (step.goal, step.step)
        attempt = self.attempts[key] = self.attempts.get(key, 0) + 1
        turn = Turn(step.goal, step.step, attempt)
        for request in step.requests:
            if self._wanted(request.only_if, request.skip_if):
                if request.repeat is None:
                    self._do(visit, actor, request, turn)
                else:
                    for _ in self._times(request.repeat, step):
                        self._do(visit, actor, request, turn)

    def _do(self, visit: Visit, actor: Actor, request: CompiledRequest, turn: Turn) -> None:
        """Do a request once, with all that may belong to it; ``turn`` moves on to the step's next one."""
        if request.poll is not None:
            self._poll(actor, request, turn)
        elif request.bearer is not None:
            self._send_with_bearer(actor, request, turn, None)
        else:
            page = Sending(visit, actor, request, turn).run()
            if request.assets and visit.with_assets and page is not None:
                fetch_assets(visit, actor, page, turn, visit.session_factory)
        turn.move_on()
        if request.receipt is not None or request.confirms is not None:
            visit.note(request, turn)

    def _poll(self, actor: Actor, request: CompiledRequest, turn: Turn) -> None:
        """Send a request until its answer is what the profile waits for."""
        poll = request.poll
        assert poll is not None
        began_us = self._visit.last_end_us or self._visit.clock()
        while True:
            if self._send_with_bearer(actor, request, turn, poll.until) is not None:
                return
            turn.move_on(poll.every_us)
            if self._visit.last_end_us + poll.every_us - began_us > poll.limit_us:
                waited_for = self._visit.not_yet
                detail = f"not within {poll.limit_us / 1e6:g} s: {waited_for}"
                raise self.fail_between(Outcome.WRONG_CONTENT, turn, detail, actor.page, waited_for.means if waited_for else "")
            self._visit.sleep(max((self._visit.last_end_us + poll.every_us - self._visit.clock()) / 1e6, 0.0))

    def _send_with_bearer(self, actor: Actor, request: CompiledRequest, turn: Turn, until: Expectation | None) -> Page | None:
        """Send a request, with a bearer token that is renewed when it has expired, or when it is refused once."""
        if request.bearer is None:
            return Sending(self._visit, actor, request, turn).run(until)
        bearer = self._visit.compiled.bearers[request.bearer]
        if self._is_stale(bearer, request.bearer):
            self._renew(actor, bearer, turn)
            return Sending(self._visit, actor, request, turn).run(until)
        page = Sending(self._visit, actor, request, turn).run(until, bearer.refused)
        if self._visit.last_status not in bearer.refused:
            return page
        turn.move_on()
        self._renew(actor, bearer, turn)
        return Sending(self._visit, actor, request, turn).run(until)

    def _is_stale(self, bearer: CompiledBearer, name: str) -> bool:
        """Whether a token is not known yet, or is about to expire."""
        visit = self._visit
        learned_us = visit.learned_us.get(name)
        if learned_us is None:
            return True
        if bearer.expires_in_s is None:
            return False
        return visit.clock() > learned_us + round(float(bearer.expires_in_s(visit.scope)) * 1e6) - bearer.margin_us

    def _renew(self, actor: Actor, bearer: CompiledBearer, turn: Turn) -> None:
        """Renew a bearer token within the step, with requests of its own."""
        for request in bearer.renew:
            Sending(self._visit, actor, request, turn).run()
            turn.move_on()

    def _wanted(self, only_if: Value | None, skip_if: Value | None) -> bool:
        if only_if is not None and not self._truth(only_if):
            return False
        return skip_if is None or not self._truth(skip_if)

    def _truth(self, condition: Value) -> bool:
        """A condition's value; what is not known is false."""
        try:
            value = condition(self._visit.scope)
        except MissingValueError:
            return False
        return bool(value) and value not in ("0", "false")

    def _times(self, repeat: CompiledRepeat, step: CompiledStep) -> Iterator[None]:
        try:
            items: Sequence[Any] = repeat.over(self._visit.scope) if repeat.over is not None else range(1, repeat.times + 1)
        except MissingValueError as error:
            turn = Turn(step.goal, step.step, self.attempts.get((step.goal, step.step), 0) + 1)
            raise self.fail_between(Outcome.EXTRACTION, turn, str(error), None) from None
        for item in items:
            self._visit.scope[repeat.item] = item
            yield

    def fail_between(self, outcome: Outcome, turn: Turn, detail: str, page: Page | None, means: str = "") -> StepFailed:
        """A failure that shows only between requests; it leaves a row of its own, so that the step is not ok."""
        turn.intended_us = self._visit.last_end_us
        self._visit.rows.unanswered(turn, outcome, self._visit.clock())
        shown = self._visit.blank(detail)
        rule = shown.replace(f"{means}: ", "", 1) if means else shown
        return StepFailed(outcome, turn.goal, turn.step, shown, page=page, means=means, rule=rule)

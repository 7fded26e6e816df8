"""A citizen: a Locust User who pursues goals, one visit after another."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar
from weakref import WeakKeyDictionary

import gevent
from locust import User, task
from locust.env import Environment
from locust.exception import StopUser

from harness.load.closed_run import NextVisit
from harness.load.portal_load import PortalLoad, VisitCut
from harness.records import Outcome
from harness.statistics.keyed import keyed_random
from harness.visits import StepFailed, Visit

Chosen = TypeVar("Chosen")
Learned = Mapping[str, Any]
Body = Callable[[Any], None]

_NEXT_VISITS: WeakKeyDictionary[Environment, Callable[[], NextVisit | None]] = WeakKeyDictionary()


def give_visits(environment: Environment, source: Callable[[], NextVisit | None]) -> None:
    """Set where citizens of a closed workload get their next visit; None ends them."""
    _NEXT_VISITS[environment] = source


def visit(body: Body) -> Body:
    """Marks the method that walks a journey once; for Locust it is a task.

    A step that fails ends the visit; its rows record that, and nothing is raised into Locust.
    """

    @functools.wraps(body)
    def walk(citizen: Citizen) -> None:
        citizen.walk_next(body)

    walk.body = body  # type: ignore[attr-defined]
    marked: Body = task(walk)
    return marked


def tags_of(walk: object) -> frozenset[str]:
    """The tags of a task, for Locust's -T and -E."""
    return frozenset(getattr(walk, "locust_tag_set", ()))


def _tagged(walk: Any, *tags: str) -> Body:
    """A task like ``walk`` with more tags; a class that inherits ``walk`` must not tag that of its base."""
    marked = visit(walk.body)
    marked.locust_tag_set = {*tags_of(walk), *tags}  # type: ignore[attr-defined]
    return marked


class Citizen(User):
    """Base of every journey; subclass it in ``scenarios/`` and mark one method with ``@visit``."""

    abstract = True
    goals: ClassVar[tuple[str, ...]] = ()
    """The goals of the journey, in order; steps that are not reached are recorded as skipped."""

    _visit: Visit
    _load: PortalLoad

    def __init_subclass__(cls) -> None:
        """Tag what walks the journey with its name and its goals, for Locust's -T and -E. Tags by Locust's ``@tag`` stay."""
        super().__init_subclass__()
        cls.tasks = [_tagged(task, cls.journey(), *cls.goals) if hasattr(task, "body") else task for task in cls.tasks]

    @classmethod
    def journey(cls) -> str:
        """The journey's name in rows and workloads: the class's name in lower case."""
        return cls.__name__.lower()

    @property
    def person(self) -> Any:
        """The synthetic person of this visit."""
        return self._visit.state.person

    def choose(self, items: Sequence[Chosen], purpose: str = "choice") -> Chosen:
        """One of ``items``, by the seed: a visit of the same number chooses the same."""
        load = self._load
        return keyed_random(load.seed, load.run, self._visit.state.visit, purpose).choice(items)

    def think(self, name: str = "default") -> None:
        """Pause for a think time of the workload; the next step is due when it ends."""
        self._visit.think(name)

    def find(self, keyword: str) -> Learned:
        """Search procedures and open one of those found."""
        return self._perform("find", keyword=keyword)

    def file(self, procedure: Learned, dossier: Any) -> Learned:
        """File a dossier for a procedure; the result holds the ``receipt``."""
        if not self._load.may_file():
            raise VisitCut
        return self._perform("file", procedure=procedure, dossier=dossier)

    def pay(self, receipt: Learned) -> Learned:
        """Pay the fee of a dossier; does nothing on platforms where paying is part of filing."""
        return self._perform("pay", **receipt)

    def track(self, receipt: Learned) -> Learned:
        """Look a dossier up by its receipt, without logging in."""
        return self._perform("track", **receipt)

    def _perform(self, goal: str, **inputs: Any) -> Learned:
        if self._load.cutting.is_set():
            raise VisitCut
        return self._visit.perform(goal, **inputs)

    def prepare(self, load: PortalLoad, number: int, window: int, intended_us: int) -> Citizen:
        """Prepare a visit, so that it begins without delay."""
        self._load = load
        self._visit = load.visit(self.journey(), self.goals, number, window, intended_us)
        return self

    def walk_once(self, body: Body) -> Outcome:
        """Walk the journey once and record it; answers how it ended."""
        load = self._load
        self._visit.begin()
        try:
            body(self)
        except StepFailed:
            return self._visit.finish()
        except (VisitCut, gevent.GreenletExit):
            return self._visit.finish(aborted=True)
        else:
            return self._visit.finish()
        finally:
            load.leave(self._visit)

    def walk_next(self, body: Body) -> None:
        """Walk the next visit of a closed workload, which Locust itself schedules."""
        given = _NEXT_VISITS[self.environment]()
        if given is None:
            raise StopUser
        self.prepare(*given)
        self._load.enter()
        self.walk_once(body)

    @classmethod
    def body(cls) -> Body:
        """The method that walks the journey."""
        for name in dir(cls):
            body = getattr(getattr(cls, name), "body", None)
            if callable(body) and hasattr(getattr(cls, name), "locust_task_weight"):
                return body  # type: ignore[no-any-return]
        raise TypeError(f"{cls.__name__} has no method marked @visit")

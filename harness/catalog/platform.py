"""Platforms: a family of portals that share pages and APIs, and how a citizen takes each step there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, PrivateAttr, model_validator

from harness.catalog.answer_rules import Expect, Statuses, Texts
from harness.catalog.ids import Name, PlainId
from harness.catalog.profile import Repeat, Request
from harness.catalog.profile_texts import ConditionTemplate, Css, HeaderName, Pattern, Plain, Template
from harness.catalog.reading import CatalogModel, Document, Key, Mistake, MistakesError
from harness.catalog.scalars import AnyValue
from harness.errors import did_you_mean

StepName = Literal[
    "search", "open_procedure", "hand_over", "log_in", "start_dossier", "fill_in", "attach", "quote_fee", "pay", "confirm_payment",
    "submit", "track", "withdraw",
]  # fmt: skip


class GoalContract(NamedTuple):
    """What a journey hands to a goal and gets back, on every platform alike."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


GOALS: Mapping[str, GoalContract] = {
    "find": GoalContract(("keyword",), ("procedure",)),
    "file": GoalContract(("procedure", "dossier"), ("receipt",)),
    "pay": GoalContract(("receipt",), ("payment",)),
    "track": GoalContract(("receipt",), ("status",)),
    "withdraw": GoalContract(("receipt", "dossier"), ("withdrawn",)),
}
"""The goals of the journeys, in the order in which a citizen comes to them."""


class Step(CatalogModel):
    """One named action within a goal: the scored unit."""

    step: StepName
    actor: Name = "citizen"
    goal: str | None = None  # reached inside another goal: payment within filing
    use: Name | None = None  # a flow of the platform, in place of requests of its own
    think: Plain | None = None  # the think time before it, drawn from the workload
    planned: bool | None = None  # counts as skipped when a visit ends before it; default: if it has no condition
    once: bool = False  # not repeated within a visit
    fresh: bool = False  # the actor begins as a new browser
    only_if: ConditionTemplate | None = None
    skip_if: ConditionTemplate | None = None
    repeat: Repeat | None = None
    requests: tuple[Request, ...] = ()

    @model_validator(mode="after")
    def _does_something(self) -> Step:
        if (self.use is None) == (not self.requests):
            raise ValueError("either `use`, the name of a flow, or `requests`")
        return self


class Goal(CatalogModel):
    """A part of a journey: its steps in this platform's order, and what the citizen has learned at its end."""

    steps: Annotated[tuple[Step, ...], Field(min_length=1)]
    gives: dict[Name, AnyValue] = Field(default_factory=dict)


class BlockRule(CatalogModel):
    """How a firewall, a challenge, a captcha or a maintenance page is recognised; all that is given must hold."""

    name: Plain
    status: Statuses = ()
    header: dict[Plain, Pattern] = Field(default_factory=dict)
    empty: bool = False  # the answer has no body
    title: Pattern | None = None
    text: Texts = ()
    body: Pattern | None = None  # anywhere in the answer as it was sent, scripts included
    selector: Css | None = None
    without: Css | None = None  # no such element is there
    words_max: Annotated[int, Field(ge=0)] | None = None  # words that the page shows
    url: Pattern | None = None
    alone: bool = False  # only for a citizen who is alone: under load the same answer is an overload

    @model_validator(mode="after")
    def _says_something(self) -> BlockRule:
        told = (self.status, self.header, self.empty, self.title, self.text, self.body, self.selector, self.url)
        if not any(told):
            raise ValueError("at least one of status, header, empty, title, text, body, selector, url")
        if any("{{" in text.text for text in self.text):
            raise ValueError("a `text` without {{ … }}: a wall is the same for every citizen, and its text is no template")
        return self


class Wall(BlockRule):
    """A rule for what stands in front of portals of any platform, and the public source that shows it."""

    source: Annotated[str, Field(min_length=1)]


class WallFile(CatalogModel):
    """Walls that every profile recognises, unless it says ``walls: false``."""

    id: PlainId
    walls: Annotated[tuple[Wall, ...], Field(min_length=1)]


class Bearer(CatalogModel):
    """A token that goes with requests, and how it is renewed when it expires or is refused."""

    token: Template  # for example "{{ access_token }}"
    header: Plain = "Authorization"
    scheme: Plain = "Bearer "
    expires_in_s: Template | None = None  # of the last token; without it, a token is renewed only after a refusal
    margin_s: Annotated[float, Field(ge=0)] = 10.0
    refused: Statuses = (401,)
    renew: Annotated[tuple[Request, ...], Field(min_length=1)]


class Pool(CatalogModel):
    """Rows of a CSV beside the profile. ``distinct``: no two visits of a run are given the same row."""

    file: Plain
    distinct: bool = True


class ProfileSource(CatalogModel):
    """Where the knowledge about a platform's pages comes from."""

    source: str
    basis: Literal["official", "borrowed", "assumed"] = "assumed"


class Platform(CatalogModel):
    """How a family of portals does each step of each goal."""

    id: PlainId
    name_vi: str
    name_en: str
    known_from: ProfileSource
    origins: Annotated[tuple[Name, ...], Field(min_length=1)] = ("portal",)  # the roles for which a target must have an origin
    headers: dict[HeaderName, Template] = Field(default_factory=dict)  # of every request
    expect_everywhere: Expect | None = None  # body rules that hold for every answer
    blocked_when: tuple[BlockRule, ...] = ()
    walls: bool = True  # the catalog's walls are recognised too, after the rules of `blocked_when`
    flows: dict[Name, tuple[Request, ...]] = Field(default_factory=dict)
    bearers: dict[Name, Bearer] = Field(default_factory=dict)
    pools: dict[Name, Pool] = Field(default_factory=dict)
    absent: dict[str, str] = Field(default_factory=dict)  # goal → why the platform lacks it
    goals: Annotated[dict[str, Goal], Field(min_length=1)]

    _document: Document | None = PrivateAttr(default=None)
    _walls: tuple[Wall, ...] = PrivateAttr(default=())

    def came_from(self, document: Document, walls: Iterable[Wall] = ()) -> Platform:
        """Remember the file of the platform, so that later problems have lines, and the walls of its catalog."""
        self._document, self._walls = document, tuple(walls)
        return self

    @property
    def block_rules(self) -> tuple[BlockRule, ...]:
        """The rules of the profile, then the walls of its catalog."""
        return self.blocked_when + (self._walls if self.walls else ())

    def place(self, key: Key) -> tuple[str, int]:
        """The file and line of a key of this profile."""
        return (self._document.file, self._document.line(key)) if self._document else (f"platforms/{self.id}.yaml", 0)

    def key_of(self, text: str, within: Key) -> Key:
        """The key of a text below ``within``: the text is its value or its name. ``within`` itself if the text is not there."""
        return (self._document.key_of(text, within) if self._document else None) or within

    @property
    def reached_inside(self) -> Mapping[str, str]:
        """Goals that are reached within another one, and which."""
        return {step.goal: goal for goal, value in self.goals.items() for step in value.steps if step.goal and step.goal != goal}

    @model_validator(mode="after")
    def _holds_together(self) -> Platform:
        mistakes = [*self._of_goals(), *self._of_references()]
        if mistakes:
            raise MistakesError(mistakes)
        return self

    def _of_goals(self) -> Iterator[Mistake]:
        """Every goal is described, declared absent, or reached within another, and gives what it must."""
        inside = self.reached_inside
        for goal in GOALS:
            if goal in self.goals and goal in self.absent:
                expected = f"no goal that is described under `goals`; {goal} is"
                yield Mistake(("absent", goal), repr(self.absent[goal]), expected, "Remove one of the two.")
            elif goal not in self.goals and goal not in self.absent and goal not in inside:
                expected = f"every goal; goal {goal} must be described, or declared `absent` with the reason"
                yield Mistake(("goals",), f"without {goal}", expected, "Describe it, or declare it absent.")
        for name, described in self.goals.items():
            nested = [output for inner, outer in inside.items() if outer == name and inner in GOALS for output in GOALS[inner].outputs]
            for output in (*(GOALS[name].outputs if name in GOALS else ()), *nested):
                if output not in described.gives:
                    expected = f"what the goal must give; gives must name {output}"
                    yield Mistake(("goals", name, "gives"), f"without {output}", expected, f"Add {output}: …")
        keys = [*(("goals", goal) for goal in self.goals), *(("absent", goal) for goal in self.absent)]
        for key in keys:
            if key[1] not in GOALS:
                yield Mistake(key, repr(key[1]), f"one of {', '.join(GOALS)}", f"{did_you_mean(key[1], GOALS)}Mend the name.")

    def _of_references(self) -> Iterator[Mistake]:
        """What a key refers to is there."""
        for name, described in self.goals.items():
            for index, step in enumerate(described.steps):
                at = ("goals", name, "steps", index)
                if step.use and step.use not in self.flows:
                    yield Mistake(
                        (*at, "use"),
                        repr(step.use),
                        f"a flow under `flows` ({', '.join(self.flows) or 'none'})",
                        f"{did_you_mean(step.use, self.flows)}Mend the name.",
                    )
                if step.goal and step.goal not in GOALS:
                    yield Mistake(
                        (*at, "goal"), repr(step.goal), f"one of {', '.join(GOALS)}", f"{did_you_mean(step.goal, GOALS)}Mend the name."
                    )
        if self.expect_everywhere is not None and self.expect_everywhere.values:
            expected = "no `values`: each request extracts its own"
            yield Mistake(("expect_everywhere", "values"), repr([*self.expect_everywhere.values]), expected, "Move them to the requests.")
        for key, request in self.requests():
            if request.bearer and request.bearer not in self.bearers:
                expected = f"a bearer under `bearers` ({', '.join(self.bearers) or 'none'})"
                yield Mistake((*key, "bearer"), repr(request.bearer), expected, "Mend the name.")

    def requests(self) -> Iterator[tuple[Key, Request]]:
        """Every request that the platform describes, with its key."""
        groups: list[tuple[Key, Sequence[Request]]] = [
            (("goals", name, "steps", index, "requests"), step.requests)
            for name, described in self.goals.items()
            for index, step in enumerate(described.steps)
        ]
        groups += [(("flows", name), requests) for name, requests in self.flows.items()]
        groups += [(("bearers", name, "renew"), bearer.renew) for name, bearer in self.bearers.items()]
        yield from (((*key, index), request) for key, requests in groups for index, request in enumerate(requests))

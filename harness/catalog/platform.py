"""Platforms: a family of portals that share pages and APIs, and how a citizen takes each step there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, PrivateAttr, model_validator

from harness.catalog.profile import Css, Expect, Name, Pattern, Plain, Repeat, Request, Statuses, Template, Texts
from harness.catalog.reading import AnyValue, CatalogModel, Document, Key

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
    only_if: Template | None = None
    skip_if: Template | None = None
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

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
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

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    name_vi: str
    name_en: str
    known_from: ProfileSource
    origins: Annotated[tuple[Name, ...], Field(min_length=1)] = ("portal",)  # the roles for which a target must have an origin
    headers: dict[str, Template] = Field(default_factory=dict)  # of every request
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
        """The key below ``within`` at which a text stands, as a value or as a name; ``within`` itself where it is not found."""
        return (self._document.key_of(text, within) if self._document else None) or within

    @property
    def reached_inside(self) -> Mapping[str, str]:
        """Goals that are reached within another one, and which."""
        return {step.goal: goal for goal, value in self.goals.items() for step in value.steps if step.goal and step.goal != goal}

    @model_validator(mode="after")
    def _every_goal_is_accounted_for(self) -> Platform:
        for goal in self.absent:
            if goal in self.goals:
                raise ValueError(f"goal {goal} is both declared absent and described")
        inside = self.reached_inside
        for goal in GOALS:
            if goal not in self.goals and goal not in self.absent and goal not in inside:
                raise ValueError(f"goal {goal} must be described under `goals`, or declared `absent` with the reason")
        for goal in [*self.goals, *self.absent, *inside]:
            if goal not in GOALS:
                raise ValueError(f"goal {goal} is not one of {', '.join(GOALS)}")
        return self

    @model_validator(mode="after")
    def _outputs_are_given(self) -> Platform:
        inside = self.reached_inside
        for name, goal in self.goals.items():
            nested = tuple(output for inner, outer in inside.items() if outer == name for output in GOALS[inner].outputs)
            for output in GOALS[name].outputs + nested if name in GOALS else ():
                if output not in goal.gives:
                    raise ValueError(f"goals.{name}.gives must name {output}")
        return self

    @model_validator(mode="after")
    def _references_lead_somewhere(self) -> Platform:
        for name, goal in self.goals.items():
            for step in goal.steps:
                if step.use and step.use not in self.flows:
                    raise ValueError(f"goals.{name}: step {step.step} uses flow {step.use}, which is not under `flows`")
        if self.expect_everywhere is not None and self.expect_everywhere.values:
            raise ValueError("no `values` in `expect_everywhere`: each request extracts its own")
        for request in self._all_requests():
            if request.bearer and request.bearer not in self.bearers:
                raise ValueError(f"bearer {request.bearer} is not under `bearers`")
        return self

    def _all_requests(self) -> list[Request]:
        own = [request for goal in self.goals.values() for step in goal.steps for request in step.requests]
        return own + [request for flow in self.flows.values() for request in flow]

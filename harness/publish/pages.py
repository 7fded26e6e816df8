"""Templates into pages."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

import jinja2

from harness.evidence.reasons import Language
from harness.publish.standing import points_lost
from harness.publish.wording import Wording
from harness.scoring.scorecard import CriterionState


def render(template: str, languages: Sequence[Language], **values: object) -> str:
    """A page from a template of this room; everything that is put into it is escaped."""
    wording = Wording(languages)
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_template), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    said = (
        wording.t, wording.both, wording.number, wording.measure, wording.plain, wording.share, wording.reason, wording.because,
        wording.interval, wording.badge, wording.label, wording.first,
    )  # fmt: skip
    environment.globals.update({method.__name__: method for method in said})
    environment.globals.update(points_lost=points_lost, State=CriterionState)
    return environment.get_template(template).render(languages=tuple(languages), **values)


def _template(name: str) -> str:
    return resources.files("harness.publish").joinpath("templates", name).read_text(encoding="utf-8")

"""HTML pages from the templates; each text stands there in every language, and the page shows one."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Protocol

import jinja2
from markupsafe import Markup, escape

from harness.catalog.not_charged import FinalState
from harness.errors import visible
from harness.evidence.facts import Reason, Verdict
from harness.evidence.reasons import Language
from harness.publish.criterion_words import curve_text, metric_text, name_text, selection_text, source_text, unit_text, version_text
from harness.publish.publication_text import states_text
from harness.publish.reason_words import because, interval_text, reason_text
from harness.publish.scoreboard import points_lost
from harness.publish.value_text import digits_of
from harness.publish.wording import Phrase, day_text, joined, moment_text, numeral, phrase, worded
from harness.records import LONE
from harness.scoring.final_states import states_of
from harness.scoring.scorecard import CriterionState, Scorecard

_VERDICT_COLOURS = {
    Verdict.VALID: "#5B6875",  # it is about the measurement, and praises nobody
    Verdict.INSUFFICIENT: "#8A6100",
    Verdict.BLOCKED: "#8F3B76",
    Verdict.UNREACHABLE: "#A34700",
    Verdict.VOID: "#8B1E3F",
}


def render(template: str, languages: Sequence[Language], **values: object) -> str:
    """A page from a template of this room. All values are escaped."""
    return _environment(tuple(languages)).get_template(template).render(languages=tuple(languages), **values)


@cache
def _environment(languages: tuple[Language, ...]) -> jinja2.Environment:
    """The templates and the functions that print in these languages. It is kept, because compiling takes longer than rendering."""
    texts = _Texts(languages)
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(template_text), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        finalize=_plain,
    )  # fmt: skip
    functions = (
        texts.t, texts.both, texts.number, texts.measure, texts.plain, texts.share, texts.reason, texts.because, texts.interval,
        texts.badge, texts.label, texts.first, texts.final, texts.say, texts.named, texts.day, texts.days, texts.moment, texts.no_value,
        points_lost, states_of, metric_text, curve_text, selection_text, source_text, version_text, unit_text, script_digest, states_text,
    )  # fmt: skip
    script = Markup(language_script())  # noqa: S704  (our own script)
    environment.globals.update(
        {function.__name__: function for function in functions}, State=CriterionState, LONE=LONE, language_script=script
    )
    return environment


def template_text(name: str) -> str:
    """A file of the folder of templates."""
    return resources.files("harness.publish").joinpath("templates", name).read_text(encoding="utf-8")


def script_digest(script: str) -> str:
    """How a page's policy names a script that may run: ``sha256-…``."""
    return f"sha256-{base64.b64encode(sha256(script.encode('utf-8')).digest()).decode('ascii')}"


def language_script() -> str:
    """The script by which a page in two languages begins with the language of the browser."""
    return template_text("language.js")


def _plain(value: object) -> object:
    """A text without what turns the reading direction or hides: others may have written it. Markup is ours."""
    return visible(value, keep="\n\t") if type(value) is str else value


class _Named(Protocol):
    """What has a name in both languages: a portal, a criterion."""

    @property
    def name_vi(self) -> str: ...
    @property
    def name_en(self) -> str: ...


class _Texts:
    """The functions that templates call to print a text."""

    def __init__(self, languages: Sequence[Language]) -> None:
        self.languages = tuple(languages)

    def both(self, vi: str, en: str) -> Markup:
        """A ``lang`` span for each language, or the text alone where both are equal."""
        vi, en = visible(vi, keep="\n\t"), visible(en, keep="\n\t")
        if vi == en:
            return escape(vi)
        words = Phrase(vi, en)
        if len(self.languages) == 1:
            return escape(words.into(self.languages[0]))
        return Markup().join(Markup('<span lang="{}">{}</span>').format(language, words.into(language)) for language in self.languages)

    def t(self, key: str) -> Markup:
        """The phrase of a key."""
        return self.both(*phrase(key))

    def say(self, words: Phrase) -> Markup:
        """A text that was put together in both languages."""
        return self.both(*words)

    def named(self, thing: _Named) -> Markup:
        """The name of a portal or a criterion."""
        return self.say(name_text(thing.name_vi, thing.name_en))

    def day(self, night: str) -> Markup:
        """A date, given as ISO 8601."""
        return self.say(day_text(night))

    def days(self, nights: Sequence[str]) -> Markup:
        """Several dates."""
        return self.say(joined(", ", [day_text(night) for night in nights]))

    def moment(self, utc: str) -> Markup:
        """A moment, given as ISO 8601, by the clock of Viet Nam."""
        return self.say(moment_text(utc))

    def badge(self, verdict: Verdict) -> Markup:
        """A verdict as a coloured label. White text has a contrast of at least 4.5 : 1 on each colour."""
        template = Markup('<span class="badge" style="background:{}">{}</span>')
        return template.format(_VERDICT_COLOURS[verdict], self.t(f"verdict.{verdict.value}"))

    def label(self, key: str) -> Markup:
        """Attributes that hold a column's name for narrow screens, one a language."""
        return Markup(" ").join(Markup('data-{}="{}"').format(language, phrase(key).into(language)) for language in self.languages)

    def first(self, key: str) -> str:
        """The phrase in the page's first language, for places that hold only one."""
        return phrase(key).into(self.languages[0])

    def no_value(self, key: str, *parts: str) -> Markup:
        """A dash where there is no value, with the reason where a reader points at it."""
        why = phrase(key).filled(*parts)
        dash = Markup('<span class="why" lang="{}" title="{}" tabindex="0">–</span>')
        return Markup().join(dash.format(language, why.into(language)) for language in self.languages)

    def number(self, value: float | None, digits: int = 1, missing: str = "–") -> Markup:
        """A number with its decimal sign in each language."""
        if value is None:
            return Markup("{}").format(missing)
        return self.say(numeral(value, digits))

    def plain(self, value: float) -> Markup:
        """A number with at most two decimals, without trailing zeros."""
        return self.number(value, next((digits for digits in (0, 1) if round(value, digits) == round(value, 2)), 2))

    def measure(self, value: float | None, unit: str = "", missing: str = "–") -> Markup:
        """A measured value with three significant digits; whole numbers of more digits keep them all."""
        if value is None:
            return Markup("{}").format(missing)
        return self.number(value, digits_of(value)) + (Markup(" {}").format(self.say(unit_text(unit))) if unit else Markup())

    def share(self, part: float, whole: float) -> Markup:
        """A share in percent; shares below 10 % or from 99 % keep a decimal."""
        percent = 100 * part / whole if whole else 0.0
        return self.number(percent, 0 if percent in (0.0, 100.0) or 10 <= percent < 99 else 1) + Markup("&nbsp;%")

    def because(self, reason: str) -> Markup:
        """Why a criterion was not assessed."""
        return self.both(*because(reason))

    def interval(self, kind: str) -> Markup:
        """How an interval was computed."""
        return self.both(*interval_text(kind))

    def final(self, state: FinalState) -> Markup:
        """After how many nights a state without points is final, and what follows."""
        when, follows = phrase("state.final"), phrase(f"consequence.{state.consequence}")
        basis = phrase(f"basis.{state.basis}")
        return self.both(when.vi.format(state.nights, follows.vi, basis.vi), when.en.format(state.nights, follows.en, basis.en))

    def reason(self, reason: Reason, card: Scorecard | None = None) -> Markup:
        """A verdict's reason; with its card, criteria are called by their names."""
        names = {} if card is None else {criterion.id: name_text(criterion.name_vi, criterion.name_en) for criterion in card.criteria}
        return self.say(worded(lambda language: reason_text(reason, language, names)))

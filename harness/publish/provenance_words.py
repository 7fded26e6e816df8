"""How a sweep was measured, in words: place, instrument, calibration, and what the manifests of its runs share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from harness.publish.criterion_words import unit_text
from harness.publish.report_data import Provenance
from harness.publish.value_text import digits_of
from harness.publish.wording import PHRASES, Phrase, joined, moment_text, numeral, phrase, same, written_number
from harness.records.differing import Differing

_GIGABYTE: Final = 1e9


def vantage_text(place: str) -> Phrase:
    """From where portals were measured; a place that somebody named stays as it is."""
    return joined("; ", [PHRASES.get(f"vantage.{part}") or same(part) for part in place.split("; ")])


def calibration_text(facts: Mapping[str, object]) -> Phrase:
    """What the certificate of this machine says."""
    state, made, error = facts.get("state"), facts.get("made_utc"), facts.get("largest_error_percent")
    if state not in ("valid", "failed"):
        return phrase("calibration.none")
    said = [phrase(f"calibration.{state}")]
    said += [moment_text(str(made))] if made else []
    said += [phrase("calibration.error").filled(written_number(f"{error:g}"))] if isinstance(error, int | float) else []
    return joined("; ", said)


def provenance_lines(made: Provenance) -> Iterator[tuple[Phrase, Phrase]]:
    """What the manifests share, a line each: what it is, and its value."""
    yield phrase("provenance.harness"), same(made.harness)
    yield phrase("provenance.versions"), same(", ".join(f"{name} {version}" for name, version in made.versions.items()))
    host = dict(made.host)
    memory = host.pop("memory_bytes", None)
    for key, value in host.items():
        yield phrase(f"provenance.{key}"), same(str(value))
    if isinstance(memory, int):
        yield phrase("provenance.memory"), numeral(memory / _GIGABYTE, 1, " GB")
    yield phrase("provenance.vantage_point"), vantage_text(made.vantage_point)
    yield phrase("provenance.workload"), same(made.workload)
    yield phrase("provenance.seed"), same(str(made.seed))
    yield phrase("provenance.shortened"), phrase("provenance.yes" if made.shortened else "provenance.no")
    for journey, figures in made.factors.items():
        yield phrase("provenance.factor").filled(phrase(f"journey.{journey}")), _factor(figures)
    yield phrase("provenance.calibration"), calibration_text(made.calibration)
    yield phrase("provenance.catalog"), same(made.catalog_sha256)
    yield phrase("provenance.plan"), same(made.plan_sha256)


def difference_lines(found: Iterable[Differing]) -> Iterator[tuple[Phrase, Phrase, Phrase, Phrase]]:
    """What is not as in the evaluator's run, a line each: what it is, its name, as it was there, and as it was here."""
    for each in found:
        key = {"machine": "provenance", "address": "difference.role"}.get(each.kind)
        name = phrase(f"{key}.{each.name.removesuffix('_bytes')}") if key else same(each.name)
        yield phrase(f"difference.{each.kind}"), name, _side(each.evaluators), _side(each.yours)


def _side(text: str) -> Phrase:
    return phrase("difference.none") if text == "none" else same(text)


def _factor(figures: Mapping[str, float]) -> Phrase:
    """How many times usage the load was, and both in visits per second, with three significant digits."""
    said = [phrase("provenance.times").filled(_three_digits(figures["factor"]))] if figures.get("factor") is not None else []
    said += [
        phrase(f"provenance.{key}").filled(_three_digits(figures[key]), unit_text("visits/s"))
        for key in ("planned_per_s", "usage_per_s")
        if figures.get(key) is not None
    ]
    return joined("; ", said)


def _three_digits(value: float) -> Phrase:
    return numeral(value, digits_of(value))

"""A criterion in words: its name, metric, curve, selection, and where its numbers come from.

Criteria sets and ``scores.json`` print these in a short form of their own, for machines. What is not of that form, because another
version wrote it, stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

import yaml

from harness.publish.wording import PHRASES, Phrase, joined, phrase, same, written_number
from harness.statistics.metric import Metric, MetricSyntaxError, parse_metric

_NUMBER: Final = r"(\d+(?:\.\d+)?)(?: \S+)?"
_LINEAR: Final = re.compile(rf"linear/1 full {_NUMBER} none {_NUMBER}")
_BANDS: Final = re.compile(r"bands/1 (\S+ → \S+(?:, \S+ → \S+)*)")
_LOG_NORMAL: Final = re.compile(rf"log_normal/1 p10 {_NUMBER} median {_NUMBER}")
_SELECTION: Final = re.compile(
    r"journey ([^,:;]+)(?:, goal ([^:;]+))?: ([^;]+); stage ([\w-]+); (the portal's own time|time at every host)"
)
_SOURCES: Final = re.compile(r"(?:^|; )(points|curve|quota): (official|borrowed|assumed), ")
_SOURCED: Final = Phrase("{} ({}): {}", "{} ({}): {}")
_SHORTENED: Final = re.compile(r"(.+)\+shortened \((.+)\)")
_SHORTENINGS: Final = (
    (re.compile(r"windows from (\S+) s"), "shortened.window_s"),
    (re.compile(r"from (\S+) windows"), "shortened.windows"),
    (re.compile(r"from (\S+) steps a window"), "shortened.steps"),
)


def _read() -> Mapping[str, Any]:
    data = resources.files("harness.publish").joinpath("shipped_texts.yaml").read_bytes()
    return dict(yaml.load(data, Loader=yaml.CSafeLoader))


_SHIPPED: Final = _read()


def name_text(vi: str, en: str) -> Phrase:
    """The name of a criterion or portal; shipped ones are reworded, a name of your own is not."""
    return Phrase(_SHIPPED["names"].get(vi, vi), en)


def metric_text(metric: str) -> Phrase:
    """What a metric measures."""
    try:
        return _metric(parse_metric(metric))
    except MetricSyntaxError:
        return same(metric)


def curve_text(curve: str, unit: str) -> Phrase:
    """From which value on there are full points, and from which none; ``unit``: of the metric."""
    if found := _LINEAR.fullmatch(curve):
        full, none = found.groups()
        low, high = ("≤", "≥") if float(full) < float(none) else ("≥", "≤")
        return phrase("curve.linear").filled(f"{low} ", _value(full, unit), f"{high} ", _value(none, unit))
    if found := _BANDS.fullmatch(curve):
        return _bands([pair.split(" → ") for pair in found[1].split(", ")], unit)
    if found := _LOG_NORMAL.fullmatch(curve):
        return phrase("curve.log_normal").filled(*(_value(value, unit) for value in found.groups()))
    return same(curve)


def selection_text(selection: str) -> Phrase:
    """Which steps of which journeys count, at which load, and whose time."""
    found = _SELECTION.fullmatch(selection)
    if found is None:
        return same(selection)
    journeys, goals, steps, stage, charged = found.groups()
    parts = [phrase("selection.journeys").filled(_listed("journey", journeys))]
    parts += [] if goals is None else [phrase("selection.goals").filled(_listed("goal", goals))]
    parts += [phrase("selection.all_steps") if steps == "all steps" else phrase("selection.steps").filled(_listed("step", steps))]
    parts += [phrase(f"stage.{stage}"), phrase("selection.own_time" if charged.startswith("the portal") else "selection.all_time")]
    return joined("; ", parts)


def source_text(source: str) -> Phrase:
    """Where points, thresholds and quotas come from, each with its basis. The sources of your own set stay in its language."""
    _, *parts = _SOURCES.split(source)
    if not parts:
        return same(source)
    said = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    return joined(
        "; ",
        [_SOURCED.filled(phrase(f"source.{what}"), phrase(f"basis.{basis}"), _source(text)) for what, basis, text in said],
    )


def version_text(version: str) -> Phrase:
    """The version of a set, and what was shortened where it was applied so."""
    found = _SHORTENED.fullmatch(version)
    if found is None:
        return same(version)
    parts = [_shortening(part) for part in found[2].split(", ")]
    return phrase("shortened.version").filled(found[1], joined(", ", parts))


def unit_text(unit: str) -> Phrase:
    """A unit as a reader writes it: `lượt/giây`."""
    return PHRASES.get(f"unit.{unit}") or same(unit)


def _metric(metric: Metric) -> Phrase:
    kind = "percentile" if metric.figure == "percentile" else metric.figure
    subject = phrase(f"subject.{metric.subject}")
    if metric.figure == "sustained":
        limits = [
            phrase("metric.condition").filled(
                _metric(each.figure), "≤ " if each.at_most else "≥ ", _value(f"{each.limit:f}", each.figure.unit)
            )
            for each in metric.conditions
        ]
        return phrase("metric.sustained").filled(joined("; ", limits))
    argument = Phrase("", "") if metric.argument is None else written_number(format(metric.argument.normalize(), "f"))
    return phrase(f"metric.{kind}").filled(argument, subject)


def _bands(pairs: list[list[str]], unit: str) -> Phrase:
    limits = [float(limit) for limit, _ in pairs]
    sign = "≥ " if limits[0] > limits[-1] else "≤ "
    parts = [phrase("curve.band").filled(sign, _value(limit, unit), written_number(f"{100 * float(part):g}")) for limit, part in pairs]
    return joined("; ", [*parts, phrase("curve.beyond")])


def _shortening(part: str) -> Phrase:
    for pattern, key in _SHORTENINGS:
        if found := pattern.fullmatch(part):
            return phrase(key).filled(written_number(found[1]))
    return same(part)


def _source(text: str) -> Phrase:
    return Phrase(_SHIPPED["sources"].get(text, text), text)


def _listed(group: str, names: str) -> Phrase:
    return joined(" · ", [phrase(f"{group}.{name}") for name in names.split(" ")])


def _value(number: str, unit: str) -> Phrase:
    value = written_number(number)
    return joined(" ", [value, unit_text(unit)]) if unit else value

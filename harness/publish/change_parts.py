"""The points that the rules changed and those that the portals changed, as tables: in all, and by criterion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from harness.errors import visible
from harness.evidence.facts import Verdict
from harness.evidence.reasons import Language
from harness.publish.change_text import word_text
from harness.publish.criterion_words import curve_text, metric_text, name_text, selection_text, version_text
from harness.publish.reason_words import because
from harness.publish.scoreboard import number_language
from harness.publish.terminal import TableColumn, in_languages, print_line, print_table, print_text
from harness.publish.wording import Phrase, joined, phrase, same, written_number
from harness.scoring import FEW_PORTALS, Comparison
from harness.scoring.arithmetic import number
from harness.scoring.rule_changes import ChangedRule, ChangeParts, CriterionParts, PortalParts, RuleChanges, RuledPoints

_COLUMNS: Final = {
    "before": ("before_earlier", "before_later", "after_later"),
    "after": ("before_earlier", "after_earlier", "after_later"),
}
_NAME_WIDTH: Final = 12
"""The least width of the first column, in cells (assumed: the longest word of the shipped names in both languages)."""
_LOUD: Final = "bold red"


def print_parts(found: Comparison, console: Console, languages: Sequence[Language]) -> None:
    """Prints by which rules each sweep was scored, which rules changed, and a table of parts for each portal.

    More than ``FEW_PORTALS`` portals share one table, which has the parts of their totals only.
    """
    rules = found.rule_changes
    if rules is None:
        return
    is_few = len(rules.portals) <= FEW_PORTALS
    for said, style in _heading(rules):
        print_text(console, said, languages, style)
    print_line(console, "")
    print_text(console, phrase("parts.rules"), languages, "bold")
    for said in _rules(rules):
        print_text(console, said, languages)
    if is_few:
        for each in rules.portals:
            print_line(console, "")
            print_line(console, each.portal, "bold")
            _print(console, rules, "report.criterion", [*_rows(each, found, languages)], languages)
            for said in _why_not(each, rules):
                print_text(console, said, languages, "magenta")
    else:
        print_line(console, "")
        rows = [_row(Text(visible(each.portal)), each, languages) for each in rules.portals]
        _print(console, rules, "board.portal", rows, languages)
    unlike = [each for each in rules.portals if each.parts.whole is not None and not each.is_alike]
    if is_few:
        for each in unlike:
            print_text(console, unlike_text(each), languages, "yellow")
    elif unlike:
        print_text(console, phrase("parts.unlike_many").filled(str(len(unlike))), languages, "yellow")
    print_line(console, "")
    print_text(console, phrase("parts.meaning"), languages, "dim")
    print_line(console, "")
    print_text(console, phrase("parts.tested"), languages, "bold")


def _heading(rules: RuleChanges) -> Iterator[tuple[Phrase, str]]:
    """Lines with their style: by which rules each sweep was scored, and what makes the parts doubtful."""
    before, after = (set_text(each.id, each.unshortened_version) for each in (rules.before, rules.after))
    yield phrase(f"parts.rescored_{rules.rescored}").filled(before, after), "bold"
    if rules.same_version:
        yield phrase("parts.same_version").filled(same(visible(rules.before.named))), _LOUD
    elif rules.before.id != rules.after.id:
        yield phrase("parts.other_set"), "yellow"
    of_rules = rules.after if rules.rescored == "before" else rules.before
    if rules.again.version != of_rules.version:
        yield phrase("parts.other_quotas").filled(*(set_text(each.id, each.version) for each in (rules.again, of_rules))), "yellow"
    if rules.not_reproduced is None:
        yield phrase("parts.not_checked").filled(before if rules.rescored == "before" else after), "yellow"
    elif rules.not_reproduced:
        yield phrase("parts.not_reproduced").filled(same(visible(", ".join(rules.not_reproduced)))), _LOUD


def _rules(rules: RuleChanges) -> Iterator[Phrase]:
    """Each rule that changed. Where a set is not at hand, a line says that there may be others."""
    yield from map(changed_rule_text, rules.rules)
    if rules.unprinted is None:
        yield phrase("parts.other_rules_unknown")
        return
    for rule in dict.fromkeys(each.rule for each in rules.unprinted):
        of_criteria = [name_text(each.name_vi, each.name_en) for each in rules.unprinted if each.rule == rule and each.criterion]
        yield joined(": ", [phrase(f"rule.{rule}"), joined(" · ", of_criteria)]) if of_criteria else phrase(f"rule.{rule}")
    if not rules.rules and not rules.unprinted:
        yield phrase("parts.no_rules")


def set_text(name: str, version: str) -> Phrase:
    """A set with its version, and how it was shortened where the version says so."""
    return phrase("parts.set").filled(same(visible(name)), version_text(visible(version)))


def changed_rule_text(changed: ChangedRule) -> Phrase:
    """The rules of a criterion that changed, each before and after."""
    name = name_text(changed.name_vi, changed.name_en)
    if not changed.before or not changed.after:
        key = "parts.rule_new" if changed.after else "parts.rule_gone"
        return phrase(key).filled(name, written_number(number(float((changed.after or changed.before)["points_max"]))))
    said = [
        same("{} {} → {}").filled(phrase(f"rule.{rule}"), *(_rule_text(rule, each[rule], changed.unit) for each in (changed.before, changed.after)))
        for rule in changed.before
    ]  # fmt: skip
    return joined(": ", [name, joined("; ", said)])


def _rule_text(rule: str, value: str, unit: str) -> Phrase:
    match rule:
        case "points_max":
            return written_number(number(float(value)))
        case "metric":
            return metric_text(value)
        case "selection":
            return selection_text(value)
        case "over":
            return phrase(f"over.{value}")
        case _:
            return curve_text(value, unit)


def unlike_text(portal: PortalParts) -> Phrase:
    """A line that says that totals count unlike criteria, with the maximum of each."""
    most = (written_number(number(each.points_max)) for each in (portal.before, portal.rescored, portal.after))
    return phrase("parts.unlike").filled(same(visible(portal.portal)), *most)


def _print(console: Console, rules: RuleChanges, first: str, rows: list[list[Text]], languages: Sequence[Language]) -> None:
    """A table. The column "in one sweep only" is left out where it is empty."""
    names = (*_COLUMNS[rules.rescored], "by_rules", "by_portal", "one_sweep", "whole")
    columns = [TableColumn(in_languages(phrase(first), languages), least=_NAME_WIDTH)]
    columns += [TableColumn(in_languages(phrase(f"parts.{name}"), languages), is_right=True) for name in names]
    if not any(each.parts.one_sweep for each in rules.portals):
        at = names.index("one_sweep") + 1
        columns, rows = [*columns[:at], *columns[at + 1 :]], [[*row[:at], *row[at + 1 :]] for row in rows]
    print_table(console, columns, rows)


def _rows(portal: PortalParts, found: Comparison, languages: Sequence[Language]) -> Iterator[list[Text]]:
    """The row of the total, then a row for each criterion that is shown."""
    words = {each.criterion: each.word for each in found.changes if each.portal == portal.portal}
    yield _row(in_languages(phrase("parts.in_all"), languages, "bold"), portal, languages)
    for each in filter(_is_shown, portal.criteria):
        word = words.get(each.criterion)
        name = in_languages(name_text(each.name_vi, each.name_en), languages)
        yield _row(name, each, languages, None if word is None else word_text(word))


def _why_not(portal: PortalParts, rules: RuleChanges) -> Iterator[Phrase]:
    """For each criterion that is shown: why it has no points in one of the three scores."""
    for each in filter(_is_shown, portal.criteria):
        for ruled, column in zip((each.before, each.rescored, each.after), _COLUMNS[rules.rescored], strict=True):
            if ruled is not None and ruled.points is None and ruled.reason:
                yield joined(": ", [name_text(each.name_vi, each.name_en), phrase(f"parts.{column}"), because(ruled.reason)])


def _is_shown(each: CriterionParts) -> bool:
    """Whether it has points in one of the three scores, or one of the sets lacks it."""
    return any(ruled is None or ruled.points is not None for ruled in (each.before, each.rescored, each.after))


def _row(name: Text, each: PortalParts | CriterionParts, languages: Sequence[Language], word: Phrase | None = None) -> list[Text]:
    cells = [_points(ruled, languages) for ruled in (each.before, each.rescored, each.after)]
    rules, portal, one_sweep, whole = _parts(each.parts, number_language(languages))
    if word is not None:
        portal.append("\n").append_text(in_languages(word, languages, "not bold dim"))
    return [name, *cells, rules, portal, one_sweep, whole]


def _parts(parts: ChangeParts, language: Language) -> Iterator[Text]:
    for change in (parts.by_rules, parts.by_portal, parts.one_sweep, parts.whole):
        sign = "+" if change is not None and change > 0 else ""
        yield Text("–" if change is None else f"{sign}{written_number(number(change)).into(language)}")


def _points(ruled: RuledPoints | None, languages: Sequence[Language]) -> Text:
    """Points of their maximum with all decimals, or the state without points; a dash where the set lacks the criterion."""
    if ruled is None:
        return Text("–", style="dim")
    if ruled.points is not None:
        points, most = (written_number(number(each)).into(number_language(languages)) for each in (ruled.points, ruled.points_max))
        return Text(f"{points} / {most}")
    kind = "verdict" if ruled.state in {each.value for each in Verdict} else "state"
    return in_languages(phrase(f"{kind}.{ruled.state}"), languages, "dim")

"""The findings of each portal in words: ``findings.json``, the conclusion, and the first lines of ``explain``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final, NamedTuple

from harness.diagnosis import Diagnosis, Finding
from harness.errors import visible
from harness.evidence.reasons import Language
from harness.publish.criterion_words import unit_text
from harness.publish.wording import LANGUAGES, PHRASES, decimal, moment_text, phrase
from harness.records.files import write_whole

FINDINGS_JSON: Final = "findings.json"
SCHEMA: Final = "portal-findings/1"


class FindingText(NamedTuple):
    """A finding in one language; each part is one sentence, ``remedy`` and ``sureness`` may be empty."""

    statement: str
    remedy: str
    sureness: str


def finding_text(finding: Finding, language: Language) -> FindingText:
    """A finding in words: what it is, what is to be done, and how sure it is."""
    remedy, sure = _remedy(finding, language), phrase(f"sureness.{finding.sureness}").into(language)
    return FindingText(f"{_statement(finding, language)}.", f"{remedy[:1].upper()}{remedy[1:]}." if remedy else "", f"{sure}.")


def conclusion_text(diagnosis: Diagnosis, language: Language) -> str:
    """One sentence that names cause, share and remedy of the finding that matters most."""
    remedy = _remedy(diagnosis.main, language)
    return f"{_statement(diagnosis.main, language)}{'; ' if remedy else ''}{remedy}."


def write_findings(sweep: str, found: Sequence[Diagnosis], folder: Path) -> Path:
    """Writes ``findings.json`` into ``folder`` and returns its path."""
    document = {"schema": SCHEMA, "sweep": sweep, "portals": [diagnosis_document(each) for each in found]}
    path = folder / FINDINGS_JSON
    write_whole(path, (json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode("utf-8"))
    return path


def diagnosis_document(diagnosis: Diagnosis) -> dict[str, object]:
    """One portal's entry of ``findings.json``."""
    return {
        "portal": diagnosis.portal,
        "conclusion": {language: conclusion_text(diagnosis, language) for language in LANGUAGES},
        "findings": [_finding_document(finding) for finding in diagnosis.findings],
    }


def explain_findings(diagnosis: Diagnosis, language: Language = "en") -> Iterator[str]:
    """The conclusion, then each other finding, a line each; no remedy is said twice."""
    yield conclusion_text(diagnosis, language)
    said = {"", diagnosis.main.remedy}
    for finding in diagnosis.findings[1:]:
        text = finding_text(finding, language)
        yield f"  {text.statement}" + ("" if finding.remedy in said else f" {text.remedy}")
        said.add(finding.remedy)


def _finding_document(finding: Finding) -> dict[str, object]:
    document = asdict(finding)
    document["subject"] = {name: value for name, value in document["subject"].items() if value not in {"", None}}
    document["figures"] = [each._asdict() for each in finding.figures]
    return document | {language: finding_text(finding, language)._asdict() for language in LANGUAGES}


def _statement(finding: Finding, language: Language) -> str:
    """The statement without its full stop."""
    template = PHRASES[f"finding.{finding.code}{'.' if finding.variant else ''}{finding.variant}"]
    return template.into(language).format_map(_values(finding, language))


def _remedy(finding: Finding, language: Language) -> str:
    return phrase(f"remedy.{finding.remedy}").into(language) if finding.remedy else ""


def _values(finding: Finding, language: Language) -> Mapping[str, str]:
    """What the templates name: figures with their units, and the names of what the finding is about."""
    subject = finding.subject
    values = {name: _named(name, getattr(subject, name), language) for name in ("journey", "step", "phase", "fault", "part")}
    values |= {name: visible(getattr(subject, name)) for name in ("host", "worker")}
    values["minute_utc"] = moment_text(subject.minute_utc).into(language) if subject.minute_utc else ""
    values["owner"] = _named("owner", subject.host_owner, language)
    values["window"] = "" if subject.window is None else str(subject.window)
    values["share"] = "" if finding.share is None else _number(100 * finding.share, "%", language)
    return values | {each.name: _number(each.value, each.unit, language) for each in finding.figures}


def _named(group: str, name: str, language: Language) -> str:
    """The words for a name; a name without words as it is."""
    words = PHRASES.get(f"{group}.{name}")
    return words.into(language) if words else visible(name)


def _number(value: float, unit: str, language: Language) -> str:
    """A figure with its unit, to two or three digits that count."""
    if unit == "B":
        value, unit = (value / 1e6, "MB") if value >= 1e6 else (value / 1e3, "kB")
    if not unit:
        return decimal(value, 0, language)
    if unit == "%":
        digits = 1 if 99 <= value < 100 else 0 if value >= 1 else 2  # nearly all is not all
    else:
        digits = 0 if value >= 100 or value == 0 else 1 if value >= 1 else 2 if value >= 0.1 else 3 if value >= 0.01 else 4
    return f"{decimal(value, digits, language)} {unit_text(unit).into(language)}"

"""The page of a sweep: what the night found, the points of all portals, who is without points and why, and how it was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from markupsafe import Markup

from harness.evidence.facts import RunFacts, Verdict
from harness.evidence.reasons import Language
from harness.publish.night_verdict import night_verdict
from harness.publish.portal_findings import conclusion_text
from harness.publish.provenance_words import calibration_text, difference_lines, provenance_lines, vantage_text
from harness.publish.rank_chart import rank_charts
from harness.publish.rendering import render, template_text
from harness.publish.report_data import PortalGrade, ReportExtras
from harness.publish.score_matrix import ScoreMatrix, score_matrix, shade
from harness.publish.scoreboard import Standing, rank_text, ranked_on
from harness.publish.wording import Phrase, phrase, worded
from harness.records import LONE
from harness.scoring.final_states import states_of
from harness.scoring.scorecard import SweepScores


def sweep_page(
    scores: SweepScores, board: Sequence[Standing], runs: Sequence[RunFacts], *,
    about: ReportExtras,
    languages: Sequence[Language],
) -> str:  # fmt: skip
    """The page as HTML. It sorts its matrix by a script of its own, which its policy lets run by its digest, and works without it too."""
    matrix = score_matrix(board)
    scored = [row.standing for row in matrix.with_points]
    script = template_text("sort.js")
    grades = about.grades if about.grades and about.grades.is_of(scores) else None
    permitted = set(about.permissions.by_portal) if about.permissions else set()
    return render(
        "report.html.j2", languages, scores=scores, about=about, matrix=matrix, columns=_columns(matrix, about, grades is not None),
        verdict=night_verdict(scores, matrix, shortened=about.shortened), shade=shade, rank_text=rank_text,
        ranked=any(standing.rank for standing in board), ranked_on=ranked_on(scores) if about.ranks is None else [],
        charts=[Markup(svg) for svg in rank_charts(scored, scores.group.points_max, languages)],  # noqa: S704  (our own SVG, its texts escaped)
        states=[row for row in matrix.rows if row.standing.card.points is None or states_of(row.standing.card)],
        seen={state for row in matrix.rows for state in states_of(row.standing.card)},
        verdicts=[verdict for verdict in Verdict if any(card.verdict is verdict for card in scores.scorecards)],
        conclusions={each.portal: worded(partial(conclusion_text, each)) for each in about.diagnoses},
        grades=None if grades is None else grades.by_portal, grade_text=grade_text, grade_rule=_grade_rule(about), stale_grades=_stale_grades(about, scores),
        span=_span(runs), embedded=len([row for row in matrix.rows if row.standing.card.portal not in permitted]) if about.permissions else 0,
        vantage_point=vantage_text(about.provenance.vantage_point) if about.provenance else None,
        calibration=calibration_text(about.provenance.calibration) if about.provenance else None,
        differences=list(difference_lines(about.differences)),
        manifest=list(provenance_lines(about.provenance)) if about.provenance else [],
        criteria=max((card.criteria for card in scores.scorecards), key=len, default=()),
        names={card.portal: card for card in scores.scorecards}, script=Markup(script),  # noqa: S704  (our own script)
    )  # fmt: skip


def grade_text(found: PortalGrade | None) -> str:
    """A grade, and those at the ends of the interval where they differ: ``C (D–C)``."""
    if found is None or found.grade is None:
        return "–"
    worse, better = found.grade_interval or (found.grade, found.grade)
    return found.grade if worse == better else f"{found.grade} ({worse}–{better})"


def _columns(matrix: ScoreMatrix, about: ReportExtras, graded: bool) -> int:
    """The columns of the matrix after the portal's name."""
    return 2 + (matrix.assessed_max is None) + bool(about.zero_round_trip) + 2 * graded + len(matrix.criteria)


def _span(runs: Sequence[RunFacts]) -> tuple[str, str] | None:
    """When the first and the last window of load began; of a night without load, of any window."""
    windows = [window for run in runs for window in run.windows]
    loaded = [window for window in windows if window.stage != LONE] or windows
    began = sorted(window.began_utc for window in loaded)
    return (began[0], began[-1]) if began else None


def _grade_rule(about: ReportExtras) -> Phrase:
    """How totals between two printed bands are graded."""
    rules: Mapping[bool, str] = {True: "grades.nearest", False: "grades.lower"}
    return phrase(rules[about.grades is not None and "rounded half up" in about.grades.rule])


def _stale_grades(about: ReportExtras, scores: SweepScores) -> Phrase | None:
    if about.grades is None or about.grades.is_of(scores):
        return None
    return phrase("grades.stale").filled(about.grades.sweep, str(about.grades.revision), str(scores.revision))

"""What letters of an unhappy night say, and of the fullest one that can be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from harness.catalog.agency import Agency
from harness.catalog.authorisation import NamedPermission
from harness.evidence.facts import Reason, WindowFacts
from harness.evidence.publication import PortalPublication, ReopeningCause
from harness.publish.letter_facts import LetterFacts
from harness.publish.portal_faults import FaultCount
from harness.records.plan import TimesUsage
from harness.scoring.scorecard import CriterionState, Scorecard, SweepScores
from tests.publish import simulated_night as night
from tests.publish import unhappy_night

AGENCY = Agency.model_validate(
    {
        "name_vi": "Cơ quan đánh giá (mẫu)", "name_en": "Evaluating agency (sample)", "place_vi": "Hà Nội", "answer_within_days": 10,
        "people": [
            {"name": "Nguyễn Thị Mẫu", "roles": ["evaluator"]},
            {"name": "Lê Thị Ví Dụ", "roles": ["contact"], "title_vi": "chuyên viên", "title_en": "officer", "email": "danhgia@example.invalid", "phone": "024 0000 0000"},
        ],
    }
)  # fmt: skip
SENT = PortalPublication("sent", "2026-11-26T02:00:00+00:00", "2026-12-07")
FAULTS = tuple(
    FaultCount(
        name, "file", "submit", "wrong_content", "", 3 + number, 60, {"submit": 3}, (), (f"pages/binh-dinh/submit-wrong_content-{number}.html",),
        "2026-11-21T15:05:00+00:00", "2026-11-21T17:10:00+00:00",
    )
    for number, name in enumerate(("callback_lost", "submission_rejected", "firewall", "timeout", "reset", "turned_away"), 1)
)  # fmt: skip
NIGHT = unhappy_night.scores()


def facts(card: Scorecard, scores: SweepScores = NIGHT, publication: PortalPublication = SENT, **changed: Any) -> LetterFacts:
    """What the letter about one card says; sent, unless it is changed."""
    run = night.run_facts(next((person for person in night.PORTALS if person.portal == card.portal), night.PORTALS[0]))
    given: dict[str, Any] = {
        "scores": scores, "scores_sha256": "0123456789abcdef" * 4, "card": replace(card, publication=publication), "as_sent": True, "no_answer": False, "agency": AGENCY,
        "answer_by": date(2026, 12, 7), "address": "https://dichvucong.example:443", "permission": None, "vantage_point": "this machine, loopback",
        "windows": run.windows, "load": (TimesUsage("search", 2.0, 0.4, own=True), TimesUsage("submit", 0.5, 0.25)), "faults": FAULTS[:1], "dossiers": 12,
        "standing": (), "list_of_standing": "not-withdrawn.csv", "shortened": False,
    }  # fmt: skip
    return LetterFacts(**{**given, **changed})


def fullest() -> LetterFacts:
    """More and longer of everything than a letter has room for."""
    card, *_ = night.with_unproven(night.many_scores(1)).scorecards
    long = "Hệ thống thông tin giải quyết thủ tục hành chính của Ủy ban nhân dân tỉnh và các sở, ban, ngành trực thuộc "
    criteria = tuple(
        replace(
            each, id=f"{each.id}-{number}", name_vi=f"{long}{number}", name_en=f"{long}{number}", failures=12, failures_of=385,
            state=CriterionState.NOT_ASSESSED if number % 3 == 2 else each.state, points=None if number % 3 == 2 else each.points,
            reason=unhappy_night.NOT_ASSESSED[6] if number % 3 == 2 else each.reason,
            curve="bands/1 0.5 → 1, 1 → 0.8, 2 → 0.6, 4 → 0.4, 8 → 0.2" if each.unit == "s" else each.curve,
        )
        for number, each in enumerate(card.criteria * 4)
    )  # fmt: skip
    card = replace(
        card, name_vi=long * 3, name_en=long * 3, criteria=criteria, unproven=card.unproven * 6,
        reasons=(*(Reason("address_limit", long * 9) for _ in range(1)), *(Reason("safety_stop", f"{long}{number}" * 9) for number in range(40))),
        nights=tuple(f"2026-11-{day:02}" for day in range(1, 29)),
    )  # fmt: skip
    agency = Agency.model_validate(
        {
            "name_vi": "Cơ quan, " * 20 + "…", "place_vi": "Thành phố, " * 15 + "…", "people": [{"name": "Công Tằng Tôn Nữ, " * 8 + "…", "roles": ["contact"], "title_vi": "Trưởng phòng, " * 12 + "…", "email": "a" * 180, "phone": "0" * 190}],
        }
    )  # fmt: skip
    return facts(
        card, replace(NIGHT, sweep="2026-11-21T22-00Z-" + "w" * 300), agency=agency, publication=PortalPublication("draft", causes=(ReopeningCause(3, long * 20),)),
        permission=NamedPermission("cv-7", f"12/{long * 5}", long * 5), vantage_point=long * 5, address=f"https://{'w' * 200}:443",
        load=tuple(TimesUsage(journey, 1234.5, 0.001, own=own) for journey in ("search", "submit", "pay") for own in (True, False)),
        faults=tuple(replace(each, pages=(f"pages/{'x' * 300}.html",) * 9) for each in FAULTS * 9), dossiers=99_999,
        standing=tuple(f"H{number:02}.{'9' * 90}" for number in range(60)) * 99, shortened=True,
    )  # fmt: skip


def windows_alone(found: LetterFacts) -> tuple[WindowFacts, ...]:
    """The windows of a letter as if one citizen had tried the portal alone."""
    return tuple(replace(window, stage="lone") for window in found.windows)

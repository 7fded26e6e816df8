"""A citizen on the first family: rows, receipts, and every fault named as what it is."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from harness.catalog import Target
from harness.client import Exchange, LeanSession, loopback_only
from harness.records import VISIT_ROW, LedgerLine, Outcome
from harness.visits import StepFailed, judge_receipts

from .conftest import FILING, Simulated, Walked, Walker, compiled


@pytest.fixture(scope="module")
def simulated(simulate: Callable[..., Simulated]) -> Simulated:
    return simulate("liferay")


def test_rows_of_a_whole_journey(simulated: Simulated, walker: Walker) -> None:
    walked = walker.walk(compiled("liferay"), simulated.target("liferay"), (*FILING, "withdraw"))
    assert walked.failure is None
    last = walked.rows[-1]
    assert (last.request, last.outcome, last.goal, last.intended_us) == (VISIT_ROW, Outcome.OK, "", 1)
    assert {row.outcome for row in walked.rows} == {Outcome.OK}
    steps = list(dict.fromkeys((row.goal, row.step) for row in walked.requests))
    assert steps == list(compiled("liferay").planned((*FILING, "withdraw")))
    login = walked.step("log_in")
    assert [(row.request, row.hop, row.host_owner) for row in login] == [
        (0, 0, "portal"), (0, 1, "identity"), (1, 0, "identity"), (1, 1, "portal"), (1, 2, "portal"),
    ]  # fmt: skip
    for before, after in zip(walked.requests, walked.requests[1:], strict=False):
        assert after.intended_us == before.end_us
        assert after.start_us >= before.end_us
    receipt = walked.given["receipt"]
    assert [item["kind"] for item in walked.visit.state.receipts] == ["dossier", "payment", "withdrawal"]
    assert {item["code"] for item in walked.visit.state.receipts} == {receipt}
    assert [(item["code"], item["kind"]) for item in walked.visit.state.tracked] == [(receipt, "found")] * 2
    stored = {item["code"]: item for item in simulated.dossiers("liferay")}[receipt]
    assert (stored["status"], stored["paid"], stored["owner"]) == ("withdrawn", True, walked.visit.state.person.citizen_number)
    assert walked.visit.state.parsing_ns > 0


def test_same_seed_same_citizen_and_choices(simulated: Simulated, walker: Walker) -> None:
    def chosen(**more: Any) -> tuple[str, str]:
        walked = walker.walk(compiled("liferay"), simulated.target("liferay"), ("find",), **more)
        return walked.visit.state.person.name, walked.given["procedure"]["code"]

    assert chosen(visit=5) == chosen(visit=5)
    assert len({chosen(visit=number) for number in range(8)}) > 4


def test_think_times_move_the_intended_start(simulated: Simulated, walker: Walker) -> None:
    slept: list[float] = []
    walked: list[Walked] = []
    visit = walker.visit(
        compiled("liferay"),
        simulated.target("liferay"),
        ("find",),
        walked,
        think=lambda name: 0.25 if name == "read" else 0.5,
        sleep=slept.append,
    )
    visit.think("look")
    visit.perform("find", keyword="kết hôn")
    visit.finish()
    search, procedure = walked[0].requests
    assert search.intended_us == 1 + 500_000
    assert procedure.intended_us == search.end_us + 250_000
    assert slept[1] == pytest.approx(0.25, abs=0.2)
    assert 0 < slept[1] <= 0.25


FAULTS = {
    "csrf_same_302": ("submit", "accepted_without_effect"),
    "rejected_200": ("submit", "submission_rejected"),
    "session_expires": ("submit", "session_expired"),
    "stale_csrf": ("submit", "csrf_token_refused"),
    "callback_lost": ("confirm_payment", "callback_lost"),
    "not_stored": ("quote_fee", "acknowledged_not_stored"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_named_and_never_a_success(simulated: Simulated, walker: Walker, fault: str) -> None:
    step, means = FAULTS[fault]
    faults = ["csrf_same_302", "stale_csrf"] if fault == "csrf_same_302" else [fault]
    simulated.tell("/faults", portal="liferay", faults=faults)
    try:
        walked = walker.walk(compiled("liferay"), simulated.target("liferay"))
    finally:
        simulated.tell("/faults", portal="liferay", faults=[])
    failure = walked.failure
    assert failure is not None
    assert (failure.step, failure.means) == (step, means)
    assert failure.page is not None
    expected = Outcome.HTTP_ERROR if fault == "stale_csrf" else Outcome.WRONG_CONTENT
    assert failure.outcome is expected
    assert walked.rows[-1].outcome is expected
    assert walked.step(step)[-1].outcome is expected
    later = [row for row in walked.requests if row.outcome is Outcome.SKIPPED]
    steps = [name for _, name in compiled("liferay").planned(FILING)]
    assert [row.step for row in later] == steps[steps.index(step) + 1 :]
    assert walker.walk(compiled("liferay"), simulated.target("liferay")).failure is None
    lost = judge_receipts(ledger(walked)).lost
    assert lost == ((("liferay", walked.visit.state.receipts[0]["code"]),) if fault == "not_stored" else ())


def ledger(*walks: Walked) -> list[LedgerLine]:
    return [
        LedgerLine("liferay", "r1", walked.visit.state.visit, **receipt)
        for walked in walks
        for receipt in (*walked.visit.state.receipts, *walked.visit.state.tracked)
    ]


def test_colliding_codes_are_found_across_citizens(simulated: Simulated, walker: Walker) -> None:
    goals = ("find", "file")
    simulated.tell("/faults", portal="liferay", faults=["colliding_codes"])
    try:
        walks = [walker.walk(compiled("liferay"), simulated.target("liferay"), goals) for _ in range(12)]
    finally:
        simulated.tell("/faults", portal="liferay", faults=[])
    duplicates = judge_receipts(ledger(*walks)).duplicates
    codes = [walked.given["receipt"] for walked in walks]
    assert {item.code for item in duplicates} == {code for code in codes if codes.count(code) > 1}
    assert duplicates
    assert len(duplicates[0].visits) == codes.count(duplicates[0].code)
    apart = [walker.walk(compiled("liferay"), simulated.target("liferay"), goals) for _ in range(3)]
    assert judge_receipts(ledger(*apart)).duplicates == ()


@pytest.mark.parametrize(
    ("traits", "outcome", "means"),
    [
        ({"refuses": "forbidden"}, Outcome.BLOCKED, "firewall"),
        ({"refuses": "captcha"}, Outcome.BLOCKED, "captcha"),
        ({"refuses": "maintenance"}, Outcome.BLOCKED, "maintenance"),
        ({"error_share": 1}, Outcome.HTTP_ERROR, ""),
    ],
)
def test_refusals_and_errors(
    simulate: Callable[..., Simulated], walker: Walker, traits: dict[str, Any], outcome: Outcome, means: str
) -> None:
    simulated = simulate("liferay", **traits)
    walked = walker.walk(compiled("liferay"), simulated.target("liferay"))
    assert walked.failure is not None
    assert (walked.failure.outcome, walked.failure.means) == (outcome, means)
    assert (walked.rows[0].step, walked.rows[0].outcome) == ("search", outcome)


def test_a_host_that_is_not_allowed_is_never_asked(simulated: Simulated, walker: Walker) -> None:
    whole = simulated.target("liferay")
    without = Target(
        whole.portal, whole.platform, whole.origins, {origin: owner for origin, owner in whole.owners.items() if owner != "identity"}
    )
    walked = walker.walk(compiled("liferay"), without)
    assert walked.failure is not None
    assert walked.failure.outcome is Outcome.LEFT_ALLOWED_HOSTS
    row = walked.step("log_in")[-1]
    assert (row.outcome, row.hop, row.status, row.start_us) == (Outcome.LEFT_ALLOWED_HOSTS, 1, 0, 0)


def test_cut_off_in_a_request(simulated: Simulated, walker: Walker) -> None:
    class CutError(Exception):
        pass

    class CutSession(LeanSession):
        def request(self, method: str, url: str, **more: Any) -> Exchange:
            if "chi-tiet" in url:
                raise CutError
            return super().request(method, url, **more)

    walked: list[Walked] = []
    visit = walker.visit(
        compiled("liferay"),
        simulated.target("liferay"),
        ("find", "file"),
        walked,
        session_factory=lambda: CutSession(loopback_only, walker.resolver),
    )
    with pytest.raises(CutError):
        visit.perform("find", keyword="khai sinh")
    assert visit.finish(aborted=True) is Outcome.ABORTED
    assert visit.finish() is Outcome.ABORTED
    cut = walked[0].step("open_procedure")
    assert [(row.outcome, row.status) for row in cut] == [(Outcome.ABORTED, 0)]
    assert cut[0].start_us > 0
    assert sum(row.request == VISIT_ROW for row in walked[0].rows) == 1
    assert {row.outcome for row in walked[0].requests if row.goal == "file"} == {Outcome.SKIPPED}


def test_overload_is_not_served_and_unknown_values_are_extraction(simulated: Simulated, walker: Walker) -> None:
    simulated.tell("/personality", portal="liferay", too_many_requests_above=0)
    walked: list[Walked] = []
    visit = walker.visit(compiled("liferay"), simulated.target("liferay"), ("find",), walked)
    with pytest.raises(StepFailed) as failed:
        visit.perform("find")  # no keyword was handed over
    assert failed.value.outcome is Outcome.EXTRACTION
    assert "`keyword` is not known" in failed.value.detail
    visit.finish()
    assert [(row.step, row.outcome, row.start_us) for row in walked[0].requests] == [
        ("search", Outcome.EXTRACTION, 0), ("open_procedure", Outcome.SKIPPED, 0),
    ]  # fmt: skip


def test_a_visit_that_is_over_is_gone_without_the_garbage_collector(simulated: Simulated, walker: Walker) -> None:
    gc.collect()
    gc.disable()
    try:
        walked = walker.walk(compiled("liferay"), simulated.target("liferay"), observer=None)
        visit = weakref.ref(walked.visit)
        del walked
        assert visit() is None
    finally:
        gc.enable()

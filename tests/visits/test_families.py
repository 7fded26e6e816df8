"""Six families: every journey walks, and every fault is named as what it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.profiles import compile_platform
from harness.profiles.functions import FUNCTIONS
from harness.records import LedgerLine, Outcome
from harness.visits import judge_receipts

from .conftest import CATALOG, Simulated, Walker, compiled

FAMILIES = ("liferay", "national", "igate-formio", "igate-php", "eform", "opencps")
FEE_FIRST = {"igate-formio", "igate-php"}
CSRF = {
    "liferay": "csrf_token_refused", "national": "", "igate-formio": "captcha_token_refused", "igate-php": "started_again",
    "eform": "session_or_token_expired", "opencps": "csrf_token_refused",
}  # fmt: skip


@pytest.fixture(scope="module")
def simulated(simulate: Callable[..., Simulated]) -> Simulated:
    return simulate(*FAMILIES)


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return request.param


def walk_with(simulated: Simulated, walker: Walker, family: str, faults: list[str], goals: tuple[str, ...]):
    simulated.tell("/faults", portal=family, faults=faults)
    try:
        return walker.walk(compiled(family), simulated.target(family), goals)
    finally:
        simulated.tell("/faults", portal=family, faults=[])


def test_every_family_of_the_simulator_is_described() -> None:
    assert set(FAMILIES) <= set(CATALOG.platforms)
    assert {portal.embedded_platform for portal in CATALOG.portals.values()} - {"calibration"} == set(FAMILIES)


def test_all_goals_are_reached(simulated: Simulated, walker: Walker, family: str) -> None:
    walked = walker.walk(compiled(family), simulated.target(family), ("find", "file", "pay", "track", "withdraw"))
    assert walked.failure is None
    assert {row.outcome for row in walked.rows} == {Outcome.OK}
    stored = {item["code"]: item for item in simulated.dossiers(family)}[walked.given["receipt"]]
    assert (stored["status"], stored["paid"], stored["owner"]) == ("withdrawn", True, walked.visit.state.person.citizen_number)
    steps = [row.step for row in walked.requests]
    assert (steps.index("confirm_payment") < steps.index("submit")) is (family in FEE_FIRST)
    assert {row.goal for row in walked.step("confirm_payment")} == {"pay"}
    assert sorted(item["kind"] for item in walked.visit.state.receipts) == ["dossier", "payment", "withdrawal"]


def test_nothing_to_pay_is_no_failure(simulated: Simulated, walker: Walker, family: str) -> None:
    walked = walker.walk(compiled(family), simulated.target(family), ("find", "file", "track"), "khuyết tật")
    assert walked.failure is None
    assert walked.rows[-1].outcome is Outcome.OK
    assert not walked.step("pay")
    assert {row.outcome for row in walked.requests} == {Outcome.OK}


@pytest.mark.parametrize(
    ("faults", "means"),
    [
        (["rejected_200"], "submission_rejected"),
        (["csrf_same_302", "stale_csrf"], "accepted_without_effect"),
        (["stale_csrf"], None),
        (["session_expires"], "session_expired"),
    ],
)
def test_faults_of_the_submission(simulated: Simulated, walker: Walker, family: str, faults: list[str], means: str | None) -> None:
    walked = walk_with(simulated, walker, family, faults, ("find", "file", "track"))
    assert walked.failure is not None
    if means is None:
        means = CSRF[family]
    elif means == "session_expired" and family == "eform":
        means = "session_or_token_expired"  # this family answers both alike
    assert (walked.failure.step, walked.failure.means) == ("submit", means)
    assert walked.failure.outcome in (Outcome.WRONG_CONTENT, Outcome.HTTP_ERROR)
    assert not [item for item in walked.visit.state.receipts if item["kind"] == "dossier"]
    assert walked.rows[-1].outcome is walked.failure.outcome


def test_a_lost_callback(simulated: Simulated, walker: Walker, family: str) -> None:
    walked = walk_with(simulated, walker, family, ["callback_lost"], ("find", "file", "pay"))
    assert walked.failure is not None
    assert (walked.failure.goal, walked.failure.step, walked.failure.means) == ("pay", "confirm_payment", "callback_lost")
    assert not [item for item in walked.visit.state.receipts if item["kind"] == "payment"]
    assert walked.step("confirm_payment")[-1].outcome is Outcome.WRONG_CONTENT


def test_an_acknowledged_dossier_that_was_never_stored(simulated: Simulated, walker: Walker, family: str) -> None:
    walked = walk_with(simulated, walker, family, ["not_stored"], ("find", "file", "track"))
    assert walked.failure is not None
    assert (walked.failure.step, walked.failure.means) == ("track", "acknowledged_not_stored")
    code = next(item["code"] for item in walked.visit.state.receipts if item["kind"] == "dossier")
    records = [LedgerLine(family, "r1", 1, **item) for item in (*walked.visit.state.receipts, *walked.visit.state.tracked)]
    assert judge_receipts(records).lost == ((family, code),)


def test_bearer_tokens_are_renewed_when_they_expire_and_when_they_are_refused(simulate: Callable[..., Simulated], walker: Walker) -> None:
    brief = simulate("igate-formio", token_ttl_s=6)  # the profile renews five seconds before the end: from the second on
    walked = walker.walk(
        compiled("igate-formio"),
        brief.target("igate-formio"),
        ("find", "file", "track"),
        think=lambda name: 1.2 if name == "attach" else 0.0,
    )
    assert walked.failure is None
    renewals = [seen for seen in walked.seen if seen.exchange.url.endswith("/api/oidc/token") and seen.step != "log_in"]
    assert [seen.step for seen in renewals][:1] == ["attach"]
    assert len({seen.extracted["access_token"] for seen in renewals}) == len(renewals)

    platform = CATALOG.platforms["igate-formio"]
    never_told = platform.model_copy(update={"bearers": {"citizen": platform.bearers["citizen"].model_copy(update={"expires_in_s": None})}})
    ended = simulate("igate-formio", token_ttl_s=1)
    walked = walker.walk(
        compile_platform(never_told, FUNCTIONS),
        ended.target("igate-formio"),
        ("find", "file"),
        think=lambda name: 1.1 if name == "attach" else 0.0,
    )
    assert walked.failure is None
    refused = [row for row in walked.step("attach") if row.status == 401]
    assert [(row.request, row.outcome) for row in refused] == [(0, Outcome.OK)]
    assert [row.method for row in walked.step("attach")] == ["POST", "POST", "POST", "PUT"]

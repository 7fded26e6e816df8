"""Each rule finds what was made slow or made fail, with its figures; and says nothing where the rows do not carry it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from random import Random

import pyarrow as pa
import pytest

from harness.diagnosis import EvidenceBeside, Finding, diagnose
from harness.evidence.facts import Reason, UnprovenJourney, Verdict
from harness.evidence.reasons import Language
from harness.publish import conclusion_text, finding_text
from harness.records import FailureCount, Outcome

from .made_rows import LOGIN_HOST, PAYMENT_HOST, STEPS, Change, Made, Portal

LANGUAGES: tuple[Language, ...] = ("vi", "en")


def at(step: str, **values: object) -> Change:
    """Every request of a step, changed alike; ``server`` is added."""

    def change(made: Made) -> None:
        if made.step == step:
            for name, value in values.items():
                setattr(made, name, made.server + value if name == "server" else value)

    return change


def failing(means: str, count: int, step: str = "confirm_payment", outcome: str = "wrong_content") -> EvidenceBeside:
    """Failures as a round's record counts them, of the first loaded window and of the lone walks."""
    kind = FailureCount("pay", "file" if step == "submit" else "pay", step, outcome, means, "a rule", count)
    return EvidenceBeside({0: (replace(kind, count=1),), 1: (kind,)})


def main_of(portal: Portal) -> Finding:
    return portal.diagnosed().main


def test_nothing_stands_out_where_nothing_was_changed() -> None:
    for seed in range(8):
        assert Portal(seed=seed).codes == ["nothing_stands_out"]


@pytest.mark.parametrize(
    ("phase", "seconds", "remedy"),
    [("tls", 0.8, "check_tls"), ("dns", 0.8, "check_dns"), ("connect", 0.8, "check_network_path"), ("transfer", 0.8, "widen_line")],
)
def test_a_part_of_requests_that_takes_long_is_named(phase: str, seconds: float, remedy: str) -> None:
    def change(made: Made) -> None:
        if made.owner == "portal" and (phase == "transfer" or made.step == "search"):
            setattr(made, phase, seconds)

    found = main_of(Portal(change))
    assert (found.code, found.subject.phase, found.remedy) == ("slow_phase", phase, remedy)
    assert found.figure("each") == pytest.approx(seconds, abs=0.01)
    assert found.share is not None
    assert found.share > 0.5


def test_requests_that_we_send_late_are_not_the_portals_and_are_said() -> None:
    def change(made: Made) -> None:
        made.wait = 0.3

    found = Portal(change).diagnosed()
    assert found.main.code == "nothing_stands_out"
    late = found.findings[-1]
    assert (late.code, late.sureness, late.figure("each")) == ("late_requests", "cannot_tell", pytest.approx(0.3, abs=0.001))


def test_a_far_network_is_not_blamed_on_tls() -> None:
    """A handshake takes two to three ways where connecting takes one."""
    assert "tls" not in {each.subject.phase for each in Portal(at("search", connect=0.15, tls=0.3)).diagnosed().findings}


def test_one_slow_step_is_named_and_its_excess() -> None:
    found = main_of(Portal(at("attach", server=0.8)))
    assert (found.code, found.subject.step, found.subject.path_template) == ("slow_step", "attach", "/attach")
    assert found.figure("slow") == pytest.approx(0.83, abs=0.02)
    assert found.figure("others") == pytest.approx(0.03, abs=0.01)


@pytest.mark.parametrize(("owner", "host"), [("identity", LOGIN_HOST), ("payment", PAYMENT_HOST)])
def test_one_slow_host_among_shared_ones_is_named(owner: str, host: str) -> None:
    found = main_of(Portal(at("log_in" if owner == "identity" else "pay", server=0.7)))
    assert (found.code, found.subject.host, found.subject.host_owner, found.remedy) == ("slow_host", host, owner, "ask_host_owner")


def test_a_page_is_large_by_its_bytes_and_its_transfer() -> None:
    page = at("search", bytes=2_500_000, transfer=1.0)
    found = main_of(Portal(page))
    assert (found.code, found.subject.step, found.figure("bytes"), found.variant) == ("large_page", "search", 2_500_000, "")
    known = EvidenceBeside(encodings=lambda: {("find", "search", 0, 0): ""})
    assert main_of(Portal(page, beside=known)).variant == "uncompressed"
    assert Portal(at("search", bytes=150_000, transfer=0.002)).codes == ["nothing_stands_out"]


def test_growth_is_compared_with_a_lone_citizen_and_the_level_stays_unknown() -> None:
    def change(made: Made) -> None:
        made.server *= 6 if made.level else 1

    found = Portal(change, base_s=0.05).diagnosed()
    assert (found.main.code, found.main.variant) == ("slows_under_load", "")
    assert found.main.figure("above") == pytest.approx(0.3, rel=0.1)
    assert "level_unknown" in {each.code for each in found.findings}


def test_a_knee_is_named_by_its_level() -> None:
    def change(made: Made) -> None:
        made.server *= 8 if made.level >= 4 else 1

    found = main_of(Portal(change, levels=(1, 2, 4, 8)))
    assert (found.code, found.figure("level"), found.figure("level_below")) == ("slows_at_level", 4, 2)


def test_growth_from_level_to_level_is_no_knee() -> None:
    def change(made: Made) -> None:
        made.server *= max(made.level, 1)

    found = main_of(Portal(change, levels=(2, 3, 4.5, 6.5), base_s=0.08))
    assert (found.code, found.figure("level"), found.figure("level_below")) == ("slows_gradually", 6.5, 2)


def test_without_a_lone_walk_and_with_one_level_growth_is_unknown() -> None:
    assert "load_unknown" in {each.code for each in Portal(alone=0).diagnosed().findings}


def test_a_portal_that_turns_away_works_like_as_many_servers_as_it_keeps_busy() -> None:
    """Eight requests of 30 ms, less for shared hosts: with 40 visits in 20 s, 60 % of them turned away, some 0.2 are under way."""

    def change(made: Made) -> None:
        made.server *= 40 if made.level else 1

    found = main_of(Portal(change, visits=200, turned_away=lambda level: 0.6))
    assert (found.code, found.variant, found.remedy, found.sureness) == ("capacity_reached", "one", "add_capacity", "likely")
    assert found.share == pytest.approx(0.6, abs=0.1)
    assert found.figure("arrivals_per_s") == pytest.approx(10)


def test_how_many_servers_is_not_said_without_a_queue() -> None:
    """A limit of the rate turns visits away although times stay as they are."""
    found = main_of(Portal(turned_away=lambda level: 0.3))
    assert (found.code, found.figure("requests_at_once")) == ("not_served", None)


def test_a_session_that_ends_by_age_is_named_with_its_age() -> None:
    def change(made: Made) -> None:
        if made.owner == "portal" and made.goal != "find" and made.age + made.idle > 3.0:
            made.outcome = Outcome.WRONG_CONTENT

    found = main_of(Portal(change))
    assert (found.code, found.variant) == ("fails_with_session_age", "")
    assert found.figure("age") == pytest.approx(1.5, abs=0.5)  # since the login, which comes some 1.5 s after the visit's begin
    assert [found.figure(name) for name in ("failed_before", "steps_before")] == pytest.approx([0, 100], abs=4)
    assert found.share is not None
    assert found.share > 0.3


def test_a_session_that_ends_by_idleness_is_named_with_it() -> None:
    def change(made: Made) -> None:
        if made.owner == "portal" and made.goal == "file" and made.idle > 0.8:
            made.outcome = Outcome.WRONG_CONTENT

    found = main_of(Portal(change))
    assert (found.code, found.variant) == ("fails_with_session_age", "idle")
    assert found.figure("age") == pytest.approx(0.8, abs=0.05)
    assert found.figure("failed_before") == 0


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_a_step_that_fails_at_any_age_is_no_matter_of_the_session(share: float) -> None:
    def change(made: Made) -> None:
        if made.step == "submit" and made.level and made.visit % 10 < 10 * share:
            made.outcome = Outcome.WRONG_CONTENT

    found = main_of(Portal(change, visits=100, beside=failing("submission_rejected", round(100 * share), "submit")))
    assert (found.code, found.subject.step, found.subject.fault) == ("failing_step", "submit", "submission_rejected")
    assert found.share == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize(("means", "code"), [("callback_lost", "no_callback"), ("payment_failed", "payment_refused")])
def test_payments_are_told_apart_by_what_the_profile_calls_the_page(means: str, code: str) -> None:
    def change(made: Made) -> None:
        if made.step == "confirm_payment" and made.level and made.visit % 2:
            made.outcome = Outcome.WRONG_CONTENT

    assert Portal(change, beside=failing(means, 20)).codes == [code]


def test_a_confirmation_that_never_comes_is_a_callback_that_is_likely_lost() -> None:
    def change(made: Made) -> None:
        if made.step == "confirm_payment" and made.level and made.visit % 2:
            made.outcome, made.status, made.server = Outcome.TIMEOUT, 0, 20.0

    found = next(each for each in Portal(change).diagnosed().findings if each.code == "no_callback")
    assert (found.sureness, found.remedy) == ("likely", "mend_callback")
    found = next(each for each in Portal(change, beside=failing("callback_lost", 1)).diagnosed().findings if each.code == "no_callback")
    assert found.sureness == "likely"  # one page with the rule's name says nothing of the others


def test_one_slow_moment_is_named_with_its_window_and_time() -> None:
    def change(made: Made) -> None:
        made.server *= 20 if made.window == 2 and 5.2 < made.into_window < 9.5 else 1

    found = main_of(Portal(change, levels=(2.0,) * 4, visits=80))
    assert (found.code, found.subject.window) == ("slow_window", 2)
    assert found.subject.minute_utc == "2026-11-21T14:00:05+00:00"


def test_one_slow_worker_is_ours_to_check() -> None:
    def change(made: Made) -> None:
        made.server *= 6 if made.worker == "w1" and made.level else 1

    found = next(each for each in Portal(change, workers=4, visits=120, base_s=0.05).diagnosed().findings if each.code == "slow_worker")
    assert (found.subject.worker, found.remedy) == ("w1", "check_worker")


def test_a_slow_server_is_said_only_where_times_cost_points() -> None:
    slow = main_of(Portal(base_s=0.4, lost_points=True))
    assert (slow.code, slow.variant) == ("slow_server", "alone")
    assert Portal(base_s=0.4).codes == ["nothing_stands_out"]


def test_a_journey_that_was_not_loaded_is_named_with_its_rule() -> None:
    stopped = UnprovenJourney("pay", "pay", "confirm_payment", Outcome.WRONG_CONTENT, "a rule")
    found = main_of(Portal(unproven=(stopped,), beside=failing("callback_lost", 3)))
    assert (found.code, found.subject.fault, found.remedy) == ("journey_stopped", "callback_lost", "mend_callback")


@pytest.mark.parametrize(("verdict", "code"), [(Verdict.BLOCKED, "refused_alone"), (Verdict.UNREACHABLE, "unreachable")])
def test_what_was_not_measured_is_said_first(verdict: Verdict, code: str) -> None:
    portal = Portal(verdict=verdict)
    assert [each.code for each in diagnose(None, portal.facts, portal.card).findings] == [code]


@pytest.mark.parametrize("portal", [Portal(visits=3), Portal(levels=()), Portal(levels=(), alone=0)])
def test_few_rows_say_nothing_but_that(portal: Portal) -> None:
    assert [each.code for each in portal.diagnosed().findings] == ["too_few_rows"]


def test_visits_that_a_safety_stop_left_over_are_no_lack_of_capacity_where_a_step_fails() -> None:
    stop = (Reason("safety_stop", "round 1: errors 40/60 > 50%"),)
    broken = Portal(at("submit", outcome=Outcome.HTTP_ERROR, status=500), visits=120, turned_away=lambda level: 0.6, reasons=stop)
    assert main_of(broken).code == "failing_step"
    refusing = Portal(at("submit", outcome=Outcome.NOT_SERVED, status=503), visits=120, turned_away=lambda level: 0.6, reasons=stop)
    assert (main_of(refusing).code, main_of(refusing).share) == ("not_served", 1.0)
    assert main_of(replace(broken, reasons=())).code == "not_served"  # turned away at the ceiling


def test_where_everybody_was_turned_away_that_is_said_first() -> None:
    not_served, too_few = Portal(visits=80, turned_away=lambda level: 1.0).diagnosed().findings
    assert (not_served.code, not_served.share) == ("not_served", 1.0)
    assert (too_few.code, too_few.figure("requests")) == ("too_few_rows", 0)


def test_answers_without_any_time_are_diagnosed() -> None:
    def change(made: Made) -> None:
        made.server = made.transfer = 0.0

    assert Portal(change).codes == ["nothing_stands_out"]


def test_rows_of_failures_alone_are_diagnosed() -> None:
    def change(made: Made) -> None:
        made.outcome, made.status, made.server = Outcome.TIMEOUT, 0, 20.0

    found = Portal(change, visits=80).diagnosed()
    assert (found.main.code, found.main.subject.step, found.main.subject.fault, found.main.share) == (
        "failing_step",
        "search",
        "timeout",
        1.0,
    )


def timings_of(portal: Portal, parts: Callable[[dict[str, int]], dict[str, int]]) -> EvidenceBeside:
    """Each answer of the portal with its own account of its time."""
    rows = [row for row in portal.rows.to_pylist() if row["request"] >= 0]
    metrics = [row | {"name": name, "duration_us": us} for row in rows for name, us in parts(row).items()]
    return EvidenceBeside(server_timings=lambda: pa.Table.from_pylist(metrics))


def server_us(row: dict[str, int]) -> int:
    return row["first_byte_us"] - row["start_us"]


def test_the_part_that_takes_most_of_a_slow_step_is_named() -> None:
    portal = Portal(at("attach", server=0.8))
    beside = timings_of(Portal(at("attach", server=0.8)), lambda row: {"app": 20_000, "db": max(server_us(row) - 20_000, 0)})
    found = next(each for each in Portal(portal.change, beside=beside).diagnosed().findings if each.code == "server_part")
    assert (found.subject.part, found.subject.step, found.variant, found.share_of) == ("db", "attach", "step", "server")
    assert found.share == pytest.approx(0.97, abs=0.02)


def test_a_part_longer_than_its_answer_is_not_believed() -> None:
    beside = timings_of(Portal(base_s=0.4), lambda row: {"db": 10 * server_us(row)})
    codes = [each.code for each in Portal(base_s=0.4, lost_points=True, beside=beside).diagnosed().findings]
    assert "server_parts_unknown" in codes
    assert "server_part" not in codes


HOSTILE = "<script>alert(1)</script>\x1b[31m\n=cmd|' /C calc'!A0{share}" + "x" * 500


def test_hostile_names_are_text_and_bounded() -> None:
    def change(made: Made) -> None:
        made.step, made.host = (HOSTILE, HOSTILE) if made.step == "attach" else (made.step, made.host)
        made.server += 0.8 if made.step == HOSTILE else 0

    found = Portal(change).diagnosed()
    assert found.main.code in {"slow_step", "slow_host"}
    for language in LANGUAGES:
        said = conclusion_text(found, language)
        assert "\x1b" not in said
        assert "\n" not in said
        assert len(said) < 1000
        assert "{share}" in said or found.main.code == "slow_host"  # what a portal wrote is no template


def test_each_finding_is_worded_in_both_languages() -> None:
    def of_a_moment_or_worker(made: Made) -> None:
        made.server *= 20 if made.window == 2 and 5.2 < made.into_window < 9.5 else 6 if made.worker == "w1" and made.level else 1

    portals = [Portal(at("attach", server=0.8)), Portal(at("search", tls=0.8)), Portal(turned_away=lambda level: 0.3), Portal(visits=3)]
    portals += [Portal(of_a_moment_or_worker, levels=(2.0,) * 4, visits=80, workers=workers, base_s=0.05) for workers in (1, 4)]
    for finding in (finding for portal in portals for finding in portal.diagnosed().findings):
        for language in LANGUAGES:
            text = finding_text(finding, language)
            assert text.statement.endswith(".")
            assert "{" not in text.statement + text.remedy
            assert re.search(r"\b(\w+) \1\b", text.statement) is None, text.statement  # a figure has its unit already


@pytest.mark.parametrize("seed", range(12))
def test_whatever_the_rows_are_shares_are_shares_and_figures_are_numbers(seed: int) -> None:
    """Portals at random: any step may be slow, large, failing, unanswered or instant, at any host, with any number of workers."""
    random = Random(seed)
    outcomes = [Outcome.OK] * random.randint(1, 8) + list(Outcome)
    scale = {step: 10 ** random.uniform(-9, 1) for _, step, _, _ in STEPS}
    parts = [name for name in ("wait", "dns", "connect", "tls", "transfer", "bytes") if random.random() < 0.5]

    def change(made: Made) -> None:
        made.server = scale[made.step] * random.random()
        made.outcome, made.status = random.choice(outcomes), random.choice([200, 302, 429, 503, 0])
        for name in parts:
            setattr(made, name, random.choice([0, 0, 0.3, 20]) if name != "bytes" else random.choice([0, 10**7]))

    levels = [random.choice([0.0, 1.0, 2.0, 4.0]) for _ in range(random.randint(1, 6))]
    portal = Portal(
        change, levels, workers=random.randint(1, 3), alone=random.randint(0, 4), turned_away=lambda level: 0.1 * random.randint(0, 5)
    )
    for finding in portal.diagnosed().findings:
        assert finding.share is None or 0 <= finding.share <= 1
        assert all(math.isfinite(each.value) and each.value >= 0 for each in finding.figures)
        assert all(finding_text(finding, language).statement for language in LANGUAGES)


@pytest.mark.parametrize(("code", "remedy"), [("late_arrivals", "free_generator"), ("our_own_files", "")])
def test_void_windows_are_said_before_that_nothing_stands_out(code: str, remedy: str) -> None:
    portal = Portal(levels=(2.0, 2.0, 2.0))
    facts = portal.facts
    *others, last = facts.windows
    void = replace(last, verdict=Verdict.VOID, reasons=(Reason(code),))
    found = diagnose(portal.rows, replace(facts, windows=(*others, void)), portal.card).main
    assert (found.code, found.variant, found.remedy) == ("nothing_stands_out", "void", remedy)
    assert (found.figure("void"), found.figure("windows")) == (1, 3)
    assert finding_text(found, "en").statement.startswith("1 of 3 windows are void by a fault of the measurement")
    assert "stands out" not in finding_text(found, "en").statement

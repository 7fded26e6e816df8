"""Flow on a sloppy web site: polls, repeats, conditions, attempts, actors, assets, values, secrets, what a goal gives."""

from __future__ import annotations

import pytest

from harness.catalog import Target, origin_of
from harness.records import Outcome
from harness.visits import StepFailed

from .conftest import Walker, walk
from .sloppy_site import Site, paths, platform, requests


def test_an_answer_that_is_too_much_work_is_the_portals_failure(site: Site, walker: Walker) -> None:
    walked = walk(site, walker, platform(requests('{get: "{{ origin.portal }}/deep", expect: {require_selector: div}}')))
    assert walked.failure is not None
    assert (walked.failure.outcome, walked.failure.rule) == (Outcome.WRONG_CONTENT, "elements more than 256 deep")


def test_polling_waits_apart_from_requests(site: Site, walker: Walker) -> None:
    line = '{get: "{{ origin.portal }}/poll", poll: {until: {json: {path: state, equals: done, means: never_done}}, every_s: 0.05, limit_s: 5}, extract: {s: {json: state}}}'
    walked = walk(site, walker, platform(requests(line, '{get: "{{ origin.portal }}/after"}'), "{procedure: '{{ s }}'}"))
    assert walked.failure is None
    assert walked.given["procedure"] == "done"
    assert [(row.request, row.polling_wait_us) for row in walked.requests] == [(0, 0), (1, 50_000), (2, 50_000), (3, 0)]
    first, second = walked.requests[:2]
    assert second.intended_us == first.end_us + 50_000
    assert second.start_us >= second.intended_us


def test_polling_ends(site: Site, walker: Walker) -> None:
    site.polls = -1_000_000
    line = '{get: "{{ origin.portal }}/poll", poll: {until: {json: {path: state, equals: done, means: never_done}}, every_s: 0.05, limit_s: 0.12}}'
    walked = walk(site, walker, platform(requests(line)))
    assert walked.failure is not None
    assert (walked.failure.outcome, walked.failure.means) == (Outcome.WRONG_CONTENT, "never_done")
    assert walked.requests[-1].outcome is Outcome.WRONG_CONTENT
    assert all(row.outcome is Outcome.OK for row in walked.requests[:-1])


def test_polling_tells_what_it_waited_for(site: Site, walker: Walker) -> None:
    site.polls = -1_000_000
    line = '{get: "{{ origin.portal }}/poll", let: {wanted: done}, poll: {until: {json: {path: state, equals: "{{ wanted }}"}}, every_s: 0.01, limit_s: 0.01}}'
    failure = walk(site, walker, platform(requests(line))).failure
    assert failure is not None
    rule = "not within 0.01 s: JSON state equal to '{{ wanted }}'"
    assert (failure.rule, failure.detail) == (rule, rule + ": 'done'; it is 'busy'")


def test_a_value_that_is_not_the_expected_one_is_wrong_content(site: Site, walker: Walker) -> None:
    line = '{get: "{{ origin.portal }}/150", extract: {fee: {css: "#path", match: "/(.*)", as: int}}, expect: {values: {fee: {equals: %s, means: wrong_fee}}}}'
    assert walk(site, walker, platform(requests(line % '"150"'))).failure is None
    walked = walk(site, walker, platform(requests(line % '"{{ visit }}000"')), visit=9)
    assert walked.failure is not None
    assert (walked.failure.outcome, walked.failure.means) == (Outcome.WRONG_CONTENT, "wrong_fee")
    assert walked.failure.detail == "wrong_fee: value fee equal to '{{ visit }}000'; it is 150"
    assert walked.failure.rule == "value fee equal to '{{ visit }}000'"
    assert "fee" not in walked.visit.state.scope


def test_a_rule_that_fails_is_shown_with_its_values_and_without_secrets(
    site: Site, walker: Walker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_TEST_KEY", "kính-mật-77")
    target = Target("site", "site", {"portal": site.origin}, {origin_of(site.origin): "portal"}, None, {"key": "env:HARNESS_TEST_KEY"})
    line = '{get: "{{ origin.portal }}/a", expect: {require_text: "{{ keyword }} {{ secret(\'key\') }}"}}'
    failure = walk(site, walker, platform(requests(line)), target=target).failure
    assert failure is not None
    assert failure.rule == "text \"{{ keyword }} {{ secret('key') }}\""
    assert failure.detail == failure.rule + ": 'từ khóa •••'"


def test_repeats_and_conditions(site: Site, walker: Walker) -> None:
    compiled = platform(
        requests(
            '{get: "{{ origin.portal }}/n/{{ item }}", repeat: {times: 2}}',
            '{get: "{{ origin.portal }}/o/{{ name }}", repeat: {over: "{{ split(\'a b c\', \' \') }}", item: name}, extract: {last: {css: "#path"}}}',
            '{get: "{{ origin.portal }}/yes", only_if: "{{ equals(last, \'/o/c\') }}"}',
            '{get: "{{ origin.portal }}/no", skip_if: "{{ last }}"}',
            '{get: "{{ origin.portal }}/unknown", only_if: "{{ never }}"}',
            '{get: "{{ origin.portal }}/let", let: {never: "1", pair: {a: "{{ last }}"}}, skip_if: "{{ pair.a }}"}',
        )
    )
    walked = walk(site, walker, compiled)
    assert walked.failure is None
    assert paths(site) == ["/n/1", "/n/2", "/o/a", "/o/b", "/o/c", "/yes", "/let"]
    assert [row.request for row in walked.requests] == list(range(7))


def test_a_step_that_is_repeated_is_another_attempt(site: Site, walker: Walker) -> None:
    steps = '      - {step: search, repeat: {times: 3}, requests: [{get: "{{ origin.portal }}/{{ item }}"}]}\n      - {step: search, once: true, requests: [{get: "{{ origin.portal }}/once"}]}'
    walked = walk(site, walker, platform(steps))
    assert [(row.attempt, row.request) for row in walked.requests] == [(1, 0), (2, 0), (3, 0)]
    assert paths(site) == ["/1", "/2", "/3"]


def test_a_step_that_fails_before_its_first_request_begins_when_it_was_due(site: Site, walker: Walker) -> None:
    """After the think time, as any other: what the citizen thought is no time of the step."""
    steps = """\
      - {step: search, requests: [{get: "{{ origin.portal }}/poll", extract: {names: {json: state}}}]}
      - {step: open_procedure, think: read, requests: [{get: "{{ origin.portal }}/{{ i }}", repeat: {over: "{{ names }}", item: i}}]}"""
    slept: list[float] = []
    walked = walk(site, walker, platform(steps), think=lambda _name: 30.0, sleep=slept.append)
    assert walked.failure is not None
    assert (walked.failure.step, walked.failure.outcome) == ("open_procedure", Outcome.EXTRACTION)
    search, procedure = walked.requests
    assert procedure.intended_us == search.end_us + 30_000_000
    assert slept[0] == pytest.approx(30, abs=1)


def test_actors_have_cookies_of_their_own(site: Site, walker: Walker) -> None:
    steps = '      - {step: log_in, requests: [{get: "{{ origin.portal }}/set-cookie"}, {get: "{{ origin.portal }}/who", extract: {mine: {css: "#who"}, c: {cookie: who}}}]}\n      - {step: track, actor: tracker, requests: [{get: "{{ origin.portal }}/who", extract: {theirs: {css: "#who"}}}]}\n      - {step: search, requests: [{get: "{{ origin.portal }}/who?{{ cookie(\'who\') }}", extract: {still: {css: "#who"}}}]}\n      - {step: search, fresh: true, requests: [{get: "{{ origin.portal }}/who", extract: {anew: {css: "#who"}}}]}'
    walked = walk(site, walker, platform(steps, "{procedure: '{{ mine }} {{ theirs }} {{ still }} {{ anew }} {{ c }}'}"))
    assert walked.failure is None
    assert walked.given["procedure"] == "who=citizen nobody who=citizen nobody citizen"
    assert "/who?citizen" in paths(site)
    assert [(row.step, row.attempt) for row in walked.step("search")] == [("search", 1), ("search", 2)]


def test_assets_as_a_browser_fetches_them(site: Site, walker: Walker) -> None:
    steps = requests(
        '{get: "{{ origin.portal }}/assets", assets: true}',
        '{get: "{{ origin.portal }}/assets", assets: true}',
        '{get: "{{ origin.portal }}/end"}',
    )
    walked = walk(site, walker, platform(steps), with_assets=True)
    assert walked.failure is None
    fetched = [path for path in paths(site) if path not in ("/assets", "/end")]
    assert sorted(fetched) == ["/a.css", "/a.js", "/bg.svg", "/gone.png"]
    rows = {row.request: row for row in walked.requests}
    assert sorted(rows) == list(range(7))
    assert sorted(row.outcome for row in rows.values()) == [Outcome.HTTP_ERROR] + [Outcome.OK] * 6
    page, style = rows[0], rows[4]
    assert {rows[number].intended_us for number in (1, 2, 3)} == {page.end_us}
    assert style.intended_us == max(rows[number].end_us for number in (1, 2, 3))
    site.asked.clear()
    assert walk(site, walker, platform(steps)).failure is None
    assert paths(site) == ["/assets", "/assets", "/end"]


def test_overload_and_refusals(site: Site, walker: Walker) -> None:
    busy = requests('{get: "{{ origin.portal }}/busy"}')
    for compiled, more, outcome in (
        (platform(busy), {}, Outcome.NOT_SERVED),
        (platform(busy, more="blocked_when: [{name: nightly, status: 503, text: /busy}]"), {}, Outcome.BLOCKED),
    ):
        walked = walk(site, walker, compiled, **more)
        assert walked.failure is not None
        assert walked.failure.outcome is outcome
        assert [row.outcome for row in walked.rows] == [outcome, outcome]


def test_secrets_stand_nowhere(site: Site, walker: Walker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_TEST_KEY", "kính-mật-77")
    target = Target("site", "site", {"portal": site.origin}, {origin_of(site.origin): "portal"}, None, {"key": "env:HARNESS_TEST_KEY"})
    line = '{get: "{{ origin.portal }}/{{ urlencode(given) }}", let: {given: "{{ secret(\'key\') }}"}, extract: {shown: {url: "/([^/]+)$"}, n: {regex: "no (.*) here"}}}'
    walked = walk(site, walker, platform(requests(line)), target=target)
    assert walked.failure is not None
    assert "kính-mật-77" not in repr(walked.failure) + repr([seen.failure for seen in walked.seen]) + repr(target)
    echoing = "{get: \"{{ origin.portal }}/{{ secret('key') }}\", expect: {require_text: \"{{ secret('key') }}x\"}, extract: {a: {css: p}}}"
    walked = walk(site, walker, platform(requests(echoing)), target=target)
    assert walked.failure is not None
    assert "kính-mật-77" not in str(walked.failure)


def test_a_receipt_without_a_value_is_a_failure_of_its_step(site: Site, walker: Walker) -> None:
    line = '{get: "{{ origin.portal }}/a", extract: {x: {css: b, default: null}}, receipt: {code: "{{ x }}"}}'
    walked = walk(site, walker, platform(requests(line)))
    assert walked.failure is not None
    assert (walked.failure.outcome, walked.failure.detail) == (Outcome.EXTRACTION, "None is not a text or a number")


def test_what_a_goal_should_give_and_does_not(site: Site, walker: Walker) -> None:
    compiled = platform(
        requests(
            '{get: "{{ origin.portal }}/a", extract: {x: {css: b, default: null}}}',
            '{get: "{{ origin.portal }}/b", only_if: "{{ x }}", extract: {y: {css: b}}}',
        ),
        "{procedure: '{{ y }}'}",
    )
    walked = walk(site, walker, compiled)
    assert isinstance(walked.failure, StepFailed)
    assert (walked.failure.outcome, walked.failure.detail) == (Outcome.EXTRACTION, "`y` is not known")
    assert [row.outcome for row in walked.rows] == [Outcome.OK, Outcome.EXTRACTION, Outcome.EXTRACTION]

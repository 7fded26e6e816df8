"""Failing pages under load: the first few of each kind, cut to size, without secrets; a flood of failures costs a count each."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from types import MappingProxyType, SimpleNamespace
from urllib.parse import quote_plus

import pytest

from harness.catalog import Target
from harness.client import Exchange
from harness.load.failure_sampler import FailureSampler
from harness.load.outbox import Outbox
from harness.pages.forms import form_value
from harness.pages.page import Page
from harness.records import Outcome, WindowKey
from harness.records.fleet_messages import Batch, unpack
from harness.records.step_failures import KINDS_PER_PORTAL, PAGE_BYTES, PAGES_BYTES_PER_PORTAL, PAGES_PER_KIND, PAGES_PER_PORTAL, FailedPage
from harness.visits import StepFailed
from tests.load.fleet import FakeClock

ORIGIN = "http://127.0.0.1:1"
SECRET = 'khoá "bí mật" & 7~*'


@pytest.fixture(autouse=True)
def a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_SECRET", SECRET)


class SomeVisit:
    """What is asked of a visit."""

    visit = 1_000_001
    target = Target("p", "any", {"portal": ORIGIN}, {ORIGIN: "portal"}, None, MappingProxyType({"key": "env:SOME_SECRET"}))
    context = SimpleNamespace(hidden=frozenset())
    scope = MappingProxyType({"csrf_token": "a-token-of-the-portal"})
    actors = MappingProxyType(
        {
            "citizen": SimpleNamespace(
                page=None, session=SimpleNamespace(cookies_for=lambda _url: {"JSESSIONID": "cookie/0123+", "lang": "vi"})
            )
        }
    )


def failed(rule: str = "no text 'không'", outcome: Outcome = Outcome.WRONG_CONTENT, body: bytes = b"<p>kh\xc3\xb4ng</p>") -> StepFailed:
    answer = Exchange("GET", f"{ORIGIN}/a?k={quote_plus(SECRET)}", ORIGIN, Outcome.OK, end_us=1)
    answer.status, answer.body = 200, body
    return StepFailed(outcome, "file", "submit", rule, page=Page(answer), means="rejected", rule=rule)


def page_of(failures: FailureSampler, failure: StepFailed) -> FailedPage | None:
    return failures.page(failures.kind("submit", failure), SomeVisit(), failure.page)  # type: ignore[arg-type]


def test_of_each_kind_the_first_few_pages_are_kept() -> None:
    failures = FailureSampler()
    kept = [page_of(failures, failed(rule)) for rule in ("a", "b") for _ in range(50)]
    assert [page.kind.rule for page in kept if page] == ["a"] * PAGES_PER_KIND + ["b"] * PAGES_PER_KIND


def test_an_incident_of_the_same_rule_after_a_pause_keeps_a_page_too() -> None:
    """A failure every second for a minute, again five minutes later, and then on and off for an hour."""
    failures = FailureSampler()

    def kept(seconds: Iterable[int]) -> list[int]:
        failure = failed()
        kind = failures.kind("submit", failure)
        found = [failures.page(kind, SomeVisit(), failure.page, at_s * 1_000_000) for at_s in seconds]  # type: ignore[arg-type]
        return [page.when_us // 1_000_000 for page in found if page]

    assert kept(range(100, 160)) == [100, 101, 102]
    assert kept(range(460, 520)) == [460]
    assert kept(range(1_000, 4_600, 20)) == [1_000, 1_020], "the number of pages of a kind is limited"


def test_a_failure_without_a_page_is_part_of_the_incident() -> None:
    failures = FailureSampler()
    with_page, without = failed(), failed(body=b"")
    for at_s in range(60):
        failure = with_page if at_s < 4 or at_s == 59 else without
        page = failures.page(failures.kind("submit", failure), SomeVisit(), failure.page, at_s * 1_000_000)  # type: ignore[arg-type]
        assert (page is not None) == (at_s < 3)


def test_what_has_no_page_leaves_none() -> None:
    failures = FailureSampler()
    assert page_of(failures, failed(outcome=Outcome.TIMEOUT)) is None
    assert page_of(failures, failed(body=b"")) is None
    assert page_of(failures, failed(body=b"%PDF\0\1")) is None


def test_what_no_parser_could_read_is_kept_as_it_came_without_secrets() -> None:
    page = page_of(FailureSampler(), failed(outcome=Outcome.PROTOCOL, body=f"<SSH\0\r\n\x1b[31m {SECRET} ".encode() + b"\xff"))
    assert page is not None
    assert (page.text, page.markup, page.truncated) == ("<SSH\\x00\\x0d\n\\x1b[31m ••• \\xff", False, False)


def test_a_flood_of_different_failures_is_bounded_in_kinds_pages_and_bytes() -> None:
    sent: list[Batch] = []
    box = Outbox(sent.append, FakeClock(), "t", (WindowKey("s", 0, "r", 0, "p", "typical", "w"),))
    failures = FailureSampler()
    for number in range(5_000):
        failure = failed(f"rule {number}", body=b"<p>" + b"x" * 400_000)
        kind = failures.kind("submit", failure)
        box.add_failure(0, kind, failures.page(kind, SomeVisit(), failure.page))  # type: ignore[arg-type]
    box.flush()
    blobs = [unpack(batch.blob) for batch in sent]
    pages = [page for blob in blobs for _, page in blob.pages]
    assert len(pages) <= PAGES_PER_PORTAL, FailedPage
    assert sum(len(page.text.encode()) for page in pages) < PAGES_BYTES_PER_PORTAL + PAGE_BYTES
    assert all(len(blob.pages) <= 1 for blob in blobs)
    counted = [entry for blob in blobs for entry in blob.failures]
    assert sum(failure.count for _, failure in counted) == 5_000
    assert len({failure.kind for _, failure in counted}) == KINDS_PER_PORTAL + 1


def test_a_long_page_is_cut_and_says_so() -> None:
    page = page_of(FailureSampler(), failed(body="<p>ô".encode() + "ệ".encode() * PAGE_BYTES))
    assert page is not None
    assert page.truncated
    assert page.bytes > PAGE_BYTES
    assert PAGE_BYTES - 3 < len(page.text.encode()) <= PAGE_BYTES
    whole = page_of(FailureSampler(), failed())
    assert whole is not None
    assert not whole.truncated


@pytest.mark.parametrize("before", [0, PAGE_BYTES - 10, PAGE_BYTES + 4_090])
def test_secrets_are_blanked_however_they_are_spelled_also_where_the_page_is_cut(before: int) -> None:
    spellings = (SECRET, html.escape(SECRET), quote_plus(SECRET), form_value(SECRET), json.dumps(SECRET)[1:-1])
    for spelled in spellings:
        page = page_of(FailureSampler(), failed(body=("x" * before + spelled + "y" * 9_000).encode()))
        assert page is not None
        assert SECRET[:6] not in page.text
        assert spelled[:8] not in page.text
        assert quote_plus(SECRET) not in page.url
        assert page.url.endswith("•••")


def test_a_token_or_cookie_of_the_portal_itself_is_not_kept() -> None:
    body = f'{"chữ " * 2_000}<p lang=vi>a-token-of-the-portal {quote_plus("cookie/0123+")}</p><input type=hidden name=__RequestVerificationToken value="{"x1" * 150_000}">'
    page = page_of(FailureSampler(), failed(body=body.encode()))
    assert page is not None
    assert "x1x1" not in page.text
    short = page_of(FailureSampler(), failed(body=body.encode()[:15_000]))
    assert short is not None
    assert short.text.removeprefix("chữ " * 2_000) == '<p lang=vi>••• •••</p><input type=hidden name=__RequestVerificationToken value="•••'

"""The bounds on answers are switched off, one at a time. Then an answer fills the memory, keeps the processor busy, or writes into our requests."""

from __future__ import annotations

import gzip
import signal
import subprocess
import sys
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from harness.catalog import Target
from harness.client import LeanSession, SizeLimits, cookies, decoding, second_reading, session
from harness.client.exchange import ExchangeError
from harness.client.second_reading import read_again
from harness.load import retry_after
from harness.load.collector import Collector
from harness.load.safety import RequestRoom
from harness.records import Outcome
from harness.visits import composing, sending
from tests.client.raw_server import RawServer, answering, plain
from tests.client.test_cookies import jar_after, sent
from tests.client.test_second_reading import GARBAGE, TWO_WAYS
from tests.drill.guards import most_bytes
from tests.load.fleet import FakeFleet, plan_of, round_of, target
from tests.visits.conftest import Walker, walk
from tests.visits.sloppy_site import Site, platform, requests

pytestmark = pytest.mark.slow  # part of `make drill`

MANY_BYTES = 100_000_000
FEW_BYTES = 10_000_000

CITIZEN = Callable[..., LeanSession]


@pytest.mark.parametrize("bounded", [True, False])
def test_without_its_bound_a_bomb_fills_the_memory(new_citizen: CITIZEN, monkeypatch: pytest.MonkeyPatch, bounded: bool) -> None:
    bomb = plain(gzip.compress(bytes(MANY_BYTES)), b"Content-Encoding: gzip\r\n")
    if not bounded:
        monkeypatch.setattr(decoding, "_inflated", lambda body, bits, *_: zlib.decompressobj(bits).decompress(body))
    with RawServer([answering(bomb, close=True)]) as server:
        most = most_bytes(lambda: new_citizen(sizes=SizeLimits(body=1_000_000)).request("GET", server.url))
    assert (most < FEW_BYTES) if bounded else (most > MANY_BYTES)


@pytest.mark.parametrize("bounded", [True, False])
@pytest.mark.parametrize("begin", [b"Content-Length: 2000000000\r\n\r\n", b""], ids=["body", "head"])
def test_without_its_bound_an_answer_without_an_end_fills_the_memory(new_citizen: CITIZEN, begin: bytes, bounded: bool) -> None:
    endless = b"HTTP/1.1 200 OK\r\n" + begin + (b"X: " + b"x" * 995 + b"\r\n") * 30_000
    sizes = SizeLimits(head=10**6, body=10**6) if bounded else SizeLimits(head=10**10, body=10**10)
    with RawServer([answering(endless, close=True)]) as server:
        most = most_bytes(lambda: new_citizen(sizes=sizes).request("GET", server.url))
    assert (most < FEW_BYTES) if bounded else (most > 30_000_000)


PARSING = """
import pathlib, resource, sys
bodies = {
    "depth": b"<div>" * 400_000,
    "options": b"<select>" + b"<option>a" * 300_000,
    "attributes": b"<a " + b" ".join(b"a%d=x" % n for n in range(300_000)) + b">",
    "tags": b"<a>" * 4_000_000,
    "values": b"[" + b"[]," * 4_000_000 + b"1]",
}
from tests.pages.test_bounds import HTML, JSON, page
from harness.pages import page as module
name, bounded = sys.argv[1:]
if not int(bounded):
    module.beyond_bounds_of_html = module.beyond_bounds_of_json = lambda source: ""
answer = page(bodies.pop(name), JSON if name == "values" else HTML)
bodies.clear()
resource.setrlimit(resource.RLIMIT_CPU, (4, 4))
if not answer.beyond_bounds:
    answer.nodes("p") if name != "values" else answer.json
print(int(pathlib.Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) >> 10)
"""


@pytest.mark.parametrize("bounded", [True, False])
@pytest.mark.parametrize("bound", ["depth", "options", "attributes", "tags", "values"])
def test_without_its_bound_a_page_takes_all_memory_or_all_time(bound: str, bounded: bool) -> None:
    done = subprocess.run([sys.executable, "-c", PARSING, bound, str(int(bounded))], capture_output=True, text=True, check=False)
    megabytes = int(done.stdout or 0)
    if bounded:
        assert (done.returncode, megabytes < 200) == (0, True), done.stderr
    else:
        assert done.returncode in (-signal.SIGXCPU, -signal.SIGKILL) or megabytes > 300, (megabytes, done.stderr)


def test_without_the_second_parser_what_browsers_read_is_the_portals_failure(citizen: LeanSession, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_connection: object, _exchange: object, ours: ExchangeError, _total_us: int) -> None:
        raise ours

    with RawServer([answering(TWO_WAYS + b"Content-Length: 5\r\n\r\nhello", close=True)]) as server:
        assert citizen.request("GET", server.url).outcome is Outcome.OK
        monkeypatch.setattr(session, "read_again", none)
        assert citizen.request("GET", server.url).outcome is Outcome.PROTOCOL
    assert session.read_again is not read_again


@pytest.mark.parametrize("bounded", [True, False])
def test_without_its_bound_a_second_reading_fills_the_memory(citizen: LeanSession, monkeypatch: pytest.MonkeyPatch, bounded: bool) -> None:
    if not bounded:
        monkeypatch.setattr(second_reading, "KEPT_BYTES", 10**10)
        monkeypatch.setattr(second_reading, "_EVENTS", 10**10)
    answer = TWO_WAYS + b"\r\n" + b"x" * MANY_BYTES
    with RawServer([answering(answer, close=True)]) as server:
        most = most_bytes(lambda: citizen.request("GET", server.url))
    assert (most < FEW_BYTES) if bounded else (most > MANY_BYTES)


def test_without_it_garbage_is_asked_for_again(citizen: LeanSession) -> None:
    """Nothing is switched off: the bytes that no parser reads are there, so that nobody has to ask the portal twice."""
    with RawServer([answering(GARBAGE, close=True)]) as server:
        assert citizen.request("POST", server.url, body=b"x=1").received == GARBAGE
    assert server.accepted == 1


def test_without_the_check_of_its_value_a_token_writes_a_header_of_its_own(
    site: Site, walker: Walker, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn = '{get: "{{ origin.portal }}/token", ' + r"query: {as: 'a\r\nX-More: 1'}, extract: {token: {json: token}}}"
    steps = platform(requests(learn, '{get: "{{ origin.portal }}/b", headers: {X-Token: "{{ token }}"}}'))
    monkeypatch.setattr(composing, "_UNFIT_FOR_A_HEADER", composing.re.compile(r"(?!)"))
    monkeypatch.setattr(session, "written", _written_without_a_look)
    walk(site, walker, steps)
    assert site.asked[-1][2]["x-more"] == "1"


def _written_without_a_look(method: str, origin: Any, path: str, *, headers: dict[str, str] | None, **_: Any) -> bytes:
    fields = "".join(f"{name}: {value}\r\n" for name, value in ({"Host": origin.authority} | (headers or {})).items())
    return f"{method} {path} HTTP/1.1\r\n{fields}\r\n".encode()


def test_without_their_bound_cookies_fill_every_request(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"name-{number}={'x' * 100}; Path=/" for number in range(5_000)]
    assert len(sent(jar_after(*lines), "https://portal.example/")) < 50_000
    monkeypatch.setattr(cookies, "_COOKIES", 10**9)
    assert len(sent(jar_after(*lines), "https://portal.example/")) > 500_000


def test_without_a_limit_of_hops_one_step_is_any_number_of_requests(site: Site, walker: Walker) -> None:
    step = '{get: "{{ origin.portal }}/loop"}'
    walk(site, walker, platform(requests(step)))
    bounded = len(site.asked)
    compiled = platform(requests(step))
    (goal,) = compiled.goals.values()
    object.__setattr__(goal.steps[0].requests[0], "hops_max", 60)
    walk(site, walker, compiled)
    assert (bounded < 25, len(site.asked) - bounded) == (True, 61)


def test_without_the_look_at_the_rate_redirects_pass_it(site: Site, walker: Walker) -> None:
    """Three requests a second are authorised; each redirect of the portal is one request more."""
    room = RequestRoom(3.0, 1.0)
    room.take(0)
    step = '{get: "{{ origin.portal }}/loop"}'
    walk(site, walker, platform(requests(step)), may_follow=lambda: room.take(0))
    assert len(site.asked) == 3
    walk(site, walker, platform(requests(step)))
    assert len(site.asked) > 2 * 3


def test_without_the_list_of_hosts_a_redirect_leads_anywhere(site: Site, walker: Walker, monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer([answering(plain())]) as other:
        steps = platform(requests(f'{{get: "{{{{ origin.portal }}}}/redirect?status=302&to=http://127.0.0.1:{other.port}/"}}'))
        walk(site, walker, steps)
        assert other.accepted == 0
        monkeypatch.setattr(Target, "allowed", lambda *_: True)
        monkeypatch.setattr(sending, "may_send_to", lambda *_: True)
        walk(site, walker, steps)
        assert other.accepted == 1


def test_without_heed_a_portal_that_asks_to_be_left_alone_is_loaded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def begun_s() -> float:
        """When the second round begins on a portal that asked, in the first one, to be left alone for forty seconds."""
        fleet = FakeFleet("w0")

        def ask(worker: str, visit: int) -> None:
            if visit == 9:
                (round_,) = fleet.agents[worker]._rounds.values()
                round_.loads["p"].wait_until_us = fleet.clock.now_us() + round(retry_after.asked_to_wait_s("40", 0.0) * 1e6)

        fleet.prepared = ask
        fleet.run(plan_of(round_of(0), round_of(1), targets=(target("p"),)))
        first, second = (fleet.sink.sealed[name].start_us / 1e6 for name in ("000-00", "001-00"))
        return second - first

    assert begun_s() > 40
    monkeypatch.setattr(Collector, "asked_to_wait_s", lambda *_: 0.0)
    assert begun_s() < 20

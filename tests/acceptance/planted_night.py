"""A night of the 84 portals of 2024, of which one portal each was given one state that the next morning has to deal with.

Most portals are embedded and plain: they answer well and fast. Two are embedded and refuse. The others that were planted are small
sites of the test, to which an authorisation leads. The path is made slow while one part of the load is under way.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from harness.operations.shipped import shipped_catalog
from tests.e2e.commands import Running
from tests.e2e.evidence import load, only_folder
from tests.e2e.portal_sites import ALONE, Asked, Behaviour, PortalSite, answer, profile, sites, three_criteria, workload
from tests.e2e.small_catalog import OURS, WIDE_HEALTH, permission, write_files

SET = "2024"
FAST_MS, SLOW_MS = 15, 400
"""Service times of a plain portal, and of one behind a slow path."""

PER_WINDOW = {"search": 4, "submit": 1}
WINDOWS, WINDOW_S, AT_ONCE = 3, 3, 12
SPARE = 1
"""Windows that are made up for at the end of the night."""
HEALTH = {**WIDE_HEALTH, "lag_p99_ms": 9_000, "lateness_p99_ms": 9_000, "silent_s": 60}
"""The generator may be as late as it likes: what is void is planted."""

UNPROVEN, VOID, BLOCKED, UNREACHABLE, LIMITED = "bo-noi-vu", "bo-tu-phap", "bo-cong-an", "bo-ngoai-giao", "ben-tre"
SHARED, INSUFFICIENT, MAINTAINED, STANDING, NOT_PERMITTED = "an-giang", "bac-giang", "bac-kan", "bac-lieu", "bac-ninh"
PLANTED = frozenset({UNPROVEN, VOID, BLOCKED, UNREACHABLE, LIMITED, SHARED, INSUFFICIENT, MAINTAINED, STANDING, NOT_PERMITTED})

EMBEDDED: Mapping[str, Mapping[str, Any]] = {
    BLOCKED: {"refuses": "forbidden"},
    LIMITED: {"slow_paths": {"/thu-tuc": 2_000}, "too_many_requests_above": 2},  # two lone citizens at once get through
}
"""What the simulator plays for two of them."""

REDESIGNED = answer("200 OK", "<title>Trang mới</title><h1>Giao diện mới</h1>")
SOLD_OUT = answer("200 OK", "<title>Tra cứu</title><p>Dữ liệu thử nghiệm đã hết hạn</p>")
MAINTENANCE = answer("200 OK", "<title>Bảo trì hệ thống</title><h1>Hệ thống đang bảo trì</h1><p>Xin quay lại sau.</p>")
DOWN = answer("503 Service Unavailable")
NOT_NOW = answer("500 Internal Server Error")
WITHDRAWN = answer("200 OK", "<title>Rút hồ sơ</title><h1>Đã rút hồ sơ</h1>")


def window_of(opened: int) -> int:
    """The window that is under way at a site that was opened so often, from 1; 0 before the load."""
    return 0 if opened <= ALONE else 1 + (opened - ALONE - 1) // sum(PER_WINDOW.values())


@dataclass
class Operators:
    """The sites of the planted portals, their logins, and what their operators do later."""

    found: Mapping[str, PortalSite] = field(default_factory=dict)
    withdraws: bool = False  # whether the dossiers of one portal can be withdrawn

    def behaviours(self) -> dict[str, Behaviour]:
        """What each site answers instead of its own page."""
        return {
            UNPROVEN: self._site(lambda asked: REDESIGNED if asked.path == "/nop" else None),
            VOID: self._site(lambda asked: SOLD_OUT if asked.path == "/tim" else None),
            MAINTAINED: self._site(lambda asked: MAINTENANCE if window_of(asked.opened) >= WINDOWS and asked.path != "/rut" else None),
            STANDING: self._site(lambda asked: NOT_NOW if asked.path == "/rut" and not self.withdraws else None),
            NOT_PERMITTED: self._site(),
            SHARED: self._site(),
            INSUFFICIENT: self._site(),
            login(SHARED): lambda _: DOWN if self._window(SHARED) == WINDOWS - 1 else None,
            login(INSUFFICIENT): lambda _: DOWN if self._window(INSUFFICIENT) else None,
        }

    def _window(self, portal: str) -> int:
        return window_of(self.found[portal].asked.count("/tim"))

    @staticmethod
    def _site(planted: Behaviour = lambda _: None) -> Behaviour:
        def behaves(asked: Asked) -> bytes | None:
            return planted(asked) or (WITHDRAWN if asked.path == "/rut" else None)

        return behaves


def login(portal: str) -> str:
    """The name of the site that a portal's citizens log in at."""
    return f"login-{portal}"


@contextmanager
def operators() -> Iterator[Operators]:
    """The sites of the planted portals, as long as they are needed."""
    running = Operators()
    with sites(running.behaviours()) as found:
        running.found = found
        yield running


@contextmanager
def closed_port() -> Iterator[str]:
    """An origin where nothing listens, and nothing else will."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


def with_withdrawal(described: dict[str, Any]) -> dict[str, Any]:
    """A profile with one more step: the dossier is withdrawn."""
    sent = {"post": "{{ origin.portal }}/rut", "fields": {"ma": "{{ receipt }}"}, "expect": {"require_text": "Đã rút hồ sơ"}}
    taken_back = {**sent, "receipt": {"code": "{{ receipt }}", "kind": "withdrawal"}}
    described["absent"].pop("withdraw")
    described["goals"]["withdraw"] = {"steps": [{"step": "withdraw", "requests": [taken_back]}], "gives": {"withdrawn": "1"}}
    return described


def profiles() -> list[dict[str, Any]]:
    """Those of the sites: plain, with a login that others share, and with a rule that blames our own test data."""
    blamed = profile("site-with-our-data")
    expected = blamed["goals"]["find"]["steps"][0]["requests"][0]["expect"]
    expected["forbid_text"] = {"text": "Dữ liệu thử nghiệm đã hết hạn", "means": "test_data_expired", "blame": "ours"}
    return [with_withdrawal(each) for each in (profile("site"), profile("site-with-login", login="identity"), blamed)]


def criteria() -> dict[str, Any]:
    """Three criteria that ask for three windows, with the rules of shared hosts, of a doubted path and of maintenance."""
    described = three_criteria() | {"id": "planted"}
    for criterion in described["criteria"]:
        criterion["quota"] = {**criterion["quota"], "windows": WINDOWS}
    described["shared"] = {"roles": {"identity": {**OURS}, "payment": {**OURS}}, "lost_max": {"value": 0.05, **OURS}}
    described["path_doubt"] = {"portals": 3, "share": 0.8, "windows": 2, "slower": 1.5, "added_ms": 50, "unreached": 0.1, **OURS}
    return described


def portals() -> list[dict[str, Any]]:
    """The portals of the set under their own names, each as the simulator is to play it."""
    shipped = shipped_catalog()
    described = []
    for name in shipped.sets[SET]:
        known = shipped.portals[name].model_dump(include={"id", "name_vi", "name_en", "level", "embedded_platform"})
        described.append(
            {**known, "personality": {"distribution": "constant", "median_ms": FAST_MS, "servers": 32, **EMBEDDED.get(name, {})}}
        )
    return described


def permissions(found: Mapping[str, PortalSite], nobody: str) -> dict[str, dict[str, Any]]:
    """By portal, the authorisation that leads to its site. ``nobody``: an origin where nothing answers."""
    hosts = {name: {"portal": found[name].origin} for name in PLANTED & found.keys()} | {UNREACHABLE: {"portal": nobody}}
    for name in (SHARED, INSUFFICIENT):
        hosts[name]["identity"] = found[login(name)].origin
    platforms = {VOID: "site-with-our-data", SHARED: "site-with-login", INSUFFICIENT: "site-with-login"}
    terms: dict[str, Any] = {
        "citizens_in_flight_max": 60, "vantage_point": "this machine", "captcha_exemption": {"reference": "made up for a test"},
    }  # fmt: skip
    written = {
        name: permission(f"letter-{name}", name, where, platform=platforms.get(name, "site"), **terms) for name, where in hosts.items()
    }
    written[NOT_PERMITTED]["journeys"] = ["search"]
    return written


def write_catalog(folder: Path, found: Mapping[str, PortalSite], nobody: str) -> Path:
    """The portals of the set, plain or planted, and by what they are measured and scored."""
    stages = [{"stage": "typical", "windows": WINDOWS, "window_s": WINDOW_S}]
    files = {
        "portals/planted.yaml": {"portals": portals()},
        **{f"platforms/{each['id']}.yaml": each for each in profiles()},
        "workloads/planted.yaml": workload("planted", stages=stages, quota_per_window=PER_WINDOW, spare_windows=SPARE, health=HEALTH),
        "criteria/planted.yaml": criteria(),
        **{f"authorisations/{name}.yaml": each for name, each in permissions(found, nobody).items()},
    }
    return write_files(folder, files)


@dataclass(frozen=True)
class Part:
    """Portals that are loaded together in one round."""

    name: str
    portals: frozenset[str]


def first_plain_part(plan: Mapping[str, Any]) -> Part:
    """The first part of the load without a planted portal."""
    for round_ in plan["rounds"]:
        portals = frozenset(slot["portal"] for slot in round_["slots"])
        if round_["round"] and not portals & PLANTED:
            return Part(f"{round_['round']:03}-{round_['part']:02}", portals)
    raise AssertionError("each part has a planted portal: another seed is needed")


def slow_path(under_way: Running, results: Path) -> Part:
    """Wait for a part without a planted portal, and make each of its portals slow while it is under way."""
    under_way.until(lambda: [*results.glob("*/plan.json")], "a plan")
    folder = only_folder(results)
    plan = load(folder / "plan.json")
    part = first_plain_part(plan)

    def answer_in(median_ms: float) -> None:
        for portal in part.portals:
            changed = httpx.post(f"{plan['simulator_control']}/personality", json={"portal": portal, "median_ms": median_ms}, timeout=30)
            changed.raise_for_status()

    under_way.until((folder / "rounds" / f"round-{part.name}.planned.json").exists, "the part", at_most_s=600)
    answer_in(SLOW_MS)
    under_way.until((folder / "rounds" / f"round-{part.name}.json").exists, "the end of the part", at_most_s=600)
    answer_in(FAST_MS)
    return part

"""Whatever is sent, no page of ours breaks: garbage is refused in each family's own way, never by an exception."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from harness.simulator.configuration import read_config
from harness.simulator.router import PortRouter

from .conftest import Running, browser
from .walks import WALKS

WORDS = [
    "",
    "x",
    "²",
    "9" * 40,
    "-1",
    "0",
    "%",
    "'",
    '"><script>',
    "khai sinh",
    "\u0000",
    "Thử Nghiệm",
    "../..",
    "[]",
    "{}",
    "1",
    "000123456789",
]
VALUES = [None, [], {}, [1], {"a": 1}, 1, 1.5, True, "x", "\ud800", "9" * 40, [[{"file": 1}]], [{"id": "1", "file": [{"id": 2}]}]]


def routes(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Every route of every origin, read from a router that serves nobody."""
    portals = [{"id": family, "family": family} for family in WALKS]
    path = folder / "config.json"
    path.write_text(json.dumps({"database": str(folder / "db"), "truth_log": str(folder / "log"), "portals": portals}))
    router = PortRouter(read_config(path))
    origins = router.portals | router.shared_hosts | {f"{name}:form": host for name, host in router.form_hosts.items()}
    found = {
        name: list(origin._exact)
        + [(method, pattern.pattern.replace("([^/]+)", "{}").replace("\\", "")) for method, pattern, _ in origin._patterns]
        for name, origin in origins.items()
    }
    router.close()
    return found


@pytest.mark.parametrize("logged_in", [False, True])
def test_garbage_breaks_no_page(six: Running, tmp_path: Path, logged_in: bool) -> None:
    chance = random.Random(5)
    urls = six.portals | {"identity": six.identity, "payment": six.payment} | {f"{name}:form": url for name, url in six.form_hosts.items()}
    for name, known in routes(tmp_path).items():
        http, keys, headers = (
            browser(),
            ["sid", "_token", "p_auth", "hoSoId", "ma_ho_so", "login", "code", "state"],
            {"groupId": "35166"},
        )
        if logged_in and name in WALKS:
            walk = WALKS[name](six, name, keyword="thương binh")
            walk.file()
            http = walk.citizen.http if name == "liferay" else walk.http
            http.follow_redirects = False
            headers |= {"Token": getattr(walk, "token", "x"), "Authorization": f"Bearer {getattr(walk, 'bearer', 'x')}"}
            keys += [getattr(walk, "dossier", "x") and "procedureId", "data", "components", "captchaToken", "delivery"]
        for method, path in known:
            for _ in range(6):
                parts = path.count("{}")
                own = str(getattr(locals().get("walk"), "dossier", "")) or "1"
                address = (
                    path.format(*(chance.choice([*WORDS[1:], own]).replace("/", "").replace("\0", "") or "x" for _ in range(parts)))
                    if parts
                    else path
                )
                fields = {chance.choice(keys): chance.choice(WORDS) for _ in range(4)}
                body = chance.choice(
                    [
                        {"data": fields | {"params": json.dumps({"service": chance.choice(VALUES), "provider": "dvcquocgia"})}},
                        {"content": json.dumps({chance.choice(keys): chance.choice(VALUES) for _ in range(5)})},
                        {"files": {"files": ("x", b"%PDF-1"), "file": ("y", b"")}, "data": fields},
                        {"content": b"--x\r\nbroken", "headers": {"content-type": "multipart/form-data; boundary=x"}},
                        {"content": b"\xff\xfe%", "headers": {"content-type": "application/x-www-form-urlencoded"}},
                    ]
                )
                more = body if method != "GET" else {"params": fields}
                answer = http.request(method, urls[name] + address, **(more | {"headers": headers | more.get("headers", {})}))
                assert answer.status_code < 500, (method, name, address, more)
    assert six.http.get("/ready").json()["broken_pages"] == 0

"""Portals with one cause each, drawn by a seed, measured in one sweep: what the diagnosis says of them.

    .venv/bin/python -m tests.acceptance.planted_causes --seed 3        # prints the table of docs/diagnosis.md

The harness sees hosts and authorisations as any operator's: neither names nor addresses tell it what was planted.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, get_args

import trustme

from harness.catalog import Portal
from harness.diagnosis import FindingCode
from harness.operations.embedded import EmbeddedPortals
from tests.e2e.commands import HARNESS
from tests.e2e.evidence import load, only_folder
from tests.e2e.small_catalog import OURS, WIDE_HEALTH, criteria, permission, write_files

DRAWS = 6
"""Of each cause."""
AT_ONCE = 4
WINDOW_S = 6.0
LEVELS = (1, 2, 4)
PER_WINDOW = {"search": 4, "submit": 2, "pay": 3}
STEPS = {"/thu-tuc": "search", "/nguoi-nop": "fill_in", "/thanh-phan": "attach", "/xac-nhan": "submit", "/tra-cuu": "track"}
"""Ends of paths of Liferay portals, and the step that asks for them."""
STOPS = {"callback": "callback_lost", "session": "session_expired"}
"""Causes that may stop a lone citizen, and what the profile calls the rule."""


@dataclass(frozen=True, eq=False)
class Planted:
    """One portal: its cause, the personality that has it, and what a finding of it says."""

    portal: str
    cause: str
    strength: str
    personality: Mapping[str, Any]
    code: FindingCode
    subject: Mapping[str, str] = field(default_factory=dict)
    shared: Mapping[str, Any] = field(default_factory=dict)  # identity or payment, of a simulator of its own

    def is_named_by(self, finding: Mapping[str, Any]) -> bool:
        """Whether this finding names the cause: its code, and the step, host or phase where there is one.

        A cause may keep every lone citizen from getting through, or fail at every age: then the finding names the profile's rule.
        """
        if finding["code"] in {"journey_stopped", "failing_step"}:
            return bool(finding["subject"]["fault"] == STOPS.get(self.cause))
        return bool(finding["code"] == self.code and self.subject.items() <= finding["subject"].items())


def draw(seed: int, draws: int = DRAWS) -> list[Planted]:
    """Each cause as often as that, with drawn strengths, in drawn order; the portals' names say nothing."""
    random = Random(seed)
    causes = ["tls", "database", "knee", "callback", "page", "session", "host", "nothing"] * draws
    random.shuffle(causes)
    return [_planted(f"p{number:02d}", cause, random) for number, cause in enumerate(causes, 1)]


def _planted(portal: str, cause: str, random: Random) -> Planted:
    usual = {
        "distribution": "lognormal", "median_ms": round(random.uniform(15, 40), 1), "sigma": 0.3, "servers": 32, "page_bytes": 12_000,
        "server_timing": random.random() < 0.5,
    }  # fmt: skip

    def planted(strength: str, code: FindingCode, subject: Mapping[str, str] | None = None, shared: Any = None, **traits: Any) -> Planted:
        return Planted(portal, cause, strength, usual | traits, code, subject or {}, shared or {})

    if cause == "tls":
        late_ms = round(random.uniform(300, 900))
        return planted(f"{late_ms} ms a handshake", "slow_phase", {"phase": "tls"}, handshake_ms=late_ms)
    if cause == "database":
        (end, step), slow_ms = random.choice(sorted(STEPS.items())), round(random.uniform(500, 1500))
        return planted(f"{slow_ms} ms in `{step}`", "slow_step", {"step": step}, slow_paths={end: slow_ms})
    if cause == "knee":
        servers, median_ms = random.choice([2, 3]), round(random.uniform(60, 90))
        return planted(f"{servers} servers of {median_ms} ms", "slows_at_level", servers=servers, median_ms=median_ms)
    if cause == "callback":
        share = round(random.uniform(0.4, 1.0), 2)
        return planted(f"{share:.0%} of callbacks lost", "no_callback", faults={"callback_lost": share})
    if cause == "page":
        size, line = round(random.uniform(1.0, 3.0), 1), round(random.uniform(16, 40))
        traits = {"large_paths": {"/thu-tuc": int(size * 1e6)}, "line_kbit_per_s": line * 1000}
        return planted(f"{size} MB over {line} Mbit/s", "large_page", {"step": "search"}, **traits)
    if cause == "session":
        idle_s = round(random.uniform(0.45, 0.6), 2)
        return planted(f"{idle_s} s of idle time", "fails_with_session_age", session_ttl_s=idle_s)
    if cause == "host":
        owner, slow_ms = random.choice(["identity", "payment"]), round(random.uniform(300, 900))
        return planted(f"{slow_ms} ms at {owner}", "slow_host", {"host_owner": owner}, {owner: {"median_ms": slow_ms}})
    return planted("", "nothing_stands_out")


def measure(planted: Sequence[Planted], folder: Path, seed: int) -> dict[str, dict[str, Any]]:
    """Measure all of them in one sweep; answers each portal's entry of findings.json."""
    authority, pem, trusted = trustme.CA(), folder / "server.pem", folder / "trusted.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(pem))
    authority.cert_pem.write_to_path(str(trusted))
    with ExitStack() as running:
        origins: dict[str, dict[str, str]] = {}
        for group in _groups(planted):
            tls = {"cert": str(pem), "key": str(pem)}
            embedded = EmbeddedPortals.start([_portal(each) for each in group], seed=seed, tls=tls, **group[0].shared)
            running.callback(embedded.stop)
            origins |= {each.portal: embedded.origins(each.portal) for each in group}
        write_files(folder / "catalog", dict(_files(planted, origins)))
        said = subprocess.run(
            [HARNESS, "sweep", *(each.portal for each in planted), "--workload", "levels", "--criteria", "speed-only", "--catalog", "catalog",
             "--at-once", str(AT_ONCE), "--seed", str(seed)],
            cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, "SSL_CERT_FILE": str(trusted)},
        )  # fmt: skip
    if said.returncode not in {0, 10}:
        raise AssertionError(said.stdout[-4000:] + said.stderr[-4000:])
    return {each["portal"]: each for each in load(only_folder(folder / "results") / "findings.json")["portals"]}


def _groups(planted: Iterable[Planted]) -> Iterator[list[Planted]]:
    """The portals of one simulator: those with the usual shared hosts, and each of the others alone."""
    planted = list(planted)
    yield [each for each in planted if not each.shared]
    yield from ([each] for each in planted if each.shared)


def _portal(planted: Planted) -> Portal:
    name = f"Test portal {planted.portal}"
    return Portal(
        id=planted.portal, name_vi=name, name_en=name, level="sample", embedded_platform="liferay", personality=dict(planted.personality)
    )


def _files(planted: Sequence[Planted], origins: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, dict[str, Any]]]:
    names = [
        {
            "id": each.portal,
            "name_vi": f"Cổng {each.portal}",
            "name_en": f"Portal {each.portal}",
            "level": "sample",
            "embedded_platform": "liferay",
        }
        for each in planted
    ]
    yield "portals/planted.yaml", {"portals": names}
    yield "workloads/levels.yaml", _workload()
    rated = criteria()
    rated["criteria"][0]["select"]["stage"] = "ramp"
    rated["criteria"][0]["curve"] |= {"full": 0.5, "none": 4}
    yield "criteria/speed-only.yaml", rated
    for each in planted:
        of = origins[each.portal]
        yield f"authorisations/{each.portal}.yaml", permission(
            f"letter-{each.portal}", each.portal, of, days=30, platform="liferay", requests_per_s_max=5000, captcha_exemption={"reference": "made up for a test"},
            payment_sandbox={"origin": of["payment"]},
        )  # fmt: skip


def _workload() -> dict[str, Any]:
    ratio = LEVELS[1] / LEVELS[0]
    return {
        "id": "levels", "name_vi": "Kịch bản thử nhiều mức tải", "name_en": "Test workload of levels", "shortened": True,
        "usage": {"per_day": {"search": 0}, **OURS}, "quota_per_window": PER_WINDOW,
        "stages": [
            {"stage": "warm-up", "windows": 1, "window_s": 2},
            {"stage": "ramp", "windows": len(LEVELS), "window_s": WINDOW_S, "level": LEVELS[0], "level_ratio": ratio},
        ],
        "in_flight_ceiling": 500, "timeout_s": 20, "patience_s": 30, "drain_s": 70, "health": WIDE_HEALTH,
        "think": {"default": {"median_s": 0.15, "sigma": 0.8, "max_s": 1.0}},
    }  # fmt: skip


def table(planted: Sequence[Planted], found: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The result as a table of docs: by cause, then what was not named."""
    yield "| planted | strengths | draws | named | otherwise |"
    yield "|---|---|---|---|---|"
    for cause in dict.fromkeys(sorted(each.cause for each in planted)):
        of = [each for each in planted if each.cause == cause]
        missed = [found[each.portal]["findings"][0]["code"] for each in of if not each.is_named_by(found[each.portal]["findings"][0])]
        named = len(of) - len(missed)
        yield f"| {cause} | {'; '.join(each.strength for each in of if each.strength) or '–'} | {len(of)} | {named} | {', '.join(missed) or '–'} |"


def main() -> None:
    """Draw, measure, print the table and each portal's conclusion."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--draws", type=int, default=DRAWS, help="Of each cause.")
    parser.add_argument("--keep", type=Path, help="A folder that keeps the evidence.")
    asked = parser.parse_args()
    planted = draw(asked.seed, asked.draws)
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        found = measure(planted, folder, asked.seed)
    assert all(each["findings"][0]["code"] in get_args(FindingCode) for each in found.values())
    for each in planted:
        main_finding = found[each.portal]["findings"][0]
        print(each.portal, each.cause, each.strength, each.is_named_by(main_finding), found[each.portal]["conclusion"]["en"], sep=" | ")
    print("\n".join(table(planted, found)))
    print(json.dumps({"seed": asked.seed, "draws": len(planted)}))


if __name__ == "__main__":
    main()

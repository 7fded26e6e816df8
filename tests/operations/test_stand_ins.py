"""`harness simulate --stand-in`: identity and payment hosts for a vendor's staging, which a profile walks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from harness.cli import main
from tests.e2e.small_catalog import write_files
from tests.html_site import in_a_thread
from tests.operations.staging_portal import ID, PROFILE, StagingPortal


@contextmanager
def standing_in(*options: str) -> Iterator[dict[str, Any]]:
    """What the command prints while it serves; it is ended by Ctrl-C."""
    command = [sys.executable, "-m", "harness.cli", "simulate", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        while lines[-1] and lines[-1] != "}\n":
            lines.append(process.stdout.readline())
        try:
            yield json.loads("".join(lines))
        finally:
            os.kill(process.pid, signal.SIGINT)
            assert process.wait(timeout=60) == 0


def test_a_staging_is_walked_by_the_hosts_that_stand_in(tmp_path: Path) -> None:
    with in_a_thread(StagingPortal()) as staging:
        options = ("--client", ID, "--redirect-uri", f"{staging.origin}/dang-nhap/xong", "--callback", f"{staging.origin}/ket-qua")
        with standing_in("--stand-in", "identity,payment", *options) as printed:
            staging.told = printed["tell_the_staging"]
            assert printed["portals"] == {}
            today = datetime.now(UTC)
            hosts = [
                {"origin": staging.origin},
                *({"origin": printed[role], "role": role, "owner": role} for role in ("identity", "payment")),
            ]
            permission = {
                "id": "here", "portal": ID, "reference": "made up", "granted_by": "a test", "valid_from": (today - timedelta(days=1)).isoformat(),
                "valid_to": (today + timedelta(days=1)).isoformat(), "citizens_in_flight_max": 5, "requests_per_s_max": 50, "hosts": hosts,
                "payment_sandbox": {"origin": printed["payment"]},
            }  # fmt: skip
            portal = {
                "id": ID, "name_vi": "Bản thử", "name_en": "A staging", "level": "sample", "platform": "staging-pages", "platform_basis": "made up",
                "embedded_platform": "liferay",
            }  # fmt: skip
            files = {"portals/a.yaml": {"portals": [portal]}, "platforms/staging-pages.yaml": PROFILE, "authorisations/a.yaml": permission}
            catalog = write_files(tmp_path, files)
            command = [sys.executable, "-m", "harness.cli", "walk", ID, "--catalog", str(catalog)]
            walked = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
            assert walked.returncode == 0, walked.stdout + walked.stderr
        assert [filed["paid"] for filed in staging.filed.values()].count("yes") == 1
        assert len(staging.filed) == 2
        assert all("Thử Nghiệm" in filed["owner"] for filed in staging.filed.values())


def test_only_the_host_that_is_named_is_served() -> None:
    with standing_in("--stand-in", "identity", "--redirect-uri", "http://localhost:1/xong") as printed:
        assert printed.keys() == {"control", "identity", "pid", "portals", "tell_the_staging"}
        told = printed["tell_the_staging"]
        assert told.keys() == {"identity"}
        query = {"client_id": told["identity"]["client_id"], "redirect_uri": "http://localhost:1/xong"}
        good = {**query, "response_type": "code", "scope": "openid", "acr_values": "LoA1", "state": "s"}
        ask = told["identity"]["authorization_endpoint"]
        assert "form" in httpx.get(ask, params=good, trust_env=False).text
        assert httpx.get(ask, params={**good, "redirect_uri": "http://localhost:2/xong"}, trust_env=False).status_code == 400


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--stand-in", "identiy"), 2, "Did you mean `identity`?"),
        (("--stand-in", "identity,payment", "--redirect-uri", "http://127.0.0.1:1/x"), 2, "--callback is missing"),
        (("--stand-in", "identity"), 2, "--redirect-uri is missing"),
        (("fast", "--stand-in", "identity"), 2, "--stand-in is given beside portals"),
        (("--stand-in", "payment", "--callback", "http://pay.example.invalid/x"), 2, "the stand-ins are reached on loopback only"),
    ],
)
def test_wrong_options(options: tuple[str, ...], code: int, said: str) -> None:
    done = CliRunner().invoke(main, ["simulate", *options])
    assert done.exit_code == code, done.output
    assert said in done.output

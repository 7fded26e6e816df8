"""The one question before anything is sent: days, hours, and the addresses that requests would come from."""

from __future__ import annotations

import re
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.catalog import Authorisation
from harness.catalog.gate import refusal, require_permitted
from harness.errors import AuthorisationError
from harness.operations.authoring.validation import validate_catalog
from harness.records.permitted_hours import VIETNAM
from tests.programs import machine_lacks

ROOT = Path(__file__).resolve().parents[2]

MIDNIGHT = datetime(2026, 11, 21, 0, 0, tzinfo=VIETNAM)


def test_the_documented_authorisation_is_sound(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "authorisation.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```yaml\n(id: cong-van-7\n.*?)^```", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "authorisations").mkdir()
    (tmp_path / "authorisations" / "a.yaml").write_text(text, encoding="utf-8")
    catalog, problems = validate_catalog(ROOT / "scenarios", tmp_path)
    assert problems == []
    said = catalog.authorisations["cong-van-7"].model_dump(exclude_defaults=True)
    assert {
        "hours",
        "journeys",
        "source_addresses",
        "contact",
        "captcha_exemption",
        "emc_exclusion",
        "dossiers_per_night_max",
    } <= said.keys()


def permission(**changes: Any) -> Authorisation:
    facts = {
        "id": "letter-7", "portal": "p", "reference": "made up", "granted_by": "a test", "hosts": [{"origin": "http://127.0.0.3:1"}],
        "valid_from": MIDNIGHT - timedelta(days=1), "valid_to": MIDNIGHT + timedelta(days=1), "citizens_in_flight_max": 1,
        "requests_per_s_max": 1, **changes,
    }  # fmt: skip
    return Authorisation.model_validate(facts)


@pytest.mark.parametrize("hours", [1, -1])
def test_days(hours: int) -> None:
    found = refusal(permission(), MIDNIGHT + hours * timedelta(days=1, seconds=1))
    assert found is not None
    assert found.key == "letter-7.valid_to"
    assert refusal(permission(), MIDNIGHT) is None


def test_hours_and_when_they_begin() -> None:
    night = permission(hours=["22:00-05:00"])
    assert refusal(night, MIDNIGHT) is None
    found = refusal(night, MIDNIGHT + timedelta(hours=5))
    assert found is not None
    assert (found.key, found.value) == ("letter-7.hours", "22:00-05:00")
    assert found.expected == "hours of the day in Viet Nam that cover 2026-11-21 05:00 +0700"
    assert found.remedy.startswith("Begin at 2026-11-21 22:00 +0700")
    with pytest.raises(AuthorisationError, match=r"letter-7\.hours"):
        require_permitted(night, (MIDNIGHT + timedelta(hours=5)).astimezone(UTC))


@pytest.mark.parametrize("permitted", [["127.0.0.0/8"], ["127.0.0.1"], ["10.0.0.0/8", "127.0.0.1/32"]])
def test_the_address_of_the_route_is_permitted(permitted: list[str]) -> None:
    require_permitted(permission(source_addresses=permitted), MIDNIGHT)


@pytest.mark.parametrize("permitted", [["10.0.0.0/8"], ["127.0.0.3"], ["::1"]])
def test_an_address_that_is_not_named_is_refused(permitted: list[str]) -> None:
    with pytest.raises(AuthorisationError, match=r"letter-7\.source_addresses is they would come from 127\.0\.0\.1; expected"):
        require_permitted(permission(source_addresses=permitted), MIDNIGHT)


def test_a_second_address_must_be_named_too() -> None:
    with pytest.raises(AuthorisationError, match=r"come from 127\.0\.0\.9;"):
        require_permitted(permission(source_addresses=["127.0.0.1"]), MIDNIGHT, second_address="127.0.0.9")
    require_permitted(permission(source_addresses=["127.0.0.1", "127.0.0.9"]), MIDNIGHT, second_address="127.0.0.9")
    require_permitted(permission(), MIDNIGHT, second_address="127.0.0.9")


def has_a_route() -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        return sock.connect_ex(("192.0.2.1", 9)) == 0


def test_a_name_that_nobody_knows_is_judged_by_the_usual_route() -> None:
    """Nothing can be sent there now; once the name is known, it may be."""
    if not has_a_route():
        machine_lacks("this machine has no route beyond itself: nothing could be sent anywhere")
    hosts = [{"origin": "http://portal.example.invalid"}]
    with pytest.raises(AuthorisationError, match="source_addresses") as caught:
        require_permitted(permission(hosts=hosts, source_addresses=["203.0.113.7"]), MIDNIGHT)
    assert "from 203.0.113.7/32 only" in str(caught.value)

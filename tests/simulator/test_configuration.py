"""The configuration file: what it accepts, what it fills in, and that each mistake is one line with key, value and expectation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import CatalogError
from harness.simulator.configuration import Config, patched, read_config
from harness.simulator.personality import FAULTS, Freezes, Personality


def read(folder: Path, **keys: Any) -> Config:
    path = folder / "simulator.json"
    standard = {"database": str(folder / "db"), "truth_log": str(folder / "log"), "portals": [{"id": "p"}]}
    path.write_text(json.dumps(standard | keys), encoding="utf-8")
    return read_config(path)


def test_what_the_file_leaves_out_comes_from_seed_and_id(tmp_path: Path) -> None:
    config = read(
        tmp_path, seed=7, portals=[{"id": "a"}, {"id": "b", "family": "own", "personality": {"servers": 2.0, "faults": ["slow_body"]}}]
    )
    a, b = config.portals
    assert (a.name_vi, a.family, b.family) == ("a", "liferay", "liferay")
    assert (a.agency_code, a.personality.median_ms, a.personality.servers) == ("H20.30.11", 331.6, 20)
    assert (b.personality.servers, b.personality.faults) == (2, {"slow_body": 1.0})
    assert b.personality.median_ms == read(tmp_path, seed=7, portals=[{"id": "b"}]).portals[0].personality.median_ms
    assert config.identity == config.payment == Personality(distribution="constant", median_ms=10, servers=0, page_bytes=6000)
    assert read(tmp_path, payment={"median_ms": 3}).payment == config.payment.model_copy(update={"median_ms": 3})


def test_agency_codes_do_not_repeat(tmp_path: Path) -> None:
    config = read(tmp_path, portals=[{"id": f"p{number}"} for number in range(300)])
    assert len({portal.agency_code for portal in config.portals}) == 300


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"extra": 1}, "extra is 1; expected a key that docs/simulator.md lists. Remove the key or mend its spelling."),
        ({"seed": "x"}, "seed is 'x'; expected a valid integer. Mend the value."),
        ({"database": ":memory:"}, "database is ':memory:'; expected the path of a file. Mend the value."),
        ({"truth_log": "/nowhere/log"}, "truth_log is '/nowhere/log'; expected a file in a folder that exists. Mend the value."),
        ({"portals": []}, "portals is []; expected a list with at least one item. Add an item."),
        ({"portals": [], "stand_in": {"payment": {"client_id": "a", "secret": "0123456789abcdef", "callback": "http://pay.example.invalid/x"}}}, "stand_in.payment.callback is 'http://pay.example.invalid/x'; expected an address on this machine, such as http://127.0.0.1:8080/path: the stand-ins are reached on loopback only. Mend the value."),
        ({"portals": [3]}, "portals[0] is 3; expected an object. Mend the value."),
        ({"portals": [{}]}, "portals[0].id is missing; expected a value. Add the key."),
        ({"portals": [{"id": "a b"}]}, "portals[0].id is 'a b'; expected letters, digits, - and _; none of control, identity, payment. Mend the value."),
        ({"portals": [{"id": "p"}, {"id": "p"}]}, "portals[1].id is 'p'; expected each id once. Rename one of the two."),
        ({"ports": {"q": 1}}, "ports.q is 1; expected control, identity, payment, a portal's id, or a portal's id with :form. Mend the key."),
        ({"ports": {"p": 70_000}}, "ports.p is 70000; expected a number less than or equal to 65535. Mend the value."),
        ({"cpu": 1}, "cpu is 1; expected a valid list. Mend the value."),
        ({"identity": {"slow_share": 2}}, "identity.slow_share is 2; expected a number less than or equal to 1. Mend the value."),
        ({"identity": {"median_ms": -1}}, "identity.median_ms is -1; expected a number greater than or equal to 0. Mend the value."),
        ({"identity": {"servers": 1.5}}, "identity.servers is 1.5; expected a valid integer. Mend the value."),
        ({"identity": {"hang_s": True}}, "identity.hang_s is True; expected a valid number. Mend the value."),
        ({"identity": {"faults": ["x"]}}, f"identity.faults.x is 'x'; expected one of {', '.join(FAULTS)}. Mend the value."),
        ({"identity": {"freezes": {"first_at_s": 0, "every_s": 0}}}, "identity.freezes.duration_s is missing; expected a value. Add the key."),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(tmp_path: Path, keys: dict[str, Any], said: str) -> None:
    with pytest.raises(CatalogError) as wrong:
        read(tmp_path, **keys)
    assert str(wrong.value) == f"{tmp_path / 'simulator.json'}: {said}"


def test_a_freeze_ends_before_the_next(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"payment\.freezes is .*; expected a duration_s below every_s"):
        read(tmp_path, payment={"freezes": {"first_at_s": 0, "every_s": 1, "duration_s": 1}})


def test_a_control_request_changes_only_what_it_names() -> None:
    base = Personality(median_ms=5, faults={"slow_body": 0.5})
    changed = patched(base, {"servers": 1, "freezes": {"first_at_s": 1, "every_s": 0, "duration_s": 2}}, "request")
    assert changed == base.model_copy(update={"servers": 1, "freezes": Freezes(first_at_s=1, every_s=0, duration_s=2)})
    assert patched(changed, {"freezes": None}, "request").freezes is None
    with pytest.raises(CatalogError) as wrong:
        patched(base, {"servers": -1, "colour": 1}, "request")
    assert [problem.split(" is ")[0] for problem in str(wrong.value).splitlines()] == [
        "request: personality.servers",
        "request: personality.colour",
    ]

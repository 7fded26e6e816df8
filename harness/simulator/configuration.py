"""The configuration file: read, checked whole, every problem named at once."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from harness.errors import CatalogError, Problem
from harness.simulator.chance import Draws
from harness.simulator.personality import FAULTS, Freezes, Personality, default_personality

FAMILIES = ("national", "igate-formio", "igate-php", "eform", "liferay", "opencps", "calibration")
ALIASES = {"own": "liferay"}  # home-grown portals are played by the server-rendered family
SHARED_HOSTS = ("control", "identity", "payment")

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_SHARES = ("slow_share", "error_share", "payment_failure_share", "hang_share")
_COUNTS = ("servers", "too_many_requests_above", "page_bytes", "body_bytes")
_CHOICES = {"distribution": ("lognormal", "constant", "bimodal", "exponential"), "refuses": ("none", "forbidden", "captcha", "maintenance")}


@dataclass(frozen=True, slots=True)
class PortalConfig:
    """One embedded portal."""

    id: str
    name_vi: str
    family: str
    personality: Personality
    agency_code: str


@dataclass(frozen=True, slots=True)
class Config:
    """The whole of the configuration file."""

    seed: int
    database: Path
    truth_log: Path
    portals: tuple[PortalConfig, ...]
    identity: Personality
    payment: Personality
    ports: Mapping[str, int] = field(default_factory=dict)
    cpu: tuple[int, ...] = ()
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    keep_alive_s: int = 60


SHARED_PERSONALITY = Personality(distribution="constant", median_ms=10.0, servers=0, page_bytes=6_000)
"""Identity provider and payment gateway, where the file says nothing of them."""


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def wrong(self, key: str, value: object, expected: str, remedy: str = "Mend the value.") -> None:
        self.problems.append(Problem(self.file, key, repr(value), expected, remedy))

    def personality(self, key: str, given: object, base: Personality) -> Personality:
        if not isinstance(given, dict):
            self.wrong(key, given, "an object")
            return base
        return changed(base, given, key, self)


def changed(base: Personality, given: Mapping[str, Any], key: str, reader: _Reader) -> Personality:
    """``base`` with the keys of ``given`` replaced; what is wrong goes to the reader's problems."""
    values: dict[str, Any] = {}
    known = {item.name for item in dataclasses.fields(Personality)}
    for name, value in given.items():
        at = f"{key}.{name}"
        if name not in known:
            reader.wrong(at, value, "one of " + ", ".join(sorted(known)), "Remove the key or mend its spelling.")
        elif name == "faults":
            values[name] = _faults(value, at, reader)
        elif name == "freezes":
            values[name] = _freezes(value, at, reader)
        elif name in _CHOICES:
            if value not in _CHOICES[name]:
                reader.wrong(at, value, "one of " + ", ".join(_CHOICES[name]))
            values[name] = value
        elif not _is_number(value) or value < 0 or (name in _SHARES and value > 1) or (name in _COUNTS and value != int(value)):
            kind = "a share between 0 and 1" if name in _SHARES else "a whole number from 0" if name in _COUNTS else "a number from 0"
            reader.wrong(at, value, kind)
        else:
            values[name] = int(value) if name in _COUNTS else float(value)
    return dataclasses.replace(base, **values)


def patched(base: Personality, given: Mapping[str, Any], where: str) -> Personality:
    """``base`` with the keys of a control request replaced; raises CatalogError naming each wrong key."""
    reader = _Reader(where)
    result = changed(base, given, "personality", reader)
    if reader.problems:
        raise CatalogError(*reader.problems)
    return result


def read_config(path: Path) -> Config:
    """The configuration in ``path``; raises CatalogError with every problem of the file."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogError(Problem(str(path), "file", f"unreadable ({error.strerror})", "a JSON file", "Check the path.")) from error
    except ValueError as error:
        raise CatalogError(Problem(str(path), "file", f"not JSON ({error})", "a JSON object", "Mend the syntax.")) from error
    reader = _Reader(str(path))
    config = _config(raw if isinstance(raw, dict) else {}, reader)
    if config is None or reader.problems:
        raise CatalogError(*reader.problems)
    return config


_TOP = {"seed", "database", "truth_log", "portals", "identity", "payment", "ports", "cpu", "tls", "keep_alive_s"}


def _config(raw: dict[str, Any], reader: _Reader) -> Config | None:
    for name in raw.keys() - _TOP:
        reader.wrong(name, raw[name], "one of " + ", ".join(sorted(_TOP)), "Remove the key or mend its spelling.")
    seed = raw.get("seed", 0)
    if not isinstance(seed, int):
        reader.wrong("seed", seed, "a whole number")
    for name in ("database", "truth_log"):
        if not isinstance(raw.get(name), str) or raw[name] in ("", ":memory:"):
            reader.wrong(name, raw.get(name), "the path of a file", "Name a file; its folder must exist.")
        elif not Path(raw[name]).absolute().parent.is_dir():
            reader.wrong(name, raw[name], "a file in a folder that exists", "Create the folder first.")
    portals = _portals(raw.get("portals"), seed if isinstance(seed, int) else 0, reader)
    identity = reader.personality("identity", raw.get("identity", {}), SHARED_PERSONALITY)
    payment = reader.personality("payment", raw.get("payment", {}), SHARED_PERSONALITY)
    tls = raw.get("tls") or {}
    if not isinstance(tls, dict) or (tls and set(tls) != {"cert", "key"}):
        reader.wrong("tls", tls, 'an object {"cert": file, "key": file}')
        tls = {}
    for name, value in tls.items():
        if not Path(value).is_file():
            reader.wrong(f"tls.{name}", value, "a PEM file that exists")
    cpu = raw.get("cpu", [])
    if not isinstance(cpu, list) or not all(isinstance(item, int) for item in cpu):
        reader.wrong("cpu", cpu, "a list of processor numbers")
    keep_alive_s = raw.get("keep_alive_s", 60)
    if not isinstance(keep_alive_s, int) or keep_alive_s < 0:
        reader.wrong("keep_alive_s", keep_alive_s, "a whole number of seconds")
    ports = _ports(raw.get("ports", {}), {portal.id for portal in portals}, reader)
    if reader.problems:
        return None
    return Config(
        seed=seed,
        database=Path(raw["database"]),
        truth_log=Path(raw["truth_log"]),
        portals=portals,
        identity=identity,
        payment=payment,
        ports=ports,
        cpu=tuple(cpu),
        tls_certificate=Path(tls["cert"]) if tls else None,
        tls_key=Path(tls["key"]) if tls else None,
        keep_alive_s=keep_alive_s,
    )


def _portals(given: object, seed: int, reader: _Reader) -> tuple[PortalConfig, ...]:
    if not isinstance(given, list) or not given:
        reader.wrong("portals", given, "a list with at least one portal")
        return ()
    portals: list[PortalConfig] = []
    for index, item in enumerate(given):
        key = f"portals[{index}]"
        if not isinstance(item, dict):
            reader.wrong(key, item, "an object")
            continue
        for name in item.keys() - {"id", "name_vi", "family", "personality", "agency_code"}:
            reader.wrong(
                f"{key}.{name}", item[name], "one of id, name_vi, family, personality, agency_code", "Remove the key or mend its spelling."
            )
        identifier, family = item.get("id"), str(item.get("family", "liferay"))
        if not isinstance(identifier, str) or not _IDENTIFIER.fullmatch(identifier) or identifier in SHARED_HOSTS:
            reader.wrong(f"{key}.id", identifier, "letters, digits, - and _; none of " + ", ".join(SHARED_HOSTS))
            continue
        if identifier in {portal.id for portal in portals}:
            reader.wrong(f"{key}.id", identifier, "each id once", "Rename one of the two.")
        if family not in FAMILIES and family not in ALIASES:
            reader.wrong(f"{key}.family", family, "one of " + ", ".join((*FAMILIES, *ALIASES)))
        personality = reader.personality(f"{key}.personality", item.get("personality") or {}, default_personality(seed, identifier))
        code = str(item.get("agency_code") or agency_code(seed, identifier, {portal.agency_code for portal in portals}))
        portals.append(PortalConfig(identifier, str(item.get("name_vi") or identifier), ALIASES.get(family, family), personality, code))
    return tuple(portals)


def agency_code(seed: int, portal: str, taken: Collection[str]) -> str:
    """A synthetic agency code of the form that Circular 01/2018 gives dossier codes, H08.12.03; one that nobody else has."""
    draws = Draws(seed, f"agency of {portal}")
    for number in count():
        province, district, office = (1 + int(most * draws.uniform(number, purpose)) for purpose, most in enumerate((63, 40, 20)))
        code = f"H{province:02d}.{district:02d}.{office:02d}"
        if code not in taken:
            return code
    raise AssertionError  # count() does not end


def _ports(given: object, portals: set[str], reader: _Reader) -> dict[str, int]:
    if not isinstance(given, dict):
        reader.wrong("ports", given, "an object of port numbers by origin")
        return {}
    for name, port in given.items():
        if name not in SHARED_HOSTS and name not in portals and name.removesuffix(":form") not in portals:
            reader.wrong(f"ports.{name}", port, "control, identity, payment, a portal's id, or a portal's id with :form")
        elif not isinstance(port, int) or not 0 <= port <= 65_535:
            reader.wrong(f"ports.{name}", port, "a port number, 0 for any free one")
    return given


def _faults(value: object, at: str, reader: _Reader) -> dict[str, float]:
    shares = dict.fromkeys(value, 1.0) if isinstance(value, list) and all(isinstance(name, str) for name in value) else value
    if not isinstance(shares, dict):
        reader.wrong(at, value, "a list of names, or an object of shares by name")
        return {}
    for name, share in shares.items():
        if name not in FAULTS:
            reader.wrong(f"{at}.{name}", share, "one of " + ", ".join(FAULTS), "Remove the fault or mend its spelling.")
        elif not _is_number(share) or not 0 <= share <= 1:
            reader.wrong(f"{at}.{name}", share, "a share between 0 and 1")
    return {name: float(share) for name, share in shares.items() if _is_number(share)}


def _freezes(value: object, at: str, reader: _Reader) -> Freezes | None:
    if value is None:
        return None
    names = ("first_at_s", "every_s", "duration_s")
    if not isinstance(value, dict) or set(value) != set(names) or not all(_is_number(value[name]) and value[name] >= 0 for name in names):
        reader.wrong(at, value, "an object with first_at_s, every_s and duration_s, numbers from 0")
        return None
    if value["every_s"] and value["duration_s"] >= value["every_s"]:
        reader.wrong(at, value, "stalls shorter than the time between their starts")
    return Freezes(*(float(value[name]) for name in names))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

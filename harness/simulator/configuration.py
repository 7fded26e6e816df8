"""The configuration file: read and checked; all its problems are reported at once."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from ipaddress import ip_address
from itertools import count
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from harness.errors import CatalogError, Problem
from harness.simulator.chance import Draws
from harness.simulator.personality import Personality, default_personality

ALIASES = {"own": "liferay"}  # home-grown portals use the Liferay pages
SHARED_HOSTS = ("control", "identity", "payment")
SHARED_PERSONALITY = Personality(distribution="constant", median_ms=10.0, servers=0, page_bytes=6_000)
"""Identity provider and payment gateway, where the file does not change it."""


def _portal_id(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", value) or value in SHARED_HOSTS:
        raise ValueError("letters, digits, - and _; none of " + ", ".join(SHARED_HOSTS))
    return value


def _file_to_write(value: object) -> object:
    if not isinstance(value, str) or value in ("", ":memory:"):
        raise ValueError("the path of a file")
    if not Path(value).absolute().parent.is_dir():
        raise ValueError("a file in a folder that exists")
    return value


def _pem_file(value: Path) -> Path:
    if not value.is_file():
        raise ValueError("a PEM file that exists")
    return value


_Family = Literal["national", "igate-formio", "igate-php", "eform", "liferay", "opencps", "calibration"]
_Integer = Annotated[int, Field(strict=True)]
_Port = Annotated[int, Field(strict=True, ge=0, le=65_535)]
_FileToWrite = Annotated[Path, BeforeValidator(_file_to_write)]
_PemFile = Annotated[Path, AfterValidator(_pem_file)]


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TlsFiles(_Checked):
    """The certificate chain and its key."""

    cert: _PemFile
    key: _PemFile


class PortalConfig(_Checked):
    """One embedded portal."""

    id: Annotated[str, AfterValidator(_portal_id)]
    name_vi: str = ""
    family: Annotated[_Family, BeforeValidator(lambda name: ALIASES.get(name, name) if isinstance(name, str) else name)] = "liferay"
    personality: Personality = Personality()
    agency_code: str = ""


def _on_this_machine(value: str) -> str:
    """The hosts that stand in are reached on loopback only, so the staging is there too."""
    try:
        parts = urlsplit(value)
        name, _ = parts.hostname or "", parts.port
        is_here = name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        is_here = False
    if not is_here or parts.scheme not in ("http", "https") or parts.query or parts.fragment or parts.username:
        raise ValueError("an address on this machine, such as http://127.0.0.1:8080/path: the stand-ins are reached on loopback only")
    return value


_Local = Annotated[str, AfterValidator(_on_this_machine)]
_ClientId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$")]
_Secret = Annotated[str, Field(min_length=16, max_length=200)]


class StandInClient(_Checked):
    """A staging as it is registered at the identity provider."""

    client_id: _ClientId
    secret: _Secret
    redirect_uri: _Local


class StandInMerchant(_Checked):
    """A staging as it is registered at the payment gateway."""

    client_id: _ClientId
    secret: _Secret
    callback: _Local


class StandIns(_Checked):
    """Hosts that stand in for those of a portal that is not the simulator's."""

    identity: StandInClient | None = None
    payment: StandInMerchant | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The hosts that stand in."""
        return tuple(name for name in ("identity", "payment") if getattr(self, name) is not None)


class Config(_Checked):
    """The whole configuration file."""

    seed: _Integer = 0
    database: _FileToWrite
    truth_log: _FileToWrite
    portals: list[PortalConfig]
    stand_in: StandIns | None = None
    identity: Personality = Personality()
    payment: Personality = Personality()
    ports: dict[str, _Port] = Field(default_factory=dict)
    cpu: list[_Integer] = Field(default_factory=list)
    tls: TlsFiles | None = None
    keep_alive_s: Annotated[int, Field(strict=True, ge=0)] = 60


def read_config(path: Path) -> Config:
    """The configuration in ``path``, defaults filled in; raises CatalogError with every problem of the file."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogError(Problem(str(path), "file", f"unreadable ({error.strerror})", "a JSON file", "Check the path.")) from error
    except ValueError as error:
        raise CatalogError(Problem(str(path), "file", f"not JSON ({error})", "a JSON object", "Mend the syntax.")) from error
    problems = list(_conflicts(raw, str(path))) if isinstance(raw, dict) else []
    try:
        config = Config.model_validate(raw)
    except ValidationError as error:
        raise CatalogError(*_problems(error, str(path)), *problems) from error
    if problems:
        raise CatalogError(*problems)
    return _completed(config)


def patched(base: Personality, given: Mapping[str, Any], where: str) -> Personality:
    """``base`` with the traits of a control request replaced; raises CatalogError with every wrong trait."""
    try:
        return base.changed(Personality.model_validate(given))
    except ValidationError as error:
        raise CatalogError(*_problems(error, where, "personality")) from error


def agency_code(seed: int, portal: str, taken: Collection[str]) -> str:
    """A synthetic agency code that is not in ``taken``, in the form of Circular 01/2018: H08.12.03."""
    draws = Draws(seed, f"agency of {portal}")
    for number in count():
        province, district, office = (1 + int(most * draws.uniform(number, purpose)) for purpose, most in enumerate((63, 40, 20)))
        code = f"H{province:02d}.{district:02d}.{office:02d}"
        if code not in taken:
            return code
    raise AssertionError  # count() does not end


def _completed(config: Config) -> Config:
    """The configuration with what depends on other keys: shared personalities, and each portal's defaults."""
    portals: list[PortalConfig] = []
    for portal in config.portals:
        code = portal.agency_code or agency_code(config.seed, portal.id, {other.agency_code for other in portals})
        personality = default_personality(config.seed, portal.id).changed(portal.personality)
        update = {"name_vi": portal.name_vi or portal.id, "personality": personality, "agency_code": code}
        portals.append(portal.model_copy(update=update))
    shared = {name: SHARED_PERSONALITY.changed(getattr(config, name)) for name in ("identity", "payment")}
    return config.model_copy(update={"portals": portals, **shared})


def _conflicts(raw: dict[str, Any], file: str) -> Iterator[Problem]:
    """Problems between keys: an id used twice, a port for an origin that does not exist, nothing to serve."""
    portals, ports = raw.get("portals"), raw.get("ports")
    ids: list[object] = [item.get("id") for item in portals if isinstance(item, dict)] if isinstance(portals, list) else []
    for index, name in enumerate(ids):
        if name is not None and name in ids[:index]:
            yield Problem(file, f"portals[{index}].id", repr(name), "each id once", "Rename one of the two.")
    if portals == [] and not raw.get("stand_in"):
        yield Problem(file, "portals", "[]", "a list with at least one item", "Add an item.")
    for name, port in ports.items() if isinstance(ports, dict) else ():
        if name not in SHARED_HOSTS and name.removesuffix(":form") not in ids:
            expected = "control, identity, payment, a portal's id, or a portal's id with :form"
            yield Problem(file, f"ports.{name}", repr(port), expected, "Mend the key.")


def _problems(error: ValidationError, file: str, prefix: str = "") -> Iterator[Problem]:
    for item in error.errors(include_url=False):
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in item["loc"] if part != "[key]")
        key, value = (prefix + path).removeprefix(".") or "file", repr(item["input"])
        shown = value if len(value) <= 120 else value[:117] + "…"
        match item["type"]:
            case "extra_forbidden":
                yield Problem(file, key, shown, "a key that docs/simulator.md lists", "Remove the key or mend its spelling.")
            case "missing":
                yield Problem(file, key, "missing", "a value", "Add the key.")
            case "model_type" | "dict_type":
                yield Problem(file, key, shown, "an object", "Mend the value.")
            case "too_short":
                yield Problem(file, key, shown, "a list with at least one item", "Add an item.")
            case "greater_than_equal" | "less_than_equal":
                yield Problem(file, key, shown, item["msg"].replace("Input should be", "a number"), "Mend the value.")
            case _:
                expected = item["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
                yield Problem(file, key, shown, expected, "Mend the value.")

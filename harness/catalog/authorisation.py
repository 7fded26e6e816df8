"""Authorisations: the written permission to load a portal's hosts, with its limits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, IPvAnyNetwork, model_validator

from harness.catalog.ids import Name, PlainId, spelled
from harness.catalog.reading import CatalogModel
from harness.catalog.scalars import as_moment
from harness.catalog.secret_reference import parse_reference
from harness.origins import Owner, origin_of, why_no_bare_origin
from harness.records.permitted_hours import parse_hours

LONGEST_CONTACT = 100
"""Characters of a contact (assumed: the longest User-Agent that portals log whole has a few hundred)."""


def _canonical(value: str) -> str:
    if fault := why_no_bare_origin(value):
        raise ValueError(f"an origin: scheme, name and port only, for example https://name:443 ({fault})")
    return origin_of(value)


def _reference(value: str) -> str:
    if parse_reference(value) is None:
        raise ValueError("a reference, `env:NAME` or `file:PATH`: the secret itself never stands in the catalog")
    return value


_MAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_PHONE = re.compile(r"\+?[0-9]([ .-]?[0-9]){6,17}")


def _hours(value: str) -> str:
    parse_hours(value)
    return value


def _contact(value: str) -> str:
    if len(value) > LONGEST_CONTACT or not (_MAIL.fullmatch(value) or _PHONE.fullmatch(value)):
        raise ValueError(
            f"one e-mail address or telephone number in plain ASCII, of at most {LONGEST_CONTACT} characters: every request carries it"
        )
    return value


def _each_once(values: Sequence[str]) -> Sequence[str]:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise ValueError(f"each once; {', '.join(twice)} stands twice")
    return values


_Origin = Annotated[str, AfterValidator(_canonical)]
_SecretReference = Annotated[str, AfterValidator(_reference)]
_Moment = Annotated[AwareDatetime, BeforeValidator(as_moment)]
_Hours = Annotated[str, AfterValidator(_hours)]
_Contact = Annotated[str, AfterValidator(_contact)]
_Journeys = Annotated[tuple[Name, ...], Field(min_length=1), AfterValidator(_each_once)]
_Share = Annotated[float, Field(gt=0, le=1)]


class Host(CatalogModel):
    """One origin that may be sent requests, its role in the platform's profile, and its owner."""

    origin: _Origin
    role: Annotated[str, spelled(r"[a-z][a-z_]*", "small letters a to z and underscores, of which the first is a letter")] = "portal"
    owner: Owner = "portal"


class SafetyLimits(CatalogModel):
    """Beyond any of these, over ``over_s`` seconds, arrivals stop within one second."""

    error_share_max: _Share = 0.2
    overload_share_max: _Share = 0.2  # 429 and 503
    p95_ms_max: Annotated[float, Field(gt=0)] = 30_000.0
    over_s: Annotated[float, Field(gt=0)] = 10.0
    failures_in_a_row_max: Annotated[int, Field(ge=1)] = 50  # of requests, over any time: at small loads no share is judged


class PaymentSandbox(CatalogModel):
    """A payment host on which no money moves. Without one, nothing is paid."""

    origin: _Origin
    note: str = ""


class Statement(CatalogModel):
    """What the owner states in writing, and where: number and date of the document."""

    reference: Annotated[str, Field(min_length=1)]
    note: str = ""


@dataclass(frozen=True, slots=True)
class NamedPermission:
    """The written permission for one portal, as rules and reports name it."""

    id: str
    reference: str  # number and date of the document
    granted_by: str


class Authorisation(CatalogModel):
    """What the owner of a portal permits, and for how long."""

    id: PlainId
    portal: PlainId
    platform: str = ""  # the profile to use; empty: the portal's own
    draft: bool = False  # nobody has signed it: it permits nothing
    reference: Annotated[str, Field(min_length=1)]  # number and date of the document
    granted_by: Annotated[str, Field(min_length=1)]
    valid_from: _Moment
    valid_to: _Moment
    hosts: Annotated[tuple[Host, ...], Field(min_length=1)]
    address_ranges: tuple[IPvAnyNetwork, ...] = ()  # beside public addresses, where a host's name may lead: 10.1.0.0/16
    citizens_in_flight_max: Annotated[int, Field(ge=1)]
    requests_per_s_max: Annotated[float, Field(gt=0)]
    dossiers_max: Annotated[int, Field(ge=1)] | None = None  # test dossiers that may be filed in one sweep; without it there is no limit
    dossiers_per_night_max: Annotated[int, Field(ge=1)] | None = None  # over all sweeps of a night in one folder of results
    hours: Annotated[tuple[_Hours, ...], Field(min_length=1), AfterValidator(_each_once)] | None = (
        None  # of the day, in Viet Nam; None: all
    )
    journeys: _Journeys | None = None  # that may be walked; None: all
    source_addresses: Annotated[tuple[IPvAnyNetwork, ...], Field(min_length=1)] | None = None  # that requests may come from; None: any
    contact: _Contact | None = None  # for whoever reads the portal's log: it goes into the User-Agent
    captcha_exemption: Statement | None = None  # that forms of test citizens ask for no captcha; without it, or a sandbox, nothing is filed
    emc_exclusion: Statement | None = None  # that the test agency is left out of the monitoring system (EMC)
    safety: SafetyLimits = Field(default_factory=SafetyLimits)
    payment_sandbox: PaymentSandbox | None = None
    test_identities: _SecretReference | None = None  # a CSV of test identities; its columns are template values of `identity`
    secrets: dict[str, _SecretReference] = Field(default_factory=dict)
    hosting_group: str = ""  # portals that share machines are never loaded at the same time
    vantage_point: str = ""  # where the portal is measured from: a network, a place; `--vantage-point` overrides it
    note: str = ""

    @model_validator(mode="after")
    def _is_consistent(self) -> Authorisation:
        if self.valid_to <= self.valid_from:
            raise ValueError("`valid_to` must be later than `valid_from`")
        origins = [host.origin for host in self.hosts]
        if len(origins) != len(set(origins)):
            raise ValueError("each origin once in `hosts`")
        if not any(host.role == "portal" for host in self.hosts):
            raise ValueError("one host must have the role `portal`")
        payment = [host.origin for host in self.hosts if host.owner == "payment"]
        sandbox = self.payment_sandbox.origin if self.payment_sandbox else None
        if any(origin != sandbox for origin in payment):
            raise ValueError("a payment host must be the `payment_sandbox`: real payments are never made")
        return self

    def holds_at(self, moment: datetime) -> bool:
        """Whether a moment (timezone-aware) lies between the first and the last day. Hours are not looked at; `gate` checks both.

        A draft holds at no time.
        """
        return not self.draft and self.valid_from <= moment < self.valid_to

"""Portals and sets of portals, each statement with its basis."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from harness.catalog.basis import FigureBasis
from harness.catalog.ids import PlainId
from harness.catalog.reading import CatalogModel
from harness.catalog.scalars import AnyValue


class DailyFigure(CatalogModel):
    """A count per day, over the calendar days of the period that ``source`` names."""

    per_day: Annotated[float, Field(ge=0)]
    basis: FigureBasis
    source: Annotated[str, Field(min_length=1)]


class Portal(CatalogModel):
    """One evaluated system, without addresses: they are in its authorisation."""

    id: PlainId
    name_vi: Annotated[str, Field(min_length=1)]
    name_en: Annotated[str, Field(min_length=1)]
    level: Literal["ministry", "province", "sample"]
    platform: str = "unknown"  # a family, ``own`` for one of its own kind, or ``unknown``
    platform_basis: str = ""  # where the family was seen; empty for ``unknown``
    embedded_platform: Annotated[str, Field(min_length=1)]  # the family that the simulator plays for it
    membership_basis: str = ""  # set by the loader from the sets that name it
    daily: dict[Literal["dossiers", "online_dossiers", "payments", "visits"], DailyFigure] = Field(default_factory=dict)
    personality: dict[str, AnyValue] | None = None  # for the simulator, as it is; None: derived from the id

    @model_validator(mode="after")
    def _a_known_platform_has_a_basis(self) -> Portal:
        if (self.platform == "unknown") != (not self.platform_basis):
            raise ValueError("`platform_basis` must say where a known platform was seen, and be empty for `unknown`")
        return self


class Members(CatalogModel):
    """Portals that are in a set for the same reason."""

    basis: Annotated[str, Field(min_length=1)]
    portals: Annotated[tuple[PlainId, ...], Field(min_length=1)]


class PortalSet(CatalogModel):
    """Portals that are evaluated together, in the order of their listing."""

    name_vi: str
    name_en: str
    members: Annotated[tuple[Members, ...], Field(min_length=1)]

    @property
    def portals(self) -> tuple[str, ...]:
        """Every portal of the set, in order."""
        return tuple(portal for group in self.members for portal in group.portals)

    @model_validator(mode="after")
    def _each_portal_once(self) -> PortalSet:
        twice = sorted({portal for portal in self.portals if self.portals.count(portal) > 1})
        if twice:
            raise ValueError(f"each portal once; {', '.join(twice)} stands twice")
        return self


class PortalFile(CatalogModel):
    """A file of ``portals/``: portals, sets, or both."""

    portals: tuple[Portal, ...] = ()
    sets: dict[PlainId, PortalSet] = Field(default_factory=dict)

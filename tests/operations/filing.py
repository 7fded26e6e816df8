"""Real dossiers at real embedded portals, and the folder that a sweep leaves of them, without the time that a sweep takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.catalog import Catalog, Portal, Target, embedded_target
from harness.client import LeanSession, Resolver, loopback_only
from harness.evidence import SweepFolder
from harness.operations.embedded import EmbeddedPortals
from harness.operations.measured_portal import MeasuredPortal
from harness.operations.sweep_plan import make_plan
from harness.profiles import compile_platform
from harness.records import Sample, run_id
from harness.records.files import write_whole
from harness.visits import Receipt, Visit

QUICK: Mapping[str, Any] = {"distribution": "constant", "median_ms": 0, "servers": 0, "page_bytes": 8_000}
STILL: Mapping[str, Any] = {"distribution": "constant", "median_ms": 0, "servers": 0}
SEED = 7


def portal(identifier: str, family: str = "", **personality: Any) -> Portal:
    """An embedded portal of a family, of its own name unless told otherwise."""
    return Portal(
        id=identifier, name_vi="Cổng thử", name_en="Test portal", level="sample", embedded_platform=family or identifier,
        personality={**QUICK, **personality},
    )  # fmt: skip


def start(portals: Sequence[Portal]) -> EmbeddedPortals:
    """Their simulator; whoever asks for it stops it."""
    return EmbeddedPortals.start(portals, seed=SEED, identity=dict(STILL), payment=dict(STILL))


def with_portals(catalog: Catalog, portals: Sequence[Portal]) -> Catalog:
    """The catalog with these portals besides its own."""
    return replace(catalog, portals={**catalog.portals, **{each.id: each for each in portals}})


def sweep_folder(
    folder: Path, catalog: Catalog, portals: Sequence[Portal], embedded: EmbeddedPortals, *, visits: int = 2, authorisation: str = ""
) -> SweepFolder:
    """``visits`` dossiers a portal, filed as citizens file them, with plan and ledger as a sweep writes them."""
    measured = [
        MeasuredPortal(each, each.embedded_platform, embedded.origins(each.id), authorisation, 4 if authorisation else 0)
        for each in portals
    ]
    plan = make_plan(
        "2026-11-21T22-00Z-test-7", measured, catalog.workloads["smoke"], seed=SEED, results=folder, night="2026-11-21",
        control="" if authorisation else embedded.control,
    )  # fmt: skip
    found = SweepFolder(folder)
    write_whole(found.plan, plan.to_json())
    with found.ledger.open("w", encoding="utf-8") as ledger:
        for each in portals:
            target = embedded_target(each, embedded.origins(each.id))
            for number in range(visits):
                for receipt in file_one(catalog, target, run_id(each.id, SEED), number):
                    entry = {"portal": each.id, "run": run_id(each.id, SEED), "journey": "submit", "visit": number, **receipt}
                    ledger.write(json.dumps(entry, ensure_ascii=False) + "\n")
    return found


def file_one(catalog: Catalog, target: Target, run: str, number: int) -> list[Receipt]:
    """One citizen files one dossier."""
    resolver = Resolver()
    rows: list[Sample] = []
    visit = Visit(
        compile_platform(catalog.platforms[target.platform]), target, journey="submit", goals=("find", "file"), visit=number, seed=SEED,
        run=run, session_factory=lambda: LeanSession(loopback_only, resolver), record=rows.append, intended_us=1,
        think=lambda _name: 0.0, sleep=_no_time,
    )  # fmt: skip
    given = visit.perform("find", keyword="khai sinh")
    visit.perform("file", **given, dossier=visit.state.person.dossier_for(None))
    visit.finish()
    return visit.state.receipts


def said() -> tuple[list[str], Callable[[str], None]]:
    """What an operation says, and where it is to say it."""
    lines: list[str] = []
    return lines, lines.append


def _no_time(_seconds: float) -> None:
    return

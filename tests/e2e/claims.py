"""What is claimed = what the portals stored = what citizens saw confirmed.

A citizen who gave up after the portal had stored is told apart by the rows of the step: its first request, the one that
stores, was answered (outcome ok), and a later hop, the page with the receipt, was not. Such a dossier is at the portal and
nobody holds its receipt: the portal counts it, nobody claims it. Where already the first request was left without an
answer nobody here can know whether it was stored; such steps bound the portal's count from above.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from tests.e2e.evidence import ledger, load, steps


def given_up(found: pd.DataFrame) -> tuple[int, int]:
    """Steps whose first request was answered and whose result was never seen; and those that had no answer at all."""
    without_answer = found["outcome"].isin(["timeout", "reset"])
    return int((found["answered"] & without_answer).sum()), int((~found["answered"] & without_answer).sum())


def assert_claims(folder: Path, portal: str) -> None:
    counted = load(folder / "counted.json")[portal]
    stored = {"submit": counted["dossiers"], "confirm_payment": counted["payments"]["paid"]}
    seen = {}
    for step, count in stored.items():
        found = steps(folder, portal, step)
        seen[step] = int(found["ok"].sum())
        unseen, unknown = given_up(found)
        surely = unseen if step == "submit" else 0  # a payment whose result nobody saw may have failed
        assert seen[step] + surely <= count <= seen[step] + unseen + unknown, step
    dossiers, payments = seen["submit"], seen["confirm_payment"]
    assert (ledger(folder, portal)["dossier"], ledger(folder, portal)["payment"]) == (dossiers, payments)
    assert claimed(folder, portal) == (dossiers, counted["dossiers"], payments, counted["payments"]["paid"])
    assert load(folder / "manifests" / f"{portal}.json")["claims"] == {
        "dossiers": {"acknowledged": dossiers, "counted_by_portal": counted["dossiers"]},
        "payments": {"acknowledged": payments, "counted_by_portal": counted["payments"]["paid"]},
    }
    assert counted["duplicates"] == 0


def claimed(folder: Path, portal: str) -> tuple[int, int, int, int]:
    """Dossiers claimed and counted, payments claimed and counted, as the report's table has them."""
    _, table = (folder / "report.html").read_text(encoding="utf-8").split('<section id="claims">')
    (row,) = re.findall(rf"<small>{portal}</small></th>(.*?)</tr>", table, flags=re.DOTALL)
    numbers = [int(number) for number in re.findall(r'<td class="n"[^>]*><span class="v">(\d+)</span>', row)]
    dossiers, counted_dossiers, payments, counted_payments = numbers
    return dossiers, counted_dossiers, payments, counted_payments

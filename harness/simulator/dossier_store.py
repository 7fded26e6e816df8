"""The rows of one portal: drafts, dossiers with their codes, files and payments."""

from __future__ import annotations

import json
import secrets
import sqlite3
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from harness.simulator.clock import local_date, wall_us
from harness.simulator.database import transaction
from harness.simulator.http_messages import Upload

RECEIVED, WITHDRAWN = "received", "withdrawn"
STATUS_VI = {RECEIVED: "Đã tiếp nhận", WITHDRAWN: "Đã rút hồ sơ"}


@dataclass(frozen=True, slots=True)
class Draft:
    """A dossier that the citizen still fills in."""

    id: str
    owner: str
    procedure: int
    applicant: dict[str, Any]
    details: dict[str, Any]
    paid: bool
    dossier: int | None


@dataclass(frozen=True, slots=True)
class Dossier:
    """A dossier that was submitted."""

    id: int
    code: str
    draft: str
    procedure: int
    owner: str
    applicant: dict[str, Any]
    fee: int
    status: str
    created_us: int

    @property
    def status_vi(self) -> str:
        """The status as pages show it."""
        return STATUS_VI[self.status]


@dataclass(frozen=True, slots=True)
class Payment:
    """One attempt to pay a fee; status is created, paid or failed."""

    transaction_id: str
    dossier_code: str
    draft: str
    amount: int  # VND
    status: str


class DossierStore:
    """The rows of one portal. Every method is one transaction and does not wait, so requests cannot interleave."""

    def __init__(self, database: sqlite3.Connection, portal: str, agency_code: str) -> None:
        self._database = database
        self.portal = portal
        self.agency_code = agency_code

    def open_draft(self, owner: str, procedure: int, identifier: str = "") -> Draft:
        """A new empty draft; the default identifier has 24 hexadecimal digits."""
        identifier = identifier or secrets.token_hex(12)
        self._database.execute(
            "INSERT INTO drafts (id, portal, owner, procedure, created_us) VALUES (?,?,?,?,?)",
            (identifier, self.portal, owner, procedure, wall_us()),
        )
        return Draft(identifier, owner, procedure, {}, {}, paid=False, dossier=None)

    def draft(self, identifier: str, owner: str) -> Draft | None:
        """The draft with this identifier, if it belongs to this owner on this portal."""
        row = self._database.execute(
            "SELECT id, owner, procedure, applicant, details, paid, dossier FROM drafts WHERE id = ? AND portal = ? AND owner = ?",
            (identifier, self.portal, owner),
        ).fetchone()
        return Draft(row[0], row[1], row[2], json.loads(row[3]), json.loads(row[4]), bool(row[5]), row[6]) if row else None

    def fill_in(self, draft: str, *, applicant: dict[str, Any] | None = None, details: dict[str, Any] | None = None) -> None:
        """Store the fields of one step of the form."""
        for column, value in (("applicant", applicant), ("details", details)):
            if value is not None:
                self._database.execute(f"UPDATE drafts SET {column} = ? WHERE id = ?", (_text(value), draft))  # noqa: S608

    def attach(self, draft: str, upload: Upload) -> int:
        """Store a file; answers its number."""
        cursor = self._database.execute(
            "INSERT INTO files (draft, name, media_type, sha256, content) VALUES (?,?,?,?,?)",
            (draft, upload.name, upload.media_type, sha256(upload.content).hexdigest(), upload.content),
        )
        return int(cursor.lastrowid or 0)

    def files(self, draft: str) -> list[tuple[int, str, int]]:
        """Number, name and size in bytes of every file of a draft."""
        return self._database.execute("SELECT id, name, length(content) FROM files WHERE draft = ? ORDER BY id", (draft,)).fetchall()

    def submit(self, draft: Draft, fee: int, *, collide: bool = False, forget: bool = False) -> str:
        """Make the draft a dossier and answer its code; a draft that was submitted before keeps its code.

        ``collide``: the code depends only on the second of submission. ``forget``: answer a code and store nothing.
        """
        with transaction(self._database):
            if draft.dossier is not None:
                row = self._database.execute("SELECT code FROM dossiers WHERE id = ?", (draft.dossier,)).fetchone()
                return str(row[0])
            code = self._next_code(collide=collide)
            if forget:
                return code
            cursor = self._database.execute(
                "INSERT INTO dossiers (portal, code, draft, procedure, owner, applicant, details, fee, status, created_us)"
                " SELECT portal, ?, id, procedure, owner, applicant, details, ?, ?, ? FROM drafts WHERE id = ?",
                (code, fee, RECEIVED, wall_us(), draft.id),
            )
            self._database.execute("UPDATE drafts SET dossier = ? WHERE id = ?", (cursor.lastrowid, draft.id))
            self._database.execute("UPDATE payments SET dossier_code = ? WHERE draft = ?", (code, draft.id))
        return code

    def _next_code(self, *, collide: bool) -> str:
        day = local_date()
        if collide:
            return f"{self.agency_code}-{day}-{wall_us() // 1_000_000 % 10_000:04d}"
        (number,) = self._database.execute(
            "INSERT INTO sequences VALUES (?,?,1) ON CONFLICT (portal, day) DO UPDATE SET last = last + 1 RETURNING last",
            (self.portal, day),
        ).fetchone()
        return f"{self.agency_code}-{day}-{number:04d}"

    def dossier(self, code: str) -> Dossier | None:
        """The dossier with this code; the newest where several have it."""
        return self._dossier("portal = ? AND code = ? ORDER BY id DESC LIMIT 1", (self.portal, code))

    def dossier_of_draft(self, draft: str) -> Dossier | None:
        """The dossier that a draft became."""
        return self._dossier("portal = ? AND draft = ?", (self.portal, draft))

    def _dossier(self, where: str, values: tuple[str, ...]) -> Dossier | None:
        row = self._database.execute(
            f"SELECT id, code, draft, procedure, owner, applicant, fee, status, created_us FROM dossiers WHERE {where}",  # noqa: S608  (two literals above)
            values,
        ).fetchone()
        return Dossier(row[0], row[1], row[2], row[3], row[4], json.loads(row[5]), row[6], row[7], row[8]) if row else None

    def withdraw(self, dossier: Dossier) -> None:
        """Mark a dossier as withdrawn; a second time changes nothing."""
        self._database.execute(
            "UPDATE dossiers SET status = ?, withdrawn_us = ? WHERE id = ? AND status <> ?", (WITHDRAWN, wall_us(), dossier.id, WITHDRAWN)
        )

    def open_payment(self, dossier_code: str, draft: str, amount: int) -> str:
        """Store a new payment, before the gateway knows it; answers its transaction number of 19 characters."""
        identifier = "DVC" + secrets.token_hex(8).upper()
        self._database.execute(
            "INSERT INTO payments VALUES (?,?,?,?,?,'created',?,NULL)", (identifier, self.portal, dossier_code, draft, amount, wall_us())
        )
        return identifier

    def payment(self, transaction_id: str) -> Payment | None:
        """The payment of this transaction on this portal."""
        row = self._database.execute(
            "SELECT transaction_id, dossier_code, draft, amount, status FROM payments WHERE transaction_id = ? AND portal = ?",
            (transaction_id, self.portal),
        ).fetchone()
        return Payment(*row) if row else None

    def payment_state(self, draft: str) -> str:
        """The best state of the payments of a draft: paid, created (not confirmed yet), failed, or none."""
        states = {status for (status,) in self._database.execute("SELECT status FROM payments WHERE draft = ?", (draft,))}
        return next((state for state in ("paid", "created", "failed") if state in states), "none")

    def settle(self, payment: Payment, *, paid: bool) -> None:
        """Store the result that the gateway reported; the first result stays."""
        with transaction(self._database):
            self._database.execute(
                "UPDATE payments SET status = ?, confirmed_us = ? WHERE transaction_id = ? AND status = 'created'",
                ("paid" if paid else "failed", wall_us(), payment.transaction_id),
            )
            if paid:
                self._database.execute("UPDATE drafts SET paid = 1 WHERE id = ?", (payment.draft,))

    def counts(self) -> dict[str, Any]:
        """The number of rows of each kind; a reconciliation compares them with the load."""
        stored, distinct, withdrawn = self._database.execute(
            "SELECT count(*), count(DISTINCT code), count(withdrawn_us) FROM dossiers WHERE portal = ?", (self.portal,)
        ).fetchone()
        payments = dict(
            self._database.execute("SELECT status, count(*) FROM payments WHERE portal = ? GROUP BY status", (self.portal,)).fetchall()
        )
        by_status = {status: payments.get(status, 0) for status in ("created", "paid", "failed")}
        return {"dossiers": stored, "withdrawn": withdrawn, "duplicates": stored - distinct, "payments": by_status}

    def ledger(self) -> list[dict[str, Any]]:
        """Every dossier: code, status, owner, whether its fee is paid, and when it was stored (microseconds since 1970)."""
        rows = self._database.execute(
            "SELECT d.code, d.status, d.owner, d.created_us, EXISTS (SELECT 1 FROM payments p WHERE p.draft = d.draft AND p.status = 'paid')"
            " FROM dossiers d WHERE d.portal = ? ORDER BY d.id",
            (self.portal,),
        )
        return [
            {"code": code, "status": status, "owner": owner, "created_us": created, "paid": bool(paid)}
            for code, status, owner, created, paid in rows
        ]


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)

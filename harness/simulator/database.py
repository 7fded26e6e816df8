"""The SQLite database (WAL) of all portals: its tables, and the one connection that writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import EnvironmentFault, Problem
from harness.simulator.procedures import store_procedures

_SCHEMA = """
CREATE TABLE IF NOT EXISTS procedures (
    id INTEGER PRIMARY KEY, code TEXT UNIQUE NOT NULL, uuid TEXT UNIQUE NOT NULL, hex24 TEXT UNIQUE NOT NULL,
    name TEXT NOT NULL, folded TEXT NOT NULL, field TEXT NOT NULL, fee INTEGER NOT NULL, days INTEGER NOT NULL, papers TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS drafts (
    id TEXT PRIMARY KEY, portal TEXT NOT NULL, owner TEXT NOT NULL, procedure INTEGER NOT NULL REFERENCES procedures (id),
    applicant TEXT NOT NULL DEFAULT '{}', details TEXT NOT NULL DEFAULT '{}', paid INTEGER NOT NULL DEFAULT 0,
    dossier INTEGER, created_us INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dossiers (
    id INTEGER PRIMARY KEY, portal TEXT NOT NULL, code TEXT NOT NULL, draft TEXT NOT NULL, procedure INTEGER NOT NULL REFERENCES procedures (id),
    owner TEXT NOT NULL, applicant TEXT NOT NULL, details TEXT NOT NULL, fee INTEGER NOT NULL, status TEXT NOT NULL,
    created_us INTEGER NOT NULL, withdrawn_us INTEGER);
CREATE INDEX IF NOT EXISTS dossiers_by_code ON dossiers (portal, code);
CREATE UNIQUE INDEX IF NOT EXISTS dossiers_by_draft ON dossiers (draft);
CREATE TABLE IF NOT EXISTS files (
    id INTEGER PRIMARY KEY, draft TEXT NOT NULL, name TEXT NOT NULL, media_type TEXT NOT NULL, sha256 TEXT NOT NULL, content BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS files_by_draft ON files (draft);
CREATE TABLE IF NOT EXISTS sequences (portal TEXT NOT NULL, day TEXT NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (portal, day)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS payments (
    transaction_id TEXT PRIMARY KEY, portal TEXT NOT NULL, dossier_code TEXT NOT NULL, draft TEXT NOT NULL, amount INTEGER NOT NULL,
    status TEXT NOT NULL, created_us INTEGER NOT NULL, confirmed_us INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS payments_by_code ON payments (portal, dossier_code);
CREATE INDEX IF NOT EXISTS payments_by_draft ON payments (draft);
CREATE TABLE IF NOT EXISTS gateway_transactions (
    reference TEXT PRIMARY KEY, client_id TEXT NOT NULL, transaction_id TEXT NOT NULL, dossier_code TEXT NOT NULL, amount INTEGER NOT NULL,
    return_url TEXT NOT NULL, status TEXT NOT NULL, created_us INTEGER NOT NULL, UNIQUE (client_id, transaction_id)) WITHOUT ROWID;
"""


def open_database(path: Path) -> sqlite3.Connection:
    """The database at ``path`` with tables and procedures; raises EnvironmentFault if it cannot be opened."""
    try:
        # Autocommit, used by the event loop's thread alone. No commit waits for the disk: a crash of the machine may lose the last ones.
        connection = sqlite3.connect(path, isolation_level=None, timeout=5.0, cached_statements=256)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.executescript(_SCHEMA)
        with transaction(connection):
            store_procedures(connection)
    except sqlite3.Error as error:
        expected = "a SQLite database, or no file yet, in a writable folder"
        raise EnvironmentFault(Problem(str(path), "database", f"unusable ({error})", expected, "Name another file.")) from error
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Store all statements of the block, or none."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")

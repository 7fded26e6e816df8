"""A reference receiver of scores: real HTTP, a real database, and the rules that docs/import.md asks of receivers."""

from __future__ import annotations

import base64
import json
import sqlite3
import threading
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from harness.errors import EvidenceError
from harness.publish.import_file import check_bytes
from harness.scoring.scorecard import SweepScores

_TABLES = """
CREATE TABLE imports (sha256 TEXT PRIMARY KEY, sweep TEXT, revision INTEGER, UNIQUE (sweep, revision));
CREATE TABLE scores (sweep TEXT, revision INTEGER, portal TEXT, verdict TEXT, points REAL, PRIMARY KEY (sweep, revision, portal));
"""


@dataclass
class Receiver:
    """What arrived, and how the next requests are to be answered before the rules apply."""

    token: str = ""
    answers_first: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    claims_sha256: str = ""
    requests: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.database = sqlite3.connect(":memory:", check_same_thread=False)
        self.database.executescript(_TABLES)
        self.lock = threading.Lock()

    def __enter__(self) -> Self:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                status, body, headers = outer.take(dict(self.headers.items()), self.rfile.read(int(self.headers["Content-Length"])))
                data = json.dumps(body).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(data))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self.database.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/imports"

    def rows(self, table: str) -> list[tuple[object, ...]]:
        with self.lock, closing(self.database.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3")) as cursor:
            return cursor.fetchall()

    def take(self, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, object], dict[str, str]]:
        """All rules at once; either the whole file is stored, or nothing is."""
        with self.lock:
            self.requests.append(headers)
            if self.answers_first:
                status, extra = self.answers_first.pop(0)
                return status, {"error": "as the test asked"}, extra
            if self.token and headers.get("Authorization") != f"Bearer {self.token}":
                return 401, {"error": "no valid token"}, {}
            digest = sha256(body)
            named = f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
            if headers.get("Content-Digest") != named or headers.get("Idempotency-Key") != digest.hexdigest():
                return 400, {"error": "not what its digest says: half a file?"}, {}
            try:
                scores = check_bytes(body, "request")
            except EvidenceError as error:
                return 422, {"error": str(error)}, {}
            return self.store(scores, digest.hexdigest())

    def store(self, scores: SweepScores, digest: str) -> tuple[int, dict[str, object], dict[str, str]]:
        answer = {"sha256": self.claims_sha256 or digest}
        where = {"Location": f"/imports/{digest}"}
        if self.database.execute("SELECT 1 FROM imports WHERE sha256 = ?", (digest,)).fetchone():
            return 200, answer, where
        try:
            with self.database:
                self.database.execute("INSERT INTO imports VALUES (?, ?, ?)", (digest, scores.sweep, scores.revision))
                self.database.executemany(
                    "INSERT INTO scores VALUES (?, ?, ?, ?, ?)",
                    [(scores.sweep, scores.revision, card.portal, card.verdict.value, card.points) for card in scores.scorecards],
                )
        except sqlite3.IntegrityError:
            return 409, {"error": "this sweep and revision are here with other contents"}, {}
        return 201, answer, where

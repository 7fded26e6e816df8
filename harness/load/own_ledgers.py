"""The ledgers that a worker keeps itself: receipts of portals stay on its disk until the master has all of them."""

from __future__ import annotations

from collections.abc import Callable, Container
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from harness.load.outbox import Outbox
from harness.records import LedgerLine, append_to_ledger, worker_ledger
from harness.records.fleet_messages import Acknowledgement, RoundOrder


class OwnLedgers:
    """One worker's ledgers, and the receipts of ended rounds that it still hands over; ``results``: where, if the sweep's folder is elsewhere."""

    def __init__(self, results: Path) -> None:
        self._results = results
        self._handing_over: list[tuple[Outbox, Path | None]] = []  # of ended rounds: receipts that the master lacks, and their ledger

    def path(self, order: RoundOrder) -> Path | None:
        """The worker's ledger in a round, in the sweep's folder if the worker sees it, else below its own results.

        None if the order names no folder.
        """
        if not order.results:
            return None
        folder = Path(order.results)
        return worker_ledger(folder if folder.is_dir() else self._results / folder.name, order.worker)

    def begin(self, order: RoundOrder) -> None:
        """A round begins. Receipts of another sweep are not sent any more; they stay in the ledger of that sweep."""
        self._handing_over = [each for each in self._handing_over if _sweep(each[0].token) == _sweep(order.token)]

    def hand_over(self, receipts: Outbox, ledger: Path | None, in_use: Container[Path | None]) -> None:
        """A round has ended, and the master lacks these receipts; ``in_use``: the ledgers of rounds under way that are owed too."""
        if receipts.pending:
            self._handing_over.append((receipts, ledger))
        self._forget(ledger, in_use)

    def resend(self) -> None:
        """Send again what was acknowledged by portals while the master was away: it has to know all dossiers."""
        for receipts, _ in self._handing_over:
            receipts.resend()

    def acknowledged(self, said: Acknowledgement, in_use: Container[Path | None]) -> None:
        """The master has a batch; ``in_use`` as in ``hand_over``."""
        for receipts, ledger in [each for each in self._handing_over if each[0].token == said.token]:
            receipts.acknowledged(said.seq)
            if not receipts.pending:
                self._handing_over.remove((receipts, ledger))
                self._forget(ledger, in_use)

    def _forget(self, ledger: Path | None, in_use: Container[Path | None]) -> None:
        """Remove a ledger once the master has all of it."""
        owed = {held for _, held in self._handing_over}
        if ledger is not None and ledger not in owed and ledger not in in_use:
            ledger.unlink(missing_ok=True)


def _sweep(token: str) -> str:
    return token.partition("#")[0]


def keeper(path: Path | None, order: RoundOrder) -> Callable[[LedgerLine], None] | None:
    """Writes the ledger's lines here too, so that none is lost with the master."""
    if path is None:
        return None

    def keep(line: LedgerLine) -> None:
        with suppress(OSError):  # a full disk: the master has the line too, and ends the load
            append_to_ledger(path, [replace(line, round=order.token, worker=order.worker)])

    return keep

"""A sweep's folder: where the files of the evidence lie.

results/<sweep>/
  plan.json                                 the plan
  rules.json rules.sig                      by what it is measured and scored, fixed before the first packet
  journal.jsonl                             when each attempt at it began and ended
  portals/                                  the embedded portals' database, until the sweep is complete and all is withdrawn
  rounds/round-000-00.planned.json          the record of a round before it begins
  rounds/round-000-00.json                  the record of a round, written when it is sealed
  chain/round-000-00.json                   the digests of a sealed round's files, and of the link before
  spool/round-000-00.msgpack                batches as they come; removed when the round is sealed
  samples/portal=<id>/run=<run>/part-000-00.parquet
  server_timing/portal=<id>/run=<run>/part-000-00.parquet   what servers say of their own time in these rows
  health/round-000-00.jsonl                 one line a second and worker
  pages/<portal>/index.json <step>-<outcome>-<n>.html   the first pages on which something failed
  lone/<portal>/<round>-<journey>-<visit>.jsonl.gz      every request and answer of one lone walk
  reserve                                   while measuring: room for the end of a round on a full disk
  locust.log                                what Locust printed
  ledger.jsonl                              what portals acknowledged: dossiers, payments
  counted.json                              what the embedded portals counted themselves
  manifests/<portal>.json                   one for each run: versions, digests, windows, verdict, SHA-256 of its evidence
  settlements.json settlements/             what two persons settled of unproven journeys, and what they attached
  publication.jsonl publication/            the steps from draft to final, and what operators answered
  scores.json scores.csv scores.xlsx steps.parquet report.html
  report/p1.html …                          one page a portal, in the order of the scoreboard

docs/evidence.md also lists the files that operations add.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from harness.errors import EvidenceError, Problem
from harness.records import RoundRecord, read_round
from harness.records.files import read_json
from harness.records.sweep_journal import last_attempt

SCORES_JSON = "scores.json"
SCORES_CSV = "scores.csv"
SCORES_XLSX = "scores.xlsx"
REPORT_HTML = "report.html"
CAPACITY_JSON = "capacity.json"
"""In the folder of a search for capacity, whose levels are sweeps in folders of their own."""
REGISTER = "register.jsonl"
"""In the results folder: the sweeps that were begun in it and how they ended. A sealed sweep holds a copy."""
PACK = "pack.json"
"""In what `harness pack` packed: the sweep and the portal, which is empty for a whole sweep."""

_ROUND = re.compile(r"[0-9]{3,}-[0-9]{2,}")


@dataclass(frozen=True, slots=True)
class SweepFolder:
    """The paths inside one sweep's folder."""

    path: Path

    @property
    def plan(self) -> Path:
        """The plan."""
        return self.path / "plan.json"

    @property
    def rules(self) -> Path:
        """What was fixed before the first packet."""
        return self.path / "rules.json"

    @property
    def rules_signature(self) -> Path:
        """The signature of the rules, where a key was named."""
        return self.path / "rules.sig"

    @property
    def journal(self) -> Path:
        """When each attempt at the sweep began and ended."""
        return self.path / "journal.jsonl"

    @property
    def portals(self) -> Path:
        """The folder of the embedded portals, which is no evidence."""
        return self.path / "portals"

    @property
    def samples(self) -> Path:
        """The root of the Parquet data set."""
        return self.path / "samples"

    @property
    def ledger(self) -> Path:
        """What portals acknowledged."""
        return self.path / "ledger.jsonl"

    @property
    def reserve(self) -> Path:
        """Room that is given up when the disk is full."""
        return self.path / "reserve"

    @property
    def counted(self) -> Path:
        """What the embedded portals counted themselves, written when a sweep ends."""
        return self.path / "counted.json"

    @property
    def log(self) -> Path:
        """What Locust printed."""
        return self.path / "locust.log"

    @property
    def scores(self) -> Path:
        """The scores that the main evaluation imports."""
        return self.path / SCORES_JSON

    @property
    def steps(self) -> Path:
        """The scored steps as a table, made by scoring."""
        return self.path / "steps.parquet"

    def round(self, name: str) -> Path:
        """The record of a sealed round."""
        return self.path / "rounds" / f"round-{name}.json"

    def planned(self, name: str) -> Path:
        """The record of a round before it began."""
        return self.path / "rounds" / f"round-{name}.planned.json"

    def link(self, name: str) -> Path:
        """The link of a sealed round in the chain."""
        return self.path / "chain" / f"round-{name}.json"

    def late(self, name: str) -> Path:
        """How many batches came after sealing."""
        return self.path / "rounds" / f"round-{name}.late.json"

    def spool(self, name: str) -> Path:
        """Batches of a round that is not sealed."""
        return self.path / "spool" / f"round-{name}.msgpack"

    def health(self, name: str) -> Path:
        """Generator health of a round."""
        return self.path / "health" / f"round-{name}.jsonl"

    def part(self, portal: str, run: str, name: str) -> Path:
        """The rows of one portal in one round."""
        return self.samples / f"portal={portal}" / f"run={run}" / f"part-{name}.parquet"

    def parts(self, portal: str) -> list[Path]:
        """The rows of one portal in all sealed rounds."""
        return sorted((self.samples / f"portal={portal}").glob("run=*/part-*.parquet"))

    def timing_part(self, portal: str, run: str, name: str) -> Path:
        """What servers say of their own time in the rows of one portal in one round; absent where they say nothing."""
        return self.path / "server_timing" / f"portal={portal}" / f"run={run}" / f"part-{name}.parquet"

    def timing_parts(self, portal: str) -> list[Path]:
        """The same of all sealed rounds."""
        return sorted((self.path / "server_timing" / f"portal={portal}").glob("run=*/part-*.parquet"))

    def timings_of(self, name: str) -> list[Path]:
        """The same of all portals in one round."""
        return sorted((self.path / "server_timing").glob(f"portal=*/run=*/part-{name}.parquet"))

    def pages(self, portal: str) -> Path:
        """The index of one portal's pages on which something failed; the pages lie beside it."""
        return self.path / "pages" / portal / "index.json"

    def lone(self, portal: str, name: str, journey: str, visit: int) -> Path:
        """One lone walk of a round."""
        return self.path / "lone" / portal / f"{name}-{journey}-{visit}.jsonl.gz"

    def lone_of(self, name: str) -> list[Path]:
        """The lone walks of a round."""
        return sorted((self.path / "lone").glob(f"*/{name}-*.jsonl.gz"))

    def manifest(self, portal: str) -> Path:
        """The manifest of one portal's run."""
        return self.path / "manifests" / f"{portal}.json"

    def manifests(self) -> list[Path]:
        """The manifests of all runs."""
        return sorted((self.path / "manifests").glob("*.json"))

    def sealed_rounds(self) -> tuple[str, ...]:
        """The names of the rounds that are sealed, ordered by the numbers of round and part."""
        rounds = self.path / "rounds"
        files = [path.name for path in rounds.iterdir()] if rounds.is_dir() else []  # glob finds nothing where it may not look
        names = (
            file.removeprefix("round-").removesuffix(".json") for file in files if file.startswith("round-") and file.endswith(".json")
        )
        sealed = [name for name in names if _ROUND.fullmatch(name)]
        return tuple(sorted(sealed, key=lambda name: tuple(map(int, name.split("-")))))

    def rounds(self) -> tuple[RoundRecord, ...]:
        """The records of the sealed rounds, in order."""
        return tuple(read_round(self.round(name)) for name in self.sealed_rounds())

    def relative(self, path: Path) -> str:
        """A path as evidence names it."""
        return path.relative_to(self.path).as_posix()


def portal_of(file: str) -> str:
    """The portal that a file of the evidence belongs to; empty for files that all portals share. ``file``: relative to the folder."""
    room, _, rest = file.partition("/")
    name = rest.partition("/")[0]
    if room in ("samples", "server_timing"):
        return name.removeprefix("portal=")
    if room in ("pages", "lone", "publication"):
        return name
    suffixes = {"manifests": (".json",), "supplied": (".servers.", ".probes.")}.get(room, ())
    return next((name.partition(suffix)[0] for suffix in suffixes if suffix in name), "")


def results_around(folder: Path) -> Path:
    """The results folder of sweeps that lie in ``folder``: that folder, or the one around it where it is a search for capacity."""
    return folder.absolute().parent if (folder / CAPACITY_JSON).is_file() else folder


def packed_portal(folder: SweepFolder) -> str:
    """The portal whose share a folder holds; empty where it is a whole sweep."""
    path = folder.path / PACK
    return str(read_json(path)["portal"]) if path.is_file() else ""


def catalog_option(folder: Path) -> tuple[str, ...]:
    """The option that names the catalog of a sweep's newest attempt; nothing where it had none, or where none lies there now."""
    journal = SweepFolder(folder).journal
    attempt = last_attempt(journal) if journal.is_file() else None
    return ("--catalog", attempt.catalog) if attempt is not None and attempt.catalog and Path(attempt.catalog).is_dir() else ()


def sweep_at(path: Path) -> SweepFolder:
    """The folder of a sweep that has a plan; EvidenceError where it has none.

    A path that ends without a name, such as ``.``, is made whole: the register and the agency's names lie in the folder around it.
    """
    folder = SweepFolder(path.resolve() if path.name in ("", "..") else path)
    expected = "the folder of a sweep, with plan.json in it"
    remedy = "Give the folder that `harness sweep` or `harness run` printed, for example results/<sweep>."
    if path.exists() and not path.is_dir():
        found = "the register of all sweeps beside it" if path.name == REGISTER else "a file"
        raise EvidenceError(Problem(str(path), "path", found, expected, remedy))
    if path.is_dir() and not folder.plan.is_file():
        raise EvidenceError(Problem(str(path), "path", "a folder without plan.json", expected, remedy))
    if not folder.plan.is_file():
        raise EvidenceError.missing(path, expected, remedy)
    return folder

"""What is kept: the spool, the Parquet files, the manifest, and the verdict that comes before any score."""

from harness.evidence.facts import Reason, RunFacts, Verdict, WindowFacts
from harness.evidence.folder import SweepFolder, digest, open_sweep, read_json, write_json, write_whole
from harness.evidence.spool import Spool
from harness.evidence.verdict import read_runs

__all__ = [
    "Reason",
    "RunFacts",
    "Spool",
    "SweepFolder",
    "Verdict",
    "WindowFacts",
    "digest",
    "open_sweep",
    "read_json",
    "read_runs",
    "write_json",
    "write_whole",
]

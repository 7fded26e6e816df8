"""Evidence of a sweep: its folder, the spool, the Parquet files, and the verdict that comes before any score."""

from harness.evidence.facts import Reason, RunFacts, Verdict, WindowFacts
from harness.evidence.folder import SweepFolder, sweep_at
from harness.evidence.spool import Spool
from harness.evidence.verdict import read_runs

__all__ = [
    "Reason",
    "RunFacts",
    "Spool",
    "SweepFolder",
    "Verdict",
    "WindowFacts",
    "read_runs",
    "sweep_at",
]

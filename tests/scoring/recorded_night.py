"""The recorded demo as this room scores it: one portal's run, and the criteria set of its short windows."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from harness.catalog.criteria_set import read_criteria
from harness.evidence import read_runs, sweep_at
from harness.scoring import NEEDED_COLUMNS, PortalIdentity, RunEvidence
from tests.recorded.conftest import RECORDED
from tests.scoring.sets import SHIPPED

DEMO = read_criteria(SHIPPED / "demo.yaml").shortened(window_s=5.5, min_n=1)


def recorded_run(portal: str) -> RunEvidence:
    """The rows of one portal and the facts about its windows."""
    folder = sweep_at(RECORDED)
    run = next(run for run in read_runs(folder) if run.portal == portal)
    rows = pa.concat_tables([pq.read_table(part, columns=list(NEEDED_COLUMNS), partitioning=None) for part in folder.parts(portal)])
    return RunEvidence(PortalIdentity(portal, "", "", ""), run, rows)

"""Where the time of a night goes, part by part: ``python -m benches.night --set 2024 --workload smoke --at-once 12``.

The arguments are those of `harness sweep`. Overhead is the time from the moment at which a part could begin until its orders. A part can
begin when the last window before it has ended, and every part that it waits for has its last row. The lead does not count as overhead.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.evidence import SweepFolder
from harness.records import MOST_UNDER_WAY, Round, RoundRecord, Slot, read_plan

SMALL = ("--set", "provinces-2025", "--workload", "smoke", "--at-once", "12")


@dataclass
class Part:
    """One part of a round; times in seconds of the master's clock."""

    round: Round
    start_s: float
    window_s: float
    last_row_s: float
    overhead_s: float = 0.0

    @property
    def arrived_s(self) -> float:
        """When its window was over."""
        return self.start_s + self.window_s


def main() -> int:
    """Measure, and print a line for each part and the sums; the exit code of the sweep."""
    arguments = sys.argv[1:] or SMALL
    with tempfile.TemporaryDirectory() as results:
        began_s = time.monotonic()
        harness = str(Path(sys.executable).with_name("harness"))
        code = subprocess.run([harness, "sweep", *arguments, "--results", results], check=False).returncode  # noqa: S603  (our own)
        took_s = time.monotonic() - began_s
        (path,) = (each for each in Path(results).iterdir() if each.is_dir())
        parts = _parts(SweepFolder(path))
    for part in parts:
        print(
            f"{part.round.name}: start {part.start_s - parts[0].start_s:6.1f} s, window {part.window_s:4.1f} s,"
            f" drain {part.last_row_s - part.arrived_s:5.1f} s, overhead before it {part.overhead_s:4.2f} s"
        )
    drains = [part.last_row_s - part.arrived_s for part in parts]
    overheads = [part.overhead_s for part in parts[1:]]
    measured_s = max(part.last_row_s for part in parts) - parts[0].start_s
    print(f"{len(parts)} parts in {measured_s:.0f} s; drains {median(drains):.1f} s in the median, at most {max(drains):.1f} s")
    print(f"overhead {median(overheads):.2f} s in the median, at most {max(overheads):.2f} s; the whole command {took_s / 60:.1f} min")
    return code


def _parts(folder: SweepFolder) -> list[Part]:
    """The sealed parts of a sweep in the order in which they began."""
    plan = read_plan(folder.plan)
    parts = sorted((_part(folder, record) for record in folder.rounds()), key=lambda part: part.start_s)
    for number, part in enumerate(parts[1:], 1):
        waited_for = [before.last_row_s for before in parts[:number] if not plan.may_overlap(before.round, part.round)]
        most = sorted(before.last_row_s for before in parts[:number])[-MOST_UNDER_WAY:]
        room_s = most[0] if len(most) == MOST_UNDER_WAY else 0.0
        part.overhead_s = max(0.0, part.start_s - plan.lead_s - max(parts[number - 1].arrived_s, room_s, *waited_for))
    return parts


def _part(folder: SweepFolder, record: RoundRecord) -> Part:
    offsets = {member.worker: member.offset_us for member in record.members}
    ends_us = [record.start_us]
    for path in folder.samples.glob(f"*/*/part-{record.name}.parquet"):
        rows = pq.read_table(path, columns=["worker", "end_us"])
        for worker, offset_us in offsets.items():
            last_us = pc.max(rows.filter(pc.equal(rows["worker"].cast("string"), worker))["end_us"]).as_py()
            ends_us.append((last_us or record.start_us + offset_us) - offset_us)
    window_s = max(window.begin_s + window.duration_s for slot in record.slots for window in slot.windows)
    return Part(_round(record), record.start_us / 1e6, window_s, max(*ends_us, record.start_us + window_s * 1e6) / 1e6)


def _round(record: RoundRecord) -> Round:
    """The round as the plan knows it, for the question of what may overlap."""
    slots = (
        Slot(slot.portal, slot.run, tuple(window.as_planned for window in slot.windows), slot.in_flight_ceiling) for slot in record.slots
    )
    return Round(record.round, tuple(slots), record.part)


if __name__ == "__main__":
    sys.exit(main())

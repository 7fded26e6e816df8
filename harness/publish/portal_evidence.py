"""What the evidence of a sweep holds about one portal, as the items of a worklist need it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from harness.evidence import SweepFolder, read_runs
from harness.evidence.facts import RunFacts, WindowFacts
from harness.evidence.filed_dossiers import FiledDossiers, read_filed_dossiers
from harness.evidence.folder import catalog_option, packed_portal
from harness.publish.criterion_words import name_text
from harness.publish.portal_faults import PortalFaults, read_faults
from harness.publish.wording import Phrase, phrase
from harness.publish.work_item import NO_TEXT, Settler, ShellWords, Sighting, WorkItem, WorkKind, WorkState, short_subject, shortened
from harness.records import LONE, read_plan
from harness.records.sweep_journal import is_complete
from harness.scoring.scorecard import Scorecard, SweepScores


@dataclass(frozen=True, slots=True)
class PortalEvidence:
    """What the sweep's folder holds about one portal."""

    folder: SweepFolder
    card: Scorecard
    run: RunFacts | None  # None where the folder holds scores alone
    faults: PortalFaults
    dossiers: FiledDossiers
    workload: str  # empty where the folder holds scores alone
    criteria: str  # the set that the plan names; empty where it names none
    is_complete: bool  # the plan was carried out to its end, as far as the journal says
    catalog: ShellWords  # the option that names the catalog; empty where there was none

    @property
    def windows(self) -> tuple[WindowFacts, ...]:
        """The windows under load."""
        return tuple(window for window in (self.run.windows if self.run else ()) if window.stage != LONE)

    @property
    def lone_windows(self) -> tuple[WindowFacts, ...]:
        """The rounds of lone citizens."""
        return tuple(window for window in (self.run.windows if self.run else ()) if window.stage == LONE)

    def about(self, command: str, *words: str) -> ShellWords:
        """A command about this sweep, with its catalog."""
        return (command, str(self.folder.path), *words, *self.catalog)

    def again(self, portal: str = "") -> tuple[ShellWords, ...]:
        """The command that measures this or another portal again; none where the folder does not name the workload."""
        if not self.workload:
            return ()
        criteria = ("--criteria", self.criteria) if self.criteria else ()
        results = ("--results", str(self.folder.path.parent))
        return (("sweep", portal or self.card.portal, "--workload", self.workload, *criteria, *results, *self.catalog),)

    def item(
        self, kind: WorkKind, subject: str, seen: Sighting, who: Settler, how: str, commands: Iterable[ShellWords] = (),
        state: WorkState = "open", decided: Phrase = NO_TEXT,
    ) -> WorkItem:  # fmt: skip
        """An item of this portal; ``how``: a key of the phrases under ``work.how``."""
        name = shortened(name_text(self.card.name_vi, self.card.name_en), 80)
        seen, decided = replace(seen, text=shortened(seen.text)), shortened(decided, 200)
        return WorkItem(
            self.card.portal, name, kind, short_subject(subject), seen, who, phrase(f"work.how.{how}"), tuple(commands), state, decided
        )


def read_portal_evidence(folder: SweepFolder, scores: SweepScores) -> list[PortalEvidence]:
    """What there is of each portal with scores. A folder without a plan has scores only. Of a portal's share only this portal is read.

    Raises EvidenceError where a file of the folder cannot be read.
    """
    has_plan = folder.plan.is_file()
    runs = {run.portal: run for run in read_runs(folder)} if has_plan else {}
    plan = read_plan(folder.plan) if has_plan else None
    rules = (plan.workload, plan.criteria) if plan is not None else ("", "")
    faults: Mapping[str, PortalFaults] = {each.portal: each for each in read_faults(folder.path)}
    dossiers, catalog, share = read_filed_dossiers(folder), catalog_option(folder.path), packed_portal(folder)
    ended = is_complete(folder.journal) or not folder.journal.is_file()  # evidence of an earlier version has no journal
    return [
        PortalEvidence(
            folder, card, runs.get(card.portal), faults.get(card.portal, PortalFaults(card.portal, ())), dossiers, *rules, ended, catalog
        )
        for card in scores.scorecards
        if share in ("", card.portal)
    ]

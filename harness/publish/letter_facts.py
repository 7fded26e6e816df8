"""What the letter to one operator says, before it is worded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from harness.catalog.agency import Agency
from harness.catalog.authorisation import NamedPermission
from harness.evidence.facts import WindowFacts
from harness.evidence.publication import PortalPublication
from harness.publish.portal_faults import FaultCount
from harness.records.permitted_hours import VIETNAM
from harness.records.plan import TimesUsage
from harness.scoring.scorecard import Scorecard, SweepScores


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFacts:
    """All that one letter says."""

    scores: SweepScores
    scores_sha256: str  # of scores.json
    card: Scorecard  # of these scores
    as_sent: bool  # whether it is the card that the portal's last step was taken on; true without a step
    no_answer: bool  # whether the operator let the day pass without an answer
    agency: Agency | None  # None where the results folder has no names file
    answer_by: date | None  # None: nobody has fixed a day
    address: str  # origin of the portal
    permission: NamedPermission | None  # None for embedded portals
    vantage_point: str
    windows: tuple[WindowFacts, ...]  # of the run in this sweep
    load: tuple[TimesUsage, ...]
    faults: tuple[FaultCount, ...]  # the most frequent first
    dossiers: int  # that the portal acknowledged
    standing: tuple[str, ...]  # codes of those that are not withdrawn
    list_of_standing: str  # the file that names them all, relative to the sweep's folder
    shortened: bool  # whether windows were shorter than the rules ask for

    @property
    def publication(self) -> PortalPublication:
        """Where the portal stands."""
        return self.card.where_it_stands

    @property
    def step_taken_on(self) -> date | None:
        """The day on which it came to stand there, in Viet Nam; None in a draft."""
        since = self.publication.since_utc
        return datetime.fromisoformat(since).astimezone(VIETNAM).date() if since else None

    @property
    def is_draft(self) -> bool:
        """Whether it is no letter yet: it was not sent, another card was sent, or nobody has named the agency."""
        return self.publication.state == "draft" or not self.as_sent or self.agency is None

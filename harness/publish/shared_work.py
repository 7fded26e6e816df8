"""The items that concern several portals at once: hosts that they share, and the network between us and them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.evidence.facts import Reason, WindowFacts
from harness.publish.portal_evidence import PortalEvidence
from harness.publish.reason_words import reason_text
from harness.publish.wording import Phrase, numeral, phrase, same, worded
from harness.publish.work_item import Sighting, WorkItem, WorkState, some, sweep_item
from harness.scoring.outages import STOPPED
from harness.scoring.scorecard import Scorecard, SharedHostOutage

_PATH_DOUBT = "path_doubt"


def shared_failure(outages: Sequence[SharedHostOutage], portals: Sequence[PortalEvidence]) -> Iterator[WorkItem]:
    """Each host that portals share and that failed visits; open while a portal lacks points because of one."""
    lacking = {of.card.portal for of in portals if _lacks_points(of.card)}
    shown = {of.card.portal for of in portals}
    for outage in outages:
        touched = [portal for portal in outage.portals if portal in shown]
        if not touched:
            continue
        told = phrase("work.shared_failure.seen").filled(
            phrase(f"owner.{outage.owner}"), same(outage.host), numeral(outage.visits, 0), some(outage.portals)
        )
        seen = Sighting(told, "visits", outage.visits, outage.first_utc, outage.last_utc)
        state: WorkState = "open" if lacking & set(touched) else "for_information"
        yield sweep_item("shared_failure", outage.host, seen, "shared_host_owner", "shared_failure", touched, state)


def path_doubt(portals: Sequence[PortalEvidence]) -> Iterator[WorkItem]:
    """Each time at which nearly all portals were slower than usual, or out of reach; open while one of them lacks points."""
    together: dict[str, list[tuple[PortalEvidence, WindowFacts]]] = {}
    alone: list[PortalEvidence] = []
    for of in portals:
        for window in of.windows:
            for reason in window.reasons:
                if reason.code == _PATH_DOUBT:
                    together.setdefault(f"{window.round}: {reason.detail}", []).append((of, window))
        if any(reason == Reason(_PATH_DOUBT, "lone walks") for reason in of.card.reasons):
            alone.append(of)
    for said, found in together.items():
        began = sorted(window.began_utc for _, window in found)
        yield _doubt(said.partition(": ")[2], [of for of, _ in found], len(found), began[0], began[-1])
    if alone:
        began = sorted(window.began_utc for of in alone for window in of.lone_windows) or [""]
        yield _doubt("lone walks", alone, 0, began[0], began[-1])


def _doubt(detail: str, hit: Sequence[PortalEvidence], windows: int, first: str, last: str) -> WorkItem:
    names = list(dict.fromkeys(of.card.portal for of in hit))
    told = phrase("work.path_doubt.seen").filled(_reason(Reason(_PATH_DOUBT, detail)), some(names))
    state: WorkState = "open" if any(of.card.points is None for of in hit) else "for_information"
    return sweep_item("path_doubt", "", Sighting(told, "windows", windows, first, last), "network", "path_doubt", names, state)


def _reason(reason: Reason) -> Phrase:
    return worded(lambda language: reason_text(reason, language))


def _lacks_points(card: Scorecard) -> bool:
    """Whether a portal lacks points of a criterion, or all, because a shared host failed."""
    missing = any(each.reason.startswith(STOPPED) for each in card.criteria)
    return missing or (card.points is None and any(reason.code == "shared_failure" for reason in card.reasons))

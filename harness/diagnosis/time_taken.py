"""Where the time goes: a part of the requests, one step, one host, one page, or the server as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from harness.diagnosis.finding import Finding, FindingFigure, FindingSubject, Phase, Remedy, Variant
from harness.diagnosis.limits import (
    GROWTH,
    LARGE_PAGE_BYTES,
    LEAST_DELAY_S,
    LEAST_OF_A_PLACE,
    LEAST_PHASE_SHARE,
    LEAST_TIME_SHARE,
    PAGE_BYTES,
    SERVER_SHARE,
    STANDS_OUT,
)
from harness.diagnosis.load_growth import Growth
from harness.diagnosis.portal_rows import PHASES, DiagnosedRows, Place, Seconds, at_own_hosts, medians, typical
from harness.records import PORTAL
from harness.scoring import Scorecard
from harness.scoring.rows import Flags

Encodings = Mapping[tuple[str, str, int, int], str]
"""The content encoding of a lone citizen's answers, by goal, step, request and hop; empty where the answer was not encoded."""

_REMEDIES: Mapping[Phase, Remedy] = {
    "dns": "check_dns", "connect": "check_network_path", "tls": "check_tls", "transfer": "widen_line",
}  # fmt: skip
_OUR_TURNS = 2
"""How often our own process may be late in one phase of opening a connection (assumed: TLS 1.3 has one round trip)."""
_OF_EVERY_NETWORK: tuple[Phase, ...] = ("connect", "transfer")


def slow_phases(observed: DiagnosedRows, large: Flags) -> Iterator[Finding]:
    """Parts of the requests at the portal's hosts, besides the server, that take much of the waiting time.

    TLS stands out where a handshake takes four times as long as connecting does, too. Transfer does not count where a large page explains it.
    """
    rows, waiting_s = observed.loaded, observed.waiting_s
    rows = rows[rows.own & ~large[rows.place]]
    connect = rows.phases[:, PHASES.index("connect")]
    connect_s = float(np.median(connect[connect > 0])) if (connect > 0).any() else 0.0
    late_s = float(np.median(_lateness(observed)))
    for column, phase in enumerate(PHASES):
        if phase not in _REMEDIES:
            continue
        spent = rows.phases[:, column]
        each = spent[spent > 0]
        share = float(spent.sum()) / waiting_s
        if share < (LEAST_PHASE_SHARE if phase in _OF_EVERY_NETWORK else LEAST_TIME_SHARE):
            continue
        each_s = float(np.median(each))
        if each_s < LEAST_DELAY_S + (_OUR_TURNS * late_s if phase != "transfer" else 0.0) or (
            phase == "tls" and each_s < STANDS_OUT * connect_s
        ):
            continue
        figures = (FindingFigure("each", each_s, "s"), FindingFigure("times_measured", len(each)))
        yield Finding(
            code="slow_phase", sureness="measured", subject=FindingSubject(phase=phase), figures=figures, share=share, share_of="time",
            remedy=_REMEDIES[phase],
        )  # fmt: skip


def late_requests(observed: DiagnosedRows) -> Iterator[Finding]:
    """Requests for pages that the generator sent late. It is not the portal's fault, but times and shares are less certain.

    Requests for a page's assets are left out, because they wait for one of a browser's connections.
    """
    late = _lateness(observed)
    share = float(late.sum()) / max(float(late.sum()) + observed.waiting_s, 1e-6)
    if share >= LEAST_TIME_SHARE and float(np.median(late)) >= LEAST_DELAY_S / 10:
        figures = (FindingFigure("each", float(np.median(late)), "s"),)
        yield Finding(
            code="late_requests", sureness="cannot_tell", subject=FindingSubject(phase="connection_wait"), figures=figures, share=share,
            share_of="time", remedy="free_generator",
        )  # fmt: skip


def _lateness(observed: DiagnosedRows) -> Seconds:
    """How late each request of a page was sent, in seconds; of all requests where the evidence does not tell pages apart."""
    rows = observed.loaded
    named = np.array([bool(place.path_template) for place in observed.places])
    late = rows.phases[:, PHASES.index("connection_wait")]
    return late[named[rows.place]] if named[rows.place].any() else late


def slow_step(observed: DiagnosedRows) -> Iterator[Finding]:
    """One step whose slowest request takes four times as long at the server as the median of all other steps'."""
    own = at_own_hosts(observed)
    found = typical(observed.loaded, len(observed.places), LEAST_OF_A_PLACE)
    slowest = _by_name(observed, np.where(own, found.median, np.nan), lambda place: place.step, max)
    quick = _by_name(observed, np.where(own, found.median, np.nan), lambda place: place.step, lambda values: float(np.median(values)))
    if len(slowest) < 3:
        return
    step, slow_s = max(slowest.items(), key=lambda item: item[1])
    others_s = float(np.median([value for name, value in quick.items() if name != step]))
    highest_other = max(value for name, value in slowest.items() if name != step)
    if slow_s < STANDS_OUT * others_s or slow_s - others_s < LEAST_DELAY_S or slow_s < GROWTH * highest_other:
        return
    chosen = np.array([place.step == step for place in observed.places]) & own & (np.nan_to_num(found.median) > GROWTH * others_s)
    share = _excess_s(observed, chosen, others_s) / observed.waiting_s
    if share < LEAST_TIME_SHARE:
        return
    slow = int(np.nanargmax(np.where(chosen, found.median, np.nan)))
    figures = (
        FindingFigure("slow", slow_s, "s"),
        FindingFigure("others", others_s, "s"),
        FindingFigure("requests", int(found.count[slow])),
    )
    yield Finding(
        code="slow_step", sureness="measured", subject=observed.places[slow].subject, figures=figures, share=share, share_of="time",
        remedy="look_at_step",
    )  # fmt: skip


def slow_host(observed: DiagnosedRows) -> Iterator[Finding]:
    """A host whose pages are all slow: its quickest page takes four times as long as that of the other hosts of its kind (shared or own)."""
    found = typical(observed.loaded, len(observed.places), LEAST_OF_A_PLACE)
    for own in (False, True):
        median = np.where(at_own_hosts(observed) == own, found.median, np.nan)
        quickest = _by_name(observed, median, lambda place: place.host, min)
        if not quickest:
            continue
        host, slow_s = max(quickest.items(), key=lambda item: item[1])
        others = [value for name, value in quickest.items() if name != host]
        if not own and not others:  # the only shared host: compared with the portal's pages
            others = found.median[at_own_hosts(observed) & ~np.isnan(found.median)].tolist()
        if not others:
            continue
        others_s = float(np.median(others))
        chosen = np.array([place.host == host for place in observed.places])
        share = _excess_s(observed, chosen, others_s) / observed.waiting_s
        if slow_s < STANDS_OUT * others_s or slow_s - others_s < LEAST_DELAY_S or share < LEAST_TIME_SHARE:
            continue
        place = next(place for place in observed.places if place.host == host)
        subject = replace(place.subject, goal="", step="", path_template="")
        figures = (FindingFigure("slow", slow_s, "s"), FindingFigure("others", others_s, "s"))
        yield Finding(
            code="slow_host", sureness="measured", subject=subject, figures=figures, share=share, share_of="time",
            remedy="look_at_host" if own else "ask_host_owner",
        )  # fmt: skip


def large_pages(observed: DiagnosedRows) -> Flags:
    """By place: whether its answers come from the portal and are large, or middling with a transfer that takes much of the time."""
    rows, places = observed.loaded, len(observed.places)
    bytes_ = np.nan_to_num(medians(rows.place[rows.ok], rows.bytes[rows.ok], places, LEAST_OF_A_PLACE))
    transfer_s = np.bincount(rows.place, weights=rows.phases[:, PHASES.index("transfer")], minlength=places)
    total_s = np.bincount(rows.place, weights=rows.total, minlength=places)
    heavy = (bytes_ >= PAGE_BYTES) & (transfer_s >= LEAST_PHASE_SHARE * total_s) & (transfer_s >= LEAST_TIME_SHARE * observed.waiting_s)
    return np.asarray(((bytes_ >= LARGE_PAGE_BYTES) | heavy) & at_own_hosts(observed), dtype=np.bool_)


def large_page(observed: DiagnosedRows, large: Flags, encodings: Encodings) -> Iterator[Finding]:
    """The largest of these pages, with the share that the transfer of all of them takes."""
    if not large.any():
        return
    rows, places = observed.loaded, len(observed.places)
    size = np.nan_to_num(medians(rows.place[rows.ok], rows.bytes[rows.ok], places, LEAST_OF_A_PLACE))
    place = observed.places[int(np.argmax(np.where(large, size, 0.0)))]
    transfer_s = rows.phases[large[rows.place], PHASES.index("transfer")]
    encoding = encodings.get((place.goal, place.step, place.request, place.hop))
    variant: Variant = "uncompressed" if encoding == "" else ""
    figures = (
        FindingFigure("bytes", float(size.max(where=large, initial=0.0)), "B"),
        FindingFigure("pages", int(large.sum())),
        FindingFigure("each", float(np.median(transfer_s)), "s"),
    )
    yield Finding(
        code="large_page", sureness="measured", variant=variant, subject=place.subject, figures=figures,
        share=float(transfer_s.sum()) / observed.waiting_s, share_of="time", remedy="shrink_page",
    )  # fmt: skip


def slow_server(observed: DiagnosedRows, grown: Growth | None, card: Scorecard) -> Iterator[Finding]:
    """A portal that lost points on times, and whose server takes half of the waiting time or more."""
    lost = any(
        each.unit == "s" and not each.censored and each.points is not None and each.points < each.points_max for each in card.criteria
    )
    rows = observed.loaded
    share = float(rows.server[rows.own].sum()) / observed.waiting_s
    server_s = float(np.median(rows.server[rows.own])) if rows.own.any() else 0.0
    if not lost or share < SERVER_SHARE or server_s < LEAST_DELAY_S:
        return
    figures = [FindingFigure("server", server_s, "s")]
    variant: Variant = ""
    if grown is not None and grown.compared_with_alone and grown.times < GROWTH:
        alone = observed.alone
        figures.append(FindingFigure("alone", float(np.median(alone.server[alone.own & alone.ok])), "s"))
        variant = "alone"
    yield Finding(
        code="slow_server", sureness="measured", variant=variant, subject=FindingSubject(phase="server", host_owner=PORTAL),
        figures=tuple(figures), share=share, share_of="time", remedy="speed_up_server",
    )  # fmt: skip


def _excess_s(observed: DiagnosedRows, chosen: Flags, normal_s: float) -> float:
    """The time in seconds beyond the normal one that requests at these places took at the server."""
    rows = observed.loaded
    return float(np.maximum(rows.server[chosen[rows.place]] - normal_s, 0.0).sum())


def _by_name(
    observed: DiagnosedRows, values: Seconds, name: Callable[[Place], str], combine: Callable[[list[float]], float]
) -> dict[str, float]:
    """One value for each step or host, from those of its places that have one."""
    found: dict[str, list[float]] = {}
    for place, value in zip(observed.places, values.tolist(), strict=True):
        if not np.isnan(value):
            found.setdefault(name(place), []).append(value)
    return {key: combine(several) for key, several in found.items()}

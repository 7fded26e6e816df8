"""Whether one moment of the night, or one worker, is slower than the others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from harness.diagnosis.finding import Finding, FindingFigure, FindingSubject
from harness.diagnosis.limits import GROWTH, LEAST_DELAY_S, LEAST_OF_A_PLACE, LEAST_TIME_SHARE, MOMENT_S, MOMENT_STANDS_OUT
from harness.diagnosis.portal_rows import DiagnosedRows, Requests, Seconds, medians, typical
from harness.scoring.rows import Integers
from harness.scoring.windows import span_of

_LEAST_REQUESTS = 10
"""Requests that a moment or a worker needs to be compared (assumed: medians of fewer vary by chance)."""
_LEAST_MOMENTS = 6
"""Moments of one level of load that are needed to call one slow (assumed: of fewer, one slow moment is no exception)."""
_MOST_OF_ALL = 0.2
"""The largest share of the moments that may be slow (assumed: if more are, slowness is usual at this level)."""


def slow_moment(observed: DiagnosedRows) -> Iterator[Finding]:
    """Moments (5 s of a window) whose requests take three times as long as the same requests at other moments of one level of load.

    Where several levels have such moments, those with the largest share of the waiting time.
    """
    found = [each for level in sorted({w.level for w in observed.windows.values()}) for each in _of_level(observed, level)]
    if found:
        yield max(found, key=lambda each: each.share or 0.0)


def _of_level(observed: DiagnosedRows, level: float) -> Iterator[Finding]:
    rows = observed.loaded
    numbers = [number for number, facts in observed.windows.items() if facts.level == level]
    rows = rows[rows.own & rows.ok & np.isin(rows.window, numbers)]
    if not len(rows):
        return
    normal_s = typical(rows, len(observed.places), LEAST_OF_A_PLACE).median[rows.place]
    known = normal_s > 0
    rows, normal_s = rows[known], normal_s[known]
    since = rows.begin - _began(observed, rows)
    keys, moment = np.unique(np.stack([rows.window, (since // MOMENT_S).astype(np.int64)], axis=1), axis=0, return_inverse=True)
    times = medians(moment.reshape(-1), rows.server / normal_s, len(keys), _LEAST_REQUESTS)
    slow = np.nan_to_num(times) >= MOMENT_STANDS_OUT
    measured = np.count_nonzero(~np.isnan(times))
    if measured < _LEAST_MOMENTS or not 0 < slow.sum() <= _MOST_OF_ALL * measured:
        return
    inside = slow[moment.reshape(-1)]
    excess_s = float((rows.server - normal_s)[inside].sum())
    slow_s, others_s = float(rows.server[inside].mean()), float(normal_s[inside].mean())
    share = excess_s / observed.waiting_s
    if slow_s - others_s < LEAST_DELAY_S or share < LEAST_TIME_SHARE / 2:
        return
    window, first = (int(each) for each in keys[np.flatnonzero(slow)[0]])
    began, _ = span_of(observed.windows[window])
    at = began + timedelta(seconds=first * MOMENT_S)
    figures = (
        FindingFigure("times", float(np.median(times[slow])), "times"),
        FindingFigure("slow", slow_s, "s"),
        FindingFigure("others", others_s, "s"),
        FindingFigure("duration", float(slow.sum()) * MOMENT_S, "s"),
    )
    subject = FindingSubject(window=window, stage=observed.windows[window].stage, minute_utc=at.isoformat(timespec="seconds"))
    yield Finding(
        code="slow_window", sureness="measured", subject=subject, figures=figures, share=share, share_of="time", remedy="look_at_logs"
    )


def _began(observed: DiagnosedRows, rows: Requests) -> Seconds:
    """When the window of each request began, by its worker's clock: at the first arrival."""
    visits, begin = observed.visits, np.zeros(len(rows))
    for number in np.unique(rows.window):
        for worker in np.unique(rows.worker[rows.window == number]):
            due = visits.due[(visits.window == number) & (visits.worker == worker)]
            begin[(rows.window == number) & (rows.worker == worker)] = due.min() if len(due) else rows.begin[rows.window == number].min()
    return begin


def slow_worker(observed: DiagnosedRows) -> Iterator[Finding]:
    """One of several workers that measures twice as long as the others for the same requests, under the same load."""
    rows = observed.loaded
    rows = rows[rows.own & rows.ok]
    normal_s = typical(rows, len(observed.places), LEAST_OF_A_PLACE).median[rows.place]
    known = normal_s > 0
    workers: Integers = rows.worker[known]
    times = medians(workers, (rows.server[known] / normal_s[known]), len(observed.workers), _LEAST_REQUESTS)
    measured = np.flatnonzero(~np.isnan(times))
    if len(measured) < 2:
        return
    slowest = int(measured[np.argmax(times[measured])])
    others = float(np.median(times[measured[measured != slowest]]))
    inside = workers == slowest
    delay_s = float((rows.server[known] - normal_s[known])[inside].mean())
    if times[slowest] < GROWTH * others or delay_s < LEAST_DELAY_S:
        return
    yield Finding(
        code="slow_worker", sureness="likely", subject=FindingSubject(worker=observed.workers[slowest]),
        figures=(FindingFigure("times", float(times[slowest]) / others, "times"),),
        share=max(delay_s * float(inside.sum()) / observed.waiting_s, 0.0), share_of="time", remedy="check_worker",
    )  # fmt: skip

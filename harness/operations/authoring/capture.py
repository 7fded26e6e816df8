"""Groups the requests of a capture: each with the redirects that the browser followed by itself, and with its polls."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from harness.operations.authoring.har import Recorded
from harness.pages.redirects import KEEP_METHOD, page_redirect

_CACHE_BUSTER = re.compile(r"([?&](?:_|t|ts|_t|timestamp|nocache|rnd|cb)=)\d{10,16}(?=&|$)")


@dataclass(frozen=True, slots=True)
class Chain:
    """A request, the redirects that the browser followed by itself, and the answers of the same request before this one."""

    hops: Sequence[Recorded]
    follow: frozenset[str] = frozenset()  # http, meta, script
    polled: Sequence[Recorded] = field(default=())  # earlier answers, all but the last: the browser asked until it changed

    @property
    def first(self) -> Recorded:
        """The request that a profile sends."""
        return self.hops[0]

    @property
    def last(self) -> Recorded:
        """The answer after all redirects."""
        return self.hops[-1]

    @property
    def every_s(self) -> float:
        """The usual time between two polls, in seconds; 2 where the capture does not say it."""
        moments = [item.started.timestamp() for item in (*self.polled, self.first) if item.started is not None]
        waits = [after - before for before, after in pairwise(moments) if after > before]
        return max(round(median(waits), 1), 0.1) if waits else 2.0


def chains_of(recorded: Sequence[Recorded]) -> list[Chain]:
    """The chains of a capture, in the order of their first requests."""
    chains: list[Chain] = []
    taken: set[int] = set()
    for index, first in enumerate(recorded):
        if index in taken:
            continue
        hops, kinds, at = [first], set[str](), index
        while (found := _next_hop(recorded, at, hops[-1], taken)) is not None:
            at, kind = found
            taken.add(at)
            kinds.add(kind)
            hops.append(recorded[at])
        chains.append(Chain(hops, frozenset(kinds)))
    return _with_polls(chains)


def _next_hop(recorded: Sequence[Recorded], after: int, before: Recorded, taken: set[int]) -> tuple[int, str] | None:
    """Where a redirect was followed: at once or, by HTTP, after requests that were under way."""
    later = [index for index in range(after + 1, len(recorded)) if index not in taken]
    if before.location:
        method = before.method if before.page.status in KEEP_METHOD or before.method == "HEAD" else "GET"
        for index in later[:20]:
            if recorded[index].method == method and _same(recorded[index].url, before.location):
                return index, "http"
        return None
    if not later or recorded[later[0]].method != "GET" or not before.page.is_markup:
        return None
    for kind in ("meta", "script"):
        target = page_redirect(before.page, {kind})
        if target is not None and _same(target.url, recorded[later[0]].url):
            return later[0], kind
    return None


def _same(first: str, second: str) -> bool:
    return first.partition("#")[0] == second.partition("#")[0]


def _with_polls(chains: Sequence[Chain]) -> list[Chain]:
    """Each run of one request whose answers differ in the end, as one chain."""
    found: list[Chain] = []
    index = 0
    while index < len(chains):
        end = index + 1
        while chains[index].first.method == "GET" and end < len(chains) and _request(chains[end]) == _request(chains[index]):
            end += 1
        run = chains[index:end]
        last = run[-1].last.page
        asked_often = len(run) > (2 if run[0].last.page.is_markup and run[0].first.kind not in ("xhr", "fetch") else 1)
        changed = all((item.last.page.status, item.last.page.body) != (last.status, last.body) for item in run[:-1])
        if asked_often and changed:
            found.append(Chain(run[-1].hops, run[-1].follow, [item.last for item in run[:-1]]))
        else:
            found += run
        index = end
    return found


def _request(chain: Chain) -> tuple[str, str, str]:
    first = chain.first
    return first.method, _CACHE_BUSTER.sub(r"\1", first.url), first.posted.text

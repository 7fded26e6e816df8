"""Rounds of lone citizens: what each walk met stands in the record, its answers in a file; and which portals need such a round under load."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from harness.evidence import Spool, SweepFolder
from harness.evidence.chain import read_links
from harness.records import LONE, FailureCount, FailureKind, LoneWalk, Sample, read_round
from harness.records.kept_walks import LARGEST_FILE, PackedWalk
from harness.records.step_failures import FailedPage
from tests.evidence.spooled import TOKEN, batch, key, record, row


def lone_round(folder: SweepFolder, rows: list[tuple[int, Sample]], *portals: str, checks: str = "", **contents: Any) -> Spool:
    """A sealed round of lone citizens; rows and contents count portals from 0."""
    spool = Spool(folder)
    sealed = replace(record(*portals, stage=LONE), checks=checks)
    spool.open_round(TOKEN, sealed)
    spool.append("w0", batch({i: key(portal, 1, LONE) for i, portal in enumerate(portals)}, rows, **contents))
    spool.seal_round(TOKEN, sealed)
    return spool


def test_the_record_of_a_lone_round_says_what_each_walk_met(folder: SweepFolder) -> None:
    kind = FailureKind("search", "find", "search", "blocked", "firewall", "status 403, expected 2xx")
    page = FailedPage(kind, 1, "http://127.0.0.1:1/", 403, 9, markup=True, text="<p>no</p>", truncated=False)
    ended = [
        (0, row(1, outcome="blocked")._replace(status=403)), (0, row(1, request=-1, outcome="blocked")), (1, row(1, outcome="connect")),
        (1, row(1, request=-1, outcome="connect")), (2, row(1)), (2, row(1, request=-1)),
    ]  # fmt: skip
    spool = lone_round(folder, ended, "a", "b", "c", failures=((0, FailureCount(*kind, 1)),), pages=((0, page),))
    walks = [walk for portal in ("a", "b", "c") for walk in spool.lone_walks(portal)]
    assert walks == [
        LoneWalk(
            "a", "search", "blocked", "find", "search", 403, "portal", "firewall: status 403, expected 2xx", "pages/a/search-blocked-1.html"
        ),
        LoneWalk("b", "search", "connect", "find", "search", 200),
        LoneWalk("c", "search", "ok"),
    ]
    sealed = read_round(folder.round("001-00"))
    assert list(sealed.lone_walks) == walks
    assert sealed.refusals == {"a": "blocked", "b": "unreachable"}
    assert spool.doubtful(TOKEN) == frozenset()
    assert Spool(folder).lone_walks("a") == spool.lone_walks("a")  # as a later attempt reads it


def test_each_lone_walk_is_a_file_of_the_round_and_of_the_chain(folder: SweepFolder) -> None:
    folder.lone("a", "001-00", "search", 9).parent.mkdir(parents=True)
    folder.lone("a", "001-00", "search", 9).write_bytes(b"left by an attempt that was cut off")
    ended = [(0, row(1)), (0, row(1, request=-1)), (1, row(2)), (1, row(2, request=-1))]
    walks = ((0, PackedWalk("search", 1, b"first")), (1, PackedWalk("search", 2, b"second")))
    spool = lone_round(folder, ended, "a", "b", walks=walks)
    files = ["lone/a/001-00-search-1.jsonl.gz", "lone/b/001-00-search-2.jsonl.gz"]
    assert [folder.relative(path) for path in folder.lone_of("001-00")] == files
    assert [(folder.path / file).read_bytes() for file in files] == [b"first", b"second"]
    assert [walk.file for portal in ("a", "b") for walk in spool.lone_walks(portal)] == files
    assert {each.file for each in read_links(folder)["001-00"].files} >= {*files}
    facts = json.loads(folder.round("001-00").read_text(encoding="utf-8"))
    assert [walk["file"] for walk in facts["lone_walks"]] == files


@pytest.mark.parametrize(
    "walk",
    [PackedWalk("../../x", 1, b""), PackedWalk("search", -1, b""), PackedWalk("search", 1, b"x" * (LARGEST_FILE + 1))],
    ids=["outside the folder", "no visit", "too large"],
)
def test_a_lone_walk_that_is_none_is_refused(folder: SweepFolder, walk: PackedWalk) -> None:
    lone_round(folder, [(0, row(1))], "a", walks=((0, walk),))
    (refused,) = read_round(folder.round("001-00")).refused_batches
    assert refused.batches == 1
    assert [path.name for path in folder.path.iterdir() if path.name == "lone"] == []


def test_a_walk_that_skips_a_goal_says_where(folder: SweepFolder) -> None:
    skipped = row(1, outcome="skipped", start_us=0)._replace(goal="file", step="submit", status=0)
    spool = lone_round(folder, [(0, row(1)), (0, skipped), (0, row(1, request=-1, outcome="skipped"))], "a")
    assert spool.lone_walks("a") == (LoneWalk("a", "search", "skipped", "file", "submit"),)


def test_a_walk_that_a_stop_cut_off_is_no_walk(folder: SweepFolder) -> None:
    spool = Spool(folder)
    spool.open_round(TOKEN, record("a", stage=LONE))
    spool.append("w0", batch({0: key("a", 1, LONE)}, [(0, row(1, request=-1, outcome="aborted"))]))
    spool.seal_round(TOKEN, replace(record("a", stage=LONE), stopped=True))
    assert spool.lone_walks("a") == ()


def test_a_check_under_load_is_no_lone_walk_before_the_load(folder: SweepFolder) -> None:
    spool = lone_round(folder, [(0, row(1, outcome="blocked")), (0, row(1, request=-1, outcome="blocked"))], "a", checks="001-00")
    assert spool.lone_walks("a") == ()
    assert [walk.outcome for walk in read_round(folder.round("001-00")).lone_walks] == ["blocked"]


@pytest.mark.parametrize(
    ("outcome", "status", "doubtful"),
    [("blocked", 403, True), ("not_served", 429, True), ("not_served", 503, False), ("timeout", 0, False)],
)
def test_a_portal_that_refuses_many_is_doubtful_and_one_that_has_too_much_to_do_is_not(
    folder: SweepFolder, outcome: str, status: int, doubtful: bool
) -> None:
    """A status 503 under load is what an overloaded portal says; a lone citizen after the load would tell nothing."""
    spool = Spool(folder)
    spool.open_round(TOKEN, record("a", "b"))
    rows = [(k, row(n, request=-1)) for k in (0, 1) for n in range(18)]
    for k, count in ((0, 2), (1, 0)):
        for n in range(18, 18 + count):
            rows += [(k, row(n, outcome=outcome)._replace(status=status)), (k, row(n, request=-1, outcome=outcome))]
    rows += [(k, row(30 + n, request=-1, outcome="not_served", start_us=0)) for k in (0, 1) for n in range(60)]  # turned away after a stop
    spool.append("w0", batch({0: key("a", 1), 1: key("b", 1)}, rows, sequence=0))
    spool.seal_round(TOKEN, record("a", "b"))
    assert spool.doubtful(TOKEN) == (frozenset({"a"}) if doubtful else frozenset())
    window = read_round(folder.round("001-00")).slots[0].windows[0]
    assert (window.begun, window.counts["turned_away"], window.counts.get("refused", 0)) == (20, 60, 2 if doubtful else 0)

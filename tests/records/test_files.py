"""Files whole or not at all, and line files whose end a crash cut off."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.errors import EnvironmentFault, EvidenceError
from harness.records import Ledger, LedgerLine, append_to_ledger, read_ledger
from harness.records.files import Lines, read_json, read_lines, write_output, write_together, write_whole

LINES = tuple(LedgerLine("p", "p-seed1", n, f"H08-{n}", "dossier", kept={"số": n} if n else None) for n in range(3))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_whole(tmp_path / "new" / "a.json", '{"tên": 1}')
    write_whole(tmp_path / "new" / "a.json", b"[]")
    assert read_json(tmp_path / "new" / "a.json") == []
    assert names(tmp_path / "new") == ["a.json"]


def test_files_that_belong_together_are_all_replaced_or_none(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", "old")
    (tmp_path / "b").mkdir()  # cannot be replaced by a file
    with pytest.raises(EnvironmentFault, match="not writable"):
        write_together(tmp_path, {"a": b"new", "b": b"new"})
    assert (tmp_path / "a").read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", Lines()),
        ('{"a": 1}\n{"b": 2}\n', Lines(({"a": 1}, {"b": 2}))),
        ('{"a": 1}\n{"b": 2}', Lines(({"a": 1}, {"b": 2}))),
        ('{"a": 1}\n{"b": "kh', Lines(({"a": 1},), 1)),
        ('{"a": "1\u20282"}\n', Lines(({"a": "1\u20282"},))),  # a line separator within a text ends no line
    ],
)
def test_a_last_line_that_was_cut_off_is_left_out_and_counted(tmp_path: Path, content: str, found: Lines) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text(content, encoding="utf-8")
    assert read_lines(path) == found


def test_a_line_cut_off_within_a_character_is_left_out_too(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes('{"a": 1}\n{"b": "ệ'.encode()[:-1])
    assert read_lines(path) == Lines(({"a": 1},), 1)


def test_any_other_line_that_is_no_json_is_an_error_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text('{"a": 1}\n{"b"\n{"c": 3}\n', encoding="utf-8")
    with pytest.raises(EvidenceError, match=r"lines\.jsonl:2.*not JSON"):
        read_lines(path)
    assert read_lines(tmp_path / "none") == Lines()


def test_a_ledger_that_a_crash_cut_off_can_be_read_and_added_to(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    append_to_ledger(path, LINES)
    assert read_ledger(path) == Ledger(LINES)
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    assert read_ledger(path) == Ledger(LINES[:2], 1)
    append_to_ledger(path, LINES[2:])
    assert path.read_bytes() == whole
    assert [line.code for line in read_ledger(path).of_portal("p")] == ["H08-0", "H08-1", "H08-2"]


def test_a_line_that_lacks_what_a_ledger_needs_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text('{"portal": "p"}\n', encoding="utf-8")
    with pytest.raises(EvidenceError, match=r"ledger\.jsonl:1.*code: Field required"):
        read_ledger(path)


def test_an_output_goes_to_where_a_link_leads_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    for name, target in (("there", "kept/old"), ("missing", "kept/new")):
        (tmp_path / name).symlink_to(target)
        (tmp_path / "kept" / "old").write_text("old", encoding="utf-8")
        write_output(tmp_path / name, "new")
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / target).read_text(encoding="utf-8") == "new"
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(EnvironmentFault, match=r"loop: file is not writable"):
        write_output(tmp_path / "loop", "new")
    with pytest.raises(EnvironmentFault, match=r"kept.*Is a directory"):
        write_output(tmp_path / "kept", "new")


def test_an_output_to_a_fifo_goes_through_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_output(tmp_path / "pipe", "through")
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)
    assert (tmp_path / "pipe").is_fifo()

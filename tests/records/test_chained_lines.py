"""Lines that are chained by digests: added one by one, read back, and looked through for what was changed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from harness.errors import EvidenceError
from harness.records.chained_lines import last_line, line_bytes, line_digest, link_problems, read_chained

REMEDY = "Restore it."


@dataclass(frozen=True)
class Note:
    text: str
    previous: str


def add(path: Path, *texts: str) -> None:
    for text in texts:
        with path.open("a+b") as file:
            file.write(line_bytes(asdict(Note(text, line_digest(last_line(file))))) + b"\n")


def problems(path: Path, first: str = "") -> list[tuple[str, int]]:
    found = link_problems(path, read_chained(Note, path, "notes", REMEDY), REMEDY, first)
    return [(problem.key, problem.line) for problem in found]


def test_each_line_names_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    add(path, "một", "hai", "ba")
    raw = path.read_bytes().splitlines()
    digests = ["", *(sha256(line).hexdigest() for line in raw)]
    assert read_chained(Note, path, "notes", REMEDY) == (Note("một", digests[0]), Note("hai", digests[1]), Note("ba", digests[2]))
    assert not problems(path)
    assert problems(path, "another file") == [("previous", 1)]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda raw: [raw[0].replace(b"a", b"b"), *raw[1:]], 2),
        (lambda raw: raw[1:], 1),
        (lambda raw: [raw[0], *raw[2:]], 2),
    ],
    ids=["changed", "without the first", "without one between"],
)
def test_a_change_is_found_at_the_line_after_it(tmp_path, change, line) -> None:
    path = tmp_path / "notes.jsonl"
    add(path, "a", "c", "d")
    path.write_bytes(b"".join(each + b"\n" for each in change(path.read_bytes().splitlines())))
    assert ("previous", line) in problems(path)


def test_half_a_line_is_not_read_and_the_next_one_takes_its_place(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    add(path, "a")
    path.write_bytes(path.read_bytes() + b'{"text": "b", "prev')
    assert [note.text for note in read_chained(Note, path, "notes", REMEDY)] == ["a"]
    add(path, "c")
    assert [note.text for note in read_chained(Note, path, "notes", REMEDY)] == ["a", "c"]
    assert not problems(path)


def test_no_file_has_no_lines_and_another_line_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    assert read_chained(Note, path, "notes", REMEDY) == ()
    assert not problems(path)
    path.write_text('{"text": 1}\n')
    with pytest.raises(EvidenceError, match="notes as they were written"):
        read_chained(Note, path, "notes", REMEDY)

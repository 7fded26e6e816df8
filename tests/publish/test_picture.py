"""The scoreboard as a picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.image import imread

from harness.errors import UsageError
from harness.evidence.reasons import Language
from harness.publish.picture import write_picture
from harness.publish.wording import decimal, phrase
from harness.scoring.scorecard import SweepScores
from tests.publish.simulated_night import sweep_scores

HOSTILE = "$\\frac{1}{0}$ <script>alert(1)</script>"


@pytest.fixture(scope="module")
def scores() -> SweepScores:
    made = sweep_scores()
    first, *others = made.scorecards
    return replace(made, scorecards=(replace(first, name_vi=HOSTILE, name_en=HOSTILE), *others))


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_picture_says_names_points_and_verdicts_as_text(scores: SweepScores, language: Language, tmp_path: Path) -> None:
    write_picture(scores, tmp_path / "board.svg", language)
    drawn = (tmp_path / "board.svg").read_text(encoding="utf-8")
    for card in scores.scorecards:
        said = phrase(f"verdict.{card.verdict.value}").into(language) if card.points is None else decimal(card.points, 1, language)
        assert f">{said}</text>" in drawn
    assert "<script" not in drawn
    assert "&lt;script&gt;" in drawn
    assert phrase("tag.provisional").into(language) in drawn


@pytest.mark.parametrize(("name", "magic"), [("board.png", b"\x89PNG"), ("board.PDF", b"%PDF"), ("board.svg", b"<?xml")])
def test_the_end_of_the_name_chooses_the_format(scores: SweepScores, name: str, magic: bytes, tmp_path: Path) -> None:
    write_picture(scores, tmp_path / name, "vi")
    written = (tmp_path / name).read_bytes()
    assert written.startswith(magic)
    write_picture(scores, tmp_path / name, "vi")
    assert (tmp_path / name).read_bytes() == written
    if name.endswith("png"):
        pixels = imread(tmp_path / name)
        assert pixels.shape[1] > 1000
        assert len({tuple(pixel) for pixel in pixels[::7, ::7].reshape(-1, pixels.shape[2]).round(2).tolist()}) > 5


def test_another_format_is_refused_and_nothing_is_written(scores: SweepScores, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--picture.*board\.docx.*\.png, \.pdf or \.svg"):
        write_picture(scores, tmp_path / "board.docx", "vi")
    assert not list(tmp_path.iterdir())

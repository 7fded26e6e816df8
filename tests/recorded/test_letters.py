"""Letters to the operators of the recorded sweep: what they tell is in the evidence, and they are none of it."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from datetime import date
from html import unescape
from pathlib import Path

import pytest

from harness.errors import EvidenceError, UsageError
from harness.evidence import SweepFolder
from harness.evidence.folder import PACK
from harness.evidence.publication import PortalPublication
from harness.operations import signing
from harness.operations.operator_letters import LETTERS, WrittenLetter, letter_facts, write_letters
from harness.operations.reviewing import review_sweep
from harness.operations.sealed_evidence import seal, seal_problems, sealed_files
from harness.operations.shipped import shipped_catalog
from harness.publish.import_file import card_digest, read_scores, to_bytes
from harness.records.files import digest, write_json
from tests.e2e.commands import invoke
from tests.publish.letters import AGENCY, SENT
from tests.recorded.conftest import PORTALS

TODAY = date(2026, 11, 26)
AGENCY_YAML = """\
name_vi: Cơ quan đánh giá (mẫu)
name_en: Evaluating agency (sample)
place_vi: Hà Nội
answer_within_days: 10
people:
  - {name: Nguyễn Thị Mẫu, roles: [evaluator]}
  - {name: Trần Văn Thử, roles: [confirmer]}
  - {name: Lê Thị Ví Dụ, roles: [contact], email: danhgia@example.invalid}
"""


def write(folder: Path, *portals: str, **options: object) -> list[WrittenLetter]:
    """Letters without PDF."""
    sweep = SweepFolder(folder)
    return [*write_letters(sweep, [*letter_facts(sweep, AGENCY, portals, today=TODAY)], **{"browser": "", **options})]  # type: ignore[arg-type]


def read(path: Path) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", path.read_text(encoding="utf-8").partition("<body>")[2])).split())


def send(folder: Path, portal: str, publication: PortalPublication = SENT) -> None:
    """The scores and the record of steps after one portal's were sent."""
    scores = read_scores(folder / "scores.json")
    (card,) = (card for card in scores.scorecards if card.portal == portal)
    step = {
        "step": "sent", "cards": {portal: card_digest(card)}, "points": {portal: card.points}, "criteria_sha256": scores.criteria_set.sha256, "revision": 1,
        "by": "Nguyễn Thị Mẫu", "confirmed_by": "Trần Văn Thử", "at_utc": publication.since_utc, "reason": "xong", "answer_by": publication.answer_by, "previous": "",
    }  # fmt: skip
    (folder / "publication.jsonl").write_text(json.dumps(step, ensure_ascii=False) + "\n", encoding="utf-8")
    cards = tuple(replace(card, publication=publication) if card.portal == portal else card for card in scores.scorecards)
    (folder / "scores.json").write_bytes(to_bytes(replace(scores, scorecards=cards)))


def test_each_portal_gets_a_letter_from_its_own_evidence(folder: Path) -> None:
    written = write(folder)
    assert {each.portal for each in written} == PORTALS
    assert all(each.is_draft and each.why_no_pdf == "this machine has no Chromium" for each in written)
    failing, refusing, slow = (read(folder / LETTERS / f"{portal}.html") for portal in ("failing-payments", "refusing", "slow"))
    assert "Thanh toán không thành công (xác nhận thanh toán):" in failing
    assert "cho phép địa chỉ của bộ đo truy cập" in refusing
    assert "8,9 điểm trên 12 điểm của các tiêu chí được đánh giá (toàn nhóm 20 điểm)" in slow
    assert "giờ Việt Nam (UTC+7)" in slow
    assert "chậm nhất ngày 06/12/2026" in slow  # ten days from today, by the agency's own rule
    assert f"scores.json : {digest(folder / 'scores.json')}" in slow


def test_the_pages_that_a_letter_names_are_in_the_portals_share(chained: SweepFolder, tmp_path: Path) -> None:
    signing.make_key(tmp_path / "key")
    seal(chained, shipped_catalog(), signing.signing_key(f"file:{tmp_path / 'key'}"))
    write(chained.path)
    assert list(seal_problems(chained)) == []  # letters are no evidence, as the report is none
    for portal in ("failing-payments", "refusing"):
        named = re.findall(r"pages/[^<]+\.html", (chained.path / LETTERS / f"{portal}.html").read_text(encoding="utf-8"))
        assert named
        assert {*named} <= {*sealed_files(chained, portal)}


def test_dossiers_that_still_stand_are_told_to_their_operator_alone(folder: Path) -> None:
    path = folder / "withdrawals.json"
    record = json.loads(path.read_bytes())
    left = [each for each in record["outcomes"] if each["portal"] == "slow"][:7]
    for each in left:
        each.update(withdrawn=False, reason="timeout")
    write_json(path, record)
    write(folder)
    assert f"7 trên {sum(each['portal'] == 'slow' for each in record['outcomes'])} hồ sơ chưa rút được" in read(
        folder / LETTERS / "slow.html"
    )
    assert left[0]["code"] in read(folder / LETTERS / "slow.html")
    assert "và 2 hồ sơ khác; danh sách trong gói số liệu: ledger.jsonl" in read(folder / LETTERS / "slow.html")
    assert "không còn trên hệ thống" in read(folder / LETTERS / "fast.html")


def test_what_was_sent_is_no_draft_and_keeps_its_day(folder: Path) -> None:
    send(folder, "slow")
    drafts = {each.portal: each.is_draft for each in write(folder)}
    assert drafts == {**dict.fromkeys(PORTALS, True), "slow": False}
    assert "chậm nhất ngày 07/12/2026" in read(folder / LETTERS / "slow.html")


def test_what_has_changed_since_it_was_sent_is_a_draft_again(folder: Path) -> None:
    send(folder, "slow")
    scores = read_scores(folder / "scores.json")
    cards = tuple(replace(card, nights=(*card.nights, "2026-11-30")) if card.portal == "slow" else card for card in scores.scorecards)
    (folder / "scores.json").write_bytes(to_bytes(replace(scores, scorecards=cards)))
    (written,) = write(folder, "slow")
    assert (written.is_draft, written.is_changed) == (True, True)
    assert "DỰ THẢO kết quả đã thay đổi sau khi gửi" in read(folder / LETTERS / "slow.html")
    (folder / "publication.jsonl").unlink()  # scores that say they were sent, and no record of it
    assert [each.is_draft for each in write(folder, "slow")] == [True]


def test_a_later_letter_replaces_the_whole_of_an_earlier_one(folder: Path) -> None:
    first = write(folder, "slow", "fast", languages=("vi", "en"))
    assert [path.name for path in first[0].paths] == ["slow.html", "slow.en.html"]
    (folder / LETTERS / "slow.pdf").write_bytes(b"of an earlier revision")
    (again,) = write(folder, "slow")
    assert again.replaced
    assert sorted(path.name for path in (folder / LETTERS).iterdir()) == ["fast.en.html", "fast.html", "slow.html"]


def test_another_folder_is_never_written_over_and_never_evidence(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (one,) = write(folder, "slow", out=elsewhere)
    assert one.paths == (elsewhere / "slow.html",)
    before = one.paths[0].read_bytes()
    with pytest.raises(UsageError, match="without this letter"):
        write(folder, "fast", "slow", out=elsewhere)
    with pytest.raises(UsageError, match="outside of any sweep"):
        write(folder, "slow", out=folder / "pages")
    assert [path.name for path in elsewhere.iterdir()] == ["slow.html"]
    assert one.paths[0].read_bytes() == before
    assert not (folder / LETTERS).exists()


def test_the_command_says_what_it_wrote_and_what_it_lacks(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    done = invoke(tmp_path, "letter", str(folder), "--portal", "slow")
    assert done.code == 0, done.said
    assert f"{tmp_path / 'agency.yaml'}: not there" in done.err
    assert "slow: draft; no PDF: this machine has no Chromium" in done.out
    assert "→ harness seal" in done.err
    (tmp_path / "agency.yaml").write_text(AGENCY_YAML, encoding="utf-8")
    persons = ("--by", "Nguyễn Thị Mẫu", "--confirmed-by", "Trần Văn Thử", "--reason", "đã rà soát")
    sent = invoke(tmp_path, "publication", str(folder), "sent", "--portal", "slow", *persons)
    assert "→ harness letter" in sent.err, sent.said
    done = invoke(tmp_path, "letter", str(folder), "--portal", "slow", "--english")
    assert "slow: letter, in place of an earlier one; no PDF" in done.out
    assert "agency.yaml" not in done.err
    assert "DỰ THẢO" not in (folder / LETTERS / "slow.html").read_text(encoding="utf-8")
    assert "Evaluating agency (sample)" in read(folder / LETTERS / "slow.en.html")


def test_a_portal_without_scores_and_a_wrong_names_file_are_refused(folder: Path, tmp_path: Path) -> None:
    done = invoke(tmp_path, "letter", str(folder), "--portal", "slwo")
    assert (done.code, "Did you mean `slow`?" in done.err) == (2, True), done.said
    (tmp_path / "names.yaml").write_text("name_vi: x\n", encoding="utf-8")
    done = invoke(tmp_path, "letter", str(folder), "--agency", str(tmp_path / "names.yaml"))
    assert (done.code, "people" in done.err) == (3, True), done.said
    done = invoke(tmp_path, "letter", str(folder), "--agency", str(tmp_path / "none.yaml"))
    assert (done.code, "none.yaml" in done.err) == (3, True), done.said
    assert not (folder / LETTERS).exists()


def test_a_letter_is_never_written_into_evidence(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    for out in (other, other / "pages", folder / "pages"):
        with pytest.raises(UsageError, match="nothing else is written into evidence"):
            write(folder, "slow", out=out)
    (folder / LETTERS).symlink_to("pages")
    with pytest.raises(UsageError, match="letters: path is a link"):
        write(folder, "slow")
    assert not [*other.rglob("slow.html"), *folder.rglob("slow.html")]


def test_evidence_that_was_changed_gives_no_letter(folder: Path) -> None:
    path = next((folder / "pages").rglob("*.html"))
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(EvidenceError, match=re.escape(f"{path}: SHA-256")):
        write(folder, "slow")


def test_a_share_gives_the_letter_of_its_portal_alone(folder: Path) -> None:
    write_json(folder / PACK, {"portal": "slow"})
    assert [each.portal for each in write(folder)] == ["slow"]
    with pytest.raises(UsageError, match="--portal is fast; expected one of slow"):
        write(folder, "fast")
    with pytest.raises(UsageError, match="--portal is fast; expected one of slow"):
        review_sweep(folder, ["fast"])

"""The agency's names file: persons, roles, and one error for each mistake."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from harness.catalog.agency import AGENCY_FILE, Agency, agency_of, read_agency, same_person
from harness.errors import CatalogError
from harness.operations.named_persons import person_problems

TEXT = """\
name_vi: Cơ quan đánh giá mẫu
name_en: Sample evaluation agency
place_vi: Thành phố Mẫu
people:
  - {name: Nguyễn Văn Mẫu, roles: [evaluator], title_vi: Chuyên viên}
  - {name: Trần Thị Thử, roles: [evaluator, confirmer]}
  - {name: Lê Văn Ví Dụ, roles: [contact], email: lien-he@example.invalid, phone: "+84 24 0000 0000"}
settle_within_days: 5
answer_within_days: 10
"""


def agency(tmp_path: Path, text: str = TEXT) -> Agency:
    path = tmp_path / AGENCY_FILE
    path.write_text(text, encoding="utf-8")
    return read_agency(path)


def problems(tmp_path: Path, text: str) -> str:
    with pytest.raises(CatalogError) as caught:
        agency(tmp_path, text)
    assert all(str(each).startswith(f"{tmp_path / AGENCY_FILE}:") for each in caught.value.problems)
    return str(caught.value)


def test_it_says_who_may_do_what(tmp_path: Path) -> None:
    found = agency(tmp_path)
    evaluator, file = "Nguyễn Văn Mẫu", tmp_path / AGENCY_FILE
    assert [*person_problems(found, file, "--by", evaluator, "evaluator")] == []
    assert [each.value for each in person_problems(found, file, "--by", evaluator, "confirmer")] == [f"{evaluator}, evaluator"]
    assert [each.value for each in person_problems(found, file, "--by", "Nobody", "evaluator")] == ["Nobody"]
    assert found.named("confirmer") == "Trần Thị Thử"
    assert found.contact is not None
    assert found.contact.email == "lien-he@example.invalid"
    assert (found.settle_within_days, found.answer_within_days) == (5, 10)


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC"])
def test_a_name_is_the_same_however_it_is_spelled(tmp_path: Path, form: str) -> None:
    spelled = unicodedata.normalize(form, "  nguyễn  VĂN mẫu ")
    assert same_person(spelled, "Nguyễn Văn Mẫu")
    person = agency(tmp_path).person(spelled)
    assert person is not None
    assert person.name == "Nguyễn Văn Mẫu"
    assert agency(tmp_path).entered(spelled) == "Nguyễn Văn Mẫu"


def test_without_a_file_there_is_no_agency(tmp_path: Path) -> None:
    assert agency_of(tmp_path) is None
    agency(tmp_path)
    assert agency_of(tmp_path) is not None


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("nowhere")])
def test_what_is_no_file_is_named_and_not_passed_over(tmp_path: Path, make: object) -> None:
    make(tmp_path / AGENCY_FILE)  # type: ignore[operator]
    with pytest.raises(CatalogError, match=r"agency\.yaml.*unreadable"):
        agency_of(tmp_path)


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    text = TEXT.replace("[evaluator]", "[evaluater]").replace("[contact]", "[]").replace("days: 5", "days: 0")
    said = problems(tmp_path, text + "password: geheim\n")
    assert "people.0.roles.0 is 'evaluater'" in said
    assert "people.2.roles" in said
    assert "settle_within_days is 0" in said
    assert "password" in said


def test_one_person_stands_once_and_one_is_the_contact(tmp_path: Path) -> None:
    twice = unicodedata.normalize("NFD", "nguyễn văn mẫu")
    text = TEXT.replace("Trần Thị Thử", twice).replace("[evaluator, confirmer]", "[confirmer, contact]")
    said = problems(tmp_path, text)
    assert "people.1.name" in said
    assert "it is `people.0`, too" in said
    assert "people.2.roles is contact; expected one contact" in said


@pytest.mark.parametrize("name", ["An\\u202eDung", "An\\nDung", "x" * 201, ""])
def test_a_name_is_one_line_that_everybody_sees(tmp_path: Path, name: str) -> None:
    assert "people.0.name" in problems(tmp_path, TEXT.replace("Nguyễn Văn Mẫu", f'"{name}"'))


def test_a_name_may_look_like_markup_or_a_formula(tmp_path: Path) -> None:
    assert (
        agency(tmp_path, TEXT.replace("Nguyễn Văn Mẫu", "\"=HYPERLINK(1)<script>alert('A')</script>\"")).people[0].name.startswith("=HYPER")
    )


@pytest.mark.parametrize("blank", ["   ", " Nguyễn Văn Mẫu", "Nguyễn Văn Mẫu\u3000"])
def test_a_name_of_blanks_is_no_person(tmp_path: Path, blank: str) -> None:
    assert "people.0.name" in problems(tmp_path, TEXT.replace("name: Nguyễn Văn Mẫu", f'name: "{blank}"'))


def test_yes_is_no_number_of_days(tmp_path: Path) -> None:
    assert "answer_within_days is True; expected a whole number of days" in problems(
        tmp_path, TEXT.replace("within_days: 10", "within_days: true")
    )

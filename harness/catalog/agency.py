"""The agency's names file ``agency.yaml``: who evaluates, who confirms, whom an operator asks, and the agency's own terms for answers.

It lies in the results folder, beside the register, and is no part of the catalog: people change, rules do not. There are no
accounts and no passwords: who may write to the folder is the operating system's business.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from harness.catalog.reading import CatalogModel, Mistake, MistakesError, read_model
from harness.catalog.text_file import has_blank_edges
from harness.errors import CatalogError, Problem, visible

AGENCY_FILE: Final = "agency.yaml"
AgencyRole = Literal["evaluator", "confirmer", "contact"]
LONGEST_LINE: Final = 200
"""Characters of a name, title or address (assumed: the longest titles of officials have about a hundred)."""


def same_person(one: str, other: str) -> bool:
    """Whether two spellings are one name: blanks, capitals and the composition of letters do not tell persons apart."""
    return _known_by(one) == _known_by(other)


def _known_by(name: str) -> str:
    return unicodedata.normalize("NFKC", " ".join(name.split())).casefold()


def _one_line(text: str) -> str:
    if visible(text) != text or has_blank_edges(text):
        raise ValueError("one line of visible signs, without blanks around it")
    return text


def _no_yes_or_no(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a whole number of days")  # noqa: TRY004  (pydantic tells a ValueError; true would be one day)
    return value


_Line = Annotated[str, Field(max_length=LONGEST_LINE), AfterValidator(_one_line)]
_Name = Annotated[str, Field(min_length=1, max_length=LONGEST_LINE), AfterValidator(_one_line)]
_Days = Annotated[int, Field(ge=1, le=3650), BeforeValidator(_no_yes_or_no)]


class AgencyPerson(CatalogModel):
    """A person, and what this person does for the agency."""

    name: _Name
    roles: Annotated[tuple[AgencyRole, ...], Field(min_length=1)]
    title_vi: _Line = ""
    title_en: _Line = ""
    email: _Line = ""
    phone: _Line = ""


class Agency(CatalogModel):
    """The contents of ``agency.yaml``."""

    name_vi: _Name
    name_en: _Line = ""
    place_vi: _Line = ""  # of its letters, for example the city
    people: Annotated[tuple[AgencyPerson, ...], Field(min_length=1)]
    settle_within_days: _Days | None = None  # after a night, by the agency's own rule; None: it has none
    answer_within_days: _Days | None = None  # after a letter, by the agency's own rule; None: it has none

    @property
    def contact(self) -> AgencyPerson | None:
        """Whom operators ask; None where nobody has this role."""
        return next((person for person in self.people if "contact" in person.roles), None)

    def person(self, name: str) -> AgencyPerson | None:
        """The person of this name, however it is spelled; None where there is none."""
        return next((person for person in self.people if same_person(person.name, name)), None)

    def entered(self, name: str) -> str:
        """A name as the file spells it; as it is where the file does not have it."""
        person = self.person(name)
        return name.strip() if person is None else person.name

    def named(self, role: AgencyRole) -> str:
        """The names of those who have a role, for a message."""
        return ", ".join(person.name for person in self.people if role in person.roles) or "nobody"

    @model_validator(mode="after")
    def _each_person_and_one_contact(self) -> Agency:
        first: dict[str, int] = {}
        mistakes = [
            Mistake(
                ("people", index, "name"),
                person.name,
                f"each person once; it is `people.{first[_known_by(person.name)]}`, too",
                "Remove one.",
            )
            for index, person in enumerate(self.people)
            if first.setdefault(_known_by(person.name), index) != index
        ]
        contacts = [index for index, person in enumerate(self.people) if "contact" in person.roles]
        mistakes += [
            Mistake(("people", index, "roles"), "contact", f"one contact; `people.{contacts[0]}` is it", "Take the role from one of them.")
            for index in contacts[1:]
        ]
        if mistakes:
            raise MistakesError(mistakes)
        return self


def read_agency(path: Path) -> Agency:
    """The names file; CatalogError with all its problems."""
    problems: list[Problem] = []
    agency = read_model(path, Agency, problems)
    if agency is None:
        raise CatalogError(*problems)
    return agency


def agency_of(results: Path) -> Agency | None:
    """The names file of a results folder; None where it has none. Raises CatalogError."""
    path = results / AGENCY_FILE
    return read_agency(path) if path.exists() or path.is_symlink() else None

"""Whether the persons of a step may take it: two of them, whom the agency's names file has in these roles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.catalog.agency import Agency, AgencyRole, same_person
from harness.errors import Problem, did_you_mean


def person_problems(agency: Agency, file: Path, option: str, name: str, role: AgencyRole) -> Iterator[Problem]:
    """Why a name given by ``option`` may not act in a role; nothing where it may. ``file``: the names file."""
    person = agency.person(name)
    if not name.strip():
        yield Problem("command line", option, "empty", f"a name of {file} ({role}: {agency.named(role)})", f"Name the {role}.")
    elif person is None:
        remedy = f"{did_you_mean(name, (each.name for each in agency.people))}Name one of them, or enter the person in the file."
        yield Problem("command line", option, name, f"a name of {file} ({role}: {agency.named(role)})", remedy)
    elif role not in person.roles:
        remedy = f"Have one of them do it, or enter the role in {file}."
        yield Problem("command line", option, f"{person.name}, {' and '.join(person.roles)}", f"{role}: {agency.named(role)}", remedy)


def two_person_problems(by: str, confirmed_by: str) -> Iterator[Problem]:
    """Why two names are not those of two persons; nothing where they are."""
    if by.strip() and same_person(by, confirmed_by):
        expected = f"the name of another person than {by.strip()}, who takes the step"
        yield Problem("command line", "--confirmed-by", confirmed_by.strip(), expected, "Have a second person look at it and confirm it.")

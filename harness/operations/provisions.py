"""Whether our own files hold what a plan needs, asked before anything is sent: pools, secrets, test identities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.catalog import Catalog, Target
from harness.catalog.profile import ITEMS
from harness.errors import CatalogError, EnvironmentFault, Problem, did_you_mean
from harness.load.earlier_attempts import EarlierAttempts
from harness.load.serials import Serials
from harness.operations.portal_hosts import hosts_of_plan
from harness.profiles import CompiledPlatform, compile_platform, load_functions
from harness.records import Plan, RoundRecord

ROWS_NAMED = 5
"""Rows that are named one by one: the first few say enough."""


def check_provisions(plan: Plan, catalog: Catalog, rounds: Sequence[RoundRecord] = ()) -> None:
    """Raise CatalogError with every pool or table of identities that is too small for the plan, and every value that is missing.

    ``rounds``: of earlier attempts; the visits of what they left half done count too.
    """
    functions = load_functions(*catalog.folders)
    names = {target.platform for target in plan.targets if target.platform in catalog.platforms}
    compiled = {name: compile_platform(catalog.platforms[name], functions) for name in sorted(names)}
    serials = Serials(plan, rounds)
    for again in EarlierAttempts(plan, rounds).half_done():
        for half in again.slots:
            serials.numbered(half)
    slots = {slot.portal: slot for round_ in plan.rounds for slot in round_.slots}
    problems: list[Problem | str] = []
    for planned in plan.targets:
        platform, slot = compiled.get(planned.platform), slots.get(planned.portal)
        if platform is not None:
            target = hosts_of_plan(catalog, planned.portal, planned.origins, planned.authorisation)
            visits = serials.visits(slot.run) if slot is not None else 0
            problems += platform.check_pools(visits)
            problems += missing_values(platform, target)
            ceilings = [each.needed for each in planned.not_permitted if each.limit == "citizens_in_flight_max"]
            problems += too_few_accounts(
                platform, target, min(visits, slot.in_flight_ceiling if slot is not None else 0), whole=int(max(ceilings, default=0))
            )
    if problems:
        raise CatalogError(*dict.fromkeys(problems))


def missing_values(platform: CompiledPlatform, target: Target) -> Iterator[Problem | str]:
    """What the templates of a platform take and this target's authorisation does not give."""
    for name in sorted(platform.needs.secrets):
        try:
            target.secret(name)
        except EnvironmentFault as fault:
            yield from fault.problems
    known = ITEMS["person"].union(*target.identities[:1])
    for key in sorted(platform.needs.of_person.keys() - known):
        yield Problem(
            f"platform {platform.id}", f"person.{key}", "a name that nothing gives", f"one of {', '.join(sorted(known))}",
            f"{did_you_mean(key, known)}Mend the name in the profile, or add the column to the test identities of the authorisation.",
        )  # fmt: skip
    if target.authorisation is not None:
        yield from unfit_identities(platform, target.identities, target.authorisation.id)


def unfit_identities(platform: CompiledPlatform, identities: Sequence[Mapping[str, str]], authorisation: str) -> Iterator[Problem]:
    """Identities of which nothing would be used, and cells that would be sent as an empty text."""
    if not identities:
        return
    columns, used = identities[0].keys(), platform.needs.of_person.keys()
    if columns.isdisjoint(ITEMS["person"] | used):
        yield Problem(
            f"authorisations/ ({authorisation})", "test_identities", f"columns {', '.join(columns)}",
            f"at least one of {', '.join(sorted(ITEMS['person'] | used))}", "Name the columns as the values of a person are named.",
        )  # fmt: skip
    for column in sorted(columns & (ITEMS["person"] | used)):
        rows = [str(number) for number, row in enumerate(identities, 1) if not row[column].strip()]
        if rows:
            yield Problem(
                f"authorisations/ ({authorisation})", "test_identities", f"no {column} in row {', '.join(rows[:ROWS_NAMED])}",
                f"a value in each row: it takes the place of person.{column}", "Fill it in, or leave out the row or the whole column.",
            )  # fmt: skip


def too_few_accounts(platform: CompiledPlatform, target: Target, citizens: int, *, whole: int = 0) -> Iterator[Problem]:
    """Identities with a password are accounts. Two citizens in one account at once end each other's session.

    ``whole``: the citizens at once of the load that the authorisation does not cover; 0 where it covers all.
    """
    if target.authorisation is None or "password" not in platform.needs.of_person or "password" not in next(iter(target.identities), ()):
        return
    accounts = len({tuple(row.items()) for row in target.identities})
    if accounts < citizens:
        yield Problem(
            f"authorisations/ ({target.authorisation.id})", "test_identities", f"{accounts} different rows with a password",
            f"at least {citizens}, one for each citizen in flight" + (f"; {whole} with the load that this limit leaves out" if whole > citizens else ""),
            "Ask for more accounts, or lower citizens_in_flight_max or the workload.",
        )  # fmt: skip

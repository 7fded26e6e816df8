"""Whether our own files hold what a plan needs, asked before anything is sent: pools, secrets, values of test identities."""

from __future__ import annotations

from collections.abc import Iterator

from harness.catalog import Catalog, Target
from harness.errors import CatalogError, EnvironmentFault, Problem
from harness.load.serials import Serials
from harness.operations.portal_hosts import target_of_plan
from harness.profiles import CompiledPlatform, compile_platform, load_functions
from harness.records import Plan
from harness.visits import synthetic_person


def check_provisions(plan: Plan, catalog: Catalog) -> None:
    """Raise CatalogError with every pool that is too small for the plan, every secret and every value of a person that is missing."""
    functions = load_functions(*catalog.folders)
    names = {target.platform for target in plan.targets if target.platform in catalog.platforms}
    compiled = {name: compile_platform(catalog.platforms[name], functions) for name in sorted(names)}
    serials = Serials(plan)
    runs = {slot.portal: slot.run for round_ in plan.rounds for slot in round_.slots}
    problems: list[Problem | str] = []
    for planned in plan.targets:
        platform = compiled.get(planned.platform)
        if platform is not None:
            target = target_of_plan(catalog, planned.portal, planned.origins, planned.authorisation)
            problems += platform.check_pools(serials.visits(runs.get(planned.portal, "")))
            problems += missing_values(platform, target)
    if problems:
        raise CatalogError(*dict.fromkeys(problems))


def missing_values(platform: CompiledPlatform, target: Target) -> Iterator[Problem | str]:
    """What the templates of a platform take and this target's authorisation does not give."""
    for name in sorted(platform.needs.secrets):
        try:
            target.secret(name)
        except EnvironmentFault as fault:
            yield from fault.problems
    known = set(synthetic_person(1, "", 0).values).union(*target.identities[:1])
    for key in sorted(platform.needs.of_person - known):
        yield Problem(
            f"platform {platform.id}", f"person.{key}", "a name that nothing gives", f"one of {', '.join(sorted(known))}",
            "Mend the name in the profile, or add the column to the test identities of the authorisation.",
        )  # fmt: skip

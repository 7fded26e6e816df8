"""Which of the loaded journeys a test walks: Locust chooses by class names, by tags (-T, -E), or in the class picker of its page."""

from __future__ import annotations

from collections.abc import Iterable

from locust import User
from locust.env import Environment

from harness.errors import Problem, UsageError
from harness.load.citizen import Citizen, tags_of


def loaded_journeys(environment: Environment) -> frozenset[str]:
    """The journeys of all classes in the loaded files, chosen or not."""
    return frozenset(user.journey() for user in _citizens(environment))


def walked_journeys(environment: Environment) -> dict[str, type[Citizen]]:
    """The journeys that Locust's options leave: of the chosen classes, those that still have the task that walks."""
    return {
        user.journey(): user
        for user in environment.user_classes
        if issubclass(user, Citizen) and any(getattr(task, "body", None) for task in user.tasks)
    }


def leave_out_by_tags(environment: Environment) -> None:
    """Take the classes that -T and -E leave without a task out of those that Locust starts and its picker offers.

    Locust itself would start them, and each would raise an error again and again. UsageError where no class is left.
    """
    options = environment.parsed_options
    wanted, unwanted = (frozenset(getattr(options, name, None) or ()) for name in ("tags", "exclude_tags"))
    if not wanted and not unwanted:
        return

    def is_left(user: type[User]) -> bool:
        return not issubclass(user, Citizen) or any(
            (not wanted or wanted & tags) and not unwanted & tags for tags in map(tags_of, user.tasks)
        )

    if not any(map(is_left, environment.user_classes)):
        given = " ".join((*(f"-T {tag}" for tag in sorted(wanted)), *(f"-E {tag}" for tag in sorted(unwanted))))
        known = sorted({tag for user in _citizens(environment) for task in user.tasks for tag in tags_of(task)})
        expected = f"tags that leave a journey; there are {', '.join(known)}"
        raise UsageError(Problem("command line", "tags", given, expected, "A journey has its own name and those of its goals as tags."))
    environment.user_classes = list(filter(is_left, environment.user_classes))
    available = environment.available_user_classes or {}
    environment.available_user_classes = {name: user for name, user in available.items() if is_left(user)}  # type: ignore[arg-type]


def _citizens(environment: Environment) -> Iterable[type[Citizen]]:
    loaded: Iterable[object] = (environment.available_user_classes or {}).values()
    return (user for user in loaded if isinstance(user, type) and issubclass(user, Citizen))

"""Makes the catalog of one portal: all its files, or none where any of them would be wrong.

portals/ID.yaml          its names and its platform
platforms/NAME.yaml      how it is walked: drafted from a capture, or taken from a bundle; a shipped family needs no file
platforms/words.csv      what citizens search for, where the capture shows a search
authorisations/ID.yaml   its hosts and the limits of the load
left-to-do.md            what only a person can add
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import yaml

from harness.catalog import Catalog
from harness.catalog.platform import GOALS
from harness.catalog.profile import ITEMS
from harness.catalog.scalars import yaml_text
from harness.errors import CatalogError, EnvironmentFault, Problem, UsageError
from harness.operations.authoring.draft import DraftedProfile
from harness.operations.authoring.har import UNSENDABLE
from harness.operations.authoring.left_values import settled_and_kept, taken_by_looks, typed_texts
from harness.operations.authoring.outline import NOT_RECORDED, commented_yaml, with_comments_as_keys
from harness.operations.authoring.own_portal import OwnPortal, authorisation_text
from harness.operations.authoring.validation import validate_catalog
from harness.operations.bundle.contents import BUNDLE
from harness.operations.journeys import journeys_of_folder
from harness.operations.permitted_load import needed_limits
from harness.operations.selection import select_criteria, select_workload
from harness.operations.shipped import DEFAULT_CRITERIA, scenarios_folder
from harness.origins import is_loopback

LEFT_TO_DO: Final = "left-to-do.md"
_OPTION_OF: Final = {
    "contact": "--contact", "hours": "--hours", "citizens_in_flight_max": "--citizens", "requests_per_s_max": "--requests-per-s",
    "dossiers_max": "--dossiers", "origin": "--host", "role": "--host", "owner": "--host", "id": "--portal", "level": "--level",
    "name_vi": "--name-vi", "name_en": "--name-en", "hosts": "--host",
}  # fmt: skip
"""The option that gave a value, by its key in a file."""
LOCAL_REQUESTS_PER_S: Final = 100.0
"""The least limit of the requests of a portal on this machine where nobody names another (assumed: harmless for a laptop)."""
_BESIDE_THE_PROFILE: Final = 2
"""Requests sent for each that a profile lists (assumed: redirects, polls and assets are as many again at most)."""


@dataclass(slots=True)
class NewCatalog:
    """The files of a catalog that is being made, by their paths in it, and what is left to do."""

    files: dict[str, str | bytes]  # bytes: taken as they are
    left: list[str] = field(default_factory=list)
    first: list[str] = field(default_factory=list)  # of what is left, what comes first
    information: list[str] = field(default_factory=list)  # what nobody has to do anything about
    references: dict[str, Any] = field(default_factory=dict)  # where the accounts and the secrets are
    account_columns: list[str] = field(default_factory=list)
    needed_citizens: int = 0  # by the workload
    limits: str = ""  # what is said where a limit is below the need of the workload

    def authorise(self, portal: OwnPortal) -> None:
        """Write the portal's authorisation, anew where it was written before."""
        references = yaml_text(self.references) if self.references else ""
        self.files[f"authorisations/{portal.id}.yaml"] = f"{authorisation_text(portal)}{references}"


def require_new(folder: Path) -> None:
    """Raise UsageError where a folder holds anything: nothing is written over."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        remedy = "Name a new folder, or remove this one yourself."
        raise UsageError(Problem("command line", "FOLDER", f"{folder}, there already", "a new folder, or an empty one", remedy))


def portal_files(portal: OwnPortal, taken: Mapping[str, bytes]) -> NewCatalog:
    """The files of a portal, beside those that are ``taken`` as they are."""
    described = {
        "id": portal.id, "name_vi": portal.name_vi, "name_en": portal.name_en, "level": portal.level, "platform": portal.platform,
        "platform_basis": portal.platform_basis, "embedded_platform": portal.platform,
    }  # fmt: skip
    return NewCatalog({**taken, f"portals/{portal.id}.yaml": yaml_text({"portals": [described]})})


def add_draft(made: NewCatalog, drafted: DraftedProfile, portal: OwnPortal) -> None:
    """Add a drafted profile, its words, and the references for its accounts and secrets."""
    made.files[f"platforms/{portal.platform}.yaml"] = drafted.text
    if drafted.searched:
        made.files["platforms/words.csv"] = f'word\n"{drafted.searched.replace(chr(34), chr(34) * 2)}"\n'
    add_references(made, drafted.text, portal)
    if drafted.searched:
        made.left.append("Words. `platforms/words.csv` has the one word that you searched for. Add more, each of which finds something.")
    absent = [goal for goal, why in yaml.safe_load(drafted.text).get("absent", {}).items() if why == NOT_RECORDED]
    if absent:
        made.left.append(
            f"Goals. Your visit shows nothing of {', '.join(absent)}: `platforms/{portal.platform}.yaml` declares that absent. Record a visit that"
            " does it and make the catalog anew, or write why the application lacks it."
            + (" Until then all that is filed stays, after each walk and each run." if "withdraw" in absent else "")
        )
    if not drafted.searched:
        made.left.append(
            "Search. Your visit searched for nothing: goal find opens the same pages in every visit. If the application has a search, record it."
        )
    name = f"platforms/{portal.platform}.yaml"
    if unsendable := [str(remark) for remark in drafted.left_out if remark.said == UNSENDABLE]:
        made.left.append(
            "Left out. These requests of your visit are not in the profile:\n" + "\n".join(f"   - {each}" for each in unsendable)
        )
    made.first += typed_texts(drafted.constants, name)
    made.left += taken_by_looks(drafted.constants, name)
    made.information += settled_and_kept(drafted.constants)


def add_references(made: NewCatalog, profile: str, portal: OwnPortal) -> None:
    """Name where the accounts and the secrets of a profile are: in the environment, never in the catalog."""
    plain = json.dumps(yaml.safe_load(profile), ensure_ascii=False, default=str)  # without comments and YAML's own quotation marks
    names = sorted(set(re.findall(r"secret\('([^']+)'\)", plain)))
    made.account_columns = _account_columns(profile, portal)
    prefix = _prefix(portal)
    if made.account_columns:
        made.references["test_identities"] = f"env:{prefix}_ACCOUNTS"
    if names:
        made.references["secrets"] = {name: f"env:{prefix}_{name.upper()}" for name in names}
        made.left.append(
            "Secrets. The profile sends secrets of which it has only the names. Set before a walk: "
            + ", ".join(f"`{prefix}_{name.upper()}`{_held(name, plain)}" for name in names)
            + "."
        )


def _held(secret: str, profile: str) -> str:
    """What the variable of a secret has to hold, as far as the profile shows it."""
    if re.search(rf"base64\(join\(':', [^}}]*secret\('{secret}'\)", profile):
        return " (as it is typed into the browser's own login, HTTP Basic)"
    scheme = re.search(rf"(\w+) \{{\{{ secret\('{secret}'\) \}}\}}", profile)
    return f" (what follows the word {scheme[1]})" if scheme else ""


def _prefix(portal: OwnPortal) -> str:
    """How the names of a portal's environment variables begin."""
    return re.sub(r"[^A-Z0-9]+", "_", portal.id.upper())


def write_catalog(folder: Path, made: NewCatalog, portal: OwnPortal, *, prune: bool) -> None:
    """Write the files into a new folder, all or none. Raises UsageError or CatalogError where they are not sound.

    ``prune``: goals of the drafted profile that cannot be walked yet are declared absent, and kept as comments.
    """
    require_new(folder)
    waiting = folder.parent / f".{folder.name}.{secrets.token_hex(4)}.new"
    try:
        made.authorise(replace(portal, citizens=portal.citizens or 1, requests_per_s=portal.requests_per_s or LOCAL_REQUESTS_PER_S))
        for _ in range(len(GOALS) + 1):  # each check takes a goal out, or is the last
            _write(waiting, made.files)
            catalog, problems = validate_catalog(scenarios_folder(), waiting)
            goals = _goals_of(problems, f"{portal.platform}.yaml") if prune else {}
            if not goals:
                break
            _take_out(made, portal.platform, goals)
        if problems:
            raise _as_given(problems, waiting, folder)
        portal = _with_limits(made, portal, catalog)
        made.authorise(portal)
        made.files[LEFT_TO_DO] = _left_to_do(made, portal, folder)
        _write(waiting, made.files)
        waiting.rename(folder)
    except OSError as error:
        remedy = "Make room or name another place; nothing was written."
        raise EnvironmentFault(Problem(str(folder), "folder", f"not writable ({error.strerror})", "a new folder", remedy)) from error
    finally:
        shutil.rmtree(waiting, ignore_errors=True)


def _with_limits(made: NewCatalog, portal: OwnPortal, catalog: Catalog) -> OwnPortal:
    """The portal with the limits that its workload needs, where nobody has named others."""
    workload, criteria = select_workload(catalog, portal.workload), select_criteria(catalog, portal.criteria or DEFAULT_CRITERIA)
    platform, permission = catalog.platforms[portal.platform], catalog.authorisations[portal.id]
    citizens, requests = needed_limits(permission, platform, workload, criteria, journeys_of_folder(scenarios_folder()))
    made.needed_citizens = max(citizens, 1)
    rate = portal.requests_per_s or max(LOCAL_REQUESTS_PER_S, float(requests * _BESIDE_THE_PROFILE))
    portal = replace(portal, citizens=portal.citizens or made.needed_citizens, requests_per_s=rate)
    short = [
        f"`{key}: {allowed:g}` (it needs {needed})"
        for key, allowed, needed in (
            ("citizens_in_flight_max", portal.citizens, citizens),
            ("requests_per_s_max", portal.requests_per_s, requests),
        )
        if allowed < needed
    ]
    if short:
        made.limits = (
            f"Limits. Workload {portal.workload} needs more than you permit by {' and '.join(short)} in `authorisations/{portal.id}.yaml`: the"
            " load that needs more is left out, and what it would show is not assessed. Raise the limit, or choose a smaller workload."
        )
    return portal


def _write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        if not (folder / name).resolve().is_relative_to(folder.resolve()):
            raise UsageError(
                Problem(str(folder), name, "a file outside of the folder", "files below it", "Give another id; nothing was written.")
            )
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def _as_given(problems: Sequence[Problem], waiting: Path, folder: Path) -> UsageError | CatalogError:
    """The problems by the options that gave the values; those of files by the names that they would have had."""
    by_option = [
        Problem("command line", option, each.value, each.expected, "Give another value; nothing was written.")
        for each in problems
        if each.file.startswith((f"{waiting}/portals/", f"{waiting}/authorisations/"))
        and (option := _OPTION_OF.get(re.sub(r"\.\d+$", "", each.key).rpartition(".")[2]))
    ]
    if by_option:
        return UsageError(*dict.fromkeys(by_option))
    moved = (
        Problem(each.file.replace(str(waiting), str(folder)), each.key, each.value, each.expected, each.remedy, each.line)
        for each in problems
    )
    return CatalogError(*moved)


def _goals_of(problems: Sequence[Problem], profile: str) -> dict[str, str]:
    """The goals of the drafted profile that have problems, each with the first of them; those that build on one go with it."""
    found: dict[str, str] = {}
    for each in problems:
        named = re.match(r"goals\.(\w+)", each.key)
        if each.file.endswith(f"/{profile}") and named and named[1] in GOALS:
            found.setdefault(named[1], f"{each.key} is {each.value}; expected {each.expected}. {each.remedy}")
    if "file" in found:
        found.update({goal: "it needs the receipt of the goal file" for goal in ("pay", "track", "withdraw") if goal not in found})
    return found


def _take_out(made: NewCatalog, platform: str, goals: Mapping[str, str]) -> None:
    """Declare goals absent. What was drafted of them stays at the end of the file, as comments."""
    name = f"platforms/{platform}.yaml"
    before = str(made.files[name])
    head = "".join(line for line in before.splitlines(keepends=True) if line.startswith("#"))
    body = yaml.safe_load(with_comments_as_keys(before))
    tail = ""
    for goal, why in goals.items():
        drafted = body["goals"].pop(goal, None)
        body.setdefault("absent", {}).setdefault(goal, "not yet: it could not be drafted whole")
        if drafted is None:
            continue
        made.left.append(f"Goal {goal}. It is declared absent for now, and stands as comments at the end of `{name}`: {why}")
        lines = commented_yaml({goal: drafted}).splitlines()
        tail += "\n# Below `goals`, once it is complete (and out of `absent`):\n" + "".join(f"#   {line}\n" for line in lines)
    if not body["goals"]:
        raise UsageError(Problem("command line", "--har", "no goal that a citizen could walk", "at least a search", "Record a search first; `harness draft` shows what was found."))  # fmt: skip
    made.files[name] = head + commented_yaml(body) + tail


def _account_columns(profile: str, portal: OwnPortal) -> list[str]:
    """The values of a person by which a profile logs in with an account of the portal; none where it does not.

    At an identity host synthetic citizens may be known, as at the one that stands in.
    """
    goals = yaml.safe_load(profile)["goals"]
    texts = [yaml_text(step) for goal in goals.values() for step in goal["steps"] if step["step"] == "log_in"]
    used = dict.fromkeys(name for text in texts if "person.password" in text for name in re.findall(r"person\.(\w+)", text))
    elsewhere = any(host.role == "identity" for host in portal.hosts)
    return [] if elsewhere and used.keys() <= ITEMS["person"] else list(used)


def _left_to_do(made: NewCatalog, portal: OwnPortal, folder: Path) -> str:
    strangers = ", ".join(host.origin for host in portal.hosts if not is_loopback(host.origin))
    first = list(made.first)
    if not portal.is_local:
        first.append(
            f"Permission. `authorisations/{portal.id}.yaml` is a draft: {strangers} will get no request until a person has filled in what"
            " the owners of these hosts have signed, and has removed the line `draft: true`."
        )
    if not portal.is_sandbox:
        first.append(
            "Filing and paying. Journeys that file or pay are left out: nobody has said that no money moves there and nobody works on what is"
            f" filed. If so, add `payment_sandbox: {{origin: …}}` to `authorisations/{portal.id}.yaml`."
        )
    if made.limits:
        first.append(made.limits)
    if made.account_columns:
        accounts = min(portal.citizens, made.needed_citizens)
        first.append(
            f"Accounts. Citizens log in with test accounts, which never stand in the catalog. Write a CSV file outside of it with the columns"
            f" `{','.join(made.account_columns)}`, one account a line, and name it: `export {_prefix(portal)}_ACCOUNTS=/path/to/accounts.csv`."
            f" A walk needs one account. Workload {portal.workload} needs {accounts}, one for each citizen at a time."
        )
    chosen = f"--workload {portal.workload}" + (f" --criteria {portal.criteria}" if portal.criteria else "")
    last = "Judgement. Ask of every answer: what would the page show if the request had failed? Tighten `expect` until such a page breaks a rule."
    if BUNDLE in made.files:
        last = "The files of the bundle stay as they are: `harness validate` and every report name each one that is changed."
    steps = [*first, *made.left, last, *made.information]
    commands = (f"harness validate --catalog {folder}", f"harness walk {portal.id} --catalog {folder}", f"harness run {portal.id} {chosen} --catalog {folder}")  # fmt: skip
    return (
        f"# Left to do for {portal.id}\n\n"
        + "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
        + "\n\nThen, in this order:\n\n"
        + "".join(f"    {command}\n" for command in commands)
    )

"""Commands for a portal of one's own: init asks what a catalog needs, or takes it from options."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from harness.cli.next_steps import say_next
from harness.cli.options import CATALOG, CRITERIA, SEED, SIGNING_KEY, say, say_text
from harness.cli.outputs import OUTPUT_FILE
from harness.errors import Problem, UsageError, did_you_mean
from harness.operations.number_options import CITIZENS, CITIZENS_OR_NONE, DOSSIERS, RATE, RATE_OR_NONE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.catalog import Catalog
    from harness.operations.authoring.draft import DraftedProfile
    from harness.operations.authoring.new_catalog import NewCatalog
    from harness.operations.authoring.own_portal import OwnHost, OwnPortal


@dataclass
class Answers:
    """What options say, what a person answers on a terminal, and what is missing in a script."""

    given: Mapping[str, Any]  # by the name of the option, without hyphens before it
    asks: bool
    missing: list[Problem] = field(default_factory=list)

    def get(self, option: str, question: str, default: Any = None, kind: Any = str) -> Any:
        """The answer to one question. Without a terminal the default stands; where there is none, the option is missing."""
        value = self.given.get(option)
        if value not in (None, "", ()):
            return value
        if self.asks:
            return click.prompt(question, default=default, type=kind)
        if default is None:
            self.missing.append(Problem("command line", f"--{option}", "missing", question, f"Give --{option}; on a terminal init asks."))
        return default

    def yes(self, option: str, question: str) -> bool:
        """Whether a person has agreed. Without a terminal only the option agrees."""
        return bool(self.given.get(option)) or (self.asks and click.confirm(question, default=False))

    def require_all(self) -> None:
        """Raise UsageError with every option that a script has left out."""
        if self.missing:
            raise UsageError(*self.missing)


def is_asked() -> bool:
    """Whether a person can answer questions."""
    return sys.stdin.isatty()


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--har", type=click.Path(path_type=Path, dir_okay=False), help="Draft the profile from this capture of a browser.")
@click.option("--platform", default="", help="A shipped platform that the portal runs on, instead of --har.")
@click.option("--from-bundle", "bundle", type=click.Path(path_type=Path), help="Take profile, workload and criteria set from the evaluator's bundle, a TAR file or a folder.")  # fmt: skip
@click.option("--key", type=click.Path(path_type=Path, dir_okay=False), help="With --from-bundle: the evaluator's public key, by which the bundle must be signed.")  # fmt: skip
@click.option("--portal", default="", metavar="ID", help="The portal's id.  [default: the folder's name, or the bundle's]")
@click.option("--name-vi", default="", help="Its Vietnamese name.  [default: the title of the capture's first page, or the id]")
@click.option("--name-en", default="", help="Its English name.  [default: the Vietnamese one]")
@click.option("--level", type=click.Choice(["ministry", "province", "sample"]), help="Whose portal it is.  [default: sample]")
@click.option(
    "--address", default="", metavar="ORIGIN", help="Where it is, for example http://127.0.0.1:8080.  [default: as the capture has it]"
)
@click.option("--host", "hosts", multiple=True, metavar="ROLE=ORIGIN[,OWNER]", help="Another host by its role in the profile, for example identity=http://127.0.0.1:9000; may be given several times.")  # fmt: skip
@click.option("--contact", default="", help="E-mail address or telephone number for whoever reads the portal's log.")
@click.option("--hours", multiple=True, metavar="HH:MM-HH:MM", help="Hours of the day in Viet Nam in which it may be loaded; may be given several times.")  # fmt: skip
@click.option("--citizens", type=CITIZENS, help="The most citizens in flight.  [default on this machine: as many as the workload needs]")  # fmt: skip
@click.option("--requests-per-s", type=RATE, help="The most requests a second.  [default on this machine: as many as the workload needs, at least 100]")  # fmt: skip
@click.option("--dossiers", type=DOSSIERS, help="The most test dossiers of a sweep.  [default on this machine: no limit]")
@click.option(
    "--sandbox", is_flag=True, help="No money moves there and nobody works on what is filed: journeys that file or pay are walked."
)
@click.option("--workload", default="", help="The workload that you will measure with.  [default: smoke]")
@click.option("--criteria", default="", metavar="ID[@VERSION]", help="The criteria set that you will be scored by.")
def init(
    folder: Path, har: Path | None, platform: str, bundle: Path | None, key: Path | None, portal: str, name_vi: str, name_en: str, level: str | None, address: str, hosts: tuple[str, ...],
    contact: str, hours: tuple[str, ...], citizens: int | None, requests_per_s: float | None, dossiers: int | None, sandbox: bool, workload: str,
    criteria: str,
) -> None:  # fmt: skip
    """Make a catalog for a portal of your own: from a browser's capture, the evaluator's bundle, or for a shipped platform.

    On a terminal it asks what the options do not say. In a script a missing value is an error that names the option. It writes all
    files of FOLDER or none, never over others, and says what is left to do. No permission is made up: for a host that is not on this
    machine it writes a draft, which permits nothing until a person fills it in.
    """
    from harness.operations.authoring import new_catalog
    from harness.operations.authoring.draft import draft_with_remarks
    from harness.operations.shipped import shipped_catalog

    new_catalog.require_new(folder)
    if sum((har is not None, bool(platform), bundle is not None)) != 1 or (key is not None and bundle is None):
        found = "several, or none, or --key without --from-bundle"
        remedy = "Record a visit in your browser and give --har, name the platform, or give the evaluator's bundle."
        raise UsageError(Problem("command line", "--har, --platform, --from-bundle", found, "one of them", remedy))
    given = {
        "portal": portal, "name-vi": name_vi, "name-en": name_en, "level": level, "address": address, "contact": contact, "hours": hours,
        "citizens": citizens, "requests-per-s": requests_per_s, "dossiers": dossiers, "sandbox": sandbox,
    }  # fmt: skip
    answers = Answers(given, is_asked())
    shipped = shipped_catalog()
    if bundle is not None:
        own, made = _from_bundle(answers, bundle, key, hosts, (workload, criteria))
    else:
        name = _portal_id(answers, slug(folder.name))
        drafted = None if har is None else draft_with_remarks(har, profile=_pages_of(name), for_catalog=True)
        own = _described(answers, name, _base_of(shipped, name, drafted, platform), hosts, _chosen(shipped, workload, criteria))
        made = new_catalog.portal_files(own, {})
        if drafted is not None:
            new_catalog.add_draft(made, drafted, own)
    new_catalog.write_catalog(folder, made, own, prune=har is not None)
    _say_made(folder, own, shipped_catalog(folder), asked=answers.asks)


def slug(text: str) -> str:
    """An id from a name."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _portal_id(answers: Answers, proposed: str) -> str:
    """The portal's id, checked before anything is made: files have its name."""
    from harness.catalog.ids import check_id

    name = answers.get("portal", "Portal's id (small letters, digits, hyphens)", proposed or None)
    if name:
        check_id(name, "--portal")
    return str(name or "")


def _pages_of(portal: str) -> str:
    """The id of a profile that is drafted for a portal."""
    from harness.catalog.ids import LONGEST_ID

    return slug(f"{portal[: LONGEST_ID - len('-pages')]}-pages")


def _chosen(shipped: Catalog, workload: str, criteria: str) -> tuple[str, str]:
    """The workload and the criteria set, which must be there."""
    from harness.operations.selection import select_criteria, select_workload

    select_workload(shipped, workload or "smoke")
    if criteria:
        select_criteria(shipped, criteria)
    return workload or "smoke", criteria


@dataclass(frozen=True)
class _Base:
    """What is known of a portal before anybody is asked: by a capture, a bundle, or a shipped platform."""

    platform: str
    basis: str
    roles: Sequence[str]
    origins: Mapping[str, str] = field(default_factory=dict)  # by role, as a capture has them
    names: tuple[str, str] = ("", "")
    level: str = "sample"


def _base_of(shipped: Catalog, name: str, drafted: DraftedProfile | None, platform: str) -> _Base:
    if drafted is not None:
        origins = {role: origin for origin, role in drafted.roles.items()}
        return _Base(_pages_of(name), f"drafted for {name}", tuple(origins), origins, (drafted.title, ""))
    if platform in shipped.platforms:
        return _Base(platform, "named by whoever made this catalog", shipped.platforms[platform].origins)
    known = sorted(shipped.platforms)
    remedy = f"{did_you_mean(platform, known)}Or record a visit and give --har."
    raise UsageError(Problem("command line", "--platform", platform, f"one of {', '.join(known)}", remedy))


def _from_bundle(
    answers: Answers, path: Path, key: Path | None, hosts: Sequence[str], chosen: tuple[str, str]
) -> tuple[OwnPortal, NewCatalog]:  # fmt: skip
    """A portal by the evaluator's bundle, whose files are taken as they are."""
    from harness.catalog.text_file import decoded
    from harness.operations.authoring.new_catalog import add_references, portal_files
    from harness.operations.bundle.opening import bundled_profile, open_bundle
    from harness.operations.signing import read_public_key

    if any(chosen):
        remedy = "Leave the option out; `harness run` may take others, and names the difference."
        raise UsageError(Problem("command line", "--workload, --criteria", "given", "those of the bundle", remedy))
    opened = open_bundle(path, read_public_key(key) if key is not None else None)
    says = opened.says
    profile = bundled_profile(opened, path)
    signer = f"signed by key {opened.signed_by}" if opened.signed_by else "signed by nobody"
    say(f"{path}: {len(says.files)} files of version {says.harness}, {signer}")
    base = _Base(
        says.portal.platform, f"the evaluator's bundle, {path.name}", profile.origins, {}, (says.portal.name_vi, says.portal.name_en),
        says.portal.level,
    )  # fmt: skip
    name = _portal_id(answers, says.portal.id)
    own = _described(answers, name, base, hosts, (says.workload, says.criteria))
    made = portal_files(own, opened.files)
    add_references(made, decoded(opened.files[f"platforms/{base.platform}.yaml"]), own)
    return own, made


def _described(answers: Answers, name: str, base: _Base, hosts: Sequence[str], chosen: tuple[str, str]) -> OwnPortal:
    """A portal as options and answers describe it; limits have defaults only where every host is on this machine."""
    from harness.operations.authoring.own_portal import OwnPortal, is_local

    name_vi = answers.get("name-vi", "Vietnamese name", base.names[0] or name)
    name_en = answers.get("name-en", "English name", base.names[1] or name_vi)
    level = answers.get("level", "Level", base.level, click.Choice(["ministry", "province", "sample"]))
    where = answers.get("address", "Where the portal is, for example http://127.0.0.1:8080", base.origins.get("portal"))
    own_hosts = _hosts(answers, base, str(where or ""), hosts)
    answers.require_all()
    local = is_local(own_hosts)
    needed = f" (0: as many as {chosen[0]} needs)" if local else ""
    citizens = answers.get(
        "citizens", f"The most citizens in flight{needed}", 0 if local else None, CITIZENS_OR_NONE if local else CITIZENS
    )
    rate = answers.get("requests-per-s", f"The most requests a second{needed}", 0.0 if local else None, RATE_OR_NONE if local else RATE)
    hours, contact, dossiers = answers.given["hours"], answers.given["contact"], answers.given["dossiers"] or 0
    if not local:
        contact = answers.get("contact", "Contact for whoever reads the portal's log")
        hours = hours or (answers.get("hours", "Hours of the day in Viet Nam in which it may be loaded, for example 22:00-05:00"),)
        dossiers = answers.get("dossiers", "The most test dossiers of a sweep", None, DOSSIERS)
    sandbox = answers.yes("sandbox", "May citizens file and pay there? Only if no money moves and nobody works on what is filed")
    answers.require_all()
    return OwnPortal(
        name,
        name_vi,
        name_en,
        level,
        base.platform,
        base.basis,
        own_hosts,
        citizens,
        rate,
        tuple(hours),
        contact,
        dossiers,
        sandbox,
        *chosen,
    )


def _hosts(answers: Answers, base: _Base, where: str, given: Sequence[str]) -> tuple[OwnHost, ...]:
    """The portal's host first, then one for each other role: as an option says, as the capture has it, or as a person answers."""
    from harness.catalog.target import owner_of_role
    from harness.operations.authoring.own_portal import OwnHost
    from harness.origins import Owner, why_no_bare_origin

    named: dict[str, tuple[str, str]] = {}
    for text in given:
        role, _, rest = text.partition("=")
        origin, _, owner = rest.partition(",")
        if role not in base.roles or role == "portal" or not rest or owner not in ("", *get_args(Owner)):
            others = [each for each in base.roles if each != "portal"]
            expected = (
                f"ROLE=ORIGIN[,OWNER] with a role out of {', '.join(others) or 'none'}, and an owner out of {', '.join(get_args(Owner))}"
            )
            raise UsageError(Problem("command line", "--host", text, expected, f"{did_you_mean(role, others)}Give --address for the portal itself."))  # fmt: skip
        if role in named:
            raise UsageError(Problem("command line", "--host", f"{role} given twice", "each role once", "Leave one of the two out."))
        named[role] = origin, owner
    found = [OwnHost("portal", where)]
    for role in (each for each in base.roles if each != "portal"):
        origin, owner = named.get(role, ("", ""))
        origin = origin or answers.get(f"host {role}=ORIGIN", f"Where the host with the role {role} is", base.origins.get(role)) or ""
        found.append(OwnHost(role, origin, owner or owner_of_role(role)))  # type: ignore[arg-type]
    for host in found:
        if host.origin and (fault := why_no_bare_origin(host.origin)):
            option = "--address" if host.role == "portal" else f"--host {host.role}="
            expected = "scheme, name and port only, for example http://127.0.0.1:8080"
            raise UsageError(Problem("command line", option, host.origin, expected, f"{fault[0].upper()}{fault[1:]}."))
    return tuple(replace(host, origin=host.origin.rstrip("/")) for host in found)


def _say_made(folder: Path, own: OwnPortal, catalog: Catalog, *, asked: bool) -> None:
    from harness.cli.options import say_differences
    from harness.operations.authoring.new_catalog import LEFT_TO_DO
    from harness.operations.bundle.differing_runs import catalog_differences

    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        say(f"written to {path}")
    if not asked and not own.is_sandbox:
        say(
            "nobody was asked whether citizens may file and pay there, since this is no terminal: journeys that file or pay are left out; --sandbox lets them in"
        )
    say_text((folder / LEFT_TO_DO).read_text(encoding="utf-8"), nl=False)
    say_differences(catalog_differences(catalog))
    say_next("walk" if own.is_local else "validate", *(["walk", own.id] if own.is_local else ["validate"]), "--catalog", folder)


@click.command()
@click.argument("portal")
@click.option("--workload", default="", help="A workload of the catalog; required unless --sweep is given.")
@CRITERIA
@click.option("--sweep", "measured", type=click.Path(path_type=Path, file_okay=False), help="Your run of it: its seed, workload, criteria set, version and machine count.")  # fmt: skip
@click.option("--out", type=OUTPUT_FILE, required=True, help="A new file that ends in .tar.")
@SIGNING_KEY
@SEED
@CATALOG
def bundle(portal: str, workload: str, criteria: str, measured: Path | None, out: Path, seed: int, catalog: Catalog) -> None:
    """Give out profile, workload and criteria set of a portal, so that its vendor can measure by the same files.

    Each file is named by its SHA-256. No permission, secret, account or code goes with it. `harness init --from-bundle` takes it.
    """
    from harness.evidence import sweep_at
    from harness.operations.bundle.giving_out import give_out
    from harness.operations.selection import select_portals, select_workload
    from harness.operations.shipped import DEFAULT_CRITERIA

    (chosen,) = select_portals(catalog, (portal,))
    if measured is None:
        select_workload(catalog, workload)
    sweep = None if measured is None else sweep_at(measured)
    made = give_out(out, catalog, chosen, workload, criteria or DEFAULT_CRITERIA, seed=seed, sweep=sweep)
    say(f"{out}: {len(made.files)} files, workload {made.workload}, criteria set {made.criteria}, {'signed' if made.key else 'not signed'}")
    for each in made.files:
        say(f"  {each.file}  {each.sha256}")
    say_next("init", "init", "FOLDER", "--from-bundle", out)

"""Options of several commands, and the output of results."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from harness.cli.outputs import OUTPUT_FILE
from harness.errors import visible
from harness.operations.number_options import SEED_NUMBER, WORKER_COUNT, WholeNumber

if TYPE_CHECKING:
    from harness.catalog import Catalog
    from harness.evidence.reasons import Language
    from harness.operations.sweep_result import SweepResult
    from harness.records.differing import Differing
    from harness.scoring.requirements import Requirement


def _load_catalog(_context: click.Context, _option: click.Parameter, folder: Path | None) -> Catalog:
    from harness.operations.shipped import shipped_catalog

    return shipped_catalog(folder)


def _use_signing_key(context: click.Context, option: click.Parameter, reference: str) -> None:
    if reference:
        from harness.operations.signing import key_named

        context.with_resource(key_named(reference, option.opts[0]))


_FOLDER = click.Path(path_type=Path, file_okay=False)
_CATALOG_HELP = "A folder with your own portals, workloads …"
SWEEP_FOLDER = click.argument("folder", type=click.Path(path_type=Path))
CATALOG = click.option("--catalog", type=_FOLDER, callback=_load_catalog, help=_CATALOG_HELP)
CATALOG_FOLDER = click.option("--catalog", "catalog_folder", type=_FOLDER, help=_CATALOG_HELP)
RESULTS = click.option("--results", type=_FOLDER, default=Path("results"), show_default=True, help="Folder of the sweeps.")
SEED = click.option(
    "--seed", type=SEED_NUMBER, default=1, show_default=True, help="The same seed gives the same schedule, citizens and forms."
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
SIGNING_KEY = click.option(
    "--signing-key",
    default="",
    metavar="env:NAME|file:PATH",
    expose_value=False,
    callback=_use_signing_key,
    help="Where the private key is that signs, never the key itself; by default what HARNESS_SIGNING_KEY says.",
)
WORKERS = click.option("--workers", type=WORKER_COUNT, default=1, show_default=True, help="Generator processes on this machine.")
AT_ONCE = click.option("--at-once", type=WholeNumber(1, 10_000), default=6, show_default=True, help="Portals loaded at the same time.")
VANTAGE_POINT = click.option(
    "--vantage-point", default="", metavar="TEXT", help='Where authorised hosts are measured from, for example "Ha Noi, VNPT, 1 Gbit/s".'
)
EARLIER = click.option(
    "--with", "earlier", multiple=True, type=click.Path(path_type=Path), help="An earlier night's folder; may be given several times."
)
CRITERIA = click.option(
    "--criteria",
    default="",
    metavar="ID[@VERSION]|FILE",
    help="A criteria set of the catalog (the newest version by default), or a YAML file.",
)

FAIL_UNDER = click.option(
    "--fail-under",
    "fail_under",
    multiple=True,
    metavar="POINTS|CRITERION=POINTS",
    help="End with 11 where a portal has fewer points, in all or on one criterion, or none; may be given several times.",
)
JUNIT = click.option("--junit", type=OUTPUT_FILE, help="Also write the results here as JUnit's XML, for a pipeline.")


def _choose_language(context: click.Context, _option: click.Parameter, chosen: str | None) -> None:
    if chosen:
        context.meta[_LANG] = chosen


_LANG = "harness.lang"
_LANGUAGES: dict[str, tuple[Language, ...]] = {"vi": ("vi",), "en": ("en",), "both": ("vi", "en")}


def lang_option(**more: Any) -> Callable[[Any], Any]:
    """``--lang``, of one command or of all."""
    choice, what = click.Choice([*_LANGUAGES]), "Language of results.  [default: vi in a Vietnamese locale, else en]"
    return click.option("--lang", type=choice, expose_value=False, callback=_choose_language, help=what, **more)


LANG = lang_option()


def languages() -> tuple[Language, ...]:
    """The languages of what is printed: those of ``--lang`` or HARNESS_LANG, else that of the environment."""
    chosen = click.get_current_context().meta.get(_LANG)
    if chosen is None:
        named = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))), "")
        chosen = "vi" if named.lower().startswith("vi") else "en"
    return _LANGUAGES[chosen]


def say(line: str, *, err: bool = False) -> None:
    """Print one line. What a terminal would obey in it is made visible: portals, receivers and files may have written parts of it."""
    click.echo(visible(line), err=err)


def say_text(text: str, *, nl: bool = True) -> None:
    """Print a document of several lines as ``say`` prints one."""
    click.echo(visible(text, keep="\n"), nl=nl)


def say_differences(found: Sequence[Differing]) -> None:
    """Print what is not as in the evaluator's run; nothing where the catalog came from no bundle, or nothing differs."""
    if found:
        say(f"{len(found)} differences from the evaluator's run, by the bundle:")
    for each in found:
        say(f"  {each}")


def show_scores(result: SweepResult, *, as_json: bool = False) -> None:
    """Print the scoreboard, or the scorecard of the only portal, and the files beside it; or scores.json as it is."""
    from harness.evidence.folder import REPORT_HTML, SCORES_CSV, SCORES_JSON, SCORES_XLSX
    from harness.publish import ReportExtras, print_card, scoreboard

    folder, extras = result.folder.path, result.extras or ReportExtras()
    if as_json:
        say_text((folder / SCORES_JSON).read_text(encoding="utf-8"), nl=False)
        return
    if len(result.scores.scorecards) == 1:
        print_card(result.scores, extras, result.rows, Console(), languages())
    else:
        scoreboard(result.scores, Console(), ranks=extras.ranks, shortened=extras.shortened, languages=languages())
    say_differences(extras.differences)
    for name in (REPORT_HTML, SCORES_JSON, SCORES_CSV, SCORES_XLSX):
        say(f"  {folder / name}")
    _say_next_of_scores(result)


def _say_next_of_scores(result: SweepResult) -> None:
    """Print how to explain the portal with the fewest points and to review a sweep of several, and both ways to settle an unproven journey."""
    from harness.cli.next_steps import say_next
    from harness.publish.scoreboard import best_first

    cards = sorted(result.scores.scorecards, key=best_first)
    shown = [card for card in cards if card.points is not None] or cards
    if shown:
        say_next("explain", "explain", result.folder.path, shown[-1].portal)
    if len(cards) > 1:
        say_next("review", "review", result.folder.path)
    for portal, journey in [(card.portal, each.journey) for card in cards for each in card.unproven][:1]:
        for cause in ("portal", "profile"):
            say_next(f"settle_{cause}", "settle", result.folder.path, portal, journey, "--as", cause, "--by", "NAME", "--reason", "TEXT")


def say_met(result: SweepResult, requirements: Sequence[Requirement]) -> None:
    """Print, on stderr, that every portal has what was asked; nothing where nothing was."""
    from harness.publish.wording import phrase

    if requirements:
        counts = str(len(requirements)), str(len(result.scores.scorecards))
        for language in languages():
            say(phrase("asked.met").filled(*counts).into(language), err=True)


def progress(*, quiet: bool = False) -> Callable[[str], None]:
    """Prints progress on stderr, or nothing."""
    return (lambda _line: None) if quiet else (lambda line: say(f"· {line}", err=True))


def as_json_text(data: Any) -> str:
    """JSON, indented."""
    return json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True, default=str)

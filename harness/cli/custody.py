"""Commands that keep evidence, and commands by which outsiders check it: seal, verify, pack, gc."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.next_steps import say_next
from harness.cli.options import AS_JSON, CATALOG, CRITERIA, EARLIER, SWEEP_FOLDER, as_json_text, say, say_text
from harness.cli.outputs import OUTPUT_FILE
from harness.errors import Problem, UsageError
from harness.operations.number_options import Number

if TYPE_CHECKING:
    from harness.catalog import Catalog


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option(
    "--key", "--signing-key", "key", default="", envvar="HARNESS_SIGNING_KEY", show_envvar=True, metavar="env:NAME|file:PATH", help="Where the private key is; never the key itself."
)  # fmt: skip
@click.option(
    "--new-key", type=OUTPUT_FILE, help="Make a key pair instead: the private key here, the public one in FILE.pub."
)  # fmt: skip
@CATALOG
def seal(folder: Path | None, key: str, new_key: Path | None, catalog: Catalog) -> None:
    """Sign a sweep that has ended: seal.json lists its files, seal.sig is the signature (Ed25519).

    Of a sealed sweep, it signs what commands have added since.
    """
    from harness.evidence import sweep_at
    from harness.operations import sealed_evidence, signing
    from harness.operations.addenda import SEAL

    if (folder is None) == (new_key is None):
        raise UsageError(
            Problem("command line", "FOLDER, --new-key", "both or neither", "one of them", "Name a sweep's folder, or a new key file.")
        )
    if new_key is not None:
        public = signing.make_key(new_key)
        say(f"{new_key}: the private key, which nobody else may read; {public}: give this one to those who verify")
        say(f"fingerprint {signing.fingerprint(signing.read_public_key(public))}")
        say_next("seal", "seal", "FOLDER", "--key", f"file:{new_key}")
        return
    assert folder is not None
    made = sealed_evidence.seal(sweep_at(folder), catalog, signing.signing_key(key))
    say(f"{folder / SEAL}: {len(made.files)} files, signed by key {made.key}")
    say_next("verify", "verify", folder, "--key", "FILE.pub")


@click.command()
@SWEEP_FOLDER
@click.option("--key", type=click.Path(path_type=Path, dir_okay=False), help="The public key of those who sealed it, FILE.pub.")
@click.option("--portal", default="", help="Only this portal's share; a pack says it by itself.")
@EARLIER
@CATALOG
@CRITERIA
@AS_JSON
def verify(
    folder: Path, key: Path | None, portal: str, earlier: tuple[Path, ...], catalog: Catalog, criteria: str, as_json: bool
) -> None:  # fmt: skip
    """Check a sealed sweep: digests, signature, chain, counts, schedules, and the scores computed again.

    It sends nothing and writes nothing. Ends with 5 and every problem by name.
    """
    from harness.evidence import sweep_at
    from harness.operations.signing import read_public_key
    from harness.operations.verification import verify as check

    public = read_public_key(key) if key is not None else None
    found = check(sweep_at(folder), catalog, key=public, portal=portal, criteria=criteria, earlier=[sweep_at(each) for each in earlier])
    if as_json:
        say_text(as_json_text(asdict(found)))
        return
    of = f"{found.sweep} {found.portal}".strip()
    scores = "the scores are those of the evidence" if found.scores else "it has no scores"
    say(f"{of}: {found.files} files as sealed, {found.addenda} addenda, {found.rounds} rounds in a chain; {scores}")
    say(
        f"signed by key {found.key}"
        if key is not None
        else f"signed by key {found.key}: ask its owners whether it is theirs, or give --key"
    )
    say_next("pack", "pack", folder, "--out", f"{found.sweep}.zip")


@click.command()
@SWEEP_FOLDER
@click.option("--portal", default="", help="Only this portal's share; without it the whole sweep.")
@click.option("--out", type=OUTPUT_FILE, required=True, help="A file that ends in .zip or .tar.")
def pack(folder: Path, portal: str, out: Path) -> None:
    """Pack a sealed sweep, or one portal's share of it; `harness verify` works on it alone, once it is unpacked."""
    from harness.evidence import sweep_at
    from harness.operations.pack import pack as pack_share

    say(f"{out}: {pack_share(sweep_at(folder), portal, out)} files")
    say_next("verify", "verify", "UNPACKED", "--key", "FILE.pub")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path("results"))
@click.option("--keep-days", type=Number(0, 365_000), required=True, help="Younger sweeps keep everything.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed, and what is kept and why.")
@AS_JSON
def gc(folder: Path, keep_days: float, dry_run: bool, as_json: bool) -> None:
    """Remove rows, health, pages and lone walks of old sweeps on which no published score rests.

    A sweep that is sealed, or was sent to operators or to the main evaluation, keeps everything, and so do the earlier nights that its scores count.
    Of the others the plan, rounds, chain, ledger and scores stay, and removed.json lists what went.
    """
    from harness.operations.retention import apply_retention

    found = apply_retention(folder, keep_days, dry_run=dry_run)
    if as_json:
        listed = [{**asdict(each), "files": [str(path) for path in each.files]} for each in found]
        say_text(as_json_text({"dry_run": dry_run, "keep_days": keep_days, "sweeps": listed}))
        return
    going = [each for each in found if not each.kept_because]
    for each in found:
        age = f"{each.sweep}, {each.age_days:.0f} days old"
        say(f"{age}: {each.kept_because or f'{len(each.files)} files, {each.bytes / 1e6:.1f} MB'}")
        for path in each.files:
            say(f"  {path}")
    verb = "would be removed" if dry_run else "were removed"
    say(f"{sum(len(each.files) for each in going)} files of {len(going)} sweeps {verb}; {len(found) - len(going)} sweeps keep everything")
    if dry_run and going:
        say_next("without_dry_run")

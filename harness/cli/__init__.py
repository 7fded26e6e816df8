"""The command line: each command reads its options, calls one operation, prints what came of it.

Exit codes: 0 done; 1 to 9 as `harness.errors` lists them. Heavy imports stand inside the commands that need them.
"""

from __future__ import annotations

from typing import Any

import click

import harness
from harness.cli import cataloguing, dossiers, measuring, scores, supplying
from harness.errors import HarnessError


class _Commands(click.Group):
    """Turns every HarnessError into its lines on stderr and its exit code; lists commands in the order of a night's work."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except HarnessError as error:
            for problem in error.problems:
                click.echo(f"error: {problem}", err=True)
            ctx.exit(error.exit_code)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(harness.__version__, prog_name="harness")
def main() -> None:
    """Measure public-service portals: citizens walk, samples become a score, the score can be imported."""


for _command in (
    measuring.demo, cataloguing.validate, cataloguing.walk, measuring.run, measuring.sweep, measuring.stop, measuring.calibrate,
    supplying.supply,
    scores.score, scores.explain, scores.compare, scores.export, scores.push, scores.total, scores.nights, scores.report, scores.serve,
    dossiers.withdraw, dossiers.reconcile, cataloguing.workload_of_usage, cataloguing.draft, measuring.simulate,
):  # fmt: skip
    main.add_command(_command)

"""The command line: each command reads its options, calls one operation and prints the result.

Exit codes: 0 done; 1 to 11 as `harness.errors` lists them. Heavy imports stand inside the commands that need them.
"""

from __future__ import annotations

import io
import sys
from typing import Any, NoReturn

import click

from harness.cli import capacity, custody, measure, operators, prepare, publishing, results, starting, watching
from harness.cli.options import lang_option, say
from harness.cli.outputs import checked_outputs
from harness.errors import EnvironmentFault, HarnessError, Problem
from harness.operations.ending import end_on_signals
from harness.version import __version__


class _Commands(click.Group):
    """Turns every HarnessError into its lines on stderr and its exit code; lists commands in the order of a night's work.

    What the operating system does not permit, in whichever file of a folder, is such an error, too.
    """

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except HarnessError as error:
            _end(ctx, error)
        except PermissionError as error:
            remedy = "Mend its permissions, or call this as the user who owns it."
            problem = Problem(
                str(error.filename or "operating system"), "file", f"not permitted ({error.strerror})", "a file that may be used", remedy
            )
            _end(ctx, EnvironmentFault(problem))

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        assert cmd.callback is not None
        cmd.callback = checked_outputs(cmd.callback)
        super().add_command(cmd, name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


def _end(ctx: click.Context, error: HarnessError) -> NoReturn:
    for problem in error.problems:
        say(f"error: {problem}", err=True)
    ctx.exit(error.exit_code)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="harness")
@lang_option(envvar="HARNESS_LANG", show_envvar=True)
def main() -> None:
    """Measure public-service portals: citizens walk, samples become a score, the score can be imported."""
    end_on_signals()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")  # a locale without Vietnamese must not cost a night its scoreboard


for _command in (
    measure.demo, starting.init, prepare.doctor, prepare.validate, prepare.walk, measure.run, measure.sweep, capacity.capacity, measure.resume, watching.status, watching.probe, watching.stop, measure.calibrate,
    operators.supply,
    results.score, results.review, results.explain, results.settle, results.compare, publishing.export, publishing.publication, publishing.push, publishing.total, publishing.nights, publishing.report, publishing.serve,
    custody.seal, custody.verify, custody.pack, custody.gc, starting.bundle,
    operators.withdraw, operators.reconcile, operators.letter, prepare.workload, prepare.draft, prepare.keys, prepare.simulate,
):  # fmt: skip
    main.add_command(_command)

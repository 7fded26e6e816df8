"""``python -m harness.simulator --config FILE``: serve the embedded portals, one line of addresses on stdout."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from harness.errors import HarnessError
from harness.simulator.configuration import read_config
from harness.simulator.server import serve


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; answers the exit code."""
    parser = argparse.ArgumentParser(prog="python -m harness.simulator", description="Serve the embedded portals on loopback.")
    parser.add_argument("--config", required=True, type=Path, metavar="FILE", help="JSON; docs/simulator.md lists every key")
    path = parser.parse_args(arguments).config
    try:
        serve(read_config(path), str(path))
    except HarnessError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""``python -m benches [NAME…]``: every bench of this folder in turn, or the named ones, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    """The number of benches that failed."""
    known = sorted(path.stem for path in HERE.glob("*.py") if "def main(" in path.read_text() and path.stem not in {"__main__", "citizens"})
    names = sys.argv[1:] or known
    commands = ([sys.executable, "-m", f"benches.{name}"] for name in names)
    return sum(subprocess.run(command, check=False).returncode != 0 for command in commands)  # noqa: S603  (commands made here)


if __name__ == "__main__":
    sys.exit(main())

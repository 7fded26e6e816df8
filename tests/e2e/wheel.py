"""The wheel of this checkout in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def installed_wheel(folder: Path) -> Path:
    """Build the wheel and install it alone; answers the folder of the environment's scripts.

    The environment sees the locked packages of this one by a ``.pth``: such a path is searched after the environment's own
    packages, and ``.pth`` files in it, so the editable install of the checkout, are not read.
    """
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(build, cwd=PROJECT, check=True, capture_output=True, timeout=120)
    (wheel,) = (folder / "dist").glob("*.whl")
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--quiet", "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    clean = {"PATH": "/usr/bin:/bin", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    subprocess.run(install, check=True, capture_output=True, timeout=120, env=clean)
    (packages,) = (folder / "env" / "lib").glob("python*/site-packages")
    locked = [path for path in sys.path if Path(path).name == "site-packages"]
    (packages / "locked.pth").write_text("\n".join(locked) + "\n", encoding="utf-8")
    return folder / "env" / "bin"

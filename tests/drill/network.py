"""A network of its own in which forbidden addresses are really there and listened to: harness measures in it beside a packet capture.

``python -m tests.drill.network FOLDER PORTAL…`` within ``unshare --net --mount``, as root. It prints what was seen, as JSON.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socketserver
import struct
import subprocess
import sys
import threading
from collections import Counter
from ipaddress import IPv6Address, ip_address
from itertools import cycle
from pathlib import Path
from typing import Any

from tests.e2e.commands import HARNESS
from tests.e2e.portal_sites import ALONE, OWN_PAGES, answer, profile, workload, write_site_catalog
from tests.e2e.small_catalog import portal

RANGE = "198.51.100.0/24"
"""What the authorisations permit beside public addresses; the portals that may be measured are there."""
STEADY, TURNS, REDIRECTS, BOTH = (f"198.51.100.{number}" for number in (7, 8, 9, 10))
METADATA, PRIVATE, SHARED, OTHER = "169.254.169.254", "10.77.0.1", "100.64.77.1", "203.0.113.66"
MAPPED, SIX_TO_FOUR, NAT64, UNIQUE = f"::ffff:{METADATA}", "2002:a9fe:a9fe::1", "64:ff9b::a9fe:a9fe", "fd77::1"
HERE = "127.0.0.1"
PROXY = 3128

LEADS_TO = {
    "steady": [STEADY],
    "both": [BOTH, PRIVATE],
    "redirecting": [REDIRECTS],
    "turning": [TURNS],  # until the load begins, then METADATA
    "metadata": [METADATA],
    "private": [PRIVATE, "192.168.77.1", SHARED],
    "here": [HERE],
    "here6": ["::1"],
    "mapped": [MAPPED],
    "inner": [SIX_TO_FOUR, NAT64],
    "unique": [UNIQUE],
    "group": ["224.0.0.1"],
    "other": [OTHER],
}
"""Where NAME.example leads."""
ASSIGNED = [STEADY, TURNS, REDIRECTS, BOTH, METADATA, PRIVATE, "192.168.77.1", SHARED, OTHER, SIX_TO_FOUR, NAT64, UNIQUE]
MEASURED = [name for name in LEADS_TO if name != "other"]
ELSEWHERE = cycle(
    f"http://{host}/latest/meta-data/" for host in (METADATA, PRIVATE, "other.example", f"[{MAPPED}]", HERE, "localhost", f"[{UNIQUE}]")
)
"""Where the portal that redirects sends citizens under load."""


class Listener(socketserver.ThreadingTCPServer):
    """Listens on all addresses; counts connections by the address that they were made to."""

    daemon_threads, allow_reuse_address, address_family, request_queue_size = True, True, socketserver.socket.AF_INET6, 128

    def __init__(self, port: int) -> None:
        self.connections: Counter[str] = Counter()
        self.opened: Counter[str] = Counter()
        super().__init__(("::", port), Visitor)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Visitor(socketserver.StreamRequestHandler):
    """One connection."""

    server: Listener

    def handle(self) -> None:
        here, port = self.request.getsockname()[:2]
        address = str(IPv6Address(here).ipv4_mapped or here)
        self.server.connections[f"{address} {port}"] += 1
        while first := self.rfile.readline():
            length = 0
            while (line := self.rfile.readline().strip().lower()) != b"":
                if line.startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            self.rfile.read(length)
            path = first.split()[1].decode()
            self.server.opened[address] += path == "/tim"
            redirects = address == REDIRECTS and path == "/tim" and self.server.opened[address] > ALONE
            self.wfile.write(answer("302 Found", Location=next(ELSEWHERE)) if redirects else answer("200 OK", OWN_PAGES.get(path, path)))


class Names(socketserver.ThreadingUDPServer):
    """A name server. The name that turns leads elsewhere once the load has begun."""

    daemon_threads = True

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        super().__init__((HERE, 53), Question)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Question(socketserver.BaseRequestHandler):
    """One question (RFC 1035): the addresses of a name, of one family."""

    server: Names

    def handle(self) -> None:
        asked, sock = self.request
        end = asked.index(b"\0", 12) + 1
        name = asked[13 : 13 + asked[12]].decode().lower()
        (kind,) = struct.unpack("!H", asked[end : end + 2])
        turned = name == "turning" and self.server.listener.opened[TURNS] >= ALONE
        addresses = [ip_address(text) for text in ([METADATA] if turned else LEADS_TO.get(name, []))]
        found = [address.packed for address in addresses if (address.version == 6) is (kind == 28)]
        records = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 0, len(packed)) + packed for packed in found)
        head = struct.pack("!HHHHHH", *struct.unpack("!H", asked[:2]), 0x8180 if name in LEADS_TO else 0x8183, 1, len(found), 0, 0)
        sock.sendto(head + asked[12 : end + 4] + records, self.client_address)


def set_up(folder: Path) -> None:
    """Assign the addresses, and have names looked up at our server."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in ASSIGNED:
        six = ":" in address
        subprocess.run(["ip", "address", "add", f"{address}/{128 if six else 32}", "dev", "lo", *(["nodad"] if six else [])], check=True)
    for name, content in (("resolv.conf", f"nameserver {HERE}\n"), ("nsswitch.conf", "hosts: files dns\n")):
        (folder / name).write_text(content, encoding="ascii")
        subprocess.run(["mount", "--bind", str(folder / name), f"/etc/{name}"], check=True)


def write_catalog(folder: Path) -> None:
    """The portals of LEADS_TO, each authorised at its name, and beside them an embedded one that needs no permission."""
    write_site_catalog(folder, {name: ("any", f"http://{name}.example") for name in MEASURED}, [profile("any")])
    for name in MEASURED:
        path = folder / "authorisations" / f"{name}.yaml"
        path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"address_ranges": [RANGE]}), encoding="utf-8")
    (folder / "portals" / "embedded.yaml").write_text(json.dumps({"portals": [portal("embedded", 8)]}), encoding="utf-8")
    short = workload("short", stages=[{"stage": "typical", "windows": 2, "window_s": 3}], spare_windows=0)
    (folder / "workloads" / "short.yaml").write_text(json.dumps(short), encoding="utf-8")


def captured(path: Path) -> Counter[str]:
    """Packets by each of their two ends, ``address port``."""
    text = subprocess.run(["tcpdump", "-nn", "-r", str(path)], capture_output=True, text=True, check=True).stdout
    ends = re.findall(r" IP6? (\S+)\.(\d+) > (\S+)\.(\d+): ", text)
    return Counter(f"{address} {port}" for one, its, other, others in ends for address, port in ((one, its), (other, others)))


def main(folder: Path, *portals: str) -> dict[str, Any]:
    """Walk alone, and measure portals; answers what the listeners and the capture saw."""
    set_up(folder)
    write_catalog(folder / "catalog")
    listeners = [Listener(80), Listener(PROXY)]
    Names(listeners[0])
    capture = folder / "packets.pcap"
    command = ["tcpdump", "-i", "any", "-n", "-s", "96", "-B", "16384", "--immediate-mode", "-Z", "root", "-w", str(capture), "tcp or udp"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tcpdump:
        assert tcpdump.stderr is not None
        while "listening on" not in (line := tcpdump.stderr.readline()):
            assert line, "tcpdump does not listen"
        proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"), f"http://{PRIVATE}:{PROXY}")
        options = ["--catalog", "catalog", "--workload", "short", "--criteria", "blame", "--at-once", "20"]
        said = ""
        for arguments in (["walk", "metadata", "private", "--catalog", "catalog"], ["sweep", *portals, *options]):
            done = subprocess.run(
                [HARNESS, *arguments], cwd=folder, env=os.environ | proxies, capture_output=True, text=True, check=False, timeout=200
            )
            said += f"{arguments[0]}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}\n"
        tcpdump.send_signal(signal.SIGINT)
        counted = tcpdump.communicate(timeout=30)[1]
    return {
        "packets": captured(capture),
        "connections": sum((each.connections for each in listeners), Counter()),
        "dropped": int(re.findall(r"(\d+) packets dropped by kernel", counted)[0]),
        "said": said,
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]).resolve(), *sys.argv[2:])))

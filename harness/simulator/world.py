"""Everything that one process serves: the origins, wired to each other, found by the port a request came to."""

from __future__ import annotations

from harness.simulator.configuration import Config
from harness.simulator.control import Control
from harness.simulator.database import open_database
from harness.simulator.families import PLAYERS
from harness.simulator.families.calibration import Calibration
from harness.simulator.families.national import National
from harness.simulator.gateway import Gateway
from harness.simulator.identity import Identity
from harness.simulator.origin import Origin, Receive, Scope, Send
from harness.simulator.pages import compile_all
from harness.simulator.portal import Surroundings
from harness.simulator.truth import TruthLog


class World:
    """The ASGI application over all origins."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.database = open_database(config.database)
        self.truth = TruthLog(config.truth_log)
        identity = Identity(config.identity, config.seed, self.truth)
        gateway = Gateway(config.payment, config.seed, self.truth, self.database)
        around = Surroundings(config.seed, self.database, self.truth, identity, gateway)
        self.portals: dict[str, Origin] = {}
        for portal in config.portals:
            if portal.family == "calibration":
                self.portals[portal.id] = Calibration(portal.id, portal.personality, config.seed, self.truth)
            else:
                self.portals[portal.id] = PLAYERS[portal.family](portal, around)
        self.shared: dict[str, Origin] = {"identity": identity, "payment": gateway}
        self.form_hosts = {name: portal.form_host for name, portal in self.portals.items() if isinstance(portal, National)}
        compile_all({portal.family for portal in config.portals} | ({"form-host"} if self.form_hosts else set()))
        served = self.portals | self.shared | {f"{name}:form": host for name, host in self.form_hosts.items()}
        self.control = Control(served, self.database, self.truth)
        self._by_name: dict[str, Origin | Control] = {"control": self.control, **served}
        self._by_port: dict[int, Origin | Control] = {}

    def names(self) -> list[str]:
        """Every origin that needs a socket, as ``ports`` of the configuration names them."""
        return list(self._by_name)

    def bind(self, name: str, port: int, scheme: str) -> None:
        """Serve origin ``name`` on ``port`` from now on."""
        self._by_name[name].url = f"{scheme}://127.0.0.1:{port}"
        self._by_port[port] = self._by_name[name]

    def addresses(self) -> dict[str, object]:
        """What is printed when serving begins, but for the process number."""
        found: dict[str, object] = {
            "control": self.control.url,
            "identity": self.shared["identity"].url,
            "payment": self.shared["payment"].url,
            "portals": {name: origin.url for name, origin in self.portals.items()},
        }
        if self.form_hosts:
            found["form_hosts"] = {name: origin.url for name, origin in self.form_hosts.items()}
        return found

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request to the origin whose socket it came through."""
        await self._by_port[scope["server"][1]](scope, receive, send)

    def close(self) -> None:
        """Complete the log and close the database."""
        self.truth.close()
        self.database.close()

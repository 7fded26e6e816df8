"""All origins of one process; a request goes to the origin of the port that it came to."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from harness.simulator.configuration import Config
from harness.simulator.control import ControlApi
from harness.simulator.database import open_database
from harness.simulator.families import PORTAL_CLASSES
from harness.simulator.families.calibration import CalibrationPortal
from harness.simulator.families.national import National
from harness.simulator.gateway import Gateway
from harness.simulator.identity import Identity
from harness.simulator.origin import SimulatedOrigin
from harness.simulator.pages import compile_templates
from harness.simulator.personality import Personality
from harness.simulator.portal import SharedServices
from harness.simulator.truth import TruthLog


class PortRouter:
    """The ASGI application over all origins."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.database = open_database(config.database)
        self.truth = TruthLog(config.truth_log)
        identity = Identity(config.identity, config.seed, self.truth)
        gateway = Gateway(config.payment, config.seed, self.truth, self.database)
        shared = SharedServices(config.seed, self.database, self.truth, identity, gateway)
        self.portals: dict[str, SimulatedOrigin] = {}
        for portal in config.portals:
            if portal.family == "calibration":
                self.portals[portal.id] = CalibrationPortal(portal.id, portal.personality, config.seed, self.truth)
            else:
                self.portals[portal.id] = PORTAL_CLASSES[portal.family](portal, shared)
        self.shared_hosts: dict[str, SimulatedOrigin] = {"identity": identity, "payment": gateway}
        self.form_hosts = {name: portal.form_host for name, portal in self.portals.items() if isinstance(portal, National)}
        compile_templates({portal.family for portal in config.portals} | ({"form-host"} if self.form_hosts else set()))
        served = self.portals | self.shared_hosts | {f"{name}:form": host for name, host in self.form_hosts.items()}
        self.control = ControlApi(served, self.database, self.truth)
        self._stand_in = config.stand_in
        if self._stand_in is not None:
            from harness.simulator.stand_ins import register  # noqa: PLC0415  (its HTTP client takes time to load)

            register(self._stand_in, identity, gateway)
        alone = self._stand_in.names if self._stand_in is not None and not config.portals else served
        self._by_name: dict[str, SimulatedOrigin | ControlApi] = {
            "control": self.control,
            **{name: served[name] for name in served if name in alone},
        }
        self._by_port: dict[int, SimulatedOrigin | ControlApi] = {}

    def names(self) -> list[str]:
        """Every origin that needs a socket, by its name in the configuration's ``ports``."""
        return list(self._by_name)

    def bind(self, name: str, port: int, scheme: str) -> None:
        """Serve origin ``name`` on ``port`` from now on."""
        self._by_name[name].url = f"{scheme}://127.0.0.1:{port}"
        self._by_port[port] = self._by_name[name]

    def line_of(self, name: str) -> Personality | None:
        """The personality of an origin whose connections lead over a line of their own."""
        origin = self._by_name[name]
        return origin.personality if isinstance(origin, SimulatedOrigin) and origin.personality.far else None

    def bind_behind(self, name: str, port: int) -> None:
        """Serve origin ``name`` on ``port`` too: the end of its line, which nobody else knows."""
        self._by_port[port] = self._by_name[name]

    def addresses(self) -> dict[str, object]:
        """The addresses that are printed when the process is ready."""
        found: dict[str, object] = {name: self._by_name[name].url for name in ("control", "identity", "payment") if name in self._by_name}
        found["portals"] = {name: origin.url for name, origin in self.portals.items()}
        if self._stand_in is not None:
            from harness.simulator.stand_ins import told  # noqa: PLC0415  (as above)

            found["tell_the_staging"] = told(self._stand_in, self.shared_hosts["identity"].url, self.shared_hosts["payment"].url)
        if self.form_hosts:
            found["form_hosts"] = {name: origin.url for name, origin in self.form_hosts.items()}
        return found

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request to the origin of its port."""
        await self._by_port[scope["server"][1]](scope, receive, send)

    def close(self) -> None:
        """Write the rest of the truth log and close the database."""
        self.truth.close()
        self.database.close()

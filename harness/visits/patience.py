"""How long one visit waits for answers in all: for the portal's, and for those of shared hosts."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.client import PhaseTimeouts
from harness.records import PORTAL


class Patience:
    """What is left of the time that a visit waits for answers.

    The portal's own hosts have ``portal_s``. Hosts of other owners (login, payment) have ``timeouts.total_s`` together,
    because their time is not the portal's. Think times and the waits between polls cost nothing.
    """

    def __init__(self, portal_s: float, timeouts: PhaseTimeouts) -> None:
        """``timeouts`` hold for a request whose profile names none."""
        self._timeouts = timeouts
        self._portal = _Allowance(portal_s, round(portal_s * 1e6))
        self._shared = _Allowance(timeouts.total_s, round(timeouts.total_s * 1e6))

    def left_us(self, owner: str) -> int:
        """The time left for the hosts of an owner; 0 or less once it is used up."""
        return self._of(owner).left_us

    def spend(self, owner: str, took_us: int) -> None:
        """Take the time of an answer from what is left for its owner's hosts."""
        self._of(owner).left_us -= took_us

    def limits(self, owner: str, own: PhaseTimeouts | None, since_us: int = 0) -> PhaseTimeouts | None:
        """The time limits of the next request: ``own`` or the usual ones, and in all no more than is left after ``since_us``.

        None stands for the usual ones.
        """
        usual, left_s = own or self._timeouts, (self.left_us(owner) - since_us) / 1e6
        return own if usual.total_s <= left_s else replace(usual, total_s=max(left_s, 0.0))

    def rule(self, owner: str) -> str:
        """The rule that is broken once the time is used up."""
        whose = "the portal" if owner == PORTAL else "shared hosts"
        return f"{whose} had {self._of(owner).whole_s:g} s for the answers of one visit"

    def _of(self, owner: str) -> _Allowance:
        return self._portal if owner == PORTAL else self._shared


@dataclass(slots=True)
class _Allowance:
    whole_s: float
    left_us: int

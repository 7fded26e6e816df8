"""Failures of a visit that our own files cause. The portal is not blamed for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class OurFaultError(Exception):
    """A pool, a name, a secret or a function of ours is at fault; ends the visit with outcome ``dropped``."""


class GivenValues(dict[str, Any]):
    """Values that we give to templates, such as a person or a row of a pool. A key that is not there is our fault."""

    __slots__ = ("_whose",)

    def __init__(self, values: Mapping[str, Any], whose: str) -> None:
        super().__init__(values)
        self._whose = whose

    def __missing__(self, key: object) -> Any:
        raise OurFaultError(f"{self._whose}: there is no {key!r} among {', '.join(self) or 'nothing'}")

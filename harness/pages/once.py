"""Properties of a page that are read once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

Read = TypeVar("Read")


class Once(Generic[Read]):
    """``functools.cached_property`` without the lock that it takes before Python 3.12: half the time, some ten times for each page."""

    def __init__(self, read: Callable[[Any], Read]) -> None:
        self._read = read
        self._name = read.__name__
        self.__doc__ = read.__doc__

    @overload
    def __get__(self, page: None, owner: type) -> Self: ...
    @overload
    def __get__(self, page: object, owner: type) -> Read: ...
    def __get__(self, page: object | None, owner: type) -> Self | Read:
        if page is None:
            return self
        value = page.__dict__[self._name] = self._read(page)
        return value

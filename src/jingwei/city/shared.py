"""What a process has open once for a folder, for as long as a city that wants it is open."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jingwei.city.service import City


class Closable(Protocol):
    """What can be closed; twice does no harm."""

    closed: bool

    def close(self) -> None:
        """Let go of everything that is open."""


T = TypeVar("T", bound=Closable)


@dataclass
class _Held(Generic[T]):
    thing: T
    holders: dict[City, Callable[[T], None]] = field(default_factory=dict)
    """Cities that are open, with what lets the thing go on with their records; the last opened comes last."""


class Shared(Generic[T]):
    """Things that are open once for each folder, though several cities in it may be open."""

    def __init__(self) -> None:
        self._held: dict[Path, _Held[T]] = {}
        self._guard = threading.Lock()

    def hold(
        self,
        city: City,
        folder: Path,
        make: Callable[[], T],
        take_up: Callable[[T], None],
        *,
        is_good: Callable[[T], bool],
    ) -> T:
        """Return what is open for a folder; it is closed when the last city closes that asked for it.

        Parameters
        ----------
        city
            Who wants it.
        folder
            Of what.
        make
            Opens it, where it is not open, or no longer good.
        take_up
            Lets it go on with the records of this city, where it is open already; and once more where a
            city closes that asked for it later.
        is_good
            Whether what is open may be used on.

        """
        with self._guard:
            held = self._held.get(folder)
            if held is not None and is_good(held.thing):
                take_up(held.thing)
            else:
                if held is not None:
                    held.thing.close()
                held = self._held[folder] = _Held(make())
            if held.holders.pop(city, None) is None:
                city.on_close(partial(self._release, folder, city))
            held.holders[city] = take_up
            return held.thing

    def _release(self, folder: Path, city: City) -> None:
        with self._guard:
            held = self._held.get(folder)
            if held is None or held.holders.pop(city, None) is None:
                return
            if not held.holders:
                del self._held[folder]
                held.thing.close()
            elif not held.thing.closed:
                next(reversed(held.holders.values()))(held.thing)

"""What was asked for lately is kept at hand, up to a bound."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

K = TypeVar("K", bound="Hashable")
V = TypeVar("V")


class _Held(Generic[V]):
    __slots__ = ("asked", "size", "value")

    def __init__(self, value: V, size: int) -> None:
        self.value, self.size, self.asked = value, size, False


class Recent(Generic[K, V]):
    """Keeps values up to a bound; to make room, the oldest that nobody has asked for since goes.

    Safe to share between threads: whoever asks takes no lock, and values are made outside of it.

    Parameters
    ----------
    most
        How many values are kept, or how much of them where `size` is given; the newest one is kept however
        large it is.
    size
        Returns how much a value counts for as it is put, one at least; one each where it is left out.

    Notes
    -----
    The rule of the second chance (F. J. Corbató, A paging experiment with the Multics system, 1968): what was
    asked for goes to the end of the line once instead of leaving. Asking then only marks the value, which
    costs a quarter of keeping all in the order in which they were asked for.

    """

    def __init__(self, most: int, size: Callable[[V], int] | None = None) -> None:
        self._most = most
        self._size_of = size
        self._size = 0
        self._line: OrderedDict[K, _Held[V]] = OrderedDict()
        self._making: dict[K, threading.Lock] = {}
        self._turn = 0
        self._guard = threading.Lock()

    def get(self, key: K) -> V | None:
        """Return what is kept under a key, None where nothing is."""
        held = self._line.get(key)
        if held is None:
            return None
        held.asked = True
        return held.value

    def put(self, key: K, value: V) -> V:
        """Keep a value under a key, and return it."""
        with self._guard:
            self._keep(key, value)
        return value

    def of(self, key: K, make: Callable[[], V]) -> V:
        """Return what is kept under a key, or make it.

        What was begun to be made before all was let go of may rest on what is so no longer: it is returned,
        but not kept.
        """
        held = self._line.get(key)
        if held is not None:
            held.asked = True
            return held.value
        turn = self._turn
        made = make()
        with self._guard:
            if turn == self._turn:
                self._keep(key, made)
        return made

    def once(self, key: K, make: Callable[[], V]) -> V:
        """Return what is kept under a key, or make it; who else asks for it meanwhile waits for it."""
        held = self._line.get(key)
        if held is not None:
            held.asked = True
            return held.value
        with self._guard:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            try:
                return self.of(key, make)
            finally:
                with self._guard:
                    self._making.pop(key, None)

    def forget(self, key: K) -> None:
        """Let go of what is kept under a key, if anything is."""
        with self._guard:
            self._drop(key)

    def clear(self) -> None:
        """Let go of all."""
        with self._guard:
            self._line.clear()
            self._size = 0
            self._turn += 1

    def _keep(self, key: K, value: V) -> None:
        self._drop(key)
        size = 1 if self._size_of is None else max(1, self._size_of(value))
        while self._line and self._size + size > self._most:
            first, held = next(iter(self._line.items()))
            if held.asked:
                held.asked = False
                self._line.move_to_end(first)
            else:
                self._drop(first)
        self._line[key] = _Held(value, size)
        self._size += size

    def _drop(self, key: K) -> None:
        gone = self._line.pop(key, None)
        if gone is not None:
            self._size -= gone.size

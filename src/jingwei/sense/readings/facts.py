"""What the intake knows of streams, and whether a reading can be true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jingwei.words import Text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from jingwei.sense.readings.columns import Rows

FUTURE_AFTER = 86_400.0
"""Seconds by which a reading may be ahead of the clock, where its stream says nothing else."""
SECOND = 1_000_000
FEW = 128
"""Readings up to which a stream that is named twice is looked up twice: that costs less."""
CODES = ("", "stream-unknown", "future", "late", "impossible")
"""What may be wrong with a reading, by the number that stands for it."""


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What the intake needs to know of a stream.

    Attributes
    ----------
    stream
        Its number.
    cell, level
        The stored code (signed int64) of where it measures, and the level that is true to; None where
        that is not known or not fixed.
    height
        Metres.
    object, owner
        Identifier of the device in the registry, and the department that owns the stream.
    multi
        Whether it is a MultiDatastream.
    minimum, maximum
        Beyond these a result is impossible.
    late_after, future_after
        Seconds: a reading that much older than when it is received, or newer, is kept apart. None: the
        store's own bound (for late ones there is none).

    """

    stream: int
    cell: int | None = None
    level: int | None = None
    height: float | None = None
    object: str | None = None
    owner: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    late_after: float | None = None
    future_after: float | None = None
    multi: bool = False


Ask = Callable[[int], StreamFacts | list[StreamFacts] | None]
"""Answers what is known of a stream; may tell of others in the same breath, who are then not asked about."""


class FactsBook:
    """Keeps what is known of streams, so that it is asked once. Safe to share between threads."""

    def __init__(self, ask: Ask | None) -> None:
        self._ask = ask
        self._known: dict[int, StreamFacts] = {}
        self._forgotten = 0

    def of(self, stream: int) -> StreamFacts | None:
        """Return what is known of a stream; None if there is no such stream."""
        known = self._known.get(stream)
        return self._asked(stream) if known is None else known

    def _asked(self, stream: int) -> StreamFacts | None:
        if self._ask is None:
            told: list[StreamFacts] = [StreamFacts(stream)]
        else:
            before = self._forgotten
            answer = self._ask(stream)
            told = answer if isinstance(answer, list) else [] if answer is None else [answer]
            if before != self._forgotten:  # what was read may be older than the change
                return next((one for one in told if one.stream == stream), None)
        self._known.update((one.stream, one) for one in told)
        return self._known.get(stream)

    def forget(self, stream: int | None) -> None:
        """Ask anew at the next reading."""
        self._forgotten += 1
        if stream is None:
            self._known = {}
        else:
            self._known.pop(stream, None)

    def check(self, rows: Rows, now: int, latest: int) -> NDArray[np.int8]:
        """Return what is wrong with each row, as numbers of `CODES`.

        `now` is when they are received, `latest` the instant after which readings lie in the future, which is
        another one where a city has a clock of its own (UTC microseconds).
        """
        streams, inverse = rows["stream"], np.arange(len(rows))
        if len(rows) > FEW:
            streams, inverse = np.unique(streams, return_inverse=True)
        known = [self.of(stream) for stream in streams.tolist()]
        bounds = np.array([_bounds(one, now, latest) for one in known], np.float64).reshape(-1, 4)
        missing = np.array([one is None for one in known], bool)
        low, high, oldest, newest = bounds[inverse].T
        result, time = rows["result"], rows["time"]
        codes = np.zeros(len(rows), np.int8)
        impossible = (result < low) | (result > high) | np.isinf(result)
        if np.isnan(result).any():
            impossible |= np.isnan(result) & _is_none(rows.filled("result_json"))
        codes[impossible] = 4
        codes[time < oldest] = 3
        codes[time > newest] = 2
        codes[missing[inverse]] = 1
        return codes


def _is_none(texts: NDArray[Any]) -> NDArray[np.bool_]:
    return np.array([text is None for text in texts], bool)


def _bounds(facts: StreamFacts | None, now: int, latest: int) -> tuple[float, float, float, float]:
    """Return the least and greatest result, and the oldest and newest time (UTC µs)."""
    if facts is None:
        return -np.inf, np.inf, -np.inf, np.inf
    ahead = FUTURE_AFTER if facts.future_after is None else facts.future_after
    return (
        -np.inf if facts.minimum is None else facts.minimum,
        np.inf if facts.maximum is None else facts.maximum,
        -np.inf if facts.late_after is None else now - facts.late_after * SECOND,
        latest + ahead * SECOND,
    )


def reason(code: str, stream: int) -> Text:
    """Return why a reading was not taken in."""
    return {
        "stream-unknown": Text(f"没有数据流 {stream}", f"There is no stream {stream}."),
        "future": Text("时间晚于现在", "Its time lies ahead of the clock."),
        "late": Text("到达过晚", "It came too late."),
        "impossible": Text("结果超出可能的范围", "Its result is beyond what is possible."),
    }[code]

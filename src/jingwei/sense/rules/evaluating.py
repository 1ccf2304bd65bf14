"""Signs and rules over readings as they come in: state for each sign and stream, in columns.

A reading is taken where it is newer than all before it of its stream; what comes late says nothing of now.
Readings count in the order in which they came in, so it does not matter how they are cut into batches.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from jingwei.sense.readings.columns import Rows
    from jingwei.sense.rules.form import Sign

NEVER = -(1 << 62)
SECOND = 1_000_000
HOUR = 3600.0
LEVEL, RATE, FROZEN, SILENT = range(4)
_KINDS = {"above": LEVEL, "below": LEVEL, "rising": RATE, "falling": RATE, "frozen": FROZEN, "silent": SILENT}
MOST_REASONS = 20
"""Streams that are named as the reason of one firing."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A sign of a rule in some streams.

    `rule` and `sign` are numbers of the caller's; `groups` says for each stream in which group of the rule
    it is.
    """

    rule: int
    sign: int
    form: Sign
    streams: NDArray[np.int64]
    groups: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Reason:
    """A sign that came or went: in which stream, since when, and by which reading (NaN where it has none)."""

    sign: int
    stream: int
    since: int
    time: int
    value: float


@dataclass(frozen=True, slots=True)
class Turn:
    """A rule begins or ends to hold in a group.

    Attributes
    ----------
    rule, group
        As the caller numbers them.
    begins
        Whether it begins.
    time
        UTC microseconds of the reading that turned it; of silence, when it had lasted long enough.
    reading
        The number of that reading, 0 where the clock turned it.
    reasons
        Which signs are there, at most `MOST_REASONS`; of an end, the reading that ended it.
    grounds
        What datasets say to it, see `Gate`; of an end, what they no longer say.

    """

    rule: int
    group: int
    begins: bool
    time: int
    reading: int
    reasons: tuple[Reason, ...]
    grounds: tuple[dict[str, Any], ...] = ()


class Answer(NamedTuple):
    """Whether datasets let a rule hold, and the first later moment at which they may say otherwise."""

    holds: bool
    until: int


class Gate(Protocol):
    """What datasets say of the groups of rules whose signs are all there; moments in UTC microseconds."""

    @property
    def rules(self) -> Collection[int]:
        """The rules that ask datasets."""

    def asked(self, rule: int, group: int, moment: int) -> Answer | None:
        """Say whether a rule may hold in a group; None where that cannot be said."""

    def grounds(self, rule: int, group: int, moment: int, *, holds: bool) -> tuple[dict[str, Any], ...]:
        """Return by which rows of datasets a rule holds, or which of its conditions keep it from it."""


FOREVER = 1 << 62


_Sign = tuple[int, int, int, int, bool, float, int]
"""A sign comes or goes: reading, pair, 0 or 1 for the order, time, whether it comes, result, since when."""


@dataclass
class _Group:
    """How many streams of a group show each sign of its rule, and how many must."""

    rule: int
    group: int
    least: dict[int, int] = field(default_factory=dict)
    there: dict[int, int] = field(default_factory=dict)
    shown: dict[int, Reason] = field(default_factory=dict)
    """By pair, what made its sign appear."""
    holds: bool = False
    gated: bool = False
    armed: bool = False
    """Whether all signs of a gated group are there."""
    unknown: bool = False
    """Whether the datasets of an armed group could not be asked: then it neither begins nor ends by them."""
    until: int = FOREVER
    """The first moment at which the datasets of an armed group are to be asked again."""
    grounds: tuple[dict[str, Any], ...] = ()

    def would_hold(self) -> bool:
        return all(self.there[sign] >= least for sign, least in self.least.items())


class Evaluator:
    """The state of signs and rules.

    A pair is one sign in one stream; pairs lie together by stream.

    Parameters
    ----------
    watched
        The signs of the rules.
    gate
        What datasets say, of rules that ask some: these are asked when the last sign of a group comes, and
        again when their rows begin or cease to be valid.

    """

    def __init__(self, watched: Sequence[Watched], gate: Gate | None = None) -> None:
        self._gate = gate
        self._gated = frozenset() if gate is None else frozenset(gate.rules)
        self._armed: dict[tuple[int, int], _Group] = {}
        stream = _all([one.streams for one in watched])
        of = np.repeat(np.arange(len(watched)), [len(one.streams) for one in watched])
        group = _all([one.groups for one in watched])
        order = np.argsort(stream, kind="stable")
        stream, of, group = stream[order], of[order], group[order]
        self.streams, begin, count = np.unique(stream, return_index=True, return_counts=True)
        self._begin, self._count = begin, count
        self._of_stream = np.repeat(np.arange(len(self.streams)), count)
        forms = [one.form for one in watched]
        self._kind = _column([_KINDS[one.kind] for one in forms], np.int8)[of]
        self._factor = _column([-1.0 if one.kind in ("below", "falling") else 1.0 for one in forms])[of]
        begins = _column([_begins(one) for one in forms])[of]
        self._begins, self._ends = begins, _column([_ends(one) for one in forms])[of]
        hold = [0 if _KINDS[one.kind] >= FROZEN else round(one.seconds * SECOND) for one in forms]
        self._hold = _column(hold, np.int64)[of]
        self._gap = _column([round(one.gap * SECOND) for one in forms], np.int64)[of]
        self._tolerance = _column([one.tolerance for one in forms])[of]
        self._silence = _column([round(one.seconds * SECOND) for one in forms], np.int64)[of]
        pairs = len(stream)
        self._there = np.zeros(pairs, bool)
        self._since = np.full(pairs, NEVER, np.int64)
        self._frozen_at = np.full(pairs, np.nan)
        self._frozen_from = np.full(pairs, NEVER, np.int64)
        self._last = np.full(len(self.streams), NEVER, np.int64)
        self._heard = np.full(len(self.streams), NEVER, np.int64)
        self._number_at = np.full(len(self.streams), NEVER, np.int64)
        self._number = np.full(len(self.streams), np.nan)
        self._silent = np.flatnonzero(self._kind == SILENT)
        self._sign = [watched[one].sign for one in of.tolist()]
        self._groups: list[_Group] = []
        self._group_of = self._grouped(watched, of, group)

    def _grouped(
        self, watched: Sequence[Watched], of: NDArray[np.int64], group: NDArray[np.int64]
    ) -> list[_Group]:
        """Put the pairs into groups; return the group of each pair."""
        known: dict[tuple[int, int], _Group] = {}
        signs: dict[int, dict[int, int]] = {}
        for one in watched:
            signs.setdefault(one.rule, {})[one.sign] = one.form.least
        found = []
        for at, number in zip(of.tolist(), group.tolist(), strict=True):
            key = watched[at].rule, number
            if key not in known:
                least = signs[key[0]]
                gated = key[0] in self._gated
                known[key] = _Group(*key, least, dict.fromkeys(least, 0), gated=gated)
            found.append(known[key])
        self._groups = list(known.values())
        return found

    @property
    def pairs(self) -> int:
        """How many signs are watched in how many streams, all together."""
        return len(self._kind)

    def holding(self) -> list[Turn]:
        """Return the rules that hold, as if they began to when the last of their signs came."""
        return [
            Turn(one.rule, one.group, True, why[0].time, 0, why, one.grounds)  # noqa: FBT003 -- that it begins
            for one in self._groups
            if one.holds
            for why in [_reasons(one)]
        ]

    def unknown(self) -> set[tuple[int, int]]:
        """Return the rules and groups of which nobody knows whether they hold: datasets cannot be asked."""
        return {key for key, one in self._armed.items() if one.unknown}

    def take(self, rows: Rows) -> list[Turn]:
        """Take in readings, in any order of rows, and return what they turn, in the order they came in.

        Parameters
        ----------
        rows
            Readings with higher numbers than all before.

        """
        place = np.searchsorted(self.streams, rows["stream"])
        known = place < len(self.streams)
        known[known] = self.streams[place[known]] == rows["stream"][known]
        chosen = np.flatnonzero(known)
        if not len(chosen):
            return []
        order = chosen[np.lexsort((rows["id"][chosen], place[chosen]))]
        stream = place[order]
        first = np.flatnonzero(np.concatenate([[True], stream[1:] != stream[:-1]]))
        rank = np.arange(len(stream)) - np.repeat(first, np.diff([*first, len(stream)]))
        by_rank = np.argsort(rank, kind="stable")
        rounds = np.searchsorted(rank[by_rank], np.arange(int(rank.max()) + 2))
        columns: list[NDArray[Any]] = [rows[name][order] for name in ("time", "result", "id", "received")]
        found: list[_Sign] = []
        for begin, end in zip(rounds[:-1].tolist(), rounds[1:].tolist(), strict=True):
            part = by_rank[begin:end]
            time, value, number, received = (one[part] for one in columns)
            self._round(stream[part], time, value, number, received, found)
        found.sort(key=lambda one: one[:3])
        return self._turned(found)

    def tick(self, now: int) -> list[Turn]:
        """Return what turns because a time (UTC microseconds) has come with nothing heard."""
        pairs = self._silent[~self._there[self._silent]]
        heard = self._heard[self._of_stream[pairs]]
        due = heard + self._silence[pairs]
        over = (heard != NEVER) & (due <= now)
        pairs, due = pairs[over], due[over]
        self._there[pairs] = True
        found: list[_Sign] = [
            (0, pair, 0, at, True, np.nan, at) for pair, at in zip(pairs.tolist(), due.tolist(), strict=True)
        ]
        found.sort(key=lambda one: (one[3], one[1]))
        turns = self._turned(found)
        for group in [one for one in self._armed.values() if one.until <= now]:
            self._pass(group, now, 0, turns)
        return turns

    def asked_anew(self, rules: Collection[int], now: int) -> list[Turn]:
        """Return what turns at a time because the datasets of some rules are others from then on."""
        turns: list[Turn] = []
        for group in [one for one in self._armed.values() if one.rule in rules]:
            self._ask(group, now, 0, turns)
        return turns

    def _round(
        self,
        stream: NDArray[np.int64],
        time: NDArray[np.int64],
        value: NDArray[np.float64],
        number: NDArray[np.int64],
        received: NDArray[np.int64],
        found: list[_Sign],
    ) -> None:
        """Take in one reading of each of some streams; add to `found` which signs come and go."""
        fresh = time > self._last[stream]
        if not fresh.all():
            stream, time, value = stream[fresh], time[fresh], value[fresh]
            number, received = number[fresh], received[fresh]
        counts = self._count[stream]
        of = np.repeat(np.arange(len(stream)), counts)
        pair = np.repeat(self._begin[stream] - (np.cumsum(counts) - counts), counts) + np.arange(len(of))
        self._end_silence(pair, of, stream, np.minimum(time, received), number, found)
        moment, told = time[of], self._measured(pair, of, stream, time, value)
        there, since = self._there[pair], self._since[pair]
        on, off = told >= self._begins[pair], told < self._ends[pair]
        since = np.where(on, np.where(since == NEVER, moment, since), np.where(np.isnan(told), since, NEVER))
        comes = ~there & on & (moment - since >= self._hold[pair])
        goes = there & off
        open_ = ~there | goes
        self._since[pair[open_]] = since[open_]
        self._there[pair[comes]] = True
        self._there[pair[goes]] = False
        for turned, begins in ((comes, True), (goes, False)):
            at = np.flatnonzero(turned)
            if len(at):
                reading = of[at]
                start_of = since[at] if begins else time[reading]
                parts = (number[reading], pair[at], time[reading], value[reading], start_of)
                found += [
                    (one, which, int(not begins), when, begins, what, start)
                    for one, which, when, what, start in zip(*(part.tolist() for part in parts), strict=True)
                ]
        self._last[stream] = time
        is_number = ~np.isnan(value)
        self._number_at[stream[is_number]] = time[is_number]
        self._number[stream[is_number]] = value[is_number]

    def _end_silence(
        self,
        pair: NDArray[np.int64],
        of: NDArray[np.int64],
        stream: NDArray[np.int64],
        heard: NDArray[np.int64],
        number: NDArray[np.int64],
        found: list[_Sign],
    ) -> None:
        """Take it that streams were heard of; a silence that no clock noticed begins and ends here."""
        at = np.flatnonzero(self._kind[pair] == SILENT) if len(self._silent) else np.empty(0, np.int64)
        one, reading = pair[at], of[at]
        before, now = self._heard[stream[reading]], heard[reading]
        due = before + self._silence[one]
        noticed = self._there[one]
        for which in np.flatnonzero(noticed | ((before != NEVER) & (due <= now))).tolist():
            silent, by = int(one[which]), int(number[reading[which]])
            start, end = int(due[which]), int(now[which])
            if not noticed[which]:
                found.append((by, silent, 0, start, True, np.nan, start))
            found.append((by, silent, 1, end, False, np.nan, end))
        self._there[one] = False
        self._heard[stream] = np.maximum(self._heard[stream], heard)

    def _measured(
        self,
        pair: NDArray[np.int64],
        of: NDArray[np.int64],
        stream: NDArray[np.int64],
        time: NDArray[np.int64],
        value: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Return for each pair what is held against its values: not a number where nothing is said."""
        kind = self._kind[pair]
        told: NDArray[np.float64] = value[of] * self._factor[pair]
        rates = np.flatnonzero(kind == RATE)
        if len(rates):
            reading, one = of[rates], pair[rates]
            before = self._number_at[stream[reading]]
            since = time[reading] - before
            known = (before != NEVER) & (since <= self._gap[one])
            hours = np.where(known, since, 1) / SECOND / HOUR
            change = (value[reading] - self._number[stream[reading]]) / hours * self._factor[one]
            told[rates] = np.where(known, change, np.nan)
        stuck = np.flatnonzero((kind == FROZEN) & ~np.isnan(told))
        if len(stuck):
            reading, one = of[stuck], pair[stuck]
            same = np.abs(value[reading] - self._frozen_at[one]) <= self._tolerance[one]
            other = one[~same]
            self._frozen_at[other] = value[reading[~same]]
            self._frozen_from[other] = time[reading[~same]]
            told[stuck] = (time[reading] - self._frozen_from[one]) / SECOND
        told[kind == SILENT] = np.nan
        return told

    def _turned(self, found: list[_Sign]) -> list[Turn]:
        """Count in groups which signs came and went, and return which rules that turns."""
        turns: list[Turn] = []
        for reading, pair, _, time, comes, value, since in found:
            group, sign = self._group_of[pair], self._sign[pair]
            if group.armed:
                self._pass(group, time, reading, turns)
            group.there[sign] += 1 if comes else -1
            reason = Reason(sign, int(self.streams[self._of_stream[pair]]), since, time, value)
            if comes:
                group.shown[pair] = reason
            else:
                del group.shown[pair]
            holds = group.would_hold()
            if group.gated:
                self._settle(group, holds, (time, reading, reason), turns)
            elif holds != group.holds:
                group.holds = holds
                reasons = _reasons(group) if holds else (reason,)
                turns.append(Turn(group.rule, group.group, holds, time, reading, reasons))
        return turns

    def _settle(
        self,
        group: _Group,
        armed: bool,
        by: tuple[int, int, Reason],
        turns: list[Turn],
    ) -> None:
        """Take it that a sign came or went in a gated group."""
        time, reading, reason = by
        was, group.armed = group.armed, armed
        key = group.rule, group.group
        if was and not armed:
            del self._armed[key]
            group.unknown, group.until = False, FOREVER
            if group.holds:
                group.holds, group.grounds = False, ()
                turns.append(Turn(*key, False, time, reading, (reason,)))  # noqa: FBT003 -- that it ends
        elif armed and not was:
            self._armed[key] = group
            self._ask(group, time, reading, turns)

    def _pass(self, group: _Group, upto: int, reading: int, turns: list[Turn]) -> None:
        """Ask the datasets of an armed group at each moment at which they may say otherwise, up to one."""
        while group.until <= upto:
            self._ask(group, group.until, reading, turns)

    def _ask(self, group: _Group, moment: int, reading: int, turns: list[Turn]) -> None:
        assert self._gate is not None  # noqa: S101 -- groups are gated by it
        key = group.rule, group.group
        answer = self._gate.asked(*key, moment)
        group.unknown, group.until = answer is None, FOREVER
        if answer is None:
            return
        group.until = answer.until
        if answer.holds != group.holds:
            group.holds = answer.holds
            grounds = self._gate.grounds(*key, moment, holds=answer.holds)
            group.grounds = grounds if answer.holds else ()
            reasons = _reasons(group) if answer.holds else ()
            turns.append(Turn(*key, answer.holds, moment, reading, reasons, grounds))


def _reasons(group: _Group) -> tuple[Reason, ...]:
    """Return what made the signs of a group appear, the last first."""
    return tuple(reversed(group.shown.values()))[:MOST_REASONS]


def _begins(form: Sign) -> float:
    if form.kind in ("frozen", "silent"):
        return form.seconds
    return (-1.0 if form.kind == "below" else 1.0) * float(form.value or 0.0)


def _ends(form: Sign) -> float:
    if form.kind in ("frozen", "silent") or form.until is None:
        return _begins(form)
    return -form.until if form.kind == "below" else form.until


def _column(values: list[Any], kind: Any = np.float64) -> NDArray[Any]:
    return np.array(values, kind)


def _all(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([np.empty(0, np.int64), *parts]).astype(np.int64)

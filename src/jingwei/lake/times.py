"""Times as people write them, read to UTC microseconds with the precision they were written to."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from jingwei.lake.forms.reading import Evidence
from jingwei.lake.names import role_of, tokens
from jingwei.lake.numbers import number_in_words, plain_text, read_numbers
from jingwei.lake.raw_texts import bounds_and_bytes
from jingwei.words import Text

Integers: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]
Precision: TypeAlias = Literal[
    "year", "month", "day", "hour", "minute", "second", "millisecond", "microsecond"
]
TimeForm: TypeAlias = Literal[
    "timestamp", "text", "epoch-s", "epoch-ms", "epoch-us", "yyyymmdd", "yyyymm", "year", "excel-serial"
]

PRECISIONS: tuple[Precision, ...] = get_args(Precision)
FORMS: tuple[TimeForm, ...] = get_args(TimeForm)

SECOND = 1_000_000
DAY = 86_400 * SECOND
FIRST_DAY, LAST_DAY = -25_567, 47_482
"""1900-01-01 and 2100-01-01, as days since 1970-01-01."""
LAST = int(np.iinfo(np.int64).max)
EXCEL_EPOCH = -25_569
"""Days from 1970-01-01 to 1899-12-30, day 0 of Excel's 1900 date system (which counts a 29 February 1900)."""

TEXT = (
    r"^(?P<year>\d{4})(?:\s*[-/.年]\s*(?P<month>\d{1,2})(?:\s*[-/.月]\s*(?P<day>\d{1,2})\s*日?)?月?)?年?"
    r"(?:[T\s,]*(?:星期.|周.)?\s*(?P<half>上午|下午|中午|凌晨|早上|晚上|AM|PM|am|pm)?\s*"
    r"(?P<hour>\d{1,2})(?:(?::|时|点)(?:(?P<minute>\d{1,2})(?:(?::|分)(?:(?P<second>\d{1,2})"
    r"(?:[.,](?P<fraction>\d{1,9}))?秒?)?)?分?)?)?\s*(?P<half_after>AM|PM|am|pm)?)?"
    r"\s*(?P<zone>Z|UTC|(?:UTC|GMT)?[+-]\d{2}:?(?:\d{2})?)?$"
)
COMPACT = (
    r"^(?P<year>(?:19|20)\d{2})(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])"
    r"(?:[T\s_]?(?P<hour>[01]\d|2[0-4])(?P<minute>[0-5]\d)(?:(?P<second>[0-5]\d)(?:\.?(?P<fraction>\d{1,6}))?)?)?"
    r"(?P<half>x)?(?P<half_after>x)?(?P<zone>Z)?$"
)
FIGURES = "〇零一二三四五六七八九"
IN_WORDS = rf"^[{FIGURES}]{{4}}年"
CLOCK = r"^\s*\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*$"

_TIME_WORDS = (
    "time date datetime timestamp ts day dt month year at ms us utc shijian riqi rq sj created updated "
    "时间 日期 时刻 年月 年份 年度 月份 日 月 年"
)
TIME_WORDS = frozenset(_TIME_WORDS.split())
TIME_ENDINGS = ("datetime", "time", "date", "时间", "日期", "时刻", "月份", "年份", "年度", "年月")
ENOUGH = 0.9
SAMPLE = 20_000
WORTH_COMPILED = 4_096
"""Texts from which on a compiled loop is worth loading."""


@dataclass(frozen=True, slots=True)
class Times:
    """Times read from a column.

    Parameters
    ----------
    utc
        microseconds since 1970-01-01 UTC; 0 where `given` is False.
    precision
        index into `PRECISIONS` of each time; -1 where `given` is False.
    given
        where a time was read.
    unreadable
        where something is written that is no time.
    """

    utc: Integers
    precision: npt.NDArray[np.int8]
    given: Mask
    unreadable: Mask

    def as_arrow(self) -> pa.Array:
        """Return the times as Arrow timestamps in UTC, null where there is none."""
        return pa.array(self.utc, mask=~self.given).cast(pa.timestamp("us", "UTC"))

    def precision_names(self) -> pa.Array:
        """Return the precision of each time as a dictionary of its names, null where there is no time."""
        indices = pa.array(self.precision, mask=~self.given)
        return pa.DictionaryArray.from_arrays(indices, pa.array(PRECISIONS))


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeColumns:
    """One column that holds times, or a date column and the clock column beside it.

    Parameters
    ----------
    role
        `origin`, `destination` (start, end), `planned`, `actual`, another word of the name, or empty.
    columns
        one name, or the date's and the clock's.
    form
        how the values are written.
    zoned
        the values state their offset from UTC; else the source's zone must be known.
    precision
        the finest precision that the values have.
    evidence
        why.
    sure
        whether it may be taken without asking.
    """

    role: str
    columns: tuple[str, ...]
    form: TimeForm
    zoned: bool
    precision: Precision
    evidence: Evidence
    sure: bool = True

    def read(self, table: pa.Table | pa.RecordBatch, zone: str) -> Times:
        """Read the times of a table with these columns; see `read_times`."""
        column = table[self.columns[0]]
        clock = table[self.columns[1]] if len(self.columns) > 1 else None
        return read_times(column, self.form, zone=zone, precision=self.precision, clock=clock)


def read_times(
    column: pa.Array | pa.ChunkedArray,
    form: TimeForm,
    *,
    zone: str,
    precision: Precision | None = None,
    clock: pa.Array | pa.ChunkedArray | None = None,
) -> Times:
    """Read a column of times.

    Parameters
    ----------
    column
        times, or dates where `clock` holds the hours.
    form
        how they are written.
    zone
        IANA zone in which they are meant where they do not state an offset. An hour that a change to summer
        time skips or repeats is taken at its first possible instant.
    precision
        of a `timestamp` or number, whose values do not show theirs; a text shows it itself.
    clock
        texts `HH:MM[:SS]` beside a column of dates.

    Raises
    ------
    pyarrow.ArrowInvalid
        the zone is unknown to the system's time zone database.
    """
    column = _flat(column)
    if clock is not None:
        column = pc.binary_join_element_wise(_date_text(column, form), plain_text(_flat(clock)), " ")
        form = "text"
    if form == "text":
        return _read_text(column, zone) if len(column) < WORTH_COMPILED else _read_texts(column, zone)
    if form == "timestamp":
        return _read_timestamps(column, zone, precision)
    return _NUMERIC[form](column, zone, precision)


def find_times(table: pa.Table) -> list[TimeColumns]:
    """Find the columns of a table that hold times, by their types, values and names.

    A column of plain numbers (20180208, 1362067200000, 43139) is only taken for times where its name says so.
    """
    sample = table.slice(0, SAMPLE)
    found: list[TimeColumns] = []
    clocks = [name for name in sample.column_names if _is_clock(sample[name])]
    forms = {name: time_form(sample[name], named=_names_time(name)) for name in sample.column_names}
    finest = {name: _finest_read(sample[name], form, None) for name, form in forms.items() if form}
    days = [name for name, precision in finest.items() if precision == "day"]
    for name, precision in finest.items():
        form = forms[name]
        if form is None:
            continue
        clock = _clock_of(name, days, clocks)
        if clock is None:
            found.append(_as_time((name,), form, precision, sample[name]))
        else:
            joint = _finest_read(sample[name], form, sample[clock])
            found.append(_as_time((name, clock), form, joint, sample[name]))
    return found


PLAUSIBLE = (946_684_800, 2_524_608_000)
"""Seconds of 1970 on: from 2000 to 2050."""
MANY = 20


def find_epochs(table: pa.Table) -> list[TimeColumns]:
    """Find the columns whose values are seconds or milliseconds since 1970, though no name says so.

    All values must lie from 2000 to 2050 and be many, or rise. Milliseconds are taken for sure: few other
    numbers have 13 digits; seconds look like many a running number, and somebody has to say.
    """
    sample = table.slice(0, SAMPLE)
    found = [_epoch(name, sample[name]) for name in sample.column_names if not _names_time(name)]
    return [one for one in found if one is not None]


def _epoch(name: str, column: pa.ChunkedArray) -> TimeColumns | None:
    if not pa.types.is_integer(column.type):
        return None
    values = _flat(column).drop_null().to_numpy().astype(np.int64)
    forms: tuple[tuple[TimeForm, int], ...] = (("epoch-ms", 1_000), ("epoch-s", 1))
    for form, unit in forms:
        low, high = (second * unit for second in PLAUSIBLE)
        if len(values) < 3 or values.min() < low or values.max() >= high:
            continue
        rises = bool((np.diff(values) >= 0).all())
        if len(np.unique(values)) < 3 or not (rises or len(values) >= MANY):
            return None
        precision = _finest_read(column, form, None)
        first, last = (
            np.datetime_as_string(np.datetime64(int(value) // unit, "s"), unit="D")
            for value in (values.min(), values.max())
        )
        sure = form == "epoch-ms"
        zh = f"“{name}”的值像是自 1970 年起的{'毫秒' if sure else '秒'}数，在 {first} 至 {last} 之间"
        en = (
            f"the values of “{name}” look like {'milliseconds' if sure else 'seconds'} since 1970, "
            f"from {first} to {last}"
        )
        if not sure:
            zh, en = f"{zh}；若是时间，请选定它为时间列", f"{en}; choose it as the time column if it is one"
        evidence = Evidence(
            "time",
            name,
            Text(zh, en),
            {"form": form, "precision": precision, "zoned": True, "rises": rises, "sure": sure},
        )
        return TimeColumns(
            role="", columns=(name,), form=form, zoned=True, precision=precision, evidence=evidence, sure=sure
        )
    return None


def _finest_read(column: pa.ChunkedArray, form: TimeForm, clock: pa.ChunkedArray | None) -> Precision:
    times = read_times(column, form, zone="UTC", clock=clock)
    return PRECISIONS[int(times.precision.max())] if times.given.any() else "day"


def time_form(column: pa.Array | pa.ChunkedArray, *, named: bool) -> TimeForm | None:
    """Return how a column writes times, or None where it holds none; `named`: its name speaks of time."""
    column = _flat(column).drop_null()
    if len(column) == 0:
        return None
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        return "timestamp"
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        texts = plain_text(column)
        digits = pc.mean(pc.cast(pc.match_substring_regex(texts, r"^[\d.]+$"), pa.float64())).as_py()
        if digits > 0.5:
            return _numeric_form(read_numbers(texts)[0]) if named else None
        times = _read_text(texts, "UTC")
        written = times.given.sum() + times.unreadable.sum()
        return "text" if written and times.given.sum() >= ENOUGH * written else None
    if named and (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return _numeric_form(read_numbers(column)[0])
    return None


def _numeric_form(values: npt.NDArray[np.float64]) -> TimeForm | None:
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return None
    whole = bool((np.mod(values, 1) == 0).all())
    for form, low, high in _RANGES:
        inside = ((values >= low) & (values < high)).mean()
        if inside >= ENOUGH and (whole or form == "excel-serial" or form.startswith("epoch")):
            if form in ("yyyymmdd", "yyyymm") and not _are_dates(values, form):
                continue
            return form
    return None


_RANGES: tuple[tuple[TimeForm, float, float], ...] = (
    ("year", 1900, 2101),
    ("yyyymm", 190_001, 210_013),
    ("yyyymmdd", 19_000_101, 21_010_101),
    ("excel-serial", 20_000, 80_000),
    ("epoch-s", 3e8, 4.2e9),
    ("epoch-ms", 3e11, 4.2e12),
    ("epoch-us", 3e14, 4.2e15),
)


def _are_dates(values: npt.NDArray[np.float64], form: TimeForm) -> bool:
    months = np.mod(values, 100) if form == "yyyymm" else np.mod(values // 100, 100)
    days = np.ones_like(values) if form == "yyyymm" else np.mod(values, 100)
    right = (months >= 1) & (months <= 12) & (days >= 1) & (days <= 31)
    return bool(right.mean() >= ENOUGH)


def _as_time(
    columns: tuple[str, ...], form: TimeForm, precision: Precision, column: pa.ChunkedArray
) -> TimeColumns:
    zoned = _states_zone(column, form)
    shown = "、".join(columns)
    where = (
        Text("值自带时区", "the values state their offset")
        if zoned
        else Text("未写时区", "no zone is stated")
    )
    reason = Text(
        f"“{shown}”是时间，写法 {form}，精度 {precision}；{where.zh}",
        f"“{', '.join(columns)}” holds times written as {form}, precise to the {precision}; {where.en}",
    )
    role = role_of(other_words(columns[0]))
    evidence = Evidence("time", shown, reason, {"form": form, "precision": precision, "zoned": zoned})
    return TimeColumns(
        role=role, columns=columns, form=form, zoned=zoned, precision=precision, evidence=evidence
    )


def _states_zone(column: pa.ChunkedArray, form: TimeForm) -> bool:
    if form.startswith("epoch"):
        return True
    if form == "timestamp":
        return bool(pa.types.is_timestamp(column.type) and column.type.tz)
    if form != "text":
        return False
    texts = plain_text(_flat(column).drop_null())
    zoned = pc.match_substring_regex(texts, r"\d\s*(?:Z|UTC|(?:UTC|GMT)?[+-]\d{2}:?\d{2})$")
    dated = pc.match_substring_regex(texts, r"^\d{4}-\d{1,2}-\d{4}$")
    return bool(pc.mean(pc.cast(pc.and_not(zoned, dated), pa.float64())).as_py() > ENOUGH)


def _names_time(name: str) -> bool:
    return any(word in TIME_WORDS or word.endswith(TIME_ENDINGS) for word in tokens(name))


def _is_clock(column: pa.ChunkedArray) -> bool:
    values = _flat(column).drop_null()
    if len(values) == 0 or not pa.types.is_string(values.type):
        return False
    return bool(pc.mean(pc.cast(pc.match_substring_regex(values, CLOCK), pa.float64())).as_py() >= ENOUGH)


def _clock_of(date: str, days: list[str], clocks: list[str]) -> str | None:
    """Return the clock that belongs to a date: both the only ones, or alike in their other words."""
    if date not in days:
        return None
    if len(days) == len(clocks) == 1:
        return clocks[0]
    same = [clock for clock in clocks if other_words(clock) == other_words(date)]
    return same[0] if len(same) == 1 else None


def other_words(name: str) -> list[str]:
    """Return the words of a column's name that do not speak of time: `Stime` → s."""
    words = []
    for word in tokens(name):
        if word in TIME_WORDS:
            continue
        ending = next((ending for ending in TIME_ENDINGS if word.endswith(ending)), "")
        words.append(word.removesuffix(ending))
    return words


def _flat(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _date_text(column: pa.Array, form: TimeForm) -> pa.Array:
    if form == "text":
        return plain_text(column)
    times = read_times(column, form, zone="UTC", precision="day")
    return pc.strftime(times.as_arrow(), format="%Y-%m-%d")


def _read_text(column: pa.Array, zone: str) -> Times:
    texts = _in_digits(plain_text(column))
    parts = pc.extract_regex(texts, TEXT)
    compact = pc.extract_regex(texts, COMPACT)
    is_compact = np.asarray(pc.is_valid(compact))
    fields: dict[str, Integers] = {}
    for name in ("year", "month", "day", "hour", "minute", "second"):
        long, short = _whole(pc.struct_field(parts, name)), _whole(pc.struct_field(compact, name))
        fields[name] = np.where(is_compact, short, long)
    fraction_text = pc.if_else(
        pa.array(is_compact), pc.struct_field(compact, "fraction"), pc.struct_field(parts, "fraction")
    )
    offset = _offset(pc.struct_field(parts, "zone"))
    offset[is_compact & _equal(pc.struct_field(compact, "zone"), "Z")] = 0
    _apply_half_of_day(fields, parts)
    local, readable = _assembled(fields, _microseconds(fraction_text))
    given = readable & (np.asarray(pc.is_valid(parts)) | is_compact)
    utc = np.where(
        np.isnan(offset), _to_utc(local, given, zone), local - np.nan_to_num(offset).astype(np.int64)
    )
    precision = _precision_written(fields, fraction_text)
    written = np.asarray(pc.fill_null(pc.not_equal(texts, ""), fill_value=False))
    return Times(
        np.where(given, utc, 0), np.where(given, precision, -1).astype(np.int8), given, written & ~given
    )


def _read_texts(column: pa.Array, zone: str) -> Times:
    """Read many texts: those that programs write by a compiled loop, the others as people write them."""
    if not pa.types.is_string(column.type):
        return _read_text(column, zone)
    # Numba takes a moment to load, which small columns are not worth.
    from jingwei.lake.kernels_times import plain_times

    rows = len(column)
    local, precision = np.zeros(rows, np.int64), np.empty(rows, np.int8)
    in_utc = np.zeros(rows, np.bool_)
    plain_times(*bounds_and_bytes(column), local, precision, in_utc)
    if column.null_count:
        precision[np.asarray(column.is_null())] = -1
    given = precision >= 0
    utc = np.where(in_utc, local, _to_utc(local, given & ~in_utc, zone))
    utc[~given] = 0
    others = np.flatnonzero(~given)
    unreadable = np.zeros(rows, np.bool_)
    if len(others):
        slow = _read_text(column.take(pa.array(others)), zone)
        utc[others], precision[others] = slow.utc, slow.precision
        given[others], unreadable[others] = slow.given, slow.unreadable
    return Times(utc, precision, given, unreadable)


def _in_digits(texts: pa.Array) -> pa.Array:
    """Return texts with dates in Chinese figures (二〇一八年二月八日) as those in digits."""
    in_words = pc.fill_null(pc.match_substring_regex(texts, IN_WORDS), fill_value=False)
    if not pc.any(in_words).as_py():
        return texts
    words = pc.if_else(in_words, texts, None).dictionary_encode()
    known = [_date_in_digits(word) for word in words.dictionary.to_pylist()]
    return pc.coalesce(pa.array(known, pa.string()).take(words.indices), texts)


def _date_in_digits(text: str) -> str:
    def one(part: re.Match[str]) -> str:
        value = number_in_words(part[0])
        return part[0] if value is None else f"{value:.0f}"

    return re.sub(f"[{FIGURES}十]+(?=[年月日])", one, text)


def _whole(texts: pa.Array) -> Integers:
    """Return digits as integers, -1 where there are none."""
    digits = pc.if_else(pc.equal(texts, ""), None, texts)
    return np.asarray(pc.fill_null(pc.cast(digits, pa.int64()), -1))


def _equal(texts: pa.Array, wanted: str) -> Mask:
    return np.asarray(pc.fill_null(pc.equal(texts, wanted), fill_value=False))


def _microseconds(fraction: pa.Array) -> Integers:
    padded = pc.utf8_slice_codeunits(pc.utf8_rpad(pc.fill_null(fraction, ""), 6, "0"), 0, 6)
    return np.asarray(pc.cast(padded, pa.int64()))


def _offset(zones: pa.Array) -> npt.NDArray[np.float64]:
    """Return the stated offsets from UTC in microseconds, NaN where none is stated."""
    parts = pc.extract_regex(
        pc.fill_null(zones, ""), r"^(?P<utc>Z|UTC|GMT)?(?P<sign>[+-])?(?P<h>\d{2})?:?(?P<m>\d{2})?$"
    )
    hours, minutes = _whole(pc.struct_field(parts, "h")), _whole(pc.struct_field(parts, "m"))
    seconds = np.maximum(hours, 0) * 3600 + np.maximum(minutes, 0) * 60
    size: npt.NDArray[np.float64] = seconds.astype(np.float64) * SECOND
    size[_equal(pc.struct_field(parts, "sign"), "-")] *= -1
    size[_equal(pc.fill_null(zones, ""), "")] = np.nan
    return size


def _apply_half_of_day(fields: dict[str, Integers], parts: pa.Array) -> None:
    before = pc.fill_null(pc.struct_field(parts, "half"), "")
    after = pc.fill_null(pc.struct_field(parts, "half_after"), "")
    half = pc.utf8_lower(pc.binary_join_element_wise(before, after, ""))
    afternoon = np.asarray(pc.is_in(half, pa.array(["下午", "晚上", "pm", "中午"])))
    morning = np.asarray(pc.is_in(half, pa.array(["上午", "凌晨", "早上", "am"])))
    noon = np.asarray(pc.equal(half, "中午"))
    hour = fields["hour"]
    hour = np.where(afternoon & (hour < 12) & ~(noon & (hour == 11)), hour + 12, hour)
    fields["hour"] = np.where(morning & (hour == 12), 0, hour)


def _assembled(fields: dict[str, Integers], micro: Integers) -> tuple[Integers, Mask]:
    """Return local microseconds since 1970, and which of them name a day and a time that exist."""
    year, month, day = fields["year"], fields["month"], fields["day"]
    hour, minute, second = (np.maximum(fields[name], 0) for name in ("hour", "minute", "second"))
    months = (np.where(year < 0, 1970, year) - 1970) * 12 + np.maximum(month, 1) - 1
    first = months.astype("M8[M]")
    days = first.astype("M8[D]") + (np.maximum(day, 1) - 1)
    midnight_after = (hour == 24) & (minute == 0) & (second == 0)
    readable = (
        (year >= 1)
        & (month != 0)
        & (month <= 12)
        & (day != 0)
        & (days.astype("M8[M]") == first)
        & ((hour < 24) | midnight_after)
        & (minute < 60)
        & (second < 61)
    )
    seconds = days.astype(np.int64) * 86_400 + hour * 3_600 + minute * 60 + second
    return seconds * SECOND + micro, readable


def _precision_written(fields: dict[str, Integers], fraction: pa.Array) -> Integers:
    precision = np.zeros(len(fields["year"]), dtype=np.int64)
    for index, name in enumerate(("month", "day", "hour", "minute", "second"), start=1):
        precision = np.where(fields[name] >= 0, index, precision)
    length = np.asarray(pc.utf8_length(pc.fill_null(fraction, "")))
    return np.where(length > 3, 7, np.where(length > 0, 6, precision))


def _to_utc(local: Integers, given: Mask, zone: str) -> Integers:
    known = np.where(given, local, 0)
    first = int(known.min(initial=LAST, where=given)) // DAY
    last = int(known.max(initial=-LAST, where=given)) // DAY
    offset = _offset_throughout(zone, first - 1, last + 2)
    if offset is not None:
        moved: Integers = known - offset
        return moved
    naive = pa.array(known).cast(pa.timestamp("us"))
    aware = pc.assume_timezone(naive, zone, ambiguous="earliest", nonexistent="earliest")
    return np.asarray(aware.cast(pa.int64()))


def _offset_throughout(zone: str, first: int, last: int) -> int | None:
    """Return the microseconds by which a zone is ahead of UTC where that is one number from day to day.

    `first` and `last` are days since 1970-01-01; None beyond the years that are looked at.
    """
    offsets, run = _offsets(zone)
    begin, end = first - FIRST_DAY, last - FIRST_DAY
    if not 0 <= begin <= end < len(offsets) or run[begin] != run[end]:
        return None
    return int(offsets[begin])


@lru_cache(maxsize=16)
def _offsets(zone: str) -> tuple[Integers, Integers]:
    """Return what a zone is ahead of UTC at the begin of each day, and how often that changed until then."""
    begins = np.arange(FIRST_DAY, LAST_DAY) * DAY
    offsets = _in_zone(begins, zone) - begins
    return offsets, np.cumsum(np.diff(offsets, prepend=offsets[0]) != 0)


def _read_timestamps(column: pa.Array, zone: str, precision: Precision | None) -> Times:
    given = np.asarray(pc.is_valid(column))
    is_date = pa.types.is_date(column.type)
    tz = column.type.tz if pa.types.is_timestamp(column.type) else None
    plain = pc.cast(column, pa.timestamp("us", tz), safe=False)
    micro = np.asarray(pc.fill_null(plain.cast(pa.int64()), 0))
    utc = micro if tz else _to_utc(micro, given, zone)
    if precision is None:
        local = _in_zone(micro, zone) if tz else micro
        precision = "day" if is_date else _finest(local[given])
    return _uniform(utc, given, precision, np.zeros(len(given), dtype=bool))


def _in_zone(utc: Integers, zone: str) -> Integers:
    aware = pa.array(utc).cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us", zone))
    return np.asarray(pc.local_timestamp(aware).cast(pa.int64()))


def _finest(local: Integers) -> Precision:
    """Return the coarsest precision of a whole column that keeps each of its times."""
    steps: tuple[tuple[Precision, int], ...] = (
        ("day", DAY),
        ("minute", 60 * SECOND),
        ("second", SECOND),
        ("millisecond", 1_000),
    )
    return next((name for name, step in steps if not np.mod(local, step).any()), "microsecond")


def _uniform(utc: Integers, given: Mask, precision: Precision, unreadable: Mask) -> Times:
    index = np.where(given, PRECISIONS.index(precision), -1).astype(np.int8)
    return Times(np.where(given, utc, 0), index, given, unreadable)


def _read_epoch(factor: float) -> Callable[[pa.Array, str, Precision | None], Times]:
    def read(column: pa.Array, zone: str, precision: Precision | None) -> Times:
        values, unreadable = read_numbers(column)
        possible = np.abs(values) < 4.2e9 * SECOND / factor
        micro = np.round(np.where(possible, values, 0) * factor).astype(np.int64)
        finest = precision or _finest(_in_zone(micro[possible], zone))
        finest = "second" if precision is None and finest in ("day", "minute") else finest
        return _uniform(micro, possible, finest, unreadable | (~possible & ~np.isnan(values)))

    return read


def _read_digits(form: TimeForm) -> Callable[[pa.Array, str, Precision | None], Times]:
    def read(column: pa.Array, zone: str, _: Precision | None) -> Times:
        values, unreadable = read_numbers(column)
        whole = np.where(np.isfinite(values) & (np.mod(values, 1) == 0), values, -1).astype(np.int64)
        fields = dict.fromkeys(("month", "day", "hour", "minute", "second"), np.full_like(whole, -1))
        if form == "year":
            fields["year"] = whole
        elif form == "yyyymm":
            fields |= {"year": whole // 100, "month": whole % 100}
        else:
            fields |= {"year": whole // 10_000, "month": whole // 100 % 100, "day": whole % 100}
        local, readable = _assembled(fields, np.zeros_like(whole))
        readable &= (whole >= 0) & (fields["year"] >= 1800) & (fields["year"] <= 2200)
        precision: Precision = {"year": "year", "yyyymm": "month"}.get(form, "day")  # type: ignore[assignment]
        wrong = unreadable | (~np.isnan(values) & ~readable)
        return _uniform(_to_utc(local, readable, zone), readable, precision, wrong)

    return read


def _read_excel(column: pa.Array, zone: str, precision: Precision | None) -> Times:
    values, unreadable = read_numbers(column)
    possible = (values >= 1) & (values < 2_958_466)
    seconds = np.round(np.where(possible, values, 0) * 86_400).astype(np.int64)
    local = (seconds + EXCEL_EPOCH * 86_400) * SECOND
    finest = precision or _finest(local[possible])
    wrong = unreadable | (~possible & ~np.isnan(values))
    return _uniform(_to_utc(local, possible, zone), possible, finest, wrong)


_NUMERIC: dict[TimeForm, Callable[[pa.Array, str, Precision | None], Times]] = {
    "epoch-s": _read_epoch(1_000_000),
    "epoch-ms": _read_epoch(1_000),
    "epoch-us": _read_epoch(1),
    "yyyymmdd": _read_digits("yyyymmdd"),
    "yyyymm": _read_digits("yyyymm"),
    "year": _read_digits("year"),
    "excel-serial": _read_excel,
}

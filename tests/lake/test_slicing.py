"""Rows sorted within slices of time are those that sorting everything at once gives, however they come."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jingwei.lake import slicing, sorting, writing

SCHEMA = pa.schema(
    [
        ("jw_cell", pa.int64()),
        ("text", pa.string()),
        ("wide", pa.string()),
        ("kind", pa.string()),
        ("nothing", pa.dictionary(pa.int8(), pa.string())),
        ("jw_time", pa.timestamp("us", "UTC")),
        ("jw_row", pa.int64()),
    ]
)

TEXTS = (lambda n: f"r{n}", lambda n: f"{n:04}", lambda n: [None, "树", "路灯", ""][n % 4])
"""Texts of any length, of one, and much repeated ones, by the number of the row."""

cells = st.one_of(st.none(), st.integers(-3, 3), st.integers(-(2**63), 2**63 - 2))
times = st.one_of(st.none(), st.integers(0, 20), st.integers(-(10**12), 10**12))
rows_of_a_batch = st.lists(st.tuples(cells, times), max_size=30)
in_order_of_time = rows_of_a_batch.map(
    lambda rows: sorted(rows, key=lambda one: (one[1] is None, one[1] or 0))
)


def batches_of(given_rows):
    row = 0
    for batch in given_rows:
        numbers = list(range(row, row + len(batch)))
        row += len(batch)
        columns = [
            pa.array([cell for cell, _ in batch], pa.int64()),
            *(pa.array([text_of(n) for n in numbers], pa.string()) for text_of in TEXTS),
            pa.nulls(len(batch), SCHEMA.field("nothing").type),
            pa.array([time for _, time in batch], pa.int64()).cast(pa.timestamp("us", "UTC")),
            pa.array(numbers, pa.int64()),
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def expected(given_rows, cuts, cell):
    """Rows by slice, then cell (if one sorts), then arrival; rows without a time behind."""
    flat = [row for batch in given_rows for row in batch]

    def slice_of(row):
        if not cuts:
            return 0
        time = flat[row][1]
        return len(cuts) + 1 if time is None else int(np.searchsorted(cuts, time, "right"))

    def cell_of(row):
        value = flat[row][0]
        return (value is None, value or 0) if cell else (False, 0)

    parts = [[] for _ in range(len(cuts) + 2)] if cuts else [[]]
    for row in sorted(range(len(flat)), key=cell_of):
        parts[slice_of(row)].append(row)
    return parts


def found(sorter, cuts):
    return [rows_of(sorter.slice(span)) for span in slicing.spans(np.array(cuts, np.int64))]


def rows_of(slice_):
    rows = []
    for piece in slice_.pieces():
        assert piece.schema == slice_.schema
        assert piece.column("nothing").null_count == piece.num_rows
        numbers = piece.column("jw_row").to_pylist()
        for name, text_of in zip(("text", "wide", "kind"), TEXTS, strict=True):
            assert piece.column(name).to_pylist() == [text_of(n) for n in numbers]
        rows += numbers
    assert slice_.rows == len(rows)
    return rows


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    given_rows=st.lists(st.one_of(rows_of_a_batch, in_order_of_time), max_size=10),
    cuts=st.lists(st.integers(-5, 25), max_size=4, unique=True).map(sorted),
    cell=st.sampled_from(["jw_cell", None]),
    memory=st.sampled_from([0, 1_000, 10**9]),
    at_once=st.sampled_from([0, 500, 10**9]),
    piece=st.sampled_from([1, 7, 1_000]),
    narrow=st.sampled_from([1, 8_192]),
    compiled=st.sampled_from([1, 10**9]),
    few=st.sampled_from([0, 1, 3, 10]),
)
def test_rows_come_out_by_slice_then_cell_then_arrival(
    tmp_path_factory, given_rows, cuts, cell, memory, at_once, piece, narrow, compiled, few
):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorting, "IN_MEMORY", memory)
        patch.setattr(sorting, "PIECE_ROWS", piece)
        patch.setattr(sorting, "SPILLED_ROWS", narrow)
        patch.setattr(slicing, "SLICE", at_once)
        patch.setattr(sorting, "MANY_KEYS", compiled)
        patch.setattr(slicing, "FEW", few)
        sorter = slicing.TimedSorter(SCHEMA, cell, tmp_path_factory.mktemp("runs"))
        sorter.add(batches_of(given_rows))
        assert sorter.rows == sum(map(len, given_rows))
        assert found(sorter, cuts) == expected(given_rows, cuts, cell)
        assert found(sorter, cuts) == expected(given_rows, cuts, cell), "a second reading gives the same"


def test_what_memory_should_not_hold_goes_to_the_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(sorting, "IN_MEMORY", 50_000)
    monkeypatch.setattr(sorting, "PIECE_ROWS", 1_000)
    random = np.random.default_rng(5)
    given_rows = [
        list(
            zip(
                random.integers(0, 99, 1_000).tolist(),
                sorted(random.integers(0, 99, 1_000).tolist()),
                strict=True,
            )
        )
        for _ in range(20)
    ]
    sorter = slicing.TimedSorter(SCHEMA, "jw_cell", tmp_path)
    sorter.add(batches_of(given_rows))
    assert list(tmp_path.iterdir())
    assert pa.types.is_dictionary(sorter.schema.field("kind").type)
    assert found(sorter, [30, 60]) == expected(given_rows, [30, 60], "jw_cell")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    given_rows=st.lists(st.one_of(rows_of_a_batch, in_order_of_time), max_size=10),
    rising=st.booleans(),
    cuts=st.lists(st.integers(-5, 25), min_size=1, max_size=4, unique=True).map(sorted),
    memory=st.sampled_from([0, 1_000, 10**9]),
    at_once=st.sampled_from([0, 500, 10**9]),
    piece=st.sampled_from([1, 7, 1_000]),
    few=st.sampled_from([0, 1, 3, 10]),
)
def test_slices_go_as_soon_as_rows_behind_them_come_and_late_rows_behind_all(
    tmp_path_factory, given_rows, rising, cuts, memory, at_once, piece, few
):
    if rising:  # as systems write them, but for what is within a batch
        flat = sorted(
            (row for batch in given_rows for row in batch), key=lambda one: (one[1] is None, one[1] or 0)
        )
        given_rows = [flat[at : at + 9] for at in range(0, len(flat), 9)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorting, "IN_MEMORY", memory)
        patch.setattr(sorting, "PIECE_ROWS", piece)
        patch.setattr(slicing, "SLICE", at_once)
        patch.setattr(slicing, "FEW", few)
        sorter = slicing.TimedSorter(SCHEMA, "jw_cell", tmp_path_factory.mktemp("runs"))
        taken = []
        sorter.hand_on(batches_of(given_rows), np.array(cuts, np.int64), taken.append)
        parts = [rows_of(one) for one in taken]
    whole = expected(given_rows, cuts, "jw_cell")
    assert sorter.rows == sum(map(len, given_rows))
    if rising:
        assert parts == [rows for rows in whole if rows]
    slice_of = {row: number for number, rows in enumerate(whole) for row in rows}
    numbers = [{slice_of[row] for row in rows} for rows in parts]
    assert all(len(one) == 1 for one in numbers)
    order = [number for one in numbers for number in one]
    timely = order[: next((at for at in range(1, len(order)) if order[at] <= order[at - 1]), len(order))]
    late = order[len(timely) :]
    assert late == sorted(set(late)), "each slice goes once, and what came late for it once more"
    for number, rows in enumerate(whole):
        mine = [part for part, one in zip(parts, order, strict=True) if one == number]
        assert sorted(row for part in mine for row in part) == sorted(rows)
        for part in mine:
            assert part == [row for row in rows if row in set(part)], "by cell, then arrival"


def test_a_slice_is_not_held_once_it_went(tmp_path, monkeypatch):
    monkeypatch.setattr(sorting, "IN_MEMORY", 40_000)
    monkeypatch.setattr(sorting, "PIECE_ROWS", 100)
    sorter = slicing.TimedSorter(SCHEMA, "jw_cell", tmp_path)
    rows = [[(n * 7 % 100, part * 100 + n) for n in range(100)] for part in range(50)]
    went = []

    def take(slice_):
        went.append((sorter.rows, slice_.rows))

    sorter.hand_on(batches_of(rows), np.arange(500, 5_000, 500), take)
    assert [rows for _, rows in went] == [500] * 10
    assert [came for came, _ in went] == [*range(600, 5_001, 500), 5_000]
    assert list(tmp_path.iterdir()) == [], "a tenth of the rows fits into memory, all of them do not"


@pytest.mark.parametrize(
    ("times", "timely"),
    [
        ([*range(100)], True),
        ([*range(50), *range(49, 100)], True),  # late within its slice
        ([*range(50, 100), *range(50)], False),
        ([*range(0, 100, 2), *range(1, 100, 2)], False),  # one district after the other
        ([10**6, *range(99)], False),
    ],
)
def test_rows_are_timely_where_nearly_none_lies_behind_a_later_slice(times, timely):
    outlook = slicing.Outlook(10**6, np.array(times))
    assert outlook.is_timely(np.array([25, 50, 75])) == timely


def test_an_error_behind_is_raised_in_front(tmp_path, monkeypatch):
    monkeypatch.setattr(sorting, "IN_MEMORY", 0)
    sorter = slicing.TimedSorter(SCHEMA, "jw_cell", tmp_path / "gone")
    with pytest.raises(FileNotFoundError):
        sorter.add(batches_of([[(1, 2)], [(3, 4)]]))


@pytest.mark.parametrize(
    ("zone", "day", "begin"),
    [
        ("Asia/Shanghai", dt.date(2026, 3, 2), "2026-03-01T16:00:00"),
        ("America/Havana", dt.date(2026, 3, 8), "2026-03-08T05:00:00"),
        ("America/Havana", dt.date(2026, 11, 1), "2026-11-01T04:00:00"),
        ("America/Havana", dt.date(2026, 11, 2), "2026-11-02T05:00:00"),
    ],
)
def test_a_day_begins_at_the_citys_midnight_also_where_the_clock_leaves_it_out(zone, day, begin):
    instant = dt.datetime.fromisoformat(begin).replace(tzinfo=dt.UTC)
    found_days = writing.midnights(instant - dt.timedelta(days=2), instant, zone)
    assert list(found_days)[-1] == day
    assert found_days[day] == instant.timestamp() * 1_000_000
    before = writing.midnights(instant - dt.timedelta(days=2), instant - dt.timedelta(microseconds=1), zone)
    assert day not in before

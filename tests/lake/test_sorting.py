"""Sorting in runs and pieces gives what sorting everything at once gives, however small the memory."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jingwei.lake import sorting

SCHEMA = pa.schema([("jw_cell", pa.int64()), ("text", pa.string()), ("jw_row", pa.int64())])

few_cells = st.one_of(st.none(), st.integers(-3, 3), st.integers(-(2**63), 2**63 - 2))


def batches_of(cells):
    row = 0
    for batch in cells:
        rows = list(range(row, row + len(batch)))
        row += len(batch)
        columns = [pa.array(batch, pa.int64()), pa.array([f"r{n}" for n in rows]), pa.array(rows, pa.int64())]
        yield pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def expected(cells):
    flat = [cell for batch in cells for cell in batch]
    return sorted(range(len(flat)), key=lambda row: (flat[row] is None, flat[row] or 0))


def in_pieces(sorter):
    pieces = list(sorter.pieces())
    for piece in pieces:
        assert piece.column("text").to_pylist() == [f"r{n}" for n in piece.column("jw_row").to_pylist()]
    return [row for piece in pieces for row in piece.column("jw_row").to_pylist()], pieces


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    cells=st.lists(st.lists(few_cells, max_size=40), max_size=12),
    memory=st.sampled_from([0, 300, 10**9]),
    piece=st.sampled_from([1, 3, 10, 1000]),
    runs=st.sampled_from([2, 3, 256]),
)
def test_rows_come_out_in_the_order_of_cell_then_arrival(tmp_path_factory, cells, memory, piece, runs):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorting, "IN_MEMORY", memory)
        patch.setattr(sorting, "PIECE_ROWS", piece)
        patch.setattr(sorting, "MAX_RUNS", runs)
        patch.setattr(sorting, "SAMPLED", 2)
        patch.setattr(sorting, "SPILLED_ROWS", 3)
        sorter = sorting.Sorter(SCHEMA, "jw_cell", tmp_path_factory.mktemp("runs"))
        sorter.add(batches_of(cells))
        assert sorter.rows == sum(map(len, cells))
        assert in_pieces(sorter)[0] == expected(cells)
        assert in_pieces(sorter)[0] == expected(cells), "a second reading gives the same"


def test_without_a_cell_rows_keep_their_order(tmp_path, monkeypatch):
    monkeypatch.setattr(sorting, "IN_MEMORY", 500)
    monkeypatch.setattr(sorting, "PIECE_ROWS", 64)
    cells = [[3, 1, 2] * 50, [1] * 70, [None, 5]]
    sorter = sorting.Sorter(SCHEMA, None, tmp_path)
    sorter.add(batches_of(cells))
    assert in_pieces(sorter)[0] == list(range(222))


def test_pieces_are_small_even_where_all_rows_lie_in_one_cell(tmp_path, monkeypatch):
    monkeypatch.setattr(sorting, "PIECE_ROWS", 1_000)
    sorter = sorting.Sorter(SCHEMA, "jw_cell", tmp_path)
    sorter.add(batches_of([[7] * 5_000] * 8))
    rows, pieces = in_pieces(sorter)
    assert rows == list(range(40_000))
    assert max(piece.num_rows for piece in pieces) <= 2_000


def test_what_memory_should_not_hold_goes_to_the_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(sorting, "IN_MEMORY", 50_000)
    monkeypatch.setattr(sorting, "PIECE_ROWS", 1_000)
    sorter = sorting.Sorter(SCHEMA, "jw_cell", tmp_path)
    cells = np.random.default_rng(5).integers(0, 1000, (20, 1_000)).tolist()
    sorter.add(batches_of(cells))
    assert list(tmp_path.iterdir())
    assert in_pieces(sorter)[0] == expected(cells)


def test_an_error_behind_is_raised_in_front(tmp_path):
    missing = tmp_path / "gone"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorting, "IN_MEMORY", 0)
        sorter = sorting.Sorter(SCHEMA, "jw_cell", missing)
        with pytest.raises(FileNotFoundError):
            sorter.add(batches_of([[1, 2], [3]]))


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3), min_size=1))
def test_the_compiled_loop_orders_keys_as_a_stable_sort_does(keys):
    from jingwei.lake.kernels_order import rising

    keys = np.array(keys, np.int64)
    assert rising(keys).tolist() == np.argsort(keys, kind="stable").tolist()


@pytest.mark.parametrize(
    "texts", [["ab", "cd", "ef"], ["a", "bcd", ""], ["ab", None, "cd"], ["", "", ""], ["路", "灯", "树"]]
)
def test_texts_of_one_length_move_as_any_others(texts):
    batch = pa.record_batch({"text": pa.array(["before", *texts, "behind"])}).slice(1, 3)
    for order in (np.array([2, 0, 1]), np.array([1]), np.array([], np.int64)):
        moved = sorting.taken([batch.slice(0, 1), batch.slice(1)], order).column("text")
        assert moved.to_pylist() == [texts[n] for n in order]
        moved.validate(full=True)

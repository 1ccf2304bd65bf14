"""What is shown in place of a value, a place or a count tells no more than is permitted."""

from datetime import date
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jingwei import grid
from jingwei.access.policy.masks import SMALLEST, blocks, coarsened, masked, suppressed

KEY = b"the city's secret"


@pytest.mark.parametrize(
    ("value", "mask", "shown"),
    [
        ("13812345678", "clear", "13812345678"),
        ("13812345678", "partial", "13*******78"),
        ("330106199001011234", "partial", "330***********1234"),
        ("王芳", "partial", "王*"),
        ("王", "partial", "*"),
        ("", "partial", ""),
        (8461.5, "generalise", 8000),
        (0.4, "generalise", 0),
        (-250, "generalise", -200),
        (True, "generalise", None),
        (date(1990, 1, 1), "generalise", "1990"),
        ("西湖区文三路", "generalise", "西*"),
        ("x", "hidden", None),
        (None, "partial", None),
        (None, "hash", None),
    ],
)
def test_a_value_is_masked(value, mask, shown):
    assert masked(value, mask, KEY) == shown


@given(st.text(), st.text())
def test_a_hash_joins_equal_values_and_tells_nothing_else(one, other):
    assert (masked(one, "hash", KEY) == masked(other, "hash", KEY)) is (one == other)
    assert masked(one, "hash", KEY) != masked(one, "hash", b"another city")


@given(st.text(min_size=1))
def test_a_partial_value_never_shows_more_than_half(text):
    shown = masked(text, "partial", KEY)
    assert len(shown) == len(text)
    assert shown.count("*") - text.count("*") >= 0
    assert (
        sum(a == b for a, b in zip(shown, text, strict=True) if a != "*") <= max(1, len(text) / 2)
        or "*" in text
    )


points = st.tuples(st.floats(-179, 179), st.floats(-80, 80))


@given(points, st.integers(1, 32), st.integers(0, 32))
def test_a_place_is_coarsened_to_the_level_permitted(point, level, permitted):
    cell = grid.encode(*point, level)
    shown = coarsened(grid.to_stored(cell), level, permitted)
    if permitted == 0:
        assert shown is None
        return
    kept, at = shown
    assert at == min(level, permitted)
    assert grid.from_stored(kept) == grid.parent(cell, level, at)


counts = st.dictionaries(st.sampled_from("abcdefghij"), st.integers(0, 30), max_size=10)


@given(counts, st.data())
def test_no_small_count_can_be_had_from_what_is_shown_and_the_totals(table, data):
    """Subtracting what is shown from a total leaves at least two unknowns that are together not small."""
    keys = sorted(table)
    groups = [keys]
    if len(keys) > 1:
        groups += data.draw(st.lists(st.lists(st.sampled_from(keys), min_size=2, unique=True), max_size=3))
    shown = suppressed(table, groups)
    for key, count in table.items():
        assert shown[key] in (None, count)
        if 0 < count < SMALLEST:
            assert shown[key] is None
    for group in groups:
        out = [key for key in group if shown[key] is None]
        left = sum(table[key] for key in out)
        if out and len(out) < len(group):
            assert len(out) >= 2
            assert left >= SMALLEST


cells = st.dictionaries(st.integers(0, 255), st.integers(0, 12), max_size=60)


@given(cells)
def test_whatever_two_answers_are_subtracted_no_small_number_comes_out(table):
    base = grid.encode(120.15, 30.27, 14)
    coded = {base + (n << (64 - 36)): count for n, count in table.items()}
    coded = {grid.parent(code, 18, 18): count for code, count in coded.items()}
    shown = blocks(coded, 18)
    assert all(count >= SMALLEST for count in shown.values())
    assert 0 <= sum(coded.values()) - sum(shown.values()) < SMALLEST
    # Any two regions are unions of blocks; what one has more than the other is again a union of blocks.
    values = list(shown.values())[:6]
    for size in range(1, len(values) + 1):
        for chosen in combinations(values, size):
            assert sum(chosen) >= SMALLEST

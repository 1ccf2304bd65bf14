"""Which texts are numbers: exactly those that are written back as they are, quick way and slow."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jingwei.lake.forms.columns import Kind, kind_and_values, kind_of

PLAIN = re.compile(r"-?(0|[1-9][0-9]*)")
FRACTION = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)")


def integer(text):
    return bool(PLAIN.fullmatch(text)) and text != "-0" and len(text.lstrip("-")) <= 15


def digits(text):
    return len(re.sub(r"^-?[0.]*|\.|0+$", "", text))


NUMBERS = st.one_of(
    st.integers(-(10**14) + 1, 10**15 - 1).map(str),
    st.decimals(-(10**6), 10**6, places=6).map(str).filter(FRACTION.fullmatch),
)


@given(st.lists(NUMBERS, min_size=1), st.booleans())
def test_numbers_are_of_the_narrowest_kind_that_holds_them_all(texts, with_null):
    texts = [text for text in texts if text != "-0"] or ["1"]
    wanted = Kind.INTEGER if all(map(integer, texts)) else Kind.DECIMAL
    assert kind_of(pa.array([*texts, None] if with_null else texts, pa.string())) is wanted
    assert kind_of(pa.array(["x", *texts], pa.string()).slice(1)) is wanted


@pytest.mark.parametrize(
    "text",
    ["007", "-07", "00", "-00", "+5", "1E5", "1,234", "0x10", "0x38D7EA4C67FFF", "1234567890123456", "5-3",
     "00.5", "1.2.3", "-", ".", "1e400x", "１２", " 1 2", "0.12345678901234567890"],
)  # fmt: skip
@pytest.mark.parametrize("others", [[], ["1"], ["1.5", "22"]])
def test_one_text_that_may_be_a_code_makes_a_column_text(text, others):
    assert kind_of(pa.array([*others, text], pa.string())) is Kind.TEXT
    assert kind_of(pa.array([text, *others], pa.string())) is Kind.TEXT


@pytest.mark.parametrize("text", ["0.5", "-0.5", "0", "-3", "113.754321", "22.44", "1e+5", "0.000001", "-0"])
def test_as_programs_write_numbers_they_are_numbers(text):
    assert kind_of(pa.array([text, "1.5"], pa.string())) is Kind.DECIMAL


@given(
    st.lists(st.one_of(NUMBERS, st.sampled_from(["-0", "-0.0", "007", "5.", ".5", "1e+5", "x"]), st.none()))
)
def test_many_texts_are_read_as_few_are(texts):
    array = pa.array(["9.9", *texts], pa.string()).slice(1)
    for at_least in Kind:
        kind, values = kind_and_values(array, at_least)
        assert kind is kind_of(array, at_least)
        if kind in (Kind.INTEGER, Kind.DECIMAL) and len(array) > array.null_count:
            wanted = pc.cast(array, kind.type)
            assert values.equals(wanted)
            if kind is Kind.DECIMAL:  # -0.0 too
                signs = np.signbit(values.drop_null().to_numpy()), np.signbit(wanted.drop_null().to_numpy())
                assert (signs[0] == signs[1]).all()


@given(st.integers(-(10**14) + 1, 10**14), st.integers(1, 13))
def test_fractions_are_the_doubles_nearest_to_what_is_written(digits, places):
    text = f"{digits:0{places + 2}d}"
    text = f"{text[:-places]}.{text[-places:]}"
    kind, values = kind_and_values(pa.array([text], pa.string()))
    if kind is Kind.DECIMAL:
        assert values[0].as_py() == float(text)

"""Numbers as people write them, and what is none."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jingwei.lake.numbers import number_in_words, read_angles, read_numbers

DIGITS = "零一二三四五六七八九"
PLACES = ["", "十", "百", "千"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.2万", 12_000),
        ("3亿", 3e8),
        ("1,234.5", 1234.5),
        ("１２３．５", 123.5),
        ("－１．２万", -12_000),
        ("12%", 0.12),
        ("一百二十", 120),
        ("一百二", 120),
        ("一百零二", 102),
        ("十五", 15),
        ("三万五", 35_000),
        ("两亿三千万", 230_000_000),
        ("二点五万", 25_000),
        ("1亿2千万", 120_000_000),
        ("二〇一八", 2018),
        ("壹佰贰拾", 120),
        ("负三百", -300),
    ],
)
def test_writings(text, number):
    values, unreadable = read_numbers(pa.array([text, None]))
    assert values[0] == pytest.approx(number, rel=1e-12)
    assert unreadable.tolist() == [False, False]


@pytest.mark.parametrize(
    "text", ["万", "百二", "十十", "一二百", "五十百", "三百零", "一点点", "约3", "1.2.3", "万事"]
)
def test_what_is_no_number_is_told(text):
    values, unreadable = read_numbers(pa.array([text, "7"]))
    assert unreadable.tolist() == [True, False]
    assert values[1] == 7


def in_words(number):
    """Write a whole number below ten thousand in words."""
    figures, words = str(number), ""
    for at, figure in enumerate(figures):
        place = PLACES[len(figures) - at - 1]
        if figure != "0":
            words += DIGITS[int(figure)] + place
        elif words and not words.endswith("零"):
            words += "零"
    return words.rstrip("零") or "零"


@given(st.integers(0, 9_999), st.integers(0, 9_999), st.integers(0, 9_999))
def test_any_number_in_words_is_read_back(millions, thousands, ones):
    words = "" if not millions else in_words(millions) + "亿"
    if thousands:
        words += ("零" if words and thousands < 1000 else "") + in_words(thousands) + "万"
    if ones or not words:
        words += ("零" if words and ones < 1000 else "") + in_words(ones)
    assert number_in_words(words) == millions * 10**8 + thousands * 10**4 + ones


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("114°03′18″", 114.055),
        ("１１４°３′１８″E", 114.055),
        ("东经114度3分18秒", 114.055),
        ("22°32'27.6\"S", -22.541),
        ("114.055", 114.055),
    ],
)
def test_angles(text, degrees):
    values, unreadable = read_angles(pa.array([text]))
    assert values[0] == pytest.approx(degrees, abs=1e-9)
    assert not unreadable.any()

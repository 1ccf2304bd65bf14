"""Times in every writing, read to UTC with the precision they were written to."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jingwei.lake.detect import find_times, read_times
from jingwei.lake.forms import open_form
from jingwei.lake.times import WORTH_COMPILED, find_epochs

SHANGHAI = "Asia/Shanghai"


def utc(*parts):
    return dt.datetime(*parts, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "expected", "precision"),
    [
        ("2018-02-08", utc(2018, 2, 7, 16), "day"),
        ("2018/2/8 9:05", utc(2018, 2, 8, 1, 5), "minute"),
        ("2018年2月8日", utc(2018, 2, 7, 16), "day"),
        ("2018年2月8日 下午3时05分", utc(2018, 2, 8, 7, 5), "minute"),
        ("２０１８－０２－０８", utc(2018, 2, 7, 16), "day"),
        ("二〇一八年二月八日", utc(2018, 2, 7, 16), "day"),
        ("二零一八年十二月二十八日 9:05", utc(2018, 12, 28, 1, 5), "minute"),
        ("2018年2月", utc(2018, 1, 31, 16), "month"),
        ("2018", utc(2017, 12, 31, 16), "year"),
        ("20180208", utc(2018, 2, 7, 16), "day"),
        ("20180208093015", utc(2018, 2, 8, 1, 30, 15), "second"),
        ("2018-02-08T09", utc(2018, 2, 8, 1), "hour"),
        ("2020-01-20 00:01:04", utc(2020, 1, 19, 16, 1, 4), "second"),
        ("2020-01-20T00:01:04.5Z", utc(2020, 1, 20, 0, 1, 4, 500_000), "millisecond"),
        ("2020-01-20T00:01:04+09:00", utc(2020, 1, 19, 15, 1, 4), "second"),
        ("2018-02-08 24:00", utc(2018, 2, 8, 16), "minute"),
        ("1988-06-01 12:00", utc(1988, 6, 1, 3), "minute"),
    ],
)
def test_writings(text, expected, precision):
    times = read_times(pa.array([text]), "text", zone=SHANGHAI)
    assert times.as_arrow().to_pylist() == [expected]
    assert times.precision_names().to_pylist() == [precision]


@pytest.mark.parametrize(
    "text",
    [
        "2018-02-30",
        "二〇一八年二月三十日",
        "2018-13-01",
        "2018-00-10",
        "25:00",
        "8 Feb",
        "2018-02-08 25:00",
        "-",
    ],
)
def test_what_is_no_time_is_masked(text):
    times = read_times(pa.array([text, None, " "]), "text", zone=SHANGHAI)
    assert times.given.tolist() == [False, False, False]
    assert times.unreadable.tolist() == [True, False, False]


@given(st.datetimes(dt.datetime(1992, 1, 1), dt.datetime(2099, 12, 31)))  # noqa: DTZ001 (local times)
def test_any_moment_is_read_back(moment):
    naive = moment.replace(microsecond=0)
    expected = naive.replace(tzinfo=dt.timezone(dt.timedelta(hours=8))).astimezone(dt.UTC)
    texts = pa.array([naive.isoformat(), naive.strftime("%Y/%m/%d %H:%M:%S"), naive.strftime("%Y%m%d%H%M%S")])
    assert read_times(texts, "text", zone=SHANGHAI).as_arrow().to_pylist() == [expected] * 3


@pytest.mark.parametrize(
    ("form", "value", "expected"),
    [
        ("epoch-s", 1_518_048_000, utc(2018, 2, 8)),
        ("epoch-ms", 1_518_048_000_000, utc(2018, 2, 8)),
        ("yyyymmdd", 20_180_208, utc(2018, 2, 7, 16)),
        ("yyyymm", 201_802, utc(2018, 1, 31, 16)),
        ("year", 2018, utc(2017, 12, 31, 16)),
        ("excel-serial", 43_139.5, utc(2018, 2, 8, 4)),
    ],
)
def test_numbers_as_times(form, value, expected):
    times = read_times(pa.array([value, None]), form, zone=SHANGHAI)
    assert times.as_arrow().to_pylist() == [expected, None]
    assert not times.unreadable.any()


def test_columns_are_found_with_form_role_and_precision():
    table = pa.table(
        {
            "Stime": ["2020-01-20 00:01:04"],
            "Etime": ["2020-01-20 00:02:04"],
            "time_ms": [1_362_067_200_000],
            "统计月份": ["201802"],
            "born": pa.array([dt.date(2018, 2, 8)]),
            "created": pa.array([1_518_048_000_000_000], pa.timestamp("us")),
            "code": [20_180_208],
            "phone": ["13800138000"],
            "name": ["2018届毕业生"],
        }
    )
    assert [(t.role, t.columns, t.form, t.precision) for t in find_times(table)] == [
        ("origin", ("Stime",), "text", "second"),
        ("destination", ("Etime",), "text", "second"),
        ("", ("time_ms",), "epoch-ms", "second"),
        ("统计", ("统计月份",), "yyyymm", "month"),
        ("born", ("born",), "timestamp", "day"),
        ("", ("created",), "timestamp", "day"),
    ]


def test_epochs_without_a_name_are_found_and_seconds_are_asked_for():
    table = pa.table(
        {
            "stamp": [1_700_000_000_000 + n * 1_000 for n in range(5)],
            "begun": [1_700_000_000 + n for n in range(5)],
            "few": [1_700_000_000_000] * 5,
            "phone": [13_800_138_000 + n for n in range(5)],
            "amount": [1_700_000_000_000.5] * 5,
        }
    )
    assert [(one.columns, one.form, one.sure) for one in find_epochs(table)] == [
        (("stamp",), "epoch-ms", True),
        (("begun",), "epoch-s", False),
    ]


def test_a_date_and_its_clock_are_one_time():
    table = pa.table({"日期": ["2018-02-08", "2018-02-09"], "时间": ["09:05", "23:59:59"]})
    [time] = find_times(table)
    assert time.columns == ("日期", "时间")
    assert time.read(table, SHANGHAI).as_arrow().to_pylist() == [
        utc(2018, 2, 8, 1, 5),
        utc(2018, 2, 9, 15, 59, 59),
    ]


def test_dates_stored_as_timestamps_are_days(shared_data):
    with open_form(shared_data / "shenzhen/pingshan_cases.parquet") as reading:
        table = pa.Table.from_batches([batch.table for batch in reading.batches()])
    [time] = find_times(table)
    assert (time.columns, time.precision, time.zoned) == (("create_time",), "day", False)
    assert time.read(table, SHANGHAI).as_arrow()[0].as_py() == utc(2018, 2, 7, 16)


WRITTEN = st.one_of(
    st.builds(
        lambda day, sep, clock, zone: day.replace("-", sep) + clock + zone,
        st.dates(dt.date(1, 1, 1), dt.date(9999, 12, 31)).map(str),
        st.sampled_from("-/."),
        st.sampled_from([" ", "T", ""]).flatmap(lambda mark: st.times().map(lambda at: f"{mark}{at}")),
        st.sampled_from(["", "Z", "+08:00", "下午"]),
    ),
    st.from_regex(
        r"[012][0-9]{3}[-/][0-3][0-9][-/][0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{0,7})?)?)?Z?"
    ),
    st.text(max_size=20),
    st.none(),
)


@settings(deadline=None, max_examples=25)  # the loop is compiled at the first call
@given(st.lists(WRITTEN, min_size=1, max_size=40))
def test_many_texts_are_read_as_few_are(texts):
    few = read_times(pa.array(texts, pa.string()), "text", zone=SHANGHAI)
    column = pa.array(["x", *texts * (WORTH_COMPILED // len(texts) + 1)], pa.string()).slice(1)
    many = read_times(column, "text", zone=SHANGHAI)
    for name in ("utc", "precision", "given", "unreadable"):
        assert getattr(many, name)[: len(texts)].tolist() == getattr(few, name).tolist()


def as_the_clock_shows(seconds, zone):
    """Read wall-clock times, in seconds from 1970, and give them with what Arrow says of the zone."""
    local = pa.array(np.asarray(seconds) * 1_000_000).cast(pa.timestamp("us"))
    wanted = pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="earliest")
    times = read_times(local, "timestamp", zone=zone, precision="second")
    return times.utc.tolist(), wanted.cast(pa.int64()).to_pylist()


@settings(deadline=None)
@given(
    st.sampled_from(
        ["Asia/Shanghai", "Europe/London", "America/St_Johns", "Africa/Casablanca", "Pacific/Apia", "UTC"]
    ),
    st.integers(-2_500_000_000, 4_400_000_000),
    st.lists(st.integers(0, 9 * 86_400), min_size=1, max_size=9),
)
def test_times_of_a_zone_are_what_its_clock_showed(zone, begin, later):
    read, wanted = as_the_clock_shows([begin + seconds for seconds in later], zone)
    assert read == wanted


@pytest.mark.parametrize(
    "zone", ["Asia/Shanghai", "America/New_York", "Europe/London", "Australia/Lord_Howe"]
)
@pytest.mark.parametrize("year", [1988, 2024])
def test_the_hours_around_a_change_of_the_clock(zone, year):
    begin = int(utc(year, 1, 1).timestamp())
    for day in range(366):
        read, wanted = as_the_clock_shows(begin + 86_400 * day + 900 * np.arange(96), zone)
        assert read == wanted

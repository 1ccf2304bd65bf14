"""A question of place and time reads few row groups, and answers as brute force over all rows does."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from jingwei.access import Asker, local_person
from jingwei.city import load_pack, open_city, parse_manifest
from jingwei.lake import region_of_bounds, writing

ASKER = local_person()
ROWS = 6_000
WEST, SOUTH, EAST, NORTH = 113.9, 22.4, 114.3, 22.8
HOUR, DAY = 3_600_000_000, 86_400_000_000
FIRST = int(np.datetime64("2026-02-28T16:00", "us").astype(np.int64))
"""Midnight in Shanghai, in UTC microseconds."""
DAYS = 20
POLICE = Asker("person/1", "某人", frozenset({"staff"}), frozenset({"11100000000013338W"}))


def written(instants):
    local = (np.asarray(instants) + 8 * HOUR).astype("datetime64[us]").astype("datetime64[s]")
    return [str(one).replace("T", " ") for one in local]


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    """Instants and intervals, some without a time or a place, cut small as if they were many."""
    folder = tmp_path_factory.mktemp("seeking")
    random = np.random.default_rng(11)
    lon, lat = random.uniform(WEST, EAST, ROWS).round(6), random.uniform(SOUTH, NORTH, ROWS).round(6)
    begin = FIRST + random.integers(0, DAYS * 86_400, ROWS) * 1_000_000
    end = begin + random.integers(0, 3 * 86_400, ROWS) * 1_000_000
    lines = ["n,kind,lon,lat,begin,end"]
    for n, (x, y, since, until) in enumerate(
        zip(lon.tolist(), lat.tolist(), written(begin), written(end), strict=True)
    ):
        where = ("", "") if n % 50 == 7 else (f"{x:.6f}", f"{y:.6f}")
        when = ("", "") if n % 60 == 8 else (since, "" if n % 3 else until)
        lines.append(",".join([str(n), "甲乙丙"[n % 3], *where, *when]))
    (folder / "points.csv").write_text("\n".join(lines) + "\n", "utf-8")
    place = {"lon": "lon", "lat": "lat", "crs": "WGS84"}
    sources = [
        {"id": "instants", "time": {"column": "begin", "zone": "Asia/Shanghai"}},
        {"id": "intervals", "time": {"column": "begin", "end": "end", "zone": "Asia/Shanghai"}},
    ]
    sources = [
        one | {"file": "points.csv", "title": {"zh": one["id"]}, "place": place, "keys": ["n"]}
        for one in sources
    ]
    about = {"id": "seeking", "name": {"zh": "寻"}, "adcode": "990100"}
    with pytest.MonkeyPatch.context() as patch, open_city(folder / "home", create=True) as city:
        patch.setattr(writing, "GROUPS", ((100_000, 64),))
        patch.setattr(writing, "SLICED", 1_000)
        patch.setattr(writing, "BROAD", 1)
        assert load_pack(
            city, parse_manifest({"city": about, "source": sources}), folder, None, ASKER
        ).complete
        yield city


@pytest.fixture(scope="module")
def rows(city):
    """All rows as the city holds them, as NumPy sees them."""
    found = {}
    for name in ("instants", "intervals"):
        table = city.lake.query(ASKER, name, limit=100_000).table
        assert table.num_rows == ROWS
        since = table["jw_time"].cast("int64")
        until = table["jw_time_end"].cast("int64")
        found[name] = {
            "n": table["n"].to_numpy(),
            "kind": table["kind"].to_numpy(),
            "place": np.column_stack([table[one].fill_null(np.nan).to_numpy() for one in ("lon", "lat")]),
            "since": since.fill_null(2**62).to_numpy(),
            "until": np.where(until.is_null(), since.fill_null(-(2**62)), until.fill_null(0)),
        }
    return found


def brute_force(rows, region, period, kind):
    inside = shapely.contains_xy(region.outline, rows["place"][:, 0], rows["place"][:, 1])
    if period is not None:
        inside &= (rows["since"] < period[1]) & (rows["until"] >= period[0])
    if kind is not None:
        inside &= rows["kind"] == kind
    return sorted(rows["n"][inside].tolist())


boxes = st.tuples(
    st.floats(WEST - 0.01, EAST), st.floats(SOUTH - 0.01, NORTH), st.floats(0.001, 0.5), st.floats(0.001, 0.5)
)
periods = st.tuples(st.integers(-24, DAYS * 24 + 24), st.integers(1, 24 * 30)).map(
    lambda hours: (FIRST + hours[0] * HOUR, FIRST + (hours[0] + hours[1]) * HOUR)
)


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(["instants", "intervals"]),
    box=boxes,
    period=st.none() | periods,
    kind=st.none() | st.sampled_from("甲乙丁"),
    page=st.sampled_from([7, 100, 100_000]),
)
def test_every_page_of_a_box_and_a_period_is_what_brute_force_finds(
    city, rows, name, box, period, kind, page
):
    west, south, width, height = box
    region = region_of_bounds(west, south, west + width, south + height)
    where = None if kind is None else f"kind = '{kind}'"
    seen, after = [], None
    while len(seen) < 700 or page > 7:
        found = city.lake.query(
            ASKER, name, region=region, period=period, where=where, after=after, limit=page, columns=["n"]
        )
        facts = found.table["jw_fact"].to_pylist()
        assert facts == sorted(facts)
        seen += found.table["n"].to_pylist()
        after = found.after
        if after is None:
            break
    expected = brute_force(rows[name], region, period, kind)
    assert len(set(seen)) == len(seen)
    assert set(seen) <= set(expected)
    assert after is not None or sorted(seen) == expected


def test_the_same_columns_come_back_whichever_way_a_question_is_answered(city):
    region = region_of_bounds(WEST, SOUTH, EAST, NORTH)
    read = city.lake.query(ASKER, "instants", region=region, limit=10).table
    filtered = city.lake.query(ASKER, "instants", region=region, where="n >= 0", limit=10).table
    asked = city.lake.query(ASKER, "instants", where="n >= 0", limit=10).table
    assert read.schema == filtered.schema == asked.schema
    assert read.equals(filtered)
    nowhere = region_of_bounds(10, 10, 10.1, 10.1)
    assert city.lake.query(ASKER, "instants", region=nowhere, limit=10).table.schema.equals(read.schema)


def test_row_groups_are_cut_by_the_days_of_the_city_and_by_cell(city):
    version = city.lake.dataset(ASKER, "instants").version
    files = version.content.facts
    assert len(files) > 5  # one for each slice
    times = [city.lake.reader._files.footer("instants", file).times for file in files]
    lows, highs = (np.concatenate([getattr(one, name) for one in times]) for name in ("low", "high"))
    midnights = (lows - FIRST) // DAY
    # Each slice holds whole days, so that no group begins on a day on which one of another slice ends.
    spans = sorted(
        {(int(low), int((high - FIRST) // DAY)) for low, high in zip(midnights, highs, strict=True)}
    )
    ends = sorted({high for _, high in spans})
    assert len(ends) > 5
    assert max(high - low for low, high in spans) <= 5
    groups = [group for file in files for group in file.groups]
    assert all(group.rows <= 64 for group in groups)
    assert [group.first for group in groups] == np.cumsum([0, *(g.rows for g in groups)])[:-1].tolist()


def test_what_is_the_same_in_all_rows_is_not_read(city):
    file = city.lake.dataset(ASKER, "instants").version.content.facts[0]
    same = city.lake.reader._files.footer("instants", file).same
    assert {name: value.as_py() for name, value in same.items()} == {
        "jw_source": 0,
        "jw_time_end": None,
        "jw_time_precision": "second",
    }

"""From a version back to what was read to make it, and forward to all that was made by reading it."""

import csv
import json
import re

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from sqlalchemy import delete

import jingwei
from jingwei import ledger
from jingwei.access import Asker
from jingwei.city import intake
from jingwei.city.assessing import adopt_contract, check_again
from jingwei.cli import main
from jingwei.lake import lineage, uses
from jingwei.lake.compacting import compact
from jingwei.lake.contracts import Contract
from jingwei.lake.export import export_dataset
from jingwei.lake.models import UseRow
from jingwei.lake.schemas import Content, Read
from jingwei.lake.stamping import Stamp, stamped
from jingwei.ledger.models import Event, Progress
from jingwei.ledger.sealer import Sealer

from .packs import STOPS, write_pack, write_stops

OPEN_STOPS = STOPS + 'sharing = "unconditional"\n'
VISITS = """
[[source]]
id = "visits"
file = "visits.csv"
title = { zh = "走访", en = "Visits" }
place = { by = "stops", columns = ["stop"] }
"""
FLOWS = """
[[source]]
id = "flows"
file = "flows.csv"
title = { zh = "客流", en = "Flows" }
made_of = ["stops"]
place = { none = true }
"""
STRANGER = Asker("person/x", "某人", frozenset({"citizen"}))


def write_visits(folder, *stops):
    with (folder / "visits.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["stop", "n"], *([stop, n] for n, stop in enumerate(stops))])


@pytest.fixture
def chain(opened, tmp_path):
    """Visits at stops within districts; `flows.csv` says that it was computed from the stops."""
    opened.folder = write_pack(tmp_path / "pack", OPEN_STOPS, VISITS, FLOWS)
    write_stops(opened.folder)
    write_visits(opened.folder, "001", "002")
    (opened.folder / "flows.csv").write_text("hour,people\n8,120\n9,80\n", "utf-8")
    assert {one.stage for one in opened.load(opened.folder).values()} == {"published"}
    return opened


def told(city, dataset, number=1, asker=None):
    found = lineage.uses(city.lake, asker or city.asker, dataset, number)
    return {(use.kind, use.subject, use.version, use.how) for use in found}


def read_by(city, dataset):
    return {(one.dataset, one.version, one.how) for one in city.dataset(dataset).version.content.reads}


def referring(city):
    """Put a contract on the visits that holds their stops against the table of stops."""
    rule = {"kind": "reference", "column": "stop", "dataset": "stops", "to": "code"}
    adopt_contract(city.city, city.asker, Contract(dataset="visits", rules=[rule]), after=0)


def test_a_version_names_the_versions_that_it_was_made_by_reading(chain):
    assert read_by(chain, "districts") == set()
    assert read_by(chain, "stops") == {("districts", 1, "boundary")}
    assert ("stops", 1, "place") in read_by(chain, "visits")
    assert read_by(chain, "flows") == {("stops", 1, "declared")}


def test_and_from_these_one_comes_forward_to_it(chain):
    assert told(chain, "stops") == {
        ("read", "dataset/visits", 1, ("place",)),
        ("read", "dataset/flows", 1, ("declared",)),
    }
    assert ("read", "dataset/stops", 1, ("boundary",)) in told(chain, "districts")


def test_a_check_that_held_rows_against_it_is_told_once(chain):
    referring(chain)
    check_again(chain.city, chain.asker, "visits")
    assert ("compared", "dataset/visits", 1, ("rule",)) in told(chain, "stops")
    write_visits(chain.folder, "001", "009")
    chain.load(chain.folder)
    forward = told(chain, "stops")
    assert ("read", "dataset/visits", 2, ("place", "rule")) in forward
    assert ("compared", "dataset/visits", 2, ("rule",)) not in forward


def test_the_next_version_of_what_was_read_has_a_lineage_of_its_own(chain):
    write_stops(chain.folder, [("001", "甲站", 114.06, 22.55), ("002", "乙站", 114.15, 22.65)])
    chain.load(chain.folder)
    assert ("read", "dataset/visits", 2, ("place",)) in told(chain, "stops", 2)
    assert ("read", "dataset/visits", 2, ("place",)) not in told(chain, "stops", 1)
    assert ("read", "dataset/visits", 1, ("place",)) in told(chain, "stops", 1)


def test_files_put_together_keep_what_was_read(chain):
    compact(chain.lake, "visits", zone="Asia/Shanghai", actor="test", least=1)
    forward = told(chain, "stops")
    assert {("read", "dataset/visits", 1, ("place",)), ("read", "dataset/visits", 2, ("place",))} <= forward


def test_who_may_not_know_of_a_dataset_is_not_told_that_it_was_read_or_read_anything(chain):
    referring(chain)
    check_again(chain.city, chain.asker, "visits")
    export_dataset(chain.lake, chain.asker, "stops", chain.home / "stops.csv")
    assert told(chain, "stops", asker=STRANGER) == set()
    version = chain.lake.dataset(STRANGER, "stops").version
    assert lineage.reads(version, lineage.listed(chain.lake, STRANGER)) == []


def test_exports_are_told_by_form_with_how_often_and_when_last(chain, tmp_path):
    for form in ("csv", "parquet", "csv"):
        export_dataset(chain.lake, chain.asker, "stops", tmp_path / f"out.{form}")
    found = [one for one in lineage.uses(chain.lake, chain.asker, "stops", 1) if one.kind == "exported"]
    assert {(one.how, one.times) for one in found} == {(("csv",), 2), (("parquet",), 1)}


def hand_in(city, table, name, path):
    pq.write_table(table, path)
    file = intake.receive(city.city, city.asker, path.name, [path.read_bytes()])
    said = {"id": name, "title": {"zh": "链接"}, "place": {"none": True}}
    assert intake.load_file(city.city, city.asker, file.id, said).stage == "published"


def test_links_saved_as_a_dataset_lead_back_to_both_tables(chain, tmp_path):
    with jingwei.open(chain.home) as city:
        links = city.link("visits", "stops", by=[jingwei.Within(5)], pairs="all")
    hand_in(chain, links, "links", tmp_path / "links.parquet")
    assert read_by(chain, "links") == {("visits", 1, "stated"), ("stops", 1, "stated")}
    assert ("read", "dataset/links", 1, ("stated",)) in told(chain, "visits")


def test_an_exported_file_that_comes_back_says_where_it_came_from(chain, tmp_path):
    export_dataset(chain.lake, chain.asker, "stops", tmp_path / "out.parquet")
    hand_in(
        chain, pq.read_table(tmp_path / "out.parquet", columns=["code"]), "codes", tmp_path / "codes.parquet"
    )
    assert read_by(chain, "codes") == {("stops", 1, "stated")}


@pytest.mark.parametrize(
    "stamp", [Stamp("stops", 1, "0" * 64), Stamp("stops", 9, "0" * 64), Stamp("nobody", 1, "0" * 64)]
)
def test_a_stamp_of_what_is_not_here_is_not_believed(chain, tmp_path, stamp):
    table = chain.lake.query(chain.asker, "stops", columns=["code"]).table.select(["code"])
    table = table.replace_schema_metadata(stamped(table.schema, [stamp]).metadata)
    hand_in(chain, table, "codes", tmp_path / "codes.parquet")
    assert read_by(chain, "codes") == set()


def test_a_source_made_of_what_is_not_there_says_so(chain):
    text = (chain.folder / "city.toml").read_text("utf-8")
    (chain.folder / "city.toml").write_text(
        text.replace('made_of = ["stops"]', 'made_of = ["stopps"]'), "utf-8"
    )
    (chain.folder / "flows.csv").write_text("hour,people\n8,121\n", "utf-8")
    report = chain.load(chain.folder)["flows"]
    assert report.stage == "failed"
    assert "stops" in json.dumps(report.problem, ensure_ascii=False)


def pages(city, dataset, limit):
    after, found = None, []
    while True:
        page = lineage.page_of_uses(city.lake, city.asker, dataset, 1, after=after, limit=limit)
        assert len(page.uses) <= limit
        found += page.uses
        if page.after is None:
            return found
        assert re.fullmatch(lineage.AFTER, page.after)
        after = page.after


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_tell_all_once_and_in_order(chain, tmp_path, limit, monkeypatch):
    referring(chain)
    check_again(chain.city, chain.asker, "stops")
    for form in ("csv", "parquet", "csv"):
        export_dataset(chain.lake, chain.asker, "stops", tmp_path / f"out.{form}")
    now = chain.dataset("stops").version.published
    others = [lineage.Use("rule", now, f"sense/rules/{number}", None, None) for number in range(3)]
    monkeypatch.setattr(lineage, "USED_BY", [lambda *_: others])
    whole = lineage.uses(chain.lake, chain.asker, "stops", 1)
    assert {one.kind for one in whole} == {"read", "checked", "exported", "rule"}
    assert [one.at for one in whole] == sorted(one.at for one in whole)
    assert pages(chain, "stops", limit) == whole


def test_what_is_told_before_it_is_sealed_is_told_once_after_it(chain, tmp_path):
    export_dataset(chain.lake, chain.asker, "stops", tmp_path / "out.csv")
    before = lineage.uses(chain.lake, chain.asker, "stops", 1)
    Sealer(chain.city.records, tmp_path / "log").seal_all()
    assert lineage.uses(chain.lake, chain.asker, "stops", 1) == before
    export_dataset(chain.lake, chain.asker, "stops", tmp_path / "out.csv")
    (again,) = [one for one in lineage.uses(chain.lake, chain.asker, "stops", 1) if one.kind == "exported"]
    assert again.times == 2


def test_a_log_longer_than_one_look_is_taken_in_whole(chain, tmp_path, monkeypatch):
    before = lineage.uses(chain.lake, chain.asker, "stops", 1)
    Sealer(chain.city.records, tmp_path / "log").seal_all()
    with chain.city.records.write() as session:
        session.execute(delete(UseRow))
        session.execute(delete(Progress).where(Progress.name == uses.NAME))
    monkeypatch.setattr(uses, "WINDOW", 3)
    assert lineage.uses(chain.lake, chain.asker, "stops", 1) == before


def test_a_use_whose_event_was_erased_is_told_no_more(chain, tmp_path):
    export_dataset(chain.lake, chain.asker, "stops", tmp_path / "out.csv")
    assert ("exported", "dataset/stops", 1, ("csv",)) in told(chain, "stops")
    Sealer(chain.city.records, tmp_path / "log").seal_all()
    with chain.city.records.write() as session:
        (entry,) = ledger.search(session, types=["dataset.exported"])
        ledger.erase(session, [entry.position], actor="test", reason="asked for")
    Sealer(chain.city.records, tmp_path / "log").seal_all()
    assert ("exported", "dataset/stops", 1, ("csv",)) not in told(chain, "stops")


def test_a_version_of_before_says_that_nothing_was_recorded(chain):
    kept = chain.dataset("visits").version.content.as_json()
    old = Content.from_json({name: value for name, value in kept.items() if name != "reads"})
    assert old.reads is None
    assert Content.from_json(kept).reads[0] == Read("stops", 1, "place")


def test_the_command_tells_both_ways(chain):
    result = CliRunner().invoke(main, ["lineage", "visits", "--home", str(chain.home)])
    assert result.exit_code == 0, result.output
    assert "← dataset/stops (1) place" in result.output
    result = CliRunner().invoke(main, ["lineage", "stops", "--json", "--home", str(chain.home)])
    assert json.loads(result.output)["by"] == chain.asker.id
    forward = json.loads(result.output)["uses"]
    assert ("read", "dataset/visits", "place") in {
        (one["kind"], one["subject"], *one["how"]) for one in forward
    }


def test_a_version_tells_who_published_it_and_by_which_event(chain):
    version = chain.city.lake.dataset(chain.asker, "visits").version
    load = lineage.loads_of(chain.city.lake, chain.asker, "visits", [version])[version.number]
    with chain.city.records.read() as session:
        event = session.get_one(Event, int(load.event))
        assert (event.type, event.subject, event.data["version"]) == (
            "dataset.published",
            "dataset/visits",
            1,
        )
    assert load.by == event.actor == chain.asker.id
    assert lineage.loads_of(chain.city.lake, chain.asker, "visits", []) == {}

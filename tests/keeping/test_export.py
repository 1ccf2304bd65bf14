"""An export is read by others, and makes a city that answers equally."""

import json

import pyarrow.parquet as pq
import pytest
import shapely
import yaml
from tests.keeping.test_backup import ASKER, Kept

from jingwei import grid
from jingwei.city import open_city
from jingwei.city.assessing import adopt_contract, check_again
from jingwei.errors import JingweiError
from jingwei.keeping import check_export, export_city, import_city
from jingwei.lake import contracting
from jingwei.ledger import bundle
from jingwei.ledger.keys import check_signature
from jingwei.ledger.sealer import Sealer, key_folder_of
from jingwei.ledger.verify import check_bundle


@pytest.fixture
def kept(tmp_path):
    found = Kept(tmp_path)
    agreed = contracting.contract_of(found.city.lake, ASKER, "stops")
    adopt_contract(found.city, ASKER, agreed.contract, after=agreed.number)
    check_again(found.city, ASKER, "stops")
    yield found
    found.city.close()


@pytest.fixture
def exported(kept, tmp_path):
    export_city(kept.city, tmp_path / "out", keys=tmp_path / "safe", actor=ASKER.id)
    return tmp_path / "out"


def answers(city):
    """What a city answers to one question of each kind."""
    lake = city.lake
    cell = grid.Cell.at(114.012, 22.55, 15)
    return {
        "rows": [lake.query(ASKER, one, limit=100).table.to_pylist() for one in ("stops", "districts")],
        "there": [(one.id, rows.table.to_pylist()) for one, rows in lake.at(ASKER, cell)],
        "density": lake.density(ASKER, "districts", 14).to_pylist(),
        "quarantine": lake.quarantine(ASKER, "stops").to_pylist(),
        "found": contracting.reports(lake, ASKER, "stops"),
        "agreed": contracting.contract_of(lake, ASKER, "stops"),
        "about": city.about.name,
        "version": lake.dataset(ASKER, "stops").version.number,
    }


def test_an_imported_city_answers_equally_and_goes_on(kept, exported, tmp_path):
    before = answers(kept.city)
    assert before["version"] == 2
    assert before["there"]
    assert before["found"]
    import_city(exported, tmp_path / "new", keys=tmp_path / "safe", actor=ASKER.id)
    with open_city(tmp_path / "new") as city:
        assert answers(city) == before
        sealer = Sealer(city.records, city.home / "log", key_folder=key_folder_of(city.home))
        assert sealer.seal_all() > 0
        kept.city.close()
        kept.city = city
        kept.load(7)
        assert city.lake.query(ASKER, "stops").total in (None, 7)
        assert city.lake.dataset(ASKER, "stops").version.number == 3


def test_an_export_is_read_without_jingwei(kept, exported):
    (path,) = (exported / "datasets/stops/facts").glob("*.parquet")
    geo = json.loads(pq.read_schema(path).metadata[b"geo"])
    points = shapely.from_wkb(pq.read_table(path)[geo["primary_column"]].to_numpy())
    assert sorted(round(point.x, 6) for point in points) == [114.01, 114.011, 114.012, 114.013, 114.014]
    (areas,) = (exported / "datasets/districts/facts").glob("*.parquet")
    column = json.loads(pq.read_schema(areas).metadata[b"geo"])["primary_column"]
    shapes = shapely.from_wkb(pq.read_table(areas)[column].to_numpy())
    assert round(sum(shape.area for shape in shapes), 9) == 0.04
    contract = yaml.safe_load((exported / "datasets/stops/contract.odcs.yaml").read_text())
    assert (contract["kind"], contract["apiVersion"]) == ("DataContract", "v3.1.0")
    assert check_bundle(exported / "log.zip", check=check_signature).sound
    told = {one.type for one in bundle.read_events(exported / "log.zip")}
    assert "dataset.published" in told
    lines = [json.loads(line) for line in (exported / "records/dataset.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == ["districts", "stops"]
    assert not list(exported.rglob("*.pem"))
    assert not (exported / "records/sign_in.jsonl").exists()


def test_a_changed_export_is_refused_by_name(exported, tmp_path):
    for victim in [exported / "records/dataset.jsonl", *exported.rglob("*.parquet")]:
        whole = victim.read_bytes()
        victim.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(JingweiError) as caught:
            import_city(exported, tmp_path / "new", actor="a")
        assert (caught.value.code, victim.name in str(caught.value)) == ("copy-damaged", True)
        assert not (tmp_path / "new").exists()
        victim.write_bytes(whole)
    check_export(exported)


def test_an_export_is_imported_into_postgresql(kept, exported, postgres, tmp_path):
    name = postgres.create()
    url = postgres.url(name)
    import_city(exported, tmp_path / "new", records_url=url, actor=ASKER.id)
    with open_city(tmp_path / "new", records_url=url) as city:
        assert answers(city) == answers(kept.city)
    postgres.drop(name)

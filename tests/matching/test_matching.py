"""Records of the same persons in two datasets: planted truth, decisions that last, conflicts."""

import json

import duckdb
import numpy as np
import pyarrow.compute as pc
import pyarrow.csv as csv
import pytest
from click.testing import CliRunner

from city.conftest import Opened
from city.packs import write_pack
from jingwei import access, matching
from jingwei.access.policy import RefusedError
from jingwei.cli import main
from jingwei.errors import BadRequestError, NotFoundError
from jingwei.lake import lineage
from jingwei.matching.comparing import NothingToMatchError, match, plain_sql
from jingwei.matching.configuration import BadConfigurationError, read_configuration
from matching.persons import SOURCES, TEXT, two_departments, two_registers, write

PEOPLE = 900


@pytest.fixture(scope="module")
def people():
    return two_departments(PEOPLE, seed=7)


@pytest.fixture(scope="module")
def city(tmp_path_factory, people):
    folder = tmp_path_factory.mktemp("matching")
    pack = write_pack(folder / "pack", SOURCES)
    write(pack, *people[:2])
    opened = Opened(folder / "home")
    opened.pack = pack
    opened.load(pack)
    matching.configure(opened.city, opened.asker, "people", TEXT)
    opened.run = matching.run(opened.city, opened.asker, "people")
    yield opened
    opened.city.close()


def linked(opened):
    table = matching.links(opened.city, opened.asker, "people")
    return set(zip(table["left_key"].to_pylist(), table["right_key"].to_pylist(), strict=True))


def planted(people):
    left, right, truth = people
    a, b = left["key"].to_pylist(), right["key"].to_pylist()
    return {(a[row], b[there]) for row, there in enumerate(truth.tolist()) if there >= 0}


def test_the_same_persons_are_found_without_a_common_key(city, people):
    found, true = linked(city), planted(people)
    assert len(found & true) / len(found) >= 0.995
    assert len(found & true) / len(true) >= 0.95


def test_the_same_enterprises_are_found_without_a_common_key(tmp_path):
    firms = two_registers(PEOPLE, seed=5)
    fields = ("title", "credit_code", "legal_person", "founded", "phone", "address")
    listed = ", ".join(f'{name} = "{name}"' for name in fields)
    text = 'title = { zh = "登记与纳税" }\n' + "".join(
        f'[[table]]\ndataset = "{name}"\nkey = "key"\nfields = {{ {listed} }}\n'
        for name in ("residents", "patients")
    )
    found = match(
        {"residents": firms[0], "patients": firms[1]}, read_configuration(text), str(tmp_path)
    ).pairs
    sure = found.filter(pc.greater_equal(found["probability"], 0.99))
    pairs = set(zip(sure["left"].to_pylist(), sure["right"].to_pylist(), strict=True))
    true = {(row, there) for row, there in enumerate(firms[2].tolist()) if there >= 0}
    precision, recall = len(pairs & true) / len(pairs), len(pairs & true) / len(true)
    assert precision >= 0.99, (precision, recall)
    assert 2 * precision * recall / (precision + recall) >= 0.95, (precision, recall)


def test_a_record_has_one_counterpart_at_most(city):
    found = linked(city)
    assert len({left for left, _ in found}) == len({right for _, right in found}) == len(found)


def test_what_a_person_decided_holds_when_the_next_version_is_matched(city, people):
    run, (pair, *_), _ = matching.pairs(city.city, city.asker, "people", state="linked", limit=1)
    keys = tuple(record["fields"]["phone"] for record in pair.records)
    before = linked(city)
    matching.decide(city.city, city.asker, "people", run, pair.number, "different", note="两个人")
    (parted,) = before - linked(city)
    left, right, _ = people
    order = np.random.default_rng(3).permutation(PEOPLE)
    write(city.pack, left.take(order), right)
    city.load(city.pack)
    again = matching.run(city.city, city.asker, "people")
    assert again.versions["residents"] == 2
    assert parted not in linked(city)
    _, (kept,), _ = matching.pairs(city.city, city.asker, "people", state="different")
    assert tuple(record["fields"]["phone"] for record in kept.records) == keys
    assert kept.decided["note"] == "两个人"
    matching.decide(city.city, city.asker, "people", again.id, kept.number, "open")
    assert parted in linked(city)


def test_who_is_said_to_be_the_same_is_linked_though_little_agrees(city):
    run, (pair, *_), _ = matching.pairs(city.city, city.asker, "people", state="review", limit=1)
    before = len(linked(city))
    matching.decide(city.city, city.asker, "people", run, pair.number, "same")
    assert len(linked(city)) == before + 1
    matching.decide(city.city, city.asker, "people", run, pair.number, "unsure")
    assert matching.matching(city.city, "people").run.states["unsure"] == 1
    matching.decide(city.city, city.asker, "people", run, pair.number, "open")


def test_conflicts_are_listed_by_field_with_the_source_that_holds(city):
    told = matching.matching(city.city, "people").run.conflicts
    _, found, more = matching.pairs(city.city, city.asker, "people", field="phone", limit=100)
    assert told["phone"] == len(found) + (0 if more is None else told["phone"] - len(found))
    for pair in found:
        values = {record["fields"]["phone"] for record in pair.records}
        assert len(values) == 2
        assert pair.authority["phone"] == "patients"
    assert all(pair.authority["address"] is None for pair in found if "address" in pair.differs)


def test_what_was_linked_leads_forward_from_the_version(city):
    found = lineage.uses(city.lake, city.asker, "residents", 1)
    assert ("matched", "matching/people") in {(use.kind, use.subject) for use in found}


def test_no_decision_and_no_event_names_a_person(city, people):
    run, (pair, *_), _ = matching.pairs(city.city, city.asker, "people", state="linked", limit=1)
    matching.decide(city.city, city.asker, "people", run, pair.number, "same")
    with city.city.records.read() as session:
        rows = session.connection().exec_driver_sql("SELECT * FROM matching_decision").all()
        events = (
            session.connection().exec_driver_sql("SELECT data FROM event WHERE type LIKE 'matching.%'").all()
        )
    told = f"{rows}{events}"
    assert rows
    assert not any(key in told for key in people[0]["key"].to_pylist())
    matching.decide(city.city, city.asker, "people", run, pair.number, "open")


def test_who_may_not_inspect_a_dataset_matches_nothing_of_it(city):
    stranger = access.Asker("person/x", "某人", frozenset({"staff"}), frozenset(), frozenset())
    with pytest.raises((RefusedError, NotFoundError)):
        matching.run(city.city, stranger, "people")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("[field.phone]", "[field.fax]"), "fax"),
        (('"patients", "residents"]', '"nobody"]'), "nobody"),
        (("review = 0.3", "review = 0.9999"), "review"),
        (("title =", "title"), "TOML"),
    ],
)
def test_a_configuration_says_what_is_wrong_with_it(change, said):
    with pytest.raises(BadConfigurationError) as caught:
        read_configuration(TEXT.replace(*change))
    assert said in str(caught.value)


def test_a_column_that_is_not_there_is_named(city):
    with pytest.raises(BadRequestError) as caught:
        matching.configure(city.city, city.asker, "other", TEXT.replace('phone = "phone"', 'phone = "tel"'))
    assert caught.value.where["columns"] == ["tel"]


def test_where_nothing_agrees_nothing_is_claimed(tmp_path, people):
    left, right, _ = people
    apart = right.set_column(0, "name", right["key"])
    for place, name in enumerate(apart.column_names):
        if name not in ("name", "key"):
            apart = apart.set_column(place, name, right["key"])
    with pytest.raises(NothingToMatchError):
        matching.comparing.match(
            {"residents": left, "patients": apart}, read_configuration(TEXT), str(tmp_path)
        )


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("name", ["张 三", "张三", "张·三"]),
        ("title", ["某市星光（集团）有限公司", "某市星光集团有限公司", "某市星光 集团有限公司"]),
        ("identity", ["44030119900101001x", "44030119900101001Ｘ", " 440301 19900101 001X"]),
        ("date", ["1990-01-05", "1990年1月5日", "1990/1/5", "19900105"]),
        ("phone", ["13800138000", "+86 138-0013-8000", "１３８００１３８０００"]),
        ("address", ["人民路3号2栋", "人民路３号 2栋"]),
    ],
)
def test_ways_of_writing_one_value_are_one(kind, values):
    rows = ", ".join(f"('{value}')" for value in values)
    found = duckdb.sql(f"SELECT DISTINCT {plain_sql(kind, 'v')} FROM (VALUES {rows}) AS t(v)").fetchall()
    assert len(found) == 1
    assert found[0][0]


def test_the_commands_match_tell_lineage_and_erase_with_what_was_decided(city, tmp_path):
    def told(*arguments, value=None):
        result = CliRunner().invoke(main, [*arguments, "--home", str(city.home)], input=value)
        assert result.exit_code == 0, result.output
        return result.stdout

    pairs = tmp_path / "pairs.csv"
    made = json.loads(told("match", "people", "--out", str(pairs), "--json"))
    before = csv.read_csv(pairs)
    assert before.num_rows == made["states"]["linked"] == len(linked(city))

    uses = json.loads(told("lineage", "residents", "--json"))
    assert ("matched", "matching/people") in {(one["kind"], one["subject"]) for one in uses["uses"]}

    _, (pair, *_), _ = matching.pairs(city.city, city.asker, "people", state="linked", limit=1)
    matching.decide(city.city, city.asker, "people", made["run"], pair.number, "same", note="问过本人")
    same = matching.links(city.city, city.asker, "people").to_pylist()
    (decided,) = [one for one in same if one["state"] == "same"]
    key = decided["left_key"]
    told("erase", decided["left"], "--column", "key", "--reason", "本人要求", value=f"{key}\n")
    assert key not in {one for pair in linked(city) for one in pair}
    assert len(linked(city)) == before.num_rows - 1
    with city.city.records.read() as session:
        assert not session.connection().exec_driver_sql("SELECT * FROM matching_decision").all()

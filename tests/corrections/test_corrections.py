"""Findings become work: asked for, answered, looked at again with the next version, closed."""

from datetime import timedelta

import pytest

from city.conftest import opened, pack  # noqa: F401
from city.packs import write_stops
from jingwei import access, corrections, ledger
from jingwei.access import Asker
from jingwei.access.policy import RefusedError
from jingwei.city import intake
from jingwei.city.assessing import adopt_contract, check_again
from jingwei.corrections import Reviewer
from jingwei.corrections.service import NotOpenError
from jingwei.errors import BadRequestError, ConflictError, NotFoundError
from jingwei.lake import contracting, lineage
from jingwei.lake.compacting import compact
from jingwei.lake.contracts import Contract
from jingwei.ledger.sealer import Sealer

TRAFFIC, OTHER = "11430000006122244L", "12100000400000624D"
GOOD = [(f"{n:03}", f"第{n}站", 114.01 + n / 1000, 22.55) for n in range(40)]
SPOILT = [*GOOD[:30], *[(code, "", lon, lat) for code, _, lon, lat in GOOD[30:]]]
BETTER = [*GOOD[:38], *[(code, "", lon, lat) for code, _, lon, lat in GOOD[38:]]]
RULE = "required:name"


def staff(department):
    return Asker(
        f"person/{department}",
        "某人",
        frozenset({"staff"}),
        frozenset({department}),
        frozenset({("staff", department)}),
    )


@pytest.fixture
def city(opened, pack):  # noqa: F811
    with opened.city.records.write() as session:
        access.add_department(session, opened.asker, TRAFFIC, "交通局")
        access.add_department(session, opened.asker, OTHER, "民政局")
    write_stops(pack, SPOILT)
    opened.load(pack)
    contract = Contract(dataset="stops", fields=[{"name": "name", "required": True}], deadline_days=7)
    adopt_contract(opened.city, opened.asker, contract, after=0)
    check_again(opened.city, opened.asker, "stops")
    return opened


def asked(opened):  # noqa: F811
    check = contracting.reports(opened.lake, opened.asker, "stops")[0].intent
    return corrections.request(opened.city, opened.asker, "stops", check, [RULE], note="请补站名")


def reviewed(opened):  # noqa: F811
    """Let the log be sealed and read, as it is while a city is open."""
    Sealer(opened.city.records, opened.home / "log").seal_all()
    Reviewer(opened.city.records).follower.catch_up()


def text_of(rows):
    return "\n".join(["code,name,lon,lat", *(",".join(map(str, row)) for row in rows)]).encode()


def test_a_request_names_rows_owner_and_deadline(city):
    made = asked(city)
    assert (made.department, made.state, made.rules[0]["rows"]) == ("交通局", "open", 10)
    assert made.due - made.opened == timedelta(days=7)
    assert made.rules[0]["examples"][0] == 32


def test_it_stays_open_until_a_version_no_longer_shows_it(city, pack):  # noqa: F811
    made = asked(city)
    write_stops(pack, BETTER)
    city.load(pack)
    reviewed(city)
    left = corrections.correction(city.city, city.asker, made.id)
    assert (left.state, left.rules[0]["remaining"], left.version) == ("open", 2, 2)
    write_stops(pack, GOOD)
    city.load(pack)
    reviewed(city)
    done = corrections.correction(city.city, city.asker, made.id)
    assert (done.state, done.outcome, done.rules[0]["remaining"], done.version) == (
        "closed",
        "corrected",
        0,
        3,
    )
    with city.city.records.read() as session:
        told = sorted(entry.type for entry in ledger.events_of(session, f"correction/{made.id}"))
    assert told == ["correction.closed", "correction.remains", "correction.requested"]


def test_the_department_answers_by_the_corrected_file(city):
    made = asked(city)
    mine = staff(TRAFFIC)
    file = intake.receive(city.city, mine, "stops.csv", [text_of(GOOD)])
    said = corrections.answer(city.city, mine, made.id, file=file.id)
    assert (said.state, said.answers[0].kind) == ("answered", "file")
    assert intake.load_file(city.city, mine, file.id, {"id": "stops"}).stage == "published"
    reviewed(city)
    assert corrections.correction(city.city, mine, made.id).state == "closed"


def test_an_explanation_is_accepted_or_sent_back(city):
    made = asked(city)
    corrections.answer(city.city, staff(TRAFFIC), made.id, words="无名站点属实")
    back = corrections.decide(city.city, city.asker, made.id, accept=False, words="请说明依据")
    assert back.state == "open"
    corrections.answer(city.city, staff(TRAFFIC), made.id, words="见文件")
    done = corrections.decide(city.city, city.asker, made.id, accept=True)
    assert (done.state, done.outcome) == ("closed", "explained")
    assert [one.kind for one in done.answers] == ["explanation", "refused", "explanation", "accepted"]
    with pytest.raises(NotOpenError):
        corrections.answer(city.city, staff(TRAFFIC), made.id, words="再说")


def test_another_department_neither_sees_nor_answers_it(city):
    made = asked(city)
    assert corrections.corrections(city.city, staff(OTHER)) == []
    with pytest.raises(NotFoundError):
        corrections.answer(city.city, staff(OTHER), made.id, words="不是我们")
    assert [one.id for one in corrections.corrections(city.city, staff(TRAFFIC))] == [made.id]


def test_who_asks_does_not_answer(city):
    made = asked(city)
    bureau = Asker(
        "person/b",
        "数据局",
        frozenset({"system_administrator"}),
        frozenset(),
        frozenset({("system_administrator", "")}),
    )
    with pytest.raises(RefusedError):
        corrections.answer(city.city, bureau, made.id, words="代答")


def test_what_is_being_corrected_is_not_asked_for_twice(city):
    made = asked(city)
    with pytest.raises(ConflictError):
        asked(city)
    corrections.withdraw(city.city, city.asker, made.id)
    assert asked(city).id != made.id


def test_only_what_a_check_shows_can_be_asked_for(city):
    check = contracting.reports(city.lake, city.asker, "stops")[0].intent
    with pytest.raises(BadRequestError):
        corrections.request(city.city, city.asker, "stops", check, ["required:code"])
    with pytest.raises(NotFoundError):
        corrections.request(city.city, city.asker, "stops", "none", [RULE])


def test_a_version_that_the_gate_holds_back_closes_nothing(city, pack):  # noqa: F811
    made = asked(city)
    contract = Contract(
        dataset="stops",
        fields=[{"name": "name", "required": True}, {"name": "code", "pattern": "x"}],
        gate=50,
    )
    adopt_contract(city.city, city.asker, contract, after=1)
    write_stops(pack, GOOD)
    assert city.load(pack)["stops"].stage == "held"
    reviewed(city)
    assert corrections.correction(city.city, city.asker, made.id).state == "open"


def test_from_a_version_to_all_that_was_made_of_it(city):
    made = asked(city)
    compact(city.lake, "stops", zone="Asia/Shanghai", actor="test", least=1)
    text = (city.home.parent / "pack" / "stops.csv").read_bytes()
    incoming = intake.Incoming(city.city, "别名.csv")
    incoming.write(text)
    file = incoming.finish(city.asker)
    incoming.close()
    said = {"id": "others", "title": {"zh": "别名"}, "place": {"lon": "lon", "lat": "lat", "crs": "WGS84"}}
    intake.load_file(city.city, city.asker, file.id, said)
    found = {(use.kind, use.subject, use.version) for use in lineage.uses(city.lake, city.asker, "stops", 1)}
    assert ("correction", f"correction/{made.id}", None) in found
    assert ("compacted", "dataset/stops", 2) in found
    assert ("same-file", "dataset/others", 1) in found
    assert ("checked", "dataset/stops", 1) in found
    kinds = {use.kind for use in lineage.uses(city.lake, staff("别处"), "stops", 1)}
    assert not kinds & {"correction", "checked", "matched"}


def test_what_a_check_did_not_look_at_is_not_corrected(city, pack):  # noqa: F811
    made = asked(city)
    manifest = pack / "city.toml"
    manifest.write_text(manifest.read_text("utf-8").replace('name = "name"\n', "", 2), encoding="utf-8")
    lines = "\n".join(["code,lon,lat", *(f"{code},{lon},{lat}" for code, _, lon, lat in GOOD)])
    (pack / "stops.csv").write_text(lines, encoding="utf-8")
    assert city.load(pack)["stops"].stage == "published"
    reviewed(city)
    left = corrections.correction(city.city, city.asker, made.id)
    assert (left.state, left.rules[0]["remaining"]) == ("open", 10)


def test_a_rule_is_known_again_where_another_one_before_it_is_gone(city, pack):  # noqa: F811
    fields = [{"name": "name", "required": True}]
    first, second = ({"kind": "never", "where": f"name = '第{n}站'"} for n in (998, 3))
    adopt_contract(
        city.city, city.asker, Contract(dataset="stops", fields=fields, rules=[first, second]), after=1
    )
    check = check_again(city.city, city.asker, "stops")
    made = corrections.request(city.city, city.asker, "stops", check.intent, ["never:2"])
    adopt_contract(city.city, city.asker, Contract(dataset="stops", fields=fields, rules=[second]), after=2)
    write_stops(pack, BETTER)
    city.load(pack)
    reviewed(city)
    left = corrections.correction(city.city, city.asker, made.id)
    assert (left.state, left.rules[0]["id"], left.rules[0]["remaining"]) == ("open", "never:1", 1)
    adopt_contract(city.city, city.asker, Contract(dataset="stops", fields=fields), after=3)
    write_stops(pack, GOOD)
    city.load(pack)
    reviewed(city)
    assert corrections.correction(city.city, city.asker, made.id).state == "open"
    adopt_contract(
        city.city, city.asker, Contract(dataset="stops", fields=fields, rules=[first, second]), after=4
    )
    write_stops(pack, GOOD[4:])
    city.load(pack)
    reviewed(city)
    left = corrections.correction(city.city, city.asker, made.id)
    assert (left.state, left.outcome, left.rules[0]["remaining"]) == ("closed", "corrected", 0)


def test_what_nobody_answered_cannot_be_accepted(city):
    made = asked(city)
    with pytest.raises(ConflictError):
        corrections.decide(city.city, city.asker, made.id, accept=True)
    assert corrections.correction(city.city, city.asker, made.id).state == "open"


def test_a_dataset_of_no_department_has_nobody_to_ask(city, pack):  # noqa: F811
    manifest = pack / "city.toml"
    manifest.write_text(manifest.read_text("utf-8").replace("交通局", "没有这个局"), encoding="utf-8")
    city.load(pack)
    with pytest.raises(BadRequestError, match="没有这个局"):
        asked(city)

"""Who is told what: every route, as everyone, against what the default policies mean.

The oracle below says in plain Python what the policies that a city starts with are meant to say. It never
asks the engine. Each value of each field is planted once in the whole city, so that an answer tells a field
exactly if it holds one of its values.
"""

from __future__ import annotations

import itertools
import json
import math
from contextlib import suppress
from dataclasses import dataclass, replace
from urllib.parse import quote

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable

from jingwei import access, ledger, registry
from jingwei.access import Asker, local_person
from jingwei.access.policy.vocabulary import with_implied
from jingwei.access.roles import roles
from jingwei.city import load_pack, open_city, read_manifest
from jingwei.ledger.models import Event
from jingwei.ledger.sealer import Sealer
from jingwei.web import OPEN, create_app
from jingwei.web.app import CITY_ROUTES
from jingwei.web.gate import Gate
from jingwei.web.policies import declarations

from .streams import PATIENCE, ends

HEALTH, WARD, POLICE = "11430000006122244L", "11100000000013338W", "12100000400000624D"
ROWS = 40
WEST, SOUTH = 114.0, 22.5


@dataclass(frozen=True)
class Planted:
    """A dataset as it was planted."""

    id: str
    owner: str
    sharing: str
    level: int
    personal: tuple[str, ...]
    plain: tuple[str, ...]
    area: bool = False

    def value(self, field, n):
        return f"{self.id}.{field}.{n:04d}"


DATASETS = {
    one.id: one
    for one in (
        Planted("shops", HEALTH, "unconditional", 1, ("keeper",), ("name",)),
        Planted("patients", HEALTH, "conditional", 2, ("name",), ("dose",)),
        Planted("wards", HEALTH, "conditional", 3, (), ("name",), area=True),
        Planted("homes", HEALTH, "conditional", 2, ("name",), (), area=True),
        Planted("secrets", HEALTH, "none", 3, ("who",), ("name",)),
        Planted("wanted", POLICE, "conditional", 4, ("name",), ("deed",)),
    )
}


def person(*roles, departments=(), purpose="", identifier="person/0"):
    duties = frozenset(itertools.product(roles, departments or [""]))
    return Asker(identifier, "某人", frozenset(roles), frozenset(departments), duties, purpose=purpose)


PEOPLE = {
    "local": local_person(),
    "citizen": person("citizen"),
    "staff elsewhere": person("staff", departments=[POLICE]),
    "staff of the owner": person("staff", departments=[HEALTH]),
    "staff of a section below": person("staff", departments=[WARD]),
    "staff of the owner, for a purpose": person("staff", departments=[HEALTH], purpose="随访"),
    "operator": person("operator"),
    "system administrator": person("system_administrator"),
    "security administrator": person("security_administrator"),
    "auditor": person("auditor"),
}

# --- the oracle: what the policies are meant to say ---


def is_local(who):
    return "local" in who.roles


def belongs(who, data):
    return data.owner in who.departments or (data.owner == HEALTH and WARD in who.departments)


def staff_like(who):
    return bool(who.roles & {"staff", "operator", "department_head"})


def open_to_operator(who, data):
    return "operator" in who.roles and data.sharing != "none" and data.level <= 3


def lists(who, data):
    return (
        is_local(who)
        or staff_like(who)
        or data.sharing == "unconditional"
        or bool(who.roles & {"system_administrator", "auditor"})
    )


def reads(who, data):
    is_open = data.sharing == "unconditional" and data.level <= 2
    return is_local(who) or is_open or belongs(who, data) or open_to_operator(who, data)


def counts(who, data):
    return is_local(who) or (bool(who.roles & {"staff", "operator"}) and data.sharing != "none")


def inspects(who, data):
    return is_local(who) or belongs(who, data) or "system_administrator" in who.roles


def sees(who, data, field):
    """Whether a field is shown as it is."""
    if is_local(who):
        return True
    if not reads(who, data):
        return False
    if field in data.personal:
        return belongs(who, data) and who.purpose != ""
    return belongs(who, data) or data.sharing == "unconditional" or open_to_operator(who, data)


ON_DATASETS = {
    "dataset.list": lists,
    "dataset.read": reads,
    "dataset.count": counts,
    "dataset.inspect": inspects,
    "dataset.publish": lambda who, data: is_local(who) or "system_administrator" in who.roles,
    "dataset.export": lambda who, data: (
        is_local(who) or belongs(who, data) or (data.sharing == "unconditional")
    ),
}
SYSTEM, SECURITY, AUDITOR = "system_administrator", "security_administrator", "auditor"
ON_THE_CITY = {
    "city.read": {"everyone"},
    "log.checkpoint": {"everyone"},
    "account.use": {"everyone"},
    "people.read": {SYSTEM, SECURITY, AUDITOR},
    "people.manage": {SYSTEM},
    "roles.manage": {SECURITY},
    "roles.appoint": {SYSTEM},
    "object.manage": {SYSTEM},
    "city.clock": {SYSTEM, "operator"},
    "intake.manage": {SYSTEM},
    "correction.manage": {SYSTEM},
    "matching.manage": {SYSTEM},
    "matching.review": {SYSTEM},
    "webhook.manage": {SYSTEM},
    "policy.read": {SECURITY, AUDITOR},
    "policy.change": {SECURITY},
    "log.read": {AUDITOR},
    "log.export": {AUDITOR},
    "case.manage": {SYSTEM},
    "case.attach": {"citizen"},
    "case.bar": set(),
    "case.announce": {"operator"},
    "case.field": set(),
    "hotline.take": {"hotline_taker", "hotline_supervisor"},
    "hotline.know": {"staff", "department_head", "hotline_taker", "hotline_supervisor", "hotline_reviewer"},
    "hotline.figures": {"leader", "hotline_taker", "hotline_supervisor", "hotline_reviewer"},
    "hotline.manage": {SYSTEM, "hotline_supervisor"},
    "case.figures": {
        "operator",
        "evaluator",
        "acceptor",
        "duty_chief",
        "dispatcher",
        "leader",
        "department_head",
    },
}


def may(who, action):
    return is_local(who) or bool(ON_THE_CITY[action] & (who.roles | {"everyone"}))


# --- the city ---


def manifest():
    lines = ['[city]\nid = "matrix"\nname = { zh = "方阵" }\nadcode = "990100"\n']
    titles = {HEALTH: "卫生局", POLICE: "公安局"}
    for data in DATASETS.values():
        place = (
            '{ geometry = "geometry", crs = "WGS84" }'
            if data.area
            else '{ lon = "lon", lat = "lat", crs = "WGS84" }'
        )
        fields = "".join(f"{name} = {{ personal = true }}\n" for name in data.personal)
        lines.append(
            f'[[source]]\nid = "{data.id}"\nfile = "{data.id}.{"geojson" if data.area else "csv"}"\n'
            f'title = {{ zh = "{data.id}" }}\nowner = "{titles[data.owner]}"\nsharing = "{data.sharing}"\n'
            f'level = {data.level}\nname = "name"\nkeys = ["name"]\nplace = {place}\n'
            + (f"[source.fields]\n{fields}" if fields else "")
        )
    return "\n".join(lines)


def place_of(data, n):
    return WEST + 0.01 * list(DATASETS).index(data.id) + 0.00037 * n, SOUTH + 0.00041 * n


def tile_of(data, zoom=16):
    """Return where to ask for a tile in which the first area is large enough to be drawn."""
    lon, lat = place_of(data, 0)
    x = (lon + 180) / 360
    y = 0.5 - math.asinh(math.tan(math.radians(lat + 5e-4))) / (2 * math.pi)
    return f"/api/datasets/{data.id}/tiles/{zoom}/{int(x * 2**zoom)}/{int(y * 2**zoom)}"


def write(folder):
    (folder / "city.toml").write_text(manifest(), "utf-8")
    for data in DATASETS.values():
        names = [*data.personal, *data.plain]
        rows = [[data.value(name, n) for name in names] for n in range(ROWS)]
        if data.area:
            features = []
            for n, row in enumerate(rows):
                x, y = place_of(data, n)
                ring = [[x, y], [x + 1e-3, y], [x + 1e-3, y + 1e-3], [x, y]]
                geometry = {"type": "Polygon", "coordinates": [ring]}
                features.append(
                    {
                        "type": "Feature",
                        "properties": dict(zip(names, row, strict=True)),
                        "geometry": geometry,
                    }
                )
            text = json.dumps({"type": "FeatureCollection", "features": features})
            (folder / f"{data.id}.geojson").write_text(text, "utf-8")
            continue
        text = ",".join([*names, "lon", "lat"]) + "\n"
        text += "".join(
            ",".join([*row, *(f"{v:.6f}" for v in place_of(data, n))]) + "\n" for n, row in enumerate(rows)
        )
        broken = [data.value(name, 9999) for name in names]
        text += ",".join([*broken, "999", "22.5"]) + "\n"
        (folder / f"{data.id}.csv").write_text(text, "utf-8")


class Seat(Gate):
    """Lets in whoever sits at the desk; what for is said by the request, as ever."""

    def __init__(self, desk):
        super().__init__(desk.city, OPEN)
        self.desk = desk

    def asker_without_asking(self, request):
        return None

    def asker_of(self, request, *, touch=True):
        return self.desk.who


class Desk:
    """The application, asked as whoever sits at it."""

    def __init__(self, city):
        self.city = city
        self.app = create_app(city, entry=OPEN)
        self.who = local_person()
        self.app.state.gate = Seat(self)
        self.client = TestClient(self.app, raise_server_exceptions=False)

    def ask(self, who, method, path, **more):
        self.who = who
        headers = {"Jingwei-Purpose": quote(who.purpose)} if who.purpose else {}
        return self.client.request(method, path, headers=headers | more.pop("headers", {}), **more)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("matrix")
    write(folder)
    with open_city(folder / "home", create=True) as city:
        with city.records.write() as session:
            access.add_department(session, local_person(), HEALTH, "卫生局")
            access.add_department(session, local_person(), WARD, "科", parent=HEALTH)
            access.add_department(session, local_person(), POLICE, "公安局")
        report = load_pack(city, read_manifest(folder), folder, None, local_person())
        assert report.complete
        Sealer(city.records, folder / "log").seal_all()
        yield Desk(city)


def told(answer):
    """Return which (dataset, field) an answer holds values of, as they are."""
    found = set()
    for data in DATASETS.values():
        for field in (*data.personal, *data.plain):
            if f"{data.id}.{field}.".encode() in answer.content:
                found.add((data.id, field))
    return found


def forbidden(who):
    return {
        (data.id, field)
        for data in DATASETS.values()
        for field in (*data.personal, *data.plain)
        if not sees(who, data, field)
    }


# --- routes ---

PARTS = {
    "{code}": "G001130230-2001",
    "{system}": "geosot",
    "{zone}": "G001130230-2001",
    "{fact}": "0",
    "{z}": "12",
    "{x}": "3345",
    "{y}": "1784",
    "{level}": "0",
    "{path:path}": "000.p/1",
    "{position}": "1",
    "{number}": "0",
    "{job}": "none",
    "{correction}": "1",
}
QUERIES = {
    "/corrections/files": {"correction": 1, "name": "a.csv"},
    "/codes/explain": {"q": "22.5, 114.0"},
    "/search": {"q": "name.00"},
    "/datasets/{dataset}/density": {"level": 14},
    "/policies/diff": {"old": 0, "new": 0},
    "/policies/explain/{dataset}": {"person": "local"},
}
ROUTES = [one for one in declarations(CITY_ROUTES) if ends(one.path)]


def address(path, dataset="shops"):
    for part, value in PARTS.items():
        path = path.replace(part, value)
    path = path.replace("{dataset}", dataset)
    return "/api" + "".join("none" if c.startswith("{") else c for c in _pieces(path))


def _pieces(path):
    out, rest = [], path
    while "{" in rest:
        before, _, after = rest.partition("{")
        name, _, rest = after.partition("}")
        out += [before, "{" + name]
    return [*out, rest]


def expected(who, route, data):
    """Return what the oracle expects of a route: `yes`, `no` (403) or `unknown` (404)."""
    if route.how != "allowed":
        return "yes"
    on_data = [name for name in route.actions if name in ON_DATASETS]
    if on_data:
        if not lists(who, data):
            return "unknown"
        return "yes" if any(ON_DATASETS[name](who, data) for name in on_data) else "no"
    if route.actions[0] in ("job.follow", "object.read", "correction.read", "correction.answer"):
        return "absent"  # there is none of that name, for anybody
    return "yes" if may(who, route.actions[0]) else "no"


@pytest.mark.parametrize("name", PEOPLE)
def test_every_route_answers_everyone_as_the_oracle_says(desk, name):
    who, wrong = PEOPLE[name], []
    for route in ROUTES:
        for data in DATASETS.values() if "{dataset}" in route.path else [DATASETS["shops"]]:
            answer = desk.ask(who, route.method, address(route.path, data.id), params=QUERIES.get(route.path))
            wanted, got = expected(who, route, data), answer.status_code
            right = {
                "yes": got < 500 and got not in (401, 403),
                "no": got == 403,
                "unknown": got == 404,
                "absent": got in (400, 404),
            }[wanted]
            leaked = told(answer) & forbidden(who)
            if not right or leaked:
                wrong.append((route.method, route.path, data.id, wanted, got, sorted(leaked)))
    assert wrong == []


def questions(data):
    """Return questions about a dataset that would tell all, were all permitted."""
    base = f"/api/datasets/{data.id}"
    x, y = place_of(data, 3)
    box = f"{x - 0.01},{y - 0.01},{x + 0.05},{y + 0.05}"
    region = {
        "type": "Polygon",
        "coordinates": [[[x - 1, y - 1], [x + 1, y - 1], [x + 1, y + 1], [x - 1, y - 1]]],
    }
    for form in ("json", "geojson", "arrow"):
        yield "GET", f"{base}/features", {"params": {"f": form}}
        yield "GET", f"{base}/features", {"params": {"f": form, "bbox": box}}
        yield "POST", f"{base}/features", {"params": {"f": form}, "json": {"region": region}}
    for field in (*data.personal, *data.plain):
        yield "GET", f"{base}/features", {"params": {"columns": field}}
        yield "GET", f"{base}/features", {"params": {"where": f"{field} LIKE '%'", "f": "json"}}
    yield "GET", f"{base}/features/3", {}
    yield "GET", f"{base}/points", {}
    yield "GET", base, {}
    yield "GET", f"{base}/versions", {}
    yield "GET", f"{base}/quarantine", {}
    yield "GET", "/api/search", {"params": {"q": f"{data.id}.", "limit": 50}}
    yield "GET", "/api/cells/G001130230", {"params": {"limit": 500}}
    for form in ("csv", "geojson", "parquet"):
        yield "GET", f"{base}/export", {"params": {"f": form}}
    yield "GET", f"{base}/tiles/0/0/0", {}
    yield "GET", tile_of(data), {}


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("dataset", DATASETS)
def test_no_answer_tells_a_field_that_the_oracle_forbids_and_together_they_tell_all_others(
    desk, name, dataset
):
    who, data = PEOPLE[name], DATASETS[dataset]
    seen, broken = set(), []
    for method, path, more in questions(data):
        answer = desk.ask(who, method, path, **more)
        seen |= told(answer)
        if answer.status_code >= 500:
            broken.append((method, path, more, answer.status_code))
    assert broken == []
    assert seen & forbidden(who) == set()
    own = {(data.id, field) for field in (*data.personal, *data.plain) if sees(who, data, field)}
    assert own <= seen


@pytest.mark.parametrize("name", PEOPLE)
def test_a_filter_finds_out_nothing_about_a_field_that_is_hidden(desk, name):
    """Asking for a value that is there is answered as asking for one that is not."""
    who = PEOPLE[name]
    for data in DATASETS.values():
        for field in (*data.personal, *data.plain):
            if sees(who, data, field):
                continue
            answers = [
                desk.ask(
                    who,
                    "GET",
                    f"/api/datasets/{data.id}/{what}",
                    params={"where": f"{field} = '{value}'", "level": 12, "f": "json"},
                )
                for what in ("features", "density")
                for value in (data.value(field, 3), "nothing.at.all")
            ]
            for there, absent in (answers[:2], answers[2:]):
                assert there.status_code == absent.status_code
                assert there.text.replace(data.value(field, 3), "nothing.at.all") == absent.text


@pytest.mark.parametrize("name", PEOPLE)
def test_lists_hold_what_may_be_listed_and_nothing_else(desk, name):
    who = PEOPLE[name]
    listed = {one["id"]: one for one in desk.ask(who, "GET", "/api/datasets").json()["datasets"]}
    assert set(listed) == {data.id for data in DATASETS.values() if lists(who, data)}
    for data in DATASETS.values():
        if data.id in listed:
            rights = set(listed[data.id]["rights"])
            assert rights == {
                right for right in ("read", "count", "export", "inspect", "publish")
                if ON_DATASETS[f"dataset.{right}"](who, data)
            }  # fmt: skip
    near = desk.ask(who, "GET", "/api/datasets/secret").text
    assert ("secrets" in near) is lists(who, DATASETS["secrets"])


@pytest.mark.parametrize("name", PEOPLE)
def test_objects_are_shown_to_whom_their_data_is(desk, name):
    who = PEOPLE[name]
    for data in DATASETS.values():
        with desk.city.records.write() as session:
            new = registry.NewObject(
                owner=f"dataset/{data.id}", key="1", kind="thing", title=f"{data.id}.title"
            )
            thing = registry.issue(session, local_person(), new)
        allowed = (
            is_local(who)
            or (data.sharing == "unconditional" and data.level <= 2)
            or belongs(who, data)
            or ("operator" in who.roles and data.sharing != "none")
        )
        for tail in ("", "/history", "/label"):
            answer = desk.ask(who, "GET", f"/api/objects/{thing.id}{tail}")
            assert answer.status_code == (200 if allowed else 403)
            assert allowed or f"{data.id}.title" not in answer.text


@pytest.mark.parametrize("name", PEOPLE)
def test_a_purpose_is_asked_for_where_stating_one_shows_more(desk, name):
    who = PEOPLE[name]
    for data in DATASETS.values():
        if not lists(who, data):
            continue
        fields, why = (*data.personal, *data.plain), replace(who, purpose="随访")
        more = any(sees(why, data, one) and not sees(replace(who, purpose=""), data, one) for one in fields)
        told_so = desk.ask(who, "GET", f"/api/datasets/{data.id}").json()["asks_purpose"]
        assert told_so is more, data.id


def test_personal_fields_on_tiles_follow_the_stated_purpose(desk):
    path, hidden = tile_of(DATASETS["homes"]), ("homes", "name")
    plain, stated = PEOPLE["staff of the owner"], PEOPLE["staff of the owner, for a purpose"]
    without, named = desk.ask(plain, "GET", path), desk.ask(stated, "GET", path)
    assert without.status_code == named.status_code == 200
    assert hidden not in told(without)
    assert hidden in told(named)
    # Withdrawn, what the browser kept of it is not confirmed, and the next answer hides it.
    kept = {"If-None-Match": named.headers["etag"]}
    assert desk.ask(stated, "GET", path, headers=kept).status_code == 304
    again = desk.ask(plain, "GET", path, headers=kept)
    assert again.status_code == 200
    assert again.content == without.content
    # The tile was a reading of personal fields, and its purpose is in the log.
    with desk.city.records.read() as session:
        question = ledger.of_types(["personal.read"], Event.subject, Event.actor, Event.data)
        told_by = {one.data["purpose"] for one in session.execute(question)
                   if (one.subject, one.actor) == ("dataset/homes", stated.id)}  # fmt: skip
    assert told_by == {"随访"}


@pytest.mark.parametrize("form", ["json", "geojson"])
def test_a_token_to_read_data_is_told_what_its_person_is(desk, form):
    who = PEOPLE["staff of the owner"]
    token = replace(who, only=with_implied({"dataset.read"}))
    for data in DATASETS.values():
        path, how = f"/api/datasets/{data.id}/features", {"params": {"f": form}}
        told_person, told_token = desk.ask(who, "GET", path, **how), desk.ask(token, "GET", path, **how)
        assert told_token.status_code == told_person.status_code
        assert told(told_token) == told(told_person)
    assert desk.ask(token, "GET", "/api/datasets/patients/export").status_code == 403


def test_a_refusal_names_no_rule_that_does_not_say_so(desk):
    answer = desk.ask(PEOPLE["citizen"], "GET", "/api/log")
    assert answer.status_code == 403
    assert answer.json()["where"] == {"action": "log.read"}


def test_a_kept_answer_is_not_given_to_who_may_not_have_it(desk):
    path = "/api/datasets/patients/features"
    owner = PEOPLE["staff of the owner"]
    first = desk.ask(owner, "GET", path)
    again = desk.ask(owner, "GET", path, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    stated = desk.ask(
        replace(owner, purpose="随访"), "GET", path, headers={"If-None-Match": first.headers["etag"]}
    )
    assert stated.status_code == 200
    other = desk.ask(PEOPLE["citizen"], "GET", path, headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 404


# --- whatever the OpenAPI document allows ---


@pytest.fixture(scope="module")
def operations(desk):
    document = schemathesis.openapi.from_asgi("/api/openapi.json", desk.app)
    return [one for one in (found.ok() for found in document.get_all_operations()) if ends(one.path)]


ASKING = {name: who for name, who in PEOPLE.items() if name != "local"}
ASKING |= {
    role: person(role)
    for role in roles()
    if role not in {one for who in ASKING.values() for one in who.roles}
}
"""Everyone of the matrix, and one of each role besides."""


def test_each_role_of_a_city_asks():
    assert {role for who in ASKING.values() for role in who.roles} == set(roles())


def asked_as_allowed(desk, operation, examples):
    """Ask as everyone what the document allows; return what broke, and what was told against the oracle."""
    wrong = []

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE))
    def ask(case):
        for name, desk.who in ASKING.items():
            answer = case.call(timeout=PATIENCE)
            if answer.status_code >= 500 or told(answer) & HIDDEN[name]:
                wrong.append((name, operation.label, answer.status_code, answer.request.url))

    with suppress(Unsatisfiable):
        ask()
    return wrong


HIDDEN = {name: forbidden(who) for name, who in ASKING.items()}
SHARES = 8
"""What the document allows is asked in so many tests, which may run beside each other."""


@pytest.mark.parametrize("part", range(SHARES))
def test_whatever_is_asked_breaks_nothing_and_tells_nothing_forbidden(desk, operations, part):
    assert [fault for one in operations[part::SHARES] for fault in asked_as_allowed(desk, one, 2)] == []


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("part", range(SHARES))
def test_much_more_is_asked_as_everyone(desk, operations, part):
    assert [fault for one in operations[part::SHARES] for fault in asked_as_allowed(desk, one, 60)] == []

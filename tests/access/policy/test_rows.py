"""The rows that a filter lets through are exactly those for which Cedar itself says yes."""

import json
import random

import duckdb
import pytest
from sqlalchemy import text

from jingwei.access import Asker
from jingwei.access.policy import NotFilterableError, Policies, Resource

DEPARTMENTS = [("D0", None), ("D1", "D0"), ("D2", "D1"), ("D3", "D0")]
COLUMNS = {
    name: name for name in ("owner", "level", "district", "open", "tags", "reporter", "note", "count", "id")
}
STAFF = Asker(
    id="person/1",
    name="甲",
    roles=frozenset({"staff"}),
    departments=frozenset({"D2"}),
    duties=frozenset({("staff", "D2")}),
)
OPTIONAL = {"reporter", "note", "count"}
ROWS_PER_POLICY = 40
POLICIES = 250
"""Together 10,000 pairs of policy and row for each engine."""


class Draw:
    """Random conditions that the schema would accept, optional attributes guarded or not."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def one_of(self, *makers):
        return self.random.choice(makers)()

    def long(self):
        return str(self.random.randint(-1, 4))

    def string(self):
        return json.dumps(
            self.random.choice(["a", "b", "ab", "A", "a*b", "50%", "_", "西湖", ""]), ensure_ascii=False
        )

    def department(self):
        return f'Department::"{self.random.choice(["D0", "D1", "D2", "D3", "D9"])}"'

    def person(self):
        return f'Person::"person/{self.random.randint(1, 3)}"'

    def number(self):
        return self.random.choice(["resource.level", "resource.count"])

    def words(self):
        return self.random.choice(["resource.district", "resource.note"])

    def pattern(self):
        return self.random.choice(['"a*"', '"*b"', '"*"', '"A*"', '"*%*"', '"_"', '"西*"', r'"*\*b"'])

    def leaf(self):
        r = self.random
        return self.one_of(
            lambda: f"{self.number()} {r.choice(['==', '!=', '<', '<=', '>', '>='])} {self.long()}",
            lambda: f"{self.long()} {r.choice(['<', '>='])} {self.number()}",
            lambda: "resource.level == resource.count",
            lambda: f"{self.words()} {r.choice(['==', '!='])} {self.string()}",
            lambda: f"{self.words()} like {self.pattern()}",
            lambda: f"[{self.string()}, {self.string()}].contains({self.words()})",
            lambda: f"resource.tags.contains({self.string()})",
            lambda: f"resource.tags.{r.choice(['containsAny', 'containsAll'])}([{self.string()}])",
            lambda: "resource.open",
            lambda: "resource.owner in principal.departments",
            lambda: "principal in resource.owner",
            lambda: f"resource.owner in {self.department()}",
            lambda: f"resource.owner in [{self.department()}, {self.department()}]",
            lambda: f"resource.owner == {self.department()}",
            lambda: "principal.departments.contains(resource.owner)",
            lambda: "resource.reporter == principal",
            lambda: f"resource.reporter in {self.person()}",
            lambda: f'resource == Thing::"{r.randint(0, 5)}"',
            lambda: "resource is Thing",
            lambda: "resource is Dataset",
            lambda: f"resource has {r.choice(sorted(OPTIONAL))}",
            lambda: f'principal in Role::"{r.choice(["staff", "operator"])}"',
            lambda: f"context.purpose == {self.string()}",
        )

    def condition(self, depth=3):
        if depth == 0 or self.random.random() < 0.25:
            return self.leaf()
        below = lambda: self.condition(depth - 1)  # noqa: E731
        return self.one_of(
            lambda: f"({below()} && {below()})",
            lambda: f"({below()} || {below()})",
            lambda: f"(!({below()}))",
            lambda: f"(if {below()} then {below()} else {below()})",
        )

    def policies(self):
        written = []
        for _ in range(self.random.randint(1, 3)):
            effect = self.random.choice(["permit", "permit", "forbid"])
            clause = self.random.choice(["when", "unless"])
            principal = self.random.choice(
                ["principal", 'principal in Role::"staff"', 'principal in Department::"D3"']
            )
            written.append(f"{effect} ({principal}, action, resource) {clause} {{ {self.condition()} }};")
        return "\n".join(written)

    def row(self, number):
        r = self.random
        made = {
            "id": str(number),
            "owner": r.choice(["D0", "D1", "D2", "D3"]),
            "level": r.randint(0, 3),
            "district": r.choice(["a", "b", "ab", "A", "a*b", "50%", "_", "西湖", ""]),
            "open": r.random() < 0.5,
            "tags": sorted(set(r.choices(["a", "b", "西湖"], k=r.randint(0, 3)))),
            "reporter": r.choice([None, "person/1", "person/2"]),
            "note": r.choice([None, "a", "ab", "西湖", "a*b"]),
            "count": r.choice([None, 0, 1, 2]),
        }
        if r.random() < 0.05:
            made[r.choice(["owner", "level", "district", "open", "tags"])] = None  # a fault in the data
        return made


def by_cedar(policies, rows):
    """Ask Cedar about each row."""
    allowed = set()
    for row in rows:
        known = {name: value for name, value in row.items() if name != "id" and value is not None}
        if policies.decide(STAFF, "thing.read", Resource("Thing", row["id"], known)).allowed:
            allowed.add(row["id"])
    return allowed


def select_duckdb(rows, found):
    sql, values = found.sql(COLUMNS, "duckdb")
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE thing (id TEXT, owner TEXT, level BIGINT, district TEXT, open BOOLEAN, tags TEXT[],"
            " reporter TEXT, note TEXT, count BIGINT)"
        )
        names = list(rows[0])
        marks = ", ".join("?" for _ in names)
        connection.executemany(
            f"INSERT INTO thing ({', '.join(names)}) VALUES ({marks})",
            [[row[n] for n in names] for row in rows],
        )
        return {row[0] for row in connection.execute(f"SELECT id FROM thing WHERE {sql}", values).fetchall()}


def select_records(records, rows, found):
    engine = records.engine.dialect.name
    sql, values = found.sql(COLUMNS, engine, placeholder=":p{}".format)
    json_type = "JSONB" if engine == "postgresql" else "TEXT"
    with records.engine.connect() as connection:
        connection.execute(
            text(
                "CREATE TEMPORARY TABLE thing (id TEXT, owner TEXT, level BIGINT, district TEXT,"
                f" open BOOLEAN, tags {json_type}, reporter TEXT, note TEXT, count BIGINT)"
            )
        )
        names = list(rows[0])
        marks = ", ".join(f":{n}" for n in names)
        filled = [row | {"tags": None if row["tags"] is None else json.dumps(row["tags"])} for row in rows]
        connection.execute(text(f"INSERT INTO thing ({', '.join(names)}) VALUES ({marks})"), filled)
        bound = {f"p{n}": value for n, value in enumerate(values, 1)}
        return {row[0] for row in connection.execute(text(f"SELECT id FROM thing WHERE {sql}"), bound)}


def differences(select):
    """Compare filter and Cedar over random policies and rows; return how many pairs agreed."""
    pairs, shown = 0, 0
    for seed in range(POLICIES):
        draw = Draw(seed)
        written = draw.policies()
        policies = Policies(written, 1, DEPARTMENTS)
        rows = [draw.row(n) for n in range(ROWS_PER_POLICY)]
        found = policies.rows(STAFF, "thing.read", "Thing")
        expected = by_cedar(policies, rows)
        assert select(rows, found) == expected, written
        pairs += len(rows)
        shown += len(expected)
    return pairs, shown


@pytest.mark.parametrize(
    "condition", ["resource.level + 1 < 3", 'resource.tags == ["a"]', "{a: resource.level} == {a: 1}"]
)
def test_what_cannot_be_put_as_a_filter_is_an_error_and_shows_nothing(condition):
    policies = Policies(f"permit (principal, action, resource) when {{ {condition} }};", 1)
    with pytest.raises(NotFilterableError):
        policies.rows(STAFF, "thing.read", "Thing").sql(COLUMNS, "duckdb")


def test_a_row_is_refused_where_a_required_column_is_not_known():
    policies = Policies("permit (principal, action, resource);", 1)
    found = policies.rows(STAFF, "thing.read", "Thing")
    assert found.everything
    assert found.sql({"id": "id", "owner": "owner"}, "duckdb") == ("FALSE", [])


def test_on_the_lake_the_filter_equals_cedar():
    pairs, shown = differences(select_duckdb)
    assert pairs == 10_000
    assert 1_000 < shown < 9_000  # the policies are neither all open nor all closed


def test_on_the_record_store_the_filter_equals_cedar(records):
    pairs, shown = differences(lambda rows, found: select_records(records, rows, found))
    assert pairs == 10_000
    assert 1_000 < shown < 9_000

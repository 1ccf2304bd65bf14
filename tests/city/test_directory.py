"""The directory of a pack: departments and people that a city starts with."""

import pytest

from jingwei import access
from jingwei.city.errors import BadDirectoryError

from .packs import write_pack

CITY, BUREAU, SECTION = "11100000000013338W", "11430000006122244L", "12100000400000624D"
DIRECTORY = """
[directory]
departments = { file = "departments.csv", code = "代码", title = "名称", parent = "上级" }
people = { file = "people.csv", encoding = "GB18030", login = "登录名", name = "姓名", role = "角色",\
  department = "部门" }
"""
DEPARTMENTS = f"代码,名称,上级\n{SECTION},市容科,{BUREAU}\n{BUREAU},城管局,{CITY}\n{CITY},市政府,\n"
PEOPLE = f"""登录名,姓名,角色,部门
wang,王芳,staff,{SECTION}
Wang,王芳,evaluator,
shen,沈默,auditor,{BUREAU}
li,李想,,
"""


@pytest.fixture
def load(opened, tmp_path):
    def with_tables(departments=DEPARTMENTS, people=PEOPLE):
        folder = write_pack(tmp_path / "pack")
        manifest = folder / "city.toml"
        if "[directory]" not in manifest.read_text("utf-8"):
            head, _, rest = manifest.read_text("utf-8").partition("[[source]]")
            manifest.write_text(f"{head}{DIRECTORY}\n[[source]]{rest}", "utf-8")
        (folder / "departments.csv").write_text(departments, "utf-8")
        (folder / "people.csv").write_text(people, "gb18030")
        opened.load(folder)
        return opened.city.records

    return with_tables


def held(records):
    with records.read() as session:
        return {one.login: {(d.role, d.department) for d in one.duties} for one in access.people(session)}


def test_departments_and_people_are_added_in_whatever_order_they_come(load):
    records = load()
    with records.read() as session:
        assert {one.code: one.parent for one in access.departments(session)} == {
            CITY: None,
            BUREAU: CITY,
            SECTION: BUREAU,
        }
    # The three administrators are for the whole city, wherever they sit.
    assert held(records) == {
        "wang": {("staff", SECTION), ("evaluator", "")},
        "shen": {("auditor", "")},
        "li": set(),
    }


def test_what_administrators_changed_since_stays(load, opened):
    records = load()
    with records.write() as session:
        (wang,) = access.people(session, search="wang")
        access.take_role(session, opened.asker, wang.id, "evaluator")
        access.change_department(session, opened.asker, SECTION, title="市容处", parent=CITY)
    before = held(records)
    assert held(load(people=PEOPLE + f"zhao,赵敏,staff,{BUREAU}\n")) == before | {"zhao": {("staff", BUREAU)}}
    with records.read() as session:
        assert access.department(session, SECTION).title == "市容处"


@pytest.mark.parametrize(
    ("tables", "row"),
    [
        ({"departments": DEPARTMENTS + "123,坏,\n"}, 5),
        ({"departments": f"代码,名称,上级\n{BUREAU},城管局,{CITY}\n"}, 2),
        ({"departments": "代码,名称\n"}, 1),
        ({"people": PEOPLE + "zhao,赵敏,king,\n"}, 6),
        ({"people": PEOPLE + "shen2,沈二,staff,11100000000013339X\n"}, 6),
        ({"people": PEOPLE + "x,,staff,\n"}, 6),
        ({"people": "登录名,姓名,角色,部门\na,甲,auditor,\na,甲,system_administrator,\n"}, 3),
    ],
)
def test_a_fault_names_its_row_and_nothing_is_added(load, opened, tables, row):
    with pytest.raises(BadDirectoryError) as caught:
        load(**tables)
    assert caught.value.where["row"] == row
    assert held(opened.city.records) == {}
    with opened.city.records.read() as session:
        assert access.departments(session) == []

import pytest

from jingwei.cases.errors import BadFieldError, UnknownTypeError
from jingwei.cases.types import CaseType, Catalogue, component_id_2026
from jingwei.words import Text

CATALOGUE = Catalogue()


def test_the_standard_has_153_components_and_250_matters():
    kinds = [one.kind for one in CATALOGUE]
    assert (kinds.count("component"), kinds.count("matter")) == (153, 250)


def test_a_code_means_another_thing_as_component_and_as_matter():
    assert CATALOGUE.get("component", "01001").name.zh == "供水井盖"
    assert CATALOGUE.get("matter", "01001").name.zh == "供水井盖异常"


def test_every_matter_of_majors_1_to_5_is_what_is_wrong_with_its_component():
    for one in CATALOGUE:
        if one.kind == "matter" and one.code < "06":
            wrong = CATALOGUE.get("component", one.code).name.zh + "异常"
            assert sorted(one.name.zh) == sorted(wrong)  # 紧急报警点异常SOS puts it in the middle


@pytest.mark.parametrize(("kind", "code"), [("component", "01016"), ("matter", "1001"), ("event", "06001")])
def test_unknown_types_are_refused(kind, code):
    with pytest.raises(UnknownTypeError):
        CATALOGUE.get(kind, code)


@pytest.mark.parametrize(
    ("kind", "old", "name", "new", "by"),
    [
        ("component", "0101", None, "01001", "number"),
        ("component", "0103", "雨水井盖", "01003", "number and name"),
        ("matter", "0102", "店面无证装修", "06002", "number and name"),
        ("matter", "0507", "道路积雪、结冰", "10001", "number and name"),  # moved
        ("component", "0219", "渠化岛", "02019", "number"),  # renamed by the standard
        ("matter", "0199", "违规小产权房", None, "nothing"),  # a city's own
    ],
)
def test_codes_of_2013(kind, old, name, new, by):
    mapped = CATALOGUE.from_2013(kind, old, name)
    assert (mapped.type.code if mapped.type else None, mapped.by) == (new, by)


def test_an_inventory_of_2013_gets_codes_of_2026():
    assert component_id_2026("3205080101000001", CATALOGUE) == "32050801001000001"
    assert component_id_2026("32050801001000001", CATALOGUE) == "32050801001000001"
    with pytest.raises(UnknownTypeError):
        component_id_2026("3205080199000001", CATALOGUE)
    with pytest.raises(BadFieldError):
        component_id_2026("32050801", CATALOGUE)


def test_a_city_adds_types_but_takes_no_number_of_the_standard():
    mine = CaseType("matter", "06099", Text("违规小产权房"), Text("市容环境类"), "0199", local=True)
    city = Catalogue([mine])
    assert city.get("matter", "06099") is mine
    assert city.from_2013("matter", "0199", "违规小产权房").type is mine
    with pytest.raises(BadFieldError):
        Catalogue([CaseType("matter", "06001", Text("占用"), Text(""))])

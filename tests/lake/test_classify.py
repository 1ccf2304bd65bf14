"""Fields that tell of a person are known by their names, in simplified and traditional characters."""

import pytest

from jingwei.lake.classify import classify
from jingwei.lake.schemas import Column


@pytest.mark.parametrize(
    ("name", "personal"),
    [
        ("姓名", True),
        ("联系电话", True),
        ("聯絡電話", True),
        ("身分證字號", True),
        ("申請人", True),
        ("出生日期", True),
        ("站點編號", False),
        ("機構", False),
    ],
)
def test_a_field_of_a_person_is_known_by_its_name(name, personal):
    found = classify([Column(name, "string")], None, level=1, declared={}, known={})
    assert (found[name].personal, found[name].level) == ((True, 3) if personal else (False, 1))

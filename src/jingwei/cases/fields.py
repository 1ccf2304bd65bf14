"""What is given with a step: checked before anything happens."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from jingwei.cases.errors import BadFieldError, MissingFieldError
from jingwei.cases.events import INPUTS, WORDS
from jingwei.cases.lifecycle import Transition
from jingwei.cases.words import check_words
from jingwei.words import Text

MOST_PHOTOS, MOST_DEPARTMENTS = 20, 20
LONGEST = 200
CHOICES: dict[str, tuple[str, ...]] = {
    "finding": ("exist", "not_exist", "unable"),
    "verdict": ("pass", "not_pass", "unable"),
}
_SCORES = ("result_score", "service_score")
_LISTS = {
    "photos": MOST_PHOTOS,
    "before": MOST_PHOTOS,
    "shown": MOST_PHOTOS,
    "co_departments": MOST_DEPARTMENTS,
}


def check_fields(one: Transition, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a step as they are to be used; those left out are not in it.

    Raises
    ------
    MissingFieldError, BadFieldError
        Where one is missing, unknown to the step, or cannot be taken.

    """
    known = (*one.needs, *one.takes)
    for name in given:
        if name not in known:
            raise BadFieldError(
                name, Text(f"此步骤没有 {name[:40]} 一项", f"this step takes no {name[:40]}.")
            )
    fields = {name: _check(name, given[name]) for name in known if given.get(name) not in (None, "", (), [])}
    for name in one.needs:
        if name not in fields:
            raise MissingFieldError(name, INPUTS[name])
    return fields


def _check(name: str, value: Any) -> Any:
    if name in WORDS:
        return check_words(name, value)
    if name in _LISTS:
        return _check_list(name, value)
    if name in CHOICES:
        if value not in CHOICES[name]:
            raise _bad(name, f"应为 {'、'.join(CHOICES[name])} 之一", f"is one of {', '.join(CHOICES[name])}")
        return value
    if name in _SCORES:
        if not isinstance(value, int) or not 1 <= value <= 5:
            raise _bad(name, "应为 1 至 5", "is 1 to 5")
        return value
    if name == "days":
        if not isinstance(value, int) or not 1 <= value <= 3650:
            raise _bad(name, "应为正整数", "is a whole number of days")
        return value
    if name == "due":
        return _check_time(name, value)
    if name == "place":
        return _check_place(value)
    if not isinstance(value, str) or len(value) > LONGEST:
        raise _bad(name, f"应为不超过 {LONGEST} 字的文字", f"is text of at most {LONGEST} characters")
    return value.strip()


def _check_list(name: str, value: Any) -> list[str]:
    if (
        not isinstance(value, list | tuple)
        or len(value) > _LISTS[name]
        or not all(isinstance(one, str) and 0 < len(one) <= LONGEST for one in value)
    ):
        raise _bad(name, f"应为至多 {_LISTS[name]} 项的列表", f"is a list of at most {_LISTS[name]}")
    return list(dict.fromkeys(value))


def _check_time(name: str, value: Any) -> str:
    try:
        when = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        when = None
    if when is None or when.tzinfo is None:
        raise _bad(name, "应为带时区的 ISO 8601 时间", "is an ISO 8601 time with its zone")
    return when.isoformat()


def _check_place(value: Any) -> tuple[float, float]:
    try:
        lon, lat = (float(number) for number in value)
    except (TypeError, ValueError):
        lon = lat = float("nan")
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise _bad("place", "应为经度、纬度（度）", "is longitude and latitude in degrees")
    return lon, lat


def _bad(name: str, zh: str, en: str) -> BadFieldError:
    return BadFieldError(name, Text(f"{INPUTS[name].zh}{zh}", f"{INPUTS[name].en} {en}."))

"""What a city decides about its hotline: kinds of demand, how soon each is answered, how calls are reviewed.

A part of the city's regime, in versions like rules and calendar. What it says where nothing was decided: the
five kinds of demand of 接诉即办, and the limits that Beijing's standard names by how pressing a demand is
(dispatch within 1 h, 2 h, 24 h; reply within 2 h, 24 h, 7 and 15 days).
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from jingwei.cases.clocks import Limit, Unit
from jingwei.cases.errors import BadFieldError
from jingwei.words import Text

_KEY = re.compile(r"[a-z][a-z_]{0,19}")
MOST_ITEMS = 30
LONGEST = 60
MOST_POINTS = 100


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of demand, or how pressing one is: its key and its names."""

    key: str
    zh: str
    en: str = ""

    @property
    def says(self) -> Text:
        """What it is called."""
        return Text(self.zh, self.en)


class ReplyClock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How soon a demand is dispatched and its caller is answered.

    Attributes
    ----------
    kind, urgency
        Of which demands; empty for all. Who names both goes before who names one.
    dispatch, reply
        The limits, from the moment of the call.

    """

    dispatch: Limit
    reply: Limit
    kind: str = ""
    urgency: str = ""


class SheetItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that a reviewer looks at, and how many points it can have."""

    key: str
    zh: str
    en: str
    most: int

    @property
    def says(self) -> Text:
        """What is looked at."""
        return Text(self.zh, self.en)


_HOUR: Unit = "urgent_hour"
_DAY: Unit = "natural_day"
_KINDS = (
    Named("consult", "咨询", "question"),
    Named("ask", "求助", "request for help"),
    Named("complain", "投诉", "complaint"),
    Named("report", "举报", "report of a wrong"),
    Named("suggest", "建议", "suggestion"),
)
_URGENCIES = (
    Named("ordinary", "一般", "ordinary"),
    Named("utility", "水电气热、极端天气", "water, power, gas, heat, extreme weather"),
    Named("emergency", "紧急（危及生命财产、公共安全）", "emergency: life, property, public safety"),
    Named("complex", "复杂（多部门）", "complex: several departments"),
)
_CLOCKS = (
    ReplyClock(Limit(_HOUR, 24), Limit(_DAY, 7)),
    ReplyClock(Limit(_HOUR, 2), Limit(_HOUR, 24), urgency="utility"),
    ReplyClock(Limit(_HOUR, 1), Limit(_HOUR, 2), urgency="emergency"),
    ReplyClock(Limit(_HOUR, 24), Limit(_DAY, 15), urgency="complex"),
    ReplyClock(Limit(_HOUR, 24), Limit("work_day", 5), kind="consult", urgency="ordinary"),
)
_SHEET = (
    SheetItem("greeting", "规范用语、态度", "Courtesy and set phrases", 20),
    SheetItem("listening", "倾听，问清诉求和位置", "Listening; demand and place made clear", 25),
    SheetItem("answer", "答复准确，依据知识库", "The answer is right and from the articles", 30),
    SheetItem("record", "记录完整，归类正确", "The record is whole and of the right kind", 25),
)


class Hotline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a city decided about its hotline.

    Attributes
    ----------
    kinds, urgencies
        Of what kind demands are, and how pressing. What calls bear stays in the list.
    clocks
        How soon what is answered; one entry is for all.
    sheet
        By what calls are reviewed.
    answer_seconds
        Within how many seconds a call is to be answered.
    keep_number_days
        For how long callers' numbers are kept; what remains tells no number.
    department
        The code of the department that owns the records of calls: policies ask for it.

    """

    kinds: tuple[Named, ...] = _KINDS
    urgencies: tuple[Named, ...] = _URGENCIES
    clocks: tuple[ReplyClock, ...] = _CLOCKS
    sheet: tuple[SheetItem, ...] = _SHEET
    answer_seconds: int = 15
    keep_number_days: int = 730
    department: str = ""

    def clock(self, kind: str, urgency: str) -> ReplyClock:
        """Return how soon a demand is answered: by the entry that says most about it."""
        fitting = [one for one in self.clocks if one.kind in ("", kind) and one.urgency in ("", urgency)]
        return max(fitting, key=lambda one: ((one.kind != "") + (one.urgency != ""), one.urgency != ""))


def check(valid: Hotline) -> None:
    """Raise `BadFieldError` unless every demand has a clock and every review adds up."""
    for field, listed in (("kinds", valid.kinds), ("urgencies", valid.urgencies), ("sheet", valid.sheet)):
        keys = [one.key for one in listed]
        named = all(_KEY.fullmatch(one.key) and 0 < len(one.zh.strip()) <= LONGEST for one in listed)
        if not 0 < len(keys) <= MOST_ITEMS or len(set(keys)) != len(keys) or not named:
            raise BadFieldError(
                field,
                Text(
                    f"应为 1 至 {MOST_ITEMS} 项，键为小写字母且不重复，名称不超过 {LONGEST} 字",
                    f"has 1 to {MOST_ITEMS} entries with different keys (small letters) and short names.",
                ),
            )
    _check_clocks(valid)
    if not all(1 <= one.most <= MOST_POINTS for one in valid.sheet):
        raise BadFieldError(
            "sheet", Text(f"每项 1 至 {MOST_POINTS} 分", f"each item has 1 to {MOST_POINTS} points.")
        )
    for field, value, most in (
        ("answer_seconds", valid.answer_seconds, 600),
        ("keep_number_days", valid.keep_number_days, 3650),
    ):
        if not 1 <= value <= most:
            raise BadFieldError(field, Text(f"应为 1 至 {most}", f"is 1 to {most}."))


def _check_clocks(valid: Hotline) -> None:
    kinds = {"", *(one.key for one in valid.kinds)}
    urgencies = {"", *(one.key for one in valid.urgencies)}
    whose = [(one.kind, one.urgency) for one in valid.clocks]
    known = all(kind in kinds and urgency in urgencies for kind, urgency in whose)
    if ("", "") not in whose or len(set(whose)) != len(whose) or not known:
        raise BadFieldError(
            "clocks",
            Text(
                "应有一项适用于全部诉求，其余各指明已有的类别或紧急程度，互不重复",
                "one entry is for all demands; each other names a known kind or urgency, none twice.",
            ),
        )
    for one in valid.clocks:
        if not (0 < one.dispatch.amount <= 365 and 0 < one.reply.amount <= 365):
            raise BadFieldError(
                "clocks", Text("时限应大于 0、不超过 365", "limits are above 0 and 365 at most.")
            )


def entries(content: dict[str, Any]) -> dict[str, Any]:
    """Return what a version is made of, each entry by its key."""
    found: dict[str, Any] = {}
    for name, value in content.items():
        if name == "clocks":
            found |= {f"clocks/{one.get('kind', '')}/{one.get('urgency', '')}": one for one in value}
        elif name in ("kinds", "urgencies", "sheet"):
            found |= {f"{name}/{one['key']}": one for one in value}
        else:
            found[name] = value
    return found

"""The files of the case desk: who has which duty, by which rules, and the last cases step by step.

The last days are told backwards: each case is given the point of its life at which it stands when the
history ends, and the steps that led there, taken by people who may take them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from jingwei.city.demo import clock
from jingwei.city.demo.cases import COLLECTOR, Cases
from jingwei.city.demo.departments import STAFF_FILE, Official
from jingwei.city.demo.files_calls import Step, write_calls
from jingwei.city.demo.files_cases import numbers_of
from jingwei.city.demo.files_places import default_point
from jingwei.city.demo.forms import write_csv
from jingwei.city.demo.matters import ENGLISH, MATTERS, Matter
from jingwei.city.demo.names import english_name
from jingwei.city.demo.pack import Pack

DUTIES_FILE, RULES_FILE, STEPS_FILE = "职责分工.csv", "立案规则.csv", "在办案件.csv"
PHOTOS_FOLDER = "现场照片"
PHOTO_WIDTH, PHOTO_HEIGHT = 360, 250
LIVE = {"tiny": 60, "S": 240, "M": 600}
"""Cases that are told step by step, by scale; unknown scales have those of S."""
CHANNELS = {
    "随手拍": "public", "12345热线": "hotline", "12319热线": "hotline", "政府信箱": "internet",
    "电话": "phone", COLLECTOR: "collector",
}  # fmt: skip
ROLES = {
    "分管领导": ["case_leader"], "科室负责人": ["case_department"], "处置人员": ["case_handler"],
    "受理员": ["case_acceptor", "hotline_taker"],
    "值班长": ["case_duty_chief", "hotline_supervisor"], "派遣员": ["case_dispatcher"],
}  # fmt: skip
"""What the posts of the government are in the life of a case; collectors and inspectors have their roles."""


def write_desk(pack: Pack, cases: Cases) -> None:
    """Write duties, rules and the steps of the last cases, and what the manifest says of cases."""
    _duties(pack)
    _rules(pack)
    steps = _steps(pack, cases)
    hotline = write_calls(pack, cases, numbers_of(cases).tolist(), steps, _end(pack))
    names = _area_names(pack)
    pack.cases = {
        "settings": {
            "division": "390100", "area_names": names,
            "area_names_en": {code: english_name(name) for code, name in names.items()},
        },
        "default_points": [[*default_point(pack), "政务服务中心"]],
        "staff": {
            "file": STAFF_FILE, "encoding": "GB18030", "login": "登录名", "post": "岗位",
            "department": "部门代码", "area": "责任社区", "roles": ROLES,
        },
        "grids": {
            "source": "unit_grids", "code": "网格编码", "duty_grid": "社区代码", "grade": "管理等级",
        },
        "duties": {
            "file": DUTIES_FILE, "area": "区域代码", "kind": "种类", "type": "类别代码",
            "department": "部门代码",
        },
        "components": {
            "source": "components", "code": "管理部件标识码", "name": "管理部件名称",
            "department": "主管部门代码",
            "area": "所在单元网格标识码", "lon": "经度", "lat": "纬度",
        },
        "rules": {"file": RULES_FILE},
        "history": {
            "source": "cases", "system": "cases", "key": "案件编号", "when": "上报时间", "state": "状态",
            "states": {
                "待派遣": {"state": "pending_dispatch"}, "处置中": {"state": "pending_handle"},
                "待核查": {"state": "pending_check"}, "已结案": {"state": "closed"},
            },
            "types": ["大类", "类别名称"], "channel": "问题来源", "channels": CHANNELS,
            "late": "是否超期", "late_words": {"逾期": True, "按期": False}, "area": "单元网格",
            "unit": "处置部门", "lon": "经度", "lat": "纬度", "description": "问题描述",
            "component": "部件标识码", "hours": "处置时限小时",
            "times": {
                "accepted": "受理时间", "dispatched": "派遣时间", "confirmed": "处置时间",
                "closed": "结案时间",
            },
        },
        "steps": {
            "file": STEPS_FILE, "case": "案件编号", "action": "步骤", "time": "时间", "person": "登录名",
            "fields": "内容", "until": _end(pack).isoformat(),
        },
        **hotline,
    }  # fmt: skip


def _area_names(pack: Pack) -> dict[str, str]:
    """Return the names of districts, streets and communities by their codes."""
    divisions = pack.town.layout.divisions
    levels = (divisions.districts, divisions.streets, divisions.communities)
    return {str(code): str(name) for one in levels for code, name in zip(one.codes, one.names, strict=True)}


def _duties(pack: Pack) -> None:
    write_csv(
        pack.folder / DUTIES_FILE,
        {
            "区域代码": np.full(len(MATTERS), "", dtype=object),
            "种类": np.full(len(MATTERS), "matter", dtype=object),
            "类别代码": np.array([one.code for one in MATTERS], dtype=object),
            "类别名称": np.array([one.name for one in MATTERS], dtype=object),
            "部门代码": np.array(
                [pack.town.departments[one.department].code for one in MATTERS], dtype=object
            ),
        },
        "UTF-8",
    )


def _rules(pack: Pack) -> None:
    """Write two rules for each matter: one for what can wait, one for what endangers people."""
    rows = [
        {
            "编号": f"{matter.code}-{grade}",
            "种类": "事项",
            "代码": matter.code,
            "小类": matter.name,
            "小类英文": ENGLISH.get(matter.code, ""),
            "大类": matter.category,
            "立案条件": f"发现{matter.name}" if grade == 1 else f"{matter.name}，影响通行或危及安全",
            "结案条件": "问题消除，现场恢复原状" if grade == 1 else "险情排除，现场设防护，恢复正常",
            "处置时限": _limit(matter.limit)
            if grade == 1
            else f"{max(1, round(matter.limit / 2))}紧急工作时",
            "处置单位": pack.town.departments[matter.department].name,
            "监管单位": pack.town.departments["urban-management"].name,
        }
        for matter in MATTERS
        for grade in (1, 2)
    ]
    columns = {name: np.array([row[name] for row in rows], dtype=object) for name in rows[0]}
    write_csv(pack.folder / RULES_FILE, columns, "UTF-8")


def _limit(hours: float) -> str:
    """Return a limit as rules tell it: short ones run through the night, days are working days."""
    if hours <= 2:
        return f"{hours:g}紧急工作时"
    if hours < 24:
        return f"{hours:g}工作时"
    return f"{hours / 24:g}工作日" if hours <= 240 else f"{hours / 24:g}自然日"


@dataclass(frozen=True, slots=True)
class _Fate:
    """A point of life that cases have reached: its share, its steps with the minutes before each, its age.

    A number in `age` is minutes; with `of_limit` it is a share of the handling limit.
    """

    share: float
    steps: tuple[tuple[str, float], ...]
    age: tuple[float, float]
    outside: bool = False
    of_limit: bool = False


_TO_DISPATCH = (("register", 8.0),)
_TO_DEPARTMENT = (*_TO_DISPATCH, ("dispatch", 9.0))
_TO_HANDLER = (*_TO_DEPARTMENT, ("assign", 25.0))
_TO_FINISH = (*_TO_HANDLER, ("submit", 70.0))
_TO_CHECK = (*_TO_FINISH, ("confirm", 20.0))
_TO_CHECKED = (*_TO_CHECK, ("send_check", 10.0), ("check", 22.0))
_FATES = (
    _Fate(0.05, (), (2, 40), outside=True),
    _Fate(0.04, (), (2, 25)),
    _Fate(0.03, (("accept", 6.0), ("send_verify", 3.0)), (3, 40), outside=True),
    _Fate(0.02, (("accept", 6.0), ("send_verify", 3.0), ("verify", 18.0)), (2, 20), outside=True),
    _Fate(0.05, _TO_DISPATCH, (2, 25)),
    _Fate(0.08, _TO_DEPARTMENT, (0.02, 1.25), of_limit=True),
    _Fate(0.10, _TO_HANDLER, (0.02, 1.3), of_limit=True),
    _Fate(0.02, (*_TO_DEPARTMENT, ("return_to_dispatcher", 30.0)), (3, 60)),
    _Fate(0.03, (*_TO_DEPARTMENT, ("invite", 12.0), ("assign", 20.0)), (0.05, 0.8), of_limit=True),
    _Fate(0.02, (*_TO_HANDLER, ("ask_extension", 40.0)), (5, 60)),
    _Fate(0.02,
          (*_TO_HANDLER, ("ask_extension", 30.0), ("support_extension", 15.0), ("grant_extension", 12.0)),
          (0.05, 0.9), of_limit=True),
    _Fate(0.02, (*_TO_HANDLER, ("ask_suspension", 35.0)), (5, 60)),
    _Fate(0.02, (*_TO_HANDLER, ("ask_suspension", 30.0), ("support_suspension", 15.0), ("suspend", 12.0)),
          (600, 4000)),
    _Fate(0.04, _TO_FINISH, (5, 60)),
    _Fate(0.04, _TO_CHECK, (3, 45)),
    _Fate(0.03, (*_TO_CHECK, ("send_check", 10.0)), (3, 45)),
    _Fate(0.02, (*_TO_CHECKED, ("rework", 8.0)), (0.02, 0.6), of_limit=True),
    _Fate(0.03, (*_TO_CHECKED, ("propose_close", 6.0)), (3, 40)),
    _Fate(0.02, (*_TO_HANDLER, ("order", 20.0)), (0.3, 0.9), of_limit=True),
    _Fate(0.02, (("reject", 9.0),), (100, 6000)),
    _Fate(0.02, (), (100, 6000)),  # put right on the spot
    _Fate(0.20, (*_TO_CHECKED, ("close", 7.0)), (60, 9000)),
    _Fate(0.08, (*_TO_CHECKED, ("close", 7.0), ("evaluate", 300.0)), (60, 6000)),
)  # fmt: skip
_SELF_HANDLED = 20
"""Index of what collectors put right on the spot."""

_FIELDS: dict[str, dict[str, Any]] = {
    "verify": {"finding": "exist"},
    "reject": {"reason": "不属于城市管理受理范围"},
    "return_to_dispatcher": {"reason": "现场权属不属于本单位，请重新派遣"},
    "ask_extension": {"reason": "所需配件尚未到货"},
    "ask_suspension": {"reason": "与在建工程交叉，须待其完工", "days": 30},
    "check": {"verdict": "pass"},
    "rework": {"reason": "现场仍有遗留，请继续处置"},
    "close": {"closing": "问题消除，现场恢复原状"},
    "order": {"words": "群众多次反映，请抓紧办理并回复"},
    "evaluate": {"result_score": 4, "service_score": 5},
}


class _Actors:
    """Who takes which step: of each post one or another, by the case's number."""

    def __init__(self, pack: Pack) -> None:
        self.departments = pack.town.departments
        self.staff = pack.town.government.staff

    def of(self, post: str, turn: int, department: str = "", area: str = "") -> Official:
        """Return somebody of a post, of a department, who walks an area where asked."""
        code = self.departments[department].code if department else ""
        found = [
            one
            for one in self.staff
            if one.post == post and code in ("", one.department) and area in ("", one.area)
        ]
        return found[turn % len(found)]


_STEPS_OF = {
    "acceptor": ("accept", "send_verify", "register", "reject", "send_check", "rework", "propose_close"),
    "collector": ("verify", "check"),
    "dispatcher": ("dispatch", "grant_extension", "suspend", "invite"),
    "head": ("assign", "confirm", "return_to_dispatcher", "support_extension", "support_suspension"),
    "handler": ("submit", "ask_extension", "ask_suspension"),
    "duty-chief": ("close",),
    "leader": ("order",),
    "inspector": ("evaluate",),
}
_POST_OF = {action: post for post, actions in _STEPS_OF.items() for action in actions}
_OF_THE_DEPARTMENT = ("head", "handler")


def _end(pack: Pack) -> datetime:
    """Return the last moment of the history, local."""
    minutes = (pack.town.world.last_step + clock.ZONE_STEPS) * clock.MINUTES
    return datetime(1970, 1, 1) + timedelta(minutes=int(minutes))  # noqa: DTZ001 -- local, as the file is


def _steps(pack: Pack, cases: Cases) -> list[Step]:
    """Write the steps of the last cases; return them in order."""
    random = pack.town.settings.draws("desk")
    scale = pack.town.settings.scale.key
    count = min(len(cases), LIVE.get(scale, LIVE["S"]))
    last = np.arange(len(cases) - count, len(cases))
    numbers = numbers_of(cases)
    rows: list[tuple[str, str, datetime, str, str]] = []
    actors = _Actors(pack)
    for turn, (index, fate) in enumerate(zip(last.tolist(), _fates(random, cases, last), strict=True)):
        rows += _life(pack, cases, int(index), fate, str(numbers[index]), turn, actors, random)
    rows.sort(key=lambda row: row[2])
    names = ("案件编号", "步骤", "时间", "登录名", "内容")
    texts = [
        (key, action, when.isoformat(sep=" ", timespec="seconds"), *rest) for key, action, when, *rest in rows
    ]
    columns = {name: np.array([row[at] for row in texts], dtype=object) for at, name in enumerate(names)}
    write_csv(pack.folder / STEPS_FILE, columns, "UTF-8")
    return rows


def _fates(random: np.random.Generator, cases: Cases, last: Any) -> list[int]:
    """Return for each case the point of life that it has reached, one that suits how it was reported."""
    shares = np.array([fate.share for fate in _FATES])
    collected = cases.channel[last] == COLLECTOR
    found = []
    for from_collector in collected.tolist():
        fits = np.array(
            [
                (not fate.outside or not from_collector) and (number != _SELF_HANDLED or from_collector)
                for number, fate in enumerate(_FATES)
            ]
        )
        weights = shares * fits
        found.append(int(random.choice(len(_FATES), p=weights / weights.sum())))
    return found


def _life(
    pack: Pack,
    cases: Cases,
    index: int,
    fate: int,
    number: str,
    turn: int,
    actors: _Actors,
    random: np.random.Generator,
) -> list[tuple[str, str, datetime, str, str]]:
    """Return the steps of a case: number, step, time, who, fields."""
    matter = MATTERS[cases.matter[index]]
    divisions = pack.town.layout.divisions
    community = str(divisions.communities.codes[divisions.community[cases.face[index]]])
    from_collector = cases.channel[index] == COLLECTOR
    told = _FATES[fate]
    steps = _from_the_start(told, fate, from_collector=from_collector)
    low, high = told.age
    age = float(random.uniform(low, high)) * (matter.limit * 60 if told.of_limit else 1)
    gaps = [gap * float(random.uniform(0.6, 1.4)) for _, gap in steps]
    when = _end(pack) - timedelta(minutes=age + sum(gaps))
    rows = []
    for (action, _), gap in zip(steps, gaps, strict=True):
        when += timedelta(minutes=gap)
        fields = dict(_FIELDS.get(action, {}))
        if action == "register":
            fields["rule"] = f"{matter.code}-{2 if turn % 6 == 0 else 1}"
        elif action == "dispatch":
            code = actors.departments[matter.department].code
            fields |= {"department": code, "proposal": code}
        elif action == "invite":
            other = "transport" if matter.department != "transport" else "urban-management"
            fields["department"] = actors.departments[other].code
        elif action == "assign":
            fields["handler"] = actors.of("handler", turn, matter.department).login
        elif action in ("send_verify", "send_check"):
            fields["collector"] = actors.of("collector", turn, area=community).login
        elif action == "self_handle":
            fields["before"] = [_photograph(pack, number, matter, after=False)]
            fields["photos"] = [_photograph(pack, number, matter, after=True)]
        elif action == "submit":
            fields["photos"] = [_photograph(pack, number, matter, after=True)]
        elif action in ("report", "report_from_outside") and turn % 2 == 0:
            fields["photos"] = [_photograph(pack, number, matter, after=False)]
        rows.append((number, action, when, _actor(action, turn, matter.department, community, actors),
                     json.dumps(fields, ensure_ascii=False) if fields else ""))  # fmt: skip
    return rows


def _photograph(pack: Pack, number: str, matter: Matter, *, after: bool) -> str:
    """Draw what a photograph of a case might show, marked as drawn; return its name in the pack."""
    name = f"{PHOTOS_FOLDER}/{number}-{'after' if after else 'before'}.png"
    random = pack.town.settings.draws(f"photograph:{name}")
    picture = Image.new("RGB", (PHOTO_WIDTH, PHOTO_HEIGHT), (188, 208, 226))
    draw = ImageDraw.Draw(picture)
    left = 0
    while left < PHOTO_WIDTH:  # houses along the street
        width, height = (int(side) for side in random.integers((40, 60), (110, 150)))
        shade = int(random.integers(120, 190))
        draw.rectangle((left, 170 - height, left + width, 170), (shade, shade - 12, shade - 26))
        left += width + 4
    draw.rectangle((0, 170, PHOTO_WIDTH, PHOTO_HEIGHT), (104, 106, 108))
    middle = int(random.integers(110, PHOTO_WIDTH - 110))
    draw.ellipse((middle - 46, 196, middle + 46, 224), (86, 88, 90))
    colour = tuple(int(part) for part in random.integers(40, 170, 3))
    if not after:
        for _ in range(9):
            x, y = (int(part) for part in random.integers((middle - 50, 180), (middle + 40, 215)))
            draw.rectangle((x, y, x + 16, y + 12), colour)
    draw.text((8, PHOTO_HEIGHT - 18), f"DRAWN, NO PHOTOGRAPH  {number} {matter.code}", (240, 240, 240))
    path = pack.folder / name
    path.parent.mkdir(exist_ok=True)
    picture.save(path, "PNG")
    return name


def _from_the_start(told: _Fate, fate: int, *, from_collector: bool) -> Sequence[tuple[str, float]]:
    """Return all steps of a life: reports of others than collectors are taken in and checked on the spot."""
    if from_collector:
        return (("self_handle" if fate == _SELF_HANDLED else "report", 0.0), *told.steps)
    first = (("report_from_outside", 0.0),)
    if told.outside:
        return (*first, *told.steps)
    return (*first, ("accept", 5.0), ("send_verify", 4.0), ("verify", 16.0), *told.steps)


def _actor(action: str, turn: int, department: str, community: str, actors: _Actors) -> str:
    if action in ("report", "self_handle"):
        return actors.of("collector", turn, area=community).login
    if action == "report_from_outside":
        return actors.of("acceptor", turn, "hotline").login
    post = _POST_OF[action]
    if post in _OF_THE_DEPARTMENT:
        return actors.of(post, turn, department).login
    if post == "collector":
        return actors.of(post, turn, area=community).login
    if post == "leader":
        return actors.of(post, turn, "government").login
    return actors.of(post, turn).login

"""The calls of the demo city's hotline: what the last weeks' callers asked, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from jingwei.city.demo.forms import write_csv
from jingwei.city.demo.matters import MATTERS

if TYPE_CHECKING:
    from jingwei.city.demo.cases import Cases
    from jingwei.city.demo.departments import Official
    from jingwei.city.demo.pack import Pack

CALLS_FILE, ARTICLES_FILE = "热线来电.csv", "热线知识.csv"
ANSWERED = {"tiny": 80, "S": 480, "M": 1200}
"""Calls that are answered at once, by scale; unknown scales have those of S."""
DAYS = 60
LOST_SHARE, BACK_SHARE = 0.08, 0.15
"""Calls that nobody answered, of all; callers who are asked afterwards, of those answered at once."""
SURGE_CALLERS, SURGE_DAYS = 9, 5
"""So many callers of one street speak of one thing in the last days: what hot topics should find."""
SURGE = "家里自来水发黄有异味"
HOTLINE = "12345热线"
ASKED = (
    ("consult", "办理居住证要带什么材料", "请带身份证、居住地证明和近照，到社区服务站办理，三个工作日可取。"),
    ("consult", "公园几点开门", "各公园早上六点开门，晚上十点关门，免费入园。"),
    ("consult", "公交卡丢了怎么补办", "带身份证到任一公交服务网点补办，余额自挂失时起保留。"),
    ("consult", "社保断缴还能补吗", "可到政务服务中心社保窗口查询并办理补缴。"),
    ("ask", "小区停水，想知道什么时候来水", "管网检修停水，计划当晚十点前恢复；请先储水。"),
    ("ask", "老人想申请助餐服务", "请联系所在社区服务站登记，核实后次月起供餐。"),
    ("complain", "楼下商铺夜里放音响太吵", "已告知巡查时段和取证办法，夜间再有可立即来电转办。"),
    ("complain", "排队办事等了一个多小时", "已向窗口单位反映，可先在网上取号，按号到场。"),
    ("report", "有人无证占道卖早点", "已记录位置，转巡查时段核实；发现时可拍照上报。"),
    ("suggest", "建议路口加一个斑马线", "建议已登记，由交通部门在下季度一并研究。"),
    ("suggest", "希望社区图书室周末开放", "建议已转社区，结果会在公示栏公布。"),
)  # fmt: skip
"""What callers ask that is answered at once: kind, words, answer."""
ARTICLES = (
    (
        "居住证办理",
        "带身份证、居住地证明和近照，到社区服务站办理，三个工作日可取。",
        "居住证要什么材料;居住证在哪里办",
    ),
    (
        "公园开放时间",
        "各公园早上六点至晚上十点免费开放。",
        "公园几点开门;公园晚上几点关",
    ),
    (
        "公交卡补办",
        "带身份证到任一公交服务网点补办，余额自挂失时起保留。",
        "公交卡丢了怎么办",
    ),
    (
        "停水查询",
        "计划停水提前一天在社区公示；突发停水由供水单位抢修，一般当日恢复。",
        "什么时候来水;为什么停水",
    ),
    (
        "水质发黄",
        "检修后短时发黄，请先放水数分钟；仍有异味请报地址，转供水单位上门取样。",
        "水发黄能喝吗;自来水有味道",
    ),
    (
        "路灯报修",
        "请告知灯杆编号或最近的门牌，转路灯单位，一般三个工作日内修复。",
        "路灯不亮找谁",
    ),
)
"""Articles of knowledge: title, body, how people ask."""
_COLUMNS = (
    "来电编号", "来电时间", "话务员", "等待秒数", "放弃环节", "诉求类别", "紧急程度", "诉求内容", "区域代码",
    "答复内容", "案件编号", "告知时间", "回访时间", "是否解决", "是否满意",
)  # fmt: skip
Step = tuple[str, str, datetime, str, str]


def write_calls(
    pack: Pack, cases: Cases, numbers: Sequence[str], steps: Sequence[Step], end: datetime
) -> dict[str, Any]:
    """Write calls and articles; return what the manifest says of them.

    Parameters
    ----------
    pack, cases, numbers
        The city, its cases and their numbers.
    steps
        The steps of the last cases: a call is behind each that came by the hotline.
    end
        The last moment of the history, local.

    """
    random = pack.town.settings.draws("hotline")
    takers = [one for one in pack.town.government.staff if one.post == "acceptor"]
    rows = [
        *_of_cases(random, cases, numbers, steps, takers, end), *_answered(pack, random, takers, end),
        *_surging(pack, random, takers, end),
    ]  # fmt: skip
    rows += _lost(random, len(rows), end)
    rows.sort(key=lambda row: row["来电时间"])
    columns = {name: np.array([_text(row.get(name)) for row in rows], dtype=object) for name in _COLUMNS[1:]}
    numbered = np.array([f"{number:05d}" for number in range(1, len(rows) + 1)], dtype=object)
    write_csv(pack.folder / CALLS_FILE, {_COLUMNS[0]: numbered, **columns}, "UTF-8")
    office = pack.town.departments["government"].code
    told = {
        "标题": [one[0] for one in ARTICLES], "内容": [one[1] for one in ARTICLES],
        "常见问法": [one[2] for one in ARTICLES], "部门代码": [office] * len(ARTICLES),
    }  # fmt: skip
    write_csv(
        pack.folder / ARTICLES_FILE,
        {name: np.array(column, dtype=object) for name, column in told.items()},
        "UTF-8",
    )
    return {
        "articles": {
            "file": ARTICLES_FILE, "title": "标题", "body": "内容", "questions": "常见问法",
            "department": "部门代码",
        },
        "calls": {
            "file": CALLS_FILE, "key": "来电编号", "time": "来电时间", "taker": "话务员",
            "waited": "等待秒数", "lost": "放弃环节", "kind": "诉求类别", "urgency": "紧急程度",
            "words": "诉求内容",
            "area": "区域代码", "answer": "答复内容", "case": "案件编号", "told": "告知时间",
            "heard": "回访时间", "solved": "是否解决", "satisfied": "是否满意", "until": end.isoformat(),
        },
    }  # fmt: skip


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return "" if value is None else str(value)


def _taken(random: np.random.Generator, takers: Sequence[Official], at: datetime) -> dict[str, Any]:
    taker = takers[int(random.integers(len(takers)))]
    return {
        "来电时间": at,
        "话务员": taker.login,
        "等待秒数": int(random.gamma(2.0, 6.0)),
        "紧急程度": "ordinary",
    }


def _asked(random: np.random.Generator, at: datetime, *, solved: float) -> dict[str, Any]:
    """Return what a caller said who was called back: solved more often than satisfied."""
    is_solved = random.random() < solved
    satisfied = random.random() < (0.85 if is_solved else 0.3)
    says = {True: "yes", False: "no"}
    return {"回访时间": at, "是否解决": says[bool(is_solved)], "是否满意": says[bool(satisfied)]}


def _of_cases(
    random: np.random.Generator,
    cases: Cases,
    numbers: Sequence[str],
    steps: Sequence[Step],
    takers: Sequence[Official],
    end: datetime,
) -> list[dict[str, Any]]:
    """Return the calls behind those of the last cases that came by the hotline."""
    index = {number: at for at, number in enumerate(numbers)}
    begun: dict[str, datetime] = {}
    closed: dict[str, datetime] = {}
    for number, action, when, _, _ in steps:
        begun[number] = min(when, begun.get(number, when))
        if action == "close":
            closed[number] = when
    rows = []
    for number, when in sorted(begun.items()):
        at = index[number]
        if cases.channel[at] != HOTLINE:
            continue
        row = _taken(random, takers, when) | {
            "诉求类别": str(random.choice(("ask", "complain", "report"), p=(0.3, 0.5, 0.2))),
            "诉求内容": str(cases.text[at]) or MATTERS[cases.matter[at]].name, "案件编号": number,
        }  # fmt: skip
        if number in closed:
            told = closed[number] + timedelta(minutes=float(random.uniform(5, 40)))
            heard = told + timedelta(minutes=float(random.uniform(60, 600)))
            if told < end:
                row["告知时间"] = told
            if heard < end:
                row |= _asked(random, heard, solved=0.82)
        rows.append(row)
    return rows


def _answered(
    pack: Pack, random: np.random.Generator, takers: Sequence[Official], end: datetime
) -> list[dict[str, Any]]:
    """Return calls that are answered at once, more of them by day."""
    codes = pack.town.layout.divisions.communities.codes
    rows = []
    for _ in range(ANSWERED.get(pack.town.settings.scale.key, ANSWERED["S"])):
        day = end - timedelta(days=int(random.integers(DAYS)))
        when = day.replace(hour=0, minute=0, second=0) + timedelta(hours=float(random.normal(14, 3.5)) % 24)
        if when >= end:
            when -= timedelta(days=1)
        kind, words, answer = ASKED[int(random.integers(len(ASKED)))]
        row = _taken(random, takers, when)
        row |= {
            "诉求类别": kind,
            "诉求内容": words,
            "答复内容": answer,
            "区域代码": str(random.choice(codes)),
        }
        back = when + timedelta(days=1)
        if random.random() < BACK_SHARE and back < end:
            row |= _asked(random, back, solved=0.93)
        rows.append(row)
    return rows


def _surging(
    pack: Pack, random: np.random.Generator, takers: Sequence[Official], end: datetime
) -> list[dict[str, Any]]:
    """Return the callers of one street who speak of one thing in the last days."""
    divisions = pack.town.layout.divisions
    street = divisions.communities.parent == int(random.integers(len(divisions.streets.codes)))
    codes = divisions.communities.codes[street]
    return [
        _taken(random, takers, end - timedelta(hours=float(random.uniform(1, 24 * SURGE_DAYS))))
        | {
            "诉求类别": "complain", "诉求内容": SURGE, "区域代码": str(random.choice(codes)),
            "答复内容": "管网检修所致，请先放水数分钟；仍有异味请再来电，转供水单位上门取样。",
        }
        for _ in range(SURGE_CALLERS)
    ]  # fmt: skip


def _lost(random: np.random.Generator, answered: int, end: datetime) -> list[dict[str, Any]]:
    """Return calls that were given up before anybody answered."""
    return [
        {
            "来电时间": end - timedelta(days=float(random.uniform(0.05, DAYS))),
            "放弃环节": str(random.choice(("menu", "queue"))), "等待秒数": int(random.gamma(2.0, 20.0)),
        }
        for _ in range(round(answered * LOST_SHARE))
    ]  # fmt: skip

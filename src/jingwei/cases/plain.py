"""The life of a case in the words of a citizen: what is happening, who has it, what comes next."""

from __future__ import annotations

from typing import Any

from jingwei.cases.lifecycle import STATES
from jingwei.words import Text

STATE_WORDS: dict[str, tuple[Text, Text]] = {
    "reported": (Text("已收到", "Received"), Text("受理员会看您的上报。", "Somebody will look at your report.")),
    "pending_verify": (
        Text("派人去看", "Somebody goes to look"),
        Text("网格员会到现场看看是否属实。", "A member of the grid staff goes there to see."),
    ),
    "pending_register": (
        Text("已受理", "Accepted"),
        Text("正在登记，随后交给负责的部门。", "It is being registered, then goes to the office in charge."),
    ),
    "not_accepted": (
        Text("没有立案", "Not taken up"),
        Text("原因见下。如果您不同意，可以要求重新办理。", "See the reason below. If you disagree, ask for it again."),
    ),
    "cancelled": (Text("已作废", "Cancelled"), Text("原因见下。", "See the reason below.")),
    "duplicate": (
        Text("与另一件一起办", "Dealt with together with another"),
        Text("您的上报仍在，进展与那一件相同。", "Your report is kept and moves on with the other one."),
    ),
    "withdrawn": (Text("您已撤回", "Withdrawn by you"), Text("不再办理。", "Nothing more is done.")),
    "self_handled": (Text("当场解决了", "Put right on the spot"), Text("", "")),
    "pending_dispatch": (
        Text("已立案", "Taken up"),
        Text("正在交给负责的部门。", "It is on its way to the office in charge."),
    ),
    "returned": (
        Text("正在确定由谁办理", "Deciding who is in charge"),
        Text("前一个部门认为不归它管。", "The first office said that it is not in charge."),
    ),
    "pending_handle": (Text("已交给部门", "With the office in charge"), Text("部门会安排人处理。", "It will send somebody.")),
    "handling": (Text("正在处理", "Being worked on"), Text("已经有人负责处理。", "Somebody is at work on it.")),
    "handle_finish": (
        Text("处理完了，部门在确认", "Done, the office confirms"),
        Text("确认后会有人到现场核查。", "Then somebody looks at the result on the spot."),
    ),
    "suspended": (
        Text("暂缓处理", "Put off"),
        Text("有理由暂时不能处理，到期自动恢复。", "It cannot be done for now; it resumes by itself."),
    ),
    "pending_check": (Text("等待核查", "Waiting for the check"), Text("会有人到现场看结果。", "Somebody will look at the result.")),
    "checking": (Text("正在核查", "Being checked"), Text("核查员正在现场看结果。", "Somebody looks at the result on the spot.")),
    "pending_close": (Text("等待结案", "About to be closed"), Text("值班长在复核。", "The duty chief looks at it once more.")),
    "closed": (
        Text("办完了", "Done"),
        Text("请看看是不是真的解决了；没有解决可以要求重办。", "See whether it is really solved; if not, say so."),
    ),
    "forced_close": (
        Text("已了结", "Ended"),
        Text("没有解决可以要求重办。", "If it is not solved, say so."),
    ),
}  # fmt: skip

HAPPENED: dict[str, Text] = {
    "reported": Text("您上报了", "You reported it"),
    "accepted": Text("受理了", "It was accepted"),
    "verification_sent": Text("派人去现场核实", "Somebody was sent to look"),
    "verified": Text("有人到现场看过了", "Somebody has looked on the spot"),
    "registered": Text("立案了", "It was taken up"),
    "rejected": Text("没有立案", "It was not taken up"),
    "cancelled": Text("作废了", "It was cancelled"),
    "merged": Text("与另一件合在一起办", "It goes together with another one"),
    "separated": Text("又单独办理", "It goes its own way again"),
    "dispatched": Text("交给了负责的部门", "It went to the office in charge"),
    "assigned": Text("安排了处理的人", "Somebody was sent to do it"),
    "submitted": Text("处理完了", "The work was done"),
    "confirmed": Text("部门确认处理完了", "The office confirmed the work"),
    "extension_granted": Text("延长了期限", "More time was granted"),
    "suspended": Text("暂缓处理", "It was put off"),
    "resumed": Text("恢复处理", "Work on it goes on"),
    "checked": Text("有人到现场核查了结果", "The result was checked on the spot"),
    "reworked": Text("没做好，退回重做", "It was not good enough and is done again"),
    "closed": Text("办完了", "It was closed"),
    "force_closed": Text("了结了", "It was ended"),
    "reopened": Text("没有解决，重新办理", "Not solved: it is taken up again"),
    "evaluated": Text("您评价了", "You rated it"),
    "supplemented": Text("补充了情况", "Something was added"),
    "corrected": Text("您改正了上报", "You corrected your report"),
    "redacted": Text("隐去了个人信息", "Personal data was taken out"),
    "hidden": Text("不再公开", "It is kept from the public"),
    "published": Text("公开了说明", "The public was told"),
    "withdrawn": Text("您撤回了", "You withdrew it"),
    "returned_to_dispatcher": Text("部门认为不归它管，退回了", "The office said that it is not in charge"),
    "amended": Text("更正了类别或位置", "Its type or place was put right"),
}  # fmt: skip
"""Events that a reporter is told of, in his words; all others are the staff's own."""

TOLD_WORDS = {
    "rejected": "reason", "cancelled": "reason", "closed": "words", "published": "words", "supplemented": "words",
    "reopened": "reason", "verified": "words", "reported": "description", "corrected": "description",
    "redacted": "description", "suspended": "words",
}  # fmt: skip
"""Which words of an event its reporter is shown."""


def says(state: str) -> dict[str, Any]:
    """Return what a state is called for citizens, and what it means."""
    title, meaning = STATE_WORDS[state]
    return {"title": title, "meaning": meaning}


assert set(STATE_WORDS) == set(STATES)  # noqa: S101 -- every state has plain words

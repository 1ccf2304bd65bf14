"""What may go wrong with cases, told to the person who meets it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from jingwei.errors import BadRequestError, ConflictError, JingweiError, NotFoundError
from jingwei.words import Text


class UnknownCaseError(NotFoundError):
    """No case bears the number, or the asker may not know of it."""

    code = "case-unknown"

    def __init__(self, number: str) -> None:
        super().__init__(
            Text(f"没有编号为 {number[:40]} 的案件", f"there is no case {number[:40]}."),
            where={"case": number[:40]},
        )


class ForwardUnknownError(NotFoundError):
    """Nothing was forwarded under the number."""

    code = "case-forward-unknown"

    def __init__(self, id_: int) -> None:
        super().__init__(
            Text(f"没有编号为 {id_} 的转交", f"nothing was forwarded under {id_}."), where={"forward": id_}
        )


class UnknownTypeError(BadRequestError):
    """No component or matter type bears the code."""

    code = "case-type-unknown"

    def __init__(self, kind: str, code: str) -> None:
        super().__init__(
            Text(f"没有类别 {kind[:20]} {code[:20]}", f"there is no type {kind[:20]} {code[:20]}."),
            mend=Text(
                "类别由种类（component 或 matter）和五位代码共同确定；本市增补的类别须先登记",
                "A type is known by its kind (component or matter) and five digits together; add types of"
                " your own city first.",
            ),
            where={"kind": kind[:20], "code": code[:20]},
        )


class ChangedMeanwhileError(ConflictError):
    """Another person acted on the case first; what happened since is told."""

    code = "case-changed"

    def __init__(self, number: str, seen: int, step: int, since: Sequence[dict[str, Any]]) -> None:
        super().__init__(
            Text(
                f"案件 {number} 在您打开之后已有变化（第 {seen} 步之后到第 {step} 步）",
                f"case {number} has changed since you opened it (from step {seen} to step {step}).",
            ),
            mend=Text("请查看变化后再决定", "See what changed, then decide again."),
            where={"case": number, "step": step, "since": list(since)},
        )


class NotAllowedNowError(ConflictError):
    """The life cycle does not lead that way from the state in which the case is."""

    code = "case-transition"

    def __init__(self, number: str, action: Text, state: Text, allowed: Sequence[dict[str, Any]]) -> None:
        names = "、".join(one["says"]["zh"] for one in allowed) or "无"
        english = ", ".join(one["says"]["en"] for one in allowed) or "none"
        super().__init__(
            Text(
                f"案件 {number} 处于“{state.zh}”，不能{action.zh}",
                f"case {number} is “{state.en}”: it cannot be changed by “{action.en}”.",
            ),
            mend=Text(f"此时可以：{names}", f"Possible now: {english}."),
            where={"case": number, "allowed": list(allowed)},
        )


class GuardError(ConflictError):
    """The table allows the step, but a rule of the case stands against it."""

    code = "case-rule"

    def __init__(self, number: str, rule: str, what: Text, *, mend: Text | None = None) -> None:
        super().__init__(what, mend=mend, where={"case": number, "rule": rule})


class MissingFieldError(BadRequestError):
    """The step needs something that was not given."""

    code = "case-field-missing"

    def __init__(self, field: str, says: Text) -> None:
        super().__init__(Text(f"缺少：{says.zh}", f"missing: {says.en}."), where={"field": field})


class BadFieldError(BadRequestError):
    """A value that was given cannot be taken."""

    code = "case-field-invalid"

    def __init__(self, field: str, what: Text) -> None:
        super().__init__(what, where={"field": field})


class BadRulesError(BadRequestError):
    """A table of rules has faults; nothing of it was taken."""

    code = "case-rules-invalid"

    def __init__(self, faults: Sequence[dict[str, Any]]) -> None:
        first = faults[0]
        super().__init__(
            Text(
                f"规则表有 {len(faults)} 处错误，未导入；首处：第 {first['row']} 行 {first['zh']}",
                f"the table of rules has {len(faults)} faults and was not taken; first, row {first['row']}:"
                f" {first['en']}",
            ),
            where={"faults": list(faults[:100])},
        )


class UnknownDutyError(NotFoundError):
    """No duty bears the number, or it has ended."""

    code = "case-duty-unknown"

    def __init__(self, number: int) -> None:
        super().__init__(
            Text(f"没有生效的分工 {number}", f"there is no duty {number} that holds."), where={"duty": number}
        )


class UnknownVersionError(NotFoundError):
    """Rules, calendar, settings or types never had this version."""

    code = "case-version-unknown"

    def __init__(self, part: str, number: int) -> None:
        super().__init__(
            Text(f"{part} 没有第 {number} 版", f"{part} has no version {number}."),
            where={"part": part, "version": number},
        )


_PARTS = {
    "settings": Text("案件设置", "the settings of cases"),
    "calendar": Text("工作时间与日历", "working hours and calendar"),
    "types": Text("案件类别", "the types of cases"),
    "rules": Text("立案结案规则", "the rules"),
    "phrases": Text("常用语", "the phrases"),
    "answers": Text("答复模板", "the answers"),
    "hotline": Text("热线设置", "the settings of the hotline"),
    "default_points": Text("默认点", "the default points"),
}


class RulesChangedError(ConflictError):
    """Somebody adopted another version first."""

    code = "case-regime-changed"

    def __init__(self, part: str, seen: int, now: int) -> None:
        what = _PARTS.get(part, Text(part, part))
        super().__init__(
            Text(
                f"{what.zh}在您打开之后已由他人修改，您的修改没有保存",
                f"{what.en} were changed by somebody else since you opened them: nothing of yours is kept.",
            ),
            mend=Text(
                "请重新打开，查看现行内容后再修改。", "Open them again, see what holds now, then change it."
            ),
            where={"part": part, "seen": seen, "version": now},
        )


class WithheldError(BadRequestError):
    """An exported log does not tell what happened to a case."""

    code = "case-withheld"

    def __init__(self, position: int, kind: str) -> None:
        super().__init__(
            Text(
                f"日志第 {position} 条（{kind}）的内容未导出或已删除，无法重算",
                f"event {position} ({kind}) is withheld or erased: figures cannot be counted from this log.",
            ),
            mend=Text("请导出含内容的日志。", "Export the log with its payloads."),
            where={"position": position},
        )


class CalendarRangeError(JingweiError):
    """A time lies outside the years for which the calendar was made."""

    code = "calendar-range"

    def __init__(self, first: int, last: int) -> None:
        super().__init__(
            Text(f"工作日历只含 {first} 至 {last} 年", f"the calendar covers {first} to {last}.")
        )


class ElsewhereError(BadRequestError):
    """A place lies in another city; whose it is is told as far as it is known."""

    code = "case-elsewhere"

    def __init__(self, name: Text | None, phone: str, address: str) -> None:
        whose = name or Text("别的城市", "another city")
        where = Text(f"，或在 {address} 上报", f" or report at {address}") if address else Text("")
        super().__init__(
            Text(
                f"这个位置属于{whose.zh}，不归本市管", f"this place belongs to {whose.en}, not to this city."
            ),
            mend=Text(
                f"请拨打{whose.zh} {phone}{where.zh}；若位置标错了，请改正位置，已填的内容都还在。",
                f"Call {phone} of {whose.en}{where.en}; if the place is wrong, mend it: what you wrote is not"
                " lost.",
            ),
            where={"whose": whose.as_json(), "phone": phone, "address": address},
        )


class NoSuchReportError(NotFoundError):
    """No report bears the code or the secret."""

    code = "case-report-unknown"

    def __init__(self) -> None:
        super().__init__(
            Text("没有这个查询码对应的上报", "no report has this code."),
            mend=Text(
                "请核对查询码或使用上报时得到的链接。", "Check the code, or use the link that you were given."
            ),
        )


class SenderBarredError(JingweiError):
    """Whoever sends this is barred for a time, for abuse."""

    code = "case-sender-barred"
    status = 403

    def __init__(self, why: str, until: datetime, appeal: Text) -> None:
        super().__init__(
            Text(
                f"暂时不能上报，至 {until:%Y-%m-%d %H:%M} UTC。原因：{why}",
                f"reports from here are not taken until {until:%Y-%m-%d %H:%M} UTC. The reason: {why}",
            ),
            mend=appeal,
            where={"until": until.isoformat()},
        )


class SenderUnknownError(NotFoundError):
    """It is not kept any more, or never was, by what a case came."""

    code = "case-sender-unknown"

    def __init__(self, number: str) -> None:
        super().__init__(
            Text(
                f"案件 {number} 没有可据以限制的来源信息",
                f"it is not known, or no longer, by what {number} came.",
            ),
            where={"case": number},
        )


class BarUnknownError(NotFoundError):
    """No bar in force bears the number."""

    code = "case-bar-unknown"

    def __init__(self, id_: int) -> None:
        super().__init__(
            Text(f"没有生效中的限制 {id_}", f"there is no bar {id_} in force."), where={"bar": id_}
        )


class AccountCodeError(BadRequestError):
    """A code that was sent by e-mail is wrong, old or used."""

    code = "case-account-code"

    def __init__(self) -> None:
        super().__init__(
            Text("登录码不对或已过期", "the code is wrong or too old."),
            mend=Text("请核对邮件，或重新获取。", "Look at the message again, or ask for another."),
        )


class NoAccountError(NotFoundError):
    """Nobody is in by this token, any more."""

    code = "case-account-unknown"

    def __init__(self) -> None:
        super().__init__(
            Text("登录已失效", "you are not signed in any more."),
            mend=Text("请重新用邮箱登录。", "Enter by e-mail again."),
        )


class NoSuchAlertError(NotFoundError):
    """No alert bears the code."""

    code = "case-alert-unknown"

    def __init__(self) -> None:
        super().__init__(
            Text(
                "没有这个码对应的提醒，可能已经停止或过期",
                "no alert has this code; it has ended or is too old.",
            ),
            mend=Text(
                "请核对邮件里的码，或重新订阅。", "Check the code in the e-mail, or ask for the alert again."
            ),
        )


class NoMailError(ConflictError):
    """The city sends no e-mail."""

    code = "case-no-mail"

    def __init__(self) -> None:
        super().__init__(Text("本市没有开通邮件", "the city sends no e-mail."))


class UnreadablePhotoError(BadRequestError):
    """An upload is not taken as a photograph; `where.fault` says why."""

    code = "case-photo-unreadable"

    def __init__(self, fault: str, what: Text, *, mend: Text | None = None) -> None:
        super().__init__(what, mend=mend, where={"fault": fault})


class TooManyPhotosError(ConflictError):
    """A person has uploaded many photographs and used none of them."""

    code = "case-photos-waiting"

    def __init__(self, most: int) -> None:
        super().__init__(
            Text(f"已有 {most} 张照片未用于任何步骤", f"{most} photographs wait for a step that names them."),
            mend=Text("未使用的照片一天后删除。", "Those that are not used are removed after a day."),
        )


class PhotoUnknownError(NotFoundError):
    """No photograph bears the digest, or the asker may not use or know it."""

    code = "case-photo-unknown"

    def __init__(self, digest: str) -> None:
        super().__init__(
            Text(f"没有照片 {digest[:12]}", f"there is no photograph {digest[:12]}."),
            mend=Text(
                "请先上传（POST /api/cases/photos），一天之内由本人在步骤中使用。",
                "Upload it first (POST /api/cases/photos), and name it in a step of your own within a day.",
            ),
            where={"photo": digest[:64]},
        )


class PhotoUsedError(ConflictError):
    """A photograph shows one step of one case; another step needs another."""

    code = "case-photo-used"

    def __init__(self, digest: str, case: str) -> None:
        super().__init__(
            Text(
                f"照片 {digest[:12]} 已用于案件 {case}",
                f"the photograph {digest[:12]} was given already, with case {case}.",
            ),
            mend=Text("请另拍一张。", "Take another."),
            where={"photo": digest, "case": case},
        )


class PhotoLostError(JingweiError):
    """The records know a photograph, but its file is gone: somebody took it away, or a backup left it out."""

    code = "case-photo-lost"
    status = 500

    def __init__(self, digest: str) -> None:
        super().__init__(
            Text(
                f"照片 {digest[:12]} 的文件不在原处",
                f"the file of the photograph {digest[:12]} is not there.",
            ),
            mend=Text(
                "请管理员从备份恢复城市文件夹中的 photos。",
                "Let the administrator restore `photos` of the city's folder from the backup.",
            ),
            where={"photo": digest},
        )

"""What may go wrong with calls and articles, told to the person who meets it."""

from __future__ import annotations

from jingwei.errors import ConflictError, NotFoundError
from jingwei.words import Text


class UnknownCallError(NotFoundError):
    """No call bears the number, or the asker may not know of it."""

    code = "call-unknown"

    def __init__(self, number: str) -> None:
        super().__init__(
            Text(f"没有编号为 {number[:40]} 的来电", f"there is no call {number[:40]}."),
            where={"call": number[:40]},
        )


class CallChangedError(ConflictError):
    """Somebody else acted on the call first."""

    code = "call-changed"

    def __init__(self, number: str, seen: int, step: int) -> None:
        super().__init__(
            Text(
                f"来电 {number} 在您打开之后已由他人办理", f"call {number} has changed since you opened it."
            ),
            mend=Text("请重新打开，查看后再决定。", "Open it again, see what changed, then decide."),
            where={"call": number, "seen": seen, "step": step},
        )


class CallRuleError(ConflictError):
    """A rule of calls stands against it; `where.rule` names it."""

    code = "call-rule"

    def __init__(self, number: str, rule: str, what: Text, *, mend: Text | None = None) -> None:
        super().__init__(what, mend=mend, where={"call": number, "rule": rule})


class NumberGoneError(NotFoundError):
    """A caller's number was never known, or is kept no longer."""

    code = "call-number-gone"

    def __init__(self, number: str) -> None:
        super().__init__(
            Text(f"来电 {number} 没有保存号码", f"no telephone number is kept of call {number}."),
            mend=Text(
                "号码未显示，或已过保存期限。", "It was not shown to us, or its time of keeping is over."
            ),
            where={"call": number},
        )


class UnknownArticleError(NotFoundError):
    """No article bears the number, or it never had the version."""

    code = "article-unknown"

    def __init__(self, number: int, version: int | None = None) -> None:
        told = f" v{version}" if version is not None else ""
        super().__init__(
            Text(f"没有知识 {number}{told}", f"there is no article {number}{told}."),
            where={"article": number},
        )


class ArticleChangedError(ConflictError):
    """Somebody else wrote a version of the article first."""

    code = "article-changed"

    def __init__(self, number: int, seen: int, now: int) -> None:
        super().__init__(
            Text(
                f"知识 {number} 已由他人改到第 {now} 版，您的修改没有保存",
                f"article {number} was changed by somebody else (version {now}): nothing of yours is kept.",
            ),
            mend=Text("请重新打开后再改。", "Open it again, then change it."),
            where={"article": number, "seen": seen, "version": now},
        )

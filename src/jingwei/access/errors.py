"""What may go wrong with people and their rights."""

from __future__ import annotations

from jingwei.errors import BadRequestError, ConflictError, JingweiError
from jingwei.words import Text


class NotSignedInError(JingweiError):
    """Nobody is signed in, or no longer."""

    code = "not-signed-in"
    status = 401

    def __init__(self) -> None:
        super().__init__(Text("尚未登录，或登录已过期", "nobody is signed in, or no longer."))


class SignInError(JingweiError):
    """The name or the password is wrong; which of them is not said."""

    code = "sign-in-failed"
    status = 401

    def __init__(self) -> None:
        super().__init__(
            Text("用户名、密码或验证码不正确", "the name, the password or the code is not right.")
        )


class CodeNeededError(JingweiError):
    """The password was right; the second factor is still to come."""

    code = "second-factor-needed"
    status = 401

    def __init__(self) -> None:
        super().__init__(
            Text("请输入动态验证码或备用码", "enter the code of your device, or a recovery code.")
        )


class LockedError(JingweiError):
    """Too many failures: the account is locked for a while."""

    code = "account-locked"
    status = 429

    def __init__(self, seconds: int) -> None:
        super().__init__(
            Text(
                f"尝试次数过多，账号已锁定，请 {seconds} 秒后再试",
                f"too many attempts; try again in {seconds} s.",
            ),
            where={"seconds": seconds},
        )


class WeakPasswordError(BadRequestError):
    """The password is too easy to guess."""

    code = "password-weak"

    def __init__(self, why: Text) -> None:
        super().__init__(
            why, mend=Text("可用几个不相干的词连成一句", "Several unrelated words make a good one.")
        )


class SeparationError(ConflictError):
    """System administrator, security administrator and auditor must be different people."""

    code = "duties-not-separated"

    def __init__(self, held: str, wanted: str) -> None:
        super().__init__(
            Text(
                f"三员分立：已任 {held} 的人员不得再任 {wanted}",
                f"who is {held} cannot also be {wanted}: these duties are kept by different people.",
            ),
        )


class DepartmentCodeError(BadRequestError):
    """The code of a department is not a unified social credit code."""

    code = "department-code-invalid"

    def __init__(self, code: str) -> None:
        super().__init__(
            Text(
                f"不是有效的统一社会信用代码：{code[:40]}", f"not a unified social credit code: {code[:40]}."
            ),
            mend=Text(
                "应为 18 位，末位为校验码（GB 32100）", "18 characters, the last of which checks (GB 32100)."
            ),
            where={"field": "code"},
        )


class NotSetUpError(JingweiError):
    """The administrator has not set a password yet; until then nothing else works."""

    code = "not-set-up"
    status = 503

    def __init__(self) -> None:
        super().__init__(
            Text("尚未设置管理员密码", "the administrator has not set a password yet."),
            mend=Text(
                "请用启动时显示的设置码在登录页设置密码",
                "Set one on the sign-in page with the code shown at the first start.",
            ),
        )


class OpenModeError(BadRequestError):
    """Running without sign-in is allowed at this machine only."""

    code = "open-not-local"

    def __init__(self, host: str) -> None:
        super().__init__(
            Text(
                f"不登录即可使用，因此只能监听本机地址，不能监听 {host}",
                f"the city is used without sign-in, so it listens at this machine only, not at {host}.",
            ),
            mend=Text("请监听 127.0.0.1", "Listen at 127.0.0.1."),
        )

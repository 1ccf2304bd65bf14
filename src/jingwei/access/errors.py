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


class CodeError(BadRequestError):
    """The code is not the device's."""

    code = "code-wrong"

    def __init__(self) -> None:
        super().__init__(
            Text("验证码不正确或已过期", "the code is not right, or no longer."),
            mend=Text(
                "请确认手机时间准确，再输入新的验证码",
                "See that the device's clock is right; enter a new code.",
            ),
            where={"field": "code"},
        )


class SetupCodeError(JingweiError):
    """The setup code was never given, has been used, or has ended."""

    code = "setup-code-wrong"
    status = 401

    def __init__(self) -> None:
        super().__init__(
            Text("设置码不正确、已使用或已过期", "the setup code is not right, has been used, or has ended."),
            mend=Text("请向管理员索取新的设置码", "Ask an administrator for a new one."),
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


class SeparatedPersonError(ConflictError):
    """An administrator may not do this with another who holds one of the three separated duties."""

    code = "person-separated"

    def __init__(self) -> None:
        super().__init__(
            Text(
                "三员之间互相独立：不能由其他管理员重置密码、停用账号或解除验证",
                "the three administrators are independent: no other resets their passwords or disables them.",
            ),
            mend=Text(
                "请先由安全管理员收回其岗位，或在服务器上执行 jingwei people reset",
                "Have the security administrator take the duty first, or run `jingwei people reset` on the"
                " server.",
            ),
        )


class SetupPendingError(ConflictError):
    """A setup code is still out: whoever gave it could use it to take the duty."""

    code = "setup-pending"

    def __init__(self) -> None:
        super().__init__(
            Text("此人尚未用设置码设置密码", "this person has not used the setup code yet."),
            mend=Text(
                "三员岗位只授予已自行设置密码的人员",
                "The three separated duties are given to who has set a password.",
            ),
        )


class LastHolderError(ConflictError):
    """The last holder of a duty that a city cannot do without."""

    code = "duty-last-holder"

    def __init__(self, role: str) -> None:
        super().__init__(
            Text(f"这是最后一名 {role}", f"this is the last {role}."),
            mend=Text("请先任命接替者", "Give the duty to a successor first."),
        )


class OwnRoleError(ConflictError):
    """Nobody gives a role to oneself."""

    code = "role-own"

    def __init__(self) -> None:
        super().__init__(Text("不能给自己授予角色", "nobody gives a role to oneself."))


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
                "请打开启动时在控制台显示的链接设置密码",
                "Open the link that the console showed at the start, and set one.",
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

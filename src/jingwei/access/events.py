"""What happens to people, departments and rights. Names and login names are never part of an event."""

from jingwei.ledger import Field, declare
from jingwei.words import Text

PERSON = "person/<id>"
DEPARTMENT = "department/<code>"
ROLE = Field(str, Text("角色", "the role"))
WHERE = Field(str, Text("部门代码；全市为空", "the code of the department; empty for the whole city"))

declare("person.added", Text("新增人员", "A person was added"), subject=PERSON)
declare("person.disabled", Text("停用人员", "A person can no longer sign in"), subject=PERSON)
declare("person.enabled", Text("恢复人员", "A person can sign in again"), subject=PERSON)
declare(
    "person.signed_in",
    Text("登录", "A person signed in"),
    subject=PERSON,
    fields={"by": Field(str, Text("方式：password、oidc", "how: password or oidc (from outside)"))},
)
declare(
    "person.locked",
    Text("登录失败过多，账号锁定", "Too many failures locked an account"),
    subject=PERSON,
    fields={"failures": Field(int, Text("连续失败次数", "failures in a row"))},
)
declare("person.signed_out", Text("退出登录", "A person signed out"), subject=PERSON)
declare("person.renamed", Text("人员更名", "A person's name was changed"), subject=PERSON)
declare(
    "person.acted_as",
    Text("开放模式下以某人身份操作", "In open mode, the one at the machine began to act as a person"),
    subject=PERSON,
)
declare(
    "person.vouched_for",
    Text("外部认证首次登录，建立人员", "A person was added whom another authority vouched for"),
    subject=PERSON,
    fields={"issuer": Field(str, Text("认证机构", "the authority"))},
)
declare(
    "person.recovery_codes_renewed", Text("更换备用码", "A person got new recovery codes"), subject=PERSON
)
declare("person.password_set", Text("设置密码", "A person set a password"), subject=PERSON)
declare(
    "person.setup_code_given",
    Text("发放设置码", "A person was given a code to set a password"),
    subject=PERSON,
)
declare("person.second_factor_set", Text("启用动态验证码", "A person set up a second factor"), subject=PERSON)
declare("person.second_factor_removed", Text("停用动态验证码", "A second factor was removed"), subject=PERSON)
declare(
    "person.recovery_code_used",
    Text("使用备用码", "A person used a recovery code"),
    subject=PERSON,
    fields={"left": Field(int, Text("剩余个数", "how many are left"))},
)
declare(
    "person.role_given",
    Text("授予角色", "A person was given a role"),
    subject=PERSON,
    fields={"role": ROLE, "department": WHERE},
)
declare(
    "person.role_taken",
    Text("收回角色", "A role was taken from a person"),
    subject=PERSON,
    fields={"role": ROLE, "department": WHERE},
)
declare("person.token_issued", Text("签发接口令牌", "A token was issued"), subject=PERSON,
        fields={
            "token": Field(str, Text("令牌编号", "the number of the token")),
            "actions": Field(list[str], Text("许可的操作", "what it may be used for")),
            "expires": Field(str, Text("到期时间", "when it expires")),
        })  # fmt: skip
declare(
    "person.token_revoked",
    Text("吊销接口令牌", "A token was revoked"),
    subject=PERSON,
    fields={"token": Field(str, Text("令牌编号", "the number of the token"))},
)
declare(
    "department.added",
    Text("新增部门", "A department was added"),
    subject=DEPARTMENT,
    fields={"parent": Field(str | None, Text("上级部门", "the department above it"))},
)
declare("department.changed", Text("部门更名或改隶", "A department was renamed or moved"), subject=DEPARTMENT,
        fields={
            "title": Field(str, Text("名称", "its title")),
            "parent": Field(str | None, Text("上级部门", "the department above it")),
        })  # fmt: skip
declare("department.closed", Text("部门撤销", "A department was closed"), subject=DEPARTMENT)
declare(
    "policy.adopted",
    Text("新版策略生效", "A new version of the policies took effect"),
    subject="policies",
    fields={
        "version": Field(int, Text("版本号", "its number")),
        "digest": Field(str, Text("策略文本的 SHA-256", "SHA-256 of its text")),
    },
)

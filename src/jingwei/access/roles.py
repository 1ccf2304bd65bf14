"""The roles that people hold. What a role may do is said by policies, not here."""

from __future__ import annotations

from jingwei.errors import BadRequestError
from jingwei.words import Text

SYSTEM_ADMINISTRATOR = "system_administrator"
SECURITY_ADMINISTRATOR = "security_administrator"
AUDITOR = "auditor"

SEPARATED = frozenset({SYSTEM_ADMINISTRATOR, SECURITY_ADMINISTRATOR, AUDITOR})
"""三员分立 (GB/T 22239, 安全管理中心): nobody holds two of these. They concern the whole city."""

_roles: dict[str, Text] = {}


class UnknownRoleError(BadRequestError):
    """No part has declared the role."""

    code = "role-unknown"

    def __init__(self, name: str) -> None:
        super().__init__(
            Text(f"没有角色 {name[:80]}", f"there is no role {name[:80]}."), where={"field": "role"}
        )


def declare_role(name: str, title: Text) -> str:
    """Declare a role, so that it can be given; return its name."""
    _roles[name] = title
    return name


def roles() -> dict[str, Text]:
    """Return all declared roles with their titles."""
    return dict(_roles)


def check_role(name: str) -> None:
    """Raise `UnknownRoleError` unless the role is declared."""
    if name not in _roles:
        raise UnknownRoleError(name)


declare_role(SYSTEM_ADMINISTRATOR, Text("系统管理员", "system administrator"))
declare_role(SECURITY_ADMINISTRATOR, Text("安全管理员", "security administrator"))
declare_role(AUDITOR, Text("审计员", "auditor"))
declare_role("department_head", Text("部门负责人", "head of department"))
declare_role("staff", Text("工作人员", "member of staff"))
declare_role("operator", Text("运行中心值班员", "operator of the operations centre"))
declare_role("grid_officer", Text("网格员", "grid officer"))
declare_role("evaluator", Text("评价人员", "evaluator"))
declare_role("citizen", Text("市民", "citizen"))

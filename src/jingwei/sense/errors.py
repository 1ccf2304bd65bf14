"""What may go wrong with sensing, told to the person who meets it."""

from __future__ import annotations

from typing import Any

from jingwei.errors import BadRequestError, ConflictError, JingweiError, NotFoundError
from jingwei.words import Text


class BadQueryError(BadRequestError):
    """A query option cannot be read, or asks for what an entity does not have."""

    code = "sense-query"

    def __init__(self, option: str, what: Text, *, at: int | None = None, mend: Text | None = None) -> None:
        where: dict[str, Any] = {"option": option}
        if at is not None:
            where["at"] = at
        super().__init__(Text(f"{option}：{what.zh}", f"{option}: {what.en}"), mend=mend, where=where)


class BadPathError(NotFoundError):
    """No resource has that path."""

    code = "sense-path"

    def __init__(self, path: str) -> None:
        super().__init__(
            Text(f"没有资源 {path[:200]}", f"there is no resource {path[:200]}."),
            mend=Text(
                "路径形如 Things(1)/Datastreams；根路径列出全部集合。",
                "A path reads like Things(1)/Datastreams; the root lists all sets.",
            ),
            where={"path": path[:200]},
        )


class UnknownEntityError(NotFoundError):
    """No entity has that id, or the asker may not know of it."""

    code = "sense-unknown"

    def __init__(self, entity: str, identifier: object) -> None:
        super().__init__(
            Text(f"没有 {entity}({identifier})", f"there is no {entity}({identifier})."),
            where={"entity": entity, "id": str(identifier)[:40]},
        )


class BadEntityError(BadRequestError):
    """What was sent is no such entity; `where.field` names the fault."""

    code = "sense-entity"

    def __init__(self, field: str, what: Text, *, mend: Text | None = None) -> None:
        super().__init__(
            Text(f"{field}：{what.zh}", f"{field}: {what.en}"), mend=mend, where={"field": field[:200]}
        )


class NotOfThisKindError(JingweiError):
    """The resource does not take this method."""

    code = "sense-method"
    status = 405

    def __init__(self, method: str, path: str) -> None:
        super().__init__(
            Text(
                f"{path[:200] or '/'} 不接受 {method}",
                f"{path[:200] or '/'} does not take {method}.",
            ),
            where={"method": method, "path": path[:200]},
        )


class NotYetError(JingweiError):
    """Something that the standard has and this city does not answer."""

    code = "sense-not-offered"
    status = 501

    def __init__(self, what: Text) -> None:
        super().__init__(what)


class DeviceStateError(ConflictError):
    """The device is in a state that does not allow this."""

    code = "sense-device-state"

    def __init__(self, identifier: str, state: str) -> None:
        super().__init__(
            Text(
                f"设备 {identifier} 处于“{state}”状态，不能这样做",
                f"the device {identifier} is “{state}”: this cannot be done.",
            ),
            where={"device": identifier, "state": state},
        )

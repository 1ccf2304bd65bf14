"""By what devices sign in: a token for each, many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jingwei import access
from jingwei.access import tokens
from jingwei.errors import BadRequestError, ConflictError
from jingwei.records import now_utc
from jingwei.sense import policy
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from jingwei.access import Asker, Person

ROLE = "device"
MOST = 150_000
"""Tokens of one person who stands for devices: as many as a city reads ahead."""
SENDS = frozenset({policy.OBSERVE})


def names_of(file: bytes) -> list[str]:
    """Return the names of devices in a text file, one on a line; empty lines and what repeats are left out.

    Raises
    ------
    BadRequestError
        Where the text is not in UTF-8, a name is too long, or there is none.

    """
    try:
        lines = file.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        number = file.count(b"\n", 0, error.start) + 1
        raise BadRequestError(
            Text(f"名单第 {number} 行不是 UTF-8 编码", f"line {number} of the list is not in UTF-8."),
            mend=Text("请把名单存为 UTF-8 文本", "Save the list as text in UTF-8."),
            where={"row": number},
        ) from error
    names: dict[str, None] = {}
    for number, line in enumerate(lines, 1):
        name = line.strip()
        if len(name) > tokens.LONGEST_TITLE:
            raise BadRequestError(
                Text(
                    f"第 {number} 行超过 {tokens.LONGEST_TITLE} 个字符",
                    f"line {number} is longer than {tokens.LONGEST_TITLE} characters.",
                ),
                where={"row": number},
            )
        if name:
            names[name] = None
    if not names:
        raise BadRequestError(Text("名单中没有设备", "the list names no device."))
    return list(names)


def check_stands_for_devices(person: Person) -> None:
    """Refuse a person who is more than devices: whoever has their tokens can do what the person may.

    Raises
    ------
    ConflictError
        Where the person has another role, or not that of devices.

    """
    roles = {duty.role for duty in person.duties}
    if roles != {ROLE} or person.disabled:
        raise ConflictError(
            Text(
                f"{person.login} 不是只有“设备”角色的人员",
                f"{person.login} is not somebody with the role device alone.",
            ),
            mend=Text(
                "请为设备另建人员，由安全管理员只授予“设备”角色",
                "Add somebody for the devices; the security administrator gives the role device alone.",
            ),
        )


def issue(
    session: Session,
    asker: Asker,
    person: str,
    names: Sequence[str],
    expires: datetime,
) -> list[tuple[str, tokens.Token]]:
    """Return a new token for each device that has none which stands, with what it is known by.

    Parameters
    ----------
    session
        A transaction of the record store.
    asker
        In whose name they are issued.
    person
        Who stands for the devices.
    names
        What the devices are called; the title of a token is the name of its device.
    expires
        Until when they are good, a year at most.

    Raises
    ------
    ConflictError
        Where the person is more than devices, or would have too many.

    """
    known = access.person(session, person)
    check_stands_for_devices(known)
    has = tokens.titles_of_person(session, person, now_utc())
    new = [one for one in names if one not in has]
    return tokens.issue_tokens(session, asker.id, person, new, SENDS, expires, most=MOST)

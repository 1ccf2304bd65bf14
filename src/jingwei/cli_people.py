"""People on the command line: for whoever runs the server, when nobody can sign in any more."""

from __future__ import annotations

import csv
import os
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from jingwei.cli_guard import guarded, say
from jingwei.cli_home import city_option, home_option, open_named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from jingwei.access import Person
    from jingwei.city import City

PAGE = 200
AT_ONCE = 1_000
LONGEST_DAYS = 366


@click.group(
    help=say(
        "人员：列出、新增、重置密码；设备的令牌。", "People: list, add, reset a password; tokens of devices."
    )
)
def people() -> None:
    """People of a city."""


@people.command("list", help=say("列出人员及其角色。", "List people with their roles."))
@click.option("--search", default="", help=say("用户名或姓名的一部分", "a part of either name"))
@city_option
@home_option
@guarded
def list_people(search: str, city_id: str | None, home: Path | None) -> None:
    """List people."""
    from jingwei import access

    with open_named(city_id, home) as city, city.records.read() as session:
        after = ""
        while found := access.people(session, search=search, after=after, limit=PAGE):
            for one in found:
                click.echo(_line(one))
            after = found[-1].login


def _line(one: Person) -> str:
    roles = ", ".join(
        f"{duty.role}@{duty.department}" if duty.department else duty.role for duty in one.duties
    )
    marks = [
        text
        for shown, text in (
            (one.disabled, say("已停用", "disabled")),
            (not one.has_password and not one.from_outside, say("未设密码", "no password")),
        )
        if shown
    ]
    return "\t".join([one.login, one.name, roles, " ".join(marks)]).rstrip()


@people.command("add", help=say("新增一名人员，显示其设置码。", "Add a person; shows the setup code."))
@click.argument("login")
@click.argument("name")
@city_option
@home_option
@guarded
def add(login: str, name: str, city_id: str | None, home: Path | None) -> None:
    """Add a person."""
    from jingwei import access
    from jingwei.access.signing_in import SYSTEM, new_setup_code

    with open_named(city_id, home) as city:
        with city.records.write() as session:
            person = access.add_person(session, SYSTEM, login, name)
            code = new_setup_code(session, SYSTEM, person)
        _show_code(city, code)


@people.command(
    help=say(
        "重置密码：显示新的设置码，解除锁定与动态验证。忘记管理员密码时在服务器上执行。",
        "Reset a password: shows a new setup code, lifts the lock and the second factor. Run it on the server"
        " when an administrator has forgotten.",
    )
)
@click.argument("login")
@city_option
@home_option
@guarded
def reset(login: str, city_id: str | None, home: Path | None) -> None:
    """Let a person set a new password, whoever it is."""
    from jingwei.access import second_factor, sessions
    from jingwei.access.signing_in import SYSTEM, new_setup_code, unlock
    from jingwei.access.vault import KEY_FILE, Vault
    from jingwei.city.settings import read_settings
    from jingwei.ledger.keys import settled

    with open_named(city_id, home) as city:
        vault = Vault.open(read_settings(city.home).keys.secrets or settled(city.home, KEY_FILE))
        with city.records.write() as session:
            person = _named(session, login)
            code = new_setup_code(session, SYSTEM, person.id)
            unlock(session, vault, person.id)
            sessions.end_all(session, person.id)
            if person.has_second_factor:
                second_factor.remove(session, SYSTEM, person.id)
        _show_code(city, code)


@people.command(
    help=say(
        "为名单 LIST 中的每台设备（每行一台）签发令牌，写入新文件：设备、编号、令牌、到期时间。LOGIN 是只有"
        "“设备”角色的人员。已有有效令牌的设备跳过。",
        "Issue a token for each device of LIST (one a line) into a new file: device, number, token, expiry."
        " LOGIN is somebody whose only role is device. Devices that have a token that stands are left out.",
    )
)
@click.argument("login")
@click.argument("names", metavar="LIST", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--to",
    required=True,
    type=click.Path(path_type=Path),
    help=say("写入令牌的新文件（仅本账户可读）", "the new file of tokens, which only this account may read"),
)
@click.option(
    "--days",
    type=click.IntRange(1, LONGEST_DAYS),
    default=365,
    show_default=True,
    help=say("有效天数", "for how many days they are good"),
)
@city_option
@home_option
@guarded
def tokens(login: str, names: Path, to: Path, days: int, city_id: str | None, home: Path | None) -> None:
    """Issue tokens for devices; each thousand is on the disk before it is good."""
    from jingwei.access.signing_in import SYSTEM
    from jingwei.records import now_utc
    from jingwei.sense import sign_ins

    devices = sign_ins.names_of(names.read_bytes())
    until, issued = now_utc() + timedelta(days=days), 0
    with open_named(city_id, home) as city:
        with city.records.read() as session:
            person = _named(session, login)
        sign_ins.check_stands_for_devices(person)
        with _new_file(to) as file:
            rows = csv.writer(file)
            for start in range(0, len(devices), AT_ONCE):
                some = devices[start : start + AT_ONCE]
                with city.records.write() as session:
                    found = sign_ins.issue(session, SYSTEM, person.id, some, until)
                    if found and not issued:
                        rows.writerow(["device", "number", "token", "expires"])
                    rows.writerows([kept.title, kept.id, token, kept.expires] for token, kept in found)
                    file.flush()
                    os.fsync(file.fileno())
                issued += len(found)
    click.echo(
        say(
            f"已签发 {issued:,} 个令牌，写入 {to}；{len(devices) - issued:,} 台设备已有令牌。",
            f"Issued {issued:,} tokens in {to}; {len(devices) - issued:,} devices have one already.",
        )
    )


@contextmanager
def _new_file(path: Path) -> Iterator[TextIO]:
    """Open a file that is not there yet and that only this account may read; nothing written, no file."""
    from jingwei.errors import ConflictError
    from jingwei.words import Text

    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise ConflictError(
            Text(f"{path} 已存在", f"{path} is there already."),
            mend=Text("请指定一个新文件", "Name a new file."),
            where={"file": str(path)},
        ) from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
    finally:
        if not path.stat().st_size:
            path.unlink()


@people.command(
    help=say(
        "吊销 LOGIN 的令牌（按编号），例如设备遗失时。",
        "Revoke tokens of LOGIN by their numbers, as when a device is lost.",
    )
)
@click.argument("login")
@click.argument("numbers", nargs=-1, required=True)
@city_option
@home_option
@guarded
def revoke(login: str, numbers: tuple[str, ...], city_id: str | None, home: Path | None) -> None:
    """Revoke tokens; all or none."""
    from jingwei.access import tokens
    from jingwei.access.signing_in import SYSTEM

    with open_named(city_id, home) as city, city.records.write() as session:
        person = _named(session, login)
        for number in numbers:
            tokens.revoke_token(session, SYSTEM, person.id, number)
    click.echo(say(f"已吊销 {len(numbers)} 个令牌。", f"Revoked {len(numbers)} tokens."))


def _named(session: Session, login: str) -> Person:
    from jingwei import access
    from jingwei.access.people import login_of
    from jingwei.errors import NotFoundError
    from jingwei.words import Text

    for one in access.people(session, search=login, limit=PAGE):
        if one.login == login_of(login):
            return one
    raise NotFoundError(Text(f"没有用户 {login}", f"there is nobody named {login}."))


def _show_code(city: City, code: str) -> None:
    from jingwei.city.settings import read_settings

    address = read_settings(city.home).serve.address or ""
    click.echo(
        say(
            f"三天内打开 {address}/set-up#{code} 设置密码（一次有效）。",
            f"Open {address}/set-up#{code} within three days and set a password; it works once.",
        )
    )

"""People on the command line: for whoever runs the server, when nobody can sign in any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jingwei.cli_guard import guarded, say
from jingwei.cli_home import city_option, home_option, open_named

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from jingwei.access import Person
    from jingwei.city import City

PAGE = 200


@click.group(help=say("人员：列出、新增、重置密码。", "People: list, add, reset a password."))
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

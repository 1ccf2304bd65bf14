"""What `jingwei up` makes of its options and the city's settings: who may come in, and by which wire."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from jingwei.access.signing_in import check_open, first_start
from jingwei.city.living.storms import settings_of_city
from jingwei.city.settings import SenseSettings, read_settings
from jingwei.cli_guard import say
from jingwei.cli_readings import sensing
from jingwei.exchange.sending import Webhooks
from jingwei.web import OPEN, Entry, Wire, check_wire, create_app, serve
from jingwei.web.origins import LOOPBACK
from jingwei.web.routes.intake import begin_anew

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jingwei.city import City


AWAY = 15
"""Seconds for which the running city may not reach the city before it ends by itself."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of `up` that say how the city is served; the settings hold where one is missing."""

    host: str
    port: int
    open: bool
    still: bool
    tls_cert: Path | None
    tls_key: Path | None
    behind_proxy: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """How the city is going to be served."""

    options: Options
    entry: Entry
    wire: Wire
    hosts: frozenset[str] | None
    sense: SenseSettings


def plan_of(options: Options, home: Path) -> Plan:
    """Return how the city of `home` is served.

    Raises
    ------
    OpenModeError, PlainHttpError, TlsError, BadSettingsError
        Where that would not be safe, or cannot be; better before a long load than after.

    """
    settings = read_settings(home)
    limit = settings.sense.readings_per_minute
    if options.open:
        check_open(options.host)
        entry = replace(OPEN, readings_per_minute=limit)
        return Plan(options, entry, Wire(), LOOPBACK | {options.host}, settings.sense)
    served = settings.serve
    wire = Wire(
        options.tls_cert or served.tls_cert,
        options.tls_key or served.tls_key,
        options.behind_proxy or served.behind_proxy,
    )
    check_wire(wire, options.host)
    entry = Entry(
        secure=wire.secure,
        address=served.address,
        provider=settings.sign_in.oidc,
        citizens=settings.sign_in.citizens,
        vault_key=settings.keys.secrets,
        readings_per_minute=limit,
    )
    named = urlsplit(served.address).hostname if served.address else None
    return Plan(options, entry, wire, LOOPBACK | {named} if named else None, settings.sense)


def serve_city(city: City, plan: Plan) -> None:
    """Serve a city until interrupted; at the first start, show the link by which it is set up."""
    code = None
    if not plan.entry.open:
        with city.records.write() as session:
            code = first_start(session)

    ends = contextlib.ExitStack()

    def ready(address: str) -> None:
        _welcome(plan.entry.address or address, code, open_mode=plan.entry.open)
        if plan.entry.open and not plan.options.still and settings_of_city(city.about.id) is not None:
            ends.enter_context(running_city(address))

    app = create_app(city, entry=plan.entry, hosts=plan.hosts)
    begin_anew(app)
    host = "localhost" if plan.options.host == "127.0.0.1" else plan.options.host
    root = (plan.entry.address or f"http://{host}:{plan.options.port}") + "/sta/v1.1"
    webhooks = Webhooks(
        city,
        app.state.gate.vault,
        app.state.targets,
        f"urn:jingwei:city:{city.about.id}",
        is_open=plan.entry.open,
    )
    with _clock_of(city, plan), sensing(app.state, plan.sense, root), webhooks.running(), ends:
        serve(app, host=plan.options.host, port=plan.options.port, wire=plan.wire, ready=ready)


@contextlib.contextmanager
def _clock_of(city: City, plan: Plan) -> Iterator[None]:
    """Let the clock of a demo city go while it is open, unless it is to stand."""
    if plan.options.still:
        yield
        return
    city.clock.open()
    try:
        yield
    finally:
        city.clock.close()


@contextlib.contextmanager
def running_city(address: str) -> Iterator[None]:
    """Run the demo city in a process of its own, which tells the city at `address` what happens in it."""
    command = [sys.executable, "-m", "jingwei", "demo", "run", "--address", address, "--quiet"]
    process = subprocess.Popen([*command, "--until-away", str(AWAY)])  # noqa: S603 -- our own command
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(AWAY)
        except subprocess.TimeoutExpired:
            process.kill()


def _welcome(address: str, code: str | None, *, open_mode: bool) -> None:
    click.echo(
        say(f"城市已在 {address} 打开（Ctrl+C 停止）。", f"The city is open at {address} (Ctrl+C stops it).")
    )
    if open_mode:
        click.echo(
            say(
                "开放模式：无需登录，仅限本机，可以任何人的身份操作。",
                "Open mode: without sign-in, at this machine only; one may act as anyone.",
            )
        )
    if code is not None:
        click.secho(
            say(
                f"首次启动：请打开 {address}/set-up#{code} 设置管理员（admin）的密码，此前其他功能不可用。",
                f"First start: open {address}/set-up#{code} and set the password of the administrator"
                " (admin); nothing else works before.",
            ),
            bold=True,
        )

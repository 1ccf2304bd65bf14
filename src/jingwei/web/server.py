"""Runs the application on a port of this machine."""

from __future__ import annotations

import errno
import signal
import socket
import ssl
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import uvicorn

from jingwei.access.signing_in import is_local
from jingwei.errors import BadRequestError, JingweiError
from jingwei.web.origins import SameOrigin
from jingwei.web.quick import protocol_of
from jingwei.web.sense_door import SenseDoor
from jingwei.words import Text

if TYPE_CHECKING:
    from asyncio import Protocol
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fastapi import FastAPI
    from starlette.datastructures import State


class PortError(JingweiError):
    """The port or the host cannot be listened on."""

    code = "port"
    status = 500


TURN = 0.001
"""Seconds after which a thread passes on the interpreter to one that waits."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on `host` and `port`; port 0 takes a free one.

    Raises
    ------
    PortError
        The port is in use, is not allowed to this user, or the host is not of this machine.

    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise _port_error(host, port, error) from error
    return listener


def _port_error(host: str, port: int, error: OSError) -> PortError:
    where = {"host": host, "port": port}
    if error.errno == errno.EADDRINUSE:
        return PortError(
            Text(f"端口 {port} 已被占用", f"Port {port} is in use"),
            mend=Text(
                "请换一个端口：--port 8001（make run PORT=8001）。",
                "Take another: --port 8001 (make run PORT=8001).",
            ),
            where=where,
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return PortError(
            Text(f"不允许使用端口 {port}", f"This user may not listen on port {port}"),
            mend=Text("请使用 1024 以上的端口。", "Take a port above 1024."),
            where=where,
        )
    return PortError(
        Text(
            f"不能在 {host}:{port} 上服务：{error.strerror}",
            f"Cannot serve at {host}:{port}: {error.strerror}",
        ),
        mend=Text("请检查主机名。", "Check the host."),
        where=where,
    )


class TlsError(JingweiError):
    """The certificate or its key cannot be used."""

    code = "tls"
    status = 500

    def __init__(self, wire: Wire, error: Exception) -> None:
        super().__init__(
            Text(f"TLS 证书或私钥不可用：{error}", f"The certificate or its key cannot be used: {error}"),
            mend=Text(
                "证书为 PEM 格式（含中间证书），私钥与之相配且可读。",
                "Both are PEM; the certificate comes with those between, and the key belongs to it.",
            ),
            where={"cert": str(wire.cert), "key": str(wire.key)},
        )


class PlainHttpError(BadRequestError):
    """Passwords would cross the network in the clear."""

    code = "plain-http"

    def __init__(self, host: str) -> None:
        super().__init__(
            Text(
                f"不能在 {host} 上以明文 HTTP 提供登录：密码会在网络上被看到。",
                f"Cannot let people sign in over plain HTTP at {host}: passwords would be seen on the way.",
            ),
            mend=Text(
                "请给出 --tls-cert 和 --tls-key；若由反向代理终止 TLS，请给出 --behind-proxy 代理地址。",
                "Give --tls-cert and --tls-key, or, where a proxy speaks TLS for the city, --behind-proxy"
                " with the proxy's address.",
            ),
            where={"host": host},
        )


@dataclass(frozen=True, slots=True)
class Wire:
    """How requests reach the server.

    Attributes
    ----------
    cert, key
        Of TLS, as PEM files.
    proxies
        Addresses or networks of the proxies that speak TLS for the city. What they say of where a request
        comes from is believed; of others it is not.

    """

    cert: Path | None = None
    key: Path | None = None
    proxies: tuple[str, ...] = ()

    @property
    def secure(self) -> bool:
        """Whether browsers reach the city by HTTPS."""
        return self.cert is not None or bool(self.proxies)


def check_wire(wire: Wire, host: str) -> None:
    """Raise unless passwords are safe on the way to `host`, and the certificate can be used.

    Raises
    ------
    PlainHttpError
        Where `host` is not this machine, and there is neither TLS nor a proxy that has it.
    TlsError
        Where the certificate or the key is missing, is none, or they do not belong together.

    """
    if not wire.secure and not is_local(host):
        raise PlainHttpError(host)
    if wire.cert is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(wire.cert, wire.key)
        except (OSError, ssl.SSLError) as error:
            raise TlsError(wire, error) from error


def serve(
    app: FastAPI,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    wire: Wire | None = None,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve `app` until it is interrupted.

    Parameters
    ----------
    app
        What `create_app` returned.
    host, port
        Where to listen; `0.0.0.0` for all interfaces of the machine.
    wire
        How requests come; plain HTTP unless it says otherwise.
    ready
        Called with the address of the first page once the port is ours.

    Raises
    ------
    PortError
        The port is in use or may not be taken.

    """
    wire = wire or Wire()
    listener = listen(host, port)
    shown = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::", "::1") else host  # noqa: S104 -- only compared
    if ready is not None:
        ready(f"{'https' if wire.cert else 'http'}://{shown}:{listener.getsockname()[1]}")
    config = uvicorn.Config(
        app,
        http=protocol_for(app),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
        ssl_certfile=wire.cert,
        ssl_keyfile=wire.key,
        proxy_headers=bool(wire.proxies),
        forwarded_allow_ips=list(wire.proxies) or None,
    )
    with _ending_in_order(), _in_short_turns():
        Server(config, app.state).run(sockets=[listener])


@contextmanager
def _in_short_turns() -> Iterator[None]:
    """Have threads pass on the interpreter after a millisecond, instead of five, while the block lasts.

    A reading changes threads some six times until it is acknowledged, and each time it waits for a turn of
    whoever counts, draws or rolls up meanwhile.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


class Server(uvicorn.Server):
    """A server that tells streams without an end that it ends, and need not cut them."""

    def __init__(self, config: uvicorn.Config, state: State) -> None:
        super().__init__(config)
        self._state = state

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End, once what was asked is answered."""
        if hasattr(self._state, "ending"):
            self._state.ending.begin()
        await super().shutdown(sockets)


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Let a request to end (SIGTERM) end the block as an interrupt does: what was opened around it is closed.

    The server ends by itself and then sends the signal once more, which by default ends the process at once:
    a broker that was started would be left running.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    before = signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def protocol_for(app: FastAPI) -> type[Protocol] | Literal["auto"]:
    """Return the protocol of connections: one that takes in readings itself, where there is a city."""
    if not hasattr(app.state, "gate"):
        return "auto"
    same = SameOrigin(app, hosts=app.state.hosts)
    return protocol_of(SenseDoor(app, served=app.state), same)

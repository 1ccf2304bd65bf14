"""Runs the application on a port of this machine."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

import uvicorn

from jingwei.errors import JingweiError
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI


class PortError(JingweiError):
    """The port or the host cannot be listened on."""

    code = "port"
    status = 500


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


def serve(
    app: FastAPI,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve `app` until it is interrupted.

    Parameters
    ----------
    app
        What `create_app` returned.
    host, port
        Where to listen; `0.0.0.0` for all interfaces of the machine.
    ready
        Called with the address of the first page once the port is ours.

    Raises
    ------
    PortError
        The port is in use or may not be taken.

    """
    listener = listen(host, port)
    shown = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::", "::1") else host  # noqa: S104 -- only compared
    if ready is not None:
        ready(f"http://{shown}:{listener.getsockname()[1]}")
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=3
    )
    uvicorn.Server(config).run(sockets=[listener])

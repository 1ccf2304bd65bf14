"""mosquitto, where it is installed, started and stopped with the city."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from jingwei.errors import JingweiError
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAMS = ("mosquitto", "/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto")
PID = "mosquitto.pid"
PATIENCE = 10.0
"""Seconds within which it must listen."""


class BrokerError(JingweiError):
    """The broker did not start."""

    code = "broker"
    status = 500

    def __init__(self, port: int, said: str) -> None:
        super().__init__(
            Text(
                f"MQTT 代理未能在端口 {port} 启动：{said}",
                f"The MQTT broker did not start on port {port}: {said}",
            ),
            mend=Text("请更换端口或关闭 sense.mqtt。", "Take another port, or switch sense.mqtt off."),
            where={"port": port},
        )


def program() -> str | None:
    """Return where mosquitto is, None if it is not installed."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


def configuration(folder: Path, host: str, port: int, extra: Path | None = None) -> str:
    """Return the configuration: sessions are kept on disk, nobody waits behind a bound that is not told."""
    lines = [
        f"listener {port} {host}",
        "allow_anonymous true" if extra is None else f"include_dir {extra}",
        "persistence true",
        f"persistence_location {folder}/",
        "autosave_interval 5",
        "max_queued_messages 1000000",
        "max_inflight_messages 1000",
        # Who subscribes to what: the city tells topics with `$select` only where someone asks for them.
        "log_dest topic",
        "log_type subscribe",
        # Started by root it would become another user, who may not write into the city's home.
        *(["user root"] if os.geteuid() == 0 else []),
    ]
    return "\n".join(lines) + "\n"


@contextlib.contextmanager
def mosquitto(folder: Path, *, host: str = "127.0.0.1", port: int = 1883) -> Iterator[int]:
    """Run mosquitto while the block lasts; yields the port.

    Raises
    ------
    BrokerError
        If it is not installed, or does not listen.

    """
    found = program()
    if found is None:
        raise BrokerError(port, "mosquitto is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "mosquitto.conf"
    _end_left(folder / PID, settings)
    _check_free(host, port)
    settings.write_text(configuration(folder, host, port), "utf-8")
    process = subprocess.Popen(  # noqa: S603 -- our own arguments
        [found, "-c", str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        (folder / PID).write_text(str(process.pid), "ascii")
        _wait(process, host, port)
        yield port
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stderr is not None:
            process.stderr.close()


def _end_left(pid: Path, settings: Path) -> None:
    """End the broker that a city left running which was killed; it is known by its configuration."""
    with contextlib.suppress(OSError, ValueError):
        number = int(pid.read_text("ascii"))
        said = Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
        if str(settings).encode() not in said:
            return
        os.kill(number, signal.SIGTERM)
        end = time.monotonic() + PATIENCE
        while Path(f"/proc/{number}").exists() and time.monotonic() < end:
            time.sleep(0.05)


def _check_free(host: str, port: int) -> None:
    """Raise where another program listens: it would be taken for ours."""
    with socket.socket() as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            own.bind((host, port))
        except OSError as error:
            raise BrokerError(port, error.strerror or str(error)) from error


def _wait(process: subprocess.Popen[bytes], host: str, port: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            said = process.stderr.read().decode("utf-8", "replace").strip() if process.stderr else ""
            raise BrokerError(port, said.splitlines()[-1] if said else "it ended")
        with contextlib.suppress(OSError), socket.create_connection((host, port), 0.2):
            return
        time.sleep(0.05)
    raise BrokerError(port, "no answer")

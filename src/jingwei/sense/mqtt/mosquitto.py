"""mosquitto, where it is installed, started and stopped with the city."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jingwei.errors import JingweiError
from jingwei.ledger.threads import in_thread
from jingwei.words import Text

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from jingwei.sense.mqtt.rights import Rights

log = logging.getLogger(__name__)

PROGRAMS = ("mosquitto", "/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto")
PID, CONFIGURATION = "mosquitto.pid", "mosquitto.conf"
NEAR = 20
"""Ports that are tried one after another where none is named."""
LOOK = 1.0
"""Seconds between two looks at whether it still runs."""
PATIENCE = 10.0
"""Seconds within which it must listen."""


class BrokerError(JingweiError):
    """The broker did not start."""

    code = "broker"
    status = 500

    def __init__(self, port: int, said: str, number: int | None = None) -> None:
        taken = number == errno.EADDRINUSE
        super().__init__(
            Text(
                f"MQTT 代理未能在端口 {port} 启动：{'另一个程序已占用该端口' if taken else said}",
                f"The MQTT broker did not start on port {port}: "
                f"{'another program listens there' if taken else said}",
            ),
            mend=Text(
                "请在 settings.toml 的 [sense.mqtt] 中更换 port，或写 enabled = false。",
                "In settings.toml, under [sense.mqtt], take another port, or write enabled = false.",
            ),
            where={"port": port},
        )


class PlainMqttError(JingweiError):
    """Tokens would cross the network in the clear."""

    code = "plain-mqtt"

    def __init__(self, host: str) -> None:
        super().__init__(
            Text(
                f"不能在 {host} 上以明文 MQTT 提供登录：令牌会在网络上被看到",
                f"Devices cannot sign in over plain MQTT at {host}: tokens would be seen on the way.",
            ),
            mend=Text(
                "请在 [sense.mqtt] 中给出 tls_cert 和 tls_key。", "Give tls_cert and tls_key in [sense.mqtt]."
            ),
            where={"host": host},
        )


def program() -> str | None:
    """Return where mosquitto is, None if it is not installed."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a broker listens, and how.

    Attributes
    ----------
    cert, key
        Of TLS, as PEM files; without them it speaks in the clear.
    devices
        The certificates (PEM) of who vouches for devices: whoever shows one of theirs is signed in by it.
    inside
        A port of this machine for the city itself, where the other one speaks TLS.

    """

    host: str = "127.0.0.1"
    port: int = 1883
    cert: Path | None = None
    key: Path | None = None
    devices: Path | None = None
    inside: int | None = None

    @property
    def own(self) -> int:
        """The port at which the city itself connects, at this machine."""
        return self.port if self.inside is None else self.inside

    def lines(self) -> list[str]:
        """Return what the configuration says of it."""
        told = [f"listener {self.port} {self.host}"]
        if self.cert is not None:
            told += [f"certfile {self.cert}", f"keyfile {self.key}"]
        if self.devices is not None:
            told += [f"cafile {self.devices}", "require_certificate true", "use_identity_as_username true"]
        return told if self.inside is None else [*told, f"listener {self.inside} 127.0.0.1"]


def configuration(folder: Path, listening: Listening, rights: Rights | None = None) -> str:
    """Return the configuration: sessions are kept on disk, nobody waits behind a bound that is not told."""
    lines = [
        "allow_anonymous true" if rights is None else "allow_anonymous false",
        *([] if rights is None else [f"password_file {rights.passwords}", f"acl_file {rights.topics}"]),
        *listening.lines(),
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
def mosquitto(
    folder: Path,
    listening: Listening | None = None,
    rights: Rights | None = None,
    *,
    port: int = 1883,
    ended: Callable[[], object] = lambda: None,
) -> Iterator[int]:
    """Run mosquitto while the block lasts; yields the port at which the city itself connects.

    Parameters
    ----------
    folder
        Of its own files.
    listening
        Where; at a port of this machine, in the clear, where nothing is said.
    rights
        Who signs in and may do what; without it anyone may do all.
    port
        Of this machine, where `listening` is not given.
    ended
        Called when it ended by itself and is started again.

    Raises
    ------
    BrokerError
        If it is not installed, or does not listen.

    """
    listening = listening or Listening(port=port)
    found = program()
    if found is None:
        raise BrokerError(listening.port, "mosquitto is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / CONFIGURATION
    end_left(folder)
    _check_free(listening.host, listening.port)
    if rights is not None:
        rights.renew()
    settings.write_text(configuration(folder, listening, rights), "utf-8")
    kept = _Kept([found, "-c", str(settings)], folder / PID, ended)
    try:
        _wait(kept.process, "127.0.0.1" if listening.inside else listening.host, listening.own)
        with contextlib.ExitStack() as running:
            running.enter_context(in_thread("mosquitto", kept.run))
            if rights is not None:
                running.enter_context(rights.followed(kept.read_anew))
            yield listening.own
    finally:
        kept.end()


class _Kept:
    """A program that is started again when it ends by itself."""

    def __init__(self, command: list[str], pid: Path, ended: Callable[[], object]) -> None:
        self._command = command
        self._pid = pid
        self._ended = ended
        self.process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # noqa: S603 -- our own arguments
            self._command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,  # an interrupt at the terminal is for the city, which ends it in its turn
        )
        self._pid.write_text(str(process.pid), "ascii")
        return process

    def run(self, stop: threading.Event) -> None:
        """Start it again whenever it has ended, until it is to stop."""
        while not stop.wait(LOOK):
            if self.process.poll() is not None:
                log.warning("mosquitto ended (%s) and is started again", self.process.returncode)
                self._close()
                self._ended()
                self.process = self._started()

    def read_anew(self) -> None:
        """Have it read who signs in."""
        self.process.send_signal(signal.SIGHUP)

    def end(self) -> None:
        """End it."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._close()

    def _close(self) -> None:
        if self.process.stderr is not None:
            self.process.stderr.close()


def free_port() -> int:
    """Return a port of this machine at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def free_near(host: str, port: int) -> int:
    """Return a port, or the first of those after it at which nobody listens; itself where all are taken."""
    near = range(port, min(port + NEAR, 65_536))
    return next((one for one in near if _why_not(host, one) is None), port)


def end_left(folder: Path) -> None:
    """End the broker that a city left running which was killed; it is known by its configuration."""
    with contextlib.suppress(OSError, ValueError):
        number = int((folder / PID).read_text("ascii"))
        said = Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
        if str(folder / CONFIGURATION).encode() not in said:
            return
        os.kill(number, signal.SIGTERM)
        end = time.monotonic() + PATIENCE
        while Path(f"/proc/{number}").exists() and time.monotonic() < end:
            time.sleep(0.05)


def _check_free(host: str, port: int) -> None:
    """Raise where another program listens: it would be taken for ours."""
    error = _why_not(host, port)
    if error is not None:
        raise BrokerError(port, error.strerror or str(error), error.errno) from error


def _why_not(host: str, port: int) -> OSError | None:
    """Return why a port cannot be listened on; None where it can."""
    with socket.socket() as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            own.bind((host, port))
        except OSError as error:
            return error
    return None


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

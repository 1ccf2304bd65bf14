"""What the demo city costs: `jingwei up` from nothing and again, a city of a million, a tiny one for tests.

    python bench/demo.py

Run it alone on the machine, with byte code kept (`env -u PYTHONDONTWRITEBYTECODE`).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from jingwei.web import listen

JINGWEI = [sys.executable, "-m", "jingwei"]
PATIENCE = 300.0


def main() -> None:
    """Measure, and print the rows of docs/benchmarks.md."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        rows = [
            ("`jingwei up` from nothing until the page answers", up(home), "60 s"),
            ("the same again", up(home), "5 s"),
        ]
        seconds, peak = generated(home / "million")
        rows += [
            ("`jingwei demo generate --scale M`", seconds, "300 s"),
            ("its memory at most", f"{peak / 1024:.1f} GiB", "4 GiB"),
        ]
        seconds, peak = loaded(home, home / "million")
        rows += [
            ("`jingwei load` of that city", seconds, ""),
            ("its memory at most", f"{peak / 1024:.1f} GiB", ""),
        ]
        rows.append(("a tiny city, imports done", tiny(), "1 s"))
    print("| work | measured | to reach |\n|---|---|---|")
    for work, value, aim in rows:
        shown = value if isinstance(value, str) else f"{value:.1f} s"
        print(f"| {work} | {shown} | {aim} |")


def up(home: Path) -> float:
    """Return the seconds that `jingwei up` takes until its first page answers."""
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "JINGWEI_HOME": str(home)}
    begin = time.perf_counter()
    with subprocess.Popen(
        [*JINGWEI, "up", "--port", str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            while not answers(f"http://127.0.0.1:{port}/"):
                if process.poll() is not None or time.perf_counter() - begin > PATIENCE:
                    raise RuntimeError("the city did not open")
                time.sleep(0.05)
            return time.perf_counter() - begin
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


def answers(address: str) -> bool:
    """Tell whether a page answers."""
    try:
        with urllib.request.urlopen(address, timeout=1.0) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError):
        return False


def timed(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Return the seconds that a command takes, and the most memory it held in MiB."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"{' '.join(command)} failed")
    return time.perf_counter() - begin, used.ru_maxrss / 1024.0


def generated(out: Path) -> tuple[float, float]:
    """Generate a city of a million people."""
    return timed(
        [*JINGWEI, "demo", "generate", "--scale", "M", "--seed", "2", "--out", str(out)], dict(os.environ)
    )


def loaded(home: Path, pack: Path) -> tuple[float, float]:
    """Load it."""
    return timed([*JINGWEI, "load", str(pack)], {**os.environ, "JINGWEI_HOME": str(home)})


def tiny() -> float:
    """Return the seconds of building a city for tests."""
    from jingwei.city.demo import tiny_town

    tiny_town(1)
    begin = time.perf_counter()
    tiny_town(2)
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()

"""Readings on the command line."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from jingwei.cli_guard import guarded, say

SYSTEMS = {"WGS84": "WGS84", "CGCS2000": "CGCS2000", "GCJ-02": "GCJ-02", "BD-09": "BD-09"}


@click.group(help=say("感知读数。", "Sensor readings."))
def sense() -> None:
    """Readings on the command line."""


@sense.command(
    help=say(
        "把记录的读数经由城市的大门回放：FILE 为站点（.json）和读数（.parquet）。",
        "Replay records through a city's front door: FILE are stations (.json) and readings (.parquet).",
    )
)
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--to", "root", default="http://localhost:8000/sta/v1.1", show_default=True, metavar="URL")
@click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=say("令牌所在的文件", "the file that holds the token to sign in by"),
)
@click.option(
    "--datum",
    type=click.Choice(list(SYSTEMS)),
    help=say("站点坐标的坐标系；不给出则询问", "in which the stations' places are told; asked if not given"),
)
@guarded
def replay(files: tuple[Path, ...], root: str, token_file: Path | None, datum: str | None) -> None:
    """Create the stations, then send the readings; again changes nothing."""
    from jingwei.sense import replay as work

    token = token_file.read_text("utf-8").strip() if token_file else None

    def door_of() -> work.Door:
        return work.Door(root, token)

    stations = [one for path in files if path.suffix == ".json" for one in work.stations_of(path)]
    recorded = [path for path in files if path.suffix == ".parquet"]
    door = door_of()
    streams = work.streams_of(door)
    if stations:
        streams = work.make_streams(door, work.placed(stations, datum or _ask()))
    door.close()
    started = time.monotonic()
    sent = 0

    def tell(rows: int) -> None:
        nonlocal sent
        sent += rows
        if sys.stderr.isatty():
            click.echo(f"\r{sent:,}", nl=False, err=True)

    for path in recorded:
        work.replay(path, streams, door_of, tell=tell)
    seconds = time.monotonic() - started
    click.echo(
        say(
            f"已回放 {sent:,} 条读数（{len(streams)} 个数据流），用时 {seconds:.1f} 秒。",
            f"Replayed {sent:,} readings of {len(streams)} streams in {seconds:.1f} s.",
        )
    )


def _ask() -> str:
    """Ask in which system places are told that do not say it; it is not guessed."""
    question = say(
        "站点文件未说明坐标系（WGS84 与 GCJ-02 相差数百米）。坐标系是",
        "The stations do not say their coordinate system (GCJ-02 is off WGS84 by hundreds of metres). It is",
    )
    if not sys.stdin.isatty():
        raise click.UsageError(say(f"{question}？请给出 --datum。", f"{question}? Give --datum."))
    answer: str = click.prompt(question, type=click.Choice(list(SYSTEMS)))
    return answer

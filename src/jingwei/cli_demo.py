"""The demo city on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from jingwei.cli_guard import guarded, say

if TYPE_CHECKING:
    from jingwei.city.demo.settings import Settings

SCALES = ("tiny", "S", "M")


@click.group(help=say("演示城市。", "The demo city."))
def demo() -> None:
    """The demo city."""


@demo.command(
    "generate",
    help=say(
        "由种子生成一座虚构城市，写成城市数据包。", "Generate a fictional city from a seed, as a city pack."
    ),
)
@click.option(
    "--scale",
    type=click.Choice(SCALES),
    default="S",
    show_default=True,
    help=say("规模：S 约 5 万人，M 约 100 万人", "size: S about 50,000 people, M about a million"),
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=1,
    show_default=True,
    help=say("种子；同一种子生成同一座城市", "equal seeds give equal cities"),
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help=say("数据包的目录", "folder of the pack"),
)
@guarded
def generate_command(scale: str, seed: int, out: Path) -> None:
    """Generate a fictional city from a seed, as a city pack."""
    from jingwei.city.demo.settings import settings_of

    click.echo(str(generate_telling(settings_of(scale, seed), out)))


def generate_telling(settings: Settings, out: Path) -> Path:
    """Generate a city pack, telling each stage on standard error; return the manifest's path."""
    from jingwei.city.demo.generate import STAGES, generate

    last = ""

    def told(stage: str, share: float) -> None:
        nonlocal last
        line = f"{STAGES[stage]} {share:.0%}" if share else str(STAGES[stage])
        if line != last:
            click.echo(f"  {line}", err=True)
        last = line

    return generate(settings, out, told)

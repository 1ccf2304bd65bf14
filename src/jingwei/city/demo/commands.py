"""The demo city on the command line."""

from __future__ import annotations

from pathlib import Path

import click

from jingwei.city.demo.settings import SCALES, settings_of
from jingwei.words import language_of_locale


def _say(zh: str, en: str) -> str:
    return zh if language_of_locale() == "zh" else en


@click.group(help=_say("演示城市。", "The demo city."))
def demo() -> None:
    """The demo city."""


@demo.command(
    "generate",
    help=_say(
        "由种子生成一座虚构城市，写成城市数据包。", "Generate a fictional city from a seed, as a city pack."
    ),
)
@click.option(
    "--scale",
    type=click.Choice(list(SCALES)),
    default="S",
    show_default=True,
    help=_say("规模：S 约 5 万人，M 约 100 万人", "size: S about 50,000 people, M about a million"),
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=1,
    show_default=True,
    help=_say("种子；同一种子生成同一座城市", "equal seeds give equal cities"),
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help=_say("数据包的目录", "folder of the pack"),
)
def generate_command(scale: str, seed: int, out: Path) -> None:
    """Generate a fictional city from a seed, as a city pack."""
    from jingwei.city.demo.generate import STAGES, generate
    from jingwei.errors import JingweiError

    last = ""

    def told(stage: str, share: float) -> None:
        nonlocal last
        line = f"{STAGES[stage]} {share:.0%}" if share else str(STAGES[stage])
        if line != last:
            click.echo(line, err=True)
        last = line

    try:
        manifest = generate(settings_of(scale, seed), out, told)
    except JingweiError as error:
        raise click.ClickException(str(error)) from error
    click.echo(str(manifest))

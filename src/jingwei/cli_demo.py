"""The demo city on the command line."""

from __future__ import annotations

import json
import signal
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jingwei.cli_guard import guarded, say

if TYPE_CHECKING:
    from jingwei.city.demo.settings import Settings

SCALES = ("tiny", "S", "M")
NEWS_EVERY = 5.0
"""Seconds between two lines that tell how the running city stands."""


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


@demo.command(
    "run",
    help=say(
        "让已打开的演示城市运行：传感器经 MQTT 和 HTTP 上报，市民上报、来电、网格员巡查。",
        "Run an open demo city: its sensors tell by MQTT and HTTP, people report, call and patrol.",
    ),
)
@click.option(
    "--address", default="http://127.0.0.1:8000", show_default=True, help=say("城市的地址", "of the city")
)
@click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=say("令牌文件；开放模式不需要", "file that holds a token; an open city needs none"),
)
@click.option(
    "--owner", default="", metavar="CODE", help=say("设备所属部门的代码", "department that owns the stations")
)
@click.option(
    "--mqtt-name", metavar="NUMBER", help=say("令牌编号，用于 MQTT 登录", "number of the token, for MQTT")
)
@click.option("--speed", type=click.FloatRange(0.1, 600), help=say("倍速", "how fast the city's clock goes"))
@click.option("--until-away", type=click.FloatRange(min=1), hidden=True)
@click.option("--quiet", is_flag=True, help=say("不显示进度", "tell nothing"))
@guarded
def run_command(address: str, token_file: Path | None, speed: float | None, **more: Any) -> None:
    """Tell an open demo city what happens in it, until interrupted."""
    from jingwei.city.living.running import News, Where, run

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    token = token_file.read_text("utf-8").strip() if token_file else None
    told = 0.0

    def tell(news: News) -> None:
        nonlocal told
        if not more["quiet"] and time.monotonic() - told > NEWS_EVERY:
            told = time.monotonic()
            click.echo(
                say(
                    f"{news.now.isoformat(timespec='seconds')}：读数 {news.readings}，上报 {news.reports}，"
                    f"未接收 {news.refused}",
                    f"{news.now.isoformat(timespec='seconds')}: {news.readings} readings, {news.reports}"
                    f" reports, {news.refused} not taken",
                )
            )

    where = Where(address.rstrip("/"), token, more["owner"], more["mqtt_name"])
    run(where, stop=stop, speed=speed, until_away=more["until_away"], tell=tell)


@demo.command(
    "truth",
    help=say(
        "输出运行城市的真值：暴雨、积水的下穿通道、故障的传感器。",
        "Print what is true of a running city: storms, flooded underpasses, sensors that fail.",
    ),
)
@click.option("--scale", type=click.Choice(SCALES), default="S", show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True)
@click.option("--from", "since", required=True, type=click.DateTime(), help=say("起（UTC）", "from (UTC)"))
@click.option("--to", "until", required=True, type=click.DateTime(), help=say("止（UTC）", "to (UTC)"))
@guarded
def truth_command(scale: str, seed: int, since: datetime, until: datetime) -> None:
    """Print what is true of the running city between two instants, as JSON."""
    from jingwei.city.demo.settings import settings_of
    from jingwei.city.demo.town import build_town
    from jingwei.city.living.story import Story, truth_of

    story = Story(build_town(settings_of(scale, seed)))
    told = truth_of(story, since.replace(tzinfo=UTC), until.replace(tzinfo=UTC))
    click.echo(json.dumps(told, ensure_ascii=False, indent=2))


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

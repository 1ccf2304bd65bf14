"""Cases on the command line."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from jingwei.cli_guard import INCOMPLETE, guarded, say
from jingwei.cli_home import city_option, home_option, open_named, records_option

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jingwei.cases.board import Choice
    from jingwei.cases.indicators import Dimension


@click.group(help=say("案件。", "Cases."))
def cases() -> None:
    """Cases on the command line."""


@cases.command(
    help=say(
        "用导出的日志（jingwei ledger export）重新计算全部指标，不需要数据库。",
        "Count every indicator anew from an exported log (jingwei ledger export), without the records.",
    )
)
@click.argument("bundle", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--now",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]),
    help=say(
        "未办结的按此时刻判断（默认现在）", "the instant at which open cases are judged (now by default)"
    ),
)
@click.option("--since", type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]), help=say("上报起", "reported since"))
@click.option("--until", type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]), help=say("上报止", "reported before"))
@click.option("--by", multiple=True, help=say("分组，至多两个", "group by, two at most"))
@click.option("--indicator", "keys", multiple=True, help=say("只算这些指标", "only these indicators"))
@click.option(
    "--hotline", is_flag=True, help=say("算热线三率等，至多一个分组", "rates of the hotline; by one at most")
)
@guarded
def recount(
    bundle: Path,
    now: datetime | None,
    since: datetime | None,
    until: datetime | None,
    by: tuple[str, ...],
    keys: tuple[str, ...],
    *,
    hotline: bool,
) -> None:
    """Print the figures of an exported log as JSON, once the log itself has been checked."""
    from jingwei.access import local_person
    from jingwei.cases.board import Choice
    from jingwei.cases.calendar import instant
    from jingwei.cases.indicators import figures
    from jingwei.cases.recount import recount as count_anew
    from jingwei.ledger.keys import check_signature
    from jingwei.ledger.verify import check_bundle
    from jingwei.records import now_utc

    report = check_bundle(bundle, check=check_signature)
    if not report.sound:
        for finding in report.findings:
            click.echo(str(finding), err=True)
        raise click.ClickException(say("日志不可信，不予计算", "the log is not sound and is not counted"))
    choice = Choice(
        since=None if since is None else instant(since), until=None if until is None else instant(until)
    )
    at = instant(now or now_utc())
    if hotline:
        _print(_hotline(bundle, choice, at, by, keys))
        return
    groups = cast("Sequence[Dimension]", by)  # what is no dimension is told by `figures`
    found = figures(count_anew(bundle), local_person(), choice, now=at, by=groups, keys=keys or None)
    _print(found)


def _hotline(
    bundle: Path, choice: Choice, now: int, by: tuple[str, ...], keys: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Return the rates of the hotline of an exported log, of the calls that came within a time."""
    from jingwei.cases.hotline.rates import rates, rates_known
    from jingwei.cases.recount import recount_calls

    if unknown := sorted(set(keys) - rates_known().keys()):
        raise click.BadParameter(", ".join(unknown), param_hint="--indicator")
    calls, regime = recount_calls(bundle)
    since, until = choice.since or 0, choice.until
    wanted = (
        (call, case) for call, case in calls if since <= call.began and (not until or call.began < until)
    )
    group: Any = " ".join(by) or None  # what is no dimension is told by `rates`
    told = rates(wanted, regime, now=now, by=group)
    return [one | {"figures": {key: one["figures"][key] for key in keys or one["figures"]}} for one in told]


def _print(found: Sequence[Mapping[str, Any]]) -> None:
    told = [
        {
            "by": group["by"],
            "figures": {
                name: {"top": one.top, "bottom": one.bottom, "value": one.value}
                for name, one in group["figures"].items()
            },
        }
        for group in found
    ]
    click.echo(json.dumps(told, ensure_ascii=False, indent=1))


@cases.command(
    help=say(
        "把案件开放数据发布为数据集 public_cases 的新版本。",
        "Publish the open data of cases as a new version of the dataset public_cases.",
    )
)
@city_option
@home_option
@records_option
@guarded
def publish(city_id: str | None, home: Path | None, records_url: str | None) -> None:
    """Publish what the public is told of all cases as they are now."""
    from jingwei.cases import Desk
    from jingwei.cases.board import Board
    from jingwei.cases.open_data import publish as publish_data

    with open_named(city_id, home, records_url) as city:
        desk = Desk(city.policies.current)
        report = publish_data(city, desk, Board(city.records, desk))
    counts = report.counts
    click.echo(
        say(
            f"{report.id}：{report.stage}，{counts.published} 件",
            f"{report.id}: {report.stage}, {counts.published} cases",
        )
    )
    if report.stage not in ("published", "unchanged"):
        sys.exit(INCOMPLETE)

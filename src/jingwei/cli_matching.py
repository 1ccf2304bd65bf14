"""Commands on records across datasets: matching them, and following what was made of them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click
import pyarrow.parquet as pq
from pyarrow import csv

from jingwei.cli_guard import guarded, say
from jingwei.cli_home import city_option, home_option, open_named, records_option


@click.command(
    help=say(
        "比对若干数据集中同一人员或企业的记录（概率模型）；配置见 docs/intake.md。",
        "Match the records of the same person or enterprise in several datasets, by probability; the "
        "configuration is described in docs/intake.md.",
    )
)
@click.argument("name")
@click.option(
    "--set",
    "document",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=say("先按此 TOML 文件设定", "set it up by this TOML file first"),
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help=say("把认定相同的记录对写入 CSV 或 Parquet", "write the linked pairs as CSV or Parquet"),
)
@click.option("--json", "as_json", is_flag=True, help=say("以 JSON 输出", "print JSON"))
@city_option
@home_option
@records_option
@guarded
def match(
    name: str,
    document: Path | None,
    out: Path | None,
    city_id: str | None,
    home: Path | None,
    records_url: str | None,
    *,
    as_json: bool,
) -> None:
    """Match records."""
    from jingwei import matching
    from jingwei.access import local_person

    asker = local_person()
    with open_named(city_id, home, records_url) as city:
        if document is not None:
            matching.configure(city, asker, name, document.read_text("utf-8"))
        made = matching.run(city, asker, name)
        found = matching.links(city, asker, name)
    if out is not None:
        (csv.write_csv if out.suffix == ".csv" else pq.write_table)(found, out)
    if as_json:
        told = {"run": made.id, "rows": made.rows, "states": made.states, "conflicts": made.conflicts}
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    waiting = made.states["review"] + made.states["unsure"]
    click.echo(
        say(
            f"第 {made.id} 次比对：{found.num_rows} 对认定相同，{waiting} 对待核对",
            f"Run {made.id}: {found.num_rows} pairs linked, {waiting} to review",
        )
    )
    for field, count in made.conflicts.items():
        if count:
            click.echo(say(f"  {field}：{count} 对不一致", f"  {field}: {count} pairs differ"))


@click.command(
    help=say(
        "数据集某个版本的来龙去脉：来自哪些文件，由此得到了什么。",
        "Where a version of a dataset came from, and what was made of it.",
    )
)
@click.argument("dataset")
@click.option(
    "--version", "number", type=int, help=say("第几版（默认为现行版本）", "which version; the current one")
)
@click.option("--json", "as_json", is_flag=True, help=say("以 JSON 输出", "print JSON"))
@city_option
@home_option
@records_option
@guarded
def lineage(
    dataset: str,
    number: int | None,
    city_id: str | None,
    home: Path | None,
    records_url: str | None,
    *,
    as_json: bool,
) -> None:
    """Tell the lineage of a version, back and forward."""
    from jingwei.access import local_person
    from jingwei.cases import open_data  # noqa: F401 -- tells what it knows of uses
    from jingwei.lake.errors import NotPublishedError
    from jingwei.lake.lineage import listed, loads_of, reads, uses
    from jingwei.sense.rollups import used_by  # noqa: F401 -- the same
    from jingwei.sense.rules import service  # noqa: F401 -- the same

    asker = local_person()
    with open_named(city_id, home, records_url) as city:
        found = city.lake.dataset(asker, dataset)
        version = found.version if number is None else city.lake.view(asker, dataset, number).version
        if version is None:
            raise NotPublishedError(dataset, found.state)
        made = uses(city.lake, asker, dataset, version.number)
        read = reads(version, listed(city.lake, asker))
        load = loads_of(city.lake, asker, dataset, [version]).get(version.number)
    if as_json:
        told = {
            "dataset": dataset,
            "version": version.number,
            "published": version.published.isoformat(),
            "by": load and load.by,
            "event": load and load.event,
            "sources": [{"path": file.path, "sha256": file.digest} for file in version.content.sources],
            "reads": None if read is None else [asdict(one) for one in read],
            "uses": [{**asdict(one), "at": one.at.isoformat()} for one in made],
        }
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    click.echo(say(f"{dataset} 第 {version.number} 版", f"{dataset}, version {version.number}"))
    if load is not None:
        at = f"{version.published:%Y-%m-%d %H:%M:%SZ}"
        click.echo(
            say(
                f"  ← {at} 由 {load.by} 发布（日志事件 {load.event}）",
                f"  ← {at} published by {load.by}, event {load.event}",
            )
        )
    for file in version.content.sources:
        click.echo(f"  ← {file.path}  SHA-256 {file.digest}")
    if read is None:
        click.echo("  ← " + say("读了哪些数据集：未记录", "which datasets were read was not recorded"))
    for one in read or []:
        click.echo(f"  ← dataset/{one.dataset} ({one.version}) {one.how}")
    for use in made:
        beside = "" if use.version is None else f" ({use.version})"
        often = "" if use.times == 1 else f" x {use.times}"
        line = " ".join([use.kind, f"{use.subject}{beside}", *use.how])
        click.echo(f"  → {use.at:%Y-%m-%d %H:%M:%SZ} {line}{often}")

"""Backup and restore on the command line."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from jingwei.cli_guard import guarded, say
from jingwei.cli_home import city_option, home_option, open_named, records_option, root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jingwei.keeping import KeysChoice, Restored
    from jingwei.keeping.copying import Tell

keys_apart = click.option(
    "--keys",
    "apart",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help=say("密钥与 settings.toml 单独存放的文件夹", "a folder apart for the keys and settings.toml"),
)


@click.command(
    help=say(
        "备份整个城市到新文件夹；城市可照常运行。须说明密钥放在何处。",
        "Back the whole city up into a new folder, while it runs. It has to be said where the keys go.",
    )
)
@click.argument("folder", type=click.Path(path_type=Path))
@keys_apart
@click.option("--with-keys", is_flag=True, help=say("密钥放在备份内", "put the keys into the backup"))
@click.option("--without-keys", is_flag=True, help=say("不备份密钥", "leave the keys out"))
@city_option
@home_option
@records_option
@guarded
def backup(
    folder: Path,
    apart: Path | None,
    city_id: str | None,
    home: Path | None,
    records_url: str | None,
    *,
    with_keys: bool,
    without_keys: bool,
) -> None:
    """Back the whole city up."""
    from jingwei.access import local_person
    from jingwei.keeping import back_up

    if (apart is not None) + with_keys + without_keys != 1:
        raise click.UsageError(
            say(
                "密钥放在何处？--keys 文件夹、--with-keys 或 --without-keys，三者选一",
                "Where do the keys go? Say one of --keys FOLDER, --with-keys, --without-keys.",
            )
        )
    keys: KeysChoice = apart or ("inside" if with_keys else "without")
    with open_named(city_id, home, records_url) as city, _told() as tell:
        made = back_up(city, folder, keys=keys, actor=local_person().id, tell=tell)
    click.echo(
        say(
            f"已备份 {made.datasets} 个数据集、{made.events} 条已封存的日志，"
            f"共 {made.files} 个文件、{_size(made.bytes)}；校验：jingwei restore --check {folder}",
            f"Backed up {made.datasets} datasets and {made.events} sealed events: {made.files} files, "
            f"{_size(made.bytes)}. Check it by: jingwei restore --check {folder}",
        )
    )
    if made.keys != "inside":
        click.echo(
            say(
                "密钥不在备份内：没有它们，恢复后的日志不能续签，第二因子须重设。",
                "The keys are not in it: without them a restored log cannot go on, and second factors "
                "are set up anew.",
            )
        )


@click.command(
    help=say(
        "由备份恢复城市到空文件夹；--check 只校验。",
        "Bring a city back from a backup into an empty folder; with --check, only check the backup.",
    )
)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help=say("只校验备份", "only check the backup"))
@keys_apart
@click.option(
    "--without-keys", is_flag=True, help=say("没有密钥也恢复", "restore although the keys are not at hand")
)
@home_option
@records_option
@guarded
def restore(
    folder: Path,
    apart: Path | None,
    home: Path | None,
    records_url: str | None,
    *,
    check: bool,
    without_keys: bool,
) -> None:
    """Bring a city back."""
    from jingwei import keeping
    from jingwei.access import local_person

    with _told() as tell:
        if check:
            copy = keeping.check_backup(folder, tell)
        else:
            about = keeping.read_backup(folder).about
            target = home or root() / about["city"]["id"]
            target.parent.mkdir(parents=True, exist_ok=True)
            keys: Path | Literal["without"] | None = apart or ("without" if without_keys else None)
            actor = local_person().id
            back = keeping.restore(folder, target, keys=keys, records_url=records_url, actor=actor, tell=tell)
    if check:
        click.echo(say(f"备份完好：{copy.about['files']} 个文件", f"Sound: {copy.about['files']} files."))
        return
    if home is None:
        (root() / "current").write_text(back.city, "utf-8")
    _show_restored(back)


@click.command(
    help=say(
        "删除超过契约所定保留期的旧版本（服务运行时每小时自动进行）。",
        "Remove versions past the retention that their contract says (a served city does so every hour).",
    )
)
@city_option
@home_option
@records_option
@guarded
def prune(city_id: str | None, home: Path | None, records_url: str | None) -> None:
    """Remove versions past their retention."""
    from jingwei.access import local_person
    from jingwei.lake.retention import drop_old

    with open_named(city_id, home, records_url) as city:
        dropped = drop_old(city.lake, actor=local_person().id)
    for dataset, number in dropped:
        click.echo(say(f"{dataset}：第 {number} 版已删除", f"{dataset}: version {number} removed"))
    if not dropped:
        click.echo(say("没有超过保留期的版本。", "No version is past its retention."))


@click.command(
    help=say(
        "把数据集的许多文件合并为少数几个，并按网格重新排序，作为下一个版本发布（服务运行时每小时自动进行）。",
        "Put the many files of datasets into few, sorted by cell, as their next version (a served city does "
        "so every hour).",
    )
)
@click.argument("dataset", required=False)
@city_option
@home_option
@records_option
@guarded
def compact(dataset: str | None, city_id: str | None, home: Path | None, records_url: str | None) -> None:
    """Put files together, sorted by cell."""
    from jingwei.access import local_person
    from jingwei.keeping.compacting import compact_all

    with open_named(city_id, home, records_url) as city:
        made = compact_all(city, actor=local_person().id, only=dataset)
    for one in made:
        before, after = one.files
        much, little = (f"{size / 1e6:.1f} MB" for size in one.bytes)
        click.echo(
            say(
                f"{one.dataset}：第 {one.version} 版，{one.rows} 行，{before} 个文件（{much}）"
                f"合为 {after} 个（{little}）",
                f"{one.dataset}: version {one.version}, {one.rows} rows, {before} files ({much}) "
                f"into {after} ({little})",
            )
        )
    if not made:
        click.echo(say("没有需要合并的文件。", "No files need to be put together."))


@click.command(
    help=say(
        "从数据集的所有版本中删除某人的数据行；值从标准输入读取，不留在命令记录里。",
        "Erase a person's rows from all versions of a dataset; the value is asked for, or read from standard "
        "input, so that no shell keeps it.",
    )
)
@click.argument("dataset")
@click.option("--column", required=True, help=say("按哪一列找", "the column by which they are found"))
@click.option("--reason", required=True, help=say("理由，不得写出姓名", "why; must name nobody"))
@city_option
@home_option
@records_option
@guarded
def erase(
    dataset: str, column: str, reason: str, city_id: str | None, home: Path | None, records_url: str | None
) -> None:
    """Erase a person's rows."""
    from jingwei.access import local_person
    from jingwei.keeping.forgetting import erase as work
    from jingwei.matching import forget_erased

    asked = sys.stdin.isatty()
    value = (
        click.prompt(say(f"{column} 的值", f"Value of {column}"), hide_input=True)
        if asked
        else sys.stdin.readline().rstrip("\n")
    )
    with open_named(city_id, home, records_url) as city:
        done = work(city, dataset, column, value, reason=reason, actor=local_person().id)
        pairs = forget_erased(city, dataset)
    for version, rows in done.rows.items():
        click.echo(say(f"第 {version} 版：{rows} 行", f"version {version}: {rows} rows"))
    click.echo(
        say(
            f"隔离区 {done.quarantined} 行，质量问题 {done.findings} 条，登记对象 {done.objects} 个，"
            f"日志内容 {done.events} 条，来文 {len(done.files)} 个，比对结果 {pairs} 对",
            f"quarantine {done.quarantined} rows, findings {done.findings}, objects {done.objects}, "
            f"payloads of events {done.events}, files handed in {len(done.files)}, matched pairs {pairs}",
        )
    )
    for path in done.elsewhere:
        click.echo(say(f"仍在其他文件中：{path}", f"Still in another file: {path}"))


def export_all(
    folder: Path, keys: Path | None, city_id: str | None, home: Path | None, records_url: str | None
) -> None:
    """Write everything in a city into a folder, in open formats."""
    from jingwei.access import local_person
    from jingwei.keeping import export_city

    with open_named(city_id, home, records_url) as city, _told() as tell:
        made = export_city(city, folder, keys=keys, actor=local_person().id, tell=tell)
    click.echo(
        say(
            f"已导出 {made.datasets} 个数据集（{made.rows} 行）、{made.events} 条已封存的日志，"
            f"共 {made.files} 个文件、{_size(made.bytes)}",
            f"Exported {made.datasets} datasets ({made.rows} rows) and {made.events} sealed events: "
            f"{made.files} files, {_size(made.bytes)}",
        )
    )


@click.command(
    "import",
    help=say(
        "由 jingwei export --all 的结果建立城市，写入空文件夹。",
        "Make a city of what `jingwei export --all` wrote, in an empty folder.",
    ),
)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@keys_apart
@home_option
@records_option
@guarded
def import_(folder: Path, apart: Path | None, home: Path | None, records_url: str | None) -> None:
    """Make a city of an export."""
    from jingwei.access import local_person
    from jingwei.keeping import check_export, import_city

    with _told() as tell:
        about = check_export(folder).about
        target = home or root() / about["city"]["id"]
        target.parent.mkdir(parents=True, exist_ok=True)
        actor = local_person().id
        back = import_city(folder, target, keys=apart, records_url=records_url, actor=actor, tell=tell)
    if home is None:
        (root() / "current").write_text(back.city, "utf-8")
    _show_restored(back)


def _show_restored(back: Restored) -> None:
    click.echo(
        say(
            f"已恢复 {back.city}（{back.made}）："
            f"{back.datasets} 个数据集、{back.events} 条已封存的日志，在 {back.home}",
            f"Restored {back.city} as of {back.made}: {back.datasets} datasets, {back.events} sealed events, "
            f"in {back.home}",
        )
    )
    if not back.keys:
        click.echo(
            say(
                "没有密钥：把它们放进 keys/ 之后才能启动。",
                "There are no keys: put them into keys/ before you start it.",
            )
        )


@contextmanager
def _told() -> Iterator[Tell]:
    """Show on the terminal which file is at hand."""
    files, live = 0, sys.stderr.isatty()

    def tell(name: str, _bytes: int) -> None:
        nonlocal files
        files += 1
        if live:
            click.echo(f"\r\x1b[K{files:>8,}  {name[-60:]}", nl=False, err=True)

    yield tell
    if files and live:
        click.echo("\r\x1b[K", nl=False, err=True)


def _size(size: int) -> str:
    return f"{size / 2**20:,.1f} MiB"

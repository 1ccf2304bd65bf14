"""The command that hands in a file, or a table of a database: what was detected, then the load."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jingwei.cli_guard import INCOMPLETE, guarded, say
from jingwei.cli_home import city_option, home_option, open_named, records_option
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jingwei.city import City
    from jingwei.city.intake import Examined, Received
    from jingwei.city.tables import Reading

CHUNK = 1 << 20


@click.command(
    help=say(
        "装载单个文件，或管理员在 settings.toml 中写明的数据库的一张表：显示识别结果与依据，然后装载。",
        "Load a single file, or a table of a database that settings.toml names: show what was detected and "
        "why, then load it.",
    )
)
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--database", metavar="NAME", help=say("数据库的名称", "name of the database"))
@click.option("--table", metavar="TABLE", help=say("要读的表", "the table to read"))
@click.option(
    "--cursor", metavar="COLUMN", help=say("按此列只读新的行", "read only what is new, by this column")
)
@click.option("--key", "keys", multiple=True, metavar="COLUMN", help=say("主键列", "column of the key"))
@click.option("--whole", is_flag=True, help=say("全部重读", "read all rows anew"))
@click.option("--as", "source", metavar="ID", help=say("数据源的标识", "identifier of the source"))
@click.option(
    "--set",
    "told",
    multiple=True,
    metavar="KEY=VALUE",
    help=say(
        '更正，键与城市清单相同，例如 place.crs="BD-09"',
        'a correction, with the keys of a city\'s manifest, such as place.crs="BD-09"',
    ),
)
@click.option("--new-layout", is_flag=True, help=say("接受变化了的列", "take changed columns"))
@click.option("--look", is_flag=True, help=say("只看不装载", "only look, do not load"))
@click.option("--yes", is_flag=True, help=say("不再询问", "do not ask"))
@city_option
@home_option
@records_option
@click.option("--json", "as_json", is_flag=True, help=say("以 JSON 输出", "print JSON"))
@guarded
def intake(
    file: Path | None,
    database: str | None,
    table: str | None,
    cursor: str | None,
    keys: tuple[str, ...],
    source: str | None,
    told: tuple[str, ...],
    city_id: str | None,
    home: Path | None,
    records_url: str | None,
    *,
    whole: bool,
    new_layout: bool,
    look: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Hand in a file or a table, show what it is, and load it."""
    from jingwei.access import local_person
    from jingwei.city import intake as handing
    from jingwei.city.tables import Reading as Way
    from jingwei.cli_progress import Bars

    if (file is None) == (database is None or table is None):
        raise click.UsageError(
            str(Text("请给出文件，或 --database 与 --table。", "Give a file, or --database and --table."))
        )
    changes = read_changes(told) | ({"id": source} if source else {})
    with open_named(city_id, home, records_url) as city:
        if file is not None:
            received = handing.receive(city, local_person(), file.name, _chunks(file))
        else:
            how = Way(str(database), str(table), cursor, keys, whole)
            received = _read(city, how, quiet=as_json)
        seen = handing.examine(city, received.id, changes)
        if look or not as_json:
            _show(seen, as_json=as_json)
        if look:
            return
        if seen.preview.problem is not None:
            sys.exit(INCOMPLETE)
        if not (yes or as_json) and not click.confirm(say("装载？", "Load it?"), default=True):
            return
        with Bars(quiet=as_json) as bars:
            report = handing.load_file(
                city, local_person(), received.id, changes, listener=bars, new_layout=new_layout
            )
    if as_json:
        click.echo(json.dumps({"source": report.id, "stage": report.stage, "problem": report.problem}))
    else:
        counts = report.counts
        click.echo(
            say(
                f"{report.id}：{report.stage}，读入 {counts.read} 行，"
                f"发布 {counts.published} 行，隔离 {counts.quarantined} 行",
                f"{report.id}: {report.stage}, {counts.read} rows read, {counts.published} published, "
                f"{counts.quarantined} quarantined",
            )
        )
    if report.stage not in ("published", "unchanged"):
        sys.exit(INCOMPLETE)


def _read(city: City, how: Reading, *, quiet: bool) -> Received:
    from jingwei.access import local_person
    from jingwei.city.tables import read_table
    from jingwei.cli_progress import Bars

    with Bars(quiet=quiet) as bars:
        read = read_table(city, local_person(), how, listener=bars)
    if not quiet:
        click.echo(
            say(f"读到 {read.rows} 行，共 {read.total} 行", f"{read.rows} rows read, {read.total} in all")
        )
    return read.file


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def read_changes(told: tuple[str, ...]) -> dict[str, Any]:
    """Read corrections given as `key=value`, each as a line of TOML; a bare word is a text."""
    changes: dict[str, Any] = {}
    for one in told:
        key, sign, value = one.partition("=")
        if not sign:
            raise click.BadParameter(
                str(Text(f"“{one}”应为 键=值", f"'{one}' is not key=value")), param_hint="--set"
            )
        try:
            line = tomllib.loads(f"{key} = {value}")
        except tomllib.TOMLDecodeError:
            try:
                line = tomllib.loads(f"{key} = {json.dumps(value, ensure_ascii=False)}")
            except tomllib.TOMLDecodeError as error:
                raise click.BadParameter(str(error), param_hint="--set") from error
        _merge(changes, line)
    return changes


def _merge(into: dict[str, Any], more: dict[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _show(seen: Examined, *, as_json: bool) -> None:
    preview = seen.preview
    if as_json:
        data = {
            "spec": seen.spec.model_dump(mode="json", exclude_defaults=True),
            "known": {
                "source": seen.known.source,
                "match": seen.known.match,
                "missing": seen.known.missing,
                "new": seen.known.new,
            },
            "layers": seen.layers,
            "columns": preview.columns,
            "evidence": preview.evidence,
            "problem": preview.problem,
            "looked_at": preview.looked_at,
            "placed": preview.placed,
            "faults": preview.faults,
            "score": preview.report.score if preview.report else None,
            "rules": [
                {
                    "id": one.id,
                    "text": one.text,
                    "severity": one.severity,
                    "rows": one.rows,
                    "examples": one.examples,
                }
                for one in (preview.report.rules if preview.report else [])
                if one.failed and not one.id.startswith("quarantine:")
            ],
        }
        click.echo(json.dumps(data, ensure_ascii=False, indent=2, default=str))
        return
    known = seen.known
    if known.source:
        click.echo(say(f"数据源 {known.source} 的下一个文件", f"The next file of source {known.source}"))
    if known.match == "changed":
        click.echo(
            say(
                f"列有变化：缺少 {'、'.join(known.missing) or '无'}，多出 {'、'.join(known.new) or '无'}",
                f"Its columns changed: missing {', '.join(known.missing) or 'none'}, "
                f"new {', '.join(known.new) or 'none'}",
            )
        )
    for one in preview.evidence:
        click.echo(f"  {one['about']}: {one['verdict']}  ({Text(**one['reason'])})")
    if preview.problem:
        click.echo(str(Text(**preview.problem["what"])), err=True)
        if preview.problem["mend"]:
            click.echo(str(Text(**preview.problem["mend"])), err=True)
        return
    click.echo(
        say(
            f"看了 {preview.looked_at} 行，{preview.placed} 行有位置",
            f"{preview.looked_at} rows looked at, {preview.placed} have a place",
        )
    )
    for rule, rows in preview.faults.items():
        click.echo(say(f"  无法发布：{rule} {rows} 行", f"  cannot be published: {rule}, {rows} rows"))
    for broken in preview.report.rules if preview.report else []:
        if broken.failed and broken.rows and not broken.id.startswith("quarantine:"):
            seen_at = ", ".join(map(str, broken.examples[:8]))
            click.echo(
                say(
                    f"  {Text(**broken.text)} {broken.rows} 行（如第 {seen_at} 行）",
                    f"  {Text(**broken.text)} {broken.rows} rows ({seen_at})",
                )
            )
    if preview.report:
        click.echo(say(f"得分 {preview.report.score:g}", f"Score {preview.report.score:g}"))

"""The command line. It parses, calls the parts, and prints; it holds no rules of the city."""

from __future__ import annotations

import gc
import importlib
import json
import sys
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import click

from jingwei import __version__
from jingwei.cli_guard import INCOMPLETE, guarded, say
from jingwei.cli_home import city_option, home_of, home_option, open_named, records_option, root
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jingwei.city import City
    from jingwei.city.loader import LoadReport
    from jingwei.cli_show import Shown
    from jingwei.grid import Cell
    from jingwei.lake import Rows

AT_LEVEL = 19
"""Level of the cell that `at` shows for a coordinate: 4 arc-seconds, about 120 m (BeiDou level 5)."""


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Look for no garbage while modules are imported, nor ever again among what they brought: it stays."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _print_json(data: Any) -> None:
    click.echo(json.dumps(data, ensure_ascii=False, indent=2, default=str))


json_option = click.option("--json", "as_json", is_flag=True, help=say("以 JSON 输出", "print JSON"))


class _Commands(click.Group):
    """The commands below, and those of the parts, which are imported only when they are called."""

    parts: ClassVar[dict[str, str]] = {
        "backup": "jingwei.cli_keeping",
        "cases": "jingwei.cli_cases",
        "compact": "jingwei.cli_keeping",
        "sense": "jingwei.cli_sense",
        "demo": "jingwei.cli_demo",
        "erase": "jingwei.cli_keeping",
        "grid": "jingwei.cli_grid",
        "import": "jingwei.cli_keeping",
        "intake": "jingwei.cli_intake",
        "ledger": "jingwei.ledger.commands",
        "lineage": "jingwei.cli_matching",
        "match": "jingwei.cli_matching",
        "people": "jingwei.cli_people",
        "prune": "jingwei.cli_keeping",
        "restore": "jingwei.cli_keeping",
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self.parts})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = self.parts.get(cmd_name)
        if module is None:
            return super().get_command(ctx, cmd_name)
        name = f"{cmd_name}_" if cmd_name == "import" else cmd_name  # a word of Python's own
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(
    cls=_Commands,
    help=say(
        "经纬：开放的城市智脑。\n\n先打开一座城市：jingwei up examples/shenzhen --data 数据文件夹\n"
        "再询问某处有什么：jingwei at 22.54,114.05",
        "Jingwei: an open city brain.\n\nOpen a city first: jingwei up examples/shenzhen --data FOLDER\n"
        "then ask what is at a place: jingwei at 22.54,114.05",
    ),
    epilog=say(
        "退出码：0 成功；1 有数据源未发布；2 输入有误；3 不存在；4 被占用；"
        "5 机器不允许（磁盘、权限、端口）。",
        "Exit codes: 0 done; 1 a source is not published; 2 wrong input; 3 not found; 4 busy; "
        "5 the machine does not allow it (disk, rights, port).",
    ),
)
@click.version_option(__version__, prog_name="jingwei")
def main() -> None:
    """Run the command line."""


@main.command(
    help=say(
        "装载城市包并打开城市；不给城市包则打开演示城市。",
        "Load a city pack and open the city in the browser's reach; without a pack, the demo city.",
    )
)
@click.argument("pack", required=False, type=click.Path(path_type=Path))
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help=say("数据文件夹（若与清单分开）", "folder of the pack's files, if they lie apart"),
)
@click.option(
    "--home", type=click.Path(path_type=Path), help=say("城市自己的文件夹", "the city's own folder")
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--city", "city_id", metavar="ID", help=say("打开已装载的城市", "open a city loaded before"))
@click.option(
    "--open",
    "open_mode",
    is_flag=True,
    help=say(
        "无需登录，仅限本机；可以任何人的身份操作", "without sign-in, at this machine only; act as anyone"
    ),
)
@click.option(
    "--still",
    is_flag=True,
    help=say("演示城市不运行：时钟停住", "do not run the demo city: its clock stands"),
)
@click.option(
    "--tls-cert", type=click.Path(path_type=Path), help=say("TLS 证书（PEM）", "TLS certificate (PEM)")
)
@click.option(
    "--tls-key", type=click.Path(path_type=Path), help=say("TLS 私钥（PEM）", "its private key (PEM)")
)
@click.option(
    "--behind-proxy",
    multiple=True,
    metavar="ADDRESS",
    help=say(
        "终止 TLS 的反向代理的地址或网段", "address or network of the proxy that speaks TLS for the city"
    ),
)
@records_option
@guarded
def up(
    pack: Path | None,
    data: Path | None,
    home: Path | None,
    city_id: str | None,
    records_url: str | None,
    **options: Any,
) -> None:
    """Load a pack if its files changed, then serve the city until interrupted."""
    with _without_collecting():
        from jingwei import web
        from jingwei.cases import Desk
        from jingwei.cases.alerts import Alerts
        from jingwei.cases.board import Board
        from jingwei.cases.following import Listener
        from jingwei.cases.forwarding import Forwards
        from jingwei.cases.notices import Notices
        from jingwei.cases.open_data import publishing
        from jingwei.cases.photos import FOLDER, Photos
        from jingwei.cases.ticking import Ticker
        from jingwei.cases.tidying import tidying
        from jingwei.city import read_manifest
        from jingwei.city.channels import channels_of
        from jingwei.city.settings import read_settings
        from jingwei.cli_serve import Options, plan_of, serve_city
        from jingwei.corrections import Reviewer
        from jingwei.keeping.keeper import keeping
        from jingwei.ledger.sealer import Sealer, key_folder_of
        from jingwei.sense.rules.notices import AlarmNotices

    wanted = Options(open=options.pop("open_mode"), **options)
    web.listen(wanted.host, wanted.port).close()  # better to hear of it before a long load than after
    if city_id is not None:
        plan = plan_of(wanted, home or home_of(city_id))
        city = open_named(city_id, home, records_url)
    else:
        pack = pack or _demo_pack()
        plan = plan_of(wanted, home or root() / read_manifest(pack).city.id)
        city = _loaded(pack, data, home, records_url=records_url)[0]
    tidy = tidying(city.records, Photos(city.home / FOLDER))
    desk = Desk(city.policies.current)
    clock, listener = Ticker(city.records, desk).running(), Listener(city.records, desk).running()
    settings = read_settings(city.home)
    channels = channels_of(settings.notices, city.home)
    mail = channels.get("email")
    alerts = (
        Alerts(city.records, desk, mail, city.about.name, settings.serve.address).running()
        if mail
        else nullcontext()
    )
    notices = Notices(city.records, desk, channels, city.about.name).running()
    reached = AlarmNotices(city.records, channels, settings.notices.reach, city.about.name, city.about.zone)
    forwards = Forwards(city.records, desk, settings.serve.address).running()
    reviewer = Reviewer(city.records).running()
    with (
        city,
        Sealer(city.records, city.home / "log", key_folder=key_folder_of(city.home)).running(),
        tidy,
        clock,
        listener,
        notices,
        alerts,
        forwards,
        reached.running(),
        publishing(city, desk, lambda: Board(city.records, desk)),
        reviewer,
        keeping(city),
    ):
        serve_city(city, plan)


def _demo_pack() -> Path:
    """Return the folder of the demo city's pack, generated when it is first asked for."""
    folder = root() / "packs" / "demo"
    if not (folder / "city.toml").is_file():
        from jingwei.city.demo.settings import settings_of
        from jingwei.cli_demo import generate_telling

        click.echo(say("正在生成演示城市……", "Generating the demo city ..."), err=True)
        generate_telling(settings_of("S", 1), folder)
    return folder


@main.command(help=say("装载城市包，不打开网页。", "Load a city pack without serving it."))
@click.argument("pack", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help=say("数据文件夹", "folder of the pack's files"))
@click.option(
    "--home", type=click.Path(path_type=Path), help=say("城市自己的文件夹", "the city's own folder")
)
@click.option("--only", metavar="SOURCE", help=say("只装载这一数据源", "load this source only"))
@records_option
@json_option
@guarded
def load(
    pack: Path,
    data: Path | None,
    home: Path | None,
    only: str | None,
    records_url: str | None,
    *,
    as_json: bool,
) -> None:
    """Load a pack; exit with 1 if a source is held back or failed."""
    city, report = _loaded(pack, data, home, only=only, records_url=records_url, quiet=as_json)
    city.close()
    if as_json:
        _print_json(_report_json(report))
    if not report.complete:
        sys.exit(INCOMPLETE)


def _loaded(
    pack: Path,
    data: Path | None,
    home: Path | None,
    *,
    only: str | None = None,
    records_url: str | None = None,
    quiet: bool = False,
) -> tuple[City, LoadReport]:
    from jingwei.access import local_person
    from jingwei.cases import Desk
    from jingwei.cases.founding import found_cases
    from jingwei.city import load_pack, open_city, read_manifest
    from jingwei.cli_progress import Bars, print_founded, print_summary
    from jingwei.sense.founding import found_rules

    manifest = read_manifest(pack)
    folder = pack if pack.is_dir() else pack.parent
    target = home or root() / manifest.city.id
    city = open_city(target, create=True, records_url=records_url)
    try:
        with Bars(quiet=quiet) as bars:
            report = load_pack(city, manifest, folder, data, local_person(), listener=bars, only=only)
            desk = Desk(city.policies.current)
            if only is None:
                found_rules(city, manifest, (data or folder).resolve(), local_person())
            founded = (
                found_cases(city, desk, manifest, (data or folder).resolve(), local_person(), tell=bars.tell)
                if only is None
                else None
            )
    except BaseException:
        city.close()
        raise
    if home is None:
        (root() / "current").write_text(manifest.city.id, "utf-8")
    if not quiet:
        print_summary(report)
        if founded is not None:
            print_founded(founded)
    return city, report


def _report_json(report: LoadReport) -> dict[str, Any]:
    from dataclasses import asdict

    sources = [{**asdict(source), "title": source.title.as_json()} for source in report.sources]
    return {"city": report.city, "complete": report.complete, "seconds": report.seconds, "sources": sources}


@main.command(
    help=say(
        "显示城市及其数据集；给出数据集则显示其详情。",
        "Show the city and its datasets, or one dataset in full.",
    )
)
@click.argument("dataset", required=False)
@city_option
@home_option
@records_option
@json_option
@guarded
def status(
    dataset: str | None, city_id: str | None, home: Path | None, records_url: str | None, *, as_json: bool
) -> None:
    """Show what is loaded."""
    from jingwei import cli_show
    from jingwei.access import local_person

    with open_named(city_id, home, records_url) as city:
        if dataset is None:
            shown = cli_show.city_summary(city.about, city.lake.datasets(local_person()))
        else:
            shown = cli_show.dataset_summary(city.about, city.lake.dataset(local_person(), dataset))
        _show(shown, as_json=as_json)


@main.command(
    help=say(
        "显示某网格单元内的一切：编码，或“纬度,经度”。",
        "Show everything in a grid cell: a BeiDou or GeoSOT code, or latitude,longitude.",
    )
)
@click.argument("place")
@click.option(
    "--level", type=click.IntRange(1, 32), help=say("坐标所取的 GeoSOT 层级", "GeoSOT level for a coordinate")
)
@click.option(
    "--limit",
    default=20,
    show_default=True,
    type=click.IntRange(1, 10_000),
    help=say("每个数据集的行数", "rows of each dataset"),
)
@city_option
@home_option
@records_option
@json_option
@guarded
def at(
    place: str,
    level: int | None,
    limit: int,
    city_id: str | None,
    home: Path | None,
    records_url: str | None,
    *,
    as_json: bool,
) -> None:
    """Show what is at a place."""
    from jingwei import cli_show
    from jingwei.access import local_person

    cell = _cell(place, level)
    with open_named(city_id, home, records_url) as city:
        found = city.lake.at(local_person(), cell, limit=limit)
        shown = cli_show.cell_contents(city.about, cell, found)
        _show(shown, as_json=as_json)


def _cell(place: str, level: int | None) -> Cell:
    """Read a place: a code in any form, or `latitude,longitude`."""
    from jingwei import grid
    from jingwei.lake.errors import BadRegionError

    if "," not in place:
        cell = grid.parse(place)
        return cell if level is None else cell.parent(level)
    parts = place.split(",")
    try:
        lat, lon = (float(part) for part in parts)
    except ValueError as error:
        raise BadRegionError(
            Text(f"“{place}”不是“纬度,经度”。", f"'{place}' is not latitude,longitude."),
            mend=Text("例如 22.54,114.05", "For example 22.54,114.05"),
            where={"place": place},
        ) from error
    return grid.Cell.at(lon, lat, level or AT_LEVEL)


@main.command(
    help=say("按区域、时间、列与条件查询数据集。", "Query a dataset by region, time, columns and filter.")
)
@click.argument("dataset")
@click.option("--bounds", metavar="W,S,E,N", help=say("经纬度范围（WGS84）", "box in degrees (WGS84)"))
@click.option("--cell", metavar="CODE", help=say("网格单元", "a grid cell"))
@click.option(
    "--polygon",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=say("GeoJSON 面", "a GeoJSON polygon file"),
)
@click.option(
    "--from", "since", metavar="TIME", help=say("起始时间（城市时区）", "from this time (the city's zone)")
)
@click.option("--to", "until", metavar="TIME", help=say("截止时间（不含）", "up to this time, exclusive"))
@click.option(
    "--where", metavar="FILTER", help=say('条件，例如 "price > 50"', 'a filter such as "price > 50"')
)
@click.option("--columns", metavar="A,B", help=say("所需的列", "columns to show"))
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--after", type=int, help=say("从此事实之后继续", "go on after this fact"))
@city_option
@home_option
@records_option
@json_option
@guarded
def query(
    dataset: str,
    bounds: str | None,
    cell: str | None,
    polygon: Path | None,
    since: str | None,
    until: str | None,
    where: str | None,
    columns: str | None,
    limit: int,
    after: int | None,
    city_id: str | None,
    home: Path | None,
    records_url: str | None,
    *,
    as_json: bool,
) -> None:
    """Query a dataset."""
    from jingwei import cli_show
    from jingwei.access import local_person

    with open_named(city_id, home, records_url) as city:
        rows: Rows = city.lake.query(
            local_person(),
            dataset,
            region=_region(bounds, cell, polygon),
            period=_period(since, until, city),
            columns=[name.strip() for name in columns.split(",")] if columns else None,
            where=where,
            after=after,
            limit=limit,
        )
        shown = cli_show.query_answer(city.about, rows)
        _show(shown, as_json=as_json)


def _region(bounds: str | None, cell: str | None, polygon: Path | None) -> Any:
    import shapely

    from jingwei.lake import region_of_bounds, region_of_cell, region_of_geometry
    from jingwei.lake.errors import BadRegionError

    if bounds:
        try:
            west, south, east, north = (float(part) for part in bounds.split(","))
        except ValueError as error:
            raise BadRegionError(
                Text("范围应为“西,南,东,北”。", "A box is west,south,east,north."),
                mend=Text("例如 114.0,22.5,114.1,22.6", "For example 114.0,22.5,114.1,22.6"),
                where={"bounds": bounds},
            ) from error
        return region_of_bounds(west, south, east, north)
    if cell:
        return region_of_cell(_cell(cell, None))
    if polygon:
        try:
            shape = shapely.from_geojson(polygon.read_text("utf-8"))
        except (shapely.GEOSException, UnicodeDecodeError) as error:
            raise BadRegionError(
                Text(f"{polygon} 不是 GeoJSON。", f"{polygon} is not GeoJSON."), where={"file": str(polygon)}
            ) from error
        parts = shapely.get_parts(shape)
        return region_of_geometry(shapely.union_all(parts) if len(parts) > 1 else parts[0])
    return None


def _period(since: str | None, until: str | None, city: City) -> tuple[int, int] | None:
    if since is None and until is None:
        return None
    zone = city.about.zone
    first, last = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
    moments = []
    for text, default in ((since, first), (until, last)):
        try:
            moment = datetime.fromisoformat(text) if text else default
        except ValueError as error:
            raise click.BadParameter(
                say(
                    f"“{text}”不是时间，例如 2020-01-20T08:00",
                    f"'{text}' is not a time such as 2020-01-20T08:00",
                )
            ) from error
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        moments.append(round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000))
    return moments[0], moments[1]


@main.command(help=say("把“纬度,经度”编为网格码。", "Give the grid codes of latitude,longitude."))
@click.argument("place")
@click.option(
    "--level",
    default=AT_LEVEL,
    show_default=True,
    type=click.IntRange(1, 32),
    help=say("GeoSOT 层级", "GeoSOT level"),
)
@json_option
@guarded
def encode(place: str, level: int, *, as_json: bool) -> None:
    """Encode a coordinate."""
    _show_cell(_cell(place, level), as_json=as_json)


@main.command(help=say("解释一个网格码。", "Explain a grid code: BeiDou, GeoSOT, or number-level."))
@click.argument("code")
@json_option
@guarded
def decode(code: str, *, as_json: bool) -> None:
    """Decode a code."""
    _show_cell(_cell(code, None), as_json=as_json)


def _show(shown: Shown, *, as_json: bool) -> None:
    if as_json:
        _print_json(shown.data)
    else:
        shown.print()


def _show_cell(cell: Cell, *, as_json: bool) -> None:
    from jingwei import cli_show

    shown = cli_show.cell_facts(cell)
    _show(shown, as_json=as_json)


@main.command(
    help=say(
        "把数据集导出为开放格式；--all 把整个城市导出到文件夹。",
        "Export a dataset in an open format, or with --all everything in the city into a folder.",
    )
)
@click.argument("dataset", required=False)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path))
@click.option("--all", "whole", is_flag=True, help=say("导出整个城市", "everything in the city"))
@click.option(
    "--keys",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help=say("与 --all 合用：密钥另存的文件夹", "with --all: a folder apart for the keys"),
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["parquet", "csv", "geojson", "arrow"]),
    help=say("默认按文件名", "by the file's name by default"),
)
@click.option("--where", metavar="FILTER")
@city_option
@home_option
@records_option
@guarded
def export(
    dataset: str | None,
    output: Path,
    keys: Path | None,
    form: str | None,
    where: str | None,
    city_id: str | None,
    home: Path | None,
    records_url: str | None,
    *,
    whole: bool,
) -> None:
    """Export a dataset, or all of them with all else."""
    from jingwei.access import local_person
    from jingwei.lake.export import export_dataset

    if whole != (dataset is None) or (whole and (form or where)):
        raise click.UsageError(
            say("请给出一个数据集，或 --all", "Name a dataset, or say --all (without --format and --where).")
        )
    if dataset is None:
        from jingwei.cli_keeping import export_all

        export_all(output, keys, city_id, home, records_url)
        return
    with open_named(city_id, home, records_url) as city:
        rows = export_dataset(city.lake, local_person(), dataset, output, form=form, where=where)
    click.echo(say(f"已导出 {rows} 行到 {output}", f"Exported {rows} rows to {output}"))

"""Answers of the command line: as data for programs and as text for people, from the same values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.table import Table

from jingwei.words import Text, language_of_locale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jingwei.city import About
    from jingwei.grid import Cell
    from jingwei.lake import Dataset, Rows

WIDTH = 40
"""Characters of one value that a table shows."""

RELATIONS = {
    "within": Text("在内", "within"),
    "crosses": Text("相交", "crosses"),
    "around": Text("所在范围更大", "known only around"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One answer in both forms."""

    data: Any
    parts: list[Any] = field(default_factory=list)

    def print(self) -> None:
        """Print it for people."""
        Console().print(Group(*self.parts), highlight=False, soft_wrap=False)


def _say(zh: str, en: str) -> str:
    return zh if language_of_locale() == "zh" else en


def city_summary(about: About, datasets: Sequence[Dataset]) -> Shown:
    """Show the city and its datasets."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in (
        _say("数据集", "dataset"),
        _say("名称", "title"),
        _say("状态", "state"),
        _say("版本", "version"),
    ):
        table.add_column(head)
    for head in (
        _say("行", "rows"),
        _say("有位置", "addressed"),
        _say("隔离", "quarantined"),
        _say("发现", "findings"),
    ):
        table.add_column(head, justify="right")
    listed = []
    for dataset in datasets:
        version = dataset.version
        counts = version.content.counts if version else None
        table.add_row(
            dataset.id,
            str(dataset.title),
            dataset.state,
            str(version.number) if version else "",
            f"{counts.published:,}" if counts else "",
            f"{counts.addressed:,}" if counts else "",
            f"{counts.quarantined:,}" if counts else "",
            str(len(version.content.findings)) if version else "",
        )
        listed.append(
            {
                "id": dataset.id,
                "title": dataset.title.as_json(),
                "state": dataset.state,
                "version": version.number if version else None,
                "rows": counts.published if counts else None,
                "addressed": counts.addressed if counts else None,
                "quarantined": counts.quarantined if counts else None,
                "problem": dataset.problem,
            }
        )
    data = {"id": about.id, "name": about.name.as_json(), "adcode": about.adcode, "datasets": listed}
    return Shown(data, [f"[bold]{about.name}[/] {about.adcode} {about.time_zone}", "", table])


def dataset_summary(about: About, dataset: Dataset) -> Shown:
    """Show one dataset: state, columns, quality, sources, evidence."""
    data: dict[str, Any] = {
        "id": dataset.id,
        "title": dataset.title.as_json(),
        "owner": dataset.owner,
        "state": dataset.state,
        "problem": dataset.problem,
        "version": None,
    }
    parts: list[Any] = [f"[bold]{dataset.title}[/] ({dataset.id}) {dataset.owner}: {dataset.state}"]
    if dataset.problem:
        parts.append(f"[red]{Text(**dataset.problem['what'])}[/]")
        if dataset.problem.get("mend"):
            parts.append(str(Text(**dataset.problem["mend"])))
        parts += _evidence_lines(dataset.problem.get("where", {}).get("evidence", []))
    if dataset.version is not None:
        content = dataset.version.content
        data["version"] = {
            "number": dataset.version.number,
            "published": dataset.version.published.isoformat(),
            **{k: v for k, v in content.as_json().items() if k not in ("facts", "covers", "quarantine")},
        }
        counts = content.counts
        published = dataset.version.published.astimezone(about.zone)
        parts += [
            _say(
                f"第 {dataset.version.number} 版，发布于 {published:%Y-%m-%d %H:%M:%S}",
                f"version {dataset.version.number}, published {published:%Y-%m-%d %H:%M:%S}",
            ),
            _say(
                f"读入 {counts.read:,}，发布 {counts.published:,}，"
                f"有位置 {counts.addressed:,}，隔离 {counts.quarantined:,}",
                f"{counts.read:,} rows in, {counts.published:,} published, {counts.addressed:,} addressed, "
                f"{counts.quarantined:,} quarantined",
            ),
            *(f"  {rule}: {rows:,}" for rule, rows in content.rules.items()),
            *(f"[yellow]{Text(**finding.text)}[/]" for finding in content.findings),
            _columns_table(content.columns),
            *(f"{source.path} {source.digest[:12]}" for source in content.sources),
            *_evidence_lines(content.evidence),
        ]
    return Shown(data, parts)


def _evidence_lines(evidence: Sequence[dict[str, Any]]) -> list[str]:
    return [f"  {item['about']}: {item['verdict']} ({Text(**item['reason'])})" for item in evidence]


def _columns_table(columns: Sequence[Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in (
        _say("列", "column"),
        _say("类型", "type"),
        _say("空值", "nulls"),
        _say("不同值（约）", "distinct, about"),
    ):
        table.add_column(head)
    table.add_column(_say("最小", "minimum"))
    table.add_column(_say("最大", "maximum"))
    for column in columns:
        table.add_row(
            column.name,
            column.type,
            f"{column.nulls:,}",
            f"{column.distinct:,}" if column.distinct is not None else "",
            _short(column.minimum),
            _short(column.maximum),
        )
    return table


def cell_facts(cell: Cell) -> Shown:
    """Show a cell's codes, bounds and size."""
    west, south, east, north = cell.bounds
    width, height = cell.size_m
    data = {
        "geosot": cell.geosot,
        "beidou": cell.beidou,
        "code": str(cell.code),
        "stored": str(cell.stored),
        "level": cell.level,
        "bounds": [west, south, east, north],
        "centre": list(cell.centre),
        "size_m": [width, height],
        "area_m2": cell.area_m2,
    }
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_row("GeoSOT", f"{cell.geosot} ({_say('层级', 'level')} {cell.level})")
    table.add_row(_say("北斗", "BeiDou"), cell.beidou or _say("无对应层级", "no cell of BeiDou coincides"))
    table.add_row(_say("64 位码", "64-bit code"), f"{cell.code}-{cell.level}")
    table.add_row(
        _say("范围", "bounds"),
        f"{west:.9f}, {south:.9f}, {east:.9f}, {north:.9f} ({_say('西 南 东 北', 'W S E N')})",
    )
    table.add_row(_say("大小", "size"), f"{width:,.2f} x {height:,.2f} m, {cell.area_m2:,.1f} m2")
    return Shown(data, [table])


def cell_contents(about: About, cell: Cell, found: Sequence[tuple[Dataset, Rows]]) -> Shown:
    """Show everything in a cell, grouped by dataset, each row with its source file and row."""
    facts = cell_facts(cell)
    parts: list[Any] = list(facts.parts)
    listed = []
    for dataset, rows in found:
        records = records_of(about, rows)
        parts += ["", f"[bold]{dataset.title}[/] ({dataset.id}): {rows.total:,}", _records_table(records)]
        listed.append(
            {
                "dataset": dataset.id,
                "title": dataset.title.as_json(),
                "version": rows.version.number,
                "total": rows.total,
                "records": records,
            }
        )
    if not found:
        parts += ["", _say("这里没有任何记录。", "There is nothing here.")]
    return Shown({"cell": facts.data, "datasets": listed}, parts)


def query_answer(about: About, rows: Rows) -> Shown:
    """Show rows of one dataset."""
    records = records_of(about, rows)
    data = {
        "dataset": rows.version.dataset,
        "version": rows.version.number,
        "after": rows.after,
        "records": records,
    }
    parts: list[Any] = [_records_table(records)]
    if rows.after is not None:
        parts.append(_say(f"还有更多：--after {rows.after}", f"There is more: --after {rows.after}"))
    return Shown(data, parts)


def records_of(about: About, rows: Rows) -> list[dict[str, Any]]:
    """Return rows as plain records: the department's values, and the address with its source."""
    sources = rows.version.content.sources
    records = []
    for row in rows.table.to_pylist():
        own = {name: _plain(value, about) for name, value in row.items() if not name.startswith("jw_")}
        source = sources[row["jw_source"]]
        address = {
            name.removeprefix("jw_"): _plain(value, about)
            for name, value in row.items()
            if name.startswith("jw_") and name not in ("jw_source", "jw_row") and value is not None
        }
        address |= {name: str(value) for name, value in address.items() if name.startswith("cell")}
        records.append(
            {"values": own, "address": address, "source": {"file": source.path, "row": row["jw_row"]}}
        )
    return records


def _plain(value: Any, about: About) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(about.zone).isoformat() if value.tzinfo else value.isoformat()
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    return value


def _records_table(records: Sequence[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    names: list[str] = []
    for record in records:
        names += [name for name in record["values"] if name not in names]
    related = any("relation" in record["address"] for record in records)
    for name in names:
        table.add_column(name, overflow="ellipsis", max_width=WIDTH)
    if related:
        table.add_column(_say("关系", "relation"))
    table.add_column(_say("来源", "source"), overflow="fold")
    for record in records:
        values = [_short(record["values"].get(name)) for name in names]
        relation = record["address"].get("relation")
        shown = [str(RELATIONS[relation]) if relation else ""] if related else []
        table.add_row(*values, *shown, f"{record['source']['file']}:{record['source']['row']}")
    return table


def _short(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"

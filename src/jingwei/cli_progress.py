"""Showing a load on a terminal: a bar per source while it runs, a table when it is done."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from jingwei.words import Text, language_of_locale

if TYPE_CHECKING:
    from types import TracebackType

    from jingwei.cases.founding import Founded
    from jingwei.city.loader import LoadReport, SourceReport
    from jingwei.city.progress import Progress as Step

STAGES = {
    "waiting": Text("等待", "waiting"),
    "examining": Text("检查", "examining"),
    "reading": Text("读取", "reading"),
    "publishing": Text("发布", "publishing"),
    "published": Text("已发布", "published"),
    "unchanged": Text("未变", "unchanged"),
    "held": Text("暂缓", "held back"),
    "failed": Text("失败", "failed"),
}
MOST_FAULTS = 10
MOST_ROWS = 3
"""Of the rows with the same fault, so many are named."""
FINAL = ("published", "unchanged", "held", "failed")


class Bars:
    """Listens to a load: bars on a terminal, one line per finished source elsewhere."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.live = not quiet and sys.stderr.isatty()
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[rows]:>10,}"),
            TextColumn("{task.fields[stage]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=not self.live,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def __call__(self, step: Step) -> None:
        """Show one step."""
        stage = str(STAGES[step.stage])
        if self.live:
            task = self._tasks.get(step.source)
            if task is None:
                task = self._bars.add_task(step.title, total=1.0, rows=0, stage=stage)
                self._tasks[step.source] = task
            self._bars.update(task, completed=step.share, rows=step.rows, stage=stage)
            if step.stage in FINAL:
                self._bars.stop_task(task)
        elif not self.quiet and step.stage in FINAL:
            sys.stderr.write(f"{step.title}: {stage} ({step.rows:,})\n")
            sys.stderr.flush()

    def tell(self, part: str, share: float) -> None:
        """Show how far a part of the cases is."""
        title = str(PARTS[part])
        if self.live:
            task = self._tasks.get(part)
            if task is None:
                task = self._tasks[part] = self._bars.add_task(title, total=1.0, rows=0, stage="")
            self._bars.update(task, completed=share)
            if share >= 1.0:
                self._bars.stop_task(task)


def print_summary(report: LoadReport) -> None:
    """Print what became of every source: rows in, addressed, without place, quarantined and why."""
    console = Console()
    zh = language_of_locale() == "zh"
    table = Table(title=None, box=None, pad_edge=False, header_style="bold")
    heads = (
        ("数据源", "状态", "读入", "有位置", "无位置", "隔离", "原因", "秒")
        if zh
        else ("source", "state", "rows in", "addressed", "no place", "quarantined", "why", "s")
    )
    for number, head in enumerate(heads):
        table.add_column(head, justify="right" if number in (2, 3, 4, 5, 7) else "left", no_wrap=number != 6)
    for source in report.sources:
        counts = source.counts
        why = ", ".join(f"{rule} {rows:,}" for rule, rows in sorted(source.rules.items()))
        table.add_row(
            str(source.title),
            str(STAGES[source.stage]),
            f"{counts.read:,}",
            f"{counts.addressed:,}",
            f"{counts.without_place:,}",
            f"{counts.quarantined:,}",
            why,
            f"{source.seconds:.1f}",
        )
    console.print(table)
    total = sum(source.counts.read for source in report.sources)
    console.print(
        f"共 {total:,} 行，用时 {report.seconds:.1f} 秒。"
        if zh
        else f"{total:,} rows in all, {report.seconds:.1f} s."
    )
    for source in report.sources:
        _print_notes(console, source)


def _print_notes(console: Console, source: SourceReport) -> None:
    if source.problem is not None:
        what = Text(**source.problem["what"])
        console.print(f"[bold red]{source.title}[/]: {what}", highlight=False)
        if source.problem["mend"]:
            console.print(f"  {Text(**source.problem['mend'])}", highlight=False)
    for finding in source.findings:
        console.print(f"[yellow]{source.title}[/]: {Text(**finding.text)}", highlight=False)


PARTS = {
    "settings": Text("案件设置", "settings of cases"),
    "staff": Text("案件岗位", "staff of cases"),
    "default_points": Text("默认点", "default points"),
    "grids": Text("单元网格", "unit grids"),
    "duties": Text("职责分工", "duties"),
    "components": Text("部件台账", "inventory of components"),
    "rules": Text("立案规则", "rules"),
    "history": Text("历史案件", "cases of before"),
    "steps": Text("在办案件", "cases that go on"),
    "articles": Text("热线知识", "articles of the hotline"),
    "calls": Text("热线来电", "calls of the hotline"),
}


def print_founded(founded: Founded) -> None:
    """Print what a pack brought to the desk of cases, and what of it could not be taken."""
    console = Console()
    for part, count in founded.counts.items():
        console.print(f"{PARTS[part]}: {count:,}")
    for part, faults in founded.faults.items():
        alike: dict[Text, list[dict[str, Any]]] = {}
        for one in faults:
            alike.setdefault(Text(one["zh"], one["en"]), []).append(one)
        for what, ones in list(alike.items())[:MOST_FAULTS]:
            console.print(f"[yellow]{PARTS[part]}[/]: {what} ({_which(ones)})", highlight=False)


def _which(faults: list[dict[str, Any]]) -> str:
    """Return of which rows something holds: how many, and the first of them."""
    count = sum(int(one.get("count", 1)) for one in faults)
    rows = [f"#{one['row']}" for one in faults if "row" in one]
    if len(rows) == count == 1:
        return rows[0]
    shown = " ".join([*rows[:MOST_ROWS], *(["…"] if 0 < MOST_ROWS < len(rows) else [])])
    return f"{count:,}: {shown}" if rows else f"{count:,}"

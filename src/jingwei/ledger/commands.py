"""The log on the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from jingwei.ledger import bundle
from jingwei.ledger.keys import FOLDER, FORMER_FOLDER, check_signature
from jingwei.ledger.schemas import event_types, events_page
from jingwei.ledger.sealer import KEY_FILE, Sealer, key_folder_of
from jingwei.ledger.verify import FormatError, Key, Report, check_bundle, check_receipt
from jingwei.records import open_records

records_option = click.option(
    "--records",
    "records_url",
    envvar="JINGWEI_RECORDS",
    required=True,
    help="The record store, as a SQLAlchemy URL.",
)


@click.group()
def ledger() -> None:
    """The log: export it, check it, get receipts, rotate its key."""


@ledger.command("verify")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", help="The log's public key, got by another way than the bundle.")
@click.option(
    "--checkpoint",
    "kept",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint kept from before; may be given several times.",
)
def verify_command(path: Path, key: str | None, kept: tuple[Path, ...]) -> None:
    """Check an exported bundle, or a receipt (.tlog-proof), and name the exact item at fault."""
    try:
        trusted = Key.parse(key) if key else None
    except FormatError as error:
        raise click.BadParameter(str(error), param_hint="--key") from error
    if path.suffix == ".tlog-proof":
        if trusted is None:
            raise click.UsageError("a receipt is checked with --key")
        report = check_receipt(path.read_text(encoding="utf-8"), key=trusted, check=check_signature)
    else:
        notes = [file.read_text(encoding="utf-8") for file in kept]
        with click.progressbar(length=1, label=path.name, file=sys.stderr) as bar:
            report = check_bundle(
                path, key=trusted, kept=notes, check=check_signature, progress=_shown_by(bar)
            )
    _show(report)


def _show(report: Report) -> None:
    for finding in report.findings:
        click.echo(str(finding))
    click.echo(("sound 可信" if report.sound else "NOT SOUND 不可信") + f": {report.size} events")
    if not report.sound:
        raise click.exceptions.Exit(1)


def _shown_by(bar: Any) -> Callable[[int, int], None]:
    def progress(done: int, all_: int) -> None:
        bar.length = all_
        bar.update(done - bar.pos)

    return progress


@ledger.command()
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--payloads/--no-payloads", default=True, help="Whether to hand out what happened too.")
@records_option
def export(path: Path, payloads: bool, records_url: str) -> None:
    """Write the whole log to a zip file that anyone can check."""
    records = open_records(records_url, migrate=False)
    with records.read() as session, click.progressbar(length=1, label=path.name) as bar:
        bundle.export(session, path, payloads=payloads, progress=_shown_by(bar))


@ledger.command()
@click.argument("event_id", type=int)
@records_option
def receipt(event_id: int, records_url: str) -> None:
    """Print the receipt of an event: keep it as a .tlog-proof file."""
    with open_records(records_url, migrate=False).read() as session:
        click.echo(bundle.receipt(session, event_id), nl=False)


@ledger.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--key-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A key from outside."
)
@records_option
def rotate(folder: Path, key_file: Path | None, records_url: str) -> None:
    """Pass the log of the city in FOLDER to a new key, and print that."""
    home = folder.parent if folder.name == FORMER_FOLDER else folder
    known = (home / FOLDER / KEY_FILE).exists() or (home / FORMER_FOLDER / KEY_FILE).exists()
    records = open_records(records_url)
    sealer = (
        Sealer(records, home / "log", key_folder=key_folder_of(home)) if known else Sealer(records, folder)
    )
    click.echo(str(sealer.rotate(key_file)))


@ledger.command()
def types() -> None:
    """Print every type of events that the parts declare: the page docs/events.md."""
    click.echo(events_page(event_types()), nl=False)

"""The command line."""

from __future__ import annotations

import click

from jingwei import __version__
from jingwei.ledger.commands import ledger


@click.group()
@click.version_option(__version__)
def main() -> None:
    """Jingwei, an open city brain."""


main.add_command(ledger)

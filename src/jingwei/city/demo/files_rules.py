"""The rules over readings that the demo city starts with, and which of their calls become cases."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jingwei.city.demo.pack import Pack

FILE = "读数规则.json"


def brought() -> dict[str, list[dict[str, Any]]]:
    """Return `rules` over the readings of the running city, and by which `events` calls become cases."""
    found: dict[str, list[dict[str, Any]]] = json.loads(
        (files("jingwei.city.demo") / "rules.json").read_text("utf-8")
    )
    return found


def write_rules(pack: Pack) -> None:
    """Write the rules, and say so in the manifest; after the desk, whose settings it adds to."""
    found = brought()
    text = json.dumps(found["rules"], ensure_ascii=False, indent=2)
    (pack.folder / FILE).write_text(text + "\n", "utf-8")
    pack.sense = {"rules": FILE}
    pack.cases["settings"]["events"] = found["events"]

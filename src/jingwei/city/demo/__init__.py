"""The demo city: a whole fictional city from a seed, with a truth to check against.

`build_town` builds all of it, `tiny_town` one for tests, `lay_out` only what stands still. The process in
`jingwei.city.demo.process` moves it: `open_process` at the beginning of its history, `advance` or `step`
forward. Equal settings give equal cities on every machine.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jingwei.city.demo.departments import Government, read_government
    from jingwei.city.demo.layout import Layout, lay_out
    from jingwei.city.demo.settings import SCALES, Scale, Settings, settings_of
    from jingwei.city.demo.town import Town, build_town, tiny_town

__all__ = [
    "SCALES",
    "Government",
    "Layout",
    "Scale",
    "Settings",
    "Town",
    "build_town",
    "lay_out",
    "read_government",
    "settings_of",
    "tiny_town",
]

_PART_OF = {
    **dict.fromkeys(("Government", "read_government"), "departments"),
    **dict.fromkeys(("Layout", "lay_out"), "layout"),
    **dict.fromkeys(("SCALES", "Scale", "Settings", "settings_of"), "settings"),
    **dict.fromkeys(("Town", "build_town", "tiny_town"), "town"),
}


def __getattr__(name: str) -> Any:
    """Import a part when it is first asked for: every city has to do with the clock, few with the rest."""
    part = _PART_OF.get(name)
    if part is None:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{part}"), name)

"""The demo city: a whole fictional city from a seed, with a truth to check against.

`build_town` builds all of it, `tiny_town` one for tests, `lay_out` only what stands still. The process in
`jingwei.city.demo.process` moves it: `open_process` at the beginning of its history, `advance` or `step`
forward. Equal settings give equal cities on every machine.
"""

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

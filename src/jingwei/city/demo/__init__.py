"""The demo city: a whole fictional city from a seed, with a truth to check against.

`lay_out` builds what stands still. Equal settings give equal cities on every machine.
"""

from jingwei.city.demo.layout import Layout, lay_out
from jingwei.city.demo.settings import SCALES, Scale, Settings, settings_of

__all__ = ["SCALES", "Layout", "Scale", "Settings", "lay_out", "settings_of"]

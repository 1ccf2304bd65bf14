"""A city pack: what a city is made of, loading one, and the open city."""

from jingwei.city.decisions import decide_system
from jingwei.city.loader import LoadReport, SourceReport, load_pack
from jingwei.city.manifest import Manifest, parse_manifest, read_manifest
from jingwei.city.progress import Progress, Stop
from jingwei.city.service import About, City, Ground, open_city

__all__ = [
    "About",
    "City",
    "Ground",
    "LoadReport",
    "Manifest",
    "Progress",
    "SourceReport",
    "Stop",
    "decide_system",
    "load_pack",
    "open_city",
    "parse_manifest",
    "read_manifest",
]

"""Jingwei (经纬): an open city brain. Every fact at one address on the BeiDou/GeoSOT grid."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_CONDITIONS = ("Alike", "Equal", "Inside", "SameCell", "SameTime", "Within")


def open(path: Any, **more: Any) -> Any:  # noqa: A001 -- as `jingwei.open` it says what it does
    """Open the city in a folder, to ask it from Python; see `jingwei.python.open_path`."""
    return import_module("jingwei.python").open_path(path, **more)


def __getattr__(name: str) -> Any:
    """Bring the conditions of links (`jingwei.Within(50)`), and the error of all, when first asked for."""
    if name in _CONDITIONS:
        return getattr(import_module("jingwei.python"), name)
    if name == "JingweiError":
        return import_module("jingwei.errors").JingweiError
    msg = f"module 'jingwei' has no attribute {name!r}"
    raise AttributeError(msg)

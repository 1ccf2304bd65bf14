"""A city's own map services (OGC 07-057r7, WMTS 1.0.0), which a reader may choose as the ground of the map.

Pages draw square tiles of spherical Mercator (EPSG:3857) and take their content for WGS84 or CGCS2000. One
whose content is shifted (GCJ-02, BD-09) would lie some hundred metres beside every fact: it is refused.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlencode, urlsplit

from pydantic import Field, field_validator, model_validator

from jingwei.city.parts import Identifier, Part, Words
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

TRUE_SYSTEMS = ("WGS84", "CGCS2000")
SHIFTED_SYSTEMS = ("GCJ-02", "GCJ02", "BD-09", "BD09")

SHIFTED_HOSTS = (
    "amap.com",
    "autonavi.com",
    "baidu.com",
    "bdimg.com",
    "bdstatic.com",
    "google.cn",
    "gtimg.com",
    "map.qq.com",
)
"""Public services whose maps are shifted, whatever a manifest says of them."""

MOST_SUBDOMAINS = 16

_PLACES = {"tilematrix": "{z}", "tilerow": "{y}", "tilecol": "{x}"}
_HOLE = re.compile(r"\{([A-Za-z]+)\}")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\]")
_GEOGRAPHIC = re.compile(r"EPSG:+(?:4326|4490)\b|CRS:?84|/[a-z]{3}_c/", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MapService:
    """A map service as pages draw it.

    Attributes
    ----------
    layers
        Of each layer, from the ground up, its addresses with `{z}`, `{x}` and `{y}`.
    hosts
        The origins that pages must be allowed to ask.
    problem
        Why it cannot be drawn at the moment; it then has no layers and no hosts.

    """

    id: str
    title: Text
    attribution: Text
    crs: str
    layers: tuple[tuple[str, ...], ...]
    hosts: tuple[str, ...]
    min_zoom: int
    max_zoom: int
    tile_size: int
    problem: Text | None = None


class MapServiceSpec(Part):
    """A WMTS: a RESTful template (`url` names TileMatrix, TileRow, TileCol), else asked by key and value."""

    id: Identifier
    title: Words
    url: str = Field(min_length=10, max_length=1000)
    crs: str
    attribution: Words
    layers: list[str] = Field(default_factory=list, max_length=4)
    style: str = "default"
    matrix_set: str | None = None
    matrix_prefix: str = ""
    format: Literal["image/png", "image/jpeg", "image/webp", "tiles"] = "image/png"
    subdomains: list[str] = Field(default_factory=list, max_length=MOST_SUBDOMAINS)
    key_env: str | None = Field(default=None, pattern=r"^[A-Z][A-Z0-9_]{0,59}$")
    min_zoom: int = Field(default=0, ge=0, le=22)
    max_zoom: int = Field(default=18, ge=0, le=22)
    tile_size: Literal[256, 512] = 256

    @field_validator("crs")
    @classmethod
    def _lies_where_it_says(cls, crs: str) -> str:
        if crs.upper() in SHIFTED_SYSTEMS:
            msg = f"a map in {crs} lies hundreds of metres beside the facts; take one in CGCS2000 or WGS84"
            raise ValueError(msg)
        if crs.upper() not in TRUE_SYSTEMS:
            msg = f"{crs} is none of {', '.join(TRUE_SYSTEMS)}"
            raise ValueError(msg)
        return crs.upper()

    @model_validator(mode="after")
    def _can_be_drawn(self) -> MapServiceSpec:
        fault = next(_faults(self), None)
        if fault:
            raise ValueError(fault)
        return self

    def service(self) -> MapService:
        """Return the service as pages draw it; its key is read from the environment now."""
        key = os.environ.get(self.key_env, "") if self.key_env else ""
        problem = None
        if self.key_env and not key:
            problem = Text(
                f"未设置环境变量 {self.key_env}，没有此服务的密钥",
                f"The environment variable {self.key_env}, which holds its key, is not set",
            )
        return MapService(
            self.id,
            self.title.text,
            self.attribution.text,
            self.crs,
            () if problem else tuple(_addresses(self, layer, key) for layer in self.layers or [""]),
            () if problem else tuple(dict.fromkeys(_origin(url) for url in _by_subdomain(self))),
            self.min_zoom,
            self.max_zoom,
            self.tile_size,
            problem,
        )


def _faults(spec: MapServiceSpec) -> Iterator[str]:
    """Yield what keeps a service from being drawn, the gravest first."""
    holes = {hole.lower() for hole in _HOLE.findall(spec.url)}
    unknown = holes - {*_PLACES, "z", "x", "y", "layer", "style", "tilematrixset", "s", "key"}
    if unknown:
        yield f"url has {{{min(unknown)}}}, which nothing fills"
    for url in _by_subdomain(spec):
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host):
            yield f"url is no http or https address of a host: {parts.netloc or url[:40]}"
        if parts.username or parts.password:
            yield "url must not hold a password; name the key's environment variable in key_env"
        shifted = next((one for one in SHIFTED_HOSTS if host == one or host.endswith(f".{one}")), None)
        if shifted:
            yield f"the maps of {shifted} are shifted (GCJ-02 or BD-09) and would lie beside the facts"
    if spec.matrix_set == "c" or _GEOGRAPHIC.search(f"{spec.url} {spec.matrix_set or ''}"):
        yield "its tiles are cut in degrees; take the matrix set of spherical Mercator (w, EPSG:3857)"
    if ("s" in holes) != bool(spec.subdomains):
        yield "{s} in url and subdomains belong together"
    if ("key" in holes) != bool(spec.key_env):
        yield "{key} in url and key_env belong together"
    if not _is_template(spec):
        if not spec.layers or not spec.matrix_set:
            yield "without {TileMatrix} in url the service is asked by key and value: give layers, matrix_set"
    elif not ({"tilerow", "y"} & holes and {"tilecol", "x"} & holes):
        yield "a template names {TileMatrix}, {TileRow} and {TileCol}"
    elif "layer" in holes and not spec.layers:
        yield "url names {layer}; say which in layers"
    elif "tilematrixset" in holes and not spec.matrix_set:
        yield "url names {TileMatrixSet}; say which in matrix_set"
    if spec.min_zoom > spec.max_zoom:
        yield "min_zoom is above max_zoom"


def _is_template(spec: MapServiceSpec) -> bool:
    return any(hole.lower() in ("tilematrix", "z") for hole in _HOLE.findall(spec.url))


def _by_subdomain(spec: MapServiceSpec) -> list[str]:
    return [spec.url.replace("{s}", one) for one in spec.subdomains] or [spec.url]


def _addresses(spec: MapServiceSpec, layer: str, key: str) -> tuple[str, ...]:
    """Return the addresses of a layer's tiles, one for each subdomain."""
    filled = {
        "layer": quote(layer, safe=""),
        "style": quote(spec.style, safe=""),
        "tilematrixset": quote(spec.matrix_set or "", safe=""),
        "key": quote(key, safe=""),
        **_PLACES,
        "tilematrix": f"{quote(spec.matrix_prefix, safe=':')}{{z}}",
    }
    found = []
    for url in _by_subdomain(spec):
        address = _HOLE.sub(lambda hole: filled.get(hole[1].lower(), hole[0]), url)
        found.append(address if _is_template(spec) else address + _question(spec, layer, address))
    return tuple(found)


def _question(spec: MapServiceSpec, layer: str, address: str) -> str:
    """Return GetTile as keys and values (OGC 07-057r7, table 29)."""
    asked = urlencode(
        {
            "SERVICE": "WMTS",
            "REQUEST": "GetTile",
            "VERSION": "1.0.0",
            "LAYER": layer,
            "STYLE": spec.style,
            "TILEMATRIXSET": spec.matrix_set or "",
            "FORMAT": spec.format,
        }
    )
    prefix = quote(spec.matrix_prefix, safe=":")
    return f"{'&' if '?' in address else '?'}{asked}&TILEMATRIX={prefix}{{z}}&TILEROW={{y}}&TILECOL={{x}}"


def _origin(url: str) -> str:
    """Return the origin of an address, as a Content-Security-Policy names it (CSP 3, 2.3.1)."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}"

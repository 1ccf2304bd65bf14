"""An exact, slow reference of the grid codes of GB/T 39409-2020 and GB/T 40087-2021.

It is written for reading and for checking the library against: rational numbers and integers only
(decimals of 60 digits for the height law and areas), one cell at a time, no tables but those printed in
the standards. Positions are degrees on CGCS2000, given as ``Fraction``, ``int``, ``Decimal`` or ``str``
("39.9", "239/6"), which are taken exactly, or as ``float``, which is taken to the nearest cell edge when
it lies within a millionth of a tick below it. Every refusal is a ``ValueError``.

Words used below: a *tick* is 1/2048 of an arc second, the finest cell; a *strip* is what a cell covers on
one axis, a pair of signed ticks (low, high); a *box* is four signed ticks (south, west, north, east), where
east may exceed 180 degrees for polar cells that cross that meridian; a GeoSOT *cell* is (code64, level).

BeiDou     beidou_encode beidou_parse beidou_bounds beidou_anchor beidou_parent beidou_children
           beidou_neighbours beidou_reference beidou_resolve
BeiDou 3D  height_count layer_bottom beidou_height_digits beidou_height_interval beidou3d_encode
           beidou3d_split beidou3d_decode beidou3d_upper_neighbour
GeoSOT     geosot_axis geosot_code64 geosot_cell geosot_text geosot_parse geosot_bounds geosot_anchor
           geosot_parent geosot_children geosot_ancestors common_ancestor geosot_neighbours
           geosot_contains geosot_walk geosot_distance to_int64 from_int64
Heights    geosot_height_raw geosot_height_nested geosot_height_interval hex96_encode hex96_decode
Both       beidou_of_geosot geosot_of_beidou grid_distance degrees area size
Covers     covers geosot_cover geosot_cover_line beidou_cover fewest on_tick
"""

from collections.abc import Callable, Iterator
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import ceil, floor
from typing import Any, NamedTuple

Number = Fraction | int | Decimal | str | float
Box = tuple[int, int, int, int]
Strip = tuple[int, int]
Cell = tuple[int, int]

DEGREE = 7_372_800
MINUTE = 122_880
SECOND = 2_048
HALF_TURN = 180 * DEGREE
TURN = 360 * DEGREE
POLAR = 88 * DEGREE
POLE = 90 * DEGREE
SNAP = Fraction(1, 10**6)


# --- Numbers and positions ------------------------------------------------------------------------------


def exact(value: Number) -> Fraction:
    """The number itself; NaN and infinities are refused."""
    try:
        return Fraction(value)
    except (OverflowError, ValueError, ZeroDivisionError) as error:
        raise ValueError(f"not a finite number: {value!r}") from error


def ticks(value: Number) -> int:
    """Whole ticks of |value| degrees; floats snap up to an edge closer than a millionth of a tick."""
    count = abs(exact(value)) * DEGREE
    return floor(count + SNAP if isinstance(value, float) else count)


class Position(NamedTuple):
    """Hemispheres and ticks away from the equator (y) and the prime meridian (x)."""

    southern: bool
    y: int
    western: bool
    x: int


def position(lat: Number, lon: Number) -> Position:
    """Hemispheres and ticks of a point; zero and -0.0 are north and east, +-180 the last tick of its side."""
    if not -90 <= exact(lat) <= 90:
        raise ValueError(f"latitude outside -90..90: {lat!r}")
    if not -180 <= exact(lon) <= 180:
        raise ValueError(f"longitude outside -180..180: {lon!r}")
    return Position(exact(lat) < 0, ticks(lat), exact(lon) < 0, min(ticks(lon), HALF_TURN - 1))


def degrees(box: Box) -> tuple[Fraction, Fraction, Fraction, Fraction]:
    """A box in exact degrees: south, west, north, east."""
    south, west, north, east = (Fraction(edge, DEGREE) for edge in box)
    return south, west, north, east


def signed(near: int, far: int, negative: bool) -> Strip:
    """The strip between two distances from the origin of an axis."""
    return (-far, -near) if negative else (near, far)


def box_of(lat: Strip, lon: Strip) -> Box:
    return lat[0], lon[0], lat[1], lon[1]


def near_corner(box: Box) -> Position:
    """The corner of a box nearest the origin, which is the anchor of a code (GB/T 39409, 5.2)."""
    south, west, north, east = box
    southern, western = north <= 0, east <= 0
    return Position(southern, -north if southern else south, western, -east if western else west)


def level_within(level: int, lowest: int, highest: int) -> int:
    if not lowest <= level <= highest:
        raise ValueError(f"level {level} is outside {lowest}..{highest}")
    return level


# --- Polar cells, as printed (GB/T 39409, fig. 10; GB/T 40087, 6.2.3 and 6.2.4) --------------------------

HALF = DEGREE // 2
MIDDLE = 32 * MINUTE


def _sectors(limits: tuple[int, ...], names: str) -> list[tuple[str, int, int]]:
    """Sectors of a ring: names from 0 eastwards, then from 0 westwards, then the one across 180.

    `limits` are the degrees of longitude at which the sectors of one side end.
    """
    words = names.split()
    edges = [0, *(limit * DEGREE for limit in limits)]
    east = [(word, a, b) for word, (a, b) in zip(words, pairwise(edges), strict=False)]
    west = [(word, -b, -a) for word, (a, b) in zip(words[len(limits) :], pairwise(edges), strict=False)]
    across = [(word, edges[-1], TURN - edges[-1]) for word in words[2 * len(limits) :]]
    return east + west + across


def _rings(rings: list[tuple[int, int, list[tuple[str, int, int]]]]) -> dict[str, Box]:
    return {name: (low, west, high, east) for low, high, ring in rings for name, west, east in ring}


BEIDOU_POLAR = {
    1: {"000": (POLAR, -HALF_TURN, POLE, HALF_TURN)},
    2: _rings(
        [
            (POLAR, POLAR + HALF, _sectors((60, 120, 180), "00010 00011 00020 00030 00031 00021")),
            (POLAR + HALF, POLAR + DEGREE, _sectors((60, 120, 180), "00012 00013 00022 00032 00033 00023")),
            (POLAR + DEGREE, POLE - HALF, _sectors((120,), "00001 00003 00002")),
            (POLE - HALF, POLE, [("00000", -HALF_TURN, HALF_TURN)]),
        ]
    ),
}
"""Northern polar cells by level, code without its hemisphere letter."""

# The specification gives the sixteen codes of level 10 and sample points, not the parallels and meridians
# between them. Read here as GeoSOT's own level 10: 32 minutes (the latitude bit of the printed codes is set
# from 32 minutes on), 128 degrees halved, and the ring about the cap cut as level 9 cuts 88..89 degrees.
GEOSOT_POLAR = {
    8: {"00202200": (POLAR, -HALF_TURN, POLE, HALF_TURN)},
    9: _rings(
        [
            (POLAR, POLAR + DEGREE, _sectors((128,), "002022000 102022000 002022001")),
            (POLAR + DEGREE, POLE, [("002022002", -HALF_TURN, HALF_TURN)]),
        ]
    ),
    10: _rings(
        [
            (
                POLAR,
                POLAR + MIDDLE,
                _sectors((64, 128, 180), "0020220000 0020220001 0020220010 1020220000 1020220001 1020220010"),
            ),
            (
                POLAR + MIDDLE,
                POLAR + DEGREE,
                _sectors((64, 128, 180), "0020220002 0020220003 0020220012 1020220002 1020220003 1020220012"),
            ),
            (
                POLAR + DEGREE,
                POLAR + DEGREE + MIDDLE,
                _sectors((128,), "0020220020 1020220020 0020220021"),
            ),
            (POLAR + DEGREE + MIDDLE, POLE, [("0020220022", -HALF_TURN, HALF_TURN)]),
        ]
    ),
}
"""Northern polar cells by level, quaternary digits; in the south the first digit grows by two."""


def owns(box: Box, at: Position) -> bool:
    """Whether a northern polar box owns a tick: the edges nearer the origin belong to it."""
    south, west, north, east = box
    if not (south <= at.y < north or at.y == north == POLE):
        return False
    if east - west == TURN:
        return True
    if east > HALF_TURN:
        return at.x >= west
    near, far = (-east, -west) if at.western else (west, east)
    return at.western == (east <= 0) and near <= at.x < far


def polar_code(table: dict[str, Box], at: Position) -> str:
    (code,) = [code for code, box in table.items() if owns(box, at)]
    return code


def mirrored(box: Box, southern: bool) -> Box:
    return (-box[2], box[1], -box[0], box[3]) if southern else box


# --- BeiDou, two dimensions (GB/T 39409, clause 5) -------------------------------------------------------

BEIDOU_LON = (0, 6 * DEGREE, DEGREE // 2, DEGREE // 4, MINUTE, 4 * SECOND, 2 * SECOND, 512, 64, 8, 1)
BEIDOU_LAT = (0, 4 * DEGREE, DEGREE // 2, DEGREE // 6, MINUTE, 4 * SECOND, 2 * SECOND, 512, 64, 8, 1)
BEIDOU_LENGTH = (1, 4, 6, 7, 9, 11, 12, 14, 16, 18, 20)
BEIDOU_WIDTH = (1, 3, 2, 1, 2, 2, 1, 2, 2, 2, 2)
ROWS = "ABCDEFGHIJKLMNOPQRSTUV"
HEX = "0123456789ABCDEF"


def beidou_encode(lat: Number, lon: Number, level: int) -> str:
    """The code of the cell of `level` (0..10) that owns a point."""
    level_within(level, 0, 10)
    at = position(lat, lon)
    letter = "S" if at.southern else "N"
    if level == 0:
        return letter
    if at.y >= POLAR:
        return letter + polar_code(_beidou_polar(level), at)
    return _beidou_write(at, level)


def _beidou_polar(level: int) -> dict[str, Box]:
    if level not in BEIDOU_POLAR:
        raise ValueError(f"the standard gives no polar cells (|latitude| >= 88) at level {level}")
    return BEIDOU_POLAR[level]


def _beidou_write(at: Position, level: int) -> str:
    x, y = at.x, at.y
    column = 30 - x // BEIDOU_LON[1] if at.western else 31 + x // BEIDOU_LON[1]
    code = f"{'S' if at.southern else 'N'}{column:02d}{ROWS[y // BEIDOU_LAT[1]]}"
    for k in range(2, level + 1):
        x, y = x % BEIDOU_LON[k - 1], y % BEIDOU_LAT[k - 1]
        a, b = x // BEIDOU_LON[k], y // BEIDOU_LAT[k]
        code += HEX[2 * b + a] if k in (3, 6) else HEX[a] + HEX[b]
    return code


def beidou_level(code: str) -> int:
    """The level of a code, from its length alone."""
    if len(code) not in BEIDOU_LENGTH:
        raise ValueError(f"no level has codes of {len(code)} characters: {code!r}")
    return BEIDOU_LENGTH.index(len(code))


def beidou_parse(code: str) -> tuple[int, Box]:
    """Level and box of a code, in ticks; anything that is not the code of a cell is refused."""
    level = beidou_level(code)
    if code[0] not in "NS":
        raise ValueError(f"hemisphere {code[0]!r} is neither N nor S")
    southern = code[0] == "S"
    if level == 0:
        return 0, mirrored((0, -HALF_TURN, POLE, HALF_TURN), southern)
    if code[1:4] == "000":
        table = _beidou_polar(level)
        if code[1:] not in table:
            raise ValueError(f"no such polar cell: {code!r}")
        return level, mirrored(table[code[1:]], southern)
    if not (code[1] in HEX[:10] and code[2] in HEX[:10] and 1 <= int(code[1:3]) <= 60):
        raise ValueError(f"column {code[1:3]!r} is outside 01..60")
    if code[3] not in ROWS:
        raise ValueError(f"row {code[3]!r} is outside A..V")
    column = int(code[1:3])
    western = column <= 30
    x = (30 - column if western else column - 31) * BEIDOU_LON[1]
    y = ROWS.index(code[3]) * BEIDOU_LAT[1]
    at = BEIDOU_LENGTH[1]
    for k in range(2, level + 1):
        columns, rows = BEIDOU_LON[k - 1] // BEIDOU_LON[k], BEIDOU_LAT[k - 1] // BEIDOU_LAT[k]
        part, at = code[at : at + BEIDOU_WIDTH[k]], at + BEIDOU_WIDTH[k]
        digits = [HEX.find(letter) for letter in part]
        a, b = (digits[0] % 2, digits[0] // 2) if len(digits) == 1 else digits
        if min(digits) < 0 or a >= columns or b >= rows:
            raise ValueError(f"{part!r} is no cell of level {k}: {code!r}")
        x, y = x + a * BEIDOU_LON[k], y + b * BEIDOU_LAT[k]
    lat = signed(y, y + BEIDOU_LAT[level], southern)
    return level, box_of(lat, signed(x, x + BEIDOU_LON[level], western))


def beidou_bounds(code: str) -> tuple[Fraction, Fraction, Fraction, Fraction]:
    """South, west, north and east of a cell in degrees; polar cells that cross 180 have east above 180."""
    return degrees(beidou_parse(code)[1])


def beidou_anchor(code: str) -> tuple[Fraction, Fraction]:
    """Latitude and longitude of the corner nearest the origin; only cells of levels 1 and finer below 88."""
    level, box = beidou_parse(code)
    if level == 0 or code[1:4] == "000":
        raise ValueError(f"{code!r} covers all longitudes or lies at a pole: it has no one nearest corner")
    at = near_corner(box)
    lat, lon = Fraction(at.y, DEGREE), Fraction(at.x, DEGREE)
    return -lat if at.southern else lat, -lon if at.western else lon


def beidou_parent(code: str) -> str:
    """The cell one level up. The printed polar codes keep the prefix rule."""
    level, _ = beidou_parse(code)
    if level == 0:
        raise ValueError("a hemisphere has no parent")
    return code[: BEIDOU_LENGTH[level - 1]]


def beidou_children(code: str) -> list[str]:
    """The cells one level down, in the order of their codes."""
    level, _ = beidou_parse(code)
    level_within(level + 1, 1, 10)
    if level == 0:
        ordinary = [f"{code}{column:02d}{row}" for column in range(1, 61) for row in ROWS]
        return sorted([*ordinary, code + "000"])
    if code[1:4] == "000":
        return sorted(code[0] + tail for tail in _beidou_polar(level + 1))
    columns = BEIDOU_LON[level] // BEIDOU_LON[level + 1]
    rows = BEIDOU_LAT[level] // BEIDOU_LAT[level + 1]
    if level + 1 in (3, 6):
        return [code + HEX[k] for k in range(columns * rows)]
    return [code + HEX[a] + HEX[b] for a in range(columns) for b in range(rows)]


# --- Strips: one axis at one level -----------------------------------------------------------------------

StripAt = Callable[[int, str, int], Strip]
"""(level, axis, ticks from the origin) -> distances (near, far) of the strip that owns them."""


def beidou_strip(level: int, axis: str, t: int) -> Strip:
    unit = BEIDOU_LAT[level] if axis == "lat" else BEIDOU_LON[level]
    return t // unit * unit, t // unit * unit + unit


def beidou_limit(level: int, axis: str) -> int:
    return HALF_TURN if axis == "lon" else POLAR


def geosot_limit(level: int, axis: str) -> int:
    """Where ordinary cells end: the poles are merged into polar cells from level 8 on (GB/T 40087, 5.5)."""
    if axis == "lon":
        return HALF_TURN
    return POLE if level < 8 else POLAR


def geosot_strip(level: int, axis: str, t: int) -> Strip:
    """A strip of GeoSOT: degrees, minutes and seconds halved from 512, 64 and 64, clipped at 60."""
    if level <= 9:
        unit, origin, end = 2 ** (9 - level) * DEGREE, 0, geosot_limit(level, axis)
    elif level <= 15:
        unit, origin = 2 ** (15 - level) * MINUTE, t // DEGREE * DEGREE
        end = origin + DEGREE
    elif level <= 21:
        unit, origin = 2 ** (21 - level) * SECOND, t // MINUTE * MINUTE
        end = origin + MINUTE
    else:
        unit, origin, end = 2 ** (32 - level), 0, t + 2 ** (32 - level)
    near = origin + (t - origin) // unit * unit
    return near, min(near + unit, end)


def _step(strip_at: StripAt, level: int, axis: str, limit: int, strip: Strip, up: bool) -> Strip | None:
    """The next strip north or east (up), or south or west (not up); None beyond the last latitude."""
    if not up:
        mirror = _step(strip_at, level, axis, limit, (-strip[1], -strip[0]), up=True)
        return mirror and (-mirror[1], -mirror[0])
    edge = strip[1]
    if edge == limit:
        return signed(*strip_at(level, axis, limit - 1), negative=True) if axis == "lon" else None
    if edge >= 0:
        return signed(*strip_at(level, axis, edge), negative=False)
    return signed(*strip_at(level, axis, -edge - 1), negative=True)


# --- Neighbours ------------------------------------------------------------------------------------------


def _overlap(a: Strip, b: Strip) -> int:
    """Length common to two strips; 0 where they only touch, negative where they are apart."""
    return min(a[1], b[1]) - max(a[0], b[0])


def _overlap_lon(a: Strip, b: Strip) -> int:
    return max(_overlap(a, (b[0] + k, b[1] + k)) for k in (-TURN, 0, TURN))


def adjacency(a: Box, b: Box) -> str:
    """'same' where two boxes share an area, 'edge' a stretch of border, 'corner' a point, else ''."""
    lat = _overlap((a[0], a[2]), (b[0], b[2]))
    lon = _overlap_lon((a[1], a[3]), (b[1], b[3]))
    if lat < 0 or lon < 0:
        return ""
    if lat and lon:
        return "same"
    return "edge" if lat or lon else "corner"


def _ordinary_neighbours(
    strip_at: StripAt, limit: Callable[[int, str], int], level: int, box: Box
) -> Iterator[tuple[bool, Box]]:
    """(only at a corner, box) of the up to eight cells around an ordinary cell."""

    def along(axis: str, strip: Strip) -> list[tuple[int, Strip]]:
        up = _step(strip_at, level, axis, limit(level, axis), strip, up=True)
        down = _step(strip_at, level, axis, limit(level, axis), strip, up=False)
        return [(k, s) for k, s in ((-1, down), (0, strip), (1, up)) if s is not None]

    for i, lat in along("lat", (box[0], box[2])):
        for j, lon in along("lon", (box[1], box[3])):
            if i or j:
                yield bool(i and j), box_of(lat, lon)


def _row(strip_at: StripAt, limit: Callable[[int, str], int], level: int, lat: Strip) -> list[Box]:
    """All ordinary cells of one parallel."""
    boxes = []
    lon: Strip | None = signed(*strip_at(level, "lon", limit(level, "lon") - 1), negative=True)
    while lon is not None and (not boxes or lon[0] > boxes[-1][1]):
        boxes.append(box_of(lat, lon))
        lon = _step(strip_at, level, "lon", limit(level, "lon"), lon, up=True)
    return boxes


def _neighbours(
    strip_at: StripAt,
    limit: Callable[[int, str], int],
    polar: dict[str, Box],
    level: int,
    box: Box,
) -> Iterator[tuple[bool, Box]]:
    """Neighbours of any cell; by bare geometry where polar cells have a part in it.

    Two ordinary cells that meet only in the pole itself (GeoSOT below level 8) are not taken as neighbours:
    no side of the one is a side of the other, and every cell of that row would neighbour every other.
    """
    southern = box[2] <= 0
    polar_boxes = [mirrored(each, southern) for each in polar.values()]
    if box in polar_boxes:
        top = signed(*strip_at(level, "lat", POLAR - 1), southern)
        others = polar_boxes + _row(strip_at, limit, level, top)
    else:
        yield from _ordinary_neighbours(strip_at, limit, level, box)
        others = polar_boxes
    for other in others:
        relation = adjacency(box, other) if other != box else ""
        if relation in ("edge", "corner"):
            yield relation == "corner", other


def beidou_neighbours(code: str, *, corners: bool = True) -> set[str]:
    """The cells of the same level that share an edge, or also a corner, with a cell.

    Rows next to 88 degrees have no neighbour on that side at level 3 and finer, where no cells are given.
    """
    level, box = beidou_parse(code)
    if level == 0:
        return {"S" if code == "N" else "N"}
    polar = BEIDOU_POLAR.get(level, {})
    found = _neighbours(beidou_strip, beidou_limit, polar, level, box)
    return {_beidou_code(level, each) for corner, each in found if corners or not corner}


def _beidou_code(level: int, box: Box) -> str:
    southern = box[2] <= 0
    for tail, each in BEIDOU_POLAR.get(level, {}).items():
        if mirrored(each, southern) == box:
            return ("S" if southern else "N") + tail
    return _beidou_write(near_corner(box), level)


# --- BeiDou reference codes (GB/T 39409, clause 7) -------------------------------------------------------


def _span(offset: int) -> str:
    if not -7 <= offset <= 7:
        raise ValueError(f"{offset} cells cannot be written: 7 is the most on either side")
    return HEX[offset] if offset >= 0 else "ABCDEFG"[-offset - 1]


def _offset(letter: str) -> int:
    if letter not in "01234567ABCDEFG" or not letter:
        raise ValueError(f"{letter!r} is outside 0..7 and A..G")
    return int(letter) if letter.isdigit() else -("ABCDEFG".index(letter) + 1)


def _signed_index(strip: Strip) -> int:
    """Cells from the equator or the prime meridian, counted northwards or eastwards."""
    return strip[0] // (strip[1] - strip[0])


def beidou_shift(code: str, east: int, north: int) -> str:
    """The cell so many cells east and north; longitudes close, latitudes end at 88 degrees."""
    level, box = beidou_parse(code)
    level_within(level, 1, 10)
    if code[1:4] == "000":
        raise ValueError("polar cells are not counted by rows and columns")
    unit_lat, unit_lon = BEIDOU_LAT[level], BEIDOU_LON[level]
    south = box[0] + north * unit_lat
    west = (box[1] + east * unit_lon + HALF_TURN) % TURN - HALF_TURN
    if not -POLAR <= south < POLAR:
        raise ValueError(f"{north} cells north of {code!r} is beyond 88 degrees")
    return _beidou_code(level, (south, west, south + unit_lat, west + unit_lon))


def beidou_reference(base: str, target: str) -> str:
    """`base` and the place of `target` from it: "C0-MN", M cells east (A..G west), N north (A..G south)."""
    level, box = beidou_parse(base)
    target_level, target_box = beidou_parse(target)
    if level != target_level or level < 5:
        raise ValueError("a reference code needs two cells of one level, 5 or finer")
    across = TURN // BEIDOU_LON[level]
    east = _signed_index((target_box[1], target_box[3])) - _signed_index((box[1], box[3]))
    east = (east + across // 2) % across - across // 2
    north = _signed_index((target_box[0], target_box[2])) - _signed_index((box[0], box[2]))
    return f"{base}-{_span(east)}{_span(north)}"


def beidou_resolve(text: str) -> str:
    """The cell that a reference code names; a second pair counts from the child at the anchor."""
    code, *pairs = text.split("-")
    level, _ = beidou_parse(code)
    if level < 5 or not pairs or level + len(pairs) - 1 > 10 or any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"not a reference code: {text!r}")
    for k, (m, n) in enumerate(pairs):
        if k:
            code = _beidou_write(near_corner(beidou_parse(code)[1]), level + k)
        code = beidou_shift(code, _offset(m), _offset(n))
    return code


# --- Heights (GB/T 39409, C.1 to C.6; GB/T 40087, 5.6) ---------------------------------------------------

RADIUS = 6_378_137
PRECISION = 60
LOWEST, HIGHEST = -256 * DEGREE, 256 * DEGREE


def pi() -> Decimal:
    """Machin's series, to about PRECISION digits."""

    def arctan_inverse(n: int) -> Fraction:
        return sum((Fraction((-1) ** k, (2 * k + 1) * n ** (2 * k + 1)) for k in range(50)), Fraction(0))

    value = 16 * arctan_inverse(5) - 4 * arctan_inverse(239)
    with localcontext(prec=PRECISION):
        return Decimal(value.numerator) / Decimal(value.denominator)


PI = pi()


def decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def height_count(height: Number) -> int:
    """Ticks n of an ellipsoidal height in metres: floor of phi; floats with the snap of 1e-6 tick.

    phi is transcendental for every rational height but 0, so an exact height is never on an edge: the snap
    serves floats that were worked out from one.
    """
    metres = exact(height)
    if metres <= -RADIUS:
        raise ValueError(f"{height!r} m is at or below the centre of the earth")
    with localcontext(prec=PRECISION):
        base = (1 + PI / 180).ln()
        phi = (1 + decimal(metres) / RADIUS).ln() / base * DEGREE
        count = floor(phi + decimal(SNAP) if isinstance(height, float) else phi)
    if not LOWEST <= count < HIGHEST:
        raise ValueError(f"{height!r} m is outside the 512 degrees of the height domain")
    return count


def layer_bottom(count: int | Fraction) -> Decimal:
    """Height in metres of the lower face of layer `count`, in ticks."""
    with localcontext(prec=PRECISION):
        exponent = decimal(Fraction(count) / DEGREE) * (1 + PI / 180).ln()
        return RADIUS * (exponent.exp() - 1)


MIXED_UNITS = (4 * DEGREE, HALF, HALF // 2, MINUTE, 4 * SECOND, 2 * SECOND, 512, 64, 8, 1)
MIXED_BASES = (64, 8, 2, 15, 15, 2, 8, 8, 8, 8)
LITERAL_BITS = (6, 3, 1, 4, 4, 1, 3, 3, 3, 3)
LITERAL_UNITS = tuple(2 ** sum(LITERAL_BITS[k + 1 :]) for k in range(10))
PROFILES = ("mixed", "c3_literal_twos", "c3_literal_signabs")


def _units(profile: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if profile not in PROFILES:
        raise ValueError(f"no such profile: {profile!r}")
    if profile == "mixed":
        return MIXED_UNITS, MIXED_BASES
    return LITERAL_UNITS, tuple(2**bits for bits in LITERAL_BITS)


def beidou_height_digits(count: int, level: int, profile: str = "mixed") -> str:
    """Height characters a0 a1a2 a3 ... of layer `count` (ticks), of levels 0 to `level`."""
    level_within(level, 0, 10)
    units, bases = _units(profile)
    if not LOWEST <= count < HIGHEST:
        raise ValueError(f"{count} ticks are outside the height domain")
    rest = count
    if count < 0:
        rest = {"mixed": count + HIGHEST, "c3_literal_twos": count + 2**31, "c3_literal_signabs": -count}[
            profile
        ]
    text = "1" if count < 0 else "0"
    for k in range(level):
        digit = rest // units[k] % bases[k]
        text += f"{digit:02d}" if k == 0 else HEX[digit]
    return text


def beidou_height_interval(text: str, profile: str = "mixed") -> tuple[int, int]:
    """Lower and upper face, in ticks, of the layer that height characters name."""
    units, bases = _units(profile)
    if len(text) == 2 or not 1 <= len(text) <= 12 or text[0] not in "01":
        raise ValueError(f"not height characters: {text!r}")
    parts = [text[1:3], *text[3:]] if len(text) > 1 else []
    if parts and not (parts[0][0] in HEX[:10] and parts[0][1] in HEX[:10]):
        raise ValueError(f"{parts[0]!r} is outside 00..63")
    digits = [int(parts[0]), *(HEX.find(part) for part in parts[1:])] if parts else []
    if any(not 0 <= digit < base for digit, base in zip(digits, bases, strict=False)):
        raise ValueError(f"a digit of {text!r} is outside its alphabet")
    size = units[len(digits) - 1]
    rest = sum(digit * unit for digit, unit in zip(digits, units, strict=False))
    below = text[0] == "1"
    if not digits:
        low, high = (LOWEST, 0) if below else (0, HIGHEST)
    elif below and profile == "c3_literal_signabs":
        # Counts n < 0 with |n| in [rest, rest + size); layer n reaches up to n + 1.
        low, high = -(rest + size) + 1, min(-rest + 1, 0)
    elif below:
        low = rest - (HIGHEST if profile == "mixed" else 2**31)
        high = low + size
    else:
        low, high = rest, rest + size
    low, high = max(low, LOWEST), min(high, HIGHEST)
    if low >= high:
        raise ValueError(f"{text!r} lies outside the height domain")
    return low, high


def beidou3d_weave(code: str, height: str) -> str:
    """The three-dimensional code: after each level of the plane code, its height characters."""
    level = beidou_level(code)
    if len(height) != (1 if level == 0 else level + 2):
        raise ValueError(f"level {level} does not take {len(height)} height characters")
    parts = [height[:1], height[1:3], *height[3:]][: level + 1]
    text, at = "", 0
    for width, part in zip(BEIDOU_WIDTH, parts, strict=False):
        text, at = text + code[at : at + width] + part, at + width
    return text


def beidou3d_split(text: str) -> tuple[str, str]:
    """Plane code and height characters of a three-dimensional code."""
    code = height = ""
    at = 0
    for level, width in enumerate(BEIDOU_WIDTH):
        if at == len(text):
            break
        code, at = code + text[at : at + width], at + width
        taken = 2 if level == 1 else 1
        height, at = height + text[at : at + taken], at + taken
    if at != len(text) or not text:
        raise ValueError(f"{len(text)} characters end inside a level: {text!r}")
    return code, height


def beidou3d_encode(lat: Number, lon: Number, height: Number, level: int, profile: str = "mixed") -> str:
    """The three-dimensional code of a point at an ellipsoidal height in metres."""
    return beidou3d_weave(
        beidou_encode(lat, lon, level), beidou_height_digits(height_count(height), level, profile)
    )


def beidou3d_decode(text: str, profile: str = "mixed") -> tuple[Box, tuple[int, int]]:
    """Box and height interval, both in ticks, of a three-dimensional code."""
    code, height = beidou3d_split(text)
    return beidou_parse(code)[1], beidou_height_interval(height, profile)


def beidou3d_upper_neighbour(text: str) -> str:
    """The cell on top of a cell (mixed profile), also across the ground."""
    code, height = beidou3d_split(text)
    beidou_parse(code)
    return beidou3d_weave(code, beidou_height_digits(beidou_height_interval(height)[1], beidou_level(code)))


# --- GeoSOT (GB/T 40087, clauses 5 and 6) ----------------------------------------------------------------


def geosot_axis(negative: bool, t: int) -> int:
    """The 32 bits of one axis: sign, degrees (8), minutes (6), seconds (6), 1/2048 seconds (11)."""
    d, rest = divmod(t, DEGREE)
    m, rest = divmod(rest, MINUTE)
    s, u = divmod(rest, SECOND)
    return negative * 2**31 + d * 2**23 + m * 2**17 + s * 2**11 + u


def geosot_code64(lat_axis: int, lon_axis: int) -> int:
    """Latitude bits on odd places, longitude bits on even places."""
    code = 0
    for k in range(32):
        code += ((lat_axis >> k) % 2) * 2 ** (2 * k + 1) + ((lon_axis >> k) % 2) * 2 ** (2 * k)
    return code


def geosot_axes(code64: int) -> tuple[int, int]:
    """Latitude and longitude axis codes of a 64-bit code."""
    lat = sum(((code64 >> (2 * k + 1)) % 2) << k for k in range(32))
    return lat, sum(((code64 >> (2 * k)) % 2) << k for k in range(32))


def geosot_cell(lat: Number, lon: Number, level: int) -> Cell:
    """The cell (code64, level) of levels 0..32 that owns a point.

    From 88 degrees on: the printed polar cells at levels 8 to 10, none at finer levels. The specification
    does not say what coarser levels do; ordinary cells are taken, since only level 8 begins to merge them.
    """
    level_within(level, 0, 32)
    at = position(lat, lon)
    if at.y >= POLAR and level >= 8:
        digits = polar_code(_geosot_polar(level), at)
        return geosot_of_digits(southern_digits(digits) if at.southern else digits)
    code = geosot_code64(geosot_axis(at.southern, at.y), geosot_axis(at.western, at.x))
    return code >> (64 - 2 * level) << (64 - 2 * level), level


def _geosot_polar(level: int) -> dict[str, Box]:
    if level not in GEOSOT_POLAR:
        raise ValueError(f"the standard gives no polar cells (|latitude| >= 88) at level {level}")
    return GEOSOT_POLAR[level]


def southern_digits(digits: str) -> str:
    return str(int(digits[0]) + 2) + digits[1:]


def geosot_digits(cell: Cell) -> str:
    """The quaternary digits of a cell, without G and separators."""
    code64, level = cell
    level_within(level, 0, 32)
    if not 0 <= code64 < 2**64 or code64 % 2 ** (64 - 2 * level):
        raise ValueError(f"{code64} has bits below level {level}")
    return "".join(str(code64 >> (62 - 2 * k) & 3) for k in range(level))


def geosot_of_digits(digits: str) -> Cell:
    return sum(int(digit) << (62 - 2 * k) for k, digit in enumerate(digits)), len(digits)


def geosot_text(cell: Cell, *, separators: bool = True) -> str:
    """The quaternary code, "G001310322-230230-310312.11..." or the same without separators."""
    digits = geosot_digits(cell)
    if not separators:
        return "G" + digits
    text = "G"
    for k, digit in enumerate(digits):
        text += {9: "-", 15: "-", 21: "."}.get(k, "") + digit
    return text


def geosot_parse(text: str) -> Cell:
    """The cell of a quaternary code, with or without separators; codes of no cell on earth are refused."""
    digits = text[1:].replace("-", "").replace(".", "")
    if text[:1] != "G" or len(digits) > 32 or digits.strip("0123"):
        raise ValueError(f"not a GeoSOT code: {text!r}")
    cell = geosot_of_digits(digits)
    geosot_box(cell)
    return cell


def geosot_box(cell: Cell) -> Box:
    """The part of a cell that lies on the earth, in ticks; cells in the pads or off the earth are refused."""
    digits, level = geosot_digits(cell), cell[1]
    if level == 0:
        return -POLE, -HALF_TURN, POLE, HALF_TURN
    for code, box in GEOSOT_POLAR.get(level, {}).items():
        if digits == code:
            return box
        if digits == southern_digits(code):
            return mirrored(box, southern=True)
    lat, lon = (
        _axis_strip(bits, level, axis)
        for bits, axis in zip(geosot_axes(cell[0]), ("lat", "lon"), strict=True)
    )
    return box_of(lat, lon)


def _axis_strip(bits: int, level: int, axis: str) -> Strip:
    negative, d, m, s, u = bits >> 31, bits >> 23 & 255, bits >> 17 & 63, bits >> 11 & 63, bits & 2047
    t = d * DEGREE + m * MINUTE + s * SECOND + u
    if m >= 60 or s >= 60 or t >= geosot_limit(level, axis):
        raise ValueError(f"{axis} {d} degrees {m} minutes {s} seconds: no cell of level {level} on earth")
    return signed(*geosot_strip(level, axis, t), bool(negative))


def geosot_bounds(cell: Cell) -> tuple[Fraction, Fraction, Fraction, Fraction]:
    """South, west, north and east in degrees of the part of a cell that lies on the earth."""
    return degrees(geosot_box(cell))


def geosot_anchor(cell: Cell) -> tuple[Fraction, Fraction]:
    """Latitude and longitude of the corner nearest the origin (ordinary cells of level 1 and finer)."""
    box = geosot_box(cell)
    if cell[1] == 0 or box[3] - box[1] > HALF_TURN or box[3] > HALF_TURN:
        raise ValueError("a cell across all longitudes or across 180 has no one nearest corner")
    at = near_corner(box)
    lat, lon = Fraction(at.y, DEGREE), Fraction(at.x, DEGREE)
    return -lat if at.southern else lat, -lon if at.western else lon


def is_polar(cell: Cell) -> bool:
    box = geosot_box(cell)
    return cell[1] >= 8 and max(box[2], -box[0]) > POLAR


def _geosot_cell_of(level: int, box: Box) -> Cell:
    southern = box[2] <= 0
    for digits, each in GEOSOT_POLAR.get(level, {}).items():
        if mirrored(each, southern) == box:
            return geosot_of_digits(southern_digits(digits) if southern else digits)
    at = near_corner(box)
    return geosot_code64(geosot_axis(at.southern, at.y), geosot_axis(at.western, at.x)), level


def geosot_parent(cell: Cell) -> Cell:
    """The cell one level up.

    For polar cells the one that contains it on the earth: the printed codes do not keep the prefix rule
    (G1020220020 lies in G002022002). The polar cell of level 8 spans 90 columns of level 7: it has no parent.
    """
    code64, level = cell
    box = geosot_box(cell)
    if level == 0:
        raise ValueError("level 0 has no parent")
    if not is_polar(cell):
        return code64 >> (66 - 2 * level) << (66 - 2 * level), level - 1
    for digits, each in GEOSOT_POLAR.get(level - 1, {}).items():
        upper = mirrored(each, box[2] <= 0)
        if adjacency(upper, box) == "same":
            return geosot_of_digits(southern_digits(digits) if box[2] <= 0 else digits)
    raise ValueError("the polar cell of level 8 lies in no one cell of level 7")


def geosot_children(cell: Cell) -> list[Cell]:
    """The one to four cells one level down that exist on the earth, in the order of their codes.

    None for the cells of level 7 beyond 88 degrees: the polar cell of level 8 is larger than they are.
    """
    code64, level = cell
    geosot_box(cell)
    level_within(level + 1, 1, 32)
    if is_polar(cell):
        lower = (
            geosot_of_digits(southern_digits(digits) if geosot_box(cell)[2] <= 0 else digits)
            for digits in _geosot_polar(level + 1)
        )
        return sorted(each for each in lower if geosot_parent(each) == cell)
    found = []
    for digit in range(4):
        child = code64 + (digit << (62 - 2 * level)), level + 1
        try:
            polar = is_polar(child)
        except ValueError:
            continue
        if not polar:
            found.append(child)
    return found


def geosot_neighbours(cell: Cell, *, corners: bool = True) -> set[Cell]:
    """The cells of the same level that share an edge, or also a corner, with a cell on the earth."""
    level = cell[1]
    box = geosot_box(cell)
    if level == 0:
        return set()
    found = _neighbours(geosot_strip, geosot_limit, GEOSOT_POLAR.get(level, {}), level, box)
    return {_geosot_cell_of(level, each) for corner, each in found if corners or not corner} - {cell}


def geosot_contains(outer: Cell, inner: Cell) -> bool:
    """Whether a cell contains another (or is it): by their boxes on the earth."""
    if inner[1] < outer[1]:
        return False
    a, b = geosot_box(outer), geosot_box(inner)
    within_lon = a[3] - a[1] == TURN or _overlap_lon((a[1], a[3]), (b[1], b[3])) == b[3] - b[1]
    return a[0] <= b[0] and b[2] <= a[2] and within_lon


def geosot_ancestors(cell: Cell) -> list[Cell]:
    """The cells of level 1 and up that hold a cell, the coarsest first; of polar cells, from level 8."""
    found: list[Cell] = []
    while cell[1] > 1 and not (cell[1] == 8 and is_polar(cell)):
        cell = geosot_parent(cell)
        found.insert(0, cell)
    return found


def common_ancestor(one: Cell, other: Cell) -> Cell:
    """The finest cell that holds two cells on the earth.

    Only a cell that holds the middle of the first can hold all of it: one cell of each level is tried.
    """
    south, west, north, east = geosot_bounds(one)
    lon = (west + east) / 2
    for level in range(min(one[1], other[1]), 0, -1):
        lat = (south + north) / 2
        if level >= 8 and not is_polar(one) and abs(lat) >= 88:
            continue
        cell = one if level == one[1] else geosot_cell(lat, lon - 360 if lon > 180 else lon, level)
        if geosot_contains(cell, one) and geosot_contains(cell, other):
            return cell
    return 0, 0


def geosot_walk(cell: Cell, steps: int) -> list[set[Cell]]:
    """The cells at each number of steps over edges or corners, by walking; polar cells are not entered."""
    rings, seen = [{cell}], {cell}
    for _ in range(steps):
        around = {each for start in rings[-1] for each in geosot_neighbours(start) if not is_polar(each)}
        rings.append(around - seen)
        seen |= around
    return rings


@cache
def _strips_within(level: int, length: int) -> int:
    """How many strips there are in the first `length` ticks, by walking along them."""
    at = count = 0
    while at < length:
        at = geosot_strip(level, "lon", at)[1]
        count += 1
    return count


def geosot_strip_number(level: int, t: int) -> int:
    """How many strips lie between the origin and the one that owns tick `t`, pads not counted."""
    if level <= 9:
        return t // (2 ** (9 - level) * DEGREE)
    whole, rest = divmod(t, DEGREE)
    if level <= 15:
        return whole * _strips_within(level, DEGREE) + rest // (2 ** (15 - level) * MINUTE)
    minutes, rest = divmod(t, MINUTE)
    finest = min(level, 21)
    seconds = minutes * _strips_within(finest, MINUTE) + rest // (2 ** (21 - finest) * SECOND)
    return seconds if level <= 21 else t // 2 ** (32 - level)


def geosot_distance(one: Cell, other: Cell) -> int:
    """Fewest steps over edges or corners between two ordinary cells of a level, by counting strips."""
    level = one[1]

    def place(cell: Cell) -> tuple[int, int]:
        at = near_corner(geosot_box(cell))
        column, row = geosot_strip_number(level, at.x), geosot_strip_number(level, at.y)
        return (-column - 1 if at.western else column), (-row - 1 if at.southern else row)

    (x, y), (u, v) = place(one), place(other)
    around = 2 * (geosot_strip_number(level, HALF_TURN - 1) + 1)
    return max(min(abs(x - u), around - abs(x - u)), abs(y - v))


def to_int64(code64: int) -> int:
    """The 64-bit code as it is stored: the same bits read as a signed integer."""
    return code64 - 2**64 if code64 >= 2**63 else code64


def from_int64(stored: int) -> int:
    """The 64-bit code of a stored integer."""
    return stored + 2**64 if stored < 0 else stored


BEIDOU_TO_GEOSOT = {4: 15, 5: 19, 6: 20, 7: 23, 8: 26, 9: 29, 10: 32}


def geosot_of_beidou(code: str) -> Cell:
    """The GeoSOT cell that a BeiDou cell of level 4 or finer is."""
    level, box = beidou_parse(code)
    if level not in BEIDOU_TO_GEOSOT:
        raise ValueError(f"BeiDou level {level} has no GeoSOT twin")
    return _geosot_cell_of(BEIDOU_TO_GEOSOT[level], box)


def beidou_of_geosot(cell: Cell) -> str:
    """The BeiDou cell that a GeoSOT cell is; only levels 15, 19, 20, 23, 26, 29 and 32 have one."""
    twins = {geosot: beidou for beidou, geosot in BEIDOU_TO_GEOSOT.items()}
    if cell[1] not in twins:
        raise ValueError(f"GeoSOT level {cell[1]} has no BeiDou twin")
    return _beidou_code(twins[cell[1]], geosot_box(cell))


# --- GeoSOT heights (GB/T 40087, 5.6 and 6.3) ------------------------------------------------------------


def geosot_layer_ticks(level: int) -> int:
    """Nominal thickness of a layer in ticks: that of the cell of its level."""
    level_within(level, 1, 32)
    if level <= 9:
        return 2 ** (9 - level) * DEGREE
    return 2 ** (15 - level) * MINUTE if level <= 15 else 2 ** (32 - level)


def geosot_layer(count: int, level: int) -> int:
    """The layer number of `count` ticks at a level: floor(phi / theta)."""
    return count // geosot_layer_ticks(level)


def _bits(value: int, width: int) -> str:
    return "".join(str(value >> k & 1) for k in reversed(range(width)))


def geosot_height_raw(count: int, level: int) -> str:
    """Layer number as `level` bits of two's complement (equation 5 read literally)."""
    return _bits(geosot_layer(count, level), level)


def geosot_height_nested(count: int, level: int) -> str:
    """Sign, degrees, minutes, seconds of the height packed as an axis, cut to `level` bits."""
    level_within(level, 1, 32)
    negative = count < 0
    return _bits(geosot_axis(negative, count - LOWEST if negative else count), 32)[:level]


def geosot_height_interval(bits: str, *, nested: bool) -> tuple[int, int]:
    """Lower and upper face, in ticks, of the layer that a height code names."""
    level = level_within(len(bits), 1, 32)
    if bits.strip("01"):
        raise ValueError(f"not bits: {bits!r}")
    if not nested:
        number = int(bits, 2) - (2**level if bits[0] == "1" else 0)
        size = geosot_layer_ticks(level)
        low, high = number * size, number * size + size
    else:
        word = int(bits.ljust(32, "0"), 2)
        d, m, s, u = word >> 23 & 255, word >> 17 & 63, word >> 11 & 63, word & 2047
        if m >= 60 or s >= 60:
            raise ValueError(f"{bits!r} names a pad, no layer")
        base = LOWEST if word >> 31 else 0
        near, far = _unlimited_strip(level, d * DEGREE + m * MINUTE + s * SECOND + u)
        low, high = base + near, base + far
    low, high = max(low, LOWEST), min(high, HIGHEST)
    if low >= high:
        raise ValueError(f"{bits!r} lies outside the height domain")
    return low, high


def _unlimited_strip(level: int, t: int) -> Strip:
    """As geosot_strip, on an axis of 256 degrees."""
    unit = 2 ** (9 - level) * DEGREE
    return (t // unit * unit, t // unit * unit + unit) if level <= 9 else geosot_strip(level, "lon", t)


def hex96_encode(lat: Number, lon: Number, height: Number, level: int) -> str:
    """96-bit code in hexadecimal: from each triple of bits height, latitude, longitude.

    Latitude and longitude are aligned left (cut to the level), the layer number is a 32-bit integer
    aligned right.
    """
    lat_bits, lon_bits = geosot_axes(geosot_cell(lat, lon, level)[0])
    layer = geosot_layer(height_count(height), level)
    triples = (
        4 * (layer >> k & 1) + 2 * (lat_bits >> k & 1) + (lon_bits >> k & 1) for k in reversed(range(32))
    )
    return f"{int(''.join(map(str, triples)), 8):024x}"


def hex96_decode(text: str, level: int) -> tuple[Cell, int]:
    """Cell and layer number of a 96-bit code of a known level."""
    if len(text) != 24:
        raise ValueError("a 96-bit code has 24 hexadecimal digits")
    triples = f"{int(text, 16):032o}"
    words = [int("".join(str(int(digit) >> k & 1) for digit in triples), 2) for k in (2, 1, 0)]
    layer = words[0] - (2**32 if words[0] >= 2**31 else 0)
    cell = geosot_code64(words[1], words[2]), level
    geosot_box(cell)
    return cell, layer


# --- Distance, covers, area ------------------------------------------------------------------------------


def grid_distance(start: Any, goal: Any, neighbours: Callable[[Any], set[Any]], *, at_most: int = 12) -> int:
    """Fewest steps from cell to cell, found by walking outwards; beyond `at_most` a ValueError."""
    seen, front = {start}, {start}
    for steps in range(at_most + 1):
        if goal in front:
            return steps
        front = {each for cell in front for each in neighbours(cell)} - seen
        seen |= front
    raise ValueError(f"more than {at_most} steps apart")


Point = tuple[Fraction, Fraction]
Ring = list[Point]


def _edges(rings: list[Ring]) -> Iterator[tuple[Point, Point]]:
    for ring in rings:
        for a, b in pairwise([*ring, ring[0]]):
            if a != b:
                yield a, b


def _between(
    low: Fraction, high: Fraction, start: Fraction, step: Fraction
) -> tuple[Fraction, Fraction] | None:
    """Parameters t at which start + t*step lies between low and high; None where it never does."""
    if step == 0:
        return None if not low <= start <= high else (Fraction(-1), Fraction(2))
    a, b = (low - start) / step, (high - start) / step
    return min(a, b), max(a, b)


def segment_meets(a: Point, b: Point, low: Point, high: Point, *, inner: bool) -> bool:
    """Whether a segment has a point in a rectangle: in its interior, or with its border counted."""
    first, last = Fraction(0), Fraction(1)
    for k in (0, 1):
        span = _between(low[k], high[k], a[k], b[k] - a[k])
        if span is None or (inner and a[k] == b[k] and a[k] in (low[k], high[k])):
            return False
        first, last = max(first, span[0]), min(last, span[1])
    return first < last if inner else first <= last


def _inside(point: Point, rings: list[Ring]) -> bool:
    """Whether a point lies in a polygon with holes, its border counted."""
    x, y = point
    odd = False
    for (ax, ay), (bx, by) in _edges(rings):
        turn = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
        if turn == 0 and min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by):
            return True
        if (ay > y) != (by > y) and (turn > 0) == (by > ay):
            odd = not odd
    return odd


def _strips_between(
    strip_at: StripAt, level: int, axis: str, limit: int, low: Fraction, high: Fraction
) -> Iterator[Strip]:
    """Strips from one below `low` to the last that begins at or below `high`, without closing round 180."""
    strip = (
        signed(*strip_at(level, axis, min(floor(low), limit - 1)), negative=False)
        if low >= 0
        else signed(*strip_at(level, axis, ceil(-low) - 1), negative=True)
    )
    below = _step(strip_at, level, axis, limit, strip, up=False)
    if below is not None and below[0] < strip[0]:
        yield below
    while strip[0] <= high:
        yield strip
        above = _step(strip_at, level, axis, limit, strip, up=True)
        if above is None or above[0] < strip[0]:
            return
        strip = above


RULES = ("intersects", "touches", "within", "centre")


def covers(rings: list[Ring], box: tuple[Number, Number, Number, Number], rule: str) -> bool:
    """Whether a polygon covers one box by a rule; all in the same unit.

    `rings` are the outer ring, then holes, of (x, y); the box is south, west, north, east.
    "intersects": box and polygon share an area. "touches": they share at least a point, borders counted.
    "within": the whole box lies in the polygon; borders may touch.
    "centre": the middle of the box lies in the polygon or on its border.
    """
    south, west, north, east = map(exact, box)
    low, high, middle = (west, south), (east, north), ((west + east) / 2, (south + north) / 2)

    def met(*, inner: bool) -> bool:
        return any(segment_meets(a, b, low, high, inner=inner) for a, b in _edges(rings))

    # A box that no edge enters lies wholly inside or wholly outside; its middle tells which.
    if rule == "intersects":
        return met(inner=True) or _inside(middle, rings)
    if rule == "touches":
        return met(inner=False) or _inside(middle, rings)
    if rule == "within":
        return not met(inner=True) and _inside(middle, rings)
    if rule == "centre":
        return _inside(middle, rings)
    raise ValueError(f"no such rule: {rule!r}")


def in_ticks(rings: list[Ring]) -> list[Ring]:
    """Rings of (longitude, latitude) degrees in ticks; floats as they are, without the snap."""
    return [[(exact(x) * DEGREE, exact(y) * DEGREE) for x, y in ring] for ring in rings]


def cover_boxes(
    strip_at: StripAt, limit: Callable[[int, str], int], level: int, rings: list[Ring], rule: str
) -> Iterator[Box]:
    """Boxes, as far as they are on the earth, of the cells that a polygon covers by a rule (see `covers`).

    `rings` are in degrees, within +-180 and within the latitudes that have ordinary cells.
    """
    scaled = in_ticks(rings)
    xs = [x for x, _ in scaled[0]]
    ys = [y for _, y in scaled[0]]
    if max(map(abs, xs)) > HALF_TURN or max(map(abs, ys)) > limit(level, "lat"):
        raise ValueError("the polygon leaves the part of the earth that has ordinary cells")
    columns = list(_strips_between(strip_at, level, "lon", limit(level, "lon"), min(xs), max(xs)))
    for lat in _strips_between(strip_at, level, "lat", limit(level, "lat"), min(ys), max(ys)):
        for lon in columns:
            if covers(scaled, box_of(lat, lon), rule):
                yield box_of(lat, lon)


def _owned(strip: Strip, limit: int) -> tuple[bool, bool]:
    """Whether a strip owns its low and its high edge: the one nearer the origin, and +-limit."""
    low, high = strip
    return low >= 0 or low == -limit, high < 0 or high == limit


def _segment_owned(a: Point, b: Point, box: Box, limits: tuple[int, int]) -> bool:
    """Whether a cell owns a point of a segment; limits are the closed ends of longitude and latitude."""
    south, west, north, east = box
    # A bound on the parameter is (value, 0 or 1): with 1 the bound itself is left out.
    first, last = (Fraction(0), 0), (Fraction(1), 0)
    for start, stop, strip, limit in zip(a, b, ((west, east), (south, north)), limits, strict=True):
        owned = _owned(strip, limit)
        if start == stop:
            above = start > strip[0] or (start == strip[0] and owned[0])
            below = start < strip[1] or (start == strip[1] and owned[1])
            if not (above and below):
                return False
            continue
        ends = [
            ((edge - start) / (stop - start), 0 if own else 1) for edge, own in zip(strip, owned, strict=True)
        ]
        low, high = ends if stop > start else ends[::-1]
        first = max(first, low)
        last = min(last, high, key=lambda end: (end[0], -end[1]))
    return first[0] < last[0] or (first[0] == last[0] and first[1] == last[1] == 0)


def geosot_cover_line(line: Ring, level: int) -> set[Cell]:
    """GeoSOT cells of a level that own a point of a line of (longitude, latitude) degrees."""
    level_within(level, 1, 32)
    (scaled,) = in_ticks([line])
    limits = HALF_TURN, POLE
    columns, rows = (
        list(
            _strips_between(
                geosot_strip,
                level,
                axis,
                geosot_limit(level, axis),
                min(p[k] for p in scaled),
                max(p[k] for p in scaled),
            )
        )
        for k, axis in enumerate(("lon", "lat"))
    )
    boxes = [box_of(lat, lon) for lat in rows for lon in columns]
    return {
        _geosot_cell_of(level, box)
        for box in boxes
        if any(_segment_owned(a, b, box, limits) for a, b in pairwise(scaled))
    }


def on_tick(value: float) -> Fraction:
    """The number itself, or the whole tick that lies within a millionth of it."""
    count = exact(value) * DEGREE
    return Fraction(round(count), DEGREE) if abs(count - round(count)) <= SNAP else exact(value)


def geosot_cover(rings: list[Ring], level: int, rule: str) -> set[Cell]:
    """GeoSOT cells of a level that a small polygon covers by a rule (see `covers`)."""
    boxes = cover_boxes(geosot_strip, geosot_limit, level_within(level, 1, 32), rings, rule)
    return {_geosot_cell_of(level, box) for box in boxes}


def beidou_cover(rings: list[Ring], level: int, rule: str) -> set[str]:
    """BeiDou cells of a level that a small polygon covers by a rule (see `covers`)."""
    boxes = cover_boxes(beidou_strip, beidou_limit, level_within(level, 1, 10), rings, rule)
    return {_beidou_code(level, box) for box in boxes}


def fewest(cells: set[Cell]) -> set[Cell]:
    """The fewest cells that cover the same places: whole families give way to their parents, all the way."""
    found = set(cells)
    for level in range(max((level for _, level in found), default=0), 1, -1):
        parents = {geosot_parent(cell) for cell in found if cell[1] == level and not is_polar(cell)}
        for parent in parents:
            family = set(geosot_children(parent))
            if level != 8 or not _reaches_polar(parent):
                found = found - family | {parent} if family <= found else found
    return found


def _reaches_polar(cell: Cell) -> bool:
    south, _, north, _ = geosot_box(cell)
    return max(north, -south) > POLAR


CGCS2000_A = 6_378_137
CGCS2000_F = 1 / Fraction("298.257222101")


def sine(angle: Fraction) -> Decimal:
    """Sine of an angle in degrees, |angle| <= 90, by Taylor's series."""
    with localcontext(prec=PRECISION):
        x = decimal(angle) * PI / 180
        term = total = x
        for k in range(1, 40):
            term = -term * x * x / (2 * k * (2 * k + 1))
            total += term
        return total


def area(box: Box) -> Decimal:
    """Area in square metres of a box on the ellipsoid of CGCS2000.

    The band's area is the integral of M(phi) N(phi) cos(phi); with s = sin(phi) the integrand
    a^2 (1 - e^2) / (1 - e^2 s^2)^2 is expanded in powers of e^2 s^2 and integrated term by term.
    """
    south, west, north, east = degrees(box)
    e2 = CGCS2000_F * (2 - CGCS2000_F)
    with localcontext(prec=PRECISION):
        low, high = sine(south), sine(north)
        band = sum(
            (
                (k + 1) * decimal(e2) ** k / (2 * k + 1) * (high ** (2 * k + 1) - low ** (2 * k + 1))
                for k in range(28)
            ),
            Decimal(0),
        )
        return CGCS2000_A**2 * decimal(1 - e2) * band * decimal(east - west) * PI / 180


def cosine(angle: Fraction) -> Decimal:
    """Cosine of an angle in degrees, |angle| <= 90."""
    return sine(90 - abs(angle))


def parallel(angle: Fraction, width: Fraction) -> Decimal:
    """Metres of a parallel over a width in degrees: N cos(phi) times the longitude."""
    e2 = CGCS2000_F * (2 - CGCS2000_F)
    with localcontext(prec=PRECISION):
        s = sine(angle)
        radius = CGCS2000_A / (1 - decimal(e2) * s * s).sqrt()
        return radius * cosine(angle) * decimal(width) * PI / 180


def meridian(south: Fraction, north: Fraction) -> Decimal:
    """Metres of a meridian between two latitudes, the integral of M(phi).

    (1 - e^2 sin^2)^(-3/2) is expanded by Newton's binomial series and the powers of the sine are integrated
    by parts.
    """
    e2 = CGCS2000_F * (2 - CGCS2000_F)
    with localcontext(prec=PRECISION):

        def powers(angle: Fraction) -> list[Decimal]:
            """Integrals of sin^2k from 0 to an angle, k = 0, 1, ..."""
            s, c, found = sine(angle), cosine(angle), [decimal(angle) * PI / 180]
            for k in range(1, 28):
                found.append((found[-1] * (2 * k - 1) - s ** (2 * k - 1) * c) / (2 * k))
            return found

        coefficient, arc = Decimal(1), Decimal(0)
        for k, (low, high) in enumerate(zip(powers(south), powers(north), strict=True)):
            arc += coefficient * (high - low)
            coefficient *= decimal(e2) * (2 * k + 3) / (2 * k + 2)
        return CGCS2000_A * decimal(1 - e2) * arc


def size(box: Box) -> tuple[Decimal, Decimal]:
    """Width and height in metres of a box on the ellipsoid of CGCS2000, through its middle."""
    south, west, north, east = degrees(box)
    return parallel((south + north) / 2, east - west), meridian(south, north)


def reach(box: Box) -> Decimal:
    """A bound in metres on how far apart two places in a box are: its longest sides as if square."""
    south, west, north, east = degrees(box)
    nearest = Fraction(0) if south <= 0 <= north else min(abs(south), abs(north))
    with localcontext(prec=PRECISION):
        return (parallel(nearest, east - west) ** 2 + meridian(south, north) ** 2).sqrt()

"""Explains a code digit by digit: what each character says, and which cell stands there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, Field

from jingwei.grid import BeidouCell, Cell, GridError, beidou_string, ellipsoid, parse_beidou
from jingwei.web.reading import Place, ReadAs
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jingwei.words import Language

Bounds = tuple[float, float, float, float]
Direction = Literal["n", "ne", "e", "se", "s", "sw", "w", "nw"]

STEPS: dict[Direction, tuple[int, int]] = {
    "n": (0, 1), "ne": (1, 1), "e": (1, 0), "se": (1, -1),
    "s": (0, -1), "sw": (-1, -1), "w": (-1, 0), "nw": (-1, 1),
}  # fmt: skip
BEIDOU_LENGTH = (1, 4, 6, 7, 9, 11, 12, 14, 16, 18, 20)
BEIDOU_SPLIT = {
    2: (12, 8),
    3: (2, 3),
    4: (15, 10),
    5: (15, 15),
    6: (2, 2),
    7: (8, 8),
    8: (8, 8),
    9: (8, 8),
    10: (8, 8),
}
"""Columns and rows into which GB/T 39409-2020, table 1 splits the cell above each level."""

QUADRANTS = (
    Text("东北", "North-east"),
    Text("西北", "North-west"),
    Text("东南", "South-east"),
    Text("西南", "South-west"),
)
UNITS = ((9, Text("度", "degrees")), (15, Text("分", "minutes")), (21, Text("秒", "seconds")),
         (32, Text("秒以下", "parts of a second")))  # fmt: skip


class CodeStep(BaseModel):
    """What one level adds to a code."""

    level: int
    start: int = Field(description="Index in the code's text of the first character of this level")
    end: int
    characters: str
    meaning: str
    text: str = Field(description="The code up to here: the cell of this level")
    bounds: Bounds = Field(description="West, south, east, north in degrees, CGCS2000")
    width_m: float
    height_m: float


class GeosotCode(BaseModel):
    """A cell in GB/T 40087."""

    text: str
    level: int
    integer: str = Field(description="The unsigned 64-bit code; a string, because JSON numbers are too short")
    stored: str = Field(description="The same bits as a signed integer")


class BeidouCode(BaseModel):
    """A cell in GB/T 39409."""

    text: str
    level: int
    same_cell: bool = Field(description="False: the finest BeiDou cell around it, where no equal one exists")


class Neighbour(BaseModel):
    """A cell beside another."""

    direction: Direction
    text: str
    bounds: Bounds


class Explanation(BaseModel):
    """Everything about the cell that a code or a pair of coordinates names."""

    read_as: ReadAs
    level: int = Field(description="Level in GeoSOT, or in the BeiDou grid where `geosot` is null")
    geosot: GeosotCode | None
    beidou: BeidouCode | None
    bounds: Bounds
    centre: tuple[float, float]
    width_m: float
    height_m: float
    area_m2: float
    cut: bool = Field(
        description="The cell is cut at a whole degree or minute and smaller than its level's others"
    )
    beidou_steps: list[CodeStep]
    geosot_steps: list[CodeStep]
    neighbours: list[Neighbour]
    coarser: str | None
    finer: str | None


def explain(place: Place, language: Language) -> Explanation:
    """Return the explanation of a place in the reader's language."""
    cell = place.cell
    width, height = ellipsoid.size_m(*cell.bounds)
    beidou = _beidou_around(cell)
    return Explanation(
        read_as=place.read_as,
        level=cell.level,
        geosot=_geosot(cell) if isinstance(cell, Cell) else None,
        beidou=beidou,
        bounds=cell.bounds,
        centre=cell.centre,
        width_m=width,
        height_m=height,
        area_m2=ellipsoid.area_m2(*cell.bounds),
        cut=isinstance(cell, Cell) and _is_cut(cell),
        beidou_steps=list(_beidou_steps(beidou.text, language)) if beidou else [],
        geosot_steps=list(_geosot_steps(cell, language)) if isinstance(cell, Cell) else [],
        neighbours=list(_neighbours(cell)),
        coarser=_coarser(cell),
        finer=_finer(cell),
    )


def _geosot(cell: Cell) -> GeosotCode:
    return GeosotCode(text=cell.geosot, level=cell.level, integer=str(cell.code), stored=str(cell.stored))


def _within(inner: Bounds, outer: Bounds) -> bool:
    return inner[0] >= outer[0] and inner[1] >= outer[1] and inner[2] <= outer[2] and inner[3] <= outer[3]


def _beidou_around(cell: Cell | BeidouCell) -> BeidouCode | None:
    """Return the BeiDou code of the same cell, or of the finest BeiDou cell that contains it."""
    if isinstance(cell, BeidouCell):
        return BeidouCode(text=cell.text, level=cell.level, same_cell=True)
    twin = cell.beidou
    if twin is not None:
        return BeidouCode(text=twin, level=parse_beidou(twin).level, same_cell=True)
    for level in range(10, -1, -1):
        try:
            text = beidou_string(*cell.centre, level)
        except GridError:  # GB/T 39409 has no such cells at the poles
            continue
        if _within(cell.bounds, parse_beidou(text).bounds):
            return BeidouCode(text=text, level=level, same_cell=False)
    return None


def _is_cut(cell: Cell) -> bool:
    """Say whether the cell straddles a 60 and is cut there (GB/T 40087, 5.4)."""
    if not (10 <= cell.level <= 12 or 16 <= cell.level <= 18):
        return False
    west, south, east, north = cell.bounds
    unit = 60 if cell.level <= 12 else 3600
    side = (1 << (15 - cell.level if cell.level <= 12 else 21 - cell.level)) / unit
    return min(east - west, north - south) < side * 0.999


def _beidou_steps(code: str, language: Language) -> Iterator[CodeStep]:
    start = 0
    for level, end in enumerate(BEIDOU_LENGTH):
        if end > len(code):
            return
        cell = parse_beidou(code[:end])
        width, height = ellipsoid.size_m(*cell.bounds)
        yield CodeStep(
            level=level,
            start=start,
            end=end,
            characters=code[start:end],
            meaning=_beidou_meaning(cell, code[start:end]).in_language(language),
            text=cell.text,
            bounds=cell.bounds,
            width_m=width,
            height_m=height,
        )
        start = end


def _beidou_meaning(cell: BeidouCell, characters: str) -> Text:
    if cell.level == 0:
        return (
            Text("北半球", "Northern hemisphere")
            if characters == "N"
            else Text("南半球", "Southern hemisphere")
        )
    if cell.text[1:4] == "000":
        return Text("极区", "Polar cap")
    if cell.level == 1:
        west, south, east, north = (abs(round(edge)) for edge in cell.bounds)
        side = Text("东经", "E") if int(characters[:2]) > 30 else Text("西经", "W")
        top = Text("北纬", "N") if cell.text[0] == "N" else Text("南纬", "S")
        low, high = sorted((south, north))
        near, far = sorted((west, east))
        column, row = characters[:2], characters[2]
        return Text(
            f"第 {column} 列：{side.zh} {near}°–{far}°；第 {row} 行：{top.zh} {low}°–{high}°",
            f"Column {column}: {near}°–{far}° {side.en}; row {row}: {low}°–{high}° {top.en}",
        )
    columns, rows = BEIDOU_SPLIT[cell.level]
    if len(characters) == 1:
        down, across = divmod(int(characters, 16), 2)
    else:
        across, down = int(characters[0], 16), int(characters[1], 16)
    return Text(
        f"分为 {columns} × {rows}：东西第 {across + 1} 格，南北第 {down + 1} 格",
        f"Split {columns} × {rows}: column {across + 1}, row {down + 1}",
    )


def _geosot_steps(cell: Cell, language: Language) -> Iterator[CodeStep]:
    start = 0
    for one in [*cell.ancestors(), cell]:
        if one.level == 0:
            continue
        text = one.geosot
        width, height = ellipsoid.size_m(*one.bounds)
        yield CodeStep(
            level=one.level,
            start=start,
            end=len(text),
            characters=text[start:],
            meaning=_geosot_meaning(one, int(text[-1])).in_language(language),
            text=text,
            bounds=one.bounds,
            width_m=width,
            height_m=height,
        )
        start = len(text)


def _geosot_meaning(cell: Cell, digit: int) -> Text:
    if cell.level == 1:
        quadrant = QUADRANTS[digit]
        return Text(f"{quadrant.zh}半球象限", f"{quadrant.en} quadrant of the earth")
    unit = next(words for last, words in UNITS if cell.level <= last)
    halves = (Text("内半", "the inner half"), Text("外半", "the outer half"))
    lat, lon = halves[digit >> 1], halves[digit & 1]
    return Text(
        f"{unit.zh}：东西取{lon.zh}，南北取{lat.zh}",
        f"By {unit.en}: {lon.en} west–east, {lat.en} south–north",
    )


def _neighbours(cell: Cell | BeidouCell) -> Iterator[Neighbour]:
    if cell.level == 0:
        return
    for direction, (east, north) in STEPS.items():
        try:
            beside = cell.neighbour(east, north)
        except GridError:  # beyond the pole, or in a cap that has no rows
            continue
        yield Neighbour(direction=direction, text=str(beside), bounds=beside.bounds)


def _coarser(cell: Cell | BeidouCell) -> str | None:
    if isinstance(cell, BeidouCell):
        return cell.parent().text if cell.level else None
    if cell.level <= 1:
        return None
    try:
        return cell.parent().geosot
    except GridError:  # polar cells share their cap
        return None


def _finer(cell: Cell | BeidouCell) -> str | None:
    try:
        if isinstance(cell, BeidouCell):
            return cell.children()[0].text if cell.level < 10 else None
        return cell.children()[0].geosot if cell.level < 32 else None
    except GridError:
        return None

"""Draw the figures of docs/grid.md from the library itself: `python tools/draw_grid_figures.py`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import shapely

from jingwei import grid
from jingwei.grid.beidou import TWIN_LEVEL
from jingwei.grid.levels import LAT_END, SIZE, TICKS_PER_DEGREE, TICKS_PER_MINUTE, edges_of

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "figures"
INK, SOFT, WARM, COOL, PALE = "#1f2933", "#9aa5b1", "#c2410c", "#1d4ed8", "#e0e7ff"


def text(x: float, y: float, words: str, *, size: int = 13, colour: str = INK, anchor: str = "middle") -> str:
    """Return a line of text."""
    style = f'font-size="{size}" fill="{colour}" text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{words}</text>'


def box(x: float, y: float, width: float, height: float, *, fill: str = "none", stroke: str = SOFT) -> str:
    """Return a rectangle."""
    return (
        f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" fill="{fill}" '
        f'stroke="{stroke}" stroke-width="0.8"/>'
    )


def save(name: str, width: int, height: int, title: str, parts: Iterable[str]) -> None:
    """Write one figure."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'font-family="Noto Sans CJK SC, Noto Sans SC, sans-serif"><title>{title}</title>'
        f'<rect width="{width}" height="{height}" fill="white"/>'
    )
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / name).write_text("\n".join([head, *parts, "</svg>"]) + "\n", encoding="utf-8")


def quadrants() -> None:
    """Draw the four hemisphere quadrants: the first digit, and how the digits grow away from the origin."""
    parts = []
    for lon, lat in ((60, 40), (-60, 40), (60, -40), (-60, -40)):
        west, south, east, north = grid.Cell.at(lon, lat, 1).bounds
        parts.append(box(360 + 1.7 * west, 200 - 1.7 * north, 1.7 * (east - west), 1.7 * (north - south)))
        for cell in grid.Cell.at(lon, lat, 1).children():
            for inner in cell.children():
                w, s, e, n = inner.bounds
                parts.append(
                    box(360 + 1.7 * w, 200 - 1.7 * n, 1.7 * (e - w), 1.7 * (n - s), stroke="#d5dbe3")
                )
                x, y = inner.centre
                parts.append(text(360 + 1.7 * x, 205 - 1.7 * y, str(inner), size=12))
        corner = grid.Cell.at(lon, lat, 1)
        names = {0: "东北 NE", 1: "西北 NW", 2: "东南 SE", 3: "西南 SW"}[corner.code >> 62]
        side = 1 if lon > 0 else -1
        parts.append(
            text(
                360 + side * 335,
                30 if lat > 0 else 385,
                f"{names}: {corner}",
                size=14,
                colour=COOL,
                anchor="end" if side > 0 else "start",
            )
        )
    parts.append(f'<circle cx="360" cy="200" r="5" fill="{WARM}"/>')
    for dx, dy in ((1, -1), (-1, -1), (1, 1), (-1, 1)):
        parts.append(
            f'<line x1="{360 + 8 * dx}" y1="{200 + 8 * dy}" x2="{360 + 42 * dx}" y2="{200 + 42 * dy}" '
            f'stroke="{WARM}" stroke-width="2.5"/>'
        )
    save("grid-quadrants.svg", 720, 400, "GeoSOT quadrants and the digits of level 3", parts)


def padding() -> None:
    """Draw one degree at levels 10 to 13: where cells are cut at the sixtieth minute."""
    parts, scale = [], 540 / TICKS_PER_DEGREE
    for row, level in enumerate((10, 11, 12, 13)):
        y, number = 40 + row * 66, 0
        parts.append(text(70, y + 28, f"L{level}  {SIZE[level] // TICKS_PER_MINUTE}′", size=14, anchor="end"))
        while True:
            near, far = edges_of(number, level, LAT_END)
            if near >= TICKS_PER_DEGREE:
                break
            cut = far - near < SIZE[level]
            parts.append(box(84 + near * scale, y, (far - near) * scale, 44, fill="#ffedd5" if cut else PALE))
            if level < 13:
                minutes = (far - near) // TICKS_PER_MINUTE
                parts.append(
                    text(84 + (near + far) / 2 * scale, y + 27, f"{minutes}′", colour=WARM if cut else INK)
                )
            number += 1
        parts.append(box(84 + 540, y, 36, 44, fill="#f3f4f6"))
        parts.append(text(84 + 540 + 18, y + 27, "空", colour=SOFT))
    parts.append(text(84, 26, "0′", size=12))
    parts.append(text(84 + 540, 26, "60′", size=12, colour=WARM))
    parts.append(text(84 + 576, 26, "64′", size=12, colour=SOFT))
    save("grid-padding.svg", 700, 310, "One degree at levels 10 to 13", parts)


def ladder() -> None:
    """Draw which levels of the two standards have the same cells."""
    place = grid.encode("116.3", "39.9")
    parts = [
        text(150, 28, "GB/T 40087 GeoSOT", size=15, colour=COOL),
        text(560, 28, "GB/T 39409 北斗 BeiDou", size=15, colour=COOL),
    ]
    rows = {level: 50 + 26 * i for i, level in enumerate((9, 10, 12, 15, 18, 19, 20, 21, 23, 26, 29, 32))}
    for level, y in rows.items():
        width, height = grid.size_m(grid.parent(place, 32, level), level)
        size = (
            f"{width:,.0f} x {height:,.0f} m" if width >= 1 else f"{width * 100:.1f} x {height * 100:.1f} cm"
        )
        twin = level in TWIN_LEVEL.values()
        parts.append(box(20, y - 15, 300, 22, fill=PALE if twin else "white"))
        parts.append(text(32, y, f"L{level}", anchor="start"))
        parts.append(text(308, y, size, anchor="end", size=12))
    for beidou in range(1, 11):
        text_of = grid.beidou_string("116.3", "39.9", beidou)
        y = rows[TWIN_LEVEL[beidou]] if beidou in TWIN_LEVEL else 50 + 26 * (beidou - 1)
        parts.append(box(420, y - 15, 300, 22, fill=PALE if beidou in TWIN_LEVEL else "#ffedd5"))
        parts.append(text(432, y, f"L{beidou}", anchor="start"))
        parts.append(text(708, y, text_of, anchor="end", size=12))
        if beidou in TWIN_LEVEL:
            parts.append(
                f'<line x1="320" y1="{y - 4}" x2="420" y2="{y - 4}" stroke="{COOL}" stroke-width="1.6"/>'
            )
            parts.append(text(370, y - 8, "=", size=12, colour=COOL))
    save("grid-levels.svg", 740, 370, "Levels of the two standards with the same cells", parts)


def cover() -> None:
    """Draw an area, its cover by cells of one level, and its compact cover."""
    angle = np.linspace(0, 2 * np.pi, 80)[:-1]
    radius = 0.05 * (1 + 0.25 * np.sin(3 * angle) + 0.12 * np.cos(5 * angle))
    lon, lat = 116.4 + 1.25 * radius * np.cos(angle), 39.92 + radius * np.sin(angle)
    area = shapely.Polygon(np.column_stack((lon, lat)))
    west, south, east, north = area.buffer(0.006).bounds
    scale = 330 / (east - west)
    parts = []
    for column, (cells, levels, words) in enumerate(
        (
            (grid.cover(area, level=15, rule="centre").cells_at(15), None, "centre, L15"),
            (*grid.cover(area, level=17).cells(), "intersects, L17, 最少单元"),
        )
    ):
        left = 15 + 370 * column
        for code, level in zip(cells, levels if levels is not None else [15] * len(cells), strict=True):
            w, s, e, n = grid.bounds(int(code), int(level))
            parts.append(
                box(
                    left + (w - west) * scale,
                    20 + (north - n) * scale * 1.25,
                    (e - w) * scale,
                    (n - s) * scale * 1.25,
                    fill=PALE,
                )
            )
        corners = " ".join(
            f"{left + (x - west) * scale:.1f},{20 + (north - y) * scale * 1.25:.1f}"
            for x, y in area.exterior.coords
        )
        parts.append(f'<polygon points="{corners}" fill="none" stroke="{WARM}" stroke-width="1.8"/>')
        parts.append(text(left + 165, 20 + (north - south) * scale * 1.25 + 18, f"{words}: {len(cells)}"))
    save("grid-cover.svg", 740, int(50 + (north - south) * scale * 1.25), "Covers of one area", parts)


def heights() -> None:
    """Draw how the readings of the three-dimensional code part at one minute of height."""
    from jingwei.grid.beidou3d import PROFILES, height_digits

    parts = [text(120, 30, "H (m)", size=13)]
    for column, profile in enumerate(PROFILES):
        parts.append(text(270 + 190 * column, 30, profile, colour=COOL))
    for row, height in enumerate((8848.86, 3650, 1840, 1839.5, 50, 0, -0.5, -154.31)):
        y = 58 + 28 * row
        codes = [height_digits(height, 10, profile) for profile in PROFILES]
        parts.append(text(150, y, f"{height:,}", anchor="end"))
        for column, code in enumerate(codes):
            same = len(set(codes)) == 1
            parts.append(box(185 + 190 * column, y - 17, 170, 24, fill=PALE if same else "#ffedd5"))
            parts.append(text(270 + 190 * column, y, code))
    save("grid-heights.svg", 760, 290, "Three readings of the height code", parts)


if __name__ == "__main__":
    quadrants()
    padding()
    ladder()
    cover()
    heights()

"""A label to stick on an object: its title, its identifier, and a QR code that opens its page."""

from __future__ import annotations

import io
from xml.sax.saxutils import escape

import segno

from jingwei.registry.schemas import Object

WIDTH, HEIGHT = 90, 40
"""Millimetres."""
MARGIN = 3


def label(thing: Object, page: str) -> str:
    """Return a label as SVG, 90 by 40 mm.

    Parameters
    ----------
    thing
        The object.
    page
        The full address of the object's page.

    """
    code = segno.make(page, error="q", micro=False)  # a quarter may be scratched off
    drawn = io.BytesIO()
    # With a size of its own: without one, it would spread over the whole label.
    code.save(drawn, kind="svg", xmldecl=False, svgns=False, svgclass=None, lineclass=None, border=4)
    side = HEIGHT - 2 * MARGIN
    size = code.symbol_size(border=4)[0]
    left = MARGIN + side + MARGIN
    grouped = "-".join([thing.id[0:4], thing.id[4:8], thing.id[8:12], thing.id[12:]])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}mm" height="{HEIGHT}mm"'
        f' viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
        f'<g transform="translate({MARGIN} {MARGIN}) scale({side / size:.5f})">'
        f"{drawn.getvalue().decode()}</g>"
        f'<text x="{left}" y="13" font-size="5">{escape(thing.title[:16] or thing.kind)}</text>'
        f'<text x="{left}" y="21" font-size="3.5" fill="#444">{escape(thing.kind)}</text>'
        f'<text x="{left}" y="33" font-size="4" font-family="monospace">{grouped}</text></svg>'
    )

"""A city's own map service is drawn when a reader chooses it, and asked by nobody before."""

from __future__ import annotations

import base64
import re
import struct
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest

from jingwei.access import local_person
from jingwei.city import load_pack, open_city, read_manifest
from square import write_square

from .conftest import DESK, reading, served

pytestmark = pytest.mark.browser

COLOUR = (200, 40, 160)
SERVICE = """
[[map_service]]
id = "bureau"
title = {{ zh = "规划局底图", en = "Bureau map" }}
url = "http://127.0.0.1:{port}/wmts"
crs = "CGCS2000"
attribution = {{ zh = "规划局 2026", en = "Planning bureau 2026" }}
layers = ["base"]
matrix_set = "EPSG:3857"
max_zoom = 12
"""


def one_colour_png(colour, side=256):
    """Return a PNG of one colour."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = (b"\x00" + bytes(colour) * side) * side
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.fixture
def tile_server():
    """A WMTS on a port of its own: it gives tiles of one colour and notes what it was asked."""
    asked = []
    broken = threading.Event()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(503 if broken.is_set() else 200)
            self.send_header("Content-Type", "image/png")
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()
            if not broken.is_set():
                self.wfile.write(one_colour_png(COLOUR))

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    server.asked, server.broken = asked, broken
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def city(tmp_path, tile_server):
    pack = write_square(tmp_path / "pack")
    with (pack / "city.toml").open("a", encoding="utf-8") as manifest:
        manifest.write(SERVICE.format(port=tile_server.server_port))
    with open_city(tmp_path / "home", create=True) as city:
        load_pack(city, read_manifest(pack), pack, None, local_person())
        yield city


def colour_at(page, x, y):
    """Return the colour of a place of the page as it is seen."""
    picture = base64.b64encode(page.screenshot()).decode()
    return page.evaluate(
        """async ([picture, x, y]) => {
          const image = new Image();
          image.src = "data:image/png;base64," + picture;
          await image.decode();
          const canvas = new OffscreenCanvas(image.width, image.height);
          const drawing = canvas.getContext("2d");
          drawing.drawImage(image, 0, 0);
          return [...drawing.getImageData(x, y, 1, 1).data].slice(0, 3);
        }""",
        [picture, x, y],
    )


def test_a_map_service_is_drawn_once_it_is_chosen_and_asked_by_nobody_before(browser, city, tile_server):
    host = f"http://127.0.0.1:{tile_server.server_port}"
    with served(city) as address, reading(browser, address, others=(host,)) as reader:
        page = reader.open("/?layers=-&at=22.6,114.1,13")
        assert tile_server.asked == []
        x, y = 900, 300
        assert colour_at(page, x, y) != list(COLOUR)
        page.get_by_role("radio", name=re.compile("规划局底图")).check()
        page.wait_for_url(re.compile("base=bureau"))
        page.get_by_text("规划局 2026").wait_for()
        reader.settle()
        assert colour_at(page, x, y) == list(COLOUR)

        for path in tile_server.asked:
            question = {name.lower(): value for name, value in parse_qsl(urlsplit(path).query)}
            assert question["service"] == "WMTS"
            assert question["request"] == "GetTile"
            assert question["tilematrixset"] == "EPSG:3857"
            z, row, column = (int(question[name]) for name in ("tilematrix", "tilerow", "tilecol"))
            assert z <= 12  # nothing finer than the service has is asked for
            assert (column, row) in {(x, y) for x in range(3343, 3348) for y in range(1782, 1788)} or z < 12

        page.get_by_role("radio", name="城市自己的图层").check()
        reader.settle()
        assert colour_at(page, x, y) != list(COLOUR)


def test_a_map_service_that_does_not_answer_is_said(browser, city, tile_server):
    host = f"http://127.0.0.1:{tile_server.server_port}"
    tile_server.broken.set()
    screen = (DESK, "en", "dark")
    with served(city) as address, reading(browser, address, screen, others=(host,)) as reader:
        page = reader.page
        page.goto(address + "/?layers=-&base=bureau")
        page.get_by_role("alert").get_by_text("This map service does not answer").wait_for()
        page.close()  # what tiles still come to nothing do so before this
        reader.complaints[:] = [text for text in reader.complaints if "status of 503" not in text]


def test_a_page_may_ask_the_service_and_no_other_host(browser, city, tile_server):
    host = f"http://127.0.0.1:{tile_server.server_port}"
    with served(city) as address, reading(browser, address, others=(host,)) as reader:
        policy = reader.page.goto(address + "/").headers["content-security-policy"]
        assert [part for part in policy.replace(";", "").split() if "://" in part] == [host, host]
        reader.settle()

"""Photographs: what is taken, what is left of it, and that none is lost or given twice."""

import hashlib
import io
import struct
import zlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from PIL import Image
from sqlalchemy import select

from cases.conftest import PARKS, STAFF, photo
from jingwei.cases import Report, from_the_log, photos
from jingwei.cases.errors import (
    PhotoLostError,
    PhotoUnknownError,
    PhotoUsedError,
    TooManyPhotosError,
    UnreadablePhotoError,
)
from jingwei.cases.photos import PHOTOS, Photos, read_picture
from jingwei.ledger.models import Event
from jingwei.records import now_utc
from photographs import photograph

ZONE = ZoneInfo("Asia/Shanghai")
COLLECTOR, GARDENER = STAFF["collector"], STAFF["gardener"]


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def bomb(side):
    """A PNG that claims `side` squared pixels in a few bytes."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_what_is_kept_is_the_picture_and_nothing_else(kind):
    content = photograph(kind=kind, place=(114.05, 22.54), taken="2026:11:16 09:30:00")
    picture = read_picture(content, ZONE)
    assert picture.taken == datetime(2026, 11, 16, 1, 30, tzinfo=UTC)
    assert picture.place == pytest.approx((114.05, 22.54), abs=1e-6)
    assert picture.digest == hashlib.sha256(picture.full).hexdigest()
    for kept in (picture.full, picture.small):
        with Image.open(io.BytesIO(kept)) as image:
            assert image.format == "JPEG"
            assert not image.getexif()
            assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert b"Maker" not in kept


def test_a_picture_is_turned_upright_and_made_no_larger_than_is_needed():
    picture = read_picture(photograph(size=(4000, 3000), turned=6), ZONE)
    assert (picture.width, picture.height) == (1920, 2560)
    with Image.open(io.BytesIO(picture.small)) as small:
        assert small.size == (240, 320)


def test_a_place_south_and_west_and_a_time_with_nonsense():
    assert read_picture(photograph(place=(-58.4, -34.6)), ZONE).place == pytest.approx(
        (-58.4, -34.6), abs=1e-6
    )
    assert read_picture(photograph(place=(0.0, 0.0)), ZONE).place is None
    assert read_picture(photograph(taken="0000:00:00 00:00:00"), ZONE).taken is None


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "kind"),
        (b"<svg onload='alert(1)'/>", "kind"),
        (b"GIF89a" + bytes(100), "kind"),
        (photograph()[:2000], "broken"),
        (photograph(kind="PNG")[:-2000], "broken"),
        (bomb(8001), "pixels"),
        (bomb(60_000), "pixels"),
        (bomb(100), "broken"),
        (b"\0\0\0\x18ftypheic" + bytes(2000), "heic"),
        (photograph() + bytes(photos.MOST_BYTES), "size"),
    ],
    ids=[
        "nothing",
        "svg",
        "gif",
        "jpeg cut off",
        "png cut off",
        "pixels",
        "bomb",
        "no pixels",
        "heic",
        "size",
    ],
)
def test_what_is_not_taken_is_said(content, fault):
    with pytest.raises(UnreadablePhotoError) as caught:
        read_picture(content, ZONE)
    assert caught.value.where["fault"] == fault
    assert caught.value.what.zh
    assert caught.value.what.en


@pytest.fixture
def folder(tmp_path):
    return Photos(tmp_path / "photos")


def test_a_step_binds_its_photographs_and_the_log_proves_them(office, folder):
    digest = folder.keep(office.records, COLLECTOR, photograph(), ZONE).digest
    again = folder.keep(office.records, COLLECTOR, photograph(), ZONE).digest
    assert again == digest
    case = office.report(photos=(digest,))
    with office.records.read() as session:
        path = folder.of_case(session, case.number, digest)
        (event,) = session.scalars(select(Event).where(Event.subject == f"case/{case.number}"))
        assert event.data["photos"] == [hashlib.sha256(path.read_bytes()).hexdigest()]
        assert folder.of_case(session, case.number, digest, "small").is_file()
        assert list(from_the_log(session)) == [case]
        with pytest.raises(PhotoUnknownError):
            folder.of_case(session, "another", digest)


def test_before_and_after_are_two_photographs_of_who_submits(office):
    case = office.to("handling")
    with office.records.write() as session:
        mine, other, foreign = photo(session, GARDENER), photo(session, GARDENER), photo(session, COLLECTOR)
    for fields, error in (
        ({"photos": ["after"]}, PhotoUnknownError),
        ({"photos": [foreign]}, PhotoUnknownError),
        ({"photos": [mine], "before": [mine]}, PhotoUsedError),
        ({"photos": [mine], "before": ["0" * 64]}, PhotoUnknownError),
    ):
        with pytest.raises(error):
            office.act("gardener", case, "submit", **fields)
        assert office.get(case.number).state == "handling"
    case = office.act("gardener", case, "submit", photos=[mine], before=[other])
    case = office.act("parks", case, "redo", reason="未清理干净")
    with pytest.raises(PhotoUsedError) as caught:
        office.act("gardener", case, "submit", photos=[mine])
    assert caught.value.where["case"] == case.number


def test_a_report_that_fails_leaves_its_photographs_free(office, folder):
    digest = folder.keep(office.records, COLLECTOR, photograph(), ZONE).digest
    with office.records.write() as session, pytest.raises(Exception, match="99999"):
        office.desk.report(session, COLLECTOR, Report("matter", "99999", "collector", photos=(digest,)))
    assert office.report(photos=(digest,)).number


def test_unused_uploads_go_after_a_day_and_used_ones_stay(office, folder):
    kept = [folder.keep(office.records, COLLECTOR, photograph(n), ZONE).digest for n in range(3)]
    office.report(photos=(kept[0],))
    stray = folder.path("ab" * 32)
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"left by an interruption")
    now = now_utc()
    assert folder.remove_unused(office.records, now + timedelta(hours=23)) == 0
    assert folder.remove_unused(office.records, now + timedelta(hours=25)) == 2
    assert folder.path(kept[0]).is_file()
    assert not folder.path(kept[1]).exists()
    assert not folder.path(kept[1], "small").exists()
    assert stray.is_file()  # adopted, and given its own day
    assert folder.remove_unused(office.records, now + timedelta(hours=50)) == 1
    assert not stray.exists()
    with office.records.read() as session:
        assert session.scalars(select(PHOTOS.c.digest)).all() == [kept[0]]
    assert folder.keep(office.records, COLLECTOR, photograph(1), ZONE).digest == kept[1]
    assert folder.path(kept[1]).is_file()


def test_a_file_that_is_there_is_not_written_over_and_a_lost_one_is_said(office, folder):
    digest = folder.keep(office.records, COLLECTOR, photograph(), ZONE).digest
    written = folder.path(digest).stat()
    folder.keep(office.records, COLLECTOR, photograph(), ZONE)
    assert folder.path(digest).stat().st_ino == written.st_ino
    case = office.report(photos=(digest,))
    folder.path(digest, "small").unlink()
    with office.records.read() as session:
        assert folder.of_case(session, case.number, digest, "small").is_file()  # made anew
        folder.path(digest).unlink()
        with pytest.raises(PhotoLostError):
            folder.of_case(session, case.number, digest)


def test_nobody_fills_the_disk_with_what_no_step_names(office):
    with office.records.write() as session:
        for _ in range(photos.MOST_WAITING):
            photo(session, COLLECTOR)
        with pytest.raises(TooManyPhotosError):
            photo(session, COLLECTOR)
        photo(session, GARDENER)


def test_a_department_hands_over_what_its_part_looked_like(office):
    case = office.to("pending_handle")
    case = office.act("dispatcher", case, "invite", department="11990000MB0000002B")
    with office.records.write() as session:
        before, after = photo(session, STAFF["plumber"]), photo(session, STAFF["plumber"])
    case = office.act(
        "plumber", case, "finish_part", department="11990000MB0000002B", photos=[after], before=[before]
    )
    assert case.department == PARKS
    assert case.parts[0].state == "finished"

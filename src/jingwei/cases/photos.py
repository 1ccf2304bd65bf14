"""Photographs of cases: checked, cleaned of what they tell besides the picture, and kept by their digest.

A picture is decoded and written anew, so that nothing but its pixels stays. Its name is the SHA-256 of what
is kept; the events of the case hold that name, so that the log proves the picture. A photograph is first
uploaded, then named by one step of one case; what nobody named within a day is removed.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
import threading
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from PIL import ExifTags, Image, ImageOps
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from jingwei.cases.errors import (
    PhotoLostError,
    PhotoUnknownError,
    PhotoUsedError,
    TooManyPhotosError,
    UnreadablePhotoError,
)
from jingwei.cases.models import CasePhoto
from jingwei.records import now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.records import Records

PHOTOS: Table = CasePhoto.__table__  # type: ignore[assignment]

FOLDER = "photos"
"""In the city's own folder."""
FIELDS = ("photos", "before")
"""Fields of steps that name photographs."""

MOST_BYTES = 16 << 20
"""Of an upload."""
MOST_PIXELS = 64_000_000
"""Of an upload: above what the cameras of telephones make in their ordinary mode."""
MOST_WAITING = 200
"""Uploads of one person that no step has named yet."""
LONGEST_SIDE, SMALL_SIDE = 2560, 320
"""Pixels of the longer side of what is kept, and of its small form."""
WAITS = timedelta(days=1)
"""How long an upload waits for a step that names it."""
MEDIA_TYPE = "image/jpeg"

_FORMATS = ("JPEG", "PNG", "WEBP")
_QUALITY, _SMALL_QUALITY = 85, 75
_DIGEST = re.compile(r"[0-9a-f]{64}")
_HEIF = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis"})
_decoding = threading.BoundedSemaphore(2)
"""Pictures are large in memory: few are open at once."""

Form = Literal["full", "small"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A cleaned picture, and what its file said of when and where it was taken (degrees, WGS84)."""

    digest: str
    full: bytes
    small: bytes
    width: int
    height: int
    taken: datetime | None
    place: tuple[float, float] | None


# reading a picture


def read_picture(content: bytes, zone: ZoneInfo) -> Picture:
    """Return a picture without anything but its pixels; `zone` is where clocks without a zone go.

    Raises
    ------
    UnreadablePhotoError
        If it is too large, no picture, cut off, of a kind that is not taken, or has too many pixels.

    """
    if len(content) > MOST_BYTES:
        raise UnreadablePhotoError("size", _megabytes())
    if content[4:8] == b"ftyp" and content[8:12] in _HEIF:
        raise UnreadablePhotoError("heic", _HEIC, mend=_HEIC_MEND)
    with _decoding, warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own bound is lower
        return _read(content, zone)


def _read(content: bytes, zone: ZoneInfo) -> Picture:
    try:
        opened = Image.open(io.BytesIO(content), formats=_FORMATS)
    except Image.DecompressionBombError:
        raise UnreadablePhotoError("pixels", _pixels()) from None
    except Exception:  # noqa: BLE001 -- whatever a decoder raises at what is no picture
        raise UnreadablePhotoError("kind", _NO_PICTURE, mend=_KINDS) from None
    with opened:
        if opened.width * opened.height > MOST_PIXELS:
            raise UnreadablePhotoError("pixels", _pixels())
        taken, place = _said(opened, zone)
        try:
            opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # a JPEG is decoded no larger than is needed
            upright = ImageOps.exif_transpose(opened)
            full = _plain(upright)
        except Exception:  # noqa: BLE001 -- as above; most often the file was cut off on its way
            raise UnreadablePhotoError("broken", _BROKEN, mend=_AGAIN) from None
    full.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    kept = _jpeg(full, _QUALITY)
    small = full.copy()
    small.thumbnail((SMALL_SIDE, SMALL_SIDE), Image.Resampling.LANCZOS)
    digest = hashlib.sha256(kept).hexdigest()
    return Picture(digest, kept, _jpeg(small, _SMALL_QUALITY), full.width, full.height, taken, place)


def _plain(image: Image.Image) -> Image.Image:
    """Return the pixels alone, what is transparent on white."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        over = image.convert("RGBA")
        white = Image.new("RGBA", over.size, "white")
        return Image.alpha_composite(white, over).convert("RGB")
    plain = Image.new("RGB", image.size)
    plain.paste(image.convert("RGB"))
    return plain


def _jpeg(image: Image.Image, quality: int) -> bytes:
    written = io.BytesIO()
    image.save(written, "JPEG", quality=quality, optimize=True)
    return written.getvalue()


def _said(image: Image.Image, zone: ZoneInfo) -> tuple[datetime | None, tuple[float, float] | None]:
    """Return when and where a picture was taken, as far as its file says so in a form that can be read."""
    try:
        exif = image.getexif()
        details, gps = exif.get_ifd(ExifTags.IFD.Exif), exif.get_ifd(ExifTags.IFD.GPSInfo)
    except Exception:  # noqa: BLE001 -- a proposal that cannot be read is none
        return None, None
    return _time_of(details, zone), _place_of(gps)


def _time_of(details: Mapping[int, Any], zone: ZoneInfo) -> datetime | None:
    text = str(details.get(ExifTags.Base.DateTimeOriginal, "")).strip("\0 ")
    offset = str(details.get(ExifTags.Base.OffsetTimeOriginal, "")).strip("\0 ")
    try:
        if offset:
            return datetime.strptime(f"{text} {offset}", "%Y:%m:%d %H:%M:%S %z").astimezone(UTC)
        return datetime.strptime(text, "%Y:%m:%d %H:%M:%S").replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _place_of(gps: Mapping[int, Any]) -> tuple[float, float] | None:
    try:
        lat = _degrees(gps[ExifTags.GPS.GPSLatitude], negative=gps[ExifTags.GPS.GPSLatitudeRef] == "S")
        lon = _degrees(gps[ExifTags.GPS.GPSLongitude], negative=gps[ExifTags.GPS.GPSLongitudeRef] == "W")
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    known = -90 <= lat <= 90 and -180 <= lon <= 180 and (lon, lat) != (0.0, 0.0)
    return (lon, lat) if known else None


def _degrees(parts: Sequence[Any], *, negative: bool) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    value = degrees + minutes / 60 + seconds / 3600
    return round(-value if negative else value, 7)


# keeping


class Photos:
    """The folder of the photographs, beside the records.

    A file is written whole and durably before its row is committed, and is never written over.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, digest: str, form: Form = "full") -> Path:
        """Return where a photograph lies."""
        return self.folder / digest[:2] / (f"{digest}.jpg" if form == "full" else f"{digest}.small.jpg")

    def keep(self, records: Records, asker: Asker, content: bytes, zone: ZoneInfo) -> Picture:
        """Take an upload in; return it as it is kept. The same picture twice is kept once.

        Raises
        ------
        UnreadablePhotoError, TooManyPhotosError
            Nothing is kept then.

        """
        picture = read_picture(content, zone)
        with records.write() as session:
            remember(session, asker, picture.digest, len(picture.full), (picture.width, picture.height))
            _write_once(self.path(picture.digest), picture.full)
            _write_once(self.path(picture.digest, "small"), picture.small)
        return picture

    def of_case(self, session: Session, case: str, digest: str, form: Form = "full") -> Path:
        """Return the file of a photograph that a case names.

        Raises
        ------
        PhotoUnknownError
            The case names no such photograph.
        PhotoLostError
            It does, but the file is not where it belongs.

        """
        if session.scalar(select(PHOTOS.c.case).where(PHOTOS.c.digest == digest)) != case:
            raise PhotoUnknownError(digest)
        path = self.path(digest, form)
        if form == "small" and not path.is_file() and self.path(digest).is_file():
            with _decoding, Image.open(self.path(digest), formats=_FORMATS) as full:
                full.thumbnail((SMALL_SIDE, SMALL_SIDE), Image.Resampling.LANCZOS)
                _write_once(path, _jpeg(full, _SMALL_QUALITY))
        if not path.is_file():
            raise PhotoLostError(digest)
        return path

    def belongs(self, session: Session, case: str, digest: str) -> bool:
        """Say whether a case names a photograph."""
        return session.scalar(select(PHOTOS.c.case).where(PHOTOS.c.digest == digest)) == case

    def remove_unused(self, records: Records, now: datetime | None = None) -> int:
        """Remove the uploads that no step named within a day; return how many those were.

        Files that an interruption left without a row get one, and a day more.
        """
        now = now or now_utc()
        before = now - WAITS
        self._adopt(records, before, now)
        with records.write() as session:
            gone = list(
                session.scalars(
                    delete(PHOTOS)
                    .where(PHOTOS.c.case.is_(None), PHOTOS.c.at < before)
                    .returning(PHOTOS.c.digest)
                )
            )
            for digest in gone:  # before the rows' end is committed: who uploads the same anew waits for it
                self.path(digest).unlink(missing_ok=True)
                self.path(digest, "small").unlink(missing_ok=True)
        return len(gone)

    def _adopt(self, records: Records, before: datetime, now: datetime) -> None:
        if not self.folder.is_dir():
            return
        for part in sorted(self.folder.iterdir()):
            old = [one for one in part.iterdir() if one.stat().st_mtime < before.timestamp()]
            for half_written in (one for one in old if one.suffix == ".part"):
                half_written.unlink(missing_ok=True)
            names = {
                one.name.removesuffix(".jpg")
                for one in old
                if _DIGEST.fullmatch(one.name.removesuffix(".jpg"))
            }
            with records.read() as session:
                known = set(
                    session.scalars(select(PHOTOS.c.digest).where(PHOTOS.c.digest.startswith(part.name)))
                )
            if names - known:
                with records.write() as session:
                    for digest in names - known:
                        _put(session, {"digest": digest, "size": self.path(digest).stat().st_size, "width": 0,
                                       "height": 0, "by": "", "at": now})  # fmt: skip


def _write_once(path: Path, content: bytes) -> None:
    """Write a file whole and durably, unless it is there already."""
    if path.is_file():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    for folder in (path.parent, path.parent.parent):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


# what the records know of them


def remember(session: Session, asker: Asker, digest: str, size: int, pixels: tuple[int, int]) -> None:
    """Note that an asker has uploaded a photograph.

    Raises
    ------
    TooManyPhotosError
        Where too many of the asker's uploads wait for a step that names them.

    """
    waiting = session.scalar(
        select(func.count()).select_from(PHOTOS).where(PHOTOS.c.by == asker.id, PHOTOS.c.case.is_(None))
    )
    if (waiting or 0) >= MOST_WAITING:
        raise TooManyPhotosError(MOST_WAITING)
    _put(session, {"digest": digest, "size": size, "width": pixels[0], "height": pixels[1],
                   "by": asker.id, "at": now_utc()})  # fmt: skip


def _put(session: Session, row: dict[str, Any]) -> None:
    """Write a row, or let who uploaded the same picture last be its holder, as long as no step named it."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    new = dialect.insert(PHOTOS).values(row)
    session.execute(
        new.on_conflict_do_update(
            index_elements=["digest"],
            set_={"by": new.excluded.by, "at": new.excluded.at},
            where=PHOTOS.c.case.is_(None),
        )
    )


def claim(session: Session, asker: Asker, case: str, step: int, fields: Mapping[str, Any]) -> None:
    """Bind the photographs that a step names to it: uploaded by the asker, and named by no other step.

    Raises
    ------
    PhotoUnknownError, PhotoUsedError
        Naming the first that is not so.

    """
    named = [digest for name in FIELDS for digest in fields.get(name, ())]
    for digest in named:
        if named.count(digest) > 1:
            raise PhotoUsedError(digest, case)
        taken = session.execute(
            update(PHOTOS)
            .where(PHOTOS.c.digest == digest, PHOTOS.c.case.is_(None), PHOTOS.c.by == asker.id)
            .values(case=case, step=step)
        )
        if taken.rowcount != 1:  # type: ignore[attr-defined]  # of an update
            used = session.scalar(select(PHOTOS.c.case).where(PHOTOS.c.digest == digest))
            raise PhotoUsedError(digest, used) if used else PhotoUnknownError(digest)


def _megabytes() -> Text:
    return Text(f"照片超过 {MOST_BYTES >> 20} MiB", f"the photograph is larger than {MOST_BYTES >> 20} MiB.")


def _pixels() -> Text:
    millions = MOST_PIXELS // 1_000_000
    return Text(
        f"照片超过 {millions * 100} 万像素", f"the photograph has more than {millions} million pixels."
    )


_NO_PICTURE = Text("这个文件不是照片", "this file is no photograph.")
_KINDS = Text("可上传 JPEG、PNG、WebP。", "JPEG, PNG and WebP are taken.")
_BROKEN = Text("照片不完整或已损坏", "the photograph is incomplete or broken.")
_AGAIN = Text("请重新拍摄或重新上传。", "Take it or upload it again.")
_HEIC = Text("不能读取 HEIC/HEIF、AVIF 照片", "photographs in HEIC/HEIF or AVIF cannot be read.")
_HEIC_MEND = Text(
    "请在手机相机设置中改为“兼容性最佳”（JPEG），或转换为 JPEG 后上传。",
    "Set the camera to “most compatible” (JPEG), or convert it to JPEG.",
)

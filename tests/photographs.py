"""Photographs as telephones make them, each number another one."""

import io

from PIL import ExifTags, Image


def photograph(number=1, size=(640, 480), kind="JPEG", *, place=None, taken=None, turned=None):
    """Return a picture file; `place` (lon, lat) and `taken` (EXIF text) are written into it."""
    image = Image.linear_gradient("L").resize(size)
    picture = Image.merge("RGB", [image, image.rotate(180), Image.new("L", size, number * 37 % 256)])
    exif = Image.Exif()
    if taken:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken
    if place:
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        gps[ExifTags.GPS.GPSLongitude], gps[ExifTags.GPS.GPSLongitudeRef] = (
            _parts(abs(place[0])),
            "EW"[place[0] < 0],
        )
        gps[ExifTags.GPS.GPSLatitude], gps[ExifTags.GPS.GPSLatitudeRef] = (
            _parts(abs(place[1])),
            "NS"[place[1] < 0],
        )
    if turned:
        exif[ExifTags.Base.Orientation] = turned
    exif[ExifTags.Base.Make] = "Maker of telephones"
    file = io.BytesIO()
    picture.save(file, kind, exif=exif)
    return file.getvalue()


def _parts(degrees):
    whole = int(degrees)
    minutes = int((degrees - whole) * 60)
    return (whole, minutes, round(((degrees - whole) * 60 - minutes) * 60, 4))

"""Vector files that GDAL reads: Shapefile (also zipped), GeoPackage, KML (also zipped, KMZ), FlatGeobuf, GML.

GDAL is loaded when the first such file is opened: it takes half a second, and a server that opens none does
without.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyproj
from pyproj.exceptions import CRSError

from jingwei.lake.forms.archives import check_archive
from jingwei.lake.forms.columns import unique_names
from jingwei.lake.forms.cut_names import whole_names
from jingwei.lake.forms.delimited import undecodable
from jingwei.lake.forms.encodings import EncodingVerdict, weigh_lines
from jingwei.lake.forms.errors import (
    CorruptFileError,
    LayerNeededError,
    MissingPartError,
    UnknownFormError,
    UnknownLayerError,
    WrongEncodingError,
)
from jingwei.lake.forms.kml import absent_columns, with_ascii_names
from jingwei.lake.forms.parquet import crs_name, shown_row, without_faulty
from jingwei.lake.forms.reading import BATCH_ROWS, Batch, Evidence, Reading
from jingwei.words import Text

VECTOR_SUFFIXES = (".shp", ".zip", ".gpkg", ".kml", ".kmz", ".fgb", ".gml")
KML_SUFFIXES = (".kml", ".kmz")
NEEDED_PARTS = (".shx", ".dbf")
COPIED_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
DBF_SAMPLE = 2**20
FID = "OGC_FID"


class VectorReading(Reading):
    """One layer of a vector file."""

    form = "vector"

    def __init__(
        self,
        path: Path,
        *,
        layer: str | None = None,
        encoding: str | None = None,
        columns_as_text: Iterable[str] = (),
    ) -> None:
        super().__init__(path)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._source = source_of(path)
        self.layer = self._chosen_layer(layer)
        self._encoding = self._find_encoding(encoding)
        self._as_text = frozenset(columns_as_text)
        self._renamed: dict[str, str] = {}
        absent = self._name_data() if self._is_kml else set()
        self._mend_names()
        info = self._described()
        self.total = int(info["features"]) if info["features"] >= 0 else None
        self._geometry_name = info["geometry_name"] or "wkb_geometry"
        self._find_system(info["crs"])
        with self._opened(1) as (meta, reader):
            fid = meta["fid_column"] or FID
            self._source_fields = [field for field in reader.schema if field.name != fid]
        self._source_fields = [field for field in self._source_fields if field.name not in absent]
        self._names = [field.name for field in self._source_fields]
        self._find_columns()
        self._undecodable = self._find_undecodable()

    def batches(self, size: int = BATCH_ROWS) -> Iterator[Batch]:
        """Yield the features; those whose geometry is broken are faults."""
        from pyogrio.errors import DataSourceError

        done = 0
        try:
            with self._opened(size) as (meta, reader):
                for source in reader:
                    numbers = np.asarray(source[meta["fid_column"] or FID], dtype=np.int64)
                    rows = (
                        np.arange(done + 1, done + len(numbers) + 1)
                        if not self._is_shapefile
                        else numbers + 1
                    )
                    done += len(numbers)
                    self._done = done / max(1, self.total or done)
                    yield self._batch(source, rows)
        except (DataSourceError, pa.ArrowException, OSError) as error:
            raise CorruptFileError(self.path, self.path.suffix[1:].upper(), str(error)) from error

    def _batch(self, source: pa.RecordBatch, rows: npt.NDArray[np.int64]) -> Batch:
        arrays = [source[name].cast(field.type) for name, field in zip(self._names, self.schema, strict=True)]
        table = pa.RecordBatch.from_arrays(arrays, schema=self.schema)
        bad = np.isin(rows, self._undecodable)
        faults = [
            undecodable(int(rows[at]), shown_row(table, int(at), self.geometry), self._encoding or "")
            for at in np.flatnonzero(bad)
        ]
        batch = without_faulty(table.filter(pa.array(~bad)), rows[~bad], self.geometry)
        batch.faults = sorted([*faults, *batch.faults], key=lambda fault: fault.row)
        return batch

    def _find_undecodable(self) -> npt.NDArray[np.int64]:
        """Return the records of a shapefile's table whose text is cut or of another encoding.

        GDAL would put question marks in their place and say nothing.
        """
        if self._encoding is None:
            return np.empty(0, dtype=np.int64)
        with opened_part(self.path, self.layer, ".dbf") as file:
            return undecodable_records(file, self._encoding) if file else np.empty(0, dtype=np.int64)

    def close(self) -> None:
        """Let go of the file, and of a copy that had to be made."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _name_data(self) -> set[str]:
        """Read a copy with names that GDAL keeps; return the columns of which the file says nothing."""
        self._folder = tempfile.TemporaryDirectory(prefix="jingwei-kml-")
        with opened_kml(self.path) as text:
            copy = Path(self._folder.name) / f"{self.path.stem}.kml"
            self._renamed = with_ascii_names(text, copy)
            absent = absent_columns(text)
        if self._renamed or self.path.suffix.lower() == ".kmz":
            self._source = str(copy)
        else:
            self.close()
        return absent

    def _mend_names(self) -> None:
        """Read a copy of a shapefile of whose field names some are cut in the middle of a character."""
        dbf = read_part(self.path, self.layer, ".dbf", DBF_SAMPLE) if self._encoding else None
        if dbf is None or self._encoding is None:
            return
        mended = whole_names(dbf, self._encoding)
        if mended == dbf:
            return
        self._folder = tempfile.TemporaryDirectory(prefix="jingwei-shp-")
        for suffix in COPIED_PARTS:
            copy = Path(self._folder.name) / f"{self.layer}{suffix}"
            with opened_part(self.path, self.layer, suffix) as part:
                if part is not None:
                    with copy.open("wb") as file:
                        shutil.copyfileobj(part, file)
        with (Path(self._folder.name) / f"{self.layer}.dbf").open("r+b") as file:
            file.write(mended)
        self._source = str(Path(self._folder.name) / f"{self.layer}.shp")
        reason = Text(
            "Shapefile 的列名最多 10 个字节，有的列名在半个字处被截断，已去掉那半个字",
            "names in a shapefile have at most 10 bytes; pieces of characters at their ends are left out",
        )
        self.evidence.append(Evidence("columns", "cut", reason, {}))

    def _chosen_layer(self, layer: str | None) -> str:
        known = layer_names(self.path)
        if layer is None and len(known) == 1:
            return known[0]
        if layer is None:
            raise LayerNeededError(self.path, known)
        if layer not in known:
            raise UnknownLayerError(self.path, layer, known)
        return layer

    def _described(self) -> dict[str, Any]:
        import pyogrio
        from pyogrio.errors import DataLayerError, DataSourceError

        try:
            info: dict[str, Any] = pyogrio.read_info(
                self._source, layer=self.layer, encoding=self._encoding, force_feature_count=True
            )
        except (DataSourceError, DataLayerError) as error:
            raise CorruptFileError(self.path, self.path.suffix[1:].upper(), str(error)) from error
        return info

    @contextmanager
    def _opened(self, size: int) -> Iterator[tuple[dict[str, Any], Any]]:
        import pyogrio

        with pyogrio.raw.open_arrow(
            self._source,
            layer=self.layer,
            encoding=self._encoding,
            batch_size=size,
            use_pyarrow=True,
            return_fids=True,
        ) as opened:
            yield opened

    def _find_columns(self) -> None:
        names, changed = unique_names([self._renamed.get(name, name) for name in self._names])
        fields = []
        for name, field in zip(names, self._source_fields, strict=True):
            is_geometry = field.name == self._geometry_name
            if is_geometry:
                self.geometry = name
            kind = pa.binary() if is_geometry else field.type
            fields.append(pa.field(name, pa.string() if name in self._as_text else kind))
        self.schema = pa.schema(fields)
        if changed:
            reason = Text("重名的列已改称", "columns with a repeated name were renamed")
            self.evidence.append(Evidence("columns", "renamed", reason, {"renamed": dict(changed)}))

    def _find_system(self, stated: str | None) -> None:
        if not stated:
            missing = "没有 .prj" if self._is_shapefile else "文件未声明坐标系"
            missing_en = (
                "there is no .prj" if self._is_shapefile else "the file declares no coordinate system"
            )
            self.evidence.append(Evidence("crs", "undeclared", Text(missing, missing_en), {}))
            return
        try:
            self.declared_crs = crs_name(pyproj.CRS.from_user_input(stated))
        except CRSError:
            self.declared_crs = stated
        by_form = self._is_kml
        reason = (
            Text("KML 规定坐标为 WGS84", "KML coordinates are WGS84 by its standard")
            if by_form
            else Text("文件声明的坐标系", "declared by the file")
        )
        self.evidence.append(Evidence("crs", self.declared_crs, reason, {}))

    @property
    def _is_kml(self) -> bool:
        return self.path.suffix.lower() in KML_SUFFIXES

    @property
    def _is_shapefile(self) -> bool:
        return self.path.suffix.lower() in (".shp", ".zip")

    def _find_encoding(self, asked: str | None) -> str | None:
        """Return the encoding of a shapefile's table; other forms are Unicode.

        A code page file (.cpg) is believed unless the bytes cannot be read by it.
        """
        if not self._is_shapefile:
            return None
        dbf = read_part(self.path, self.layer, ".dbf", DBF_SAMPLE)
        if dbf is None:
            return asked
        found = weigh_lines(dbf_texts(dbf))
        stated = asked or _code_page(read_part(self.path, self.layer, ".cpg", 64))
        if stated is None:
            self.evidence.append(found.evidence)
            return found.name
        return self._believed(stated, asked, found, dbf_texts(dbf))

    def _believed(self, stated: str, asked: str | None, found: EncodingVerdict, lines: list[bytes]) -> str:
        share = _share_decoded(lines, stated)
        if share is None:
            if asked:
                raise WrongEncodingError(self.path, asked, [], known=False)
            share = 0.0
        if share < 0.5 and asked:
            raise WrongEncodingError(self.path, asked, found.fitting)
        if share < 0.5:
            reason = Text(
                f".cpg 写的是 {stated}，但内容不能按它读取；按 {found.name} 读取",
                f"the .cpg says {stated}, which cannot read the table; it is read as {found.name}",
            )
            self.evidence.append(Evidence("encoding", found.name, reason, {"stated": stated}))
            return found.name
        by = Text("按指定", "as stated") if asked else Text("由 .cpg 声明", "declared by the .cpg")
        self.evidence.append(Evidence("encoding", stated, by, {"share_of_lines_decoded": round(share, 4)}))
        return stated


def source_of(path: Path) -> str:
    """Return how GDAL is to open a file, after checking that it is whole and safe.

    Raises
    ------
    MissingPartError
        a shapefile lacks one of its parts.
    ZipBombError, CorruptFileError, UnknownFormError
        an archive is unsafe, damaged, or holds no shapefile.
    """
    suffix = path.suffix.lower()
    if suffix == ".shp":
        beside = {part.suffix.lower() for part in path.parent.iterdir() if part.stem == path.stem}
        missing = [part for part in NEEDED_PARTS if part not in beside]
        if missing:
            raise MissingPartError(path, missing)
    if suffix != ".zip":
        return str(path)
    names = check_archive(path, "ZIP")
    shapes = [PurePosixPath(name) for name in names if name.lower().endswith(".shp")]
    if not shapes:
        raise UnknownFormError(path, [".zip (.shp .shx .dbf .prj)"])
    for shape in shapes:
        beside = {
            PurePosixPath(n).suffix.lower()
            for n in names
            if PurePosixPath(n).with_suffix("") == shape.with_suffix("")
        }
        missing = [part for part in NEEDED_PARTS if part not in beside]
        if missing:
            raise MissingPartError(path, missing)
    folders = {str(shape.parent) for shape in shapes}
    inside = "" if folders == {"."} or len(folders) > 1 else f"/{folders.pop()}"
    return f"/vsizip/{path.resolve()}{inside}"


def kml_inside(path: Path) -> str:
    """Return the name of the KML that a KMZ stands for: `doc.kml`, else the first one.

    Raises
    ------
    ZipBombError, CorruptFileError, UnknownFormError
        the archive is unsafe, damaged, or holds no KML.
    """
    names = [name for name in check_archive(path, "KMZ") if name.lower().endswith(".kml")]
    if not names:
        raise UnknownFormError(path, [".kmz (doc.kml)"])
    return next((name for name in names if name.lower() == "doc.kml"), names[0])


@contextmanager
def opened_kml(path: Path) -> Iterator[Path]:
    """Give the path of a KML, for a KMZ that of a copy that is gone afterwards."""
    if path.suffix.lower() == ".kml":
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="jingwei-kmz-") as folder:
        copy = Path(folder) / "doc.kml"
        inside = kml_inside(path)
        with zipfile.ZipFile(path) as archive, archive.open(inside) as text, copy.open("wb") as file:
            shutil.copyfileobj(text, file)
        yield copy


def layer_names(path: Path) -> list[str]:
    """Return the layers of a vector file."""
    import pyogrio
    from pyogrio.errors import DataSourceError

    try:
        if path.suffix.lower() == ".kmz":
            with opened_kml(path) as text:
                return [str(name) for name, _ in pyogrio.list_layers(text)]
        return [str(name) for name, _ in pyogrio.list_layers(source_of(path))]
    except DataSourceError as error:
        raise CorruptFileError(path, path.suffix[1:].upper(), str(error)) from error


@contextmanager
def opened_part(path: Path, layer: str, suffix: str) -> Iterator[IO[bytes] | None]:
    """Open a shapefile's part, beside it or in the same archive; None without one."""
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive:
            inside = [PurePosixPath(name) for name in archive.namelist()]
            named = [part for part in inside if part.suffix.lower() == suffix and part.stem == layer]
            if not named:
                yield None
                return
            with archive.open(str(named[0])) as file:
                yield file
        return
    beside = [
        part for part in path.parent.iterdir() if part.stem == path.stem and part.suffix.lower() == suffix
    ]
    if not beside:
        yield None
        return
    with beside[0].open("rb") as file:
        yield file


def read_part(path: Path, layer: str, suffix: str, limit: int) -> bytes | None:
    """Return the first bytes of a shapefile's part; None without one."""
    with opened_part(path, layer, suffix) as file:
        return file.read(limit) if file else None


def undecodable_records(dbf: IO[bytes], encoding: str) -> npt.NDArray[np.int64]:
    """Return the 1-based numbers of a dBase table's records with a text that the encoding cannot read."""
    head = dbf.read(32)
    header, width = int.from_bytes(head[8:10], "little"), int.from_bytes(head[10:12], "little")
    fields = dbf.read(max(0, header - 32))
    if width == 0:
        return np.empty(0, dtype=np.int64)
    found: list[npt.NDArray[np.int64]] = []
    first = 1
    while chunk := dbf.read(width * (DBF_SAMPLE // width + 1)):
        count = len(chunk) // width
        records = np.frombuffer(chunk[: count * width], dtype=np.uint8).reshape(count, width)
        found += [first + _unread(records[:, start:stop], encoding) for start, stop in _text_fields(fields)]
        first += count
    return np.unique(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)


def _text_fields(descriptors: bytes) -> list[tuple[int, int]]:
    """Return where the character fields of a record lie, after its deletion flag."""
    places, start = [], 1
    for at in range(0, len(descriptors) - 31, 32):
        kind, length = descriptors[at + 11 : at + 12], descriptors[at + 16]
        if kind == b"C":
            places.append((start, start + length))
        start += length
    return places


def _unread(texts: npt.NDArray[np.uint8], encoding: str) -> npt.NDArray[np.int64]:
    lines = np.column_stack([texts, np.full(len(texts), ord("\n"), dtype=np.uint8)]).tobytes()
    if lines.isascii():
        return np.empty(0, dtype=np.int64)
    try:
        lines.decode(encoding)
    except UnicodeDecodeError:
        return np.array(
            [at for at, text in enumerate(texts) if not _reads(text.tobytes(), encoding)], dtype=np.int64
        )
    return np.empty(0, dtype=np.int64)


def _reads(text: bytes, encoding: str) -> bool:
    try:
        text.rstrip(b" \0").decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def dbf_texts(dbf: bytes) -> list[bytes]:
    """Return the records of the start of a dBase table as bytes, field names first.

    dBase III: record count at byte 4, header length at 8, record length at 10, field descriptors of 32 bytes
    from byte 32 with the name in the first 11.
    """
    if len(dbf) < 33:
        return []
    header, width = int.from_bytes(dbf[8:10], "little"), int.from_bytes(dbf[10:12], "little")
    names = [dbf[at : at + 11].split(b"\0")[0] for at in range(32, max(32, header - 1), 32)]
    if width == 0:
        return names
    return names + [dbf[at : at + width] for at in range(header, len(dbf) - width + 1, width)]


def _code_page(cpg: bytes | None) -> str | None:
    """Return the encoding that a .cpg names; code pages are written as bare numbers (936) or as names."""
    if not cpg:
        return None
    name = cpg.decode("ascii", errors="replace").strip().strip('"')
    return {"936": "gb18030", "950": "big5", "65001": "utf-8"}.get(name, name) or None


def _share_decoded(lines: list[bytes], encoding: str) -> float | None:
    """Return the share of lines above ASCII that an encoding reads; None where it is none."""
    telling = [line for line in lines if not line.isascii()]
    try:
        "".encode(encoding)
    except LookupError:
        return None
    if not telling:
        return 1.0
    return sum(_reads(line, encoding) for line in telling) / len(telling)

"""CSV and its kin: text of any encoding and delimiter, streamed in bounded memory, no line lost.

The file is looked through twice: once to see every value (types, widths, encodings), once to hand out the
rows. It is cut into blocks of whole records and each is parsed with Arrow; only a block that Arrow could
misread (stray quotes, lone carriage returns, undecodable bytes) is split record by record first. Where there
is a folder for it, the first look keeps what it parsed for the second.
"""

from __future__ import annotations

import codecs
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from jingwei.lake.forms.columns import Kind, kind_and_values, kind_of, unique_names
from jingwei.lake.forms.encodings import (
    UNREADABLE,
    WIDE,
    EncodingVerdict,
    find_encoding,
    read_back,
    show_unreadable,
    weigh_lines,
)
from jingwei.lake.forms.errors import (
    ChangedFileError,
    EmptyFileError,
    FormError,
    NotATableError,
    UnknownColumnError,
    UnreadableFileError,
)
from jingwei.lake.forms.reading import BATCH_ROWS, Batch, Evidence, Progress, Reading, RowFault, slices
from jingwei.lake.forms.side_by_side import ordered_map
from jingwei.lake.forms.spool import Parsed, Spool
from jingwei.lake.forms.text_table import (
    Header,
    find_delimiter,
    find_header,
    head_records,
    header_evidence,
    split_record,
    usual_width,
)
from jingwei.words import Text

BLOCK_BYTES = 4 * 2**20
COUNTED_BYTES = 2**17
"""Bytes whose line ends are counted at once: what is noted of them stays near the processor."""
LONGEST_RECORD = 32 * 2**20
LONGEST_QUOTED_LINES = 1_000
"""A quoted field that runs over more lines than this is taken for one whose closing quote is missing."""

WORTH_SPOOLING = 16 * 2**20
"""Bytes of a file from which on what was parsed is kept for the second look."""

HEAD_LINES = 200

NEWLINE, QUOTE, RETURN = 10, 34, 13

UTF8_LINE = re.compile(
    rb"^[\x00-\x09\x0b-\x7f]*(?:[\xe3-\xe9\xef][\x80-\xbf]{2}[\x00-\x09\x0b-\x7f]*){2,}$", re.MULTILINE
)
"""A line that is valid UTF-8 throughout and holds at least two Chinese or full-width characters."""


UNDECODABLE = "undecodable"
ENOUGH_UNREAD = 1_000


@dataclass(slots=True)
class Block:
    """Whole records as UTF-8 text that Arrow reads as written.

    `lines` holds the physical line on which each record starts where they do not simply follow one another
    from `first_line` on. `line_ends` is how many lines end in the text, where that was counted.
    """

    text: bytes
    first_line: int
    end: int
    quoted: bool = False
    lines: npt.NDArray[np.int64] | None = None
    faults: list[RowFault] = field(default_factory=list)
    line_ends: int | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """How the bytes of a file make a table."""

    encoding: str
    delimiter: str
    names: tuple[str, ...]
    header_line: int
    """Physical line of the header, 0 where there is none."""
    ends_with_return: bool = False
    """Lines end with a carriage return alone, as on the first Macintosh."""


@dataclass(slots=True)
class _Look:
    """What the first look saw of a block: its columns as texts, and read as what they are."""

    parsed: Parsed
    texts: pa.Table
    kinds: list[Kind]
    values: list[pa.Array]

    def as_known(self, kinds: list[Kind]) -> pa.Table:
        """Return the block with each column as the kind that all blocks so far agree on."""
        columns = [
            texts if kind is Kind.TEXT else pc.cast(values, kind.type)
            for texts, values, kind in zip(self.texts.columns, self.values, kinds, strict=True)
        ]
        return pa.Table.from_arrays(columns, self.texts.column_names)


class DelimitedReading(Reading):
    """A CSV, TSV or likewise delimited text file."""

    form = "csv"

    def __init__(
        self,
        path: Path,
        *,
        encoding: str | None = None,
        delimiter: str | None = None,
        header_row: int | None = None,
        columns_as_text: Iterable[str] = (),
        progress: Progress | None = None,
        spool: Path | None = None,
    ) -> None:
        super().__init__(path)
        self._size = path.stat().st_size
        self._folder = spool if self._size >= WORTH_SPOOLING else None
        self._spool: Spool | None = None
        verdict = find_encoding(path, asked=encoding)
        self.evidence.append(verdict.evidence)
        self._all_ascii = encoding is None and verdict.evidence.figures.get("lines") == 0
        self._shape = self._find_shape(verdict, delimiter, header_row)
        self._scan(list(columns_as_text), progress)

    def batches(self, size: int = BATCH_ROWS) -> Iterator[Batch]:
        """Yield the rows, each column cast to the type that all its values agree on."""
        return self._batches(size, last=False)

    def last_batches(self, size: int = BATCH_ROWS) -> Iterator[Batch]:
        """Yield the rows as `batches` does; what was parsed is deleted on the way."""
        return self._batches(size, last=True)

    def _batches(self, size: int, *, last: bool) -> Iterator[Batch]:
        try:
            for parsed in self._parsed(last=last):
                self._done = parsed.end / self._size
                columns = [pc.cast(parsed.table[at], kind) for at, kind in enumerate(self.schema.types)]
                table = pa.Table.from_arrays(columns, schema=self.schema)
                yield from slices(table, parsed.rows, parsed.faults, size)
        except pa.ArrowInvalid as error:
            raise ChangedFileError(self.path) from error
        except OSError as error:
            raise UnreadableFileError(self.path, error) from error

    def _parsed(self, *, last: bool) -> Iterator[Parsed]:
        if self._spool is not None and self._spool.is_whole:
            return self._spool.blocks(list(self._shape.names), last=last)
        return parse_file(self.path, self._shape)

    def glance(self) -> pa.RecordBatch | None:
        """Return every so many rows, where parsing kept what it read."""
        return None if self._spool is None else self._spool.glance(self.schema)

    def close(self) -> None:
        """Let go of what was parsed."""
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    def _find_shape(self, verdict: EncodingVerdict, delimiter: str | None, header_row: int | None) -> Shape:
        lines, ends_with_return = head_lines(self.path, verdict.name)
        if not any(line.strip() for line in lines):
            raise EmptyFileError(self.path)
        if delimiter is None:
            delimiter, evidence = find_delimiter(lines)
            self.evidence.append(evidence)
        records = list(head_records(lines, delimiter))
        header = self._find_header(records, header_row)
        self.evidence.append(header.evidence)
        names, changed = unique_names(header.names)
        if changed:
            self.evidence.append(renamed_evidence(changed))
        header_line = records[header.row][0] if header.row is not None else 0
        return Shape(verdict.name, delimiter, tuple(names), header_line, ends_with_return)

    def _find_header(self, records: list[tuple[int, list[str]]], header_row: int | None) -> Header:
        rows = [fields for _, fields in records]
        if header_row is None:
            header = find_header(rows, usual_width(rows))
            if header.row is None:
                return header
            line = records[header.row][0]
            return Header(header.row, header.names, header_evidence(line, rows[header.row]))
        stated = Evidence("header", str(header_row or "none"), Text("按指定", "as stated"))
        if header_row == 0:
            return Header(None, [""] * usual_width(rows), stated)
        for index, (line, fields) in enumerate(records):
            if line == header_row:
                return Header(index, fields, stated)
        raise NotATableError(
            self.path,
            Text(
                f"第 {header_row} 行不是记录的开头",
                f"no record starts at line {header_row}, which was named as its header",
            ),
        )

    def _scan(self, columns_as_text: list[str], progress: Progress | None) -> None:
        """Look at every value once, for the types of the columns and the number of rows."""
        names = list(self._shape.names)
        for column in columns_as_text:
            if column not in names:
                raise UnknownColumnError(self.path, column, names)
        kinds = [Kind.TEXT if name in columns_as_text else Kind.EMPTY for name in names]
        unread: list[bytes] = []
        total = 0

        def look(block: Block) -> _Look:
            parsed = parse_block(block, self._shape)
            texts = parsed.table.combine_chunks()
            read = [self._read(_chunk(texts, at), kind) for at, kind in enumerate(kinds)]
            return _Look(parsed, texts, [kind for kind, _ in read], [values for _, values in read])

        if self._folder is not None:
            self._spool = Spool(self._folder)
        for seen in ordered_map(look, cut_into_blocks(self.path, self._shape)):
            parsed = seen.parsed
            before = list(kinds)
            kinds[:] = [max(known, new) for known, new in zip(kinds, seen.kinds, strict=True)]
            if self._spool is not None and not self._keep(seen, before, kinds):
                self.close()
            total += len(parsed.rows) + len(parsed.faults)
            unread += [read_back(f.text) for f in parsed.faults if f.rule == UNDECODABLE][
                : ENOUGH_UNREAD - len(unread)
            ]
            if progress:
                progress(parsed.end / self._size)
        if self._spool is not None:
            self._spool.finish()
        self.total = total
        self.schema = pa.schema([pa.field(name, kind.type) for name, kind in zip(names, kinds, strict=True)])
        if unread and self._all_ascii:
            self._read_anew(unread, columns_as_text, progress)

    def _read(self, texts: pa.Array, kind: Kind) -> tuple[Kind, pa.Array]:
        """Return what texts are, and as that where they are kept for the second look."""
        return kind_and_values(texts, kind) if self._folder is not None else (kind_of(texts, kind), texts)

    def _keep(self, seen: _Look, before: list[Kind], kinds: list[Kind]) -> bool:
        """Keep a block for the second look; say whether all of them still hold what the file says."""
        assert self._spool is not None  # noqa: S101 -- asked for by the caller
        if any(old is Kind.DECIMAL and new is Kind.TEXT for old, new in zip(before, kinds, strict=True)):
            return False  # what was kept as fractions before cannot be told as it was written
        return self._spool.add(replace(seen.parsed, table=seen.as_known(kinds)))

    def _read_anew(self, unread: list[bytes], columns_as_text: list[str], progress: Progress | None) -> None:
        """Scan again by the encoding of the few lines that the samples missed: all others were ASCII."""
        self._all_ascii = False
        found = weigh_lines(unread)
        if found.name != self._shape.encoding:
            self.evidence = [found.evidence if e.about == "encoding" else e for e in self.evidence]
            self._shape = replace(self._shape, encoding=found.name)
            self.close()
            self._scan(columns_as_text, progress)


def _chunk(table: pa.Table, at: int) -> pa.Array:
    column = table[at]
    return column.chunk(0) if column.num_chunks else pa.array([], pa.string())


def renamed_evidence(changed: dict[str, str]) -> Evidence:
    """Say which columns were given a name because theirs was missing or repeated."""
    shown = "、".join(changed)
    return Evidence(
        "columns",
        "renamed",
        Text(
            f"无名或重名的列改称：{shown}",
            f"columns without a name or with a repeated one are called: {', '.join(changed)}",
        ),
        {"renamed": dict(changed)},
    )


def head_lines(path: Path, encoding: str) -> tuple[list[str], bool]:
    """Return the first physical lines of a file, and whether carriage returns alone end them."""
    with path.open("r", encoding=encoding, errors="jingwei-mark", newline="") as file:
        text = file.read(2**20).removeprefix("\ufeff")
    ends_with_return = "\n" not in text and "\r" in text
    lines = text.split("\r" if ends_with_return else "\n")
    if len(lines) > 1 and len(text) == 2**20:
        lines.pop()
    return [line.rstrip("\r") for line in lines[:HEAD_LINES]], ends_with_return


def parse_file(path: Path, shape: Shape) -> Iterator[Parsed]:
    """Yield the data rows of a file, block by block and in order, parsed by a few threads ahead."""

    def parse(block: Block) -> Parsed:
        return parse_block(block, shape)

    yield from ordered_map(parse, cut_into_blocks(path, shape))


def decoded_chunks(path: Path, shape: Shape) -> Iterator[tuple[bytes, bool, int]]:
    """Yield a file's text as UTF-8: `(text, holds undecodable bytes, offset in the file after it)`."""
    encoding = "utf-8" if shape.encoding == "utf-8-sig" else shape.encoding
    decoder = codecs.getincrementaldecoder(encoding)(errors="jingwei-mark")
    native = codecs.lookup(encoding).name == "utf-8"
    multibyte = encoding in ("gb18030", "gbk", "gb2312", "big5", "big5hkscs")
    held = bytearray(BLOCK_BYTES)  # the same memory for all that is read
    chunk = memoryview(held)
    with path.open("rb") as file:
        carry = b""
        while size := file.readinto(held):
            end = file.tell()
            if encoding in WIDE:
                text = _with_newlines(decoder.decode(bytes(chunk[:size])), shape)
                yield text.encode(errors="jingwei-surrogate"), UNREADABLE in text, end
                continue
            if shape.ends_with_return:
                chunk[:size] = held[:size].replace(b"\r", b"\n")
            cut = held.rfind(b"\n", 0, size) + 1
            lines = b"".join((carry, chunk[:cut])) if cut else b""
            carry = bytes(chunk[cut:size]) if cut else carry + chunk[:size]
            if len(carry) > LONGEST_RECORD:
                raise _endless_line(path)
            if lines:
                yield *_as_utf8(lines, encoding, native=native, multibyte=multibyte), end - len(carry)
        if encoding in WIDE:
            text = _with_newlines(decoder.decode(b"", final=True), shape)
            yield text.encode(errors="jingwei-surrogate"), UNREADABLE in text, file.tell()
        elif carry:
            yield *_as_utf8(carry, encoding, native=native, multibyte=multibyte), file.tell()


def _with_newlines(text: str, shape: Shape) -> str:
    return text.replace("\r", "\n") if shape.ends_with_return else text


def _surrogate_as_marked(error: UnicodeError) -> tuple[str, int]:
    """Error handler of `str.encode`: a lone surrogate of a UTF-16 file is an undecodable byte pair."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(
        f"{UNREADABLE}{ord(half) >> 8:02x}{UNREADABLE}{ord(half) & 255:02x}" for half in bad
    ), error.end


codecs.register_error("jingwei-surrogate", _surrogate_as_marked)


def _as_utf8(chunk: bytes, encoding: str, *, native: bool, multibyte: bool) -> tuple[bytes, bool]:
    """Return whole lines of a file as UTF-8, and whether some of them cannot be decoded."""
    if multibyte and not chunk.isascii():
        marked, count = UTF8_LINE.subn(_mark_line, chunk)
        if count:
            text = marked.decode(encoding, errors="jingwei-mark")
            return text.encode(), True
    if native and _is_utf8(chunk):
        return chunk, False
    try:
        text = chunk.decode(encoding)
    except UnicodeDecodeError:
        return chunk.decode(encoding, errors="jingwei-mark").encode(), True
    return (chunk if native else text.encode()), False


def _is_utf8(chunk: bytes) -> bool:
    """Say whether bytes are UTF-8, without making text of them."""
    ends = np.array([0, len(chunk)], np.int32)
    text = pa.StringArray.from_buffers(1, pa.py_buffer(ends), pa.py_buffer(chunk))
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _mark_line(match: re.Match[bytes]) -> bytes:
    """Make the first byte above 0x7F of a line of another encoding undecodable: 0xFF begins nothing."""
    line = match.group()
    first = next(at for at, byte in enumerate(line) if byte > 0x7F)
    return line[:first] + b"\xff" + line[first:]


def _endless_line(path: Path) -> FormError:
    size = LONGEST_RECORD // 2**20
    return NotATableError(path, Text(f"{size} MiB 之内没有换行", f"there is no line end within {size} MiB"))


def cut_into_blocks(path: Path, shape: Shape) -> Iterator[Block]:
    """Cut a file after its header into blocks of whole records that Arrow reads as written."""
    carry, line, unreadable = b"", 1, False
    skip = shape.header_line
    end = 0
    for text, marked, end in decoded_chunks(path, shape):
        text = _without_mark(text) if line == 1 and not carry else text
        carry, unreadable = carry + text, unreadable or marked
        if skip:
            carry, line, skip = _skip_lines(carry, line, skip)
            if skip:
                continue
        block, used = _cut(carry, line, end, shape, unreadable=unreadable, final=False)
        if len(carry) - used > LONGEST_RECORD:
            raise _endless_line(path)
        if used:
            block.line_ends = _line_ends(carry[:used])
            yield block
            line += block.line_ends
            carry, unreadable = carry[used:], unreadable and used < len(carry)
    if carry and not skip:
        yield _cut(carry, line, end, shape, unreadable=unreadable, final=True)[0]


def _without_mark(text: bytes) -> bytes:
    return text.removeprefix(codecs.BOM_UTF8)


def _skip_lines(text: bytes, line: int, until: int) -> tuple[bytes, int, int]:
    """Drop the physical lines up to and including the header's; the header itself may run over several."""
    while line <= until:
        cut = text.find(b"\n") + 1
        if not cut:
            return text, line, until
        while text[:cut].count(b'"') % 2 and line == until:
            further = text.find(b"\n", cut) + 1
            if not further:
                break
            cut, until, line = further, until + 1, line + 1
        text = text[cut:]
        line += 1
    return text, line, 0


def _cut(
    text: bytes, line: int, end: int, shape: Shape, *, unreadable: bool, final: bool
) -> tuple[Block, int]:
    """Return the whole records at the start of `text` as a block, and how many bytes of `text` they take."""
    clean = not unreadable and (b"\r" not in text or text.count(b"\r") == text.count(b"\r\n"))
    if clean and b'"' not in text:
        used = len(text) if final else text.rfind(b"\n") + 1
        return Block(text[:used], line, end), used
    if clean:
        used = _well_quoted(text, shape.delimiter, final=final)
        if used:
            return Block(text[:used], line, end, quoted=True), used
    return _split_carefully(text, line, end, shape, final=final)


def _well_quoted(text: bytes, delimiter: str, *, final: bool) -> int:
    """Return the length of the whole records of `text`, or 0 where a quote stands in an unexpected place.

    Where every opening quote follows a delimiter or line start and every closing quote precedes a delimiter
    or line end (RFC 4180), the quotes before a line end are even in number exactly if the record ends there.
    """
    data = np.frombuffer(text, dtype=np.uint8)
    quotes = np.flatnonzero(data == QUOTE)
    ends = np.flatnonzero(data == NEWLINE)
    before = np.searchsorted(quotes, ends)
    whole = ends[before % 2 == 0]
    used = len(text) if final and len(quotes) % 2 == 0 else (int(whole[-1]) + 1 if len(whole) else 0)
    quotes = quotes[: np.searchsorted(quotes, used)]
    if len(quotes) % 2:
        return 0
    padded = np.concatenate(([NEWLINE], data, [NEWLINE])).astype(np.uint8)
    opening, closing = padded[quotes[0::2]], padded[quotes[1::2] + 2]
    separators = np.array([ord(delimiter), NEWLINE, QUOTE], dtype=np.uint8)
    right_opening = np.isin(opening, separators).all()
    right_closing = np.isin(closing, np.append(separators, RETURN).astype(np.uint8)).all()
    return used if right_opening and right_closing else 0


def _split_carefully(text: bytes, line: int, end: int, shape: Shape, *, final: bool) -> tuple[Block, int]:
    """Split record by record: faults for what is no record, the others written as Arrow reads them.

    A line without quotes or anything odd in it is left as it is: Arrow sees whether its width is wrong.
    """
    lines = text.decode().split("\n")
    whole = len(lines) if final else len(lines) - 1
    with_quotes = [at for at in range(whole) if '"' in lines[at]]
    good: list[str] = []
    starts: list[int] = []
    faults: list[RowFault] = []
    at = 0
    while at < whole:
        shown = lines[at].removesuffix("\r")
        if '"' not in shown and UNREADABLE not in shown and "\r" not in shown:
            if shown:
                good.append(shown)
                starts.append(line + at)
            at += 1
            continue
        fields, span = _record_at(lines, at, whole, with_quotes, shape)
        if fields is None and span == 0 and not final:
            break
        if fields is None:
            faults.append(unclosed_quote(line + at, shown))
            span = 1
        elif any(UNREADABLE in cell for cell in fields):
            faults.append(undecodable(line + at, "\n".join(lines[at : at + span]), shape.encoding))
        elif len(fields) != len(shape.names):
            faults.append(wrong_width(line + at, shown, len(fields), len(shape.names)))
        else:
            good.append(shape.delimiter.join('"' + cell.replace('"', '""') + '"' for cell in fields))
            starts.append(line + at)
        at += span
    used = len(text) if at >= len(lines) else len("\n".join(lines[:at]).encode()) + (1 if at else 0)
    written = "".join(record + "\n" for record in good).encode()
    numbers = np.array(starts, dtype=np.int64)
    return Block(written, line, end, quoted=True, lines=numbers, faults=faults), min(used, len(text))


def _record_at(
    lines: list[str], at: int, whole: int, with_quotes: list[int], shape: Shape
) -> tuple[list[str] | None, int]:
    """Return the fields of the record at a line and its number of lines.

    Without fields, the record is open: to the end of what was read so far (0 lines) or without a closing
    quote that would make it a record of the right width (1 line).
    """
    fields = split_record(lines[at].removesuffix("\r"), shape.delimiter)
    if fields is not None:
        return fields, 1
    limit = min(whole, at + LONGEST_QUOTED_LINES)
    for stop in with_quotes[bisect_right(with_quotes, at) :]:
        if stop >= limit:
            break
        joined = "\n".join(part.removesuffix("\r") for part in lines[at : stop + 1])
        fields = split_record(joined, shape.delimiter)
        if fields is not None:
            whole_record = len(fields) == len(shape.names) and _is_strict(joined, shape.delimiter)
            return (fields, stop - at + 1) if whole_record else (None, 1)
    return None, (0 if limit == whole else 1)


def _is_strict(record: str, delimiter: str) -> bool:
    """Tell whether every quote of a record stands where RFC 4180 has it."""
    return _well_quoted(record.encode(), delimiter, final=True) > 0


def parse_block(block: Block, shape: Shape) -> Parsed:
    """Parse a block into columns of text, with the line of each row; rows of wrong width are faults."""
    invalid: list[pacsv.InvalidRow] = []

    def skip(row: pacsv.InvalidRow) -> str:
        invalid.append(row)
        return "skip"

    names = list(shape.names)
    if not block.text or block.text.isspace():
        table = pa.table({name: pa.array([], pa.string()) for name in names})
        return Parsed(table, np.empty(0, np.int64), block.faults, block.end)
    # Arrow drops a byte order mark at the start of what it reads; here it is part of a value.
    text = b"\n" + block.text if block.text.startswith(codecs.BOM_UTF8) else block.text
    table = pacsv.read_csv(
        pa.BufferReader(text),
        read_options=pacsv.ReadOptions(use_threads=False, block_size=len(text) + 1, column_names=names),
        parse_options=pacsv.ParseOptions(
            delimiter=shape.delimiter, newlines_in_values=block.quoted, invalid_row_handler=skip
        ),
        convert_options=pacsv.ConvertOptions(
            check_utf8=False,  # the text of a block was decoded, or written by Python
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
    starts = block.lines if block.lines is not None else _record_lines(block, table.num_rows + len(invalid))
    bad = np.array([row.number - 1 for row in invalid], dtype=np.int64)
    faults = [
        wrong_width(int(starts[row.number - 1]), row.text, row.actual_columns, len(names)) for row in invalid
    ]
    ordered = sorted([*block.faults, *faults], key=lambda fault: fault.row)
    return Parsed(table, np.delete(starts, bad), ordered, block.end)


def _record_lines(block: Block, records: int) -> npt.NDArray[np.int64]:
    """Return the physical line on which each record starts; blank lines are no records."""
    counted = _line_ends(block.text) if block.line_ends is None else block.line_ends
    count = counted + (0 if block.text.endswith(b"\n") else 1)
    if count == records:
        return np.arange(block.first_line, block.first_line + records, dtype=np.int64)
    data = np.frombuffer(block.text, dtype=np.uint8)
    ends = np.flatnonzero(data == NEWLINE)
    if not block.text.endswith(b"\n"):
        ends = np.append(ends, len(data))
    starts = np.concatenate(([0], ends[:-1] + 1))
    inside = np.searchsorted(np.flatnonzero(data == QUOTE), starts) % 2 == 1
    length = ends - starts
    blank = ~inside & ((length == 0) | ((length == 1) & (data[np.minimum(starts, len(data) - 1)] == RETURN)))
    return block.first_line + np.flatnonzero(~inside & ~blank).astype(np.int64)


def _line_ends(text: bytes) -> int:
    data = np.frombuffer(text, dtype=np.uint8)
    pieces = (data[begin : begin + COUNTED_BYTES] for begin in range(0, len(data), COUNTED_BYTES))
    return sum(int(np.count_nonzero(piece == NEWLINE)) for piece in pieces)


def wrong_width(row: int, text: str, actual: int, expected: int) -> RowFault:
    """A record with more or fewer fields than the table has columns."""
    reason = Text(
        f"该行有 {actual} 个字段，应为 {expected} 个", f"the row has {actual} fields instead of {expected}"
    )
    return RowFault(row, "wrong-width", reason, text.rstrip("\r\n"))


def undecodable(row: int, text: str, encoding: str) -> RowFault:
    """A record with bytes that the encoding does not know."""
    reason = Text(f"含有 {encoding} 无法解码的字节", f"it holds bytes that {encoding} cannot decode")
    return RowFault(row, UNDECODABLE, reason, show_unreadable(text))


def unclosed_quote(row: int, text: str) -> RowFault:
    """A record whose quoted field does not end."""
    reason = Text("引号没有闭合", "a quoted field does not end")
    return RowFault(row, "unclosed-quote", reason, show_unreadable(text))

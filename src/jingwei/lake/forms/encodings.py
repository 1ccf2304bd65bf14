"""Which characters the bytes of a text file mean."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from jingwei.lake.forms.errors import WrongEncodingError
from jingwei.lake.forms.reading import Evidence
from jingwei.words import Text

BYTE_ORDER_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"\x84\x31\x95\x33", "gb18030"),
)

WIDE = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
"""Encodings in which a byte 0x0A is not always a line end."""

LEGACY = ("gb18030", "big5", "shift_jis", "euc_kr", "cp1252")
"""What a file that is not Unicode is tried as, the likeliest of a Chinese bureau first."""

SAMPLE_WINDOW = 2**18
SAMPLE_WINDOWS = 16
TELLING_LINES = 2_000

UNREADABLE = "\ufdd0"
"""A noncharacter (Unicode 3.1) that stands before the two hexadecimal digits of an undecodable byte."""


@dataclass(frozen=True, slots=True)
class EncodingVerdict:
    """The encoding to read by; `fitting` are all that decode (nearly) every sampled line."""

    name: str
    fitting: list[str]
    evidence: Evidence


def mark_unreadable(error: UnicodeError) -> tuple[str, int]:
    """Keep an undecodable byte visible as `UNREADABLE` and its hex digits (handler of `bytes.decode`)."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(f"{UNREADABLE}{byte:02x}" for byte in bad), error.end


codecs.register_error("jingwei-mark", mark_unreadable)


def show_unreadable(text: str) -> str:
    r"""Return `text` with undecodable bytes shown as `\xNN`."""
    return text.replace(UNREADABLE, "\\x")


def read_back(shown: str) -> bytes:
    """Return the bytes of a text of `show_unreadable` that was ASCII but for its undecodable bytes."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes.fromhex(match[1].decode()), shown.encode())


def find_encoding(path: Path, *, asked: str | None = None) -> EncodingVerdict:
    """Find the encoding of a text file from its byte order mark, else from samples throughout it.

    Parameters
    ----------
    path
        the file.
    asked
        an encoding that somebody has stated; it is checked, not overruled.

    Raises
    ------
    WrongEncodingError
        `asked` is no encoding, or most of the sampled lines cannot be decoded by it.
    """
    with path.open("rb") as file:
        head = file.read(4)
        samples = _sample(file, path.stat().st_size)
    marked = next((name for mark, name in BYTE_ORDER_MARKS if head.startswith(mark)), None)
    if asked is not None:
        return _check_asked(path, asked, marked, samples)
    if marked:
        reason = Text(
            f"文件以 {marked} 的字节顺序标记开头", f"the file begins with the byte order mark of {marked}"
        )
        return EncodingVerdict(marked, [marked], Evidence("encoding", marked, reason, {"bom": True}))
    wide = _wide_without_mark(samples)
    if wide:
        reason = Text("每隔一个字节为零", "every other byte is zero")
        return EncodingVerdict(wide, [wide], Evidence("encoding", wide, reason, {}))
    return _weigh(samples)


def _sample(file: BinaryIO, size: int) -> bytes:
    """Read windows spread over the whole file, each but the first begun and ended at a line end."""
    if size <= SAMPLE_WINDOW * SAMPLE_WINDOWS:
        file.seek(0)
        return file.read()
    parts = []
    step = (size - SAMPLE_WINDOW) // (SAMPLE_WINDOWS - 1)
    for number in range(SAMPLE_WINDOWS):
        file.seek(number * step)
        window = file.read(SAMPLE_WINDOW)
        start = window.find(b"\n") + 1 if number else 0
        parts.append(window[start : window.rfind(b"\n") + 1] or window)
    return b"".join(parts)


def _wide_without_mark(sample: bytes) -> str | None:
    """Tell UTF-16 without a mark by its zero bytes: ASCII characters have one each, other encodings none."""
    pairs = len(sample) // 2
    if pairs < 2:
        return None
    zeros_even, zeros_odd = sample[0::2].count(0), sample[1::2].count(0)
    if zeros_odd > max(3, 0.2 * pairs) and zeros_even < 0.01 * pairs:
        return "utf-16-le"
    if zeros_even > max(3, 0.2 * pairs) and zeros_odd < 0.01 * pairs:
        return "utf-16-be"
    return None


def _check_asked(path: Path, asked: str, marked: str | None, sample: bytes) -> EncodingVerdict:
    try:
        name = codecs.lookup(asked).name
        "".encode(name)
    except (LookupError, TypeError) as error:
        raise WrongEncodingError(path, asked, [], known=False) from error
    found = EncodingVerdict(marked, [marked], _NOTHING) if marked else _weigh(sample)
    if name == "utf-8" and marked == "utf-8-sig":
        name = "utf-8-sig"
    if name.startswith("utf-16") and marked != "utf-16":
        name = "utf-16-le" if name == "utf-16" else name
    share = _share_of_lines_decoded(sample, name)
    if share < 0.5:
        raise WrongEncodingError(path, asked, found.fitting)
    reason = Text("按指定", "as stated")
    figures = {"share_of_lines_decoded": round(share, 4)}
    return EncodingVerdict(name, found.fitting, Evidence("encoding", name, reason, dict(figures)))


_NOTHING = Evidence("encoding", "", Text("", ""))


def _share_of_lines_decoded(sample: bytes, name: str) -> float:
    """Return the share of lines with a byte above 0x7F that decode strictly; 1 where there is none."""
    if name in WIDE:
        text = sample.decode(name, errors="replace")
        return 1.0 - min(1.0, 100 * text.count("\ufffd") / max(1, len(text)))
    lines = _telling_lines(sample)
    if not lines:
        return 1.0
    return sum(_decodes(line, name) for line in lines) / len(lines)


def _telling_lines(sample: bytes) -> list[bytes]:
    """Return lines that are not ASCII, at most `TELLING_LINES` of them, spread evenly over the sample."""
    lines = [line for line in sample.split(b"\n") if not line.isascii()]
    return lines[:: len(lines) // TELLING_LINES + 1]


def _decodes(line: bytes, name: str) -> bool:
    try:
        line.decode(name)
    except UnicodeDecodeError:
        return False
    return True


def _weigh(sample: bytes) -> EncodingVerdict:
    return weigh_lines(_telling_lines(sample))


def weigh_lines(given: list[bytes]) -> EncodingVerdict:
    """Choose among UTF-8 and the legacy encodings by what each makes of the lines that are not ASCII."""
    lines = [line for line in given if not line.isascii()]
    lines = lines[:: len(lines) // TELLING_LINES + 1]
    if not lines:
        reason = Text("抽样内容只有 ASCII 字符", "the samples are all ASCII")
        return EncodingVerdict("utf-8", ["utf-8"], Evidence("encoding", "utf-8", reason, {"lines": 0}))
    utf8 = sum(_decodes(line, "utf-8") for line in lines) / len(lines)
    if utf8 >= 0.5:
        reason = Text(
            f"{utf8:.1%} 的非 ASCII 行是合法的 UTF-8，其他编码的文字几乎不可能如此",
            f"{utf8:.1%} of the lines that are not ASCII are valid UTF-8; other text hardly ever is",
        )
        figures = {"lines": len(lines), "utf-8": round(utf8, 4)}
        return EncodingVerdict("utf-8", ["utf-8"], Evidence("encoding", "utf-8", reason, dict(figures)))
    scores = {name: _plausibility(lines, name) for name in LEGACY}
    best = max(LEGACY, key=lambda name: scores[name])
    fitting = [name for name in LEGACY if scores[name] >= 0.8]
    reason = Text(
        f"不是 UTF-8；按 {best} 解码后 {scores[best]:.0%} 的文字是常用字",
        f"it is not UTF-8; read as {best}, {scores[best]:.0%} of its characters are common ones",
    )
    figures = {"lines": len(lines), "utf-8": round(utf8, 4), **{k: round(v, 4) for k, v in scores.items()}}
    return EncodingVerdict(best, fitting or [best], Evidence("encoding", best, reason, dict(figures)))


def _plausibility(lines: list[bytes], name: str) -> float:
    """Return the share of lines that decode times the share of their characters that are in common use."""
    decoded = [line.decode(name) for line in lines if _decodes(line, name)]
    text = "".join(decoded)
    foreign = [character for character in text if ord(character) > 0x7F]
    if not foreign:
        return 0.0
    common = sum(is_common(character, name) for character in foreign)
    return (len(decoded) / len(lines)) * (common / len(foreign))


def is_common(character: str, name: str) -> bool:
    """Tell whether a character is one that ordinary text of the encoding consists of.

    GB 2312-80 and Big5 both order their characters by use: level 1 holds the common ones (rows 16 to 55 of
    GB 2312; 0xA440 to 0xC67E of Big5). Full-width forms and punctuation lie in rows before them.
    """
    code = character.encode(name)
    if name == "gb18030":
        return len(code) == 2 and code[1] >= 0xA1 and (0xB0 <= code[0] <= 0xD7 or code[0] in (0xA1, 0xA3))
    if name == "big5":
        return len(code) == 2 and 0xA1 <= code[0] <= 0xC6
    if name == "shift_jis":
        return "\u3040" <= character <= "\u30ff" or (len(code) == 2 and 0x88 <= code[0] <= 0x97)
    if name == "euc_kr":
        return "\uac00" <= character <= "\ud7a3"
    return re.fullmatch(r"[à-öø-ÿÀ-ÖØ-Þ°²³µ–—‘’“”]", character) is not None

"""Columns as they come (Python, NumPy, Arrow, pandas, Polars) to plain NumPy arrays and a mask of nulls."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from jingwei.grid.errors import GridError, MalformedCode, MalformedCoordinate

Bools: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.uint64]
Stored: TypeAlias = NDArray[np.int64]
Errors = Literal["raise", "mask"]


def is_scalar(value: object) -> bool:
    """Say whether a value is one number or text and not a column of them."""
    return isinstance(value, str | bytes | Decimal | Fraction | int | float | np.generic) or not (
        hasattr(value, "__len__") or hasattr(value, "__array__") or hasattr(value, "__arrow_c_array__")
    )


def check_errors(errors: str) -> bool:
    """Return True for `errors="mask"` and False for `"raise"`."""
    if errors not in ("raise", "mask"):
        raise ValueError(f"errors is 'raise' or 'mask', not {errors!r}")
    return errors == "mask"


def _library(value: object) -> str:
    return type(value).__module__.partition(".")[0]


def _arrow(value: Any) -> Any:
    """Return a pyarrow array of a pyarrow or Polars column."""
    column = value.to_arrow() if _library(value) == "polars" else value
    if hasattr(column, "combine_chunks"):
        column = column.combine_chunks()
    if hasattr(column, "dictionary_decode") and hasattr(column, "indices"):
        column = column.dictionary_decode()
    return column


def floats_of(column: Any, what: str) -> tuple[Floats, Bools | None]:
    """Return a column of numbers as float64, and which of them are null (None where none can be).

    Raises
    ------
    MalformedCoordinate
        The column does not hold numbers.
    """
    if isinstance(column, np.ma.MaskedArray):
        return np.ma.getdata(column).astype(np.float64), np.ma.getmaskarray(column)
    if _library(column) in ("pyarrow", "polars"):
        array = _arrow(column)
        nulls = np.asarray(array.is_null()) if array.null_count else None
        filled = array.fill_null(0) if array.null_count else array
        return _as_floats(filled.to_numpy(zero_copy_only=False), what), nulls
    if _library(column) == "pandas" and column.dtype != np.float64:
        nulls = np.asarray(column.isna(), dtype=bool)
        return _as_floats(
            column.to_numpy(dtype=object, na_value=0) if nulls.any() else column.to_numpy(), what
        ), (nulls if nulls.any() else None)
    array = np.asarray(column)
    if array.dtype.kind == "O":
        missing = np.array([value is None for value in array.flat], dtype=bool).reshape(array.shape)
        if missing.any():
            return _as_floats(np.where(missing, 0.0, array), what), missing
    return _as_floats(array, what), None


def _as_floats(array: NDArray[Any], what: str) -> Floats:
    if array.dtype.kind in "fiu":
        return np.ascontiguousarray(array, dtype=np.float64)
    try:
        if array.dtype.kind == "O" and all(
            isinstance(v, int | float) and not isinstance(v, bool) for v in array.flat
        ):
            return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        pass
    raise MalformedCoordinate(f"the {what} column holds {array.dtype}, not numbers")


def is_exact(column: Any) -> bool:
    """Say whether a column holds texts, Decimals or Fractions, whose values take the exact path."""
    if _library(column) in ("pyarrow", "polars"):
        kind = str(_arrow(column).type)
        return kind.startswith(("decimal", "string", "large_string", "utf8"))
    array = np.asarray(column)
    return array.dtype.kind in "UST" or (
        array.dtype.kind == "O" and any(isinstance(v, str | Decimal | Fraction) for v in array.flat)
    )


def objects_of(column: Any) -> tuple[list[Any], tuple[int, ...]]:
    """Return the elements of a column as Python objects, None for nulls, and the shape of the column."""
    if _library(column) in ("pyarrow", "polars"):
        found = list(_arrow(column).to_pylist())
        return found, (len(found),)
    array = np.asarray(column)
    return list(array.ravel().tolist()), array.shape


def codes_of(column: Any) -> tuple[Codes, Bools | None, np.dtype[Any]]:
    """Return a column of codes in either form as unsigned, its nulls, and the dtype it came in.

    Raises
    ------
    MalformedCode
        The column holds floats (which cannot hold 64-bit codes) or anything else that is no whole number.
    """
    nulls: Bools | None = None
    if isinstance(column, np.ma.MaskedArray):
        array, nulls = np.ma.getdata(column), np.ma.getmaskarray(column)
    elif _library(column) in ("pyarrow", "polars"):
        arrow = _arrow(column)
        nulls = np.asarray(arrow.is_null()) if arrow.null_count else None
        array = (arrow.fill_null(0) if arrow.null_count else arrow).to_numpy(zero_copy_only=False)
    elif _library(column) == "pandas" and not isinstance(column.dtype, np.dtype):
        missing = np.asarray(column.isna(), dtype=bool)
        nulls = missing if missing.any() else None
        array = column.fillna(0).to_numpy()
    else:
        # A list of numbers on both sides of 2**63 would become floats.
        array = np.asarray(column, dtype=object if isinstance(column, list | tuple) else None)
    if array.dtype.kind == "O":
        array, nulls = _whole_numbers(array, nulls)
    if array.dtype.kind not in "iu":
        if array.size == 0:
            return np.empty(array.shape, np.uint64), nulls, np.dtype(np.uint64)
        raise MalformedCode(f"codes are 64-bit integers; this column holds {array.dtype}")
    dtype = np.dtype(np.int64) if array.dtype.kind == "i" else np.dtype(np.uint64)
    wide = np.ascontiguousarray(array, dtype=dtype)
    return wide.view(np.uint64), nulls, dtype


def _whole_numbers(array: NDArray[Any], nulls: Bools | None) -> tuple[NDArray[Any], Bools | None]:
    """Return Python numbers as unsigned codes, with which of them are None; as they are if some are neither.

    Raises
    ------
    MalformedCode
        At a number that does not fit into 64 bits.
    """
    missing = np.array([value is None for value in array.flat], dtype=bool).reshape(array.shape)
    values = [0 if none else value for value, none in zip(array.flat, missing.flat, strict=True)]
    if any(isinstance(value, bool | np.bool_) or not hasattr(value, "__index__") for value in values):
        return array, nulls
    for i, value in enumerate(values):
        if not -(1 << 63) <= value < 1 << 64:
            raise MalformedCode(f"{value} does not fit into 64 bits", position=i)
    whole = np.array([int(value) & ((1 << 64) - 1) for value in values], dtype=np.uint64).reshape(array.shape)
    if nulls is not None:
        missing |= nulls
    return whole, missing if missing.any() else None


def some_codes(column: Any) -> Codes:
    """Return a column of codes without nulls as unsigned.

    Raises
    ------
    MalformedCode
        As `codes_of`, or at the first null, which no code can stand for.
    """
    codes, nulls, _ = codes_of(column)
    if nulls is not None and nulls.any():
        raise MalformedCode("the code is null", position=int(np.flatnonzero(nulls)[0]))
    return codes


def texts_of(column: Any, *, lower_case: bool = False) -> tuple[NDArray[np.bytes_], Bools | None]:
    """Return a column of texts as fixed-width ASCII bytes, in capitals if asked, and which are null."""
    nulls: Bools | None = None
    if _library(column) in ("pyarrow", "polars"):
        array = np.asarray(_arrow(column).to_pylist(), dtype=object)
    else:
        array = np.asarray(column)
    if array.dtype.kind == "O":
        missing = np.array([not isinstance(v, str | bytes) for v in array.flat], dtype=bool).reshape(
            array.shape
        )
        nulls = missing if missing.any() else None
        array = np.array(
            ["" if m else v for v, m in zip(array.flat, missing.flat, strict=True)], dtype=str
        ).reshape(missing.shape)
    if array.dtype.kind in "UT":
        array = np.char.encode(np.strings.strip(array.astype(str)), "ascii", "replace")
    if array.dtype.kind != "S":
        raise MalformedCode(f"codes are texts; this column holds {array.dtype}")
    return np.ascontiguousarray(np.strings.upper(array) if lower_case else array), nulls


def single(function: Callable[[], Any], errors: Errors, none: tuple[Any, ...]) -> Any:
    """Return what a function says of one value; with `errors="mask"` also whether it refused.

    `none` stands for the values where it did.
    """
    masking = check_errors(errors)
    try:
        value = function()
    except GridError:
        if not masking:
            raise
        return *none, True
    if not masking:
        return value
    return (*value, False) if isinstance(value, tuple) else (value, False)


def one_by_one(
    function: Callable[..., Any], columns: tuple[Any, ...], out: Callable[[int], NDArray[Any]], errors: Errors
) -> Any:
    """Return an array of what a function says of each row of columns of exact values.

    Raises
    ------
    MalformedCoordinate
        The columns differ in shape.
    GridError
        Of the first bad row, with its index.
    """
    masking = check_errors(errors)
    (objects, shape), *others = map(objects_of, columns)
    for _, other in others:
        if other != shape:
            raise MalformedCoordinate(f"the columns have the shapes {shape} and {other}")
    values, bad = out(len(objects)), np.zeros(len(objects), dtype=bool)
    for i, row in enumerate(zip(objects, *(column for column, _ in others), strict=True)):
        try:
            values[i] = function(*row)
        except GridError as error:
            if not masking:
                raise type(error)(error.reason, position=i) from error
            bad[i] = True
    return (values.reshape(shape), bad.reshape(shape)) if masking else values.reshape(shape)


def answer(values: NDArray[Any], bad: Bools | None, errors: Errors, error: Callable[[int], GridError]) -> Any:
    """Return `values`, or `(values, bad)` with `errors="mask"`; else raise for the first bad one."""
    if check_errors(errors):
        return values, (np.zeros(values.shape, dtype=bool) if bad is None else bad)
    if bad is not None and bad.any():
        raise error(int(np.flatnonzero(bad)[0]))
    return values

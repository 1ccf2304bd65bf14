"""What can be wrong with a coordinate, a level or a code: one error each, with the place and the reason."""

from __future__ import annotations

from typing import ClassVar


class GridError(ValueError):
    """The root of the grid's errors.

    Attributes
    ----------
    code : str
        Stable name of the kind of fault, for programs.
    position : int or None
        Index of the offending character in a text, or of the first offending element in an array.
    reason : str
        What is wrong there, for people.
    text : str
        The text that was read, or the empty string.
    """

    code: ClassVar[str] = "grid"

    def __init__(self, reason: str, *, position: int | None = None, text: str = "") -> None:
        self.reason = reason
        self.position = position
        self.text = text
        where = (
            ""
            if position is None
            else (f" (character {position} of {text!r})" if text else f" (element {position})")
        )
        super().__init__(reason + where)

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.reason, self.position, self.text))


def _rebuild(kind: type[GridError], reason: str, position: int | None, text: str) -> GridError:
    return kind(reason, position=position, text=text)


class MalformedCode(GridError):  # noqa: N818 - named for the fault, as those below
    """A text or number is no code of the grid."""

    code = "grid-malformed-code"


class MalformedCoordinate(GridError):  # noqa: N818
    """A longitude, latitude or height cannot be read as a number, or is not finite."""

    code = "grid-malformed-coordinate"


class OutOfRange(GridError):  # noqa: N818
    """A longitude is beyond 180 degrees, a latitude beyond 90, or a height beyond the grid's layers."""

    code = "grid-out-of-range"


class LevelError(GridError):
    """The level does not exist in this grid, or does not fit what was asked."""

    code = "grid-level"


class PolarUnsupported(GridError):  # noqa: N818 - the name promised in the guide
    """The standards do not define cells this fine at 88 degrees of latitude and beyond."""

    code = "grid-polar-unsupported"


class NoTwin(GridError):  # noqa: N818
    """The cell of one standard has no equal in the other."""

    code = "grid-no-twin"

"""Errors for the person who meets them: what was wrong, where, and how to mend it."""

from __future__ import annotations

from typing import Any, ClassVar

from jingwei.words import Text


class JingweiError(Exception):
    """The root of all errors that a person may be shown.

    A subclass gives its stable `code` (used by the API and the command line), its HTTP `status`, and
    builds its own message. `where` names the place of the fault (`file`, `row`, `field` ...).
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400

    def __init__(self, what: Text, *, mend: Text | None = None, where: dict[str, Any] | None = None) -> None:
        super().__init__(what.en or what.zh)
        self.what = what
        self.mend = mend
        self.where = where or {}

    def __str__(self) -> str:
        return f"{self.what} {self.mend}" if self.mend else str(self.what)


class NotFoundError(JingweiError):
    """What was asked for does not exist, or the asker may not know that it does."""

    code = "not-found"
    status = 404


class BadRequestError(JingweiError):
    """The question itself is malformed."""

    code = "bad-request"
    status = 400


class ConflictError(JingweiError):
    """Somebody else changed the same thing, or it is in a state that does not allow this."""

    code = "conflict"
    status = 409

"""The gate: on whose behalf a request asks. By session, by token, or, in open mode, as anyone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jingwei.access import Asker, asker_of_person, local_person, signing_in
from jingwei.access.errors import NotSignedInError
from jingwei.errors import NotFoundError

if TYPE_CHECKING:
    from starlette.requests import Request

    from jingwei.records import Records

BEARER = "bearer "


@dataclass(frozen=True, slots=True)
class Entry:
    """How people come in.

    Attributes
    ----------
    open
        Without sign-in, at this machine only: one may act as any person of the city.
    secure
        Whether browsers reach the city by HTTPS, here or at a proxy: cookies travel by nothing else.

    """

    open: bool = False
    secure: bool = False


OPEN = Entry(open=True)


class Gate:
    """Decides who asks, for every request anew: what was revoked is gone with the next answer."""

    def __init__(self, records: Records, entry: Entry) -> None:
        self.records = records
        self.entry = entry
        # Only HTTPS gives a cookie the prefix by which no other host of the domain can set it (RFC 6265bis).
        self.session_cookie = "__Host-jingwei" if entry.secure else "jingwei"
        self.acting_cookie = "jingwei-acting-as"
        self._is_set_up = entry.open

    def asker_of(self, request: Request, *, touch: bool = True) -> Asker:
        """Return on whose behalf a request asks.

        `touch` counts it as a sign of life; what goes on by itself, such as a stream, must not.

        Raises
        ------
        NotSetUpError
            Before the administrator has set a password.
        NotSignedInError
            Where nobody is signed in, or no longer.

        """
        self.check_set_up()
        if self.entry.open:
            return self._acting(request.cookies.get(self.acting_cookie))
        header = request.headers.get("authorization", "")
        if header[: len(BEARER)].lower() == BEARER:
            asker, actions = signing_in.asker_of_token(
                self.records, header[len(BEARER) :].strip(), touch=touch
            )
            return replace(asker, only=actions)
        token = request.cookies.get(self.session_cookie)
        if token is None:
            raise NotSignedInError
        return signing_in.asker_of_session(self.records, token, touch=touch)

    def check_set_up(self) -> None:
        """Raise unless the administrator has set a password: until then nothing else works."""
        if not self._is_set_up:
            with self.records.read() as session:
                signing_in.check_set_up(session)
            self._is_set_up = True

    def _acting(self, person: str | None) -> Asker:
        """Return the person as whom one acts in open mode; the one at this machine if that is nobody."""
        if person:
            try:
                with self.records.read() as session:
                    return asker_of_person(session, person)
            except NotFoundError:  # a cookie from another city of this machine
                pass
        return local_person()

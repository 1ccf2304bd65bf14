"""The gate: on whose behalf a request asks. By session, by token, or, in open mode, as anyone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jingwei.access import Asker, asker_of_person, local_person, sessions, signing_in, tokens
from jingwei.access.counting import SharedCounts
from jingwei.access.errors import NotSignedInError
from jingwei.access.vault import KEY_FILE, Vault
from jingwei.errors import NotFoundError
from jingwei.ledger.keys import settled
from jingwei.web.quotas import PER_MINUTE
from jingwei.web.rates import Rates, address_of

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

    from jingwei.city import City
    from jingwei.city.settings import OidcSettings
    from jingwei.web.oidc import Provider

BEARER = "bearer "
ACTING = "jingwei-acting-as"
CALLBACK = "/api/session/oidc/callback"
"""Where an OpenID provider sends the browser back to."""
CITIZENS_CALLBACK = "/api/public/account/oidc/callback"
"""Where the provider of citizens does."""
STATE_LASTS = 600
"""Seconds within which it must have come back."""


@dataclass(frozen=True, slots=True)
class Entry:
    """How people come in.

    Attributes
    ----------
    open
        Without sign-in, at this machine only: one may act as any person of the city.
    secure
        Whether browsers reach the city by HTTPS, here or at a proxy: cookies travel by nothing else.
    address
        The address under which people reach the city, such as `https://city.example`.
    provider
        Who else may vouch for people.
    citizens
        Behind whose accounts citizens may gather their reports.
    vault_key
        The file with the key that seals secrets; beside the log's key by default.
    readings_per_minute
        How many readings one token may send.

    """

    open: bool = False
    secure: bool = False
    address: str | None = None
    provider: OidcSettings | None = None
    citizens: OidcSettings | None = None
    vault_key: Path | None = None
    readings_per_minute: int = PER_MINUTE


OPEN = Entry(open=True)


class Gate:
    """Decides who asks, for every request anew: what was revoked is gone with the next answer."""

    def __init__(self, city: City, entry: Entry) -> None:
        self.records = city.records
        self.entry = entry
        self.vault = Vault.open(entry.vault_key or settled(city.home, KEY_FILE))
        self.rates = Rates(SharedCounts(city.records, self.vault.digest))
        self.provider = self._provider(entry.provider, CALLBACK)
        self.citizens = self._provider(entry.citizens, CITIZENS_CALLBACK)
        # Only HTTPS gives a cookie the prefix by which no other host of the domain can set it (RFC 6265bis).
        self.cookie_prefix = "__Host-" if entry.secure else ""
        self._session_cookie = f"{self.cookie_prefix}jingwei"
        self._is_set_up = entry.open

    def _provider(self, settings: OidcSettings | None, callback: str) -> Provider | None:
        if settings is None or self.entry.address is None:
            return None
        from jingwei.web.oidc import Provider  # brings a client of HTTP, which few cities need

        return Provider(settings, self.entry.address, self.vault, callback)

    def asker_of(self, request: Request, *, touch: bool = True) -> Asker:
        """Return on whose behalf a request asks.

        `touch` counts it as a sign of life; what goes on by itself, such as a stream, must not.

        Raises
        ------
        NotSetUpError
            Before the administrator has set a password.
        NotSignedInError
            Where nobody is signed in, or no longer.
        TooOftenError
            Where a person, or strangers from one address, ask too often.

        """
        self.check_set_up()
        if self.entry.open:
            return self._acting(request.cookies.get(ACTING))
        try:
            asker = self._known(request, touch=touch)
        except NotSignedInError:
            self.count_stranger(request)
            raise
        self.rates.count("asking by person", asker.id)
        return asker

    def asker_without_asking(self, request: Request) -> Asker | None:
        """Return who asks where that needs no look into the record store, else `None`."""
        return local_person() if self.entry.open and not request.cookies.get(ACTING) else None

    def check_set_up(self) -> None:
        """Raise unless the administrator has set a password: until then nothing else works."""
        if not self._is_set_up:
            with self.records.read() as session:
                signing_in.check_set_up(session)
            self._is_set_up = True

    def count_stranger(self, request: Request) -> None:
        """Count a request of which it is not known who asks."""
        if not self.entry.open:
            self.rates.count("strangers by address", address_of(request))

    def session_of(self, request: Request) -> str | None:
        """Return the token of the session that a browser shows."""
        return None if self.entry.open else request.cookies.get(self._session_cookie)

    def let_in(self, response: Response, token: str) -> None:
        """Give a browser its session. It ends with the browser, or before."""
        response.set_cookie(
            self._session_cookie, token, httponly=True, secure=self.entry.secure, samesite="strict"
        )

    def let_out(self, response: Response) -> None:
        """Take from a browser its session, and the person as whom it acted."""
        response.delete_cookie(
            self._session_cookie, httponly=True, secure=self.entry.secure, samesite="strict"
        )

    def act_as(self, response: Response, person: str | None) -> None:
        """Let a browser act as a person, in open mode; as the one at this machine where that is `None`."""
        if person is None:
            response.delete_cookie(ACTING, httponly=True, samesite="strict")
        else:
            response.set_cookie(ACTING, person, httponly=True, samesite="strict")

    def _known(self, request: Request, *, touch: bool) -> Asker:
        header = request.headers.get("authorization", "")
        if header[: len(BEARER)].lower() == BEARER:
            return tokens.asker_of_token(self.records, header[len(BEARER) :].strip(), touch=touch)
        token = self.session_of(request)
        if token is None:
            raise NotSignedInError
        return sessions.asker_of_session(self.records, token, touch=touch)

    def _acting(self, person: str | None) -> Asker:
        """Return the person as whom one acts in open mode; the one at this machine if that is nobody."""
        if person:
            try:
                with self.records.read() as session:
                    return asker_of_person(session, person)
            except NotFoundError:  # a cookie from another city of this machine
                pass
        return local_person()

"""The client's side of Open311 GeoReport v2: one endpoint of another city, spoken to in XML.

XML is what the standard demands of every server. What comes back is somebody else's: it is bounded, read
without a document type, and kept as plain text. Redirects are not followed: only the endpoint that an
administrator has set up is ever asked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as ET

from jingwei.access.signing_in import is_local
from jingwei.errors import JingweiError
from jingwei.words import Text

if TYPE_CHECKING:
    import httpx2

MOST_BYTES = 4 << 20
"""Of an answer."""
PATIENCE = 15.0
KEYS = "JINGWEI_OPEN311_KEY_"
"""With what the names of environment entries that hold keys begin: no other entry can be named."""
KEY_NAME = re.compile(r"[A-Z0-9_]{0,40}")
_LONGEST = {"status": 20, "service_request_id": 100, "token": 100, "update_id": 100}


class EndpointError(JingweiError):
    """Another city's endpoint did not answer, refused, or answered what the standard does not know."""

    code = "endpoint-failed"
    status = 502

    def __init__(self, why: str) -> None:
        super().__init__(
            Text(f"对方的 Open311 接口未接受：{why}", f"the other city's endpoint did not take it: {why}"),
            where={"why": why},
        )
        self.why = why


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was answered to a request: its number, or a token by which that is asked for."""

    number: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a request stands there: `open` or `closed`, and what is said of that."""

    status: str
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Update:
    """Something that happened there, by mySociety's extension; `at` is UTC."""

    id: str
    number: str
    status: str
    says: str
    at: datetime


def safe_address(address: str) -> bool:
    """Say whether an address can be an endpoint: HTTPS, or this machine, and nothing but a path."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    return plain and bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_local(host)))


class Endpoint:
    """A GeoReport v2 endpoint.

    Parameters
    ----------
    client
        By which it is asked; it follows no redirects.
    address
        Where it is, as `https://city.example/open311/v2`.
    jurisdiction
        What it wants to be told, if anything.
    key
        The name of its key in the server's environment, after `JINGWEI_OPEN311_KEY_`.

    """

    def __init__(self, client: httpx2.Client, address: str, jurisdiction: str = "", key: str = "") -> None:
        self._client, self._address = client, address.rstrip("/")
        self._told = {"jurisdiction_id": jurisdiction} if jurisdiction else {}
        self._key = os.environ.get(f"{KEYS}{key}", "") if key and KEY_NAME.fullmatch(key) else ""

    def send(self, fields: Mapping[str, str]) -> Receipt:
        """Send a service request.

        Raises
        ------
        EndpointError
            Where it was not taken, or nobody can tell whether it was.

        """
        form = {name: value for name, value in fields.items() if value} | self._told
        if self._key:
            form["api_key"] = self._key
        (one, *_) = self._asked("POST", "requests.xml", "service_requests", data=form) or [{}]
        receipt = Receipt(one.get("service_request_id", ""), one.get("token", ""))
        if not (receipt.number or receipt.token):
            raise EndpointError("no-number")
        return receipt

    def number_of(self, token: str) -> str:
        """Return the number that a token stands for; empty as long as there is none."""
        found = self._asked("GET", f"tokens/{quote(token, safe='')}.xml", "service_requests")
        return found[0].get("service_request_id", "") if found else ""

    def standing(self, number: str) -> Standing:
        """Return how a request stands."""
        found = self._asked("GET", f"requests/{quote(number, safe='')}.xml", "service_requests")
        for one in found:
            if one.get("service_request_id") == number and one.get("status") in ("open", "closed"):
                return Standing(one["status"], one.get("status_notes", "")[:500])
        raise EndpointError("no-such-request")

    def updates(self, since: datetime, until: datetime) -> list[Update]:
        """Return what happened between two moments, by mySociety's extension."""
        span = {
            "start_date": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "end_date": until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        found = self._asked("GET", "servicerequestupdates.xml", "service_request_updates", params=span)
        return [update for one in found if (update := _update(one)) is not None]

    def _asked(self, method: str, path: str, root: str, **more: Any) -> list[dict[str, str]]:
        """Return the entries of an answer, each as the texts of its elements."""
        import httpx2

        if "data" not in more:
            more["params"] = dict(more.get("params", {})) | self._told
        try:
            with self._client.stream(
                method, f"{self._address}/{path}", timeout=PATIENCE, follow_redirects=False, **more
            ) as answer:
                body = b""
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > MOST_BYTES:
                        raise EndpointError("too-large")
                status = answer.status_code
        except httpx2.HTTPError as error:
            raise EndpointError(type(error).__name__) from error
        if status != 200:
            raise EndpointError(f"http-{status}")
        return _entries(body, root)


def _entries(body: bytes, root: str) -> list[dict[str, str]]:
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise EndpointError("document-type")
    try:
        found = ET.fromstring(body)  # noqa: S314 -- bounded, and no document type comes this far
    except (ET.ParseError, ValueError) as error:
        raise EndpointError("no-xml") from error
    if found.tag != root:
        raise EndpointError("not-the-standard")
    return [
        {
            child.tag: (child.text or "").strip()[: _LONGEST.get(child.tag, 4000)]
            for child in one
            if len(child) == 0
        }
        for one in found
    ]


def _update(one: Mapping[str, str]) -> Update | None:
    try:
        at = datetime.fromisoformat(one["updated_datetime"])
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        return Update(
            one["update_id"],
            one["service_request_id"],
            one.get("status", "").upper(),
            one.get("description", "")[:1000],
            at,
        )
    except (KeyError, ValueError, OverflowError):  # one that cannot be read stops no other
        return None

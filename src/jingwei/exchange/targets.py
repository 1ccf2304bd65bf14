"""Where subscribers may be: not on this machine nor in its nets, unless the city says so."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jingwei.exchange.errors import BadTargetError
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

Address = IPv4Address | IPv6Address
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: the address that was looked at, so that a name cannot lead elsewhere."""

    url: str
    host: str
    port: int
    address: Address


class Targets:
    """Knows which addresses may be told.

    Parameters
    ----------
    private
        Networks of the city's own, as `10.1.0.0/16`, in which subscribers may be, also by plain HTTP.

    """

    def __init__(self, private: Iterable[str] = ()) -> None:
        self._private = [ip_network(one) for one in private]

    def of(self, url: str) -> Target:
        """Return where a URL leads now.

        Raises
        ------
        BadTargetError
            Where it is no address of the web, its name leads nowhere, or where nobody may be told.

        """
        scheme, host, port = _parts(url)
        found = _addresses(host, port)
        allowed = [one for one in found if self._is_own(one)]
        if not allowed and scheme == "https":
            allowed = [one for one in found if is_public(one)]
        if len(allowed) < len(found):
            raise BadTargetError(
                Text(
                    f"{host} 不是可以通知的地址",
                    f"{host} is no address that may be told, or not by plain HTTP.",
                ),
                "private" if scheme == "https" else "plain",
            )
        return Target(url, host, port, allowed[0])

    def _is_own(self, address: Address) -> bool:
        return any(address in one for one in self._private if one.version == address.version)


def is_public(address: Address) -> bool:
    """Say whether an address is one of the public net, also where it wraps another (RFC 6052, RFC 3056)."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None:
            return is_public(inner)
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    return address.is_global and not address.is_multicast and not address.is_reserved


_NAT64 = ip_network("64:ff9b::/96")


def _parts(url: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    wrong = parts.scheme not in PORTS or not parts.hostname or parts.username or parts.fragment
    if wrong or not url.isascii() or any(one.isspace() for one in url):
        raise BadTargetError(Text("这不是网址", "this is no address of the web."), "form")
    return parts.scheme, str(parts.hostname), port or PORTS[parts.scheme]


def _addresses(host: str, port: int) -> list[Address]:
    try:
        told = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise BadTargetError(
            Text(f"找不到主机 {host}", f"the host {host} is not found."), "unknown"
        ) from None
    return [ip_address(str(one[4][0]).partition("%")[0]) for one in told]

"""No visit to a private address, whatever it calls itself: checked in the resolver that the connection uses.

A name may resolve to one address when it is checked and to another when it is connected to, so the check stands
where Twisted asks for the addresses it then connects to. Which outlet is visiting travels in a context variable.
"""

from __future__ import annotations

import socket
import unicodedata
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from twisted.internet.interfaces import IHostnameResolver, IResolutionReceiver
from zope.interface import implementer

# What `is_global` of the standard library takes for public in some releases, or cannot see through.
_INNER = tuple(map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "64:ff9b:1::/48", "fec0::/10", "2001::/32", "::/96")))
_NAT64 = ip_network("64:ff9b::/96")


@dataclass(slots=True)
class Visit:
    """One connection about to be made: may it be private, and was an address refused."""

    allow_private: bool = False
    refused: str | None = None


visit: ContextVar[Visit | None] = ContextVar("visit", default=None)


def is_public(address: str) -> bool:
    """Whether an IP address in its plain form is one of the public internet; the IPv4 inside an IPv6 one counts.

    >>> is_public("93.184.215.14"), is_public("64:ff9b::7f00:1"), is_public("::ffff:10.0.0.1")
    (True, False, False)
    """
    ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast and not any(ip in net for net in _INNER)


def literal(host: str) -> str | None:
    """The plain form of a host that is an IP address in any spelling the system accepts, else None.

    >>> literal("127.1"), literal("0x7f.1"), literal("2130706433"), literal("[::1]"), literal("example.org")
    ('127.0.0.1', '127.0.0.1', '127.0.0.1', '::1', None)
    """
    host = unicodedata.normalize("NFKC", host).strip("[]").rstrip(".")
    try:
        return str(ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host)) if host and " " not in host else None
    except (OSError, ValueError):
        return None


@implementer(IHostnameResolver)
class GuardedResolver:
    """Wraps the reactor's resolver: passes public addresses on, private ones only to a visit that may."""

    def __init__(self, inner: Any) -> None:
        """`inner` is the IHostnameResolver that does the work."""
        self.inner = inner

    def resolveHostName(self, resolutionReceiver: Any, *rest: Any, **named: Any) -> Any:
        """See IHostnameResolver. A connection that belongs to no visit gets public addresses only."""
        current = visit.get() or Visit()
        guarded = resolutionReceiver if current.allow_private else _Sieve(resolutionReceiver, current)
        return self.inner.resolveHostName(guarded, *rest, **named)


@implementer(IResolutionReceiver)
class _Sieve:
    def __init__(self, receiver: Any, current: Visit) -> None:
        self.receiver, self.current = receiver, current

    def resolutionBegan(self, resolution: Any) -> None:
        self.receiver.resolutionBegan(resolution)

    def addressResolved(self, address: Any) -> None:
        if is_public(address.host):
            self.receiver.addressResolved(address)
        else:
            self.current.refused = address.host

    def resolutionComplete(self) -> None:
        self.receiver.resolutionComplete()


def guard_reactor() -> None:
    """Install the guard on the running reactor, once."""
    from twisted.internet import reactor  # importing it any earlier would install the wrong one

    if not isinstance(reactor.nameResolver, GuardedResolver):
        reactor.installNameResolver(GuardedResolver(reactor.nameResolver))

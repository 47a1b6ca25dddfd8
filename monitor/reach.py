"""Whose network is it? Decides whether a failure to connect is an endpoint's or our own. Pure.

The endpoints' hosts are tried, and what the config names beside them. When not one of several can be reached, the fault
is on our side. A single address proves nothing: it may be the one that is down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address
from urllib.parse import urlsplit

from monitor.model import Outcome, Reason, Status

SUSPICIOUS = frozenset(
    {
        Reason.CONNECT, Reason.DNS, Reason.TLS, Reason.TIMEOUT, Reason.FIRST_TOKEN_TIMEOUT, Reason.STALLED, Reason.CUT,
    }
)  # fmt: skip
"""What a broken network of our own can look like."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Address:
    """Where to connect to. ``tls``: with a handshake, since a proxy in between may break only that."""

    host: str
    port: int
    tls: bool = False

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def is_local(self) -> bool:
        """On this machine: it can be reached whatever our network does."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def addresses(urls: Mapping[str, bool], named: Iterable[str]) -> tuple[Address, ...]:
    """Those to try, each once; local ones only where there are no others.

    ``urls`` of the endpoints: whether the certificate is one that everybody trusts. A private one is not looked at.
    """
    found = set()
    for url, is_public in urls.items():
        parts = urlsplit(url)
        if parts.hostname:
            tls = parts.scheme == "https"
            port = parts.port or (443 if tls else 80)
            found.add(Address(host=parts.hostname, port=port, tls=tls and is_public))
    for address in named:
        host, _, number = address.rpartition(":")
        found.add(Address(host=host.strip("[]"), port=int(number)))
    distant = {one for one in found if not one.is_local}
    return tuple(sorted(distant or found))


def is_ours(reached: Mapping[Address, bool]) -> bool:
    """Whether our own network is down, by what could be reached."""
    return len({(one.host, one.port) for one in reached}) > 1 and not any(reached.values())


def is_suspicious(outcome: Outcome) -> bool:
    return outcome.reason in SUSPICIOUS and outcome.status in (Status.FAILED, Status.DEGRADED)


def suspended(outcome: Outcome, reached: Mapping[Address, bool]) -> Outcome:
    """The outcome as one that we could not judge: it counts against nobody."""
    tried = ", ".join(str(one) for one in reached)
    detail = f"our own network is down (nothing answers at {tried}); seen was {outcome.reason}: {outcome.detail}"
    return replace(outcome, status=Status.ERROR, reason=Reason.OURS, path=None, detail=detail)

"""The gateway: that what it names exists, and that its control stays on this machine."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.config.chain_checks import is_header
from monitor.config.document import Node
from monitor.config.names import given, twice, unknown
from monitor.config.showing import quote
from monitor.errors import Problem

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def mistakes(top: Node) -> Iterator[Problem]:
    gateway = top["gateway"]
    yield from unknown(gateway["endpoint"], [name for name, _ in top["endpoints"].entries()])
    chains = given(top["chains"].items())
    yield from twice(gateway["chains"])
    for chain in gateway["chains"].items():
        yield from unknown(chain, chains)
    yield from _addresses(gateway)
    for name, live in gateway["live"].entries():
        yield from _live(name, live, top)


def _addresses(gateway: Node) -> Iterator[Problem]:
    for name in ("listen", "control"):
        port = (gateway[name].text or "").rpartition(":")[2]
        if port.isascii() and port.isdigit() and int(port) > 65535:
            yield gateway[name].problem(f"{port} is no port; the highest is 65535")
    control = gateway["control"]
    host = (control.text or "").rpartition(":")[0]
    if host and host not in _LOOPBACK:
        yield control.problem(f"{quote(host)} may be reached from elsewhere; faults are armed from this machine only")
    if "separate" in gateway and gateway["separate"].value is True:
        for name in ("listen", "control"):
            if (gateway[name].text or "").endswith(":0"):
                yield gateway[name].problem("the daemon could not find a gateway of another process at a free port")


def _live(name: str, live: Node, top: Node) -> Iterator[Problem]:
    known = given(top["chains"].items())
    if name not in known:
        yield live.problem(f"{quote(name)} is no chain; choose from {', '.join(known)}")
    for field, value in live["headers"].entries():
        if not is_header(field):
            yield value.problem("is no name of a header; use letters, digits and '-'")

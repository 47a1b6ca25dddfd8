"""How an exchange ended on the wire: from a transport's exception to one closed Fate."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import httpx

from monitor.exchange import Fate


def fate_of(error: httpx.TransportError | httpx.InvalidURL, *, answered: bool) -> Fate:
    """The fate that an exception of a transport means. ``answered``: the status line had arrived."""
    broken = Fate.CUT if answered else Fate.RESET
    match error:
        case httpx.PoolTimeout() | httpx.UnsupportedProtocol() | httpx.LocalProtocolError() | httpx.InvalidURL():
            return Fate.OURS
        case httpx.ConnectTimeout():
            return Fate.CONNECT_TIMEOUT
        case httpx.TimeoutException():
            return Fate.TIMEOUT
        case httpx.ConnectError():
            return _unconnected(error)
        case httpx.RemoteProtocolError():
            return broken if any(isinstance(cause, EOFError) for cause in _causes(error)) else Fate.PROTOCOL
        case httpx.NetworkError():
            return broken
        case httpx.ProxyError():
            return Fate.UNREACHABLE
    return Fate.OURS


def _unconnected(error: httpx.ConnectError) -> Fate:
    kinds = {
        socket.gaierror: Fate.DNS,
        ssl.SSLError: Fate.TLS,
        ConnectionRefusedError: Fate.REFUSED,
        ConnectionResetError: Fate.RESET,
    }
    for cause in _causes(error):
        for kind, fate in kinds.items():
            if isinstance(cause, kind):
                return fate
    return Fate.UNREACHABLE


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        yield cause
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__

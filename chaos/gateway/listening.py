"""Listening at an address from the config."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from monitor.errors import StartError

_BACKLOG = 1024
"""Connections that may wait to be taken: an application opens hundreds at once when it starts."""


async def listen(runner: web.BaseRunner, address: str, setting: str) -> str:
    """Start to serve a control at ``HOST:PORT``; the URL. Raises StartError."""
    await runner.setup()
    host, port = _parts(address)
    with _said(address, setting):
        await web.TCPSite(runner, host, port).start()
    return _url(runner.addresses[0])


async def listen_for(
    protocol: Callable[[], asyncio.Protocol], address: str, setting: str
) -> tuple[asyncio.Server, str]:
    """Start to take connections at ``HOST:PORT``; the server, and its URL. Raises StartError."""
    host, port = _parts(address)
    with _said(address, setting):
        server = await asyncio.get_running_loop().create_server(protocol, host, port, backlog=_BACKLOG)
    return server, _url(server.sockets[0].getsockname())


def _parts(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


@contextmanager
def _said(address: str, setting: str) -> Iterator[None]:
    try:
        yield
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise StartError(f"the gateway cannot listen on {address}: {why}; change gateway.{setting}") from None


def _url(bound: Sequence[Any]) -> str:
    name = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
    return f"http://{name}:{bound[1]}"

"""The daemon's HTTP server: uvicorn in our own event loop, on a socket that is bound first."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from monitor.errors import StartError


class _Uvicorn(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the command, not to one of the daemon's parts."""
        yield


class Server:
    def __init__(self, page: FastAPI, host: str, port: int) -> None:
        self._host, self._port = host, port
        config = uvicorn.Config(
            page, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=2
        )
        self._server = _Uvicorn(config)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """The URL that it listens on. Raises StartError naming host and port."""
        bound = self._bind()
        self._task = asyncio.create_task(self._server.serve(sockets=[bound]), name="server")
        while not self._server.started and not self._task.done():  # noqa: ASYNC110 - uvicorn has a flag, no event
            await asyncio.sleep(0.01)
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{bound.getsockname()[1]}"

    async def stop(self) -> None:
        self._server.should_exit = True
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    def _bind(self) -> socket.socket:
        place = f"{self._host}:{self._port}"
        try:
            family, kind, number, _, address = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)[0]
            bound = socket.socket(family, kind, number)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
        except OSError as error:
            why = error.strerror or "not possible"
            raise StartError(
                f"cannot listen on {place}: {why}; choose another address with --listen HOST:PORT"
            ) from None
        bound.setblocking(False)
        return bound

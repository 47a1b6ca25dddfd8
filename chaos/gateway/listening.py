"""Listening at an address from the config."""

from __future__ import annotations

from aiohttp import web

from monitor.errors import StartError


async def listen(runner: web.BaseRunner, address: str, setting: str) -> str:
    """Start to listen at ``HOST:PORT``; the URL. Raises StartError."""
    host, _, port = address.rpartition(":")
    await runner.setup()
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port)).start()
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise StartError(f"the gateway cannot listen on {address}: {why}; change gateway.{setting}") from None
    bound = runner.addresses[0]
    name = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
    return f"http://{name}:{bound[1]}"

"""Where a gateway is, and how its control is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
import structlog

from chaos.backlog import Page, read_page
from monitor.reading import mapping, parse

log = structlog.get_logger("drill")

PATIENCE = 5.0
"""Seconds that the gateway's control gets for an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Where a gateway is: the URLs of its traffic and of its control, and the chains that pass through it. ``live``:
    those whose real traffic may be broken. ``dialect``: of the endpoint that it passes to."""

    url: str
    control: str
    chains: frozenset[str]
    live: frozenset[str] = frozenset()
    dialect: str = "openrouter"

    async def call(self, method: str, path: str, body: object = None) -> Any:
        """What the control answers, parsed; None where it does not. A refusal is logged."""
        try:
            reply = await self._request(method, path, body)
        except httpx.HTTPError as error:
            log.warning("the gateway's control does not answer", error=type(error).__name__)
            return None
        if reply.is_error:
            log.warning("the gateway refuses", status=reply.status_code, says=reply.text[:200])
        return parse(reply.content)

    async def rules(self) -> list[Any] | None:
        """The faults in place: none where nobody listens, None where somebody does and says nothing of use. Silent
        about that, since who looks again and again says it once."""
        try:
            found = mapping(parse((await self._request("GET", "/rules")).content)).get("rules")
        except httpx.ConnectError:
            return []
        except httpx.HTTPError:
            return None
        return found if isinstance(found, list) else None

    async def outcomes(self, of: str, after: int) -> Page | None:
        """A page of what passed; None where there is none to be had. As silent as ``rules``."""
        try:
            reply = await self._request("GET", f"/outcomes?of={quote(of, safe='')}&after={after}")
            return None if reply.is_error else read_page(reply.content)
        except (httpx.HTTPError, ValueError):
            return None

    async def _request(self, method: str, path: str, body: object = None) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.control, timeout=PATIENCE, trust_env=False) as client:
            return await client.request(method, path, json=body)

"""Where a gateway is, and how its control is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
import structlog

from monitor.reading import parse

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
            async with httpx.AsyncClient(base_url=self.control, timeout=PATIENCE, trust_env=False) as client:
                reply = await client.request(method, path, json=body)
        except httpx.HTTPError as error:
            log.warning("the gateway's control does not answer", error=type(error).__name__)
            return None
        if reply.is_error:
            log.warning("the gateway refuses", status=reply.status_code, says=reply.text[:200])
        return parse(reply.content)

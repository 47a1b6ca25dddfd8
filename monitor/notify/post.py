"""JSON by HTTP, for notifiers without a library of their own; every failure becomes a DeliveryError."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import aiohttp

from monitor.errors import DeliveryError

TIMEOUT = 10.0
_PASSING = frozenset({408, 425})


class Post:
    """One session to one service. ``service`` names it in texts; URLs and answers, which may hold secrets, never do."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._session: aiohttp.ClientSession | None = None

    async def send(
        self, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, *, method: str = "POST"
    ) -> None:
        """Returns once the service has accepted it (2xx); raises DeliveryError."""
        headers = {**({"content-type": "application/json"} if body is not None else {}), **(headers or {})}
        try:
            # A redirect would carry a signed body, or a key, to where nobody meant it to go.
            asking = self._connect().request(method, url, data=body, headers=headers, allow_redirects=False)
            async with asking as answer:
                await answer.read()
        except TimeoutError:
            text = f"{self._service} did not answer in time"
            raise DeliveryError(text, reason="timeout", permanent=False) from None
        except (aiohttp.InvalidURL, ValueError):
            text = f"the URL of {self._service} is none"
            raise DeliveryError(text, reason="bad_url", permanent=True, broken=True) from None
        except (aiohttp.ClientError, OSError) as error:
            # The class only: the texts of aiohttp quote URLs.
            text = f"{self._service} cannot be reached ({type(error).__name__})"
            raise DeliveryError(text, reason="connection", permanent=False) from None
        if not 200 <= answer.status < 300:
            raise refused(self._service, answer.status, _retry_after(answer.headers.get("retry-after")))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _connect(self) -> aiohttp.ClientSession:
        """Made at the first use: it belongs to the running loop. Proxies come from the environment, NO_PROXY too."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT), trust_env=True)
        return self._session


def encode(value: Any) -> bytes:
    """Compact JSON in UTF-8; half a surrogate pair, which no receiver could read, becomes a question mark."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def refused(service: str, status: int, retry_after: float | None = None) -> DeliveryError:
    """What a status other than 2xx means: which pass by themselves, and what to do about those that do not."""
    if status == 429:
        text = f"{service} asks for patience (HTTP 429)"
        return DeliveryError(text, reason="ratelimited", permanent=False, retry_after=retry_after)
    if status >= 500 or status in _PASSING:
        text = f"{service} is not available (HTTP {status})"
        return DeliveryError(text, reason="unavailable", permanent=False, retry_after=retry_after)
    if status < 400:
        text = f"{service} points elsewhere (HTTP {status}); name the final URL"
        return DeliveryError(text, reason="redirected", permanent=True, broken=True)
    if status in (401, 403):
        text = f"{service} refuses the credential (HTTP {status}); renew it"
        return DeliveryError(text, reason="unauthorized", permanent=True, broken=True)
    if status in (404, 405, 410):
        text = f"{service} is not at this URL (HTTP {status}); correct it"
        return DeliveryError(text, reason="not_found", permanent=True, broken=True)
    return DeliveryError(f"{service} refuses the message (HTTP {status})", reason="refused", permanent=True)


def _retry_after(text: str | None) -> float | None:
    """Seconds; None where it is missing or no number."""
    try:
        return max(0.0, float(text)) if text is not None else None
    except ValueError:
        return None

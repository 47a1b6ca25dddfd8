"""Talking to a running daemon or sandbox over its API."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import httpx

from monitor import addresses
from monitor.errors import CommandError

TIMEOUT = 15.0


def daemon_url(data: Path, url: str | None) -> str | None:
    """The URL to talk to: the one given, else that of the daemon which uses ``data``; None when none runs."""
    if url is not None:
        return url.rstrip("/")
    found = addresses.find(data)
    return found.url if found else None


def needed(data: Path, url: str | None) -> str:
    """As ``daemon_url``; raises CommandError when none runs."""
    base = daemon_url(data, url)
    if base is None:
        raise CommandError(f"no fallbackd runs with the data folder {data}; name it with --data or --url")
    return base


def call(
    method: str, url: str, *, body: Any = None, params: dict[str, str] | None = None, allowed: tuple[int, ...] = ()
) -> Any:
    """The JSON of a 2xx answer, or of an ``allowed`` status. Anything else raises CommandError with its sentence."""
    token = os.environ.get("FALLBACKD_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        reply = httpx.request(method, url, json=body, params=params, headers=headers, timeout=TIMEOUT, trust_env=False)
    except httpx.HTTPError as error:
        raise CommandError(f"{url} does not answer: {error or type(error).__name__}") from None
    if reply.status_code == 204:
        return None
    try:
        content = reply.json()
    except ValueError:
        raise CommandError(f"{url} answered {reply.status_code} without JSON: is that really fallbackd?") from None
    if reply.is_success or reply.status_code in allowed:
        return content
    problem = content.get("error", {}) if isinstance(content, dict) else {}
    message = problem.get("message") if isinstance(problem, dict) else None
    hint = " (set FALLBACKD_TOKEN)" if reply.status_code == 401 else ""
    raise CommandError(f"{message or f'{url} answered {reply.status_code}'}{hint}")

"""Who asks for a change: what they call themselves, and where the request came from."""

from __future__ import annotations

import ipaddress

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field


class AskedBy(BaseModel):
    """Who wants it; kept in the journal."""

    model_config = ConfigDict(extra="forbid")

    asked_by: str | None = Field(default=None, min_length=1, max_length=128)


def asker(name: str | None, request: Request) -> str:
    """``alice@build``, or ``the API``; with the address of whoever is not on this machine."""
    host = request.client.host if request.client else None
    called = name or "the API"
    return called if host is None or _is_here(host) else f"{called} from {host}"


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

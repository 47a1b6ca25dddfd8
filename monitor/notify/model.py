"""What a notifier is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import SecretStr

from monitor.clock import Clock
from monitor.config.model import NotifierSettings
from monitor.model import Notice


class Notifier(Protocol):
    """A way to reach people. It words and sends; when and how often is the outbox's affair."""

    name: str

    async def deliver(self, notice: Notice, ref: str | None) -> str | None:
        """Hands a notice over; raises DeliveryError.

        ``ref`` is what the last delivery of the same incident returned, None when nothing of it was told yet.
        """
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifierKind:
    """``build(name, settings, secrets, clock)``: the secret of ``token_env`` (or ``token_file``) is ``token``."""

    settings: type[NotifierSettings]
    build: Callable[[str, Any, Mapping[str, SecretStr], Clock], Notifier]

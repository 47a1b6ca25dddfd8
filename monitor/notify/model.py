"""What a notifier is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

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


@runtime_checkable
class Paced(Protocol):
    """A notifier with a speed limit: what waits meanwhile can still be superseded by something newer."""

    def room_in(self) -> float:
        """Seconds until the next message may go out."""
        ...


@runtime_checkable
class Digesting(Protocol):
    """A notifier that tells many incidents at once in one message."""

    async def announce(self, fresh: Sequence[Notice]) -> None:
        """``fresh``: all that fire and wait, and of which nothing was told yet. Raises DeliveryError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillOffer:
    """A drill that can be started from a message. ``breaks`` says what, with which fault, and for how long at most."""

    name: str
    breaks: str


@runtime_checkable
class OffersDrills(Protocol):
    """A notifier with buttons."""

    def offer(self, drills: Mapping[str, DrillOffer]) -> None:
        """``drills``: by chain."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifierKind:
    """``build(name, settings, secrets, clock)``: the secret of ``token_env`` (or ``token_file``) is ``token``."""

    settings: type[NotifierSettings]
    build: Callable[[str, Any, Mapping[str, SecretStr], Clock], Notifier]

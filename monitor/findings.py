"""The words for what a catalogue shows about the chains that rely on it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Drift(StrEnum):
    """How what an endpoint offers has moved away from what a chain relies on, or is about to; the gravest first."""

    MODEL_GONE = "model_gone"
    MODEL_RENAMED = "model_renamed"
    MODEL_EXPIRES = "model_expires"
    UNSERVED = "unserved"
    PROVIDER_LEFT = "provider_left"
    PROVIDER_JOINED = "provider_joined"
    PRICE_CHANGED = "price_changed"
    CONTEXT_CHANGED = "context_changed"
    OUTPUT_LIMIT_CHANGED = "output_limit_changed"
    PARAMETER_DROPPED = "parameter_dropped"
    KEY_LIMIT_LOW = "key_limit_low"
    KEY_EXPIRES = "key_expires"
    CREDITS_LOW = "credits_low"
    FREE_QUOTA_LOW = "free_quota_low"
    SHARED_FATE = "shared_fate"
    ENDPOINT_DEGRADED = "endpoint_degraded"
    UPTIME_LOW = "uptime_low"

    @property
    def is_context(self) -> bool:
        """What providers report of themselves: shown beside our own measurements, and never a reason to alert."""
        return self in (Drift.ENDPOINT_DEGRADED, Drift.UPTIME_LOW)

    @property
    def is_change(self) -> bool:
        """Seen by comparing with an earlier reading; it ends when it is undone or when it is old news."""
        return self in _CHANGES


_CHANGES = frozenset(
    {
        Drift.PROVIDER_LEFT,
        Drift.PROVIDER_JOINED,
        Drift.PRICE_CHANGED,
        Drift.CONTEXT_CHANGED,
        Drift.OUTPUT_LIMIT_CHANGED,
        Drift.PARAMETER_DROPPED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A target that relies on something, or (without a label) a whole chain. ``pinned``: it names the very provider."""

    chain: str
    label: str | None = None
    position: int | None = None
    pinned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueFinding:
    """One thing that a catalogue shows, with the targets it concerns.

    ``subject`` is what it is about: a model id, ``model at provider``, the key. ``value`` says what matters of it and
    stays the same while nothing changes; ``detail`` is the sentence for people and may hold numbers that move.
    ``since``: when it was first seen, in seconds since the epoch.
    """

    drift: Drift
    endpoint: str
    subject: str
    detail: str
    value: str = ""
    uses: tuple[Use, ...] = ()
    since: float = 0.0

    @property
    def key(self) -> str:
        return f"{self.endpoint} {self.drift} {self.subject}"

    @property
    def used_by(self) -> str:
        """``used by 2 chains: chat (primary, position 0), support (second, position 1, pinned)``."""
        chains = len({use.chain for use in self.uses})
        named = ", ".join(_named(use) for use in self.uses)
        return f"used by {chains} chain{'' if chains == 1 else 's'}: {named}" if named else "used by no chain"


def _named(use: Use) -> str:
    if use.label is None:
        return use.chain
    return f"{use.chain} ({use.label}, position {use.position}{', pinned' if use.pinned else ''})"

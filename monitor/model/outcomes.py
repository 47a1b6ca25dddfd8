"""What a question ends as, and what many of them say of health."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from monitor.model.enums import Health, Origin, Path, Reason, Status
from monitor.model.quick import quick


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    prompt: int = 0
    completion: int = 0
    reasoning: int = 0


NO_TOKENS = Tokens()


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request to one target, as reported by the router or as made by us.

    ``position`` is None where the (model, provider) belongs to no target of the chain.
    """

    model: str
    provider: str | None = None
    position: int | None = None
    status_code: int | None = None
    reason: Reason = Reason.NONE
    duration: float | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a probe run (or a live exchange) ends as.

    ``target`` is the label of the target asked on its own, None for the whole chain; ``provider`` the
    provider that was pinned. ``served_by``/``position`` name the target that answered, ``model`` and
    ``served_provider`` what the endpoint said. ``detail`` is for people and never a metric label.
    """

    id: str
    at: float
    chain: str
    probe: str
    kind: str
    origin: Origin
    status: Status
    reason: Reason
    drill: str | None = None
    target: str | None = None
    provider: str | None = None
    served_by: str | None = None
    position: int | None = None
    model: str | None = None
    served_provider: str | None = None
    path: Path | None = None
    attempts: tuple[Attempt, ...] = ()
    status_code: int | None = None
    retry_after: float | None = None
    duration: float = 0.0
    first_token: float | None = None
    tokens: Tokens = NO_TOKENS
    output_rate: float | None = None
    longest_gap: float | None = None
    cost: float | None = None
    generation: str | None = None
    detail: str = ""

    @property
    def is_chain(self) -> bool:
        return self.target is None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose health: a chain (``target`` None), a target, or a target pinned to a provider."""

    chain: str
    target: str | None = None
    provider: str | None = None

    @property
    def key(self) -> str:
        """``chain``, ``chain/target`` or ``chain/target@provider``."""
        name = self.chain if self.target is None else f"{self.chain}/{self.target}"
        return f"{name}@{self.provider}" if self.provider else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A change of health: a record of its own, with its cause."""

    at: float
    subject: Subject
    before: Health
    after: Health
    reason: Reason
    detail: str
    outcome: str | None


def new_id(now: float | None = None) -> str:
    """A 26-character identifier that sorts by time: 12 hex digits of milliseconds, 14 random."""
    millis = int((time.time() if now is None else now) * 1000)
    return f"{millis:012x}{os.urandom(7).hex()}"

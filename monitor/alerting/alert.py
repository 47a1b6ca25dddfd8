"""One condition's life, from its first sight to its end; and how it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import TypeAdapter, ValidationError

from monitor.conditions import Cause, CauseKind, Condition
from monitor.model import Severity


class Stage(StrEnum):
    """``pending``: seen, but not for long enough. ``resolved`` is kept for a while, for it may come back."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """``since``: seen from then on; ``gone``: not seen any more from then on, though not yet over.

    ``resolved`` stays set while an alert that came back is still pending. ``incident``: the id of the incident that it
    is or was part of, empty before the first. ``turning``: another cause that shows since ``turned``; it counts when it
    has lasted. ``vanished``: it ended because the config has it no more.
    """

    key: str
    alert: str
    when: str
    chain: str
    subject: str
    stage: Stage
    since: float
    severity: Severity
    title: str
    summary: str
    cause: Cause
    matters: tuple[str, ...] = ()
    brief: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    target: str | None = None
    provider: str | None = None
    turning: Cause | None = None
    turned: float | None = None
    gone: float | None = None
    resolved: float | None = None
    incident: str = ""
    vanished: bool = False

    @property
    def is_firing(self) -> bool:
        return self.stage is Stage.FIRING

    @property
    def gist(self) -> tuple[str, ...]:
        """What people are told anew when it differs."""
        return (self.key, self.chain, self.severity.value, self.title, *self.matters)

    @property
    def burden(self) -> frozenset[str]:
        """What an acknowledgement covers: as long as nothing is added to it, nothing got worse."""
        return frozenset(f"{self.key} {matter}" for matter in (self.severity.value, *self.matters))


_ALERT: TypeAdapter[Alert] = TypeAdapter(Alert)


def alert_key(condition: Condition) -> str:
    """``alert:chain``, or ``alert:chain:subject``."""
    return ":".join(filter(None, (condition.alert, condition.chain, condition.subject)))


def cause_of(condition: Condition) -> Cause:
    return condition.cause or Cause(kind=CauseKind.ALERT, name=alert_key(condition))


def dump_alert(alert: Alert) -> bytes:
    return _ALERT.dump_json(alert)


def load_alert(raw: bytes) -> Alert | None:
    """None for what another version wrote or what is damaged; it opens anew if its condition still holds."""
    try:
        return _ALERT.validate_json(raw)
    except ValidationError:
        return None

"""One thing that is wrong, from its first sight to its end, with who was told what; and how it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import TypeAdapter, ValidationError

from monitor.conditions import Condition
from monitor.model import Severity


class Stage(StrEnum):
    """``pending``: seen, but not for long enough. ``resolved`` is kept for a while, for it may come back."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one notifier was last told. ``over``: that it is resolved."""

    notifier: str
    at: float
    gist: tuple[str, ...]
    over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A condition's life. ``since``: seen from then on; ``gone``: not seen any more from then on, though not yet over.

    ``resolved`` stays set while an incident that came back is still pending. ``silenced``: people were spared of it at
    the last look, and hear of it when that ends.
    """

    key: str
    id: str
    alert: str
    when: str
    chain: str
    subject: str
    stage: Stage
    since: float
    severity: Severity
    title: str
    summary: str
    matters: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    gone: float | None = None
    resolved: float | None = None
    told: tuple[Told, ...] = ()
    silenced: bool = False

    @property
    def gist(self) -> tuple[str, ...]:
        """What people are told anew when it differs."""
        return (self.severity.value, self.title, *self.matters)

    @property
    def is_announced(self) -> bool:
        """Somebody was told, and not yet told that it is over."""
        return any(not told.over for told in self.told)

    def last_told(self, notifier: str) -> Told | None:
        return next((told for told in self.told if told.notifier == notifier), None)


_INCIDENT: TypeAdapter[Incident] = TypeAdapter(Incident)


def incident_key(condition: Condition) -> str:
    """``alert:chain``, or ``alert:chain:subject``."""
    return ":".join(filter(None, (condition.alert, condition.chain, condition.subject)))


def dump_state(incident: Incident) -> bytes:
    return _INCIDENT.dump_json(incident)


def load_state(raw: bytes) -> Incident | None:
    """None for what another version wrote or what is damaged; it opens anew if its condition still holds."""
    try:
        return _INCIDENT.validate_json(raw)
    except ValidationError:
        return None


def changes(before: Mapping[str, Incident], after: Mapping[str, Incident]) -> dict[str, bytes | None]:
    """What must be stored, by key, to get from one set of incidents to another; None deletes."""
    gone: dict[str, bytes | None] = {key: None for key in before if key not in after}
    kept = {key: dump_state(incident) for key, incident in after.items() if before.get(key) != incident}
    return gone | kept

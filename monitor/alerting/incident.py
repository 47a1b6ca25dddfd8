"""What people are told about: alerts of one cause, with one message each notifier; and how it is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from monitor.alerting.alert import Alert, Stage, dump_alert, load_alert
from monitor.conditions import Cause
from monitor.model import Acknowledgement

REOPEN_WITHIN = 600.0
"""Seconds after its end in which what comes back is part of the same incident."""

Gist = tuple[tuple[str, ...], ...]
"""The gists of alerts, in the order of their keys."""

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one notifier was last told. ``members``: keys of all alerts that it heard of in this incident, ended ones
    too. ``over``: that it is resolved. ``acknowledged``: when the acknowledgement that it knows of was given."""

    notifier: str
    at: float
    gist: Gist
    members: tuple[str, ...] = ()
    over: bool = False
    acknowledged: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Alerts that share a cause. Which ones they are is kept by the alerts, which name their incident.

    ``silenced``: people were spared of it at the last look, and hear of it when that ends. ``burden``: what the
    acknowledgement covers; it ends when something is added.
    """

    id: str
    cause: Cause
    since: float
    resolved: float | None = None
    told: tuple[Told, ...] = ()
    silenced: bool = False
    acknowledged: Acknowledgement | None = None
    burden: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.resolved is None

    @property
    def rank(self) -> tuple[float, str, str]:
        """In the order of their beginning; of those that began at once, the same order every time."""
        return self.since, self.cause.key, self.id

    def is_past(self, now: float) -> bool:
        """Whether it ended so long ago that the same trouble would be another incident."""
        return self.resolved is not None and now - self.resolved > REOPEN_WITHIN

    @property
    def is_announced(self) -> bool:
        """Somebody was told, and not yet told that it is over."""
        return any(not told.over for told in self.told)

    def last_told(self, notifier: str) -> Told | None:
        return next((told for told in self.told if told.notifier == notifier), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertState:
    """All that alerting remembers: alerts by key, incidents by id."""

    alerts: Mapping[str, Alert] = field(default_factory=dict)
    incidents: Mapping[str, Incident] = field(default_factory=dict)

    def members(self, incident: str) -> tuple[Alert, ...]:
        """The alerts of an incident that fire or have ended, in the order of their keys."""
        mine = (one for one in self.alerts.values() if one.incident == incident and one.stage is not Stage.PENDING)
        return tuple(sorted(mine, key=lambda one: one.key))

    def is_announced(self, alert: Alert) -> bool:
        """Somebody was told of this alert, and not yet that it is over."""
        incident = self.incidents.get(alert.incident)
        return incident is not None and any(alert.key in told.members and not told.over for told in incident.told)


def acknowledge(state: AlertState, incident: str, by: str, now: float) -> AlertState | None:
    """The state with somebody at work on an incident; None when no such incident is open.

    No more repeats, until something about it gets worse or it is over.
    """
    found = state.incidents.get(incident)
    if found is None or not found.is_open:
        return None
    burden = sorted(part for one in state.members(incident) if one.is_firing for part in one.burden)
    taken = replace(found, acknowledged=Acknowledgement(by=by, at=now), burden=tuple(burden))
    return replace(state, incidents={**state.incidents, incident: taken})


_INCIDENT: TypeAdapter[Incident] = TypeAdapter(Incident)
_OF_ALERTS, _OF_INCIDENTS = "alert/", "incident/"


def changes(before: AlertState, after: AlertState) -> dict[str, bytes | None]:
    """What must be stored, by key, to get from one state to another; None deletes."""
    alerts = _differences(before.alerts, after.alerts, dump_alert)
    incidents = _differences(before.incidents, after.incidents, _INCIDENT.dump_json)
    return {
        **{_OF_ALERTS + key: value for key, value in alerts.items()},
        **{_OF_INCIDENTS + key: value for key, value in incidents.items()},
    }


def load_state(stored: Mapping[str, bytes]) -> AlertState:
    """What ``changes`` gave to be stored. What another version wrote or what is damaged is left out: an alert opens
    anew if its condition still holds, and alerts whose incident is lost open another one."""
    alerts, incidents = {}, {}
    for key, raw in stored.items():
        if key.startswith(_OF_ALERTS) and (alert := load_alert(raw)) is not None:
            alerts[alert.key] = alert
        elif key.startswith(_OF_INCIDENTS) and (incident := _load_incident(raw)) is not None:
            incidents[incident.id] = incident
    return AlertState(alerts=alerts, incidents=incidents)


def _load_incident(raw: bytes) -> Incident | None:
    try:
        return _INCIDENT.validate_json(raw)
    except ValidationError:
        return None


def _differences(
    before: Mapping[str, Value], after: Mapping[str, Value], dump: Callable[[Value], bytes]
) -> dict[str, bytes | None]:
    gone: dict[str, bytes | None] = {key: None for key in before if key not in after}
    return gone | {key: dump(value) for key, value in after.items() if before.get(key) != value}

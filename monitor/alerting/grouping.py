"""Which alert belongs to which incident: those of one cause are one, whatever chains they are about.

An alert stays with its incident for as long as it fires, unless a wider cause has shown for a while: a provider instead
of one of its models, say. Then it joins that cause's incident if there is one; an incident whose alerts all found the
same wider cause takes it over, and keeps its message; otherwise the alert opens an incident of its own. So it is with
another provider or endpoint. Nothing moves to a narrower cause or to another model: in a partial outage these change
all the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from monitor.alerting.alert import Alert
from monitor.alerting.incident import AlertState, Incident
from monitor.conditions import Cause, CauseKind


def group(state: AlertState, now: float, ids: Callable[[], str]) -> AlertState:
    """The state with an open incident for every firing alert, and those closed of which nothing fires any more."""
    groups = _Groups(state, now, ids)
    for key in sorted(state.alerts, key=lambda key: (state.alerts[key].since, key)):
        if state.alerts[key].is_firing:
            groups.place(state.alerts[key])
    groups.regroup()
    return groups.result()


class _Groups:
    """One grouping while it is worked out."""

    def __init__(self, state: AlertState, now: float, ids: Callable[[], str]) -> None:
        self._now = now
        self._ids = ids
        self._alerts = dict(state.alerts)
        self._incidents = {id_: one for id_, one in state.incidents.items() if not one.is_past(now)}
        self._by_cause: dict[str, str] = {}
        for one in sorted(self._incidents.values(), key=lambda one: (not one.is_open, one.since, one.id)):
            if one.is_open or one.cause.kind is not CauseKind.ALERT:
                self._by_cause.setdefault(one.cause.key, one.id)

    def place(self, alert: Alert) -> None:
        """Every firing alert gets an open incident: its own, its cause's, or a new one."""
        id_ = alert.incident if alert.incident in self._incidents else self._by_cause.get(alert.cause.key)
        self._join([alert], id_ or self._open(alert.cause, alert.since))

    def regroup(self) -> None:
        """Moves the alerts that found another cause."""
        for id_ in sorted(self._incidents):
            self._regroup(id_)

    def _regroup(self, id_: str) -> None:
        incident, firing = self._incidents[id_], self._firing(id_)
        leaving: dict[str, list[Alert]] = {}
        for one in firing:
            if _leaves(one.cause, incident.cause):
                leaving.setdefault(one.cause.key, []).append(one)
        for key, alerts in sorted(leaving.items()):
            other = self._by_cause.get(key)
            if other is None and len(alerts) == len(firing):
                self._incidents[id_] = replace(incident, cause=alerts[0].cause)
                self._by_cause[key] = id_
            else:
                self._join(alerts, other or self._open(alerts[0].cause, min(one.since for one in alerts)))

    def result(self) -> AlertState:
        incidents = {id_: self._closed(one) for id_, one in self._incidents.items()}
        return AlertState(alerts=self._alerts, incidents=incidents)

    def _closed(self, incident: Incident) -> Incident:
        if not incident.is_open or self._firing(incident.id):
            return incident
        return replace(incident, resolved=self._now, silenced=False, acknowledged=None, burden=())

    def _firing(self, id_: str) -> list[Alert]:
        return [one for one in self._alerts.values() if one.incident == id_ and one.is_firing]

    def _join(self, alerts: Iterable[Alert], id_: str) -> None:
        for one in alerts:
            self._alerts[one.key] = replace(one, incident=id_)
        incident = self._incidents[id_]
        if not incident.is_open:
            since = min(one.since for one in self._firing(id_))
            self._incidents[id_] = replace(incident, resolved=None, since=since)

    def _open(self, cause: Cause, since: float) -> str:
        id_ = self._ids()
        self._incidents[id_] = Incident(id=id_, cause=cause, since=since)
        self._by_cause[cause.key] = id_
        return id_


_WIDTH = {CauseKind.CHAIN: 0, CauseKind.MODEL: 1, CauseKind.PROVIDER: 2, CauseKind.ENDPOINT: 3}


def _leaves(cause: Cause, incident: Cause) -> bool:
    if cause.kind not in _WIDTH or incident.kind not in _WIDTH:
        return cause != incident
    wider = _WIDTH[cause.kind] - _WIDTH[incident.kind]
    return wider > 0 or (wider == 0 and cause.kind is not CauseKind.MODEL and cause != incident)


def came_apart(alerts: Mapping[str, Alert], keys: Iterable[str], incident: str) -> str | None:
    """The incident under which alerts of another one go on, if they do."""
    found = (alerts[key] for key in sorted(keys) if key in alerts)
    return next((one.incident for one in found if one.is_firing and one.incident != incident), None)

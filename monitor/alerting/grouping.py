"""Which alert belongs to which incident: those of one cause are one, whatever chains they are about.

A new alert that a graver one covers joins that one's incident, and one whose cause is no wider joins the incident that
the chain is in already: people follow a chain in one place. One that is the first to show a wider cause takes over what
there is of its chain.

An alert stays with its incident for as long as it fires, unless a wider cause has shown for a while: a provider instead
of one of its models, say. Then it joins that cause's incident if there is one; an incident whose alerts all found the
same wider cause takes it over, and keeps its message; otherwise the alert opens an incident of its own. So it is with
another provider or endpoint. Nothing moves to a narrower cause or to another model: in a partial outage these change
all the time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from monitor.alerting.alert import Alert
from monitor.alerting.incident import AlertState, Incident
from monitor.conditions import Cause, CauseKind


def group(
    state: AlertState, now: float, ids: Callable[[], str], covered: Mapping[str, str] = MappingProxyType({})
) -> AlertState:
    """The state with an open incident for every firing alert, and those closed of which nothing fires any more.

    ``covered``: by alert key, the key of the graver alert that says it all.
    """
    known = {key: graver for key, graver in covered.items() if key in state.alerts}
    following = {key: graver for key, graver in known.items() if _follows(state.alerts[key], state.alerts[graver])}
    groups = _Groups(state, now, ids)
    for key in sorted(state.alerts, key=lambda key: (key in following, state.alerts[key].since, key)):
        if state.alerts[key].is_firing:
            groups.place(state.alerts[key], following.get(key))
    groups.regroup(following)
    groups.follow(following)
    return groups.result()


def _follows(alert: Alert, graver: Alert) -> bool:
    return alert.is_firing and alert.cause.kind in _WIDTH and graver.cause.kind in _WIDTH


class _Groups:
    """One grouping while it is worked out."""

    def __init__(self, state: AlertState, now: float, ids: Callable[[], str]) -> None:
        self._now = now
        self._ids = ids
        self._alerts = dict(state.alerts)
        self._incidents = {id_: one for id_, one in state.incidents.items() if not one.is_past(now)}
        self._by_cause: dict[str, str] = {}
        for one in sorted(self._incidents.values(), key=lambda one: (not one.is_open, one.rank)):
            if one.is_open or one.cause.kind is not CauseKind.ALERT:
                self._by_cause.setdefault(one.cause.key, one.id)

    def place(self, alert: Alert, covering: str | None) -> None:
        """Every firing alert gets an open incident: its own, one that is about the same, or a new one."""
        id_ = alert.incident if alert.incident in self._incidents else self._home(alert, covering)
        self._join([alert], id_ or self._open(alert.cause, alert.since))

    def _home(self, alert: Alert, covering: str | None) -> str | None:
        cause, known = alert.cause, self._by_cause.get(alert.cause.key)
        if cause.kind not in _WIDTH:
            return known
        if covering is not None:
            return self._alerts[covering].incident
        of_chain = self._of_chain(alert.chain)
        if of_chain is not None and (of_chain.cause == cause or _width(of_chain.cause) > _width(cause)):
            return of_chain.id
        if known is None and of_chain is not None and of_chain.cause.kind is CauseKind.CHAIN:
            self._take_over(of_chain.id, cause)
            return of_chain.id
        return known

    def _take_over(self, id_: str, cause: Cause) -> None:
        """The incident turns out to have a wider cause, and keeps its message."""
        self._incidents[id_] = replace(self._incidents[id_], cause=cause)
        self._by_cause[cause.key] = id_

    def _of_chain(self, chain: str) -> Incident | None:
        """The open incident in which something about the chain fires: of several the widest, then the oldest."""
        homes = {one.incident for one in self._alerts.values() if one.chain == chain and one.is_firing}
        open_ = [one for one in self._incidents.values() if one.id in homes and one.is_open]
        found = [one for one in open_ if one.cause.kind in _WIDTH]
        return min(found, key=lambda one: (-_width(one.cause), one.rank), default=None)

    def regroup(self, staying: Collection[str]) -> None:
        """Moves the alerts that found another cause."""
        for incident in sorted(self._incidents.values(), key=lambda one: one.rank):
            self._regroup(incident.id, staying)

    def _regroup(self, id_: str, staying: Collection[str]) -> None:
        incident = self._incidents[id_]
        firing = [one for one in self._firing(id_) if one.key not in staying]
        leaving: dict[str, list[Alert]] = {}
        for one in firing:
            if _leaves(one.cause, incident.cause):
                leaving.setdefault(one.cause.key, []).append(one)
        for key, alerts in sorted(leaving.items()):
            other = self._by_cause.get(key)
            if other is None and len(alerts) == len(firing):
                self._take_over(id_, alerts[0].cause)
            else:
                self._join(alerts, other or self._open(alerts[0].cause, min(one.since for one in alerts)))

    def follow(self, covered: Mapping[str, str]) -> None:
        """What a graver alert covers is where that one is, so that no message waits for what nobody is told."""
        for key, graver in sorted(covered.items()):
            if self._alerts[key].incident != self._alerts[graver].incident:
                self._join([self._alerts[key]], self._alerts[graver].incident)

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


def _width(cause: Cause) -> int:
    return _WIDTH[cause.kind]


def _leaves(cause: Cause, incident: Cause) -> bool:
    if cause.kind not in _WIDTH or incident.kind not in _WIDTH:
        return cause != incident
    wider = _width(cause) - _width(incident)
    return wider > 0 or (wider == 0 and cause.kind is not CauseKind.MODEL and cause != incident)


def came_apart(alerts: Mapping[str, Alert], keys: Iterable[str], incident: str) -> str | None:
    """The incident under which alerts of another one go on, if they do."""
    found = (alerts[key] for key in sorted(keys) if key in alerts)
    return next((one.incident for one in found if one.is_firing and one.incident != incident), None)

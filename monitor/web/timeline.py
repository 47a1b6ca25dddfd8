"""Times of trouble out of changes of health, one list of them and of drills, and alerts by their incident. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitor.model import Health, Transition
from monitor.web.history_views import TroubleView
from monitor.web.views import AlertView, IncidentView, RunView

_GRAVITY = (Health.LIMITED, Health.DEGRADED, Health.DOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line: an incident or a run of a drill, ``at`` when it began."""

    at: float
    trouble: TroubleView | None = None
    run: RunView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Alerts that are one incident; or, ``incident`` None, one that nobody is told of yet."""

    incident: IncidentView | None
    alerts: tuple[AlertView, ...]


def grouped(
    incidents: Sequence[IncidentView], alerts: Sequence[AlertView], chain: str | None = None
) -> tuple[Group, ...]:
    """Every alert in one group, in the order of the alerts, the gravest first; of one ``chain`` where it is named."""
    owner = {key: one for one in incidents for key in one.alerts}
    found: dict[str, Group] = {}
    for alert in alerts:
        incident = owner.get(alert.key)
        name = incident.id if incident else alert.key
        before = found[name].alerts if name in found else ()
        found[name] = Group(incident=incident, alerts=(*before, alert))
    return tuple(one for one in found.values() if chain is None or any(alert.chain == chain for alert in one.alerts))


def troubles(transitions: Iterable[Transition]) -> tuple[TroubleView, ...]:
    """The times in which a chain was not healthy, newest first, from its changes in any order; those of its targets
    are left out. Unknown ends an incident: nobody can say that it goes on."""
    found: list[TroubleView] = []
    open_: TroubleView | None = None
    for change in sorted((one for one in transitions if one.subject.target is None), key=lambda one: one.at):
        bad = change.after in _GRAVITY
        why = change.detail or change.reason.value
        if open_ is None:
            open_ = TroubleView(start=change.at, end=None, health=change.after, why=why) if bad else None
        elif not bad:
            found.append(open_.model_copy(update={"end": change.at}))
            open_ = None
        elif _GRAVITY.index(change.after) > _GRAVITY.index(open_.health):
            open_ = open_.model_copy(update={"health": change.after, "why": why})
    return tuple(reversed([*found, open_] if open_ else found))


def timeline(found: Sequence[TroubleView], runs: Sequence[RunView], limit: int) -> tuple[Entry, ...]:
    """Both in one list, newest first; what goes on stands first."""
    entries = [Entry(at=one.start, trouble=one) for one in found] + [Entry(at=run.at, run=run) for run in runs]
    return tuple(sorted(entries, key=_order, reverse=True)[:limit])


def _order(entry: Entry) -> tuple[bool, float]:
    going_on = entry.trouble.end is None if entry.trouble else entry.run is not None and entry.run.verdict is None
    return going_on, entry.at

"""Whether to speak about each incident, to whom, and why or why not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from monitor.alerting.alert import Alert, alert_key
from monitor.alerting.grouping import group
from monitor.alerting.incident import REOPEN_WITHIN, AlertState
from monitor.alerting.inhibition import covering, place_in_order
from monitor.alerting.lifecycle import Circumstances, Move, is_forgotten, move
from monitor.alerting.reasons import DecisionReason
from monitor.alerting.silences import Silence
from monitor.alerting.speaking import PATIENCE, THROTTLE, Look, speak
from monitor.conditions import Condition
from monitor.config.model import AlertsFile
from monitor.model import Notice

__all__ = ["PATIENCE", "REOPEN_WITHIN", "THROTTLE", "Decision", "DecisionReason", "decide"]

_SILENT = {
    Move.PENDING: DecisionReason.PENDING,
    Move.LAPSED: DecisionReason.LAPSED,
    Move.UNSETTLED: DecisionReason.UNSETTLED,
    Move.OVER: DecisionReason.OVER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """``state``: all that is to be remembered. ``reasons``: (alert key, reason), at least one for each alert."""

    state: AlertState
    notices: tuple[Notice, ...]
    reasons: tuple[tuple[str, DecisionReason], ...]


def decide(  # noqa: PLR0913 - all that a decision depends on, by name
    state: AlertState,
    conditions: Iterable[Condition],
    alerts: AlertsFile,
    now: float,
    muted: frozenset[str],
    *,
    chains: Collection[str],
    settled: Collection[str],
    ids: Callable[[], str],
    silences: Collection[Silence] = (),
) -> Decision:
    """What is known after a look at the conditions that hold now, and what to tell whom.

    ``chains`` are the configured ones; ``settled`` those of which something was learned since the start: an alert of
    another one stays as it was while its condition is absent. ``ids`` gives a new identifier with each call.
    """
    around = Circumstances(
        alerts=alerts,
        rules={rule.name: rule for rule in alerts.rules},
        muted=muted,
        chains=chains,
        settled=settled,
        now=now,
        ids=ids,
        silences=silences,
    )
    look, reasons = _move_all(state, {alert_key(one): one for one in conditions}, around)
    grouped = group(replace(state, alerts=look.alerts), now, ids, look.inhibited)
    look = replace(look, alerts=grouped.alerts)
    incidents, notices = dict(grouped.incidents), list[Notice]()
    for incident in sorted(incidents.values(), key=lambda one: one.rank):
        said = speak(incident, look, around)
        incidents[incident.id] = said.incident
        notices += said.notices
        for key, reason in said.reasons:
            reasons[key][reason] = None
    after = AlertState(alerts=grouped.alerts, incidents=incidents)
    kept = _remembered(after, now)
    for key in after.alerts.keys() - kept.alerts.keys():
        reasons[key] = {DecisionReason.FORGOTTEN: None}
    told = tuple((key, reason) for key, found in reasons.items() for reason in found)
    return Decision(state=kept, notices=tuple(notices), reasons=told)


def _move_all(
    state: AlertState, present: Mapping[str, Condition], around: Circumstances
) -> tuple[Look, dict[str, dict[DecisionReason, None]]]:
    """Every alert after its move, and what there is to say of those that are nobody's news."""
    after: dict[str, Alert] = {}
    moves: dict[str, Move] = {}
    inhibited: dict[str, str] = {}
    reasons: dict[str, dict[DecisionReason, None]] = {}
    for key in _in_order(state.alerts, present):
        alert, condition = state.alerts.get(key), present.get(key)
        graver = covering(alert or condition, after.values(), state, around, inhibited)
        moved, how = move(alert, condition, around, hidden=graver is not None and _hides(after[graver], alert))
        moves[key] = how
        reasons[key] = {_SILENT[how]: None} if how in _SILENT else {}
        if moved is not None:
            after[key] = moved
        if graver is not None:
            inhibited[key] = graver
    return Look(alerts=after, moves=moves, inhibited=inhibited), reasons


def _hides(graver: Alert, alert: Alert | None) -> bool:
    """An outage hides its symptoms: that they cannot be seen does not show that they are over. A graver degree of the
    same thing hides nothing."""
    return alert is not None and graver.when != alert.when


def _in_order(alerts: Mapping[str, Alert], present: Mapping[str, Condition]) -> list[str]:
    """Whatever can silence others comes first, so that an outage and its symptoms are not told in one breath."""
    about: dict[str, Alert | Condition] = {**alerts, **present}
    return sorted(about, key=lambda key: place_in_order(key, about[key]))


def _remembered(state: AlertState, now: float) -> AlertState:
    """Without what ended long ago. What ended in an incident that goes on is part of it to its end; so is, for whoever
    was told of it there, what has moved on to another."""
    incidents = {id_: one for id_, one in state.incidents.items() if not one.is_past(now)}
    open_ = [one for one in incidents.values() if one.is_open]
    homes = {one.id for one in open_}
    told = {key for one in open_ for known in one.told if not known.over for key in known.members}
    alerts = {
        key: one
        for key, one in state.alerts.items()
        if not is_forgotten(one, now) or one.incident in homes or key in told
    }
    return AlertState(alerts=alerts, incidents=incidents)

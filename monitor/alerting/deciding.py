"""Whether to speak about each incident, to whom, and why or why not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from monitor.alerting.incident import Incident, Stage, Told, incident_key
from monitor.alerting.lifecycle import REOPEN_WITHIN, Circumstances, Move, move
from monitor.alerting.routing import recipients
from monitor.alerting.silences import Silence
from monitor.conditions import RULES, Condition
from monitor.config.model import AlertsFile
from monitor.config.quantity import format_duration
from monitor.model import Notice, NoticeCause, NoticeState

__all__ = ["REOPEN_WITHIN", "THROTTLE", "Decision", "DecisionReason", "decide"]

THROTTLE = 30.0
"""Seconds between two messages to one notifier about changes of one incident."""
LATE = 600.0
"""Seconds that two repeats may be late before a firing notice may be taken for over."""


class DecisionReason(StrEnum):
    """Why somebody was told about an incident, or why nobody was."""

    FIRST = "first"
    CHANGED = "changed"
    AGAIN = "again"
    REPEAT_DUE = "repeat_due"
    RESOLVED = "resolved"
    VANISHED = "vanished"
    PENDING = "pending"
    LAPSED = "lapsed"
    NOT_DUE = "not_due"
    THROTTLED = "throttled"
    INHIBITED = "inhibited"
    SILENCED = "silenced"
    SILENCE_OVER = "silence_over"
    HELD = "held"
    UNSETTLED = "unsettled"
    NO_ROUTE = "no_route"
    MUTED = "muted"
    RESOLVED_QUIETLY = "resolved_quietly"
    OVER = "over"
    FORGOTTEN = "forgotten"


_SILENT = {
    Move.PENDING: DecisionReason.PENDING,
    Move.LAPSED: DecisionReason.LAPSED,
    Move.UNSETTLED: DecisionReason.UNSETTLED,
    Move.SUSPENDED: DecisionReason.INHIBITED,
    Move.HELD: DecisionReason.HELD,
    Move.OVER: DecisionReason.OVER,
    Move.FORGOTTEN: DecisionReason.FORGOTTEN,
}
_CAUSES = {
    DecisionReason.FIRST: NoticeCause.FIRST,
    DecisionReason.CHANGED: NoticeCause.CHANGED,
    DecisionReason.AGAIN: NoticeCause.CHANGED,
    DecisionReason.REPEAT_DUE: NoticeCause.REPEAT_DUE,
    DecisionReason.SILENCE_OVER: NoticeCause.REPEAT_DUE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """``incidents``: all that is to be remembered, by key. ``reasons``: (incident key, reason), at least one each."""

    incidents: Mapping[str, Incident]
    notices: tuple[Notice, ...]
    reasons: tuple[tuple[str, DecisionReason], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What was decided about one incident."""

    incident: Incident | None
    notices: tuple[Notice, ...] = ()
    reasons: tuple[DecisionReason, ...] = ()


def decide(  # noqa: PLR0913 - all that a decision depends on, by name
    incidents: Mapping[str, Incident],
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
    """The incidents after a look at the conditions that hold now, and what to tell whom.

    ``chains`` are the configured ones; ``settled`` those of which something was learned since the start: an incident
    of another one stays as it was while its condition is absent. ``ids`` gives a new identifier with each call.
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
    present = {incident_key(condition): condition for condition in conditions}
    after: dict[str, Incident] = {}
    notices: list[Notice] = []
    reasons: list[tuple[str, DecisionReason]] = []
    for key in _in_order(incidents, present):
        incident, condition = incidents.get(key), present.get(key)
        inhibited = _inhibited(incident or condition, after.values())
        moved, how = move(incident, condition, around, inhibited=inhibited)
        said = _say(moved, how, around, inhibited=inhibited)
        if said.incident is not None:
            after[key] = said.incident
        notices += said.notices
        reasons += [(key, reason) for reason in dict.fromkeys(said.reasons)]
    return Decision(incidents=after, notices=tuple(notices), reasons=tuple(reasons))


def _in_order(incidents: Mapping[str, Incident], present: Mapping[str, Condition]) -> list[str]:
    """Whatever can silence others comes first, so that an outage and its symptoms are not told in one breath."""
    whens = {key: incident.when for key, incident in incidents.items()}
    whens |= {key: condition.when for key, condition in present.items()}
    return sorted(whens, key=lambda key: (not _inhibits(whens[key]), key))


def _inhibits(when: str) -> frozenset[str]:
    rule = RULES.get(when)
    return rule.inhibits if rule else frozenset()


def _inhibited(about: Incident | Condition | None, decided: Iterable[Incident]) -> bool:
    """Only an incident that somebody was told of silences others: the outage must be known from somewhere."""
    return about is not None and any(
        other.stage is Stage.FIRING
        and other.is_announced
        and other.chain == about.chain
        and about.when in _inhibits(other.when)
        for other in decided
    )


def _say(incident: Incident | None, how: Move, around: Circumstances, *, inhibited: bool) -> _Said:
    if incident is None or how in _SILENT:
        return _Said(incident=incident, reasons=(_SILENT[how],))
    if how in (Move.ENDED, Move.VANISHED):
        return _say_over(incident, how, around)
    if inhibited:
        return _Said(incident=incident, reasons=(DecisionReason.INHIBITED,))
    if around.silences_now(incident):
        return _Said(incident=replace(incident, silenced=True), reasons=(DecisionReason.SILENCED,))
    named = recipients(incident, around.alerts)
    heard = [name for name in named if name not in around.muted]
    if not heard:
        return _Said(incident=incident, reasons=(DecisionReason.MUTED if named else DecisionReason.NO_ROUTE,))
    reasons = {name: _due(incident, incident.last_told(name), around) for name in heard}
    speak = {name: reason for name, reason in reasons.items() if reason in _CAUSES}
    notices = tuple(_firing_notice(incident, name, reason, around) for name, reason in speak.items())
    told = replace(_told(incident, speak, around.now, over=False), silenced=False)
    return _Said(incident=told, notices=notices, reasons=tuple(reasons.values()))


def _due(incident: Incident, told: Told | None, around: Circumstances) -> DecisionReason:
    if told is None:
        return DecisionReason.FIRST
    if told.over:
        return DecisionReason.AGAIN
    if incident.silenced:
        return DecisionReason.SILENCE_OVER
    silence = around.now - told.at
    if told.gist != incident.gist:
        return DecisionReason.CHANGED if silence >= THROTTLE else DecisionReason.THROTTLED
    repeat = around.rules[incident.alert].repeat
    return DecisionReason.REPEAT_DUE if silence >= repeat else DecisionReason.NOT_DUE


def _say_over(incident: Incident, how: Move, around: Circumstances) -> _Said:
    """Whoever was told that it began is told that it is over, whatever the routes say by now."""
    rule = around.rules.get(incident.alert)
    exist = {notifier.name for notifier in around.alerts.notifiers} - set(around.muted)
    names = [told.notifier for told in incident.told if not told.over and told.notifier in exist]
    if not names or (rule is not None and not rule.resolve):
        return _Said(incident=incident, reasons=(DecisionReason.RESOLVED_QUIETLY,))
    summary = _vanished(incident, around) if how is Move.VANISHED else RULES[incident.when].over
    ended = replace(incident, summary=summary, facts=(*incident.facts, ("lasted", _lasted(incident, around.now))))
    notices = tuple(_notice(ended, name, NoticeState.RESOLVED, NoticeCause.RESOLVED, around) for name in names)
    reason = DecisionReason.VANISHED if how is Move.VANISHED else DecisionReason.RESOLVED
    return _Said(incident=_told(incident, names, around.now, over=True), notices=notices, reasons=(reason,))


def _vanished(incident: Incident, around: Circumstances) -> str:
    gone = (
        f"chain {incident.chain}" if incident.chain not in around.chains else f"alert {incident.alert} for this chain"
    )
    return f"No longer watched: the {gone} was taken out of the config."


def _lasted(incident: Incident, now: float) -> str:
    return format_duration(max(1.0, round(now - incident.since)))


def _told(incident: Incident, names: Collection[str], now: float, *, over: bool) -> Incident:
    if not names:
        return incident
    kept = tuple(told for told in incident.told if told.notifier not in names)
    new = tuple(Told(notifier=name, at=now, gist=incident.gist, over=over) for name in names)
    return replace(incident, told=kept + new)


def _firing_notice(incident: Incident, notifier: str, reason: DecisionReason, around: Circumstances) -> Notice:
    shown = incident
    if reason is DecisionReason.AGAIN and incident.resolved is not None:
        back = format_duration(max(1.0, round(incident.since - incident.resolved)))
        shown = replace(incident, facts=(*incident.facts, ("again", f"came back {back} after it was resolved")))
    until = around.now + 2 * around.rules[incident.alert].repeat + LATE
    return replace(_notice(shown, notifier, NoticeState.FIRING, _CAUSES[reason], around), until=until)


def _notice(incident: Incident, notifier: str, state: NoticeState, cause: NoticeCause, around: Circumstances) -> Notice:
    return Notice(
        id=around.ids(),
        at=around.now,
        incident=incident.id,
        alert=incident.alert,
        chain=incident.chain,
        severity=incident.severity,
        state=state,
        cause=cause,
        notifier=notifier,
        title=incident.title,
        summary=incident.summary,
        facts=incident.facts,
        since=incident.since,
        link=around.alerts.link,
    )

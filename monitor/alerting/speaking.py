"""What each notifier is told about one incident now, and why or why not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from monitor.alerting.alert import Alert
from monitor.alerting.grouping import came_apart
from monitor.alerting.hearing import Telling
from monitor.alerting.incident import Incident, Told
from monitor.alerting.lifecycle import Circumstances, Move
from monitor.alerting.reasons import DecisionReason
from monitor.alerting.routing import recipients
from monitor.alerting.telling import CAUSES, ended_notice, firing_notice, is_graver, is_relieved, is_worse
from monitor.model import Notice

THROTTLE = 30.0
"""Seconds between two messages to one notifier about changes of one incident, unless it became more severe."""
PATIENCE = 180.0
"""The same for changes that make an incident of several alerts no worse: what flickers in a partial outage is told as
it stands now and then."""

R = DecisionReason
_ENDS = (Move.ENDED, Move.VANISHED)
_WAITING = {Move.HELD: R.HELD, Move.UNSETTLED: R.UNSETTLED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at all alerts: as they are now, what became of them, and which of them a graver one covers, by key."""

    alerts: Mapping[str, Alert]
    moves: Mapping[str, Move]
    inhibited: Mapping[str, str]

    def members(self, incident: Incident) -> list[Alert]:
        """Those that fire or have ended, in the order of their keys. One that came back and is pending is neither."""
        keys = sorted(key for key, one in self.alerts.items() if one.incident == incident.id)
        return [self.alerts[key] for key in keys if self.moves[key] is not Move.PENDING]


@dataclass(slots=True, kw_only=True)
class Said:
    """What was decided about one incident."""

    incident: Incident
    notices: list[Notice] = field(default_factory=list)
    reasons: list[tuple[str, DecisionReason]] = field(default_factory=list)

    def because(self, alerts: Sequence[Alert], reason: DecisionReason) -> None:
        self.reasons += [(one.key, reason) for one in alerts]


def speak(incident: Incident, look: Look, around: Circumstances) -> Said:
    """Whoever was told that it began is told that it is over, whatever the routes say by now."""
    members = look.members(incident)
    firing = [one for one in members if one.is_firing]
    ended = [one for one in members if look.moves[one.key] in _ENDS]
    silenced = {one.key for one in firing if around.silences_now(one)}
    shown = [one for one in firing if one.key not in look.inhibited and one.key not in silenced]
    said = Said(incident=_without_stale_acknowledgement(incident, firing))
    said.because([one for one in firing if one.key in look.inhibited], R.INHIBITED)
    said.because([one for one in firing if one.key in silenced - look.inhibited.keys()], R.SILENCED)
    routes = {one.key: recipients(one, around.alerts) for one in firing}
    _say_who_hears_nothing(said, shown, routes, around)
    news = any(look.moves[one.key] not in _WAITING for one in shown)
    for name in _names(incident, shown, routes, around):
        told = incident.last_told(name)
        heard = [one for one in shown if name in routes[one.key]]
        concerned = any(name in routes[one.key] or (told and one.key in told.members) for one in firing)
        if told is not None and not told.over and not concerned:
            _say_over(said, name, told, look, around)
        elif heard and news:
            _say_firing(said, name, told, heard, look, around)
        else:
            said.because(ended, R.LEFT)
    _say_quiet_ends(said, ended)
    for one in shown:
        if (waiting := _WAITING.get(look.moves[one.key])) is not None:
            said.because([one], waiting)
    said.incident = replace(said.incident, silenced=_is_silenced(incident, firing, shown, silenced, look))
    return said


def _is_silenced(
    incident: Incident, firing: Sequence[Alert], shown: Sequence[Alert], silenced: Collection[str], look: Look
) -> bool:
    """Until something of it was shown again, people are owed a word after the silence."""
    if shown and any(look.moves[one.key] not in _WAITING for one in shown):
        return False
    return bool(firing) and (incident.silenced or any(key not in look.inhibited for key in silenced))


def _names(
    incident: Incident, shown: Sequence[Alert], routes: Mapping[str, tuple[str, ...]], around: Circumstances
) -> Iterator[str]:
    """Everybody who is or was told, in the order of the routes; without those that are off or gone."""
    exist = {notifier.name for notifier in around.alerts.notifiers} - set(around.muted)
    routed = (name for one in shown for name in routes[one.key])
    told = (one.notifier for one in incident.told if not one.over)
    return (name for name in dict.fromkeys((*routed, *told)) if name in exist)


def _say_who_hears_nothing(
    said: Said, shown: Sequence[Alert], routes: Mapping[str, tuple[str, ...]], around: Circumstances
) -> None:
    for one in shown:
        if not any(name not in around.muted for name in routes[one.key]):
            said.because([one], R.MUTED if routes[one.key] else R.NO_ROUTE)


def _say_firing(
    said: Said,
    name: str,
    told: Told | None,
    heard: Sequence[Alert],
    look: Look,
    around: Circumstances,
) -> None:
    incident = said.incident
    reason = _due(incident, told, heard, around)
    said.because(heard, reason)
    left = _left(told, incident, look)
    said.because([one for one in left if look.moves[one.key] is not Move.PENDING], R.LEFT)
    if reason not in CAUSES:
        return
    telling = Telling(
        incident=incident, notifier=name, told=told, heard=tuple(heard), left=tuple(left), gone=_gone(told, heard, look)
    )
    said.notices.append(firing_notice(telling, reason, around))
    known = () if told is None else told.members
    now = Told(
        notifier=name,
        at=around.now,
        gist=telling.gist,
        members=tuple(dict.fromkeys((*known, *(one.key for one in heard)))),
        acknowledged=incident.acknowledged.at if incident.acknowledged else None,
    )
    said.incident = _with_told(incident, now)


def _left(told: Told | None, incident: Incident, look: Look) -> list[Alert]:
    """What it was told of and is over; so is what came back and waits for its rule's ``for``."""
    known = () if told is None else told.members
    found = (look.alerts[key] for key in sorted(known) if key in look.alerts)
    return [one for one in found if one.incident == incident.id and not one.is_firing]


def _gone(told: Told | None, heard: Sequence[Alert], look: Look) -> tuple[str, ...]:
    """What is told no more and yet fires: a graver alert says it all, or it goes on in another incident."""
    known = {gist[0] for gist in told.gist} - {one.key for one in heard} if told is not None else set()
    fire = [look.alerts[key] for key in sorted(known) if key in look.alerts and look.alerts[key].is_firing]
    return tuple(
        f"Covered by a graver alert: {one.title}" if one.key in look.inhibited else f"Goes on elsewhere: {one.title}"
        for one in fire
    )


def _due(incident: Incident, told: Told | None, heard: Sequence[Alert], around: Circumstances) -> DecisionReason:
    if told is None:
        return R.FIRST
    if told.over:
        return R.AGAIN
    taken = incident.acknowledged
    if taken is not None and told.acknowledged != taken.at:
        return R.ACKNOWLEDGED
    if incident.silenced and taken is None:
        return R.SILENCE_OVER
    silence = around.now - told.at
    if told.gist != tuple(one.gist for one in heard):
        soon = len(heard) == 1 or is_worse(told, heard) or is_relieved(told, heard)
        pause = THROTTLE if soon else PATIENCE
        return R.CHANGED if silence >= pause or is_graver(told, heard) else R.THROTTLED
    if taken is not None:
        return R.TAKEN_ON
    repeat = min(around.rules[one.alert].repeat for one in heard)
    return R.REPEAT_DUE if silence >= repeat else R.NOT_DUE


def _say_over(said: Said, name: str, told: Told, look: Look, around: Circumstances) -> None:
    known = [look.alerts[key] for key in told.members if key in look.alerts]
    over = known or look.members(said.incident)  # what was told may be another alert by now, or none
    mine = [one for one in over if one.incident == said.incident.id]
    onward = came_apart(look.alerts, told.members, said.incident.id)
    fired = {gist[0] for gist in told.gist}
    quietly = all(key in look.alerts and _ends_quietly(look.alerts[key], around) for key in fired)
    if not over or (quietly and not onward):
        said.because([one for one in mine if look.moves[one.key] in _ENDS], R.RESOLVED_QUIETLY)
        return
    vanished = bool(mine) and all(one.vanished for one in mine)
    reason = R.MERGED if onward else R.VANISHED if vanished else R.RESOLVED
    new = [one for one in mine if look.moves[one.key] in _ENDS]
    said.because(new if mine else over, reason)
    shown = mine or [one for one in over if one.key in fired] or over
    telling = Telling(incident=said.incident, notifier=name, told=told, heard=(), left=tuple(shown))
    said.notices.append(ended_notice(telling, reason, onward, around))
    said.incident = _with_told(said.incident, replace(told, at=around.now, over=True))


def _ends_quietly(alert: Alert, around: Circumstances) -> bool:
    rule = around.rules.get(alert.alert)
    return rule is not None and not rule.resolve


def _say_quiet_ends(said: Said, ended: Sequence[Alert]) -> None:
    spoken = {key for key, _ in said.reasons}
    said.because([one for one in ended if one.key not in spoken], R.RESOLVED_QUIETLY)


def _with_told(incident: Incident, told: Told) -> Incident:
    kept = tuple(one for one in incident.told if one.notifier != told.notifier)
    return replace(incident, told=(*kept, told))


def _without_stale_acknowledgement(incident: Incident, firing: Sequence[Alert]) -> Incident:
    """An acknowledgement ends when something is added to what it covers."""
    if incident.acknowledged is None:
        return incident
    burden = {part for one in firing for part in one.burden}
    return incident if burden <= set(incident.burden) else replace(incident, acknowledged=None, burden=())

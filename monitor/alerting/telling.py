"""The words and values of a notice about an incident."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from monitor.alerting.alert import Alert
from monitor.alerting.incident import Gist, Incident, Told
from monitor.alerting.lifecycle import Circumstances
from monitor.alerting.reasons import DecisionReason
from monitor.conditions import RULES, CauseKind
from monitor.config.quantity import format_duration
from monitor.model import Member, Notice, NoticeCause, NoticeState, Severity

LATE = 600.0
"""Seconds that two repeats may be late before a firing notice may be taken for over."""
MOST_NAMED = 20

R = DecisionReason
CAUSES = {
    R.FIRST: NoticeCause.FIRST,
    R.CHANGED: NoticeCause.CHANGED,
    R.AGAIN: NoticeCause.CHANGED,
    R.REPEAT_DUE: NoticeCause.REPEAT_DUE,
    R.SILENCE_OVER: NoticeCause.REPEAT_DUE,
    R.ACKNOWLEDGED: NoticeCause.ACKNOWLEDGED,
}
_RANK = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One notifier, and what it hears: alerts that fire, and those it was told of before that ended."""

    incident: Incident
    notifier: str
    told: Told | None
    heard: tuple[Alert, ...]
    left: tuple[Alert, ...] = ()

    @property
    def gist(self) -> Gist:
        return tuple(one.gist for one in self.heard)

    @property
    def lead(self) -> Alert:
        """The gravest, of equals the oldest."""
        return min(self.heard or self.left, key=lambda one: (-_RANK[one.severity], one.since, one.key))

    @property
    def chains(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one.chain for one in self.heard or self.left))


def firing_notice(telling: Telling, reason: DecisionReason, around: Circumstances) -> Notice:
    facts: tuple[tuple[str, str], ...] = ()
    if reason is R.AGAIN and telling.lead.resolved is not None:
        back = format_duration(max(1.0, round(telling.lead.since - telling.lead.resolved)))
        facts = (("again", f"came back {back} after it was resolved"),)
    repeat = min(around.rules[one.alert].repeat for one in telling.heard)
    plain = _notice(telling, NoticeState.FIRING, CAUSES[reason], facts, around)
    taken = telling.incident.acknowledged
    return replace(
        plain,
        until=None if taken else around.now + 2 * repeat + LATE,  # what was taken on is told no more, and yet not over
        changes=tuple(_changes(telling)),
        worse=telling.told is None or telling.told.over or is_worse(telling.told, telling.heard),
    )


def ended_notice(telling: Telling, reason: DecisionReason, onward: str | None, around: Circumstances) -> Notice:
    facts = (("lasted", format_duration(max(1.0, round(around.now - telling.incident.since)))),)
    notice = _notice(telling, NoticeState.RESOLVED, NoticeCause.RESOLVED, facts, around)
    lead = telling.lead
    if onward is not None:
        shared = f", which is about {lead.cause}" if lead.cause.is_shared else ""
        return replace(notice, summary=f"It goes on as part of incident {onward}{shared}.", merged_into=onward)
    if reason is R.VANISHED:
        return replace(notice, summary=_vanished(lead, around))
    over = RULES[lead.when].over if len(telling.chains) == 1 else f"Over for: {_named(telling.chains)}."
    return replace(notice, summary=over)


def is_graver(told: Told, heard: Sequence[Alert]) -> bool:
    """Whether its severity rose since it was told: nobody who was told of a warning waits for what is critical."""
    return max(_RANK[one.severity] for one in heard) > _gravest(told)


def is_worse(told: Told, heard: Sequence[Alert]) -> bool:
    """Whether it became graver since it was told: a chain joined, or the severity rose."""
    joined = {one.chain for one in heard} - {gist[1] for gist in told.gist}
    same = max(_RANK[one.severity] for one in heard) == _gravest(told)
    return is_graver(told, heard) or (same and bool(joined))


def _gravest(told: Told) -> int:
    return max((_RANK[Severity(gist[2])] for gist in told.gist), default=-1)


def _notice(
    telling: Telling,
    state: NoticeState,
    cause: NoticeCause,
    facts: tuple[tuple[str, str], ...],
    around: Circumstances,
) -> Notice:
    incident, lead = telling.incident, telling.lead
    title, summary, shown = _words(telling)
    return Notice(
        id=around.ids(),
        at=around.now,
        incident=incident.id,
        alert=lead.alert,
        chain=lead.chain,
        severity=lead.severity,
        state=state,
        cause=cause,
        notifier=telling.notifier,
        title=title,
        summary=summary,
        facts=(*shown, *facts),
        since=incident.since,
        link=around.alerts.link,
        members=tuple(_members(telling)),
        shared=str(incident.cause) if incident.cause.is_shared else None,
        acknowledged=incident.acknowledged,
        docs=docs_link(around.alerts.docs, lead.when),
    )


def docs_link(docs: str | None, when: str) -> str | None:
    """Where a rule is explained: its heading in the README."""
    return f"{docs}#{when}" if docs else None


def _words(telling: Telling) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """Title, summary and facts: of one chain as its gravest alert has them, of several as a list."""
    lead, shown = telling.lead, telling.heard or telling.left
    if len(telling.chains) == 1:
        others = [one.title for one in shown if one is not lead and one.title != lead.title]
        return lead.title, lead.summary, (*lead.facts, *((("also", "; ".join(others)),) if others else ()))
    by_alert: dict[str, list[str]] = {}
    for one in sorted(shown, key=lambda one: (-_RANK[one.severity], one.alert, one.chain)):
        by_alert.setdefault(one.alert, []).append(one.chain)
    cause = str(telling.incident.cause)
    hit = "concerned" if telling.incident.cause.kind is CauseKind.CATALOGUE else "hit"
    title = f"{cause[0].upper()}{cause[1:]}: {len(telling.chains)} chains are {hit}"
    summary = "; ".join(f"{alert}: {_named(chains)}" for alert, chains in by_alert.items())
    facts = [("in common", cause), *((one.chain, f"{one.title}. {one.summary}") for one in shown[:MOST_NAMED])]
    return title, f"{summary}.", tuple(facts)


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if names[MOST_NAMED:] else ""
    return ", ".join(names[:MOST_NAMED]) + more


def _members(telling: Telling) -> Iterator[Member]:
    for one in sorted((*telling.heard, *telling.left), key=lambda one: one.key):
        yield Member(
            key=one.key,
            alert=one.alert,
            chain=one.chain,
            subject=one.subject,
            severity=one.severity,
            state=NoticeState.FIRING if one in telling.heard else NoticeState.RESOLVED,
            title=one.title,
            summary=one.summary,
            since=one.since,
        )


def _changes(telling: Telling) -> Iterator[str]:
    """What is new since the notifier was told, a sentence each."""
    if telling.told is None or telling.told.over:
        return
    known = {gist[0]: gist for gist in telling.told.gist}
    for one in telling.heard:
        before = known.pop(one.key, None)
        if before is None:
            yield f"New: {one.title}"
        elif before != one.gist:
            yield f"Now: {one.title}" + (f" ({', '.join(one.matters)})" if one.matters else "")
    ended = {one.key: one for one in telling.left}
    yield from (f"Over: {ended[key].title}" for key in known if key in ended)
    taken = telling.incident.acknowledged
    if taken is not None and telling.told.acknowledged != taken.at:
        yield f"Acknowledged by {taken.by}"
    elif taken is None and telling.told.acknowledged is not None:
        yield "No longer acknowledged: something was added to it"


def _vanished(alert: Alert, around: Circumstances) -> str:
    gone = f"chain {alert.chain}" if alert.chain not in around.chains else f"alert {alert.alert} for this chain"
    return f"No longer watched: the {gone} was taken out of the config."

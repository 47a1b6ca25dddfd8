"""The words and values of a notice about an incident."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from monitor.alerting.alert import Alert
from monitor.alerting.hearing import RANK, Telling
from monitor.alerting.incident import Told
from monitor.alerting.lifecycle import Circumstances
from monitor.alerting.reasons import DecisionReason
from monitor.alerting.wording import advice, changes, named, vanished, words
from monitor.conditions import RULES
from monitor.config.model import AlertsFile
from monitor.config.quantity import format_duration
from monitor.model import Member, Notice, NoticeCause, NoticeState, Severity

LATE = 600.0
"""Seconds that two repeats may be late before a firing notice may be taken for over."""

R = DecisionReason
CAUSES = {
    R.FIRST: NoticeCause.FIRST,
    R.CHANGED: NoticeCause.CHANGED,
    R.AGAIN: NoticeCause.CHANGED,
    R.REPEAT_DUE: NoticeCause.REPEAT_DUE,
    R.SILENCE_OVER: NoticeCause.REPEAT_DUE,
    R.ACKNOWLEDGED: NoticeCause.ACKNOWLEDGED,
}


def firing_notice(telling: Telling, reason: DecisionReason, around: Circumstances) -> Notice:
    facts: tuple[tuple[str, str], ...] = ()
    if reason is R.AGAIN and telling.lead.resolved is not None:
        back = format_duration(max(1.0, round(telling.lead.since - telling.lead.resolved)))
        facts = (("again", f"came back {back} after it was resolved"),)
    repeat = min(around.rules[one.alert].repeat for one in telling.heard)
    plain = _notice(telling, NoticeState.FIRING, CAUSES[reason], facts, around)
    taken, told = telling.incident.acknowledged, telling.told
    worse = told is None or told.over or is_worse(told, telling.heard)
    return replace(
        plain,
        until=None if taken else around.now + 2 * repeat + LATE,  # what was taken on is told no more, and yet not over
        changes=changes(telling, worse=worse),
        worse=worse,
        advice=advice(telling.lead),
    )


def ended_notice(telling: Telling, reason: DecisionReason, onward: str | None, around: Circumstances) -> Notice:
    facts = (("lasted", format_duration(max(1.0, round(around.now - telling.incident.since)))),)
    notice = _notice(telling, NoticeState.RESOLVED, NoticeCause.RESOLVED, facts, around)
    lead = telling.lead
    if onward is not None:
        shared = f", which is about {lead.cause}" if lead.cause.is_shared else ""
        return replace(notice, summary=f"It goes on as part of incident {onward}{shared}.", merged_into=onward)
    if reason is R.VANISHED:
        return replace(notice, summary=vanished(lead, around.chains))
    over = RULES[lead.when].over if len(telling.chains) == 1 else f"Over for: {named(telling.chains)}."
    return replace(notice, summary=over)


def is_graver(told: Told, heard: Sequence[Alert]) -> bool:
    """Whether its severity rose since it was told: nobody who was told of a warning waits for what is critical."""
    return max(RANK[one.severity] for one in heard) > _gravest(told)


def is_worse(told: Told, heard: Sequence[Alert]) -> bool:
    """Whether it became graver since it was told: a chain joined, or the severity rose."""
    joined = {one.chain for one in heard} - {gist[1] for gist in told.gist}
    same = max(RANK[one.severity] for one in heard) == _gravest(told)
    return is_graver(told, heard) or (same and bool(joined))


def is_relieved(told: Told, heard: Sequence[Alert]) -> bool:
    """Whether an alert of the gravest severity is over wherever it fired: nobody is to work on what is mended."""
    gravest = _gravest(told)
    names = {gist[0].partition(":")[0] for gist in told.gist if RANK[Severity(gist[2])] == gravest}
    return gravest == RANK[Severity.CRITICAL] and not names <= {one.alert for one in heard}


def _gravest(told: Told) -> int:
    return max((RANK[Severity(gist[2])] for gist in told.gist), default=-1)


def _notice(
    telling: Telling,
    state: NoticeState,
    cause: NoticeCause,
    facts: tuple[tuple[str, str], ...],
    around: Circumstances,
) -> Notice:
    incident, lead = telling.incident, telling.lead
    title, summary, shown = words(telling)
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
        docs=docs_link(around.alerts, lead.when),
    )


def docs_link(alerts: AlertsFile, when: str) -> str | None:
    """Where a rule is explained: its heading in the README where that is known, else on the daemon's own page."""
    if alerts.docs:
        return f"{alerts.docs}#{when}"
    return f"{alerts.link.rstrip('/')}/rules#{when}" if alerts.link else None


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

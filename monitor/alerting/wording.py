"""Titles, sentences and facts of a notice about an incident."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from monitor.alerting.alert import Alert
from monitor.alerting.hearing import RANK, Telling
from monitor.clock import utc_minute
from monitor.conditions import RULES, CauseKind
from monitor.conditions.evidence import OF_THE_MOMENT
from monitor.config.quantity import format_duration

MOST_NAMED = 20

Facts = tuple[tuple[str, str], ...]


def words(telling: Telling) -> tuple[str, str, Facts]:
    """Title, summary and facts: of one chain as its gravest alert has them, of several as a list."""
    return _of_many(telling) if len(telling.chains) > 1 else _of_one(telling)


def advice(alert: Alert) -> str:
    """What to do about it, for whoever was woken by it: with the chain's name where a command takes one."""
    rule = RULES[alert.when]
    text = f"{rule.diagnosis} {rule.mitigation}"
    return text.replace("CHAIN", alert.chain) if alert.chain else text


def _of_one(telling: Telling) -> tuple[str, str, Facts]:
    lead, shown = telling.lead, telling.heard or telling.left
    if telling.heard:
        others = [one.title for one in shown if one is not lead and one.title != lead.title]
        return lead.title, lead.summary, (*lead.facts, *((("also", "; ".join(others)),) if others else ()))
    facts = tuple(fact for fact in lead.facts if fact[0] not in OF_THE_MOMENT)
    course = "; ".join(f"{one.title}: {_stretch(one)}" for one in _by_begin(shown)[:MOST_NAMED])
    return lead.title, lead.summary, (*((("course", course),) if shown[1:] else ()), *facts)


def _of_many(telling: Telling) -> tuple[str, str, Facts]:
    shown, cause = telling.heard or telling.left, str(telling.incident.cause)
    by_alert, by_chain = dict[str, list[str]](), dict[str, list[Alert]]()
    for one in _by_gravity(shown):
        by_alert.setdefault(one.alert, []).append(one.chain)
        by_chain.setdefault(one.chain, []).append(one)
    hit = "concerned" if telling.incident.cause.kind is CauseKind.CATALOGUE else "hit"
    title = f"{cause[0].upper()}{cause[1:]}: {len(telling.chains)} chains {'are' if telling.heard else 'were'} {hit}"
    summary = "; ".join(f"{alert}: {named(chains)}" for alert, chains in by_alert.items())
    said = _now if telling.heard else _course
    alike: dict[str, list[str]] = {}  # what is the same of several chains is said once
    for chain, found in by_chain.items():
        alike.setdefault(said(found), []).append(chain)
    return title, f"{summary}.", tuple((named(chains), text) for text, chains in [*alike.items()][:MOST_NAMED])


def _now(alerts: Sequence[Alert]) -> str:
    return "; ".join(one.brief or one.title for one in alerts)


def _course(alerts: Sequence[Alert]) -> str:
    return "; ".join(f"{one.alert} {_stretch(one)}" for one in _by_begin(alerts))


def _by_begin(alerts: Sequence[Alert]) -> list[Alert]:
    return sorted(alerts, key=lambda one: (one.since, one.key))


def _by_gravity(alerts: Sequence[Alert]) -> list[Alert]:
    return sorted(alerts, key=lambda one: (-RANK[one.severity], one.alert, one.chain, one.key))


def _stretch(alert: Alert) -> str:
    """``03:00 to 03:40 UTC (40m2s)``; from when on, for one that goes on elsewhere."""
    begun = utc_minute(alert.since)
    if alert.resolved is None or alert.resolved < alert.since:
        return f"since {begun}"
    lasted = format_duration(max(1.0, round(alert.resolved - alert.since)))
    return f"{begun.removesuffix(' UTC')} to {utc_minute(alert.resolved)} ({lasted})"


def named(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if names[MOST_NAMED:] else ""
    return ", ".join(names[:MOST_NAMED]) + more


def changes(telling: Telling, *, worse: bool) -> tuple[str, ...]:
    """What is new since the notifier was told, a sentence each; what is over first, unless it got worse."""
    told = telling.told
    if told is None or told.over:
        return ()
    known = {gist[0]: gist for gist in told.gist}
    new = [text for one in _by_gravity(telling.heard) for text in _turned(known.pop(one.key, None), one)]
    over = [f"Over: {one.title}" for one in _by_gravity(telling.left) if one.key in known]
    news = new + over if worse else over + new
    return (*(news or telling.gone), *_acknowledged(telling))


def _turned(before: Sequence[str] | None, alert: Alert) -> Iterator[str]:
    """``before``: its gist when it was told."""
    if before is None:
        yield f"New: {alert.title}"
    elif tuple(before) != alert.gist:
        was, now = before[4:], alert.gist[4:]
        came = [f"now {matter}" for matter in now if matter not in was]
        went = [f"no longer {matter}" for matter in was if matter not in now]
        yield f"{alert.title}: {', '.join((*came, *went))}" if came or went else f"Now: {alert.title}"


def _acknowledged(telling: Telling) -> Iterator[str]:
    taken, told = telling.incident.acknowledged, telling.told
    known = told.acknowledged if told is not None else None
    if taken is not None and known != taken.at:
        yield f"Acknowledged by {taken.by}"
    elif taken is None and known is not None:
        yield "No longer acknowledged: something was added to it"


def vanished(alert: Alert, chains: Collection[str]) -> str:
    gone = f"chain {alert.chain}" if alert.chain not in chains else f"alert {alert.alert} for this chain"
    return f"No longer watched: the {gone} was taken out of the config."

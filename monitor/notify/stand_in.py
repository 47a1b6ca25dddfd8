"""Who is told in place of a notifier that is broken, and how that itself is told: values and rules, pure."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from pydantic import TypeAdapter, ValidationError

from monitor.alerting.routing import Routed, recipients
from monitor.config.model import AlertsFile
from monitor.config.quantity import format_duration
from monitor.model import Notice, NoticeCause, NoticeState, Severity

ALERT = "notifier_broken"
"""The alert's name in messages: it needs no rule and no route, for those may lead to nobody else."""
_FORWARDED = "+"


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A notifier that reaches nobody until somebody mends it. ``told``: who was told of that, None where there is
    nobody else. ``text`` says what is wrong and what to do."""

    notifier: str
    since: float
    incident: str
    text: str
    told: str | None


_BROKEN: TypeAdapter[Broken] = TypeAdapter(Broken)


def dump_broken(broken: Broken) -> bytes:
    return _BROKEN.dump_json(broken)


def load_broken(raw: bytes) -> Broken | None:
    """None for what another version wrote: it is found out again with the next notice."""
    try:
        return _BROKEN.validate_json(raw)
    except ValidationError:
        return None


def stand_ins(alerts: AlertsFile, muted: Collection[str]) -> dict[str, str]:
    """By notifier: the one that it names or, without that, the next one of the first route that has a next one."""
    usable = {notifier.name for notifier in alerts.notifiers} - set(muted)
    found = {
        notifier.name: notifier.fallback
        for notifier in alerts.notifiers
        if notifier.fallback is not None and notifier.fallback in usable
    }
    for route in alerts.routes:
        for place, name in enumerate(route.notify):
            later = [other for other in route.notify[place + 1 :] if other in usable]
            if later:
                found.setdefault(name, later[0])
    return found


def is_told_anyway(notice: Notice, second: str, alerts: AlertsFile) -> bool:
    """Whether a route leads to the stand-in as well: it then has notices of its own."""
    routed: tuple[Routed, ...] = (notice, *notice.members)
    return any(second in recipients(one, alerts) for one in routed)


def is_forwarded(notice: Notice) -> bool:
    """Neither what was forwarded already nor what is about broken notifiers is forwarded again."""
    return _FORWARDED in notice.id or notice.alert == ALERT


def forwarded(notice: Notice, second: str, why: str) -> Notice:
    facts = (*notice.facts, ("told here because", f"{notice.notifier} is broken: {why}"))
    return replace(notice, id=f"{notice.id}{_FORWARDED}{second}", notifier=second, facts=facts)


def broken_notice(broken: Broken, second: str, ids: Callable[[], str], link: str | None) -> Notice:
    facts = (("notifier", broken.notifier), ("told in its place", second))
    return Notice(
        id=ids(),
        at=broken.since,
        incident=broken.incident,
        alert=ALERT,
        chain="",
        severity=Severity.CRITICAL,
        state=NoticeState.FIRING,
        cause=NoticeCause.FIRST,
        notifier=second,
        title=f"Notifier {broken.notifier} reaches nobody",
        summary=f"{broken.text}. Until that is mended, {second} is told in its place.",
        facts=facts,
        since=broken.since,
        link=link,
    )


def mended_notice(broken: Broken, second: str, now: float, ids: Callable[[], str], link: str | None) -> Notice:
    lasted = format_duration(max(1.0, round(now - broken.since)))
    return replace(
        broken_notice(broken, second, ids, link),
        at=now,
        state=NoticeState.RESOLVED,
        cause=NoticeCause.RESOLVED,
        summary=f"It reaches people again, after {lasted}.",
    )

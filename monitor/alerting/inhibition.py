"""Which alerts say nothing since a graver one says it all. It follows from the tree of a chain: the chain, its targets,
their providers."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from monitor.alerting.alert import Alert
from monitor.alerting.hearing import RANK
from monitor.alerting.incident import AlertState
from monitor.alerting.lifecycle import Circumstances
from monitor.alerting.routing import recipients
from monitor.conditions import RULES, CauseKind, Condition


def place_in_order(key: str, about: Alert | Condition) -> tuple[int, int, int, str]:
    """Whatever can silence others comes before them: outages of chains, then what is about less and less of a chain."""
    rule = RULES.get(about.when)
    depth = (about.target is not None) + (about.provider is not None)
    return -(len(rule.inhibits) + rule.covers_targets) if rule else 0, depth, -RANK[about.severity], key


def covering(
    about: Alert | Condition | None,
    decided: Iterable[Alert],
    before: AlertState,
    around: Circumstances,
    inhibited: Collection[str],
) -> str | None:
    """The key of an alert that says it all; None where there is none.

    Only one that somebody was told of (or is about to be) silences others: the outage must be known.
    """
    if about is None:
        return None
    found = (
        other.key
        for other in decided
        if other.is_firing
        and other.key not in inhibited
        and covers(other, about)
        and (before.is_announced(other) or _speaks(other, around))
    )
    return next(found, None)


def covers(other: Alert, about: Alert | Condition) -> bool:
    """Whether ``other`` being so says it all.

    A chain's outage covers the lesser alerts of the chain and whatever is about one of its targets; a provider's
    outage, on whichever chain it shows, what is about this provider alone. Of alerts that are degrees of one thing, a
    graver one covers the others.
    """
    cause, rule = other.cause, RULES.get(other.when)
    if about.provider is not None and other.provider is None and cause.kind is CauseKind.PROVIDER:
        return cause.name == about.provider
    if rule is None or other.chain != about.chain:
        return False
    if rule.has_degrees and other.when == about.when:
        return RANK[other.severity] > RANK[about.severity]
    return about.when in rule.inhibits or (rule.covers_targets and about.target is not None)


def _speaks(alert: Alert, around: Circumstances) -> bool:
    heard = any(name not in around.muted for name in recipients(alert, around.alerts))
    return heard and not around.silences_now(alert)

"""An example of an alert, marked as such, for whoever would be told of a real one. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection

from monitor.alerting.incident import Incident, Stage
from monitor.alerting.routing import recipients
from monitor.conditions import RULES
from monitor.config.model import AlertsFile, RuleConfig
from monitor.model import Notice, NoticeCause, NoticeState


def example(
    rule: RuleConfig, alerts: AlertsFile, chain: str, muted: Collection[str], now: float, ids: Callable[[], str]
) -> tuple[Notice, ...]:
    """One notice for each notifier that a route leads to; none where nobody would be told."""
    texts = RULES[rule.when]
    incident = Incident(
        key="",
        id=f"test-{ids()}",
        alert=rule.name,
        when=rule.when,
        chain=chain,
        subject="",
        stage=Stage.FIRING,
        since=now,
        severity=rule.severity,
        title=f"Example of alert {rule.name} for chain {chain}",
        summary="Nothing is wrong: somebody asked for this message to see that it arrives.",
        facts=(("meaning", texts.meaning), ("impact", texts.impact), ("diagnosis", texts.diagnosis)),
    )
    return tuple(
        Notice(
            id=ids(),
            at=now,
            incident=incident.id,
            alert=incident.alert,
            chain=chain,
            severity=incident.severity,
            state=NoticeState.FIRING,
            cause=NoticeCause.TEST,
            notifier=name,
            title=incident.title,
            summary=incident.summary,
            facts=incident.facts,
            since=now,
            link=alerts.link,
        )
        for name in recipients(incident, alerts)
        if name not in muted
    )

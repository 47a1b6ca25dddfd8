"""An example of an alert, marked as such, for whoever would be told of a real one. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection

from monitor.alerting.alert import Alert, Stage
from monitor.alerting.routing import recipients
from monitor.alerting.telling import docs_link
from monitor.conditions import RULES, Cause, CauseKind
from monitor.config.model import AlertsFile, RuleConfig
from monitor.model import Member, Notice, NoticeCause, NoticeState


def example(
    rule: RuleConfig, alerts: AlertsFile, chain: str, muted: Collection[str], now: float, ids: Callable[[], str]
) -> tuple[Notice, ...]:
    """One notice for each notifier that a route leads to; none where nobody would be told.

    A rule about fallbackd itself names no chain, and neither does its example.
    """
    incident = f"test-{ids()}"
    shown = _shown(rule, chain, now)
    member = Member(
        key=shown.key,
        alert=shown.alert,
        chain=shown.chain,
        severity=shown.severity,
        state=NoticeState.FIRING,
        title=shown.title,
        summary=shown.summary,
        since=now,
    )
    return tuple(
        Notice(
            id=ids(),
            at=now,
            incident=incident,
            alert=shown.alert,
            chain=shown.chain,
            severity=shown.severity,
            state=NoticeState.FIRING,
            cause=NoticeCause.TEST,
            notifier=name,
            title=shown.title,
            summary=shown.summary,
            facts=shown.facts,
            since=now,
            link=alerts.link,
            members=(member,),
            docs=docs_link(alerts, rule.when),
        )
        for name in recipients(shown, alerts)
        if name not in muted
    )


def _shown(rule: RuleConfig, chain: str, now: float) -> Alert:
    texts = RULES[rule.when]
    chain = "" if texts.is_about_itself else chain
    about = f"chain {chain}" if chain else "fallbackd itself"
    key = ":".join(filter(None, (rule.name, chain)))
    return Alert(
        key=key,
        alert=rule.name,
        when=rule.when,
        chain=chain,
        subject="",
        stage=Stage.FIRING,
        since=now,
        severity=rule.severity,
        cause=Cause(kind=CauseKind.ALERT, name=key),
        title=f"Example of alert {rule.name} for {about}",
        summary="Nothing is wrong: somebody asked for this message to see that it arrives.",
        facts=(
            ("meaning", texts.meaning),
            ("impact", texts.impact),
            ("diagnosis", texts.diagnosis),
            ("mitigation", texts.mitigation),
        ),
    )

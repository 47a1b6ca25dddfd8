"""Notices as alerts of a Prometheus Alertmanager (API v2), for its grouping, silences and high availability.

Alertmanager takes an alert for resolved at its ``endsAt`` unless it is sent again before: a firing one carries the
time by which its next repeat is due with room to spare, so that nothing stays on fire there when fallbackd is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import Field, SecretStr

from monitor.clock import Clock
from monitor.config.model import NotifierSettings
from monitor.config.quantity import Duration
from monitor.model import Member, Notice, NoticeCause, NoticeState, Severity
from monitor.notify.model import NotifierKind
from monitor.notify.post import Post, encode

LEAST = 600.0
"""Seconds that a firing alert lives there at the least, however late it was delivered."""
LONGEST = 86400.0
"""Seconds for a notice that does not say when it is told again."""
TEXT_LIMIT = 4000
WATCHDOG = "Watchdog"

Alert = dict[str, Any]


class AlertmanagerSettings(NotifierSettings):
    """Where it is. ``watchdog`` needs a route in Alertmanager that leads to whoever misses it."""

    url: str = Field(
        pattern=r"^https?://[^\s?#]+$", description="Alertmanager's address without the API's path, as its page has it."
    )
    instance: str = Field(
        default="fallbackd", min_length=1, description="Label instance of every alert: which fallbackd speaks."
    )
    token_env: str | None = Field(
        default=None, description="Environment variable that holds a bearer token, where a proxy in front wants one."
    )
    token_file: str | None = Field(default=None, description="File that holds the bearer token.")
    watchdog: bool = Field(
        default=False, description="Keeps an alert Watchdog firing there for as long as questions get results."
    )
    watchdog_every: Duration = Field(
        default=60.0, ge=1, description="How often the Watchdog is renewed; missing for five times that, it resolves."
    )


class AlertmanagerNotifier:
    """Alertmanager does its own grouping, so it gets an incident's alerts one by one. References are the severities
    last told: they are labels, and with another label it is another alert to Alertmanager."""

    def __init__(self, name: str, *, settings: AlertmanagerSettings, token: SecretStr | None, clock: Clock) -> None:
        self.name = name
        self.settings = settings
        self._token = token
        self._clock = clock
        self._post = Post("Alertmanager")

    async def deliver(self, notice: Notice, ref: str | None) -> str | None:
        if notice.merged_into is None:  # its alerts go on, under the other incident's notices
            now = self._clock.now()
            sent = [alert(notice, one, self.settings.instance, ends=ends(notice, one, now)) for one in members(notice)]
            await self._send([*sent, *_under_other_severities(sent, ref, now)])
        return ",".join(sorted({one.severity.value for one in members(notice)}))

    async def beat(self) -> None:
        """Renews the Watchdog; raises DeliveryError."""
        now = self._clock.now()
        await self._send([watchdog(self.settings.instance, now, 5 * self.settings.watchdog_every)])

    async def close(self) -> None:
        await self._post.close()

    async def _send(self, alerts: list[Alert]) -> None:
        headers = {"authorization": f"Bearer {self._token.get_secret_value()}"} if self._token else {}
        await self._post.send(f"{self.settings.url.rstrip('/')}/api/v2/alerts", encode(alerts), headers)


def members(notice: Notice) -> tuple[Member, ...]:
    """The alerts of an incident; a notice of an earlier version is its only one."""
    return notice.members or (
        Member(
            key=notice.incident, alert=notice.alert, chain=notice.chain, severity=notice.severity, state=notice.state,
            title=notice.title, summary=notice.summary, since=notice.since,
        ),
    )  # fmt: skip


def ends(notice: Notice, member: Member, now: float) -> float:
    """When Alertmanager is to take it for over, if nothing more is heard."""
    if member.state is NoticeState.RESOLVED:
        return max(notice.at, member.since)
    if notice.cause is NoticeCause.TEST:
        return now + LEAST
    return max(notice.until if notice.until is not None else now + LONGEST, now + LEAST)


def alert(notice: Notice, member: Member, instance: str, *, ends: float) -> Alert:
    """One alert as the API takes it. ``subject`` tells two alerts of one rule and chain apart."""
    labels = {
        "alertname": member.alert, "chain": member.chain, "severity": member.severity.value, "instance": instance,
        "subject": member.subject,
    }  # fmt: skip
    if notice.cause is NoticeCause.TEST:
        labels["incident"] = notice.incident  # so that an example never ends a real one
    is_all = len(notice.members) <= 1
    facts = "\n".join(f"{name}: {text}" for name, text in notice.facts) if is_all else ""
    shared = f"Incident {notice.incident}, {notice.shared}" if notice.shared else f"Incident {notice.incident}"
    marked = "Test: " if notice.cause is NoticeCause.TEST else ""
    summary = notice.summary if is_all else member.summary
    texts = {
        "summary": f"{marked}{member.title}", "description": summary, "facts": facts, "incident": shared,
        "runbook_url": notice.docs or "", "advice": notice.advice if is_all else "",
    }  # fmt: skip
    found: Alert = {
        "labels": {name: value for name, value in labels.items() if value},
        "annotations": {name: _clip(text) for name, text in texts.items() if text.strip()},
        "startsAt": _time(min(member.since, ends)),
        "endsAt": _time(ends),
    }
    return found if notice.link is None else {**found, "generatorURL": notice.link}


def _under_other_severities(alerts: list[Alert], ref: str | None, now: float) -> list[Alert]:
    """The same alerts, ended, with the severities that they may have been sent with before the config changed."""
    before = {word for word in (ref or "").split(",") if word in set(Severity)}
    old = sorted(before - {one["labels"]["severity"] for one in alerts})
    return [
        {**one, "labels": {**one["labels"], "severity": severity}, "endsAt": _time(now)}
        for one in alerts
        for severity in old
    ]


def watchdog(instance: str, now: float, lasts: float) -> Alert:
    return {
        "labels": {"alertname": WATCHDOG, "severity": "none", "instance": instance},
        "annotations": {
            "summary": "fallbackd watches",
            "description": "Always firing: when it is missing, fallbackd asks nothing any more and no alert will come.",
        },
        "endsAt": _time(now + lasts),
    }


def _clip(text: str) -> str:
    return text if len(text) <= TEXT_LIMIT else f"{text[: TEXT_LIMIT - 1]}…"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def build(
    name: str, settings: AlertmanagerSettings, secrets: Mapping[str, SecretStr], clock: Clock
) -> AlertmanagerNotifier:
    return AlertmanagerNotifier(name, settings=settings, token=secrets.get("token"), clock=clock)


KIND = NotifierKind(settings=AlertmanagerSettings, build=build)

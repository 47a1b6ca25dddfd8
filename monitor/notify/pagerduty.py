"""Notices as events of PagerDuty (Events API v2): one PagerDuty alert per incident, triggered and resolved."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Self

from pydantic import Field, SecretStr, model_validator

from monitor.clock import Clock
from monitor.config.model import NotifierSettings
from monitor.model import Notice, NoticeCause, NoticeState, Severity
from monitor.notify.model import NotifierKind
from monitor.notify.post import Post, encode

SUMMARY_LIMIT = 1024
"""PagerDuty docs, Events API v2: ``payload.summary``; an event as a whole may have 512 kB."""
FACT_LIMIT = 4000
FACTS_SHOWN = 50
SEVERITIES = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.CRITICAL: "critical"}


class PagerDutySettings(NotifierSettings):
    """The integration key of a service, of the kind Events API v2."""

    routing_key_env: str | None = Field(
        default=None, description="Environment variable that holds the integration key (Events API v2) of a service."
    )
    routing_key_file: str | None = Field(default=None, description="File that holds the integration key.")
    api_url: str = Field(
        default="https://events.pagerduty.com/v2/enqueue",
        pattern=r"^https?://[^\s]+$",
        description="PagerDuty's events API, for a proxy or the EU region.",
    )
    source: str = Field(default="fallbackd", min_length=1, description="Where the event comes from, in its source.")

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if (self.routing_key_env is None) == (self.routing_key_file is None):
            raise ValueError("takes exactly one of routing_key_env and routing_key_file")
        return self


class PagerDutyNotifier:
    """References are dedup keys. A repeat is one more trigger of the same alert, which PagerDuty keeps in its log."""

    def __init__(self, name: str, *, settings: PagerDutySettings, key: SecretStr) -> None:
        self.name = name
        self._settings = settings
        self._key = key
        self._post = Post("PagerDuty")

    async def deliver(self, notice: Notice, ref: str | None) -> str | None:  # noqa: ARG002 - the incident says it all
        body = event(notice, self._settings.source) | {"routing_key": self._key.get_secret_value()}
        await self._post.send(self._settings.api_url, encode(body))
        return notice.incident

    async def close(self) -> None:
        await self._post.close()


def event(notice: Notice, source: str) -> dict[str, Any]:
    """All but the routing key."""
    if notice.state is NoticeState.RESOLVED:
        return {"event_action": "resolve", "dedup_key": notice.incident}
    if notice.cause is NoticeCause.ACKNOWLEDGED:
        return {"event_action": "acknowledge", "dedup_key": notice.incident}
    marked = "Test: " if notice.cause is NoticeCause.TEST else ""
    found: dict[str, Any] = {
        "event_action": "trigger",
        "dedup_key": notice.incident,
        "client": "fallbackd",
        "payload": {
            "summary": _clip(f"{marked}{notice.title}: {notice.summary}", SUMMARY_LIMIT),
            "source": source,
            "severity": SEVERITIES[notice.severity],
            "timestamp": datetime.fromtimestamp(notice.since, UTC).isoformat(timespec="milliseconds"),
            "component": notice.chain,
            "class": notice.alert,
            "custom_details": _details(notice),
        },
    }
    if notice.link is not None:
        found["client_url"] = notice.link
    pages = ((notice.link, "Open fallbackd"), (notice.docs, "What it means"))
    links = [{"href": url, "text": text} for url, text in pages if url]
    return found | {"links": links} if links else found


def _details(notice: Notice) -> dict[str, str]:
    facts = (*notice.facts[:FACTS_SHOWN], *((("what to do", notice.advice),) if notice.advice else ()))
    return {name: _clip(text, FACT_LIMIT) for name, text in facts}


def _clip(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def build(name: str, settings: PagerDutySettings, secrets: Mapping[str, SecretStr], _clock: Clock) -> PagerDutyNotifier:
    return PagerDutyNotifier(name, settings=settings, key=secrets["routing_key"])


KIND = NotifierKind(settings=PagerDutySettings, build=build)

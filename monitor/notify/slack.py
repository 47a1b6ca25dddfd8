"""Slack, by a bot token (one message per incident, edited as it changes) or by a webhook (which cannot edit)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import Field, SecretStr, model_validator

from monitor.clock import Clock
from monitor.config.model import NotifierSettings
from monitor.notify.model import Notifier, NotifierKind

_WAYS = (
    "takes exactly one way: token_env (or token_file) with a channel, for a bot, "
    "or webhook_url_env (or webhook_url_file), for an incoming webhook"
)


class SlackSettings(NotifierSettings):
    """``channel``: an id (C0123456789) or #name, for a bot. ``api_url``: for a proxy, or GovSlack."""

    token_env: str | None = Field(
        default=None, description="Environment variable that holds the bot token (xoxb-...) of an app with chat:write."
    )
    token_file: str | None = Field(default=None, description="File that holds the bot token.")
    channel: str | None = Field(
        default=None, min_length=1, description="Where a bot posts: an id (C0123456789) or #name; it must be a member."
    )
    webhook_url_env: str | None = Field(
        default=None, description="Environment variable that holds an incoming webhook's URL: the way that cannot edit."
    )
    webhook_url_file: str | None = Field(default=None, description="File that holds an incoming webhook's URL.")
    api_url: str = Field(
        default="https://slack.com/api/",
        pattern=r"^https?://[^\s]+$",
        description="Slack's API, for a proxy or GovSlack.",
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        given = [
            name
            for name in ("token_env", "token_file", "webhook_url_env", "webhook_url_file")
            if getattr(self, name) is not None
        ]
        if len(given) != 1:
            raise ValueError(f"{_WAYS}; it has {' and '.join(given) or 'none of them'}")
        if self.is_bot and self.channel is None:
            raise ValueError(f"{given[0]} needs a channel: write its id (C0123456789) or #name")
        if not self.is_bot and self.channel is not None:
            raise ValueError("a webhook posts to the channel it was made for; remove channel")
        return self

    @property
    def is_bot(self) -> bool:
        return (self.token_env or self.token_file) is not None


def build(name: str, settings: SlackSettings, secrets: Mapping[str, SecretStr], clock: Clock) -> Notifier:
    # The SDK costs start-up time, so it is imported only where Slack is configured.
    from monitor.notify.slack_delivery import SlackBot, SlackWebhook

    if settings.is_bot:
        return SlackBot(
            name, token=secrets["token"], channel=settings.channel or "", api_url=settings.api_url, clock=clock
        )
    return SlackWebhook(name, url=secrets["webhook_url"], clock=clock)


KIND = NotifierKind(settings=SlackSettings, build=build)

"""Slack, by a bot token (one message per incident, edited as it changes) or by a webhook (which cannot edit)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, SecretStr, StringConstraints, model_validator

from monitor.clock import Clock
from monitor.config.model import NotifierSettings, Section
from monitor.notify.model import Notifier, NotifierKind

ChannelId = Annotated[str, StringConstraints(pattern=r"^[CDG][A-Z0-9]{2,20}$")]
UserId = Annotated[str, StringConstraints(pattern=r"^[UW][A-Z0-9]{2,20}$")]

APP_TOKEN = "commands.app_token"  # noqa: S105 - the name of the secret, not the secret
"""The app-level token among the secrets of a notifier."""

_WAYS = (
    "takes exactly one way: token_env (or token_file) with a channel, for a bot, "
    "or webhook_url_env (or webhook_url_file), for an incoming webhook"
)


class CommandsConfig(Section):
    """Who may ask and order from Slack, by Socket Mode: no address of this machine has to be reachable for that.

    Anybody in one of the channels may ask how things are; to change something one must be listed, too.
    """

    app_token_env: str | None = Field(
        default=None,
        description="Environment variable that holds the app-level token (xapp-...) with the scope connections:write.",
    )
    app_token_file: str | None = Field(default=None, description="File that holds the app-level token.")
    channels: tuple[ChannelId, ...] = Field(
        min_length=1, description="Ids of the channels (C0123456789) in which commands and buttons are obeyed."
    )
    users: tuple[UserId, ...] = Field(
        default=(), description="Ids of the people (U0123456789) who may change something; empty, nobody may."
    )

    @model_validator(mode="after")
    def _one_token(self) -> Self:
        if (self.app_token_env is None) == (self.app_token_file is None):
            raise ValueError("takes exactly one of app_token_env and app_token_file")
        return self


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
    digest_above: int = Field(
        default=5,
        ge=1,
        description="More alerts that begin within a minute become one message, with each in its thread; bots only.",
    )
    commands: CommandsConfig | None = Field(
        default=None, description="Slash commands and buttons, by Socket Mode; unset, there are none. Bots only."
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
        if not self.is_bot and self.commands is not None:
            raise ValueError("a webhook hears nothing; remove commands, or use a bot (token_env and channel)")
        return self

    @property
    def cannot(self) -> str:
        return (
            ""
            if self.is_bot
            else "is a webhook, which cannot edit its messages, answer in threads or take presses of buttons: each "
            "change is a message of its own. A bot (token_env and channel) can"
        )

    @property
    def is_bot(self) -> bool:
        return (self.token_env or self.token_file) is not None


def build(name: str, settings: SlackSettings, secrets: Mapping[str, SecretStr], clock: Clock) -> Notifier:
    # The SDK costs start-up time, so it is imported only where Slack is configured.
    from monitor.notify.slack_delivery import SlackBot, SlackWebhook

    if settings.is_bot:
        return SlackBot(
            name,
            token=secrets["token"],
            channel=settings.channel or "",
            api_url=settings.api_url,
            clock=clock,
            listening=APP_TOKEN in secrets,
            digest_above=settings.digest_above,
        )
    return SlackWebhook(name, url=secrets["webhook_url"], clock=clock)


KIND = NotifierKind(settings=SlackSettings, build=build)

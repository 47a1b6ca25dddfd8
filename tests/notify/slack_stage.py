"""Slack notifiers that talk to the fake Slack, without waiting for its pace."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from pydantic import SecretStr

from monitor.clock import SystemClock
from monitor.notify import NOTIFIERS, Notifier
from monitor.notify.slack import SlackSettings
from tests.fakes.slack import TOKEN, FakeSlack


class Unpaced(SystemClock):
    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


def bot_of(slack: FakeSlack, *, token: str = TOKEN, channel: str = "#alerts") -> Notifier:
    settings = SlackSettings(token_env="SLACK_BOT_TOKEN", channel=channel, api_url=slack.api_url)
    return NOTIFIERS["slack"].build("slack", settings, {"token": SecretStr(token)}, Unpaced())


def webhook_of(slack: FakeSlack) -> Notifier:
    settings = SlackSettings(webhook_url_env="SLACK_WEBHOOK_URL")
    return NOTIFIERS["slack"].build("slack", settings, {"webhook_url": SecretStr(slack.webhook_url)}, Unpaced())


WAYS = {"bot": bot_of, "webhook": webhook_of}


@contextlib.asynccontextmanager
async def closing(notifier: Notifier) -> AsyncIterator[Notifier]:
    try:
        yield notifier
    finally:
        await notifier.close()

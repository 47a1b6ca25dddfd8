"""A change that is no worse: the incident's one message is edited, and nobody is called for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.configs import CHAINS
from tests.e2e.daemon import Daemon, command, until
from tests.fakes.slack import FakeSlack

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

PATIENCE = 90.0
"""Seconds; more than twice as long as a change may have to wait."""
ALERTS = """
notifiers:
  - {{name: slack, kind: slack, token_env: SLACK_BOT_TOKEN, channel: "#alerts", api_url: "{api_url}"}}
routes:
  - {{notify: [slack]}}
rules:
  - {{name: degraded, when: chain_degraded, severity: warning, chains: [walked]}}
"""


@pytest.fixture
async def degradable(tmp_path: Path, fake_slack: FakeSlack) -> AsyncIterator[Daemon]:
    alerts = ALERTS.format(api_url=fake_slack.api_url)
    made = Daemon(tmp_path, chains=CHAINS, alerts=alerts, env={"SLACK_BOT_TOKEN": fake_slack.token})
    await made.start()
    await until(lambda: made.metric("fallbackd_chain_health", chain="walked", state="healthy"), "it is healthy")
    yield made
    made.kill()


async def test_a_change_waits_its_turn_and_edits_the_message(degradable: Daemon, fake_slack: FakeSlack) -> None:
    await degradable.break_("google/gemini-2.5-flash", "unavailable")
    await fake_slack.wait_for(lambda slack: slack.posts, seconds=PATIENCE)
    (message,) = fake_slack.posts
    first = message.header
    assert first.startswith("🟠 Warning: ")
    await degradable.break_("mistralai/mistral-small-3.2-24b-instruct", "unavailable")
    await until(lambda: said_why(degradable, "a change waits"), "the change is known and waits")
    await fake_slack.wait_for(lambda slack: slack.thread(message), seconds=PATIENCE)
    assert message.header != first
    change = fake_slack.thread(message)[0]
    assert change.shown.startswith("🟠 Changed: ")
    assert change.broadcast is False
    await degradable.mend()
    await fake_slack.wait_for(lambda slack: slack.posts[0].header.startswith("✅ Resolved"), seconds=PATIENCE)
    assert fake_slack.posts == [message]


async def said_why(daemon: Daemon, words: str) -> bool:
    return words in " ".join(command("alerts", "--why", "--data", str(daemon.data)).stdout.split())

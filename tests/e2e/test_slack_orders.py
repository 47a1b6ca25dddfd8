"""A real daemon and a Slack over HTTP and WebSocket: commands, buttons, and who may use them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.configs import CHAINS, COMMANDED
from tests.e2e.daemon import Daemon, command, until
from tests.fakes.receiver import Receiver
from tests.fakes.slack import ADA, EVE, FakeSlack, SlackMessage, Trouble

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

PATIENCE = 30.0


@pytest.fixture
async def commanded(tmp_path: Path, fake_slack: FakeSlack) -> AsyncIterator[Daemon]:
    """A daemon that listens to the fake Slack, and knows that all is well."""
    env = {"SLACK_BOT_TOKEN": fake_slack.token, "SLACK_APP_TOKEN": fake_slack.socket.app_token}
    made = Daemon(tmp_path, chains=CHAINS, alerts=COMMANDED.format(api_url=fake_slack.api_url), env=env)
    await made.start()
    await fake_slack.wait_for(lambda slack: slack.socket.sockets, seconds=PATIENCE)
    await until(lambda: all_healthy(made), "every chain and every target is healthy")
    yield made
    made.kill()


async def all_healthy(daemon: Daemon) -> bool:
    chains = await daemon.metric("fallbackd_chain_health", state="healthy")
    return (chains, await daemon.metric("fallbackd_target_health", state="healthy")) == (2, 4)


async def whispered(slack: FakeSlack, text: str) -> SlackMessage:
    await slack.wait_for(lambda slack: [one for one in slack.whispers if text in one.shown], seconds=PATIENCE)
    return next(one for one in slack.whispers if text in one.shown)


async def said(slack: FakeSlack, text: str) -> SlackMessage:
    await slack.wait_for(lambda slack: [one for one in slack.messages if text in one.shown], seconds=PATIENCE)
    return next(one for one in slack.messages if text in one.shown)


async def broken(daemon: Daemon, slack: FakeSlack) -> SlackMessage:
    await daemon.break_("mistralai/mistral-small-3.2-24b-instruct", "unavailable")
    await daemon.break_("google/gemini-2.5-flash", "unavailable")
    await until(lambda: both_down(daemon), "both targets are known to be down: nothing is added to the alert any more")
    return await said(slack, "Chain walked is down")


async def both_down(daemon: Daemon) -> bool:
    return await daemon.metric("fallbackd_target_health", chain="walked", state="down") == 2


async def test_a_drill_ordered_by_command_ends_with_its_verdict_and_the_journal_names_who_asked(
    commanded: Daemon, fake_slack: FakeSlack
) -> None:
    await fake_slack.command("drill chat primary-gone", by=ADA)
    await said(fake_slack, "Drill primary-gone of chain chat was started by slack:@ada (U0ADA)")
    verdict = await said(fake_slack, "Drill primary-gone of chain chat: passed")
    assert "Asked for by slack:@ada (U0ADA)" in verdict.shown
    (run,) = (await commanded.get("/api/v1/drills/runs"))["runs"]
    detail = await commanded.get(f"/api/v1/drills/runs/{run['run']}")
    assert detail["journal"]["asked_by"] == "slack:@ada (U0ADA)"


async def test_who_is_not_listed_may_ask_and_change_nothing(commanded: Daemon, fake_slack: FakeSlack) -> None:
    for order in ("drill chat primary-gone", "silence chat 1h", "stop", "release"):
        fake_slack.whispers.clear()
        await fake_slack.command(order, by=EVE)
        refusal = await whispered(fake_slack, "You may ask, and not change anything: U0EVE is not among")
        assert refusal.seen_by == EVE.id
    await fake_slack.command("status", by=EVE)
    assert "all 2 chains are healthy" in (await whispered(fake_slack, "fallbackd:")).shown
    assert fake_slack.messages == []
    assert (await commanded.get("/api/v1/drills/runs"))["runs"] == []
    assert (await commanded.get("/api/v1/status"))["stopped"] is None
    fake_slack.whispers.clear()
    await fake_slack.command("status", by=ADA, channel=("C0OTHER", "elsewhere"))
    await whispered(fake_slack, "not asked in this channel")


async def test_stop_and_release_by_command(commanded: Daemon, fake_slack: FakeSlack) -> None:
    await fake_slack.command("stop")
    await said(fake_slack, "All drills are stopped by slack:@ada (U0ADA)")
    assert "U0ADA" in (await commanded.get("/api/v1/status"))["stopped"]
    await fake_slack.command("drill chat primary-gone")
    await whispered(fake_slack, "Not now:")
    await fake_slack.command("release")
    await said(fake_slack, "Drills are allowed again")
    assert (await commanded.get("/api/v1/status"))["stopped"] is None


async def test_the_buttons_of_an_alert(commanded: Daemon, fake_slack: FakeSlack) -> None:
    message = await broken(commanded, fake_slack)
    confirm = message.buttons["drill"]["confirm"]
    assert confirm["title"]["text"] == "Run drill fast-refuses now?"
    assert confirm["text"]["text"] == "It breaks fast with rate_limited, for 2m at most on chain walked."
    assert message.buttons["open"]["url"] == "http://fallbackd.example:9469/"
    await fake_slack.socket.press(message, "drill", by=ADA)
    refusal = await whispered(fake_slack, "Not now:")
    assert refusal.thread_ts == message.ts
    await fake_slack.socket.press(message, "silence", by=EVE)
    await whispered(fake_slack, "You may ask, and not change anything")
    assert (await commanded.get("/api/v1/silences"))["silences"] == []
    await fake_slack.socket.press(message, "silence", by=ADA)
    told = await said(fake_slack, "silenced until")
    assert told.thread_ts == message.ts
    (silence,) = (await commanded.get("/api/v1/silences"))["silences"]
    (incident,) = (await commanded.get("/api/v1/incidents"))["incidents"]
    assert (silence["incident"], silence["by"]) == (incident["id"], "slack:@ada (U0ADA)")
    assert 3500 < silence["ends"] - silence["starts"] <= 3600


async def test_the_acknowledge_button_shows_who_took_it_on_and_ends_the_repeats(
    commanded: Daemon, fake_slack: FakeSlack
) -> None:
    message = await broken(commanded, fake_slack)
    await fake_slack.socket.press(message, "acknowledge", by=EVE)
    await whispered(fake_slack, "You may ask, and not change anything")
    assert "Taken on" not in message.shown
    await fake_slack.socket.press(message, "acknowledge", by=ADA)
    await fake_slack.wait_for(lambda _: "👀 Taken on by slack:@ada (U0ADA)" in message.shown, seconds=PATIENCE)
    reply = await said(fake_slack, "Acknowledged by slack:@ada (U0ADA)")
    assert (reply.thread_ts, reply.broadcast) == (message.ts, False)
    assert "acknowledge" not in message.buttons
    assert "silence" in message.buttons
    (alert,) = [one for one in (await commanded.get("/api/v1/alerts"))["alerts"] if one["alert"] == "chain-down"]
    await until(lambda: has_reason(commanded, alert["key"], "taken_on"), "the reason says so", seconds=PATIENCE)
    await commanded.mend()
    await fake_slack.wait_for(lambda _: message.header.startswith("✅ Resolved"), seconds=PATIENCE)
    assert not [one for one in fake_slack.thread(message) if "Still firing" in one.shown]
    assert set(message.buttons) == {"drill", "open"}


async def has_reason(daemon: Daemon, key: str, reason: str) -> bool:
    found = (await daemon.get("/api/v1/alerts"))["alerts"]
    return any(one["key"] == key and reason in one["reasons"] for one in found)


async def test_orders_are_heard_again_after_the_connection_was_dropped_or_renewed(
    commanded: Daemon, fake_slack: FakeSlack
) -> None:
    fake_slack.socket.drop()
    await fake_slack.wait_for(lambda slack: slack.socket.connected == 2, seconds=PATIENCE)
    await fake_slack.command("status")
    await whispered(fake_slack, "all 2 chains are healthy")
    fake_slack.whispers.clear()
    await fake_slack.socket.refresh()
    await fake_slack.wait_for(lambda slack: slack.socket.connected == 3, seconds=PATIENCE)
    await fake_slack.command("status")
    await whispered(fake_slack, "all 2 chains are healthy")
    assert await commanded.stop() == 0
    for secret in (fake_slack.token, fake_slack.socket.app_token, "ticket-", "/answers/"):
        assert secret not in commanded.output


STOOD_IN = """
notifiers:
  - {{name: slack, kind: slack, token_env: SLACK_BOT_TOKEN, channel: "#alerts", api_url: "{api_url}", fallback: hook}}
  - {{name: hook, kind: webhook, url: "{hook}/hook"}}
routes:
  - {{notify: [slack]}}
rules:
  - {{name: chain-down, when: chain_down, severity: critical, repeat: 1h}}
"""


async def test_a_revoked_token_is_told_by_the_stand_in_with_all_that_slack_should_have_heard(
    tmp_path: Path, fake_slack: FakeSlack
) -> None:
    async with Receiver() as hook:
        text = STOOD_IN.format(api_url=fake_slack.api_url, hook=hook.url)
        daemon = Daemon(tmp_path, chains=CHAINS, alerts=text, env={"SLACK_BOT_TOKEN": fake_slack.token})
        try:
            await daemon.start()
            await until(lambda: all_healthy(daemon), "every chain and every target is healthy")
            fake_slack.trouble, fake_slack.code = Trouble.ERROR, "token_revoked"
            await daemon.break_("mistralai/mistral-small-3.2-24b-instruct", "unavailable")
            await daemon.break_("google/gemini-2.5-flash", "unavailable")
            await until(lambda: heard(hook, {("notifier_broken", "firing"), ("chain-down", "firing")}), "it is told")
            assert await daemon.metric("fallbackd_notifier_broken", notifier="slack") == 1
            (note,) = [one for one in (await daemon.get("/api/v1/status"))["notes"] if "reaches nobody" in one]
            assert note.startswith("Notifier slack reaches nobody: Slack refused: the token was revoked; install")
            listed = command("alerts", "--why", "--data", str(daemon.data)).stdout
            assert "notifier_broken" in listed
            assert "stood_in: told to the notifier that stands in" in " ".join(listed.split())
            daemon.kill()
            await daemon.start()
            assert await daemon.metric("fallbackd_notifier_broken", notifier="slack") == 1, "a restart forgets nothing"
            fake_slack.trouble = Trouble.NONE
            await daemon.mend()
            await until(lambda: heard(hook, {("notifier_broken", "resolved"), ("chain-down", "resolved")}), "it ends")
            assert await daemon.metric("fallbackd_notifier_broken", notifier="slack") == 0
            fired = [one for one in told(hook) if one == ("notifier_broken", "firing")]
            assert len(fired) == 1
        finally:
            daemon.kill()


def told(hook: Receiver) -> list[tuple[str, str]]:
    return [(one.json["data"]["alert"], one.json["data"]["state"]) for one in hook.requests]


async def heard(hook: Receiver, wanted: set[tuple[str, str]]) -> bool:
    return wanted <= set(told(hook))

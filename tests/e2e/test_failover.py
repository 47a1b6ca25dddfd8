"""The whole story on real sockets: a primary is broken, the chain falls back, people are told; and it is mended."""

from __future__ import annotations

import signal
import time

import pytest

from tests.e2e.daemon import Daemon, until
from tests.fakes.slack import FakeSlack, Trouble

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

PRIMARY = "anthropic/claude-haiku-4.5"


async def healthy(daemon: Daemon, chain: str = "chat") -> None:
    async def look() -> bool:
        return (await daemon.get(f"/api/v1/chains/{chain}"))["health"] == "healthy"

    await until(look, f"{chain} is healthy")


async def test_a_broken_primary_is_seen_counted_told_and_resolved_in_the_same_message(
    daemon: Daemon, fake_slack: FakeSlack
) -> None:
    await daemon.start()
    await healthy(daemon)

    await daemon.break_(PRIMARY, "unavailable")

    async def served_by_second() -> bool:
        serving = (await daemon.get("/api/v1/chains/chat"))["serving"]
        return serving["label"] == "secondary" and serving["path"] == "failed_over"

    await until(served_by_second, "the second target serves")
    assert await daemon.metric("fallbackd_chain_answers_total", chain="chat", path="failed_over", position="1") >= 1

    await fake_slack.wait_for(
        lambda slack: any("falls back too often" in post.shown for post in slack.posts), seconds=30
    )
    told = next(post for post in fake_slack.posts if "falls back too often" in post.shown)
    assert "chat" in told.shown
    assert await daemon.metric("fallbackd_alerts_firing", alert="fallback-rate", chain="chat") == 1

    await daemon.mend()
    await fake_slack.wait_for(lambda _: "Resolved" in told.shown, seconds=40)
    assert [post.ts for post in fake_slack.posts if "falls back too often" in post.shown] == [told.ts]
    assert await daemon.stop() == 0


async def test_a_chain_whose_targets_are_all_broken_is_down_within_one_interval_and_two_seconds(
    daemon: Daemon, fake_slack: FakeSlack
) -> None:
    await daemon.start()
    await healthy(daemon)
    for model in (PRIMARY, "openai/gpt-4o-mini"):
        await daemon.break_(model, "unavailable")
    broken = time.time()
    await fake_slack.wait_for(lambda slack: any("chain-down" in post.shown for post in slack.posts), seconds=20)

    alert = next(one for one in (await daemon.get("/api/v1/alerts"))["alerts"] if one["alert"] == "chain-down")
    assert alert["severity"] == "critical"
    assert alert["since"] - broken <= 1.0 + 2.0
    assert await daemon.metric("fallbackd_chain_health", chain="chat", state="down") == 1
    assert await daemon.metric("fallbackd_chain_answers_total", chain="chat", path="exhausted") >= 1


async def test_after_kill_9_an_open_alert_is_neither_lost_nor_told_twice(daemon: Daemon, fake_slack: FakeSlack) -> None:
    await daemon.start()
    await healthy(daemon)
    await daemon.break_(PRIMARY, "unavailable")
    await daemon.break_("openai/gpt-4o-mini", "unavailable")
    await fake_slack.wait_for(lambda slack: any("chain-down" in post.shown for post in slack.posts), seconds=20)
    told = next(post for post in fake_slack.posts if "chain-down" in post.shown)

    async def delivered() -> bool:
        return await daemon.metric("fallbackd_outbox_pending", notifier="slack") == 0

    await until(delivered, "the delivery is on record")
    daemon.kill()

    await daemon.start()  # the sandbox inside starts whole, so the chain recovers
    await fake_slack.wait_for(lambda _: "Resolved" in told.shown, seconds=30)
    assert [post.ts for post in fake_slack.posts if "chain-down" in post.shown] == [told.ts]


async def test_slack_being_down_loses_nothing_and_floods_nothing(daemon: Daemon, fake_slack: FakeSlack) -> None:
    await daemon.start()
    await healthy(daemon)
    fake_slack.trouble = Trouble.DOWN
    await daemon.break_(PRIMARY, "unavailable")
    await daemon.break_("openai/gpt-4o-mini", "unavailable")

    async def firing() -> bool:
        return any(one["alert"] == "chain-down" for one in (await daemon.get("/api/v1/alerts"))["alerts"])

    await until(firing, "the alert fires")
    await fake_slack.wait_for(lambda slack: slack.requests >= 2)
    assert fake_slack.messages == []
    fake_slack.trouble = Trouble.NONE
    await fake_slack.wait_for(lambda slack: any("chain-down" in post.shown for post in slack.posts), seconds=60)
    assert len([post for post in fake_slack.posts if "chain-down" in post.shown]) == 1


async def test_sighup_puts_a_good_config_into_force_and_refuses_a_bad_one(daemon: Daemon) -> None:
    await daemon.start()
    await healthy(daemon)
    good = daemon.chains.read_text()
    assert daemon.process is not None

    daemon.chains.write_text(good.replace("name: walked", "name: strolled").replace("chain: walked", "chain: strolled"))
    daemon.process.send_signal(signal.SIGHUP)
    await until(lambda: _has_chain(daemon, "strolled"), "the new chain is watched")
    assert await daemon.metric("fallbackd_config_reload_successful") == 1

    daemon.chains.write_text(good.replace("mode: client", "mode: clinet"))
    daemon.process.send_signal(signal.SIGHUP)

    async def refused() -> bool:
        return await daemon.metric("fallbackd_config_reload_successful") == 0

    await until(refused, "the gauge says that the reload failed")
    assert await _has_chain(daemon, "strolled")
    assert "did you mean" in daemon.output
    assert daemon.process.poll() is None


async def _has_chain(daemon: Daemon, name: str) -> bool:
    return name in [chain["name"] for chain in (await daemon.get("/api/v1/chains"))["chains"]]

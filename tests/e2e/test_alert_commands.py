"""``fallbackd alerts`` against a real daemon."""

from __future__ import annotations

import json

import pytest

from monitor.alerting.explained import EXPLAINED
from tests.e2e.daemon import Daemon, command, until
from tests.fakes.slack import FakeSlack

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def test_an_incident_is_listed_with_the_reason_why_somebody_was_told(daemon: Daemon) -> None:
    await daemon.start()
    await until(lambda: daemon.metric("fallbackd_chain_health", chain="walked", state="healthy"), "it is healthy")
    assert command("alerts", "--data", str(daemon.data)).stdout == "Nothing fires.\n"
    await daemon.break_("mistralai/mistral-small-3.2-24b-instruct", "unavailable")
    await daemon.break_("google/gemini-2.5-flash", "unavailable")
    await until(lambda: daemon.metric("fallbackd_alerts_firing", alert="chain-down", chain="walked"), "it fires")
    shown = command("alerts", "--why", "--data", str(daemon.data)).stdout
    assert "Chain walked is down" in shown
    assert any(text in shown for text in EXPLAINED.values())
    listed = json.loads(command("alerts", "--json", "--data", str(daemon.data)).stdout)["alerts"]
    assert {"chain-down"} <= {one["alert"] for one in listed}
    assert all(one["reasons"] for one in listed)


async def test_an_example_arrives_where_a_real_alert_would(daemon: Daemon, fake_slack: FakeSlack) -> None:
    await daemon.start()
    told = command("alerts", "test", "chain-down", "--data", str(daemon.data))
    assert (told.returncode, told.stdout) == (0, "An example of chain-down is on its way to: slack, log\n")
    await until(lambda: _arrived(fake_slack), "the example is in Slack")
    assert (await daemon.get("/api/v1/alerts"))["alerts"] == []
    unknown = command("alerts", "test", "no-such-rule", "--data", str(daemon.data))
    assert (unknown.returncode, unknown.stderr) == (2, "there is no rule no-such-rule\n")


async def _arrived(slack: FakeSlack) -> bool:
    return any(message.header.startswith("🔔 Test: Example of alert chain-down") for message in slack.posts)

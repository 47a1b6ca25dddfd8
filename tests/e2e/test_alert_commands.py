"""``fallbackd alerts`` against a real daemon."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from monitor.alerting.explained import EXPLAINED
from tests.e2e.configs import QUIET
from tests.e2e.daemon import Daemon, command, until
from tests.fakes.receiver import Receiver
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


async def test_a_silenced_chain_is_told_of_when_the_silence_ends(daemon: Daemon, fake_slack: FakeSlack) -> None:
    await daemon.start()
    await until(lambda: daemon.metric("fallbackd_chain_health", chain="walked", state="healthy"), "it is healthy")
    data = ("--data", str(daemon.data))
    added = command("silence", "add", "walked", "--for", "1h", "--why", "moving house", *data)
    assert (added.returncode, added.stderr) == (0, "")
    assert await daemon.stop() == 0
    await daemon.start()  # a silence outlives the process
    (held,) = (await daemon.get("/api/v1/silences"))["silences"]
    assert (held["chain"], held["alert"], held["why"]) == ("walked", None, "moving house")
    assert "moving house" in command("silence", "list", *data).stdout
    await daemon.break_("mistralai/mistral-small-3.2-24b-instruct", "unavailable")
    await daemon.break_("google/gemini-2.5-flash", "unavailable")
    await until(lambda: daemon.metric("fallbackd_alerts_firing", alert="chain-down", chain="walked"), "it fires")
    listed = (await daemon.get("/api/v1/alerts"))["alerts"]
    assert [one["reasons"] for one in listed if one["alert"] == "chain-down"] == [["silenced"]]
    assert fake_slack.posts == []
    ended = command("silence", "end", held["id"], *data)
    assert (ended.returncode, ended.stdout) == (0, "Ended: what still fires is told.\n")
    await until(lambda: _told(fake_slack, "Chain walked is down"), "people are told")


async def test_an_incident_is_acknowledged_and_silenced(daemon: Daemon) -> None:
    await daemon.start()
    data = ("--data", str(daemon.data))
    await daemon.break_("mistralai/mistral-small-3.2-24b-instruct", "unavailable")
    await daemon.break_("google/gemini-2.5-flash", "unavailable")
    await until(lambda: daemon.metric("fallbackd_alerts_firing", alert="chain-down", chain="walked"), "it fires")
    (incident,) = (await daemon.get("/api/v1/incidents"))["incidents"]
    assert (incident["chains"], incident["acknowledged"]) == (["walked"], None)
    done = command("alerts", "ack", incident["id"], *data)
    assert (done.returncode, done.stdout) == (0, "Acknowledged: Chain walked is down (walked).\n")
    (same,) = (await daemon.get("/api/v1/incidents"))["incidents"]
    assert same["id"] == incident["id"]
    assert same["acknowledged"]["by"].endswith("on the command line")
    assert "acknowledged by" in command("alerts", "--why", *data).stdout
    assert command("silence", "add", "--incident", same["id"], "--for", "1h", "--why", "x", *data).returncode == 0
    assert same["id"] in command("silence", "list", *data).stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("add", "--for", "1h", "--why", "x"), "name a CHAIN, or an --incident"),
        (("add", "--incident", "nothing", "--for", "1h", "--why", "x"), "no incident nothing is open"),
        (("add", "nobody", "--for", "1h", "--why", "x"), "there is no chain nobody"),
        (("add", "chat", "--alert", "nothing", "--for", "1h", "--why", "x"), "there is no rule nothing"),
        (("add", "chat", "--for", "90", "--why", "x"), "has no unit"),
        (("add", "chat", "--for", "31d", "--why", "x"), "for"),
        (("end", "nothing"), "there is no silence nothing"),
    ],
)
async def test_a_silence_that_cannot_be_is_one_sentence(
    daemon: Daemon, arguments: tuple[str, ...], sentence: str
) -> None:
    await daemon.start()
    done = command("silence", *arguments, "--data", str(daemon.data))
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


async def _told(slack: FakeSlack, text: str) -> bool:
    return any(text in message.header for message in slack.posts)


async def test_the_heartbeat_goes_on_for_as_long_as_the_daemon_watches(make_daemon: Callable[..., Daemon]) -> None:
    async with Receiver() as receiver:
        receiver.status = 200
        daemon = make_daemon(alerts=f"{QUIET}heartbeat: {{url: '{receiver.url}/ping', every: 1s}}\n")
        await daemon.start()
        await until(lambda: _beats(receiver, 3), "it beats")
        assert {(one.method, one.path) for one in receiver.requests} == {("GET", "/ping")}
        assert await daemon.stop() == 0


async def _beats(receiver: Receiver, count: int) -> bool:
    return len(receiver.requests) >= count

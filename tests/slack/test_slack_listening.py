"""Orders over a real WebSocket: heard, acknowledged at once, answered where they came from."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest
from pydantic import SecretStr

from monitor.clock import SystemClock
from monitor.config.model import AlertsFile, Config
from monitor.model import Verdict
from monitor.notify.slack import CommandsConfig, SlackSettings
from monitor.slack.listening import Listener
from monitor.slack.switchboard import Switchboard, lines
from monitor.web.views import DrillView, Refused, Started
from tests.e2e.daemon import until
from tests.fakes.slack import ADA, APP_TOKEN, TOKEN, FakeSlack, Trouble
from tests.fakes.values import verdict

pytestmark = pytest.mark.anyio

ALLOWED = CommandsConfig(app_token_env="A", users=(ADA.id,), channels=("C0FAKE",))
PATIENCE = 30.0
SOME_DRILL = DrillView(
    name="primary-gone",
    chain="chat",
    breaks=("primary",),
    fault="unavailable",
    injector="transport",
    expects="secondary within 10s",
    schedule="on demand",
    requests=5,
    max_duration=60.0,
)


class Daemon:
    """What orders reach; ``gate`` holds the end of a run back."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.asked: list[str] = []

    def drills(self) -> list[Any]:
        return [SOME_DRILL]

    async def start_run(self, name: str, *, asked_by: str) -> Started | Refused:
        self.asked.append(f"{name} by {asked_by}")
        return Started(run="r1")

    async def verdict(self, run: str) -> Verdict | None:
        await self.gate.wait()
        return verdict(run=run, drill=SOME_DRILL.name, chain=SOME_DRILL.chain)

    async def stop(self, *, asked_by: str) -> int:
        raise KeyError(f"xoxb-secret {asked_by}")


@contextlib.asynccontextmanager
async def listening(slack: FakeSlack, daemon: Daemon, *, app_token: str = APP_TOKEN) -> AsyncIterator[Listener]:
    listener = Listener(
        allowed=ALLOWED,
        api_url=slack.api_url,
        app_token=SecretStr(app_token),
        bot_token=SecretStr(TOKEN),
        control=daemon,  # type: ignore[arg-type]  # the rest is not ordered here
        clock=SystemClock(),
        rng=Random(1),
    )
    task = asyncio.create_task(listener.run())
    try:
        yield listener
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await listener.close()


async def test_an_order_is_acknowledged_long_before_it_is_carried_out(fake_slack: FakeSlack) -> None:
    daemon = Daemon()
    async with listening(fake_slack, daemon):
        await fake_slack.wait_for(lambda slack: slack.socket.sockets, seconds=PATIENCE)
        await fake_slack.command(f"drill {SOME_DRILL.chain} {SOME_DRILL.name}")
        assert len(fake_slack.socket.acknowledged) == 1, "while the run goes on"
        await fake_slack.wait_for(lambda slack: len(slack.messages) == 1, seconds=PATIENCE)
        daemon.gate.set()
        await fake_slack.wait_for(lambda slack: len(slack.messages) == 2, seconds=PATIENCE)
        assert daemon.asked == [f"{SOME_DRILL.name} by slack:@ada (U0ADA)"]


async def test_when_the_way_back_is_closed_the_verdict_is_a_message_of_the_bot(fake_slack: FakeSlack) -> None:
    daemon = Daemon()
    async with listening(fake_slack, daemon):
        await fake_slack.wait_for(lambda slack: slack.socket.sockets, seconds=PATIENCE)
        await fake_slack.command(f"drill {SOME_DRILL.chain} {SOME_DRILL.name}")
        await fake_slack.wait_for(lambda slack: len(slack.messages) == 1, seconds=PATIENCE)
        fake_slack.close_answers()
        daemon.gate.set()
        await fake_slack.wait_for(lambda slack: len(slack.messages) == 2, seconds=PATIENCE)
        assert fake_slack.messages[1].channel == "C0FAKE"
        assert ": passed" in fake_slack.messages[1].shown


async def test_what_is_under_way_at_the_end_gets_a_moment_to_be_said(fake_slack: FakeSlack) -> None:
    daemon = Daemon()
    async with listening(fake_slack, daemon):
        await fake_slack.wait_for(lambda slack: slack.socket.sockets, seconds=PATIENCE)
        await fake_slack.command(f"drill {SOME_DRILL.chain} {SOME_DRILL.name}")
        await fake_slack.wait_for(lambda slack: len(slack.messages) == 1, seconds=PATIENCE)
        daemon.gate.set()
    assert ": passed" in fake_slack.messages[-1].shown


async def test_one_order_that_crashes_ends_nothing_and_tells_no_secret(
    fake_slack: FakeSlack, capsys: pytest.CaptureFixture[str]
) -> None:
    async with listening(fake_slack, Daemon()):
        await fake_slack.wait_for(lambda slack: slack.socket.sockets, seconds=PATIENCE)
        await fake_slack.command("stop")
        await fake_slack.command("help")
        await fake_slack.wait_for(lambda slack: slack.whispers, seconds=PATIENCE)
    said = capsys.readouterr().out
    assert "KeyError" in said
    assert "xoxb-secret" not in said


@pytest.mark.parametrize(
    "envelope",
    [
        {"type": "hello"},
        {"envelope_id": "e1", "type": "events_api", "payload": {"event": {}}},
        {"envelope_id": "e1", "type": "slash_commands", "payload": {}},
        {"envelope_id": "e1", "type": "interactive", "payload": {"type": "view_submission"}},
        {"envelope_id": "e1", "type": "interactive", "payload": {"type": "block_actions", "actions": [7]}},
        {"nonsense": [1, 2]},
    ],
)
async def test_what_is_no_order_is_passed_over(fake_slack: FakeSlack, envelope: dict[str, Any]) -> None:
    async with listening(fake_slack, Daemon()):
        await fake_slack.wait_for(lambda slack: slack.socket.sockets, seconds=PATIENCE)
        fake_slack.socket.expect("e1")
        await fake_slack.socket.send(envelope)
        await fake_slack.command("help")
        await fake_slack.wait_for(lambda slack: slack.whispers, seconds=PATIENCE)
    assert len(fake_slack.whispers) == 1


async def test_a_slack_that_is_down_is_asked_again_until_it_is_there(
    fake_slack: FakeSlack, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_slack.trouble = Trouble.RESET
    async with listening(fake_slack, Daemon()) as listener:
        await fake_slack.wait_for(lambda slack: slack.requests >= 2, seconds=PATIENCE)
        assert not listener.connected
        fake_slack.trouble = Trouble.NONE
        await fake_slack.wait_for(lambda slack: slack.socket.sockets, seconds=PATIENCE)
        await fake_slack.command("help")
        assert listener.connected
    said = capsys.readouterr().out
    assert said.count("are not heard now") == 1, "once, however often it is tried"
    assert said.count("listening to Slack's commands and buttons") == 1


async def test_a_wrong_app_token_is_said_with_the_remedy_and_never_shown(
    fake_slack: FakeSlack, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(fake_slack, Daemon(), app_token="xapp-wrong"):
        await fake_slack.wait_for(lambda slack: "invalid_auth" in slack.refused, seconds=PATIENCE)
        async with asyncio.timeout(PATIENCE):
            while "app-level token is wrong" not in (said := capsys.readouterr().out):
                await asyncio.sleep(0.01)
    assert "xapp-wrong" not in said + caplog.text


async def test_an_order_can_be_given_while_one_connection_takes_over_from_another(fake_slack: FakeSlack) -> None:
    async with listening(fake_slack, Daemon()):
        await fake_slack.wait_for(lambda slack: slack.socket.sockets, seconds=PATIENCE)
        await fake_slack.socket.refresh()
        await fake_slack.wait_for(lambda slack: slack.socket.connected == 2, seconds=PATIENCE)
        await fake_slack.wait_for(lambda slack: len(slack.socket.sockets) == 1, seconds=PATIENCE)
        await fake_slack.command("help")
        await fake_slack.wait_for(lambda slack: slack.whispers, seconds=PATIENCE)


def config(slack: FakeSlack, users: list[str], *, app_token: str | None = APP_TOKEN) -> Config:
    own = SlackSettings.model_validate(
        {
            "token_env": "T",
            "channel": "C0FAKE",
            "api_url": slack.api_url,
            "commands": {"app_token_env": "A", "users": users, "channels": ["C0FAKE"]},
        }
    )
    alerts = AlertsFile.model_validate(
        {
            "notifiers": [{"name": "slack", "kind": "slack", "settings": own}],
            "routes": [{"notify": ["slack"]}],
            "rules": [{"name": "down", "when": "chain_down"}],
        }
    )
    secrets = {"notifiers/slack/token": SecretStr(TOKEN)}
    if app_token:
        secrets["notifiers/slack/commands.app_token"] = SecretStr(app_token)
    return Config(endpoints={}, chains=(), drills=(), alerts=alerts, secrets=secrets)


def board_of(heard: dict[str, bool]) -> Switchboard:
    control: Any = Daemon()  # the rest is not ordered here
    return Switchboard(control, clock=SystemClock(), rng=Random(1), heard=heard.__setitem__)


async def test_a_reload_keeps_the_connection_unless_something_about_it_changed(fake_slack: FakeSlack) -> None:
    heard: dict[str, bool] = {}
    board = board_of(heard)
    try:
        await board.follow(config(fake_slack, []))
        await fake_slack.wait_for(lambda slack: slack.socket.sockets, seconds=PATIENCE)
        await until(lambda: value(heard), "it is known to be heard")
        await board.follow(config(fake_slack, []))
        assert (fake_slack.socket.connected, heard) == (1, {"slack": True})
        await fake_slack.command(f"drill {SOME_DRILL.chain} {SOME_DRILL.name}")
        await fake_slack.wait_for(lambda slack: slack.whispers, seconds=PATIENCE)
        assert "commands.users in alerts.yaml is empty" in fake_slack.whispers[0].shown
        await board.follow(config(fake_slack, [ADA.id]))
        await fake_slack.wait_for(lambda slack: slack.socket.connected == 2, seconds=PATIENCE)
        await fake_slack.command(f"drill {SOME_DRILL.chain} {SOME_DRILL.name}")
        await fake_slack.wait_for(lambda slack: slack.messages, seconds=PATIENCE)
        await board.follow(config(fake_slack, [ADA.id], app_token=None))
        await fake_slack.wait_for(lambda slack: not slack.socket.sockets, seconds=PATIENCE)
    finally:
        await board.close()


async def test_without_an_app_token_nobody_listens(fake_slack: FakeSlack) -> None:
    assert lines(config(fake_slack, [], app_token=None)) == {}


async def value(heard: dict[str, bool]) -> bool:
    return heard.get("slack", False)


async def test_it_is_known_when_nobody_can_be_heard_and_when_they_can_again(fake_slack: FakeSlack) -> None:
    heard: dict[str, bool] = {}
    board = board_of(heard)
    try:
        await board.follow(config(fake_slack, []))
        assert heard == {"slack": False}
        await until(lambda: value(heard), "it is heard")
        fake_slack.trouble = Trouble.DOWN
        fake_slack.socket.drop()
        await until(lambda: _not(heard), "it is known that nothing is heard")
        fake_slack.trouble = Trouble.NONE
        await until(lambda: value(heard), "it is heard again")
    finally:
        await board.close()
    assert heard == {"slack": False}


async def _not(heard: dict[str, bool]) -> bool:
    return not heard["slack"]

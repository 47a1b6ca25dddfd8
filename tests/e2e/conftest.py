"""Real processes, started and ended for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from chaos.sandbox import Sandbox
from tests.e2e.configs import ALERTS, CHAINS, QUIET
from tests.e2e.daemon import Daemon
from tests.fakes.slack import FakeSlack


@pytest.fixture
async def daemon(tmp_path: Path, fake_slack: FakeSlack) -> AsyncIterator[Daemon]:
    """A daemon that tells the fake Slack; not started yet."""
    alerts = ALERTS.format(api_url=fake_slack.api_url)
    made = Daemon(tmp_path, chains=CHAINS, alerts=alerts, env={"SLACK_BOT_TOKEN": fake_slack.token})
    yield made
    made.kill()


@pytest.fixture
async def make_daemon(tmp_path: Path) -> AsyncIterator[Callable[..., Daemon]]:
    """Daemons that tell nobody."""
    made: list[Daemon] = []

    def make(chains: str = CHAINS, alerts: str = QUIET, **env: str) -> Daemon:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Daemon(folder, chains=chains, alerts=alerts, env=env))
        return made[-1]

    yield make
    for one in made:
        one.kill()


@pytest.fixture
async def sandbox() -> AsyncIterator[tuple[Sandbox, str]]:
    """Endpoints of the test's own, and their base URL."""
    made = Sandbox()
    url = await made.start()
    yield made, url
    await made.stop()

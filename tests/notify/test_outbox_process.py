"""A real process that is killed while it tells people, and one that takes over."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
from asyncio.subprocess import Process
from collections import Counter
from pathlib import Path

import pytest

from tests.fakes.slack import FakeSlack, Trouble

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
INCIDENTS = 12
TELL = """
import asyncio, random, sys
from pathlib import Path
from pydantic import SecretStr
from monitor.clock import SystemClock
from monitor.notify import NOTIFIERS, Outbox, slack_session
from monitor.notify.slack import SlackSettings
from monitor.store import Store
from tests.fakes.values import notice, resolved

slack_session.EVERY = 0.01

async def main(path, api_url, token, count, what):
    store = await Store.open(Path(path), SystemClock())
    settings = SlackSettings(token_env="T", channel="C0FAKE", api_url=api_url, digest_above=100)
    slack = NOTIFIERS["slack"].build("slack", settings, {"token": SecretStr(token)}, SystemClock())
    outbox = Outbox(store=store, notifiers={"slack": slack}, clock=SystemClock(), rng=random.Random(1),
                    observe=lambda *_: None)
    word = {"fire": notice, "resolve": resolved}.get(what)
    notices = [word(incident=f"incident-{number:02}") for number in range(int(count))] if word else []
    await store.decide("incident", {}, notices)
    print("decided", flush=True)
    await outbox.run()

asyncio.run(main(*sys.argv[1:]))
"""


async def start(path: Path, slack: FakeSlack, what: str) -> Process:
    arguments = [str(path), slack.api_url, slack.token, str(INCIDENTS), what]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", TELL, *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"decided\n"
    return process


async def kill(process: Process) -> None:
    process.kill()
    await process.communicate()


def told(slack: FakeSlack) -> Counter[str]:
    return Counter(
        f"incident-{number:02}"
        for number in range(INCIDENTS)
        for message in slack.posts
        if f"incident-{number:02}" in message.shown
    )


async def all_marked(path: Path) -> None:
    """Until the last delivery is marked: the mark follows the message."""
    with contextlib.closing(sqlite3.connect(path)) as look:
        async with asyncio.timeout(10):
            while look.execute("SELECT count(*) FROM notices WHERE fate = 'pending'").fetchone()[0]:
                await asyncio.sleep(0.01)


async def test_kill_9_in_the_middle_loses_nothing_and_repeats_at_most_what_was_on_its_way(
    tmp_path: Path, fake_slack: FakeSlack
) -> None:
    first = await start(tmp_path / "fallbackd.db", fake_slack, "fire")
    await fake_slack.wait_for(lambda slack: len(slack.messages) >= 4)
    await kill(first)
    second = await start(tmp_path / "fallbackd.db", fake_slack, "nothing")
    await fake_slack.wait_for(lambda slack: len(told(slack)) == INCIDENTS)
    await kill(second)
    assert sum(told(fake_slack).values()) <= INCIDENTS + 1


async def test_another_process_edits_the_messages_of_the_first(tmp_path: Path, fake_slack: FakeSlack) -> None:
    first = await start(tmp_path / "fallbackd.db", fake_slack, "fire")
    await fake_slack.wait_for(lambda slack: len(told(slack)) == INCIDENTS)
    await all_marked(tmp_path / "fallbackd.db")
    await kill(first)
    second = await start(tmp_path / "fallbackd.db", fake_slack, "resolve")
    await fake_slack.wait_for(lambda slack: all("Resolved after 4m12s" in message.header for message in slack.posts))
    await kill(second)
    assert set(told(fake_slack).values()) == {1}


async def test_what_fired_and_resolved_while_slack_was_down_is_told_once(tmp_path: Path, fake_slack: FakeSlack) -> None:
    fake_slack.trouble = Trouble.DOWN
    for what in ("fire", "resolve"):
        process = await start(tmp_path / "fallbackd.db", fake_slack, what)
        before = fake_slack.requests
        await fake_slack.wait_for(lambda slack, before=before: slack.requests > before)
        await kill(process)
    fake_slack.trouble = Trouble.NONE
    process = await start(tmp_path / "fallbackd.db", fake_slack, "nothing")
    await fake_slack.wait_for(lambda slack: len(told(slack)) == INCIDENTS)
    await kill(process)
    assert set(told(fake_slack).values()) == {1}
    assert all("Fired and resolved after 4m12s" in message.header for message in fake_slack.posts)

"""A real process that decides and tells without a pause, and is killed again and again at moments of chance."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sqlite3
import sys
from asyncio.subprocess import Process
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from tests.e2e.daemon import until
from tests.fakes.slack import FakeSlack, SlackMessage, Trouble, texts

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
INCIDENTS = 60
DEATHS = 6
PATIENCE = 60.0
RANKS = ("🟠 Warning", "🔴 Critical", "✅")
"""How each incident goes: it begins, becomes graver, ends."""
LIVE = """
import asyncio, random, sys
from dataclasses import replace
from pathlib import Path
from pydantic import SecretStr
from monitor.clock import SystemClock
from monitor.model import NoticeCause, Severity
from monitor.notify import NOTIFIERS, Outbox, slack_session
from monitor.notify.slack import SlackSettings
from monitor.store import Store
from tests.fakes.values import notice, resolved

slack_session.EVERY = 0.001
SPELL = (
    lambda **it: notice(severity=Severity.WARNING, **it),
    lambda **it: notice(cause=NoticeCause.CHANGED, worse=True, changes=("New: it spreads",), **it),
    resolved,
)
# (incident, stage) of all incidents, eight of them at a time
STEPS = [(first + one, stage) for first in range(0, 1000, 8) for stage in range(3) for one in range(8)]

async def decide(store, outbox, rng, count):
    step = int((await store.states("alerting")).get("step", b"0"))
    steps = [(incident, stage) for incident, stage in STEPS if incident < count]
    for done, (incident, stage) in enumerate(steps[step:], step + 1):
        told = SPELL[stage](id=f"n{done:04}", incident=f"incident-{incident:03}")
        await store.decide("alerting", {"step": str(done).encode()}, [told])
        outbox.wake()
        await asyncio.sleep(rng.uniform(0, 0.02))

async def main(path, api_url, token, count, seed):
    store, rng = await Store.open(Path(path), SystemClock()), random.Random(seed)
    settings = SlackSettings(token_env="T", channel="C0FAKE", api_url=api_url, digest_above=100_000)
    slack = NOTIFIERS["slack"].build("slack", settings, {"token": SecretStr(token)}, SystemClock())
    outbox = Outbox(store=store, notifiers={"slack": slack}, clock=SystemClock(), rng=rng, observe=lambda *_: None)
    await asyncio.gather(decide(store, outbox, rng, int(count)), outbox.run())

asyncio.run(main(*sys.argv[1:]))
"""


async def live(path: Path, slack: FakeSlack, seed: int) -> Process:
    arguments = [str(path), slack.api_url, slack.token, str(INCIDENTS), str(seed)]
    return await asyncio.create_subprocess_exec(sys.executable, "-c", LIVE, *arguments, cwd=ROOT)


async def die(process: Process) -> None:
    assert process.returncode is None, "it is killed, it does not fall over"
    process.kill()
    await process.wait()


async def all_told(path: Path) -> bool:
    with contextlib.closing(sqlite3.connect(path)) as look:
        (count,) = look.execute("SELECT count(DISTINCT incident) FROM notices").fetchone()
        (left,) = look.execute("SELECT count(*) FROM notices WHERE fate = 'pending'").fetchone()
        (ended,) = look.execute(f"SELECT count(*) FROM notices WHERE id = 'n{INCIDENTS * 3:04}'").fetchone()
        return (count, left, ended) == (INCIDENTS, 0, 1)


def ranks(message: SlackMessage) -> Iterator[int]:
    """What it said at first, after each edit, and says now."""
    for blocks in (*(blocks for _, blocks in message.edits), message.blocks):
        header = texts(blocks)[0]
        yield next(rank for rank, lead in enumerate(RANKS) if header.startswith(lead))


def by_incident(posts: Sequence[SlackMessage]) -> dict[str, list[SlackMessage]]:
    found: dict[str, list[SlackMessage]] = {}
    for message in posts:
        (incident,) = set(re.findall(r"incident-\d{3}", message.shown))
        found.setdefault(incident, []).append(message)
    return found


@pytest.mark.parametrize("seed", [1])
async def test_whatever_dies_when_everybody_hears_the_end_of_everything_in_order(
    tmp_path: Path, fake_slack: FakeSlack, seed: int
) -> None:
    path, rng = tmp_path / "fallbackd.db", Random(seed)
    for life in range(DEATHS):
        process, told = await live(path, fake_slack, life), fake_slack.requests + rng.randrange(1, 25)
        await fake_slack.wait_for(lambda slack, told=told: slack.requests >= told, seconds=PATIENCE)
        fake_slack.trouble = rng.choice([Trouble.NONE, Trouble.NONE, Trouble.DOWN, Trouble.RESET])
        await asyncio.sleep(rng.uniform(0, 0.05))  # a moment of chance: nothing is waited for
        await die(process)
        fake_slack.trouble = Trouble.NONE
    process = await live(path, fake_slack, DEATHS)
    await until(lambda: all_told(path), "all has been told and marked", seconds=PATIENCE)
    await die(process)
    told_of = by_incident(fake_slack.posts)
    assert len(told_of) == INCIDENTS
    assert len(fake_slack.posts) <= INCIDENTS + DEATHS, "twice at most what was on its way at a death"
    for messages in told_of.values():
        said = [rank for message in messages for rank in ranks(message)]
        assert all(before <= after for before, after in pairwise(said)), "nothing old after something new"
        assert said[-1] == len(RANKS) - 1, "the end of each is told"

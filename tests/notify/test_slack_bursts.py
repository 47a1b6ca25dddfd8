"""Many incidents at once, many changes of one: few messages, nothing lost, never faster than Slack allows."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from monitor.clock import SystemClock
from monitor.model import Notice, NoticeCause
from monitor.notify import NOTIFIERS, Notifier, Outbox, slack_session
from monitor.notify.model import DrillOffer, Paced
from monitor.notify.pace import Pace
from monitor.notify.slack import SlackSettings
from monitor.notify.slack_buttons import buttons
from monitor.notify.slack_digest import SHOWN, lines, render_digest
from monitor.store import Store
from tests.fakes.clock import FakeClock
from tests.fakes.slack import TOKEN, FakeSlack, Trouble, wrong_with
from tests.fakes.values import NOW, notice, resolved

pytestmark = pytest.mark.anyio


def fresh(count: int, *, at: float = NOW) -> list[Notice]:
    return [notice(incident=f"incident-{number:03}", title=f"chain-{number} is down", at=at) for number in range(count)]


def slack_of(fake: FakeSlack) -> Notifier:
    own = SlackSettings(token_env="T", channel="C0FAKE", api_url=fake.api_url)
    return NOTIFIERS["slack"].build("slack", own, {"token": SecretStr(TOKEN)}, SystemClock())


@contextlib.asynccontextmanager
async def telling(path: Path, fake: FakeSlack, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Store, Outbox]]:
    monkeypatch.setattr(slack_session, "EVERY", 0.01)
    store = await Store.open(path / "fallbackd.sqlite3", SystemClock())
    outbox = Outbox(
        store=store, notifiers={"slack": slack_of(fake)}, clock=SystemClock(), rng=Random(1), observe=lambda *_: None
    )
    task = asyncio.create_task(outbox.run())
    try:
        yield store, outbox
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await outbox.close()
        await store.close()


async def put(store: Store, outbox: Outbox, *notices: Notice) -> None:
    await store.decide("incident", {}, notices)
    outbox.wake()


async def test_a_burst_becomes_one_message_with_each_incident_in_its_thread(
    tmp_path: Path, fake_slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with telling(tmp_path, fake_slack, monkeypatch) as (store, outbox):
        await put(store, outbox, *fresh(20))
        await fake_slack.wait_for(lambda slack: len(slack.messages) == 21, seconds=30)
        (digest,) = fake_slack.posts
        assert digest.header == "⚠️ 20 alerts began at about the same time"
        assert all(f"chain-{number} is down" in digest.shown for number in range(20))
        replies = fake_slack.thread(digest)
        assert {one.header for one in replies} == {f"🔴 Critical: chain-{number} is down" for number in range(20)}
        await put(store, outbox, resolved(incident="incident-007", title="chain-7 is down"))
        await fake_slack.wait_for(lambda slack: "✅ Over" in slack.messages[-1].shown, seconds=30)
        (seven,) = [one for one in replies if "incident-007" in one.shown]
        assert seven.header.startswith("✅ Resolved")
        assert fake_slack.messages[-1].thread_ts == digest.ts
        assert len(fake_slack.posts) == 1


async def test_what_joins_a_burst_later_is_added_to_its_message(
    tmp_path: Path, fake_slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with telling(tmp_path, fake_slack, monkeypatch) as (store, outbox):
        first, later = fresh(9)[:4], fresh(9)[4:]
        await put(store, outbox, *first)
        await fake_slack.wait_for(lambda slack: len(slack.messages) == 4, seconds=30)
        assert len(fake_slack.posts) == 4, "few are messages of their own"
        await put(store, outbox, *later)
        await fake_slack.wait_for(lambda slack: len(slack.messages) == 10, seconds=30)
        await put(store, outbox, notice(incident="late", title="the last one"))
        await fake_slack.wait_for(lambda slack: len(slack.messages) == 11, seconds=30)
        digest = fake_slack.posts[-1]
        assert len(fake_slack.posts) == 5
        assert digest.header == "⚠️ 6 alerts began at about the same time"
        assert "the last one" in digest.shown
        assert len(fake_slack.thread(digest)) == 6


async def test_several_updates_of_one_message_become_the_latest_while_slack_wants_a_pause(
    tmp_path: Path, fake_slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with telling(tmp_path, fake_slack, monkeypatch) as (store, outbox):
        await put(store, outbox, notice())
        await fake_slack.wait_for(lambda slack: len(slack.messages) == 1, seconds=30)
        fake_slack.trouble, fake_slack.retry_after = Trouble.RATE_LIMITED, 2
        before = fake_slack.requests
        await put(store, outbox, notice(cause=NoticeCause.CHANGED, summary="change 0", at=NOW + 1))
        await fake_slack.wait_for(lambda slack: slack.requests > before, seconds=30)
        for number in range(1, 50):
            change = notice(cause=NoticeCause.CHANGED, summary=f"change {number}", at=NOW + 1 + number)
            await put(store, outbox, change)
        fake_slack.trouble = Trouble.NONE
        await fake_slack.wait_for(lambda slack: len(slack.messages) == 2, seconds=30)
        message, change_49 = fake_slack.messages
        assert len(message.edits) == 1
        assert "change 49" in message.shown
        assert "change 49" in change_49.shown
        assert change_49.thread_ts == message.ts


async def test_slack_down_for_a_while_loses_nothing_and_is_not_flooded(
    tmp_path: Path, fake_slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with telling(tmp_path, fake_slack, monkeypatch) as (store, outbox):
        fake_slack.trouble = Trouble.DOWN
        await put(store, outbox, *fresh(30))
        await fake_slack.wait_for(lambda slack: slack.requests >= 2, seconds=30)
        assert fake_slack.requests < 10, "it is asked again after pauses that grow"
        fake_slack.trouble = Trouble.NONE
        await fake_slack.wait_for(lambda slack: len(slack.messages) == 31, seconds=60)
        (digest,) = fake_slack.posts
        assert len(fake_slack.thread(digest)) == 30
        assert outbox.waiting() == {"slack": 0} or await outbox.pending() <= 1, "the mark follows the message"


async def test_a_slack_that_allows_one_message_a_second_takes_them_all(fake_slack: FakeSlack) -> None:
    fake_slack.one_per_second, fake_slack.retry_after = True, 1
    slack = slack_of(fake_slack)
    for number in range(5):
        await slack.deliver(notice(incident=f"i{number}"), None)
    await slack.close()
    assert len(fake_slack.posts) == 5


async def test_two_notifiers_of_one_channel_share_its_pace(fake_slack: FakeSlack) -> None:
    clock = FakeClock()
    first, second, elsewhere = (
        NOTIFIERS["slack"].build(
            "slack",
            SlackSettings(token_env="T", channel=channel, api_url=fake_slack.api_url),
            {"token": SecretStr(TOKEN)},
            clock,
        )
        for channel in ("#alerts", "#alerts", "C0FAKE")
    )
    assert isinstance(second, Paced)
    assert isinstance(elsewhere, Paced)
    for number in range(3):
        await first.deliver(notice(incident=f"i{number}"), None)
    assert second.room_in() == 1.0
    assert elsewhere.room_in() == 0.0
    for one in (first, second, elsewhere):
        await one.close()


@given(gaps=st.lists(st.floats(0, 3), min_size=1, max_size=60))
@settings(max_examples=100, deadline=None)
def test_a_pace_never_lets_more_through_than_its_rate(gaps: list[float]) -> None:
    pace, now, sent = Pace(every=1.0, burst=3), 100.0, []
    for gap in gaps:
        now += gap
        wait = pace.wait(now)
        assert wait == pace.reserve(now)
        now += wait
        sent.append(now)
    for first in range(len(sent)):
        within = [at for at in sent if sent[first] <= at < sent[first] + 10 - 1e-6]
        assert len(within) <= 10 + 3


awkward = st.text(alphabet=st.sampled_from("a&<>😀`*\n_") | st.characters(), max_size=4000)


@given(incident=awkward, chain=awkward, drill=awkward, link=st.none() | awkward.map(lambda text: f"http://x/{text}"))
@settings(max_examples=60, deadline=None)
def test_slack_takes_the_buttons_of_any_alert(incident: str, chain: str, drill: str, link: str | None) -> None:
    value = notice(incident=incident, chain=chain, alert=chain, link=link)
    row = buttons(value, {chain: DrillOffer(name=drill, breaks=drill)}, listening=True)
    assert row is None or wrong_with({"text": "x", "blocks": [row]}) is None


@pytest.mark.parametrize(("alert", "has"), [("daemon-unwell", True), ("notifier_broken", False)])
def test_an_incident_of_no_chain_can_be_taken_on_and_what_is_no_incident_cannot(alert: str, *, has: bool) -> None:
    row = buttons(notice(alert=alert, chain="", link="http://x/"), {}, listening=True)
    assert row is not None
    found = {one["action_id"] for one in row["elements"]}
    assert ({"acknowledge", "silence"} <= found) is has


def test_without_anybody_who_listens_there_are_no_buttons() -> None:
    assert buttons(notice(), {}, listening=False) is None


@given(titles=st.lists(awkward, min_size=1, max_size=90))
@settings(max_examples=40, deadline=None)
def test_slack_takes_a_digest_of_anything(titles: list[str]) -> None:
    listed = lines([notice(incident=str(number), title=title) for number, title in enumerate(titles)])
    message = render_digest(listed)
    assert wrong_with({"text": message.text, "blocks": list(message.blocks)}) is None
    if len(titles) > SHOWN:
        assert f"{len(titles) - SHOWN} more are in the thread" in message.blocks[-1]["elements"][0]["text"]

"""What stands in the thread of an incident's message, and what becomes of it when Slack refuses replies."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from monitor.errors import DeliveryError
from monitor.model import Acknowledgement, NoticeCause
from monitor.notify import Notifier
from monitor.notify.slack_errors import THREAD_CLOSED
from tests.fakes.slack import FakeSlack
from tests.fakes.values import NOW, notice, resolved
from tests.notify.slack_stage import bot_of, closing, webhook_of

pytestmark = pytest.mark.anyio


@pytest.fixture
async def bot(fake_slack: FakeSlack) -> AsyncIterator[Notifier]:
    async with closing(bot_of(fake_slack)) as bot:
        yield bot


@pytest.fixture
async def webhook(fake_slack: FakeSlack) -> AsyncIterator[Notifier]:
    async with closing(webhook_of(fake_slack)) as webhook:
        yield webhook


async def test_the_thread_keeps_what_was_so_when(fake_slack: FakeSlack, bot: Notifier) -> None:
    many = tuple((f"fact {number}", "text") for number in range(12))
    ref = await bot.deliver(notice(facts=many), None)
    await bot.deliver(notice(cause=NoticeCause.CHANGED, summary="secondary is dead too"), ref)
    await bot.deliver(resolved(), ref)
    (message,) = fake_slack.posts
    details, change, end = fake_slack.thread(message)
    assert "fact 11" in details.shown
    assert "fact 11" not in message.edits[0][1][2]["fields"][-1]["text"], "the message itself stays short"
    assert change.shown.startswith("🔴 Changed: chat is down\nsecondary is dead too\n")
    assert end.shown.startswith("✅ Over after 4m12s: chat is down")
    assert not [one for one in (details, change, end) if one.broadcast]


async def test_a_reply_that_failed_is_tried_again_without_a_second_message(
    fake_slack: FakeSlack, bot: Notifier
) -> None:
    many = notice(facts=tuple((f"fact {number}", "text") for number in range(12)))
    fake_slack.trouble_in_threads = "internal_error"
    with pytest.raises(DeliveryError) as caught:
        await bot.deliver(many, None)
    (message,) = fake_slack.messages
    assert caught.value.ref == f"C0FAKE:{message.ts}"
    fake_slack.trouble_in_threads = ""
    assert await bot.deliver(many, caught.value.ref) == caught.value.ref
    assert len(fake_slack.posts) == 1
    assert "fact 11" in fake_slack.thread(message)[0].shown


@pytest.mark.parametrize("worse", [True, False])
async def test_the_thread_says_what_is_new_and_the_channel_hears_it_when_it_got_worse(
    fake_slack: FakeSlack, bot: Notifier, worse: bool
) -> None:
    ref = await bot.deliver(notice(), None)
    await bot.deliver(notice(cause=NoticeCause.CHANGED, changes=("New: search is down", "Over: x"), worse=worse), ref)
    reply = fake_slack.messages[-1]
    assert reply.shown == "🔴 Changed: chat is down\nNew: search is down\nOver: x"
    assert reply.broadcast is worse


async def test_whoever_took_it_on_is_in_the_message_and_in_the_thread(
    fake_slack: FakeSlack, bot: Notifier, webhook: Notifier
) -> None:
    taken = notice(
        cause=NoticeCause.ACKNOWLEDGED,
        acknowledged=Acknowledgement(by="ada <@U1>", at=NOW),
        changes=("Acknowledged by ada <@U1>",),
    )
    ref = await bot.deliver(notice(), None)
    await bot.deliver(taken, ref)
    message, reply = fake_slack.messages
    assert "👀 Taken on by ada &lt;@U1&gt;" in message.shown
    assert reply.shown == "👀 chat is down\nAcknowledged by ada &lt;@U1&gt;"
    await webhook.deliver(taken, "posted")
    assert fake_slack.messages[-1].shown == reply.shown, "not as if it were another alert"


@pytest.mark.parametrize("code", sorted(THREAD_CLOSED))
async def test_a_thread_that_takes_no_replies_is_done_without(fake_slack: FakeSlack, bot: Notifier, code: str) -> None:
    fake_slack.trouble_in_threads = code
    ref = await bot.deliver(notice(), None)
    assert await bot.deliver(resolved(), ref) == ref
    (message,) = fake_slack.messages
    assert message.header.startswith("✅ Resolved")


async def test_what_goes_on_elsewhere_is_nowhere_said_to_be_over(fake_slack: FakeSlack, bot: Notifier) -> None:
    ref = await bot.deliver(notice(), None)
    await bot.deliver(resolved(summary="It goes on as part of incident i2.", merged_into="i2"), ref)
    message, reply = fake_slack.messages
    assert message.header == "↪️ Not over, part of another incident now (critical): chat is down"
    assert reply.shown == "↪️ Goes on elsewhere: chat is down\nIt goes on as part of incident i2."


@pytest.mark.parametrize("cause", [NoticeCause.CHANGED, NoticeCause.REPEAT_DUE, NoticeCause.ACKNOWLEDGED])
async def test_what_changed_before_anybody_saw_it_is_one_message(
    fake_slack: FakeSlack, bot: Notifier, cause: NoticeCause
) -> None:
    """As after an hour without Slack: all that waited is in the newest notice."""
    await bot.deliver(notice(cause=cause, worse=True, changes=("New: search is down",)), None)
    assert [message.header for message in fake_slack.messages] == ["🔴 Critical: chat is down"]


async def test_the_facts_of_what_fired_and_resolved_unseen_are_in_its_thread(
    fake_slack: FakeSlack, bot: Notifier
) -> None:
    await bot.deliver(resolved(facts=tuple((f"fact {number}", "text") for number in range(12))), None)
    message, details = fake_slack.messages
    assert "3 more facts in the thread" in message.shown
    assert "fact 11" in details.shown

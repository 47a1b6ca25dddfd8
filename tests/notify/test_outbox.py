"""The outbox: at least once, in order, newest content only, whatever goes wrong on the way."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from random import Random

import pytest
from structlog.testing import capture_logs

from monitor.clock import SystemClock
from monitor.errors import DeliveryError
from monitor.model import Notice, NoticeCause, NoticeState, Severity
from monitor.notify import NOTIFIERS, Outbox
from monitor.notify.log import LogNotifier
from monitor.store import Store
from monitor.store.notices import Notices
from tests.fakes.clock import FakeClock
from tests.fakes.values import NOW, notice, resolved
from tests.notify.recorder import Recorder, settle

pytestmark = pytest.mark.anyio

DOWN = DeliveryError("Slack is not available", reason="unavailable", permanent=False)
REFUSED = DeliveryError("Slack refused", reason="channel_not_found", permanent=True)


class Memory:
    """The store's own bookkeeping of notices, without its file."""

    def __init__(self) -> None:
        self._notices = Notices()

    def waiting(self, notifier: str) -> tuple[Notice, ...]:
        return self._notices.waiting(notifier)

    def message_ref(self, notifier: str, incident: str) -> str | None:
        return self._notices.ref(notifier, incident)

    async def delivered(self, notice: Notice, ref: str | None) -> None:
        self._notices.delivered(notice, ref, NOW)

    async def posted(self, notice: Notice, ref: str) -> None:
        self._notices.posted(notice, ref, NOW)

    def decide(self, *notices: Notice) -> None:
        for value in notices:
            self._notices.add(value)


class Desk:
    """An outbox on a clock that is moved by hand, with all that it counted."""

    def __init__(self, *recorders: Recorder) -> None:
        self.clock = FakeClock()
        self.memory = Memory()
        self.counted: list[tuple[str, str, str]] = []
        self.outbox = Outbox(
            store=self.memory,
            notifiers={recorder.name: recorder for recorder in recorders},
            clock=self.clock,
            rng=Random(7),
            observe=lambda *what: self.counted.append(what),
        )

    async def put(self, *notices: Notice) -> None:
        self.memory.decide(*notices)
        self.outbox.wake()
        await settle()

    async def pass_time(self, seconds: float) -> None:
        """In steps from one sleeper's end to the next, as time does."""
        end = self.clock.now() + seconds
        while (at := self.clock.next_wake) is not None and at <= end:
            self.clock.advance(at - self.clock.now())
            await settle()
        self.clock.advance(end - self.clock.now())
        await settle()


@contextlib.asynccontextmanager
async def running(outbox: Outbox) -> AsyncIterator[None]:
    task = asyncio.create_task(outbox.run())
    await settle()
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await outbox.close()


@pytest.fixture
async def slack() -> Recorder:
    return Recorder()


@pytest.fixture
async def desk(slack: Recorder) -> AsyncIterator[Desk]:
    desk = Desk(slack)
    async with running(desk.outbox):
        yield desk


async def test_a_notice_is_sent_as_soon_as_it_is_put(desk: Desk, slack: Recorder) -> None:
    await desk.put(notice())
    assert slack.got == [(notice(), None)]
    assert desk.counted == [("slack", "delivered", "none")]
    assert desk.clock.slept == [], "without any wait"
    assert await desk.outbox.pending() == 0


async def test_later_notices_of_an_incident_know_its_message(desk: Desk, slack: Recorder) -> None:
    await desk.put(notice())
    await desk.put(resolved())
    assert slack.got == [(notice(), None), (resolved(), "C1:1")]
    await desk.put(notice(at=NOW + 900))
    assert slack.got[-1][1] is None, "what fires anew gets a new message"


async def test_slack_down_for_an_hour_loses_nothing_and_floods_nothing(desk: Desk, slack: Recorder) -> None:
    slack.fails = lambda _: DOWN
    for minute in range(60):
        at = NOW + minute * 60
        await desk.put(
            notice(at=at, cause=NoticeCause.CHANGED, summary=f"minute {minute}"),
            notice(at=at, incident="i2", state=NoticeState.RESOLVED if minute > 30 else NoticeState.FIRING),
            notice(at=at, incident=f"short-{minute}", state=NoticeState.RESOLVED),
        )
        await desk.pass_time(60)
    assert slack.got == []
    assert 60 <= len(slack.tried) <= 75, "backoff goes up to a minute and no further"
    assert await desk.outbox.pending() == 62
    slack.fails = lambda _: None
    tries = len(slack.tried)
    await desk.pass_time(60)
    assert len(slack.tried) - tries == len(slack.got) == 62
    newest = {value.incident: value for value, _ in slack.got}
    assert len(newest) == 62, "one message for each incident"
    assert newest["i1"].summary == "minute 59"
    assert newest["i2"].state is NoticeState.RESOLVED
    assert all(ref is None for _, ref in slack.got)


async def test_the_wait_between_tries_grows(desk: Desk, slack: Recorder) -> None:
    slack.fails = lambda _: DOWN
    await desk.put(notice())
    await desk.pass_time(300)
    waits = desk.clock.slept
    assert 1 <= waits[0] <= 1.25
    assert waits == sorted(waits[:5]) + waits[5:]
    assert max(waits) <= 60


async def test_after_a_success_the_next_trouble_starts_with_a_short_wait(desk: Desk, slack: Recorder) -> None:
    slack.fails = lambda _: DOWN
    await desk.put(notice())
    await desk.pass_time(300)
    slack.fails = lambda _: None
    await desk.pass_time(60)
    slack.fails = lambda _: DOWN
    await desk.put(notice(incident="i2"))
    assert slack.said == ["i1 firing"]
    assert desk.clock.slept[-1] <= 1.25


async def test_a_retry_after_is_waited_for(desk: Desk, slack: Recorder) -> None:
    slack.fails = lambda _: DeliveryError("wait", reason="ratelimited", permanent=False, retry_after=120)
    await desk.put(notice())
    slack.fails = lambda _: None
    await desk.pass_time(119)
    await desk.put(notice(incident="i2"))
    assert slack.got == [], "a new notice is no reason to ask again sooner"
    await desk.pass_time(1)
    assert slack.said == ["i2 firing", "i1 firing"]


async def test_a_permanent_error_is_tried_rarely_said_once_and_blocks_nobody(
    desk: Desk, slack: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    slack.fails = lambda value: REFUSED if value.incident == "i1" else None
    await desk.put(notice(), notice(incident="i2"))
    assert slack.said == ["i2 firing"]
    slack.fails = lambda _: REFUSED
    await desk.put(notice(incident="i3"))
    await desk.pass_time(3600)
    assert len([value for value in slack.tried if value.incident == "i3"]) == 13, "every five minutes"
    assert capsys.readouterr().out.count("could not be delivered: Slack refused") == 2, "again only after a success"
    assert set(desk.counted) == {("slack", "delivered", "none"), ("slack", "failed", "channel_not_found")}
    slack.fails = lambda _: None
    await desk.pass_time(300)
    assert sorted(slack.said) == ["i1 firing", "i2 firing", "i3 firing"]


async def test_a_resolve_that_comes_while_the_first_is_on_its_way_edits_it(desk: Desk, slack: Recorder) -> None:
    slack.gate.clear()
    await desk.put(notice())
    await desk.put(resolved())
    assert slack.tried == [notice()]
    slack.gate.set()
    await settle()
    assert slack.got == [(notice(), None), (resolved(), "C1:1")]


async def test_one_notifier_never_waits_for_another() -> None:
    slack, pager = Recorder("slack"), Recorder("pager")
    desk = Desk(slack, pager)
    slack.gate.clear()
    async with running(desk.outbox):
        await desk.put(notice(), notice(notifier="pager"))
        await desk.put(resolved(notifier="pager"))
        assert pager.said == ["i1 firing", "i1 resolved"]
        assert desk.outbox.waiting() == {"slack": 1, "pager": 0}


async def test_a_notifiers_own_bug_is_counted_and_stops_nothing(
    desk: Desk, slack: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    slack.fails = lambda value: KeyError("xoxb-secret") if value.incident == "i1" else None
    await desk.put(notice(), notice(incident="i2"))
    assert slack.said == ["i2 firing"]
    assert ("slack", "failed", "ours") in desk.counted
    said = capsys.readouterr().out
    assert "KeyError" in said
    assert "xoxb-secret" not in said


async def test_a_drain_sends_what_is_due_and_gives_up_in_time(desk: Desk, slack: Recorder) -> None:
    desk.memory.decide(notice())
    await desk.outbox.drain(5.0)
    assert slack.said == ["i1 firing"]
    slack.gate.clear()
    desk.memory.decide(notice(incident="i2"))
    await desk.outbox.drain(0.01)
    assert await desk.outbox.pending() == 1


async def test_a_reload_waits_for_what_is_on_its_way_and_goes_on_with_the_new_notifier(
    desk: Desk, slack: Recorder
) -> None:
    slack.gate.clear()
    await desk.put(notice())
    new = Recorder()
    applying = asyncio.create_task(desk.outbox.apply({"slack": new}))
    await settle()
    assert not applying.done()
    slack.gate.set()
    await applying
    assert (slack.said, slack.closed) == (["i1 firing"], 1)
    await desk.put(resolved())
    assert new.got == [(resolved(), "C1:1")]


async def test_a_notice_for_a_notifier_that_is_gone_waits_silently(desk: Desk, slack: Recorder) -> None:
    await desk.put(notice(notifier="pager"))
    assert slack.tried == []
    assert await desk.outbox.pending() == 0


async def test_what_was_undelivered_goes_out_after_a_restart_into_the_same_message(tmp_path: Path) -> None:
    async def session(notices: Iterable[Notice], slack: Recorder) -> None:
        store = await Store.open(tmp_path / "fallbackd.db", SystemClock())
        outbox = Outbox(
            store=store, notifiers={"slack": slack}, clock=SystemClock(), rng=Random(1), observe=lambda *_: None
        )
        await store.decide("incident", {}, notices)
        await outbox.drain(5.0)
        await outbox.close()
        await store.close()

    first, broken, last = Recorder(), Recorder(), Recorder()
    broken.fails = lambda _: DOWN
    await session([notice()], first)
    await session([resolved()], broken)
    await session([], last)
    assert first.got == [(notice(), None)]
    assert broken.tried == [resolved()]
    assert last.got == [(resolved(), "C1:1")]


@pytest.mark.parametrize(
    ("value", "level"),
    [
        (notice(), "error"),
        (notice(severity=Severity.WARNING), "warning"),
        (notice(severity=Severity.INFO), "info"),
        (resolved(), "info"),
    ],
)
async def test_the_log_writes_one_line_of_the_right_level(value: Notice, level: str) -> None:
    notifier = NOTIFIERS["log"].build("console", NOTIFIERS["log"].settings(), {}, SystemClock())
    assert isinstance(notifier, LogNotifier)
    with capture_logs() as logs:
        await notifier.deliver(value, None)
    (line,) = logs
    assert (line["log_level"], line["event"]) == (level, f"{value.severity} {value.state}: chat is down")
    assert line["facts"] == {"Last good": "12:03:04 UTC", "Dead": "primary: timeout"}
    await notifier.close()

"""Which notices wait, and that they wait through crashes."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.clock import SystemClock
from monitor.model import NoticeCause
from monitor.store import Store, retention
from monitor.store.notices import UNSAVED_LIMIT, Fate, Notices
from tests.fakes.values import NOW, notice, resolved

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
DECIDE_FOR_EVER = """
import asyncio, itertools, sys
from pathlib import Path
from monitor.clock import SystemClock
from monitor.store import Store
from tests.fakes.values import notice

async def main():
    store = await Store.open(Path(sys.argv[1]), SystemClock())
    for number in itertools.count():
        incident = f"i{number}"
        await store.decide("incident", {incident: b"firing"}, [notice(incident=incident)])
        print(incident, flush=True)

asyncio.run(main())
"""


@contextlib.asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Store]:
    store = await Store.open(path, SystemClock())
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fallbackd.db"


async def test_what_was_decided_survives_kill_9_whole(path: Path) -> None:
    arguments = [sys.executable, "-c", DECIDE_FOR_EVER, str(path)]
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        promised = [process.stdout.readline().strip() for _ in range(40)]
        process.kill()
        promised += process.stdout.read().split()
    async with opened(path) as store:
        states = await store.states("incident")
        waiting = [found.incident for found in store.waiting("slack")]
    assert set(promised) <= set(states)
    assert waiting == sorted(states, key=lambda incident: int(incident[1:])), "states and notices: both or neither"


async def test_only_the_newest_notice_of_an_incident_waits(path: Path) -> None:
    async with opened(path) as store:
        await store.decide("incident", {}, [notice(), notice(incident="i2")])
        await store.decide("incident", {}, [notice(at=NOW + 5, cause=NoticeCause.CHANGED, notifier="log")])
        await store.decide("incident", {}, [resolved()])
        assert store.waiting("slack") == (resolved(), notice(incident="i2"))
    async with opened(path) as store:
        assert set(store.waiting("slack")) == {resolved(), notice(incident="i2")}
        assert len(store.waiting("log")) == 1


async def test_what_is_new_in_a_notice_that_nobody_saw_is_new_in_the_next(path: Path) -> None:
    async with opened(path) as store:
        unseen = notice(cause=NoticeCause.CHANGED, at=NOW + 1, changes=("New: a", "New: b"), worse=True)
        newest = notice(cause=NoticeCause.CHANGED, at=NOW + 2, changes=("Over: a",))
        await store.decide("incident", {}, [unseen])
        await store.decide("incident", {}, [newest])
    async with opened(path) as store:
        (waits,) = store.waiting("slack")
        assert (waits.id, waits.changes, waits.worse) == (newest.id, ("New: a", "New: b", "Over: a"), True)
        await store.delivered(waits, "C1:1")
        later = notice(cause=NoticeCause.CHANGED, at=NOW + 3, changes=("Over: b",))
        await store.decide("incident", {}, [later])
        assert store.waiting("slack") == (later,)


async def test_a_delivered_notice_never_comes_back_and_its_message_is_remembered(path: Path) -> None:
    async with opened(path) as store:
        await store.decide("incident", {}, [notice()])
        await store.delivered(notice(), "C1:1.5")
        assert store.waiting("slack") == ()
    async with opened(path) as store:
        assert store.waiting("slack") == ()
        assert store.message_ref("slack", "i1") == "C1:1.5"
        assert store.message_ref("log", "i1") is None


async def test_a_superseded_notice_never_comes_back(path: Path) -> None:
    async with opened(path) as store:
        await store.decide("incident", {}, [notice()])
        await store.decide("incident", {}, [resolved()])
        await store.delivered(resolved(), None)
    async with opened(path) as store:
        assert store.waiting("slack") == ()


async def test_the_same_notice_decided_twice_is_one(path: Path) -> None:
    async with opened(path) as store:
        await store.decide("incident", {}, [notice()])
        await store.decide("incident", {}, [notice()])
        assert store.waiting("slack") == (notice(),)
        await store.delivered(notice(), None)
    async with opened(path) as store:
        assert store.waiting("slack") == ()


async def test_what_came_while_another_was_being_delivered_still_waits(path: Path) -> None:
    async with opened(path) as store:
        await store.decide("incident", {}, [notice()])
        await store.decide("incident", {}, [resolved()])
        await store.delivered(notice(), "C1:1.5")
        assert store.waiting("slack") == (resolved(),)
    async with opened(path) as store:
        assert store.waiting("slack") == (resolved(),)
        assert store.message_ref("slack", "i1") == "C1:1.5"


async def test_a_resolved_incident_has_no_message_any_more(path: Path) -> None:
    async with opened(path) as store:
        await store.delivered(notice(), "C1:1.5")
        await store.delivered(resolved(), "C1:1.5")
        assert store.message_ref("slack", "i1") is None
    async with opened(path) as store:
        assert store.message_ref("slack", "i1") is None


async def test_settled_notices_are_bounded_and_old_waiting_ones_are_given_up(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "SETTLED_NOTICES", 3)
    now = SystemClock().now()
    async with opened(path) as store:
        for number in range(8):
            value = notice(incident=f"i{number}", at=now)
            await store.decide("incident", {}, [value])
            await store.delivered(value, None)
        await store.decide("incident", {}, [notice(incident="waits", at=now), notice(incident="old", at=now - 100)])
        assert await store.prune(50) == 6
        assert [found.incident for found in store.waiting("slack")] == ["waits"]
    with contextlib.closing(sqlite3.connect(path)) as other:
        fates = other.execute("SELECT fate, count(*) FROM notices GROUP BY fate ORDER BY fate").fetchall()
    assert fates == [("delivered", 3), ("pending", 1)]


def test_when_too_many_wait_the_oldest_repeats_go_first_and_never_a_beginning_or_an_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("monitor.store.notices.WAITING_LIMIT", 10)
    notices = Notices()
    for number in range(8):
        notices.add(notice(incident=f"known-{number}"))
        notices.delivered(notice(incident=f"known-{number}"), f"C1:{number}", NOW)
    for number in range(8):
        cause = NoticeCause.REPEAT_DUE if number % 2 else NoticeCause.CHANGED
        notices.add(notice(incident=f"known-{number}", cause=cause, at=NOW + 100 - number, worse=number == 7))
    notices.add(resolved(incident="known-0"))
    for number in range(6):
        notices.add(notice(incident=f"new-{number}"))
    assert notices.dropped("slack") == 4
    waiting = {one.incident for one in notices.waiting("slack")}
    assert waiting == {"known-0", "known-1", "known-2", "known-7", *(f"new-{number}" for number in range(6))}
    assert {entry.fate for entry in notices.unsaved().entries.values()} >= {Fate.DROPPED}
    for number in range(6, 40):
        notices.add(notice(incident=f"new-{number}"))
    assert len({one.incident for one in notices.waiting("slack") if one.incident.startswith("new")}) == 40
    assert {one.incident for one in notices.waiting("slack")} >= {"known-0", "known-7"}, "an end, and what got worse"


def test_a_repeat_that_waited_for_a_day_is_dropped_and_a_beginning_is_not() -> None:
    notices = Notices()
    notices.add(notice(incident="known"))
    notices.delivered(notice(incident="known"), "C1:1", NOW)
    notices.add(notice(incident="known", cause=NoticeCause.REPEAT_DUE))
    notices.add(notice(incident="new"))
    notices.forget(before=NOW - 1, now=NOW + 86_000)
    assert len(notices.waiting("slack")) == 2
    notices.forget(before=NOW - 1, now=NOW + 87_000)
    assert [one.incident for one in notices.waiting("slack")] == ["new"]
    assert notices.dropped("slack") == 1


def test_while_nothing_can_be_saved_memory_is_bounded_and_no_waiting_notice_is_spared() -> None:
    notices = Notices()
    notices.add(notice(incident="waits"))
    for number in range(UNSAVED_LIMIT + 5):
        value = notice(incident=f"i{number}")
        notices.add(value)
        notices.delivered(value, None, NOW)
    unsaved = notices.unsaved()
    assert len(unsaved.entries) <= UNSAVED_LIMIT
    assert Fate.PENDING in {entry.fate for entry in unsaved.entries.values()}
    assert [found.incident for found in notices.waiting("slack")] == ["waits"]

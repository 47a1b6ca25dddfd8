"""The schedule on the real APScheduler: it says when, and nothing that was started is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from random import Random

import pytest

from monitor.clock import SystemClock
from monitor.schedule import Job, Schedule

pytestmark = pytest.mark.anyio


class Seen:
    """What the schedule reported."""

    def __init__(self) -> None:
        self.lags: list[float] = []
        self.skips: list[str] = []
        self.runs: list[str] = []
        self.changed = asyncio.Event()

    def ran(self, key: str) -> None:
        self.runs.append(key)
        self.changed.set()

    def skipped(self, why: str) -> None:
        self.skips.append(why)
        self.changed.set()

    async def until(self, condition: object) -> None:
        async with asyncio.timeout(10):
            while not condition():  # type: ignore[operator]
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
async def seen() -> Seen:
    return Seen()


@pytest.fixture
async def schedule(seen: Seen) -> AsyncIterator[Schedule]:
    made = Schedule(clock=SystemClock(), rng=Random(1), limit=2, lagged=seen.lags.append, skipped=seen.skipped)
    made.start()
    yield made
    await made.drain(1)


def job(key: str, action: object, **settings: float) -> Job:
    return Job(key=key, action=action, **{"every": 0.05, "first_after": 0.01, **settings})  # type: ignore[arg-type]


async def test_a_job_runs_again_and_again_and_its_lag_is_reported(schedule: Schedule, seen: Seen) -> None:
    async def action() -> None:
        seen.ran("a")

    schedule.apply([job("a", action)])
    await seen.until(lambda: len(seen.runs) >= 3)
    assert seen.lags
    assert all(lag >= 0 for lag in seen.lags)


async def test_a_job_that_still_runs_is_not_started_twice_and_the_skip_is_counted(
    schedule: Schedule, seen: Seen
) -> None:
    gate = asyncio.Event()

    async def action() -> None:
        seen.ran("slow")
        await gate.wait()

    schedule.apply([job("slow", action)])
    await seen.until(lambda: "still_running" in seen.skips)
    assert seen.runs == ["slow"]
    gate.set()


async def test_at_most_the_limit_run_together(schedule: Schedule, seen: Seen) -> None:
    running = peak = 0
    gate = asyncio.Event()

    async def action() -> None:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        await gate.wait()
        running -= 1

    schedule.apply([job(str(number), action, every=60) for number in range(6)])
    await asyncio.wait_for(_reached(lambda: running == 2), 10)
    gate.set()
    await asyncio.wait_for(_reached(lambda: running == 0), 10)
    assert peak == 2


async def _reached(condition: object) -> None:
    while not condition():  # type: ignore[operator]
        await asyncio.sleep(0.01)


async def test_a_crash_of_one_job_ends_neither_it_nor_the_others(schedule: Schedule, seen: Seen) -> None:
    async def crash() -> None:
        seen.ran("crash")
        raise RuntimeError("a bug")

    async def fine() -> None:
        seen.ran("fine")

    schedule.apply([job("crash", crash), job("fine", fine)])
    await seen.until(lambda: seen.runs.count("crash") >= 2 and seen.runs.count("fine") >= 2)
    assert set(seen.skips) == {"crashed"}


async def test_draining_waits_for_what_runs_and_starts_nothing_more(schedule: Schedule, seen: Seen) -> None:
    gate = asyncio.Event()

    async def action() -> None:
        seen.ran("begun")
        await gate.wait()
        seen.ran("ended")

    schedule.apply([job("a", action)])
    await seen.until(lambda: seen.runs == ["begun"])
    draining = asyncio.create_task(schedule.drain(10))
    gate.set()
    assert await draining == 0
    assert seen.runs == ["begun", "ended"]


async def test_draining_cancels_what_does_not_end_in_time_and_says_how_many(schedule: Schedule, seen: Seen) -> None:
    async def action() -> None:
        seen.ran("begun")
        await asyncio.Event().wait()

    schedule.apply([job("a", action)])
    await seen.until(lambda: seen.runs == ["begun"])
    assert await schedule.drain(0.01) == 1


async def test_a_reload_keeps_the_rhythm_of_what_did_not_change_and_removes_the_rest(schedule: Schedule) -> None:
    async def action() -> None: ...

    schedule.apply([job("kept", action, every=3600, first_after=1000), job("gone", action, every=3600)])
    before = schedule.next_run("kept")
    schedule.apply([job("kept", action, every=3600, first_after=5), job("new", action, every=3600, first_after=5)])
    assert schedule.next_run("kept") == before
    assert schedule.next_run("gone") is None
    assert schedule.next_run("new") is not None


async def test_a_job_can_be_started_out_of_turn(schedule: Schedule, seen: Seen) -> None:
    async def action() -> None:
        seen.ran("a")

    schedule.apply([job("a", action, every=3600, first_after=3000)])
    schedule.start_now("a")
    await seen.until(lambda: seen.runs == ["a"])


async def test_cron_is_read_as_utc(schedule: Schedule) -> None:
    async def action() -> None: ...

    schedule.apply([Job(key="c", action=action, cron="30 4 * * mon")])
    at = schedule.next_run("c")
    assert at is not None
    assert at % 86400 == 4.5 * 3600


class Pace:
    """An interval that a test moves."""

    def __init__(self, interval: float) -> None:
        self.interval = interval

    def __call__(self) -> float:
        return self.interval


async def test_the_pace_that_holds_after_a_run_says_when_the_next_one_comes(schedule: Schedule, seen: Seen) -> None:
    pace = Pace(1000)

    async def action() -> None:
        pace.interval = 0.02 if len(seen.runs) < 2 else 500
        seen.ran("a")

    schedule.apply([Job(key="a", action=action, every=1000, first_after=0.01, pace=pace)])
    await seen.until(lambda: len(seen.runs) == 3)
    await asyncio.wait_for(_reached(lambda: (schedule.next_run("a") or 0) - time.time() > 400), 10)
    assert (schedule.next_run("a") or 0) - time.time() < 510


async def test_what_became_suspicious_elsewhere_is_brought_forward(schedule: Schedule, seen: Seen) -> None:
    pace = Pace(3600)

    async def action() -> None:
        seen.ran("a")

    schedule.apply([Job(key="a", action=action, every=60, first_after=0.01, pace=pace)])
    await seen.until(lambda: seen.runs == ["a"])
    await asyncio.wait_for(_reached(lambda: (schedule.next_run("a") or 0) - time.time() > 3000), 10)
    schedule.repace(["a", "unknown"])
    assert (schedule.next_run("a") or 0) - time.time() > 3000
    pace.interval = 30
    schedule.repace(["a"])
    assert (schedule.next_run("a") or 0) - time.time() <= 30


async def test_a_reload_keeps_the_rhythm_of_a_paced_job_and_obeys_its_new_pace(schedule: Schedule, seen: Seen) -> None:
    async def action() -> None:
        seen.ran("a")

    schedule.apply([Job(key="a", action=action, every=60, first_after=0.01, pace=Pace(1000))])
    await seen.until(lambda: seen.runs == ["a"])
    before = schedule.next_run("a")
    schedule.apply([Job(key="a", action=action, every=60, pace=Pace(200))])
    assert schedule.next_run("a") == before
    schedule.repace(["a"])
    assert (schedule.next_run("a") or 0) - time.time() <= 200


async def test_many_jobs_are_spread_so_that_no_interval_begins_with_a_burst(schedule: Schedule) -> None:
    async def action() -> None: ...

    begun = time.time()
    schedule.apply([Job(key=str(number), action=action, every=60) for number in range(1000)])
    due = sorted((schedule.next_run(str(number)) or 0) - begun for number in range(1000))
    assert due[-1] < 61
    assert max(sum(second <= at < second + 1 for at in due) for second in range(60)) < 60


async def test_a_few_jobs_are_first_run_within_seconds(schedule: Schedule) -> None:
    async def action() -> None: ...

    schedule.apply([Job(key=str(number), action=action, every=3600) for number in range(20)])
    assert max((schedule.next_run(str(number)) or 0) - time.time() for number in range(20)) <= 10.1, "jitter included"


async def test_a_run_that_waits_for_others_to_end_is_late_by_that_wait(schedule: Schedule, seen: Seen) -> None:
    gate = asyncio.Event()

    def held(key: str) -> object:
        async def action() -> None:
            seen.ran(key)
            await gate.wait()

        return action

    schedule.apply([job(key, held(key), every=3600.0, first_after=3600.0) for key in ("a", "b", "c")])
    for key in ("a", "b", "c"):
        schedule.start_now(key)
    await seen.until(lambda: len(seen.runs) == 2)
    assert len(seen.lags) == 2
    gate.set()
    await seen.until(lambda: len(seen.runs) == 3)
    assert len(seen.lags) == 3
    assert seen.lags[2] > max(seen.lags[:2])

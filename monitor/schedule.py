"""When things run: APScheduler says when; this file owns, limits and drains what was started.

The scheduler is never asked to run the work itself: its shutdown cancels running coroutines, and overdue runs vanish
from it without a word. Here each start becomes a task of ours, and whatever is skipped or late is counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

import structlog
from apscheduler.events import EVENT_JOB_MISSED, EVENT_JOB_SUBMITTED, JobExecutionEvent, JobSubmissionEvent
from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from monitor.clock import Clock

log = structlog.get_logger("schedule")

SPREAD = 5.0
"""Seconds over which first runs are spread, so that a start (or a reload) is no burst; longer where they are many."""
STARTS_A_SECOND = 20.0
"""Jobs keep the rhythm of their first runs: a burst would come back with every interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something to start again and again: by ``every`` (seconds) or by ``cron`` (five fields, UTC).

    ``first_after`` is when the first run comes, in seconds; without it, soon. ``pace``
    gives the interval that holds now, where it moves; ``every`` is then where it begins.
    """

    key: str
    action: Callable[[], Awaitable[None]]
    every: float | None = None
    cron: str | None = None
    first_after: float | None = None
    pace: Callable[[], float] | None = None


class PacedTrigger(BaseTrigger):  # type: ignore[misc]  # ships no types
    """Fires first at ``begin``, and then each time when the interval that holds by then has passed."""

    def __init__(self, begin: datetime, pace: Callable[[], float], rng: Random) -> None:
        self._begin = begin
        self._pace = pace
        self._rng = rng

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        if previous_fire_time is None:
            return max(self._begin, now)
        interval = self._pace()
        return previous_fire_time + timedelta(seconds=interval + self._rng.uniform(0, _jitter(interval)))


class Schedule:
    """Starts jobs on time, never the same one twice at once, and at most ``limit`` together.

    ``lagged`` is told how late each run began, the wait for others to end included: what is too much to be done at once
    is seen there, and never in what a run measures.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        rng: Random,
        limit: int = 100,
        lagged: Callable[[float], None],
        skipped: Callable[[str], None],
    ) -> None:
        self._clock = clock
        self._rng = rng
        self._lagged = lagged
        self._skipped = skipped
        self._seats = asyncio.Semaphore(limit)
        self._running: dict[str, asyncio.Task[None]] = {}
        self._begun: dict[str, float] = {}
        self._due: dict[str, float] = {}
        self._jobs: dict[str, Job] = {}
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            jobstores={"default": MemoryJobStore()},
            executors={"default": AsyncIOExecutor()},
        )
        self._scheduler.add_listener(self._on_submitted, EVENT_JOB_SUBMITTED)
        self._scheduler.add_listener(self._on_missed, EVENT_JOB_MISSED)

    def start(self) -> None:
        self._scheduler.start()

    def apply(self, jobs: Iterable[Job]) -> None:
        """Make ``jobs`` the whole schedule. A job whose timing is unchanged keeps its rhythm."""
        wanted = {job.key: job for job in jobs}
        for key in self._jobs.keys() - wanted.keys():
            self._scheduler.remove_job(key)
            self._begun.pop(key, None)
            self._due.pop(key, None)
        before, self._jobs = self._jobs, wanted
        added = [job for key, job in wanted.items() if key not in before or _timing(before[key]) != _timing(job)]
        spread = max(SPREAD, len(added) / STARTS_A_SECOND)
        for job in added:
            self._add(job, spread)

    def repace(self, keys: Iterable[str]) -> None:
        """Bring forward what is due sooner by now. What has become slower follows with its next run."""
        for key in keys:
            job, begun, due = self._jobs.get(key), self._begun.get(key), self.next_run(key)
            if job is None or job.pace is None or begun is None or due is None:
                continue
            at = max(begun + job.pace(), self._clock.now())
            if at < due:
                self._scheduler.modify_job(key, next_run_time=datetime.fromtimestamp(at, UTC))

    def next_run(self, key: str) -> float | None:
        """Seconds since the epoch of the next start, None when there is none."""
        job = self._scheduler.get_job(key)
        return job.next_run_time.timestamp() if job and job.next_run_time else None

    def start_now(self, key: str) -> None:
        """Start a job out of turn."""
        self._launch(key)

    def pause(self) -> None:
        """Start nothing more; what runs goes on."""
        if self._scheduler.running:
            self._scheduler.pause()

    async def drain(self, seconds: float) -> int:
        """Wait for what runs, then cancel the rest. Returns how many had to be cancelled."""
        self.pause()
        tasks = set(self._running.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
            tasks = late
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        return len(tasks)

    def _add(self, job: Job, spread: float) -> None:
        # Openly: one start may be as late as its own interval, several missed ones become one, and because the
        # scheduler only launches, its own limit on instances is never what holds a run back.
        self._scheduler.add_job(
            self._fire,
            self._trigger(job, spread),
            args=[job.key],
            id=job.key,
            replace_existing=True,
            misfire_grace_time=max(1, int(job.every or 60)),
            coalesce=True,
            max_instances=10,
        )

    def _trigger(self, job: Job, spread: float) -> BaseTrigger:
        if job.cron is not None:
            return CronTrigger.from_crontab(job.cron, timezone=UTC)
        every = job.every or 60.0
        first = self._rng.uniform(0.05, min(every, spread)) if job.first_after is None else job.first_after
        begin = datetime.fromtimestamp(self._clock.now(), UTC) + timedelta(seconds=first)
        if job.pace is not None:
            return PacedTrigger(begin, lambda: self._interval(job), self._rng)
        return IntervalTrigger(seconds=every, start_date=begin, timezone=UTC, jitter=_jitter(every))

    def _interval(self, job: Job) -> float:
        """By the job that is in force now: a reload may have changed what decides the pace."""
        pace = self._jobs.get(job.key, job).pace
        return pace() if pace is not None else job.every or 60.0

    async def _fire(self, key: str) -> None:
        self._launch(key)

    def _launch(self, key: str) -> None:
        if key in self._running:
            self._skipped("still_running")
            log.warning("run skipped: the one before still runs", job=key)
            return
        now = self._clock.now()
        task = asyncio.create_task(self._run(key, self._due.pop(key, now)), name=key)
        self._begun[key] = now
        self._running[key] = task
        task.add_done_callback(lambda _: self._running.pop(key, None))

    async def _run(self, key: str, due: float) -> None:
        async with self._seats:
            job = self._jobs.get(key)
            if job is None:
                return
            self._lagged(max(0.0, self._clock.now() - due))
            try:
                await job.action()
            except Exception:  # one job must not end the daemon; it is logged and counted
                self._skipped("crashed")
                log.exception("a run crashed", job=key)
        self.repace([key])

    def _on_submitted(self, event: JobSubmissionEvent) -> None:
        if event.scheduled_run_times:
            self._due[event.job_id] = event.scheduled_run_times[0].timestamp()

    def _on_missed(self, event: JobExecutionEvent) -> None:
        self._skipped("missed")
        log.warning("run missed", job=event.job_id)


def _timing(job: Job) -> tuple[float | None, str | None, bool]:
    return job.every, job.cron, job.pace is None


def _jitter(interval: float) -> float:
    return min(interval * 0.05, 5.0)

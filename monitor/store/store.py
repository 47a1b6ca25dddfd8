"""The store: writes are buffered, and a read sees what was written before it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Select, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from monitor.clock import Clock
from monitor.errors import FallbackdError, StartError
from monitor.model import Notice, Origin, Outcome, Status, Transition, Verdict
from monitor.model import Path as ChainPath
from monitor.store import charts, reading, retention
from monitor.store.database import open_database, sentence
from monitor.store.notices import Fate, Notices
from monitor.store.reading import Cursor
from monitor.store.rows import (
    NOTICE,
    OUTCOME,
    TRANSITION,
    VERDICT,
    decode_all,
    journal_row,
    outcome_row,
    transition_row,
)
from monitor.store.schema import JOURNALS, MESSAGES, NOTICES, OUTCOMES, STATES, TRANSITIONS
from monitor.store.writer import AMENDED, Writer

__all__ = ["Cursor", "Store"]


class Store:
    """One open database. A read that fails raises FallbackdError; a write that fails is kept, retried and counted."""

    def __init__(self, engine: AsyncEngine, path: Path, clock: Clock, notices: Notices) -> None:
        self._engine = engine
        self._reader = engine.execution_options(reading=True)
        self._path = path
        self._clock = clock
        self._notices = notices
        self._writer = Writer(engine, path, clock, notices)
        self._writing = asyncio.create_task(self._writer.run())

    @classmethod
    async def open(cls, path: Path, clock: Clock) -> Self:
        """Makes the file when absent. Raises StartError: unwritable, damaged, locked, or from a newer version."""
        engine = await open_database(path)
        try:
            notices = await _waiting_notices(engine)
        except SQLAlchemyError as error:
            await engine.dispose()
            raise StartError(sentence(error, path)) from None
        return cls(engine, path, clock, notices)

    async def close(self) -> None:
        """Writes what waits and lets go of the file. Safe to call twice."""
        self._writing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._writing
        await self._writer.flush()
        await self._engine.dispose()

    # What was seen: buffered, on disk within half a second or 1,000 rows.

    def add_outcome(self, outcome: Outcome) -> None:
        self._writer.put_row(OUTCOMES.name, outcome_row(outcome))

    def amend_outcome(self, outcome: Outcome) -> None:
        """What was found out later about an outcome that was added before."""
        self._writer.put_row(AMENDED, outcome_row(outcome))

    def add_transition(self, transition: Transition) -> None:
        self._writer.put_row(TRANSITIONS.name, transition_row(transition))

    def add_verdict(
        self, verdict: Verdict, journal_json: bytes, kind: str = "", states: Mapping[str, bytes | None] | None = None
    ) -> None:
        """``states`` (of ``kind``) are what follows from the verdict: they are written in the same transaction."""
        self._writer.put_row(JOURNALS.name, journal_row(verdict, journal_json))
        if states:
            self._writer.put_states(kind, states)

    async def flush(self) -> None:
        await self._writer.flush()

    def lag(self) -> float:
        """Seconds for which the oldest unwritten row has waited; 0 when all is on disk."""
        since = self._writer.waiting_since
        return 0.0 if since is None else max(0.0, self._clock.now() - since)

    @property
    def pending(self) -> int:
        """Rows that are not yet on disk."""
        return self._writer.backlog

    @property
    def failed(self) -> int:
        """Transactions that failed since the start."""
        return self._writer.failures

    @property
    def dropped(self) -> int:
        """Rows lost since the start because the buffer was full."""
        return self._writer.dropped

    # Reading.

    async def outcomes(
        self,
        *,
        chain: str | None = None,
        target: str | None = None,
        origin: Origin | None = None,
        drill: str | None = None,
        status: Status | None = None,
        since: float | None = None,
        before: Cursor | None = None,
        limit: int = 100,
    ) -> list[Outcome]:
        """Newest first. ``before`` is the (at, id) of the last outcome of the page before."""
        columns = {"chain": chain, "target": target, "origin": origin, "drill": drill, "status": status}
        rows = await self._read(reading.outcomes(columns, since=since, before=before, limit=limit))
        return decode_all((row.value for row in rows), OUTCOME)

    async def outcome(self, id_: str) -> Outcome | None:
        found = decode_all((row.value for row in await self._read(reading.outcome(id_))), OUTCOME)
        return found[0] if found else None

    async def first_outcome(self, chain: str) -> float | None:
        """When the oldest outcome that is kept of a chain was."""
        rows = await self._read(reading.first_outcome(chain))
        return None if rows[0][0] is None else float(rows[0][0])

    async def transitions(
        self, *, chain: str | None = None, since: float | None = None, limit: int = 100
    ) -> list[Transition]:
        """Newest first."""
        rows = await self._read(reading.transitions(chain=chain, since=since, limit=limit))
        return decode_all((row.value for row in rows), TRANSITION)

    async def journals(
        self, *, drill: str | None = None, chain: str | None = None, limit: int = 50
    ) -> list[tuple[Verdict, bytes]]:
        """Newest first."""
        rows = await self._read(reading.journals(drill=drill, chain=chain, limit=limit))
        return [(verdict, row.journal) for row in rows for verdict in decode_all([row.value], VERDICT)]

    async def journal(self, run: str) -> tuple[Verdict, bytes] | None:
        rows = await self._read(reading.journal(run))
        found = [(verdict, row.journal) for row in rows for verdict in decode_all([row.value], VERDICT)]
        return found[0] if found else None

    async def fallback_buckets(self, since: float) -> list[tuple[str, int, ChainPath, int]]:
        """(chain, minute since the epoch, path, count), oldest first, from whole chains asked as scheduled or live."""
        rows = await self._read(reading.fallback_buckets(since))
        return [(chain, minute, ChainPath(path), count) for chain, minute, path, count in rows]

    async def objective_buckets(self, since: float) -> list[tuple[str, int, int, int]]:
        """(chain, minute since the epoch, answered, unanswered) of whole chains asked as scheduled or live."""
        rows = await self._read(reading.objective_buckets(since))
        return [(chain, minute, good, bad) for chain, minute, good, bad in rows]

    async def spend(self, since: float) -> dict[str, float]:
        """USD by chain, whatever asked."""
        return dict(tuple(row) for row in await self._read(reading.spend(since)))

    async def last_probes(self) -> dict[tuple[str, str], float]:
        """When each (chain, probe) was last asked as scheduled."""
        return {(chain, probe): at for chain, probe, at in await self._read(reading.last_probes())}

    async def served(
        self, chains: Sequence[str], *, since: float, width: float
    ) -> list[tuple[str, int, int | None, ChainPath, int]]:
        """(chain, bucket, position, path, count), oldest first: who answered. See ``monitor.store.charts``."""
        rows = await self._read(charts.served(chains, since=since, width=width))
        return [(chain, bucket, position, ChainPath(path), count) for chain, bucket, position, path, count in rows]

    async def quantiles(
        self, chain: str, targets: Sequence[str], column: str, *, since: float, width: float
    ) -> list[tuple[str | None, int, int, float, float]]:
        """(target or None, bucket, answers, median, worst), oldest first, of ``duration`` or ``first_token``."""
        rows = await self._read(charts.quantiles(chain, targets, column, since=since, width=width))
        return [tuple(row) for row in rows]

    # States: what health and alerting know, by kind and key.

    async def states(self, kind: str) -> dict[str, bytes]:
        rows = await self._read(select(STATES.c.key, STATES.c.value).where(STATES.c.kind == kind))
        return dict(tuple(row) for row in rows)

    async def put_states(self, kind: str, values: Mapping[str, bytes | None]) -> None:
        """None deletes."""
        self._writer.put_states(kind, values)
        await self._writer.flush()

    # The outbox.

    async def decide(self, kind: str, states: Mapping[str, bytes | None], notices: Iterable[Notice]) -> None:
        """States and notices in one transaction: after a crash there are both or neither."""
        self._writer.put_states(kind, states)
        for notice in notices:
            self._notices.add(notice)
        await self._writer.flush()

    def waiting(self, notifier: str) -> tuple[Notice, ...]:
        """The newest undelivered notice of each incident, the longest waiting incident first."""
        return self._notices.waiting(notifier)

    def dropped_notices(self, notifier: str) -> int:
        """Repeats that were dropped since the start because too many waited, or for too long."""
        return self._notices.dropped(notifier)

    def message_ref(self, notifier: str, incident: str) -> str | None:
        """Where the message of an open incident stands; None when there is none yet."""
        return self._notices.ref(notifier, incident)

    async def posted(self, notice: Notice, ref: str) -> None:
        """Where the message of a notice stands that was handed over in part, durably when this returns."""
        self._notices.posted(notice, ref, self._clock.now())
        self._writer.touched()
        await self._writer.flush()

    async def delivered(self, notice: Notice, ref: str | None) -> None:
        """Marks a notice as handed over, durably when this returns."""
        self._notices.delivered(notice, ref, self._clock.now())
        self._writer.touched()
        await self._writer.flush()

    async def prune(self, keep: float) -> int:
        """Deletes what is older than ``keep`` seconds, and all but the newest settled notices. How many rows went."""
        before = self._clock.now() - keep
        self._notices.forget(before, self._clock.now())
        try:
            return await asyncio.shield(asyncio.create_task(retention.prune(self._engine, before)))
        except SQLAlchemyError as error:
            raise FallbackdError(sentence(error, self._path)) from None

    async def _read(self, statement: Select[Any]) -> Sequence[Any]:
        if self._writer.backlog and not self._writer.failing:
            await self._writer.flush()
        try:
            async with self._reader.connect() as connection:
                result = await connection.execute(statement)
                return list(result.all())
        except SQLAlchemyError as error:
            raise FallbackdError(sentence(error, self._path)) from None


async def _waiting_notices(engine: AsyncEngine) -> Notices:
    pending = select(NOTICES.c.value).where(NOTICES.c.fate == Fate.PENDING).order_by(NOTICES.c.seq)
    async with engine.connect() as connection:
        rows = (await connection.execute(pending)).scalars().all()
        messages = (await connection.execute(select(MESSAGES.c.notifier, MESSAGES.c.incident, MESSAGES.c.ref))).all()
    return Notices(decode_all(rows, NOTICE), {(notifier, incident): ref for notifier, incident, ref in messages})

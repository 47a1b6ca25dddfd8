"""Buffered writes: everything that waits goes to disk in one transaction, and a failing disk stops nobody."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path

import structlog
from sqlalchemy import bindparam, delete, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitor.clock import Clock
from monitor.store.database import sentence
from monitor.store.notices import Notices, Unsaved
from monitor.store.rows import Row, notice_row
from monitor.store.schema import JOURNALS, MESSAGES, NOTICES, OUTCOMES, STATES, TRANSITIONS

log = structlog.get_logger("store")

BATCH_SECONDS = 0.5
BATCH_ROWS = 1000
"""So many that wait are written sooner. Each row lies in an index of its chain, so a transaction writes some pages of
every chain however few its rows are: a hundred at a time cost twice as much for a row."""
STATEMENT_ROWS = 100
BUFFER_ROWS = 20_000
RETRY_FIRST = 1.0
RETRY_MAX = 30.0

StateKey = tuple[str, str]

AMENDED = "amended outcomes"
_OBSERVED = (OUTCOMES.name, TRANSITIONS.name, JOURNALS.name)
# Not an insert: a row that was pruned meanwhile must not come back as if it were new.
_AMEND = update(OUTCOMES).where(OUTCOMES.c.id == bindparam("amended_id"))
_PUT_STATE = insert(STATES)
_PUT_STATE = _PUT_STATE.on_conflict_do_update(index_elements=["kind", "key"], set_={"value": _PUT_STATE.excluded.value})
_PUT_NOTICE = insert(NOTICES)
_PUT_NOTICE = _PUT_NOTICE.on_conflict_do_update(
    index_elements=["id", "notifier"], set_={"fate": _PUT_NOTICE.excluded.fate}
)
_PUT_MESSAGE = insert(MESSAGES)
_PUT_MESSAGE = _PUT_MESSAGE.on_conflict_do_update(
    index_elements=["notifier", "incident"], set_={"ref": _PUT_MESSAGE.excluded.ref, "at": _PUT_MESSAGE.excluded.at}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """All that one transaction writes: ``rows`` observations (table name, row), states and notices as of one moment."""

    rows: Sequence[tuple[str, Row]]
    states: Mapping[StateKey, bytes | None]
    notices: Unsaved

    @property
    def is_empty(self) -> bool:
        return not (self.rows or self.states or self.notices.entries or self.notices.posted)


class Writer:
    """Owns what is not yet on disk. Whatever was put in without an ``await`` in between is written together.

    ``failures`` and ``dropped`` count since the start; ``waiting_since`` is when the oldest unwritten row came.
    """

    def __init__(self, engine: AsyncEngine, path: Path, clock: Clock, notices: Notices) -> None:
        self._engine = engine
        self._path = path
        self._clock = clock
        self._notices = notices
        self._rows: deque[tuple[str, Row]] = deque()
        self._states: dict[StateKey, bytes | None] = {}
        self._busy = asyncio.Lock()
        self._started = asyncio.Event()
        self._full = asyncio.Event()
        self._flushing: set[asyncio.Task[bool]] = set()
        self._streak = 0
        self.failures = 0
        self.dropped = 0
        self.waiting_since: float | None = None

    @property
    def backlog(self) -> int:
        """Rows, states and notices that are not yet on disk."""
        notices = self._notices.unsaved()
        return len(self._rows) + len(self._states) + len(notices.entries) + len(notices.posted)

    @property
    def failing(self) -> bool:
        """The last transaction failed."""
        return self._streak > 0

    def put_row(self, table: str, row: Row) -> None:
        """The oldest row is dropped, and counted, when the disk has failed for so long that the buffer is full."""
        if len(self._rows) >= BUFFER_ROWS:
            self._rows.popleft()
            self.dropped += 1
        self._rows.append((table, row))
        self.touched()
        if len(self._rows) >= BATCH_ROWS:
            self._full.set()

    def put_states(self, kind: str, values: Mapping[str, bytes | None]) -> None:
        self._states.update({(kind, key): value for key, value in values.items()})
        self.touched()

    def touched(self) -> None:
        if self.waiting_since is None:
            self.waiting_since = self._clock.now()
        self._started.set()

    async def run(self) -> None:
        """Until cancelled: writes what waits, half a second after the first row or when a batch is full."""
        while True:
            await self._started.wait()
            await self._pause()
            self._started.clear()
            self._full.clear()
            if not await self.flush():
                self._started.set()

    async def flush(self) -> bool:
        """Writes all that waits. False when that failed; it then still waits."""
        # In a task of its own: a caller who is cancelled must not leave a transaction half-way.
        task = asyncio.create_task(self._flush())
        self._flushing.add(task)
        task.add_done_callback(self._flushing.discard)
        return await asyncio.shield(task)

    async def _pause(self) -> None:
        if self._streak:
            await self._clock.sleep(min(RETRY_MAX, RETRY_FIRST * 2 ** (self._streak - 1)))
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BATCH_SECONDS):
                await self._full.wait()

    async def _flush(self) -> bool:
        async with self._busy:
            batch = Batch(rows=tuple(self._rows), states=dict(self._states), notices=self._notices.unsaved())
            if batch.is_empty:
                return True
            dropped, since = self.dropped, self._clock.now()
            try:
                async with self._engine.begin() as connection:
                    await write(connection, batch)
            except Exception as error:  # noqa: BLE001 - whatever it is, watching goes on and the rows are kept
                self._failed(error)
                return False
            self._written(batch, self.dropped - dropped, since)
            return True

    def _written(self, batch: Batch, dropped_meanwhile: int, since: float) -> None:
        for _ in range(len(batch.rows) - dropped_meanwhile):
            self._rows.popleft()
        for key, value in batch.states.items():
            if self._states[key] is value:
                del self._states[key]
        self._notices.saved(batch.notices)
        self.waiting_since = since if self.backlog else None
        if self._streak:
            log.info("the database can be written again", failures=self._streak, dropped=self.dropped)
        self._streak = 0

    def _failed(self, error: BaseException) -> None:
        self.failures += 1
        self._streak += 1
        if self._streak == 1:
            log.error("writing failed; watching goes on, and what was seen is retried", why=sentence(error, self._path))


async def write(connection: AsyncConnection, batch: Batch) -> None:
    for table in _OBSERVED:
        if rows := [row for name, row in batch.rows if name == table]:
            for start in range(0, len(rows), STATEMENT_ROWS):
                await _insert(connection, table, rows[start : start + STATEMENT_ROWS])
    for row in (row for name, row in batch.rows if name == AMENDED):
        found_out = {column: row[column] for column in ("path", "position", "value")}
        await connection.execute(_AMEND.values(**found_out), {"amended_id": row["id"]})
    await _write_states(connection, batch.states)
    await _write_notices(connection, batch.notices)


async def _insert(connection: AsyncConnection, table: str, rows: Sequence[Row]) -> None:
    """In one statement: the driver lets go of the interpreter for each one that runs, and to get it back costs more
    than the row where another thread is busy."""
    values = tuple(chain.from_iterable([row.values() for row in rows]))
    await connection.exec_driver_sql(_inserting(table, tuple(rows[0]), len(rows)), values)


@lru_cache(maxsize=32)
def _inserting(table: str, columns: tuple[str, ...], rows: int) -> str:
    """In plain SQL: what these many rows hold is as the driver takes it, and SQLAlchemy would look at each value."""
    marks = ", ".join([f"({', '.join('?' * len(columns))})"] * rows)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {marks} ON CONFLICT DO NOTHING"  # noqa: S608 - names of our own


async def _write_states(connection: AsyncConnection, states: Mapping[StateKey, bytes | None]) -> None:
    kept = [{"kind": kind, "key": key, "value": value} for (kind, key), value in states.items() if value is not None]
    if kept:
        await connection.execute(_PUT_STATE, kept)
    for kind, key in (place for place, value in states.items() if value is None):
        await connection.execute(delete(STATES).where(STATES.c.kind == kind, STATES.c.key == key))


async def _write_notices(connection: AsyncConnection, unsaved: Unsaved) -> None:
    entries = [notice_row(entry.notice, entry.fate) for entry in unsaved.entries.values()]
    if entries:
        await connection.execute(_PUT_NOTICE, entries)
    for (notifier, incident), posted in unsaved.posted.items():
        if posted.ref is None:
            found = (MESSAGES.c.notifier == notifier, MESSAGES.c.incident == incident)
            await connection.execute(delete(MESSAGES).where(*found))
        else:
            row = {"notifier": notifier, "incident": incident, "ref": posted.ref, "at": posted.at}
            await connection.execute(_PUT_MESSAGE, [row])

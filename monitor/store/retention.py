"""Deleting what is old, in small transactions, so that no write waits long for it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Table, column, delete, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from monitor.store.notices import Fate
from monitor.store.schema import JOURNALS, MESSAGES, NOTICES, OUTCOMES, TRANSITIONS

CHUNK_ROWS = 2_000
SETTLED_NOTICES = 1_000

_ROWID: ColumnElement[Any] = column("rowid")


async def prune(engine: AsyncEngine, before: float) -> int:
    """How many rows went. Notices that still wait go too: whoever they were for was not reached in all that time."""
    gone = 0
    for table in (OUTCOMES, TRANSITIONS, JOURNALS, NOTICES, MESSAGES):
        gone += await _delete(engine, table, table.c.at < before)
    settled = NOTICES.c.fate != Fate.PENDING
    newest = select(NOTICES.c.seq).where(settled).order_by(NOTICES.c.seq.desc()).limit(SETTLED_NOTICES).subquery()
    oldest_kept = select(func.min(newest.c.seq)).scalar_subquery()
    return gone + await _delete(engine, NOTICES, settled, NOTICES.c.seq < oldest_kept)


async def _delete(engine: AsyncEngine, table: Table, *conditions: ColumnElement[bool]) -> int:
    some = select(_ROWID).select_from(table).where(*conditions).limit(CHUNK_ROWS)
    gone = 0
    while True:
        async with engine.begin() as connection:
            count = (await connection.execute(delete(table).where(_ROWID.in_(some)))).rowcount
        gone += count
        if count < CHUNK_ROWS:
            return gone

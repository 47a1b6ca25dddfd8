"""Opening the SQLite file: its settings, its version, and one sentence for whatever is wrong with it."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from monitor.errors import StartError
from monitor.store.schema import APPLICATION_ID, MIGRATIONS

BUSY_SECONDS = 5.0

_REMEDIES = (
    ("not a database", "is not a SQLite database; move it away or choose another folder with --data"),
    ("malformed", "is damaged; move it away (a new one is made) or restore a copy of it"),
    ("is full", "cannot grow because the disk is full; free some space"),
    ("disk I/O error", "cannot be read or written (disk I/O error); check the disk and its free space"),
    ("readonly", "cannot be written; give this user write access to the file and its folder"),
    ("unable to open", "cannot be opened; give this user write access to the file and its folder"),
    ("locked", "is locked by another process; end the other fallbackd or choose another folder with --data"),
)


def sentence(error: BaseException, path: Path) -> str:
    """What is wrong with the database at ``path``, and what to do about it."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    text = str(cause)
    for part, remedy in _REMEDIES:
        if part in text:
            return f"the database {path} {remedy}"
    return f"the database {path} cannot be used: {text or type(cause).__name__}"


async def open_database(path: Path) -> AsyncEngine:
    """The engine on an up-to-date database, made when absent. Raises StartError."""
    await asyncio.to_thread(_make_folder, path)
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{path}", connect_args={"timeout": BUSY_SECONDS}, pool_size=3, max_overflow=0
    )
    event.listen(engine.sync_engine, "connect", _configure)
    event.listen(engine.sync_engine, "begin", _begin)
    try:
        async with engine.begin() as connection:
            await _migrate(connection, path)
    except (DBAPIError, sqlite3.Error) as error:
        await engine.dispose()
        raise StartError(sentence(error, path)) from None
    except BaseException:
        await engine.dispose()
        raise
    return engine


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(
            f"the folder {path.parent} for the database cannot be made ({error.strerror}); choose another with --data"
        ) from None
    if path.is_dir():
        raise StartError(f"the database {path} is a folder; move it away or choose another folder with --data")


def _configure(connection: Any, _entry: ConnectionPoolEntry) -> None:
    # The driver's own BEGIN comes late and not before DDL; with None the "begin" event below says when.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # Every commit reaches the disk: batches are few enough, and an undelivered notice must survive a power cut.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin(connection: Any) -> None:
    # Writers ask for the write lock at once, so that none of them fails half-way; readers do not need it.
    mode = "DEFERRED" if connection.get_execution_options().get("reading") else "IMMEDIATE"
    connection.exec_driver_sql(f"BEGIN {mode}")


async def _migrate(connection: AsyncConnection, path: Path) -> None:
    version = await _number(connection, "PRAGMA user_version")
    owner = await _number(connection, "PRAGMA application_id")
    tables = await _number(connection, "SELECT count(*) FROM sqlite_master")
    if tables and owner != APPLICATION_ID:
        raise StartError(f"the database {path} belongs to another program; choose another folder with --data")
    if version > len(MIGRATIONS):
        raise StartError(
            f"the database {path} is from a newer fallbackd (version {version}, this one knows {len(MIGRATIONS)}); "
            "upgrade fallbackd or choose another folder with --data"
        )
    for step in MIGRATIONS[version:]:
        for statement in step:
            await connection.exec_driver_sql(statement)
    # Written at every start: a database that cannot be written is found now and not at the first outcome.
    await connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
    await connection.exec_driver_sql(f"PRAGMA user_version={len(MIGRATIONS)}")


async def _number(connection: AsyncConnection, query: str) -> int:
    return int((await connection.exec_driver_sql(query)).scalar_one())

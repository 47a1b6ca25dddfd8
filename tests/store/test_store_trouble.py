"""A database that cannot be used ends the start with one sentence; one that fails later stops nobody."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anyio
import pytest
from sqlalchemy import event

from monitor.clock import SystemClock
from monitor.errors import FallbackdError, StartError
from monitor.store import Store, writer
from monitor.store.schema import MIGRATIONS
from tests.fakes.clock import FakeClock
from tests.fakes.values import notice, outcome

pytestmark = pytest.mark.anyio

NOBODY = 65534


async def refusal(path: Path) -> str:
    with pytest.raises(StartError) as caught:
        await Store.open(path, SystemClock())
    assert str(path.parent) in str(caught.value)
    return str(caught.value).replace(str(path), "DB").replace(str(path.parent), "FOLDER")


@contextlib.contextmanager
def without_rights(folder: Path) -> Iterator[None]:
    """Nobody may write here; root, who may always, becomes somebody else meanwhile."""
    folder.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)


def make(path: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


async def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fallbackd.db"
    await (await Store.open(path, SystemClock())).close()
    make(path, "PRAGMA user_version=999")
    assert await refusal(path) == (
        f"the database DB is from a newer fallbackd (version 999, this one knows {len(MIGRATIONS)}); "
        "upgrade fallbackd or choose another folder with --data"
    )


async def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "fallbackd.db"
    make(path, "CREATE TABLE bookmarks (url)")
    assert await refusal(path) == "the database DB belongs to another program; choose another folder with --data"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("bookmarks",)]


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fallbackd.db"
    path.write_bytes(b"these are not the rows you are looking for" * 100)
    assert (
        await refusal(path)
        == "the database DB is not a SQLite database; move it away or choose another folder with --data"
    )


async def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fallbackd.db"
    await (await Store.open(path, SystemClock())).close()
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"\xff" * (len(whole) - 100))
    assert await refusal(path) == "the database DB is damaged; move it away (a new one is made) or restore a copy of it"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Unlike ``tmp_path``, one that every user may enter."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


async def test_a_folder_that_cannot_be_written_is_refused(open_folder: Path) -> None:
    with without_rights(open_folder):
        text = await refusal(open_folder / "fallbackd.db")
    assert text == "the database DB cannot be opened; give this user write access to the file and its folder"


async def test_a_database_that_may_only_be_read_is_refused(open_folder: Path) -> None:
    path = open_folder / "fallbackd.db"
    await (await Store.open(path, SystemClock())).close()
    path.chmod(0o444)
    with without_rights(open_folder):
        text = await refusal(path)
    assert text == "the database DB cannot be written; give this user write access to the file and its folder"


async def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    assert "choose another with --data" in await refusal(tmp_path / "data" / "fallbackd.db")


async def test_a_folder_in_the_place_of_the_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fallbackd.db").mkdir()
    text = await refusal(tmp_path / "fallbackd.db")
    assert text == "the database DB is a folder; move it away or choose another folder with --data"


async def test_a_locked_database_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.store.database.BUSY_SECONDS", 0.05)
    path = tmp_path / "fallbackd.db"
    await (await Store.open(path, SystemClock())).close()
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        text = await refusal(path)
    assert text == (
        "the database DB is locked by another process; end the other fallbackd or choose another folder with --data"
    )


async def test_no_thread_outlives_the_store(tmp_path: Path) -> None:
    before = threading.active_count()
    store = await Store.open(tmp_path / "fallbackd.db", SystemClock())
    store.add_outcome(outcome())
    await store.outcomes()
    assert threading.active_count() > before
    await store.close()
    await store.close()
    with anyio.fail_after(5):
        while any(
            "aiosqlite" in repr(thread) or "_connection_worker" in thread.name for thread in threading.enumerate()
        ):
            await anyio.sleep(0.01)


async def test_every_commit_reaches_the_disk_and_readers_wait_for_no_writer(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "fallbackd.db", SystemClock())
    async with store._engine.connect() as connection:
        kept = [
            (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous")
        ]
    await store.close()
    assert kept == ["wal", 2], "2 is FULL"


class Disk:
    """A real SQLITE_FULL: the file may not grow by a single page while ``full``."""

    def __init__(self, store: Store) -> None:
        self.full = False
        event.listen(store._engine.sync_engine, "begin", self._limit)

    def _limit(self, connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one() if self.full else 2**30
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")


@pytest.fixture
async def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def store(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path / "fallbackd.db", clock)
    yield store
    await store.close()


async def test_a_full_disk_keeps_the_rows_until_there_is_room(
    store: Store, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    disk = Disk(store)
    disk.full = True
    for number in range(50):
        store.add_outcome(outcome(id=str(number), detail="x" * 2000))
    await store.decide("incident", {"i1": b"firing"}, [notice()])
    clock.advance(7)
    assert (store.failed, store.dropped, store.lag()) == (1, 0, 7.0)
    assert await store.outcomes() == []
    assert [found.id for found in store.waiting("slack")] == [notice().id], "people are told even so"
    with anyio.fail_after(5):
        while store.failed < 2:
            clock.advance(60)
            await anyio.sleep(0.01)
    disk.full = False
    with anyio.fail_after(5):
        while len(await store.outcomes()) < 50:
            clock.advance(60)
            await anyio.sleep(0.01)
    assert await store.states("incident") == {"i1": b"firing"}
    assert store.lag() == 0.0
    said = capsys.readouterr().out
    assert said.count("the disk is full; free some space") == 1
    assert said.count("the database can be written again") == 1


async def test_a_disk_that_stays_full_costs_the_oldest_rows_only(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "BUFFER_ROWS", 10)
    disk = Disk(store)
    disk.full = True
    for number in range(25):
        store.add_outcome(outcome(id=f"{number:02}", detail="x" * 9000))
    await store.put_states("health", {"chat": b"x" * 9000})
    assert (store.failed, store.dropped) == (1, 15)
    disk.full = False
    await store.flush()
    assert [found.id for found in await store.outcomes()] == [f"{number:02}" for number in reversed(range(15, 25))]
    assert list(await store.states("health")) == ["chat"]


async def test_a_read_that_fails_says_which_database(store: Store, tmp_path: Path) -> None:
    await store.flush()
    make(tmp_path / "fallbackd.db", "DROP TABLE outcomes")
    with pytest.raises(FallbackdError, match=r"the database .*fallbackd\.db cannot be used: no such table"):
        await store.outcomes()


async def test_a_copy_of_the_files_of_a_running_store_is_whole(store: Store, tmp_path: Path) -> None:
    await store.decide("incident", {"i1": b"firing"}, [notice()])
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in tmp_path.glob("fallbackd.db*"):
        shutil.copy(file, copy)
    other = await Store.open(copy / "fallbackd.db", SystemClock())
    assert await other.states("incident") == {"i1": b"firing"}
    assert other.waiting("slack") == (notice(),)
    await other.close()

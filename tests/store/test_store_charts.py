"""What charts ask of the store: right numbers, out of one index, from databases of earlier versions too."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.dialects import sqlite

from monitor.model import Origin, Status
from monitor.model import Path as ChainPath
from monitor.store import Store, charts
from monitor.store.rows import OUTCOME, encode
from monitor.store.schema import APPLICATION_ID, MIGRATIONS
from tests.fakes.clock import FakeClock
from tests.fakes.values import NOW, outcome

pytestmark = pytest.mark.anyio


NOT_COUNTED = [
    {"origin": Origin.DRILL, "drill": "d"},
    {"origin": Origin.MANUAL},
    {"target": "primary"},
    {"chain": "x"},
    {"at": 50.0},
]
NOT_TIMED = [
    {"kind": "tools"},
    {"status": Status.FAILED},
    {"origin": Origin.LIVE},
    {"origin": Origin.DRILL},
    {"chain": "x"},
    {"target": "gone"},
]


async def open_store(folder: Path) -> Store:
    return await Store.open(folder / "charts.sqlite3", FakeClock(NOW))


async def test_who_served_is_counted_by_bucket(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    served = {"path": ChainPath.PRIMARY, "position": 0}
    for at in (100.0, 150.0, 250.0):
        store.add_outcome(outcome(at=at, **served))
    store.add_outcome(outcome(at=160.0, path=ChainPath.EXHAUSTED, status=Status.FAILED))
    store.add_outcome(outcome(at=170.0, origin=Origin.LIVE, path=ChainPath.FILTERED, position=1))
    for other in NOT_COUNTED:
        store.add_outcome(outcome(**{"at": 180.0, **served, **other}))
    found = await store.served(["chat"], since=100.0, width=100.0)
    assert sorted(found, key=lambda row: (row[1], row[3])) == [
        ("chat", 1, None, ChainPath.EXHAUSTED, 1),
        ("chat", 1, 1, ChainPath.FILTERED, 1),
        ("chat", 1, 0, ChainPath.PRIMARY, 2),
        ("chat", 2, 0, ChainPath.PRIMARY, 1),
    ]
    await store.close()


@pytest.mark.parametrize(("durations", "median"), [([0.2], 0.2), ([0.4, 0.2], 0.2), ([0.9, 0.1, 0.4], 0.4)])
async def test_a_median_is_a_value_that_was_measured(tmp_path: Path, durations: list[float], median: float) -> None:
    store = await open_store(tmp_path)
    for place, duration in enumerate(durations):
        store.add_outcome(outcome(at=100.0 + place, duration=duration))
    assert await store.quantiles("chat", [], "duration", since=0.0, width=100.0) == [
        (None, 1, len(durations), median, max(durations))
    ]
    await store.close()


async def test_only_plain_answers_as_scheduled_are_timed(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    store.add_outcome(
        outcome(at=100.0, target="primary", provider="groq", duration=0.3, first_token=0.1, kind="stream")
    )
    for other in NOT_TIMED:
        store.add_outcome(outcome(**{"at": 100.0, "target": "primary", "duration": 9.0, "first_token": 9.0, **other}))
    for column, value in (("duration", 0.3), ("first_token", 0.1)):
        assert await store.quantiles("chat", ["primary"], column, since=0.0, width=100.0) == [
            ("primary", 1, 1, value, value)
        ]
    assert await store.first_outcome("chat") == 100.0
    assert await store.first_outcome("none") is None
    await store.close()


async def test_a_chart_reads_one_index_and_no_outcome(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    await store.close()
    statements = [
        charts.served(["a", "b"], since=0.0, width=900.0),
        charts.quantiles("a", ["t", "u"], "duration", since=0.0, width=900.0),
        charts.quantiles("a", ["t", "u"], "first_token", since=0.0, width=900.0),
    ]
    with sqlite3.connect(tmp_path / "charts.sqlite3") as connection:
        for statement in statements:
            text = str(statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
            steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}")]
            reads = [step for step in steps if "outcomes" in step]
            assert reads
            for step in reads:
                assert (
                    step == "SEARCH outcomes USING COVERING INDEX outcomes_for_charts (chain=? AND target=? AND at>?)"
                )


async def test_what_an_earlier_version_kept_is_in_the_charts(tmp_path: Path) -> None:
    kept = outcome(at=100.0, path=ChainPath.FILTERED, position=1, duration=0.5, first_token=0.2, kind="stream")
    with sqlite3.connect(tmp_path / "charts.sqlite3") as old:
        for statement in MIGRATIONS[0]:
            old.execute(statement)
        old.execute(f"PRAGMA application_id={APPLICATION_ID}")
        old.execute("PRAGMA user_version=1")
        row = """INSERT INTO outcomes (id, at, chain, probe, origin, status, path, value)
                 VALUES (?, ?, 'chat', 'p', 'scheduled', 'ok', 'filtered', ?)"""
        old.execute(row, (kept.id, kept.at, encode(kept, OUTCOME)))
        old.execute(row, ("damaged", 101.0, b"{"))
    old.close()
    store = await open_store(tmp_path)
    assert ("chat", 1, 1, ChainPath.FILTERED, 1) in await store.served(["chat"], since=0.0, width=100.0)
    assert await store.quantiles("chat", [], "first_token", since=0.0, width=100.0) == [(None, 1, 1, 0.2, 0.2)]
    await store.close()

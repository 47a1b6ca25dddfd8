"""What goes in comes out, in the order asked for, and survives a restart."""

from __future__ import annotations

import contextlib
import itertools
import math
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path as FilePath
from random import Random
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, NullPool, create_engine, inspect

from monitor.clock import SystemClock
from monitor.model import Attempt, Origin, Outcome, Path, Reason, Status, Tokens
from monitor.store import Store
from monitor.store.rows import OUTCOME, decode, encode, outcome_row
from monitor.store.schema import METADATA, MIGRATIONS
from tests.fakes.values import NOW, outcome, transition, verdict

pytestmark = pytest.mark.anyio

texts = st.text(max_size=20)
names = st.sampled_from(["chat", "primary", "z.ai", "ü"])
numbers = st.floats(allow_nan=False, min_value=0) | st.just(math.inf)
attempts = st.builds(
    Attempt,
    model=texts,
    provider=st.none() | texts,
    position=st.none() | st.integers(0, 9),
    status_code=st.none() | st.integers(100, 599),
    reason=st.sampled_from(Reason),
    duration=st.none() | numbers,
)
outcomes = st.builds(
    Outcome,
    id=st.uuids().map(str),
    at=st.floats(min_value=0, max_value=4e9),
    chain=names,
    probe=names,
    kind=names,
    origin=st.sampled_from(Origin),
    status=st.sampled_from(Status),
    reason=st.sampled_from(Reason),
    drill=st.none() | names,
    target=st.none() | names,
    provider=st.none() | names,
    served_by=st.none() | names,
    position=st.none() | st.integers(0, 9),
    model=st.none() | texts,
    served_provider=st.none() | texts,
    path=st.none() | st.sampled_from(Path),
    attempts=st.lists(attempts, max_size=3).map(tuple),
    status_code=st.none() | st.integers(100, 599),
    retry_after=st.none() | numbers,
    duration=numbers,
    first_token=st.none() | numbers,
    tokens=st.builds(Tokens, prompt=st.integers(0, 10**9)),
    output_rate=st.none() | numbers,
    longest_gap=st.none() | numbers,
    cost=st.none() | st.floats(0, 1e6),
    generation=st.none() | texts,
    detail=texts,
)


@contextlib.asynccontextmanager
async def opened(path: FilePath) -> AsyncIterator[Store]:
    store = await Store.open(path, SystemClock())
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture
async def store(tmp_path: FilePath) -> AsyncIterator[Store]:
    async with opened(tmp_path / "data" / "fallbackd.db") as store:
        yield store


@given(value=outcomes)
def test_every_outcome_reads_back_equal(value: Outcome) -> None:
    stored = outcome_row(value)["value"]
    assert decode(stored, OUTCOME) == value
    assert stored == encode(value, OUTCOME)


@given(values=st.lists(outcomes, min_size=1, max_size=8, unique_by=lambda value: value.id))
@settings(max_examples=15, deadline=None)
async def test_outcomes_come_back_newest_first_after_a_restart(tmp_path_factory, values: list[Outcome]) -> None:
    path = tmp_path_factory.mktemp("db") / "fallbackd.db"
    async with opened(path) as store:
        for value in values:
            store.add_outcome(value)
    async with opened(path) as store:
        assert await store.outcomes() == sorted(values, key=lambda value: (value.at, value.id), reverse=True)


async def test_a_text_that_is_no_unicode_blocks_nobody(store: Store) -> None:
    store.add_outcome(outcome(id="bad", detail="cut \ud83d emoji", probe="p\udc00"))
    store.add_outcome(outcome(id="good"))
    assert {found.id: found.detail for found in await store.outcomes()} == {"bad": "cut ? emoji", "good": ""}
    assert store.failed == 0


async def test_outcomes_are_filtered_by_every_column(store: Store) -> None:
    plain = outcome(id="plain", at=NOW)
    others = {
        "chain": replace(plain, id="chain", chain="embed"),
        "target": replace(plain, id="target", target="primary"),
        "origin": replace(plain, id="origin", origin=Origin.DRILL),
        "drill": replace(plain, id="drill", drill="primary-gone"),
        "status": replace(plain, id="status", status=Status.FAILED),
    }
    for value in (plain, *others.values()):
        store.add_outcome(value)
    for name, value in others.items():
        assert await store.outcomes(**{name: getattr(value, name)}) == [value], name


async def test_pages_follow_one_another_without_a_gap_even_at_equal_times(store: Store) -> None:
    ids = Random(5).sample(range(100, 1000), 23)  # ids made elsewhere need not follow time
    everything = [outcome(id=str(id_), at=NOW + number // 5) for number, id_ in enumerate(ids)]
    everything.sort(key=lambda value: (value.at, value.id))
    for value in everything:
        store.add_outcome(value)
    pages, before = [], None
    while page := await store.outcomes(before=before, limit=4):
        pages += page
        before = (page[-1].at, page[-1].id)
    assert pages == everything[::-1]
    assert len(await store.outcomes(since=NOW + 4)) == 3


async def test_one_outcome_is_found_by_its_id(store: Store) -> None:
    value = outcome()
    store.add_outcome(value)
    assert await store.outcome(value.id) == value
    assert await store.outcome("nobody") is None


async def test_a_damaged_row_hides_no_other(store: Store, tmp_path: FilePath) -> None:
    store.add_outcome(outcome(id="whole"))
    store.add_outcome(outcome(id="damaged"))
    await store.flush()
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "fallbackd.db")) as other:
        other.execute("UPDATE outcomes SET value = x'7b' WHERE id = 'damaged'")
        other.commit()
    assert [found.id for found in await store.outcomes()] == ["whole"]


async def test_transitions_and_journals_come_back_newest_first(store: Store) -> None:
    first, second = transition(at=NOW), transition(at=NOW + 1)
    store.add_transition(first)
    store.add_transition(second)
    assert await store.transitions(chain="chat") == [second, first]
    assert await store.transitions(since=NOW + 1) == [second]
    assert await store.transitions(chain="embed") == []
    old, new = verdict(run="r1", at=NOW), verdict(run="r2", at=NOW + 1, drill="slow", edge=(0, 1), path=Path.FILTERED)
    store.add_verdict(old, b"{}")
    store.add_verdict(new, b'{"a": 1}')
    assert await store.journals() == [(new, b'{"a": 1}'), (old, b"{}")]
    assert await store.journals(drill="primary-gone") == [(old, b"{}")]
    assert await store.journals(chain="embed") == []
    assert await store.journal("r2") == (new, b'{"a": 1}')
    assert await store.journal("r3") is None


async def test_fallback_buckets_count_whole_chains_that_count_by_minute(store: Store) -> None:
    minute = int(NOW // 60)
    for at, path, more in [
        (NOW, Path.PRIMARY, {}),
        (NOW + 1, Path.PRIMARY, {"origin": Origin.LIVE}),
        (NOW + 2, Path.FILTERED, {}),
        (NOW + 61, Path.PRIMARY, {}),
        (NOW + 3, Path.FILTERED, {"origin": Origin.DRILL}),
        (NOW + 3, Path.FILTERED, {"origin": Origin.MANUAL}),
        (NOW + 3, Path.FILTERED, {"target": "primary"}),
        (NOW + 3, None, {}),
        (NOW - 100, Path.PRIMARY, {}),
    ]:
        store.add_outcome(outcome(at=at, path=path, **more))
    assert sorted(await store.fallback_buckets(NOW)) == [
        ("chat", minute, Path.FILTERED, 1),
        ("chat", minute, Path.PRIMARY, 2),
        ("chat", minute + 1, Path.PRIMARY, 1),
    ]


async def test_spend_counts_every_origin_since_a_time(store: Store) -> None:
    store.add_outcome(outcome(cost=0.25))
    store.add_outcome(outcome(cost=0.5, origin=Origin.DRILL))
    store.add_outcome(outcome(cost=None))
    store.add_outcome(outcome(cost=4.0, at=NOW - 1))
    store.add_outcome(outcome(cost=1.0, chain="embed"))
    assert await store.spend(NOW) == {"chat": 0.75, "embed": 1.0}


async def test_last_probes_are_the_newest_that_count(store: Store) -> None:
    for at, origin in [(NOW, Origin.SCHEDULED), (NOW + 5, Origin.LIVE), (NOW + 9, Origin.DRILL)]:
        store.add_outcome(outcome(at=at, origin=origin))
    assert await store.last_probes() == {("chat", "chat:completion"): NOW + 5}


async def test_states_are_kept_by_kind_and_none_deletes(tmp_path: FilePath) -> None:
    path = tmp_path / "fallbackd.db"
    async with opened(path) as store:
        await store.put_states("health", {"chat": b"1", "embed": b"2"})
        await store.put_states("incident", {"chat": b"3"})
        await store.put_states("health", {"chat": b"4", "embed": None, "never": None})
    async with opened(path) as store:
        assert await store.states("health") == {"chat": b"4"}
        assert await store.states("incident") == {"chat": b"3"}


async def test_what_is_older_than_the_retention_goes(store: Store) -> None:
    now = SystemClock().now()
    for age in (10, 90, 100):
        store.add_outcome(outcome(at=now - age))
        store.add_transition(transition(at=now - age))
        store.add_verdict(verdict(run=f"r{age}", at=now - age), b"{}")
    await store.flush()
    assert await store.prune(50) == 6
    assert await store.prune(50) == 0
    assert [len(await rows()) for rows in (store.outcomes, store.transitions, store.journals)] == [1, 1, 1]


async def test_rows_reach_the_disk_without_being_asked_for(tmp_path: FilePath) -> None:
    path = tmp_path / "fallbackd.db"
    async with opened(path) as store:
        store.add_outcome(outcome())
        with contextlib.closing(sqlite3.connect(path)) as other, anyio.fail_after(5):
            while store.lag() > 0 or not other.execute("SELECT count(*) FROM outcomes").fetchone()[0]:
                await anyio.sleep(0.01)


def shape(connection: Connection) -> dict[str, Any]:
    look = inspect(connection)
    return {
        name: (
            [(column["name"], str(column["type"]), column["nullable"]) for column in look.get_columns(name)],
            look.get_pk_constraint(name)["constrained_columns"],
            sorted((index["name"], tuple(index["column_names"])) for index in look.get_indexes(name)),
            [unique["column_names"] for unique in look.get_unique_constraints(name)],
        )
        for name in look.get_table_names()
    }


def test_the_migrations_make_the_tables_that_the_code_knows() -> None:
    engine = create_engine("sqlite://", poolclass=NullPool)
    with engine.begin() as connection:
        for statement in itertools.chain.from_iterable(MIGRATIONS):
            connection.exec_driver_sql(statement)
        made = shape(connection)
    with engine.begin() as connection:
        METADATA.create_all(connection)
        assert made == shape(connection)

"""An outcome can be amended in the store; one that was pruned meanwhile does not come back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path as FilePath

import pytest

from monitor.model import Path
from monitor.store import Store
from tests.fakes.clock import FakeClock
from tests.fakes.values import NOW, outcome

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("flushed", [True, False], ids=["already on disk", "in the same batch"])
async def test_an_amended_outcome_is_read_back_amended(tmp_path: FilePath, flushed: bool) -> None:
    store = await Store.open(tmp_path / "f.sqlite3", FakeClock())
    first, other = outcome(id="o1", path=Path.FELL_BACK), outcome(id="o2", path=Path.FELL_BACK)
    store.add_outcome(first)
    store.add_outcome(other)
    if flushed:
        await store.flush()
    amended = replace(first, path=Path.FILTERED, served_by="secondary", position=1, detail="looked up")
    store.amend_outcome(amended)
    assert await store.outcome("o1") == amended
    assert await store.outcome("o2") == other
    paths = {path: count for _, _, path, count in await store.fallback_buckets(NOW - 3600)}
    assert paths == {Path.FILTERED: 1, Path.FELL_BACK: 1}
    served = await store.served([first.chain], since=NOW - 3600, width=900)
    assert (1, Path.FILTERED) in {(position, path) for _, _, position, path, _ in served}
    await store.close()


async def test_an_outcome_that_was_pruned_does_not_come_back(tmp_path: FilePath) -> None:
    store = await Store.open(tmp_path / "f.sqlite3", FakeClock())
    store.amend_outcome(outcome(id="gone"))
    assert await store.outcome("gone") is None
    assert not store.failed
    await store.close()

"""What is counted of a chain over days is there again after a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.model import Origin, Reason, Status
from monitor.model import Path as ChainPath
from monitor.store import Store
from monitor.tallies import Tallies
from tests.fakes.clock import FakeClock
from tests.fakes.values import NOW, outcome

pytestmark = pytest.mark.anyio

BAD = {"status": Status.FAILED, "reason": Reason.OVERLOADED, "path": ChainPath.EXHAUSTED}
SEEN = [
    outcome(at=NOW - 2 * 86400, path=ChainPath.PRIMARY),
    outcome(at=NOW - 7200, **BAD),
    outcome(at=NOW - 100, path=ChainPath.FAILED_OVER, status=Status.DEGRADED, reason=Reason.TOO_SLOW, duration=9.0),
    outcome(at=NOW - 90, origin=Origin.LIVE, **BAD),
    outcome(at=NOW - 80, origin=Origin.LIVE, drill="gone", **BAD),
    outcome(at=NOW - 70, origin=Origin.DRILL, drill="gone", **BAD),
    outcome(at=NOW - 60, origin=Origin.MANUAL, **BAD),
    outcome(at=NOW - 50, status=Status.ERROR, reason=Reason.OURS),
    outcome(at=NOW - 40, target="primary", status=Status.FAILED, reason=Reason.TIMEOUT),
]


async def test_promises_and_fallbacks_are_counted_the_same_out_of_the_store(tmp_path: Path) -> None:
    live = Tallies(["chat"])
    store = await Store.open(tmp_path / "db.sqlite3", FakeClock(NOW))
    for one in SEEN:
        live.take(one)
        store.add_outcome(one)
    restored = await Tallies.restore(["chat", "new"], store, NOW)
    await store.close()
    for window, good, bad in ((300.0, 1, 1), (3 * 3600.0, 1, 2), (3 * 86400.0, 2, 2)):
        kept = live.objectives["chat"].over(window, NOW)
        assert (kept.good, kept.bad) == (good, bad)
        assert restored.objectives["chat"].over(window, NOW) == kept
    assert restored.fallbacks["chat"].share(86400.0 * 3, NOW) == live.fallbacks["chat"].share(86400.0 * 3, NOW)
    assert restored.objectives["new"].over(3600.0, NOW).total == 0
    assert [walk.duration for walk in live.cascades["chat"].since(NOW - 300)] == [9.0]

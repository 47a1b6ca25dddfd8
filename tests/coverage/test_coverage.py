"""What is proven: tables of verdicts, and what the config's changes make of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.edges import aims, edge_of
from chaos.model import Expect
from monitor.coverage import ChainCoverage, Pair, Proof, Record, advance, coverage, dump_record, load_records
from monitor.model import Verdict, VerdictKind
from tests.drills.drill_samples import chain, drill
from tests.fakes.values import verdict

DAY = 86400.0
NOW = 1_700_000_000.0
FIRST, SECOND = ("primary", "secondary"), ("secondary", "last-resort")
PASSED, DEVIATED = VerdictKind.PASSED, VerdictKind.DEVIATED


def told(kind: VerdictKind, *, ago: float = 0.0, **changes: Any) -> Verdict:
    usual: dict[str, Any] = {"at": NOW - ago, "kind": kind, "tested": FIRST, "fault": "ignore", "failover": 1.5}
    return verdict(**(usual | changes))


def records(*verdicts: Verdict, **of_chain: Any) -> list[Record]:
    found: dict[str, Record] = {}
    for one in verdicts:
        key = Pair(chain=one.chain, edge=one.tested or FIRST, fault=one.fault).key
        record = advance(found.get(key), one, chain(**of_chain))
        if record is not None:
            found[key] = record
    return list(found.values())


def table(*verdicts: Verdict, planned: tuple[Pair, ...] = (), **of_chain: Any) -> ChainCoverage:
    return coverage(chain(**of_chain), planned, records(*verdicts), now=NOW, stale_after=14 * DAY)


def states(found: ChainCoverage) -> dict[tuple[tuple[str, str], str], str]:
    return {(cell.pair.edge, cell.pair.fault): cell.state.value for cell in found.cells}


STANDINGS = [
    ([], "never"),
    ([told(PASSED)], "proven"),
    ([told(PASSED, ago=14 * DAY)], "proven"),
    ([told(PASSED, ago=14 * DAY + 1)], "stale"),
    ([told(DEVIATED)], "broken"),
    ([told(PASSED, ago=60), told(DEVIATED, ago=30)], "broken"),
    ([told(DEVIATED, ago=60), told(PASSED, ago=30)], "proven"),
    ([told(DEVIATED, ago=30), told(PASSED, ago=60)], "broken"),
    ([told(PASSED, ago=60), told(VerdictKind.INCONCLUSIVE)], "proven"),
    ([told(PASSED, ago=60), told(VerdictKind.ABORTED)], "proven"),
    ([told(VerdictKind.INCONCLUSIVE)], "never"),
    ([told(PASSED, tested=None)], "never"),
    ([told(PASSED, tested=("primary", "gone"))], "never"),
    ([told(PASSED, fault="stall")], "never"),
]


@pytest.mark.parametrize(("verdicts", "expected"), STANDINGS)
def test_a_pair_stands_as_its_latest_verdict_says(verdicts: list[Verdict], expected: str) -> None:
    found = table(*verdicts, planned=(Pair(chain="chat", edge=FIRST, fault="ignore"),))
    assert states(found)[FIRST, "ignore"] == expected


def test_a_broken_pair_says_by_which_run_and_when_it_last_passed() -> None:
    found = table(told(PASSED, ago=60, run="good"), told(DEVIATED, run="bad", failover=None, because="nobody answered"))
    cell = next(cell for cell in found.cells if cell.pair.edge == FIRST)
    assert (cell.state, cell.run, cell.at, cell.proven_at, cell.because) == (
        Proof.BROKEN, "bad", NOW, NOW - 60, "nobody answered",
    )  # fmt: skip
    assert not cell.planned


def test_every_step_of_a_chain_is_shown_for_every_fault_that_is_used_on_it() -> None:
    planned = (Pair(chain="chat", edge=FIRST, fault="ignore"), Pair(chain="other", edge=FIRST, fault="stall"))
    found = table(told(PASSED, tested=SECOND, fault="only"), planned=planned)
    assert found.edges == (FIRST, SECOND)
    assert found.faults == ("ignore", "only")
    assert states(found) == {
        (FIRST, "ignore"): "never", (FIRST, "only"): "never",
        (SECOND, "ignore"): "never", (SECOND, "only"): "proven",
    }  # fmt: skip
    assert (found.state(FIRST), found.state(SECOND)) == (Proof.NEVER, Proof.PROVEN)


def test_a_longer_edge_is_shown_only_where_a_drill_aims_at_it() -> None:
    far = ("primary", "last-resort")
    found = table(told(PASSED, fault="only"), planned=(Pair(chain="chat", edge=far, fault="ignore"),))
    assert found.edges == (FIRST, SECOND, far)
    assert (far, "only") not in states(found)
    assert states(found)[far, "ignore"] == "never"


def test_a_label_that_is_given_to_another_model_has_nothing_proven() -> None:
    targets = [{"label": label, "model": f"lab/{label}"} for label in ("primary", "secondary", "last-resort")]
    kept = records(told(PASSED))
    assert coverage(chain(), (), kept, now=NOW, stale_after=DAY).cells[0].state is Proof.PROVEN
    assert coverage(chain(targets=targets), (), kept, now=NOW, stale_after=DAY).cells == ()
    again = advance(kept[0], told(DEVIATED), chain(targets=targets))
    assert again is not None
    assert again.passed is None


@given(st.lists(st.tuples(st.sampled_from([PASSED, DEVIATED]), st.floats(0, 30 * DAY)), max_size=6))
def test_records_survive_being_stored_and_the_order_of_verdicts_does_not_matter(
    told_of: list[tuple[VerdictKind, float]],
) -> None:
    verdicts = [told(kind, ago=ago, run=str(number)) for number, (kind, ago) in enumerate(told_of)]
    kept = records(*verdicts)
    stored = {record.pair.key: dump_record(record) for record in kept}
    assert list(load_records(stored).values()) == kept
    assert states(table(*verdicts)) == states(table(*sorted(verdicts, key=lambda one: one.at)))


def test_what_cannot_be_read_has_to_be_proven_anew() -> None:
    good = records(told(PASSED))[0]
    assert load_records({"a": b"{}", "b": dump_record(good), "c": b"\xff"}) == {"b": good}


EDGES = [
    ((0,), "secondary", FIRST),
    ((0, 1), "last-resort", SECOND),
    ((0,), "last-resort", ("primary", "last-resort")),
    ((1,), "primary", None),
    ((0, 2), "secondary", FIRST),
    ((0,), None, None),
    ((0,), "nobody", None),
]


@pytest.mark.parametrize(("breaks", "served_by", "expected"), EDGES)
def test_the_edge_of_a_drill(breaks: tuple[int, ...], served_by: str | None, expected: tuple[str, str] | None) -> None:
    one = drill(breaks=breaks, expect=Expect(served_by=served_by, within=1.0))
    assert edge_of(one, ("primary", "secondary", "last-resort")) == expected


def test_the_configured_drills_say_what_they_aim_at() -> None:
    class OneChain:
        def chain(self, name: str) -> Any:
            return chain(name=name)

    refused = drill(expect=Expect(served_by=None, within=1.0, rejected=True))
    assert aims([drill(), refused], OneChain()) == (Pair(chain="chat", edge=FIRST, fault="ignore"),)  # type: ignore[arg-type]

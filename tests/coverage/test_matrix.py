"""The plan of a matrix: every edge with every fault, or the reason why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.faults import FAULTS
from chaos.guard import Permit, Refusal
from chaos.injectors import INJECTORS
from chaos.matrix import Matrix, affordable, plan, reasons
from chaos.model import Drill
from tests.drills.drill_samples import chain

YES = Permit(refusal=None, because="nothing forbids it")


def planned(mode: str, may: Callable[[Drill], Permit] = lambda _: YES, **changes: Any) -> Matrix:
    return plan(chain(mode, **changes), INJECTORS, may)


def why(found: Matrix, fault: str, edge: int = 0) -> str | None:
    ends = (("primary", "secondary"), ("secondary", "last-resort"))[edge]
    return next((one.because for one in found.left_out if (one.edge, one.fault) == (ends, fault)), None)


@pytest.mark.parametrize("mode", ["server", "provider", "client"])
def test_each_edge_with_each_fault_is_planned_or_left_out_with_a_reason(mode: str) -> None:
    found = planned(mode)
    injector = INJECTORS["transport" if mode == "client" else "request"]
    both = {(one.edge, one.drill.fault) for one in found.drills} | {(one.edge, one.fault) for one in found.left_out}
    edges = {("primary", "secondary"), ("secondary", "last-resort")}
    assert both == {(edge, fault) for edge in edges for fault in injector.faults}
    assert len(found.drills) + len(found.left_out) == len(both)
    assert all(one.because for one in found.left_out)


def test_at_a_later_edge_everything_before_it_is_broken_too() -> None:
    found = {(one.edge[0], one.drill.fault): one.drill for one in planned("client").drills}
    first, second = found["primary", "refused"], found["secondary", "refused"]
    assert (first.breaks, first.expect.served_by) == ((0,), "secondary")
    assert (second.breaks, second.expect.served_by) == ((0, 1), "last-resort")
    assert (first.requests, first.injector, first.every, first.cron) == (1, "transport", None, None)


def test_an_answer_is_waited_for_as_long_as_the_broken_targets_may_take() -> None:
    targets = [
        {"label": label, "model": "a/b", "timeout": timeout}
        for label, timeout in (("primary", "6s"), ("secondary", "10s"), ("last-resort", "15s"))
    ]
    found = planned("client", targets=targets, total_timeout="25s")
    within = {one.edge[0]: one.drill.expect.within for one in found.drills}
    assert within == {"primary": 16.0, "secondary": 25.0}


POINTLESS = [
    ("server", "unknown_id", "routers refuse such a request whole, so there is no failover to see"),
    ("server", "unavailable", "with its usual options it is the same as ignore"),
    ("client", "status", "with its usual options it is the same as unavailable"),
    ("client", "delay", "a plain question is still answered, so there is nothing to fail over from"),
    ("client", "blind", "a plain question is still answered, so there is nothing to fail over from"),
    ("client", "unauthorized", "the chain does not move on for unauthorized (move_on)"),
    ("client", "wrong_model", "the chain does not move on for wrong_model (move_on)"),
    ("client", "stall", None),
    ("client", "rate_limited", None),
    ("provider", "only", None),
]


@pytest.mark.parametrize(("mode", "fault", "because"), POINTLESS)
def test_what_could_show_no_failover_is_left_out(mode: str, fault: str, because: str | None) -> None:
    assert why(planned(mode), fault) == because


def test_a_chain_that_moves_on_for_a_reason_has_its_fault_in_the_matrix() -> None:
    found = planned("client", move_on=["unauthorized", "wrong_answer"])
    assert {one.drill.fault for one in found.drills} == {"unauthorized", "wrong_answer", "refusal"}
    assert why(found, "stall") == "the chain does not move on for stalled (move_on)"


def test_a_delay_beyond_every_timeout_is_a_timeout() -> None:
    targets = [{"label": label, "model": "a/b", "timeout": "2s"} for label in ("primary", "secondary", "last-resort")]
    assert why(planned("client", targets=targets), "delay") is None


def test_what_the_guard_forbids_is_left_out_in_its_words() -> None:
    no = Permit(refusal=Refusal.NO_HEALTHY_FALLBACK, because="last-resort, which is to answer, is down, not healthy")
    found = planned("client", lambda drill: no if drill.expect.served_by == "last-resort" else YES)
    assert {one.edge for one in found.drills} == {("primary", "secondary")}
    assert why(found, "stall", edge=1) == no.because
    assert len(reasons(found.left_out)[no.because]) == len(found.drills)


def test_a_chain_of_one_target_has_nothing_to_prove() -> None:
    assert planned("client", targets=[{"label": "primary", "model": "a/b"}]) == Matrix(
        chain="chat", drills=(), left_out=()
    )


@given(st.floats(0, 1), st.none() | st.floats(0, 0.01))
def test_a_matrix_never_plans_beyond_the_budget(remaining: float, cost: float | None) -> None:
    whole = planned("client")
    found = affordable(whole, cost=cost, remaining=remaining)
    assert sum((cost or 0.0) * one.drill.most_requests for one in found.drills) <= remaining + 1e-9
    assert len(found.drills) + len(found.left_out) == len(whole.drills) + len(whole.left_out)
    if remaining == 0:
        assert not found.drills


def test_without_a_budget_everything_is_afforded() -> None:
    assert affordable(planned("client"), cost=1.0, remaining=None) == planned("client")


def test_every_fault_has_its_place_in_the_plan_of_a_client_chain() -> None:
    found = planned("client")
    assert {one.drill.fault for one in found.drills} | {one.fault for one in found.left_out} == set(FAULTS)

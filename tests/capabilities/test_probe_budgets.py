"""A probe with money of its own: it stops by itself, and takes nothing from the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from monitor.budget import OVERALL, Ledger, Priority, Purse, Scope, limits, purses_of
from monitor.config.model import Config
from monitor.probes import expand
from monitor.spending import Spending
from tests.fakes.values import outcome

CHAIN: dict[str, Any] = {
    "mode": "client",
    "targets": [{"label": "a", "model": "m/a"}],
    "budget": {"usd_per_day": 1.0},
    "probes": [
        {"kind": "completion", "every": "60s"},
        {"kind": "long_context", "every": "1d", "of": ["targets"], "budget": {"usd_per_day": 0.10}},
    ],
}


@pytest.fixture
def spending(config: Callable[..., Config]) -> Spending:
    built = config(CHAIN)
    return Spending(built, expand(built), lambda _: None, now=0.0, spent={})


def spec_of(built: Config, kind: str) -> Any:
    return next(spec for spec in expand(built) if spec.kind == kind and spec.target)


def test_its_budget_stops_one_kind_alone(config: Callable[..., Config], spending: Spending) -> None:
    built = config(CHAIN)
    long, plain = spec_of(built, "long_context"), spec_of(built, "completion")
    assert spending.permit(long, 0.08, 0.0).allowed
    held = spending.reserve(long, 0.08)
    spending.charge(outcome(chain="chat", kind="long_context", target="a", at=1.0, cost=0.08), held)
    refused = spending.permit(long, 0.08, 2.0)
    assert not refused.allowed
    assert spending.permit(plain, 0.08, 2.0).allowed
    state = spending.state(Purse(scope=Scope.PROBE, name="chat:long_context"), 2.0)
    assert state is not None
    assert (state.usd_per_day, state.spent, state.remaining) == (0.10, 0.08, pytest.approx(0.02))
    assert spending.permit(long, 0.08, 86401.0).allowed, "the next day begins anew"


def test_what_it_spends_is_the_chains_money_too(config: Callable[..., Config], spending: Spending) -> None:
    spending.charge(outcome(chain="chat", kind="long_context", target="a", at=1.0, cost=0.08), None)
    own = spending.state(Purse(scope=Scope.CHAIN, name="chat"), 2.0)
    assert own is not None
    assert own.spent == pytest.approx(0.08)


def test_a_used_up_budget_of_a_probe_is_told_for_its_chain(config: Callable[..., Config], spending: Spending) -> None:
    spending.charge(outcome(chain="chat", kind="long_context", target="a", at=1.0, cost=0.2), None)
    told = {str(state.purse): state.stopped for state in spending.by_chain(2.0)["chat"] if state.stopped}
    assert told == {"probe chat:long_context": {Priority.TARGET}}


def test_only_the_kind_itself_is_paid_from_it(config: Callable[..., Config]) -> None:
    found = limits(config(CHAIN))
    purse = Purse(scope=Scope.PROBE, name="chat:long_context")
    assert purse in purses_of("chat", (), found, kind="long_context")
    for chain, kind in (("chat", "completion"), ("other", "long_context")):
        assert purse not in purses_of(chain, (), found, kind=kind)
    ledger = Ledger(found, now=0.0)
    assert ledger.remaining(purse, 0.0) == 0.10
    assert ledger.remaining(OVERALL, 0.0) is None

"""What may still be paid for today."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.budget import DAY, Budget, Ledger, PermitReason, Priority, budgets, priority_of
from monitor.config.model import ChainConfig
from monitor.model import ProbeSpec, Target

NOON = 20_000 * DAY + DAY / 2
MIDNIGHT = 20_001 * DAY


def ledger(spent: float = 0.0, limit: float | None = 1.0, priorities=frozenset(Priority)) -> Ledger:
    return Ledger({"chat": Budget(usd_per_day=limit, priorities=priorities)}, now=NOON, spent={"chat": spent})


@pytest.mark.parametrize(
    ("spent", "estimate", "allowed"),
    [
        (0.0, 0.01, {Priority.CHAIN, Priority.TARGET, Priority.PROVIDER}),
        (0.79, 0.01, {Priority.CHAIN, Priority.TARGET, Priority.PROVIDER}),
        (0.80, 0.01, {Priority.CHAIN, Priority.TARGET}),
        (0.94, 0.01, {Priority.CHAIN, Priority.TARGET}),
        (0.95, 0.01, {Priority.CHAIN}),
        (0.99, 0.01, {Priority.CHAIN}),
        (0.995, 0.01, set()),
        (1.5, 0.01, set()),
        (1.5, None, set()),
        (0.5, None, {Priority.CHAIN, Priority.TARGET, Priority.PROVIDER}),
        (0.9, None, {Priority.CHAIN, Priority.TARGET}),
        (1.5, 0.0, {Priority.CHAIN, Priority.TARGET, Priority.PROVIDER}),
    ],
)
def test_the_least_important_stop_first(spent, estimate, allowed):
    kept = ledger(spent)
    assert {p for p in Priority if kept.permit("chat", estimate, p, NOON).allowed} == allowed


@pytest.mark.parametrize(
    ("kept", "estimate", "priority", "reason", "because"),
    [
        (ledger(limit=None), 9.0, Priority.CHAIN, PermitReason.NO_BUDGET, "the chain has no budget"),
        (ledger(9.0), 0.0, Priority.CHAIN, PermitReason.FREE, "the question is free"),
        (ledger(0.25), 0.1, Priority.CHAIN, PermitReason.WITHIN, "0.7500 of 1.0000 USD left today"),
        (
            ledger(0.25),
            None,
            Priority.CHAIN,
            PermitReason.PRICE_UNKNOWN,
            "0.7500 of 1.0000 USD left today; the price is unknown and counts as 0",
        ),
        (
            ledger(0.9),
            0.01,
            Priority.PROVIDER,
            PermitReason.KEPT_BACK,
            "0.1000 of 1.0000 USD left today, of which 0.2000 are kept back for more important questions",
        ),
        (
            ledger(1.0),
            0.01,
            Priority.CHAIN,
            PermitReason.USED_UP,
            "the budget is used up: 0.0000 of 1.0000 USD left today",
        ),
    ],
)
def test_a_permit_says_why(kept, estimate, priority, reason, because):
    permit = kept.permit("chat", estimate, priority, NOON)
    assert (permit.reason, permit.because) == (reason, because)


def test_a_budget_of_nothing_allows_only_what_is_free():
    kept = ledger(limit=0.0)
    assert kept.state("chat", NOON).stopped == frozenset()
    assert not kept.permit("chat", None, Priority.CHAIN, NOON).allowed
    assert kept.permit("chat", 0.0, Priority.CHAIN, NOON).allowed
    assert kept.state("chat", NOON).stopped == {Priority.CHAIN}


def test_an_unknown_chain_has_no_budget():
    kept = ledger()
    assert kept.permit("other", 1.0, Priority.CHAIN, NOON).allowed
    assert (kept.remaining("other", NOON), kept.state("other", NOON)) == (None, None)


def test_everything_resumes_at_midnight_utc():
    kept = ledger(1.0)
    assert not kept.permit("chat", 0.1, Priority.CHAIN, MIDNIGHT - 1).allowed
    assert kept.state("chat", MIDNIGHT - 1).resumes == MIDNIGHT
    assert kept.permit("chat", 0.1, Priority.PROVIDER, MIDNIGHT).allowed
    assert (kept.remaining("chat", MIDNIGHT), kept.state("chat", MIDNIGHT).stopped) == (1.0, frozenset())


def test_what_ended_before_midnight_is_yesterdays():
    kept = ledger()
    kept.reserve("chat", 0.1)
    assert kept.remaining("chat", MIDNIGHT + 1) == 1.0
    kept.charge("chat", MIDNIGHT - 1, 0.1, reserved=0.1)
    assert kept.remaining("chat", MIDNIGHT + 1) == 1.0


def test_questions_in_flight_cannot_spend_the_same_money():
    kept = ledger(0.9)
    assert kept.permit("chat", 0.08, Priority.CHAIN, NOON).allowed
    kept.reserve("chat", 0.08)
    assert not kept.permit("chat", 0.08, Priority.CHAIN, NOON).allowed
    assert kept.state("chat", NOON).stopped == {Priority.PROVIDER}, "money in flight may come back"
    kept.charge("chat", NOON, 0.01, reserved=0.08)
    assert kept.permit("chat", 0.08, Priority.CHAIN, NOON).allowed
    assert kept.spent("chat", NOON) == pytest.approx(0.91)


@pytest.mark.parametrize(
    ("cost", "reserved", "spent"), [(None, 0.2, 0.2), (None, None, 0.0), (0.1, None, 0.1), (-1, 0.2, 0)]
)
def test_an_unknown_cost_is_the_one_that_was_reserved(cost, reserved, spent):
    kept = ledger()
    kept.reserve("chat", reserved)
    kept.charge("chat", NOON, cost, reserved=reserved)
    assert kept.spent("chat", NOON) == spent
    assert kept.permit("chat", 1.0 - spent, Priority.CHAIN, NOON).allowed


@pytest.mark.parametrize(
    ("spent", "priorities", "stopped"),
    [
        (0.5, frozenset(Priority), set()),
        (0.85, frozenset(Priority), {Priority.PROVIDER}),
        (0.85, {Priority.CHAIN, Priority.TARGET}, set()),
        (0.97, frozenset(Priority), {Priority.PROVIDER, Priority.TARGET}),
        (1.0, frozenset(Priority), set(Priority)),
        (1.0, {Priority.CHAIN}, {Priority.CHAIN}),
    ],
)
def test_the_state_says_who_has_stopped(spent, priorities, stopped):
    assert ledger(spent, priorities=frozenset(priorities)).state("chat", NOON).stopped == stopped


def test_a_question_that_is_too_dear_for_the_rest_shows_until_a_new_config():
    kept = ledger(0.7)
    assert not kept.permit("chat", 0.5, Priority.CHAIN, NOON).allowed
    assert kept.state("chat", NOON).stopped == {Priority.CHAIN}
    kept.follow({"chat": Budget(usd_per_day=2.0)})
    assert (kept.remaining("chat", NOON), kept.state("chat", NOON).stopped) == (pytest.approx(1.3), frozenset())


def target(position: int, provider: str | None) -> Target:
    return Target(chain="c", position=position, label="x", model="m/x", provider=provider, endpoint="e", timeout=1.0)


def spec(of: Target | None) -> ProbeSpec:
    return ProbeSpec(key="k", chain="c", kind="completion", target=of, every=60, first_token=5, max_tokens=16)


@pytest.mark.parametrize(
    ("own", "asked", "priority"),
    [
        (None, None, Priority.TARGET),
        (None, "acme", Priority.PROVIDER),
        ("acme", "acme", Priority.TARGET),
        ("acme", "other", Priority.PROVIDER),
    ],
)
def test_a_provider_is_what_was_pinned_beyond_the_config(own, asked, priority):
    chain = ChainConfig.model_validate(
        {
            "name": "c",
            "endpoint": "e",
            "mode": "client",
            "targets": [{"label": "x", "model": "m/x", "provider": own}],
            "probes": [{"kind": "completion", "every": "60s"}],
            "budget": {"usd_per_day": 0.5},
        }
    )
    assert priority_of(spec(target(0, asked)), chain) is priority
    assert budgets([chain], [spec(None), spec(target(0, asked))]) == {
        "c": Budget(usd_per_day=0.5, priorities=frozenset({Priority.CHAIN, priority}))
    }


@given(
    st.lists(
        st.tuples(st.floats(0, 2 * DAY), st.floats(0, 0.5), st.floats(0, 1), st.sampled_from(list(Priority))),
        max_size=40,
    )
)
def test_what_was_permitted_never_overruns_a_day_if_estimates_are_upper_bounds(questions):
    kept = Ledger({"chat": Budget(usd_per_day=1.0)}, now=0.0)
    for now, estimate, used, priority in sorted(questions):
        if kept.permit("chat", estimate, priority, now).allowed:
            kept.reserve("chat", estimate)
            kept.charge("chat", now, estimate * used, reserved=estimate)
        assert kept.spent("chat", now) <= 1.0 + 1e-9

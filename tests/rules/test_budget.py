"""What may still be paid for today."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.budget import (
    DAY,
    OVERALL,
    Ledger,
    Limits,
    PermitReason,
    Priority,
    Purse,
    Scope,
    limits,
    paid,
    priority_of,
    purses_of,
)
from monitor.config.model import AlertsFile, BudgetsConfig, ChainConfig, Config, EndpointConfig
from monitor.model import ProbeSpec, Reason, Status, Target
from monitor.probes import expand
from monitor.spending import Spending
from tests.fakes.values import outcome

NOON = 20_000 * DAY + DAY / 2
MIDNIGHT = 20_001 * DAY


CHAT = Purse(scope=Scope.CHAIN, name="chat")
GROQ = Purse(scope=Scope.PROVIDER, name="groq")
ALL = frozenset(Priority)


def ledger(spent: float = 0.0, limit: float | None = 1.0) -> Ledger:
    chains = {} if limit is None else {"chat": limit}
    return Ledger(Limits(chains=chains), now=NOON, spent={CHAT: spent})


def permit(kept: Ledger, estimate, priority, now=NOON, *, purses=(CHAT,)):
    return kept.permit(purses, estimate, priority, now)


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
    assert {p for p in Priority if permit(kept, estimate, p).allowed} == allowed


@pytest.mark.parametrize(
    ("kept", "estimate", "priority", "reason", "because"),
    [
        (ledger(limit=None), 9.0, Priority.CHAIN, PermitReason.NO_BUDGET, "there is no budget"),
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
            (
                "the budget of chain chat has 0.1000 of 1.0000 USD left today, "
                "of which 0.2000 are kept back for more important questions"
            ),
        ),
        (
            ledger(1.0),
            0.01,
            Priority.CHAIN,
            PermitReason.USED_UP,
            "the budget of chain chat is used up: 0.0000 of 1.0000 USD left today",
        ),
    ],
)
def test_a_permit_says_why(kept, estimate, priority, reason, because):
    found = permit(kept, estimate, priority)
    assert (found.reason, found.because) == (reason, because)


def test_a_budget_of_nothing_allows_only_what_is_free():
    kept = ledger(limit=0.0)
    assert kept.state(CHAT, ALL, NOON).stopped == frozenset()
    assert not permit(kept, None, Priority.CHAIN).allowed
    assert permit(kept, 0.0, Priority.CHAIN).allowed
    assert kept.state(CHAT, ALL, NOON).stopped == {Priority.CHAIN}


def test_an_unknown_chain_has_no_budget():
    kept, other = ledger(), Purse(scope=Scope.CHAIN, name="other")
    assert permit(kept, 1.0, Priority.CHAIN, purses=(other,)).allowed
    assert (kept.remaining(other, NOON), kept.state(other, ALL, NOON)) == (None, None)


def test_everything_resumes_at_midnight_utc():
    kept = ledger(1.0)
    assert not permit(kept, 0.1, Priority.CHAIN, MIDNIGHT - 1).allowed
    assert kept.state(CHAT, ALL, MIDNIGHT - 1).resumes == MIDNIGHT
    assert permit(kept, 0.1, Priority.PROVIDER, MIDNIGHT).allowed
    assert (kept.remaining(CHAT, MIDNIGHT), kept.state(CHAT, ALL, MIDNIGHT).stopped) == (1.0, frozenset())


def test_what_ended_before_midnight_is_yesterdays():
    kept = ledger()
    held = kept.reserve((CHAT,), 0.1)
    assert kept.remaining(CHAT, MIDNIGHT + 1) == 1.0
    kept.charge((CHAT,), MIDNIGHT - 1, 0.1, reservation=held)
    assert kept.remaining(CHAT, MIDNIGHT + 1) == 1.0


def test_questions_in_flight_cannot_spend_the_same_money():
    kept = ledger(0.9)
    assert permit(kept, 0.08, Priority.CHAIN).allowed
    held = kept.reserve((CHAT,), 0.08)
    assert not permit(kept, 0.08, Priority.CHAIN).allowed
    assert kept.state(CHAT, ALL, NOON).stopped == {Priority.PROVIDER}, "money in flight may come back"
    kept.charge((CHAT,), NOON, 0.01, reservation=held)
    assert permit(kept, 0.08, Priority.CHAIN).allowed
    assert kept.spent(CHAT, NOON) == pytest.approx(0.91)


@pytest.mark.parametrize(
    ("changes", "usd"),
    [
        ({"cost": 0.1}, 0.1),
        ({"cost": 0.0}, 0.0),
        ({"cost": -1.0}, 0.0),
        ({"model": "a/one"}, 0.2),
        ({"model": "a/one", "status": Status.FAILED, "reason": Reason.WRONG_ANSWER}, 0.2),
        ({"status": Status.FAILED, "reason": Reason.STALLED}, 0.2),
        ({"status": Status.FAILED, "reason": Reason.FIRST_TOKEN_TIMEOUT}, 0.2),
        ({"status": Status.FAILED, "reason": Reason.CONNECT}, 0.0),
        ({"status": Status.FAILED, "reason": Reason.RATE_LIMITED, "status_code": 429}, 0.0),
        ({"status": Status.ERROR, "reason": Reason.OURS}, 0.0),
    ],
)
def test_what_is_not_known_to_have_cost_nothing_counts_as_estimated(changes, usd):
    assert paid(outcome(**changes), 0.2) == usd


def test_an_unknown_price_counts_as_nothing():
    assert paid(outcome(model="a/one"), None) == 0.0


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
    assert ledger(spent).state(CHAT, frozenset(priorities), NOON).stopped == stopped


def test_a_question_that_is_too_dear_for_the_rest_shows_until_a_new_config():
    kept = ledger(0.7)
    assert not permit(kept, 0.5, Priority.CHAIN).allowed
    assert kept.state(CHAT, ALL, NOON).stopped == {Priority.CHAIN}
    kept.follow(Limits(chains={"chat": 2.0}))
    assert (kept.remaining(CHAT, NOON), kept.state(CHAT, ALL, NOON).stopped) == (pytest.approx(1.3), frozenset())


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


def test_the_limits_are_those_of_the_config():
    chains = [
        ChainConfig.model_validate(
            {
                "name": name,
                "endpoint": "e",
                "mode": "client",
                "targets": [{"label": "x", "model": "m/x"}],
                "probes": [{"kind": "completion", "every": "60s"}],
                "budget": budget,
            }
        )
        for name, budget in (("a", {"usd_per_day": 0.5}), ("b", None))
    ]
    shared = BudgetsConfig.model_validate({"usd_per_day": 2, "providers": {"groq": {"usd_per_day": 0.25}}})
    alerts = AlertsFile.model_construct()
    found = limits(Config(endpoints={}, chains=tuple(chains), drills=(), alerts=alerts, budgets=shared))
    assert found == Limits(chains={"a": 0.5}, providers={"groq": 0.25}, overall=2.0)
    assert [found.of(one) for one in (Purse(scope=Scope.CHAIN, name="b"), GROQ, OVERALL)] == [None, 0.25, 2.0]


@pytest.mark.parametrize(
    ("places", "providers"),
    [
        ((None,), []),
        (("groq",), ["groq"]),
        (("Groq", "openrouter"), ["groq"]),
        (("Amazon Bedrock",), ["amazon-bedrock"]),
        (("amazon-bedrock/eu",), ["amazon-bedrock"]),
        ((None, "own-vllm"), ["own-vllm"]),
        (("together",), []),
    ],
)
def test_a_provider_pays_however_it_is_named(places, providers):
    budgets = Limits(providers={"groq": 1.0, "amazon-bedrock": 1.0, "own-vllm": 1.0})
    purses = purses_of("chat", places, budgets)
    assert [purse.name for purse in purses if purse.scope is Scope.PROVIDER] == providers
    assert (purses[0], purses[-1]) == (CHAT, OVERALL)


@pytest.mark.parametrize(
    ("spent", "stopped_by"),
    [
        ({CHAT: 1.0}, "the budget of chain chat is used up: 0.0000 of 1.0000 USD left today"),
        ({GROQ: 0.5}, "the budget of provider groq is used up: 0.0000 of 0.5000 USD left today"),
        ({OVERALL: 3.0}, "the budget of all chains together is used up: 0.0000 of 2.0000 USD left today"),
        ({CHAT: 0.5, GROQ: 0.2, OVERALL: 1.0}, None),
    ],
)
def test_each_budget_that_bears_on_a_question_can_stop_it(spent, stopped_by):
    kept = Ledger(Limits(chains={"chat": 1.0}, providers={"groq": 0.5}, overall=2.0), now=NOON, spent=spent)
    found = permit(kept, 0.01, Priority.CHAIN, purses=(CHAT, GROQ, OVERALL))
    assert (found.allowed, found.because if stopped_by else None) == (stopped_by is None, stopped_by)


def test_money_is_reserved_where_it_is_expected_and_charged_where_it_was_spent():
    kept = Ledger(Limits(providers={"groq": 1.0, "together": 1.0}, overall=5.0), now=NOON)
    together = Purse(scope=Scope.PROVIDER, name="together")
    held = kept.reserve((CHAT, GROQ, OVERALL), 0.9)
    assert not permit(kept, 0.2, Priority.CHAIN, purses=(GROQ,)).allowed
    kept.charge((CHAT, together, OVERALL), NOON, 0.3, reservation=held)
    assert permit(kept, 0.2, Priority.CHAIN, purses=(GROQ,)).allowed
    assert [kept.spent(purse, NOON) for purse in (CHAT, GROQ, together, OVERALL)] == [0.3, 0.0, 0.3, 0.3]


@given(
    st.lists(
        st.tuples(st.floats(0, 2 * DAY), st.floats(0, 0.5), st.floats(0, 1), st.sampled_from(list(Priority))),
        max_size=40,
    )
)
def test_what_was_permitted_never_overruns_a_day_if_estimates_are_upper_bounds(questions):
    kept = Ledger(Limits(chains={"chat": 1.0}), now=0.0)
    for now, estimate, used, priority in sorted(questions):
        if permit(kept, estimate, priority, now).allowed:
            held = kept.reserve((CHAT,), estimate)
            kept.charge((CHAT,), now, estimate * used, reservation=held)
        assert kept.spent(CHAT, now) <= 1.0 + 1e-9


def test_less_important_questions_leave_the_money_of_one_more_end_to_end_question():
    kept = Ledger(Limits(chains={"chat": 0.001}), now=NOON, spent={CHAT: 0.0})
    asked = {"end_to_end": 0.0008}
    assert kept.permit((CHAT,), 0.0001, Priority.TARGET, NOON, **asked).allowed
    kept.charge((CHAT,), NOON, 0.0002)
    refused = kept.permit((CHAT,), 0.0001, Priority.TARGET, NOON, **asked)
    assert (refused.allowed, refused.reason) == (False, PermitReason.KEPT_BACK)
    assert kept.permit((CHAT,), 0.0008, Priority.CHAIN, NOON, **asked).allowed
    kept.charge((CHAT,), NOON, 0.0008)
    assert not kept.permit((CHAT,), 0.0001, Priority.TARGET, NOON, **asked).allowed


def test_once_the_end_to_end_question_cannot_be_paid_nothing_cheaper_is_asked_instead():
    kept = Ledger(Limits(chains={"chat": 0.001}), now=NOON, spent={CHAT: 0.0005})
    assert not kept.permit((CHAT,), 0.0008, Priority.CHAIN, NOON, end_to_end=0.0008).allowed
    assert not kept.permit((CHAT,), 0.00001, Priority.PROVIDER, NOON, end_to_end=0.0008).allowed


def test_a_budget_that_could_never_pay_an_end_to_end_question_keeps_nothing_back_for_it():
    kept = Ledger(Limits(chains={"chat": 0.001}), now=NOON, spent={CHAT: 0.0})
    assert kept.permit((CHAT,), 0.0001, Priority.TARGET, NOON, end_to_end=0.01).allowed


def test_a_chain_asks_for_what_its_cheapest_end_to_end_question_costs():
    chain = ChainConfig.model_validate(
        {
            "name": "chat", "endpoint": "router", "mode": "server", "budget": {"usd_per_day": 0.001},
            "targets": [{"label": "a", "model": "m/a"}, {"label": "b", "model": "m/b"}],
            "probes": [{"kind": "completion", "every": "60s"}, {"kind": "stream", "every": "60s"}],
        }
    )  # fmt: skip
    alerts = {
        "notifiers": [{"name": "log", "kind": "log"}],
        "routes": [{"notify": ["log"]}],
        "rules": [{"name": "down", "when": "chain_down"}],
    }
    endpoints = {"router": EndpointConfig(dialect="openrouter", url="http://x")}
    config = Config(endpoints=endpoints, chains=(chain,), drills=(), alerts=AlertsFile.model_validate(alerts))
    specs = expand(config)
    target = next(spec for spec in specs if spec.target is not None)
    prices = {"chat:completion": 0.0008, "chat:stream": 0.0009}
    spending = Spending(config, specs, lambda _: None, now=NOON, spent={CHAT: 0.00015})
    assert spending.permit(target, 0.0001, NOON).allowed
    assert not spending.permit(target, 0.0001, NOON, lambda spec: prices.get(spec.key)).allowed

"""Which conditions hold in which world."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from monitor.budget import OVERALL, BudgetState, Priority, Purse, Scope
from monitor.clock import utc
from monitor.conditions import RULES, Cause, CauseKind, Condition, ProbeView, World, conclusive, evaluate
from monitor.config.model import RuleConfig
from monitor.fallback import FallbackHistory
from monitor.health import ChainState, Serving, Trouble, WrongAnswer
from monitor.model import Health, Reason, Severity, Verdict, VerdictKind
from monitor.model import Path as ChainPath

NOW = 1_791_028_980.0  # 2026-10-03 12:03 UTC
DEAD = Trouble(
    label="primary",
    position=0,
    health=Health.DOWN,
    reason=Reason.TIMEOUT,
    since=NOW - 60,
    detail="timeout since 12:02 UTC",
)
SERVING = Serving(label="second", position=1, path=ChainPath.FAILED_OVER, model="m/2", since=NOW - 60, at=NOW)


def rule(when: str, **settings) -> RuleConfig:
    return RuleConfig.model_validate({"name": f"my-{when}", "when": when, **settings})


def chain(health: Health, name: str = "chat", **changes) -> ChainState:
    base = ChainState(
        chain=name,
        health=health,
        since=NOW - 60,
        detail="why",
        own="completion: why",
        last_good=NOW - 120,
        last_bad=NOW,
        serving=SERVING,
    )
    return replace(base, **changes)


def world(*chains: ChainState, **parts) -> World:
    return World(chains={state.chain: state for state in chains}, **parts)


def history(fallbacks: int, primaries: int, *, past: tuple[int, int] = (0, 0)) -> FallbackHistory:
    """The last ten minutes, and the hours before them."""
    kept = FallbackHistory()
    for start, counts in ((NOW - 20000, past), (NOW - 300, (fallbacks, primaries))):
        for path, count in zip((ChainPath.FAILED_OVER, ChainPath.PRIMARY), counts, strict=True):
            for n in range(count):
                kept.add(start + n, path)
    return kept


@pytest.mark.parametrize(
    ("when", "health", "fires"),
    [
        ("chain_down", Health.DOWN, True),
        ("chain_down", Health.DEGRADED, False),
        ("chain_down", Health.HEALTHY, False),
        ("chain_down", Health.UNKNOWN, False),
        ("chain_degraded", Health.DEGRADED, True),
        ("chain_degraded", Health.DOWN, True),
        ("chain_degraded", Health.LIMITED, True),
        ("chain_limited", Health.LIMITED, True),
        ("chain_limited", Health.DOWN, False),
        ("chain_limited", Health.DEGRADED, False),
        ("chain_down", Health.LIMITED, False),
        ("chain_degraded", Health.HEALTHY, False),
        ("chain_degraded", Health.UNKNOWN, False),
    ],
)
def test_a_chains_health_is_a_condition(when, health, fires):
    assert [c.when for c in evaluate([rule(when)], world(chain(health)), NOW)] == ([when] if fires else [])


def test_a_condition_holds_the_evidence():
    state = chain(Health.DOWN, troubles=(DEAD, replace(DEAD, label="last", health=Health.LIMITED)))
    (condition,) = evaluate([rule("chain_down", severity="critical")], world(state), NOW)
    assert condition == Condition(
        alert="my-chain_down",
        when="chain_down",
        chain="chat",
        severity=Severity.CRITICAL,
        title="Chain chat is down",
        summary="Applications that use this chain get no answer. End to end, completion: why.",
        matters=("primary down", "last limited"),
        brief="down: primary down (timeout since 12:02 UTC), last limited (timeout since 12:02 UTC)",
        facts=(
            ("chain health", "down since 2026-10-03T12:02:00Z"),
            ("last good", "2026-10-03T12:01:00Z"),
            ("last bad", "2026-10-03T12:03:00Z"),
            ("serves now", "second (failed_over), since 2026-10-03T12:02:00Z"),
            ("dead targets", "primary (timeout since 12:02 UTC)"),
            ("limited", "last (timeout since 12:02 UTC)"),
        ),
        cause=Cause(kind=CauseKind.CHAIN, name="chat"),
    )


@pytest.mark.parametrize(
    ("health", "reason", "impact"),
    [
        (Health.DOWN, Reason.TIMEOUT, "Applications that use this chain get no answer."),
        (Health.DOWN, Reason.WRONG_MODEL, "Applications that use this chain are answered by a model outside it."),
        (Health.DOWN, Reason.EMPTY, "Applications that use this chain get no answer that they can use."),
        (Health.DEGRADED, Reason.WRONG_MODEL, "It still answers, with less protection or speed."),
    ],
)
def test_what_applications_notice_is_said_as_it_is(health, reason, impact):
    (condition,) = evaluate([rule("chain_degraded")], world(chain(health, reason=reason, own="")), NOW)
    assert condition.summary == impact


@pytest.mark.parametrize(
    ("good", "bad", "texts"),
    [
        (None, None, ("2026-10-03T12:01:00Z", "2026-10-03T12:03:00Z")),
        (NOW - 3600, NOW - 3600, ("2026-10-03T12:01:00Z", "2026-10-03T12:03:00Z")),
        (None, NOW + 1, ("2026-10-03T12:01:00Z", f"{utc(NOW + 1)} (live traffic)")),
        (NOW, None, (f"{utc(NOW)} (live traffic)", "2026-10-03T12:03:00Z")),
    ],
)
def test_the_last_answers_may_be_those_of_applications(good, bad, texts):
    seen = replace(
        world(chain(Health.DOWN)),
        live_good={"chat": good} if good else {},
        live_bad={"chat": bad} if bad else {},
    )
    facts = dict(evaluate([rule("chain_down")], seen, NOW)[0].facts)
    assert (facts["last good"], facts["last bad"]) == texts


@pytest.mark.parametrize(
    ("serving", "text"),
    [
        (None, "unknown: the chain has not been asked end to end"),
        (replace(SERVING, label=None, path=ChainPath.EXHAUSTED), "nobody, since 2026-10-03T12:02:00Z"),
        (
            replace(SERVING, label=None, path=ChainPath.WRONG_MODEL, model="acme/x"),
            "acme/x, which is not in the chain, since 2026-10-03T12:02:00Z",
        ),
        (replace(SERVING, path=None), "second, since 2026-10-03T12:02:00Z"),
    ],
)
def test_who_serves_now_is_said_as_it_is(serving, text):
    state = chain(Health.DOWN, serving=serving, last_good=None)
    (condition,) = evaluate([rule("chain_down")], world(state), NOW)
    assert dict(condition.facts)["serves now"] == text
    assert dict(condition.facts)["last good"] == "never seen"


def test_a_rule_looks_only_at_its_chains():
    both = world(chain(Health.DOWN), chain(Health.DOWN, "search"))
    assert [c.chain for c in evaluate([rule("chain_down", chains=["search"])], both, NOW)] == ["search"]
    assert [c.chain for c in evaluate([rule("chain_down")], both, NOW)] == ["chat", "search"]


@pytest.mark.parametrize(
    ("settings", "kept", "fires"),
    [
        ({"above": "10%"}, history(3, 7), True),
        ({"above": "20%"}, history(3, 7), False),
        ({"above": "20%"}, history(30, 70), True),
        ({"above": "10%"}, history(2, 13), False),
        ({"above": "10%"}, history(4, 11), True),
        ({"above": "10%"}, history(3, 6), False),
        ({"above": "10%", "min_samples": 9}, history(3, 6), True),
        ({"above": "0%"}, history(0, 20), False),
        ({"above": "0%"}, history(1, 19), True),
        ({"above": "0%"}, FallbackHistory(), False),
        ({"rise": 3}, history(5, 15, past=(10, 90)), False),
        ({"rise": 3}, history(7, 13, past=(10, 90)), False),
        ({"rise": 3}, history(12, 8, past=(10, 90)), True),
        ({"rise": 3}, history(2, 18, past=(0, 100)), False),
        ({"rise": 3}, history(3, 17, past=(0, 100)), True),
        ({"rise": 20}, history(3, 17, past=(0, 100)), False),
        ({"rise": 3}, history(12, 8), False),
        ({"rise": 3}, history(12, 8, past=(0, 9)), False),
        ({"rise": 3, "baseline": "1h"}, history(12, 8, past=(10, 90)), False),
        ({"rise": 3, "above": "10%"}, history(7, 13), True),
        ({}, history(20, 0), False),
    ],
)
def test_falling_back_too_often_is_a_share_or_a_rise(settings, kept, fires):
    seen = evaluate([rule("fallback_rate", **settings)], world(fallbacks={"chat": kept}), NOW)
    assert bool(seen) is fires


def test_the_fallback_rate_says_its_numbers():
    kept = history(12, 8, past=(10, 90))
    (condition,) = evaluate(
        [rule("fallback_rate", above="30%", rise=3)], world(chain(Health.HEALTHY), fallbacks={"chat": kept}), NOW
    )
    facts = dict(condition.facts)
    assert condition.summary == "60.0% of the answers in the last 10m did not come from the primary."
    assert facts["share"] == "60.0% (12 of 20 answers in 10m)"
    assert facts["threshold"] == "30.0%"
    assert facts["usual share"] == "10.0% of 100 answers in the 1d before; tolerated is 3 times that"
    assert facts["serves now"].startswith("second")
    assert condition.matters == ()


@pytest.mark.parametrize(("window", "hold"), [("21s", 7.0), ("10m", 200.0), ("1h", 300.0)])
def test_a_share_must_stay_down_for_a_part_of_its_window(window, hold):
    assert RULES["fallback_rate"].hold(rule("fallback_rate", window=window)) == hold
    assert RULES["chain_down"].hold(rule("chain_down")) == 0


def test_an_answer_from_outside_the_chain_is_a_condition():
    wrong = WrongAnswer(at=NOW, model="acme/x", provider="Acme", outcome="o")
    (condition,) = evaluate([rule("wrong_model")], world(chain(Health.HEALTHY, wrong=wrong)), NOW)
    assert condition.cause == Cause(kind=CauseKind.CHAIN, name="chat"), "it is followed where its chain is"
    assert condition.summary == "acme/x at Acme answered, which is none of the chain's targets."
    assert condition.matters == ("acme/x",)
    assert evaluate([rule("wrong_model")], world(chain(Health.HEALTHY)), NOW) == ()


def verdict(kind: VerdictKind, at: float = NOW, drill: str = "gone") -> Verdict:
    return Verdict(
        at=at, run="r1", drill=drill, chain="chat", kind=kind, because="answered late", fault="refuse", failover=1.5
    )


@pytest.mark.parametrize("kind", list(VerdictKind))
def test_only_a_deviation_of_a_drill_is_a_condition(kind):
    seen = evaluate([rule("drill_deviated")], world(verdicts={"gone": verdict(kind)}), NOW)
    assert [c.subject for c in seen] == (["gone"] if kind is VerdictKind.DEVIATED else [])


def test_a_deviation_says_what_was_seen():
    (condition,) = evaluate([rule("drill_deviated")], world(verdicts={"gone": verdict(VerdictKind.DEVIATED)}), NOW)
    assert condition.summary == "answered late"
    assert dict(condition.facts) == {
        "fault": "refuse",
        "at": "2026-10-03T12:03:00Z",
        "run": "r1",
        "failover": "1.5s",
    }


def test_a_run_without_a_result_does_not_hide_the_one_before():
    deviated, aborted = verdict(VerdictKind.DEVIATED, NOW - 9), verdict(VerdictKind.ABORTED)
    passed = verdict(VerdictKind.PASSED, NOW - 5, "other")
    older = verdict(VerdictKind.DEVIATED, NOW - 99, "other")
    assert conclusive([aborted, deviated, passed, older]) == {"gone": deviated, "other": passed}


def probe(**changes) -> ProbeView:
    return replace(ProbeView(key="chat:completion", chain="chat", every=60.0, started=NOW - 1000), **changes)


@pytest.mark.parametrize(
    ("view", "fires"),
    [
        (probe(last=NOW - 100), False),
        (probe(last=NOW - 180), False),
        (probe(last=NOW - 181), True),
        (probe(last=NOW - 181, deadline=30.0), False),
        (probe(last=NOW - 211, deadline=30.0), True),
        (probe(last=None), True),
        (probe(last=None, started=NOW - 100), False),
        (probe(last=NOW - 9000, started=NOW - 100), False),
        (probe(last=NOW - 9000, paused=True), False),
    ],
)
def test_a_question_without_result_is_a_condition(view, fires):
    assert bool(evaluate([rule("probe_stale")], world(probes=(view,)), NOW)) is fires


def test_all_silent_questions_of_a_chain_are_one_condition():
    views = tuple(probe(key=f"chat/t{n:02}:completion", last=NOW - 500 - n) for n in range(12))
    (condition,) = evaluate([rule("probe_stale")], world(probes=(*views, probe(last=NOW))), NOW)
    assert condition.matters == tuple(view.key for view in views)
    facts = dict(condition.facts)
    assert facts["silent"].endswith("chat/t09:completion and 2 more")
    assert facts["last result"] == "2026-10-03T11:54:40Z"


@pytest.mark.parametrize(
    ("stopped", "title"),
    [
        (set(), None),
        ({Priority.PROVIDER}, "The budget of chain chat runs out"),
        ({Priority.PROVIDER, Priority.TARGET, Priority.CHAIN}, "The budget of chain chat is used up"),
    ],
)
def test_money_that_runs_out_is_a_condition(stopped, title):
    state = BudgetState(
        purse=Purse(scope=Scope.CHAIN, name="chat"),
        usd_per_day=0.5,
        spent=0.45,
        remaining=0.05,
        stopped=frozenset(stopped),
        resumes=NOW + 60,
    )
    seen = evaluate([rule("budget_exhausted")], world(budgets={"chat": (state,)}), NOW)
    assert [c.title for c in seen] == ([title] if title else [])
    for condition in seen:
        assert dict(condition.facts)["spent"] == "0.4500 of 0.5000 USD (90.0%)"


def test_a_shared_budget_is_told_for_each_chain_that_it_stops():
    spent = BudgetState(
        purse=OVERALL, usd_per_day=1, spent=1, remaining=0, stopped=frozenset({Priority.TARGET}), resumes=NOW
    )
    free = replace(spent, stopped=frozenset())
    seen = evaluate([rule("budget_exhausted")], world(budgets={"a": (spent,), "b": (spent,), "c": (free,)}), NOW)
    assert [(c.chain, c.subject, c.title) for c in seen] == [
        ("a", "all chains together", "The budget of all chains together runs out"),
        ("b", "all chains together", "The budget of all chains together runs out"),
    ]
    assert {str(c.cause) for c in seen} == {"budget of all chains together"}


def test_the_budget_of_one_kind_of_question_names_the_kind():
    purse = Purse(scope=Scope.PROBE, name="chat:long_context")
    state = BudgetState(
        purse=purse, usd_per_day=1, spent=1, remaining=0, stopped=frozenset({Priority.TARGET}), resumes=NOW
    )
    (seen,) = evaluate([rule("budget_exhausted")], world(budgets={"chat": (state,)}), NOW)
    assert seen.summary.startswith("No more paid long_context questions of chain chat today to: target.")
    assert seen.cause is None


def test_a_budget_of_nothing_has_no_share():
    state = BudgetState(
        purse=Purse(scope=Scope.CHAIN, name="c"),
        usd_per_day=0,
        spent=0,
        remaining=0,
        stopped=frozenset({Priority.CHAIN}),
        resumes=NOW,
    )
    (condition,) = evaluate([rule("budget_exhausted")], world(budgets={"c": (state,)}), NOW)
    assert dict(condition.facts)["spent"] == "0.0000 of 0.0000 USD"


@pytest.mark.parametrize("kind", list(RULES.values()), ids=lambda kind: kind.name)
def test_every_rule_tells_an_operator_what_to_do(kind):
    for text in (kind.meaning, kind.impact, kind.diagnosis, kind.mitigation, kind.over):
        assert len(text.split()) > 4
        assert "TODO" not in text
        assert text.endswith(".")
    assert kind.settings | kind.one_of <= set(RuleConfig.model_fields)
    assert kind.one_of <= kind.settings
    assert kind.inhibits <= set(RULES)


@pytest.mark.parametrize("name", list(RULES))
def test_messages_link_to_a_heading_of_the_readme(name):
    assert f"\n### `{name}`\n" in (Path(__file__).parents[2] / "README.md").read_text()


def test_the_rules_are_listed_under_their_own_names():
    assert list(RULES) == [
        "chain_down",
        "chain_limited",
        "chain_degraded",
        "burn_rate",
        "all_fallbacks_dead",
        "capability_lost",
        "fallback_rate",
        "first_fallback",
        "silent_fallback",
        "slow_cascade",
        "wrong_model",
        "drill_deviated",
        "edge_unproven",
        "fault_stuck",
        "probe_stale",
        "budget_exhausted",
        "catalogue_drift",
        "daemon_unwell",
    ]
    assert all(name == kind.name for name, kind in RULES.items())

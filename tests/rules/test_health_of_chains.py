"""How the health of a chain follows from its own results and its targets."""

from __future__ import annotations

import pytest

from monitor.health import (
    ChainState,
    Serving,
    SubjectState,
    WrongAnswer,
    dump_state,
    judge_chain,
    load_chain_state,
)
from monitor.model import Health, Path, Reason, Subject, Target

NOON = 1_791_028_980.0  # 2026-10-03 12:03 UTC
LABELS = ("primary", "second", "last")
HEALTHS = {"?": Health.UNKNOWN, "H": Health.HEALTHY, "L": Health.LIMITED, "D": Health.DEGRADED, "X": Health.DOWN}
REASONS = {"L": Reason.RATE_LIMITED, "D": Reason.TOO_SLOW, "X": Reason.TIMEOUT}


def state(letter: str, target: str | None = None, provider: str | None = None) -> SubjectState | None:
    if letter == "-":
        return None
    return SubjectState(
        subject=Subject(chain="chat", target=target, provider=provider),
        health=HEALTHS[letter],
        since=NOON,
        reason=REASONS.get(letter, Reason.NONE),
        detail=f"completion: {letter}",
        outcome=f"outcome-{target}",
    )


def target(position: int, provider: str | None = None) -> Target:
    return Target(
        chain="chat",
        position=position,
        label=LABELS[position],
        model=f"m/{position}",
        provider=provider,
        endpoint="e",
        timeout=5.0,
    )


def targets(letters: str) -> list[tuple[Target, SubjectState | None]]:
    return [(target(position), state(letter, LABELS[position])) for position, letter in enumerate(letters)]


def judged(own: str, letters: str) -> ChainState:
    return judge_chain("chat", state(own), targets(letters), None, NOON + 60)[0]


@pytest.mark.parametrize(
    ("own", "letters", "health"),
    [
        ("-", "---", Health.UNKNOWN),
        ("?", "HHH", Health.UNKNOWN),
        ("H", "HHH", Health.HEALTHY),
        ("H", "???", Health.HEALTHY),
        ("-", "H??", Health.HEALTHY),
        ("-", "HHH", Health.HEALTHY),
        ("-", "XHH", Health.DEGRADED),
        ("X", "HHH", Health.DOWN),
        ("X", "XXX", Health.DOWN),
        ("-", "XXX", Health.DOWN),
        ("?", "XXX", Health.DOWN),
        ("-", "XX?", Health.DEGRADED),
        ("-", "XXL", Health.DEGRADED),
        ("H", "XXX", Health.DEGRADED),
        ("H", "HHX", Health.DEGRADED),
        ("H", "HHL", Health.DEGRADED),
        ("H", "HHD", Health.DEGRADED),
        ("D", "HHH", Health.DEGRADED),
        ("X", "", Health.DOWN),
        ("-", "", Health.UNKNOWN),
    ],
)
def test_a_chain_is_as_its_own_results_and_its_targets_say(own, letters, health):
    assert judged(own, letters).health is health


def test_one_dead_target_is_named_with_its_reason_and_since_when():
    chain = judged("H", "HXL")
    assert chain.detail == "second down: timeout since 12:03 UTC; last limited: rate_limited since 12:03 UTC"
    assert [(trouble.label, trouble.health) for trouble in chain.troubles] == [
        ("second", Health.DOWN),
        ("last", Health.LIMITED),
    ]
    assert chain.reason is Reason.TIMEOUT


def test_the_chains_own_trouble_comes_first():
    chain = judged("X", "HXH")
    assert chain.detail == "end to end down: completion: X; second down: timeout since 12:03 UTC"


@pytest.mark.parametrize(
    ("base", "pins", "health", "detail"),
    [
        (
            "H",
            "XXH",
            Health.DEGRADED,
            "2 of 3 providers down: p0 (timeout since 12:03 UTC), p1 (timeout since 12:03 UTC)",
        ),
        ("H", "HLH", Health.LIMITED, "1 of 3 providers limited: p1 (rate_limited since 12:03 UTC)"),
        (
            "?",
            "XLH",
            Health.DEGRADED,
            (
                "1 of 3 providers down: p0 (timeout since 12:03 UTC), "
                "1 of 3 providers limited: p1 (rate_limited since 12:03 UTC)"
            ),
        ),
        ("X", "XH?", Health.DOWN, "timeout since 12:03 UTC, 1 of 3 providers down: p0 (timeout since 12:03 UTC)"),
        ("X", "X", Health.DOWN, "timeout since 12:03 UTC at p0"),
        ("H", "X", Health.DEGRADED, "its provider p0 is down (timeout since 12:03 UTC)"),
        ("X", "L", Health.DOWN, "timeout since 12:03 UTC, its provider p0 is limited (rate_limited since 12:03 UTC)"),
        ("-", "XX", Health.DOWN, "2 of 2 providers down: p0 (timeout since 12:03 UTC), p1 (timeout since 12:03 UTC)"),
        (
            "H",
            "XX",
            Health.DEGRADED,
            "2 of 2 providers down: p0 (timeout since 12:03 UTC), p1 (timeout since 12:03 UTC)",
        ),
    ],
)
def test_a_target_with_bad_providers_says_which(base, pins, health, detail):
    entries = [(target(0), state(base, "primary"))]
    entries += [(target(0, f"p{n}"), state(letter, "primary", f"p{n}")) for n, letter in enumerate(pins)]
    entries += targets("HHH")[1:]
    chain = judge_chain("chat", state("H"), entries, None, NOON)[0]
    assert chain.health is Health.DEGRADED
    assert [(t.label, t.health, t.detail) for t in chain.troubles] == [("primary", health, detail)]


def test_providers_alone_can_show_that_a_target_answers():
    entries = [(target(0), None), (target(0, "p0"), state("H", "primary", "p0"))]
    assert judge_chain("chat", None, entries, None, NOON)[0].health is Health.HEALTHY


def test_the_providers_of_a_provider_chain_are_its_targets():
    entries = [(target(n, f"p{n}"), state(letter, LABELS[n], f"p{n}")) for n, letter in enumerate("XXX")]
    chain = judge_chain("chat", None, entries, None, NOON)[0]
    assert (chain.health, [trouble.health for trouble in chain.troubles]) == (Health.DOWN, [Health.DOWN] * 3)


def test_a_change_is_a_transition_and_sameness_is_none():
    healthy, change = judge_chain("chat", state("H"), targets("HHH"), None, NOON)
    assert (change.before, change.after, change.subject.key) == (Health.UNKNOWN, Health.HEALTHY, "chat")
    same, change = judge_chain("chat", state("H"), targets("HHH"), healthy, NOON + 60)
    assert (same.since, change) == (NOON, None)
    worse, change = judge_chain("chat", state("H"), targets("HXH"), same, NOON + 120)
    assert (worse.since, change.after, change.outcome) == (NOON + 120, Health.DEGRADED, "outcome-second")
    assert change.detail == worse.detail


def test_the_chain_shows_who_serves_and_keeps_it_when_stored():
    own = SubjectState(
        subject=Subject(chain="chat"),
        health=Health.HEALTHY,
        since=NOON,
        last_good=NOON,
        last_bad=1.5,
        serving=Serving(label="second", position=1, path=Path.FAILED_OVER, model="m/1", since=1.0, at=NOON),
        wrong=WrongAnswer(at=NOON, model="m/9", provider=None, outcome="o"),
    )
    chain = judge_chain("chat", own, targets("XHH"), None, NOON)[0]
    assert (chain.serving, chain.wrong, chain.last_good, chain.last_bad) == (own.serving, own.wrong, NOON, 1.5)
    assert load_chain_state(dump_state(chain)) == chain
    assert load_chain_state(b'{"chain": "chat"}') is None

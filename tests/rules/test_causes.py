"""What a chain's trouble comes from: derived from which targets are dead, and why."""

from __future__ import annotations

import pytest

from monitor.conditions.causes import Cause, CauseKind, find
from monitor.health import ChainState, SubjectState, Trouble, judge_chain
from monitor.model import Health, Reason, Subject, Target

R = Reason


def target(label: str, model: str, provider: str | None = None, *, at: int = 0, endpoint: str = "router") -> Target:
    return Target(
        chain="chat", position=at, label=label, model=model, provider=provider, endpoint=endpoint, timeout=10.0
    )


def trouble(label: str, position: int = 0, *, health: Health = Health.DOWN, reason: Reason = R.OVERLOADED, **more):
    plain = {"endpoint": "router", "model": f"model-of-{label}"}
    return Trouble(
        label=label, position=position, health=health, reason=reason, since=0.0, detail="", **{**plain, **more}
    )


def state(*troubles: Trouble, chain: str = "chat", health: Health = Health.DEGRADED, reason: Reason = R.NONE):
    return ChainState(chain=chain, health=health, since=0.0, reason=reason, troubles=troubles)


TARGETS = (target("a", "m/a", at=0), target("b", "m/b", at=1), target("c", "m/c", at=2))


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (state(trouble("a", providers=("groq",))), "provider:groq"),
        (state(trouble("a", providers=("groq",)), trouble("b", 1, providers=("groq", "azure"))), "provider:groq"),
        (state(trouble("a", providers=("groq",)), trouble("b", 1, providers=("azure",))), "chain:chat"),
        (state(trouble("a", providers=("groq", "azure"))), "model:model-of-a"),
        (state(trouble("a")), "model:model-of-a"),
        (state(trouble("a", model="m"), trouble("b", 1, model="m")), "model:m"),
        (state(trouble("a"), trouble("b", 1)), "chain:chat"),
        (state(trouble("a", reason=R.CONNECT)), "endpoint:router"),
        (state(trouble("a", reason=R.DNS), trouble("b", 1, reason=R.TLS)), "endpoint:router"),
        (state(trouble("a", reason=R.OUT_OF_CREDIT, providers=("groq",))), "endpoint:router"),
        (state(trouble("a", reason=R.CONNECT), trouble("b", 1, reason=R.CONNECT, endpoint="own")), "chain:chat"),
        (state(trouble("a", reason=R.CONNECT), trouble("b", 1, reason=R.TIMEOUT)), "chain:chat"),
        # The dead one counts, what is only degraded does not.
        (state(trouble("a", providers=("groq",)), trouble("b", 1, health=Health.DEGRADED)), "provider:groq"),
        (state(trouble("a", health=Health.LIMITED, providers=("groq",))), "provider:groq"),
        # Every target of the endpoint is dead, whatever the reasons.
        (state(*(trouble(name, at) for at, name in enumerate("abc"))), "endpoint:router"),
        (state(health=Health.DOWN, reason=R.CONNECT), "endpoint:router"),
        (state(health=Health.DOWN, reason=R.WRONG_ANSWER), "chain:chat"),
        (state(health=Health.HEALTHY), "chain:chat"),
    ],
)
def test_the_widest_thing_that_explains_every_dead_target_is_the_cause(seen: ChainState, expected: str) -> None:
    assert find({"chat": seen}, {"chat": TARGETS}).of("chat").key == expected


def test_an_endpoint_is_alive_while_any_chain_has_an_answer_there() -> None:
    dead = state(*(trouble(name, at) for at, name in enumerate("abc")))
    other = state(chain="search", health=Health.HEALTHY)
    causes = find({"chat": dead, "search": other}, {"chat": TARGETS, "search": (target("a", "m/a"),)})
    assert causes.of("chat") == Cause(kind=CauseKind.CHAIN, name="chat")


def test_a_single_model_that_is_dead_everywhere_is_to_blame_itself() -> None:
    only = (target("a", "m"),)
    assert find({"chat": state(trouble("a", model="m"))}, {"chat": only}).of("chat").key == "model:m"


def test_a_chain_of_which_nothing_is_known_stands_for_itself() -> None:
    assert find({}, {}).of("chat").key == "chain:chat"


def subject(health: Health, *, label: str = "a", provider: str | None = None) -> SubjectState:
    of = Subject(chain="chat", target=label, provider=provider)
    return SubjectState(subject=of, health=health, since=1.0, reason=R.SERVER_ERROR, outcome="o")


def test_troubles_name_the_providers_that_are_down() -> None:
    asked = [
        (target("a", "m"), subject(Health.HEALTHY)),
        (target("a", "m", "groq"), subject(Health.DOWN, provider="groq")),
        (target("a", "m", "azure"), subject(Health.DEGRADED, provider="azure")),
        (target("b", "n", "groq", at=1), subject(Health.DOWN, label="b", provider="groq")),
    ]
    judged, _ = judge_chain("chat", None, asked, None, 5.0)
    assert [(one.label, one.model, one.providers) for one in judged.troubles] == [
        ("a", "m", ("groq",)),
        ("b", "n", ("groq",)),
    ]
    assert find({"chat": judged}, {"chat": [one for one, _ in asked]}).of("chat").key == "provider:groq"

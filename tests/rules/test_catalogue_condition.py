"""What the catalogues show becomes one condition for each chain; what providers say of themselves never does."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.conditions import World, evaluate
from monitor.config.model import RuleConfig
from monitor.findings import CatalogueFinding, Drift, Use
from monitor.health import ChainState, Trouble
from monitor.model import Health, Reason

NOW = 1_791_028_980.0


def rule(when: str = "catalogue_drift", **settings: Any) -> RuleConfig:
    return RuleConfig.model_validate({"name": "r", "when": when, **settings})


def finding(drift: Drift, *chains: str, subject: str = "a/one", **changed: Any) -> CatalogueFinding:
    uses = tuple(Use(chain=chain, label="primary", position=0) for chain in chains)
    base: dict[str, Any] = {"detail": f"{subject} {drift}", "value": "v", "uses": uses}
    return CatalogueFinding(drift=drift, endpoint="router", subject=subject, **{**base, **changed})


def test_all_that_concerns_a_chain_is_one_condition_the_gravest_first() -> None:
    world = World(
        findings=(
            finding(Drift.PRICE_CHANGED, "chat", subject="b/two"),
            finding(Drift.MODEL_GONE, "chat", "other"),
            finding(Drift.PRICE_CHANGED, "chat", subject="c/three"),
        )
    )
    chat, other = evaluate([rule()], world, NOW)
    assert (chat.chain, chat.title) == ("chat", "Chain chat: a model is gone (a/one) and 2 more")
    assert chat.summary == (
        "a/one model_gone; used by 2 chains: chat (primary, position 0), other (primary, position 0)."
    )
    assert [name for name, _ in chat.facts] == ["model_gone", "price_changed"]
    assert "b/two" in chat.facts[1][1]
    assert "c/three" in chat.facts[1][1]
    assert (other.chain, other.title) == ("other", "Chain other: a model is gone (a/one)")
    assert str(chat.cause) == str(other.cause) == "catalogue of router"


def test_a_rule_tells_only_of_what_it_names() -> None:
    world = World(findings=(finding(Drift.PRICE_CHANGED, "chat"), finding(Drift.MODEL_GONE, "other")))
    assert [one.chain for one in evaluate([rule(findings=["price_changed"])], world, NOW)] == ["chat"]


@pytest.mark.parametrize("drift", [drift for drift in Drift if drift.is_context])
def test_what_providers_say_of_themselves_is_no_reason(drift: Drift) -> None:
    assert evaluate([rule()], World(findings=(finding(drift, "chat"),)), NOW) == ()


@pytest.mark.parametrize("drift", [drift for drift in Drift if not drift.is_context])
def test_every_other_finding_is(drift: Drift) -> None:
    assert len(evaluate([rule()], World(findings=(finding(drift, "chat"),)), NOW)) == 1


def test_a_number_that_moves_changes_nothing_and_a_value_does() -> None:
    def matters(**changed: Any) -> tuple[str, ...]:
        (condition,) = evaluate([rule()], World(findings=(finding(Drift.KEY_LIMIT_LOW, "chat", **changed),)), NOW)
        return condition.matters

    assert matters(detail="USD 1 left") == matters(detail="USD 0.9 left")
    assert matters() != matters(value="w")


def test_many_findings_of_a_kind_are_cut_short() -> None:
    world = World(findings=tuple(finding(Drift.PRICE_CHANGED, "chat", subject=f"m/{n}") for n in range(9)))
    (condition,) = evaluate([rule()], world, NOW)
    assert condition.facts[0][1].endswith("; and 4 more (fallbackd catalogue)")


def test_what_the_endpoint_says_stands_beside_the_trouble_of_a_target() -> None:
    trouble = Trouble(
        label="primary", position=0, health=Health.DOWN, reason=Reason.TIMEOUT, since=NOW, detail="no answer"
    )
    state = ChainState(chain="chat", health=Health.DEGRADED, since=NOW, troubles=(trouble,))
    lines = {"primary": "primary: x 70 % over 30m", "secondary": "secondary: y 100 % over 30m"}
    world = World(chains={"chat": state}, reported={"chat": lines})
    (condition,) = evaluate([rule("chain_degraded")], world, NOW)
    assert ("endpoint says", "primary: x 70 % over 30m") in condition.facts
    assert all("70" not in part for part in condition.matters)

"""What a catalogue says of a target's capabilities, what names stand for, and which questions follow from needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from monitor.capability import NAMES, SETS, Capability, Demand, is_capability, resolve, rule
from monitor.config.model import Config
from monitor.model import ProbeSpec, Target
from monitor.offering import Catalogue, ModelEntry, Offer, Price
from monitor.probes import KINDS, deny, estimate, expand

CHEAP, DEAR, UNSURE = (
    Price(prompt=0.25e-6, completion=2e-6),
    Price(prompt=3e-6, completion=15e-6),
    Price(prompt=-1.0, completion=-1.0),
)


def entry(**known: Any) -> ModelEntry:
    return ModelEntry(id="a/one", canonical="a/one-20250101", **({"price": CHEAP} | known))


def offer(provider: str, **known: Any) -> Offer:
    return Offer(provider=provider, tag=provider, name=provider.title(), **({"price": CHEAP} | known))


def target(provider: str | None = None, model: str = "a/one") -> Target:
    return Target(
        chain="chat", position=0, label="primary", model=model, provider=provider, endpoint="router", timeout=30.0
    )


def words(*names: str) -> frozenset[str]:
    return frozenset(names)


ABLE: dict[str, tuple[Capability, ModelEntry, str | None, bool | None]] = {
    "tools": (Capability.TOOLS, entry(parameters=words("tools")), None, None),
    "no tools": (Capability.TOOLS, entry(parameters=words("stop")), None, False),
    "nothing listed": (Capability.TOOLS, entry(), None, None),
    "a schema": (Capability.STRUCTURED, entry(parameters=words("structured_outputs")), None, None),
    "JSON mode": (Capability.STRUCTURED, entry(parameters=words("response_format")), None, None),
    "no schema": (Capability.STRUCTURED, entry(parameters=words("tools")), None, False),
    "images": (Capability.VISION, entry(modalities=words("text", "image")), None, None),
    "no images": (Capability.VISION, entry(modalities=words("text")), None, False),
    "modalities unknown": (Capability.VISION, entry(), None, None),
    "room": (Capability.LONG_CONTEXT, entry(context_length=10_001), None, None),
    "no room": (Capability.LONG_CONTEXT, entry(context_length=10_000), None, False),
    "room unknown": (Capability.LONG_CONTEXT, entry(), None, None),
    "reasoning by its mark": (Capability.REASONING, entry(reasoning=True, parameters=words("tools")), None, None),
    "reasoning by its parameter": (Capability.REASONING, entry(parameters=words("reasoning")), None, None),
    "no reasoning": (Capability.REASONING, entry(parameters=words("tools")), None, False),
    "cheap": (Capability.BUDGET, entry(), None, True),
    "dear": (Capability.BUDGET, entry(price=DEAR), None, False),
    "dear in one direction": (Capability.BUDGET, entry(price=Price(prompt=1e-7, completion=6e-6)), None, False),
    "settled when picked": (Capability.BUDGET, entry(price=UNSURE), None, None),
    "its provider can": (
        Capability.TOOLS, entry(parameters=words("stop"), offers=(offer("groq", parameters=words("tools")),)),
        "groq", None,
    ),
    "its provider cannot": (
        Capability.TOOLS, entry(parameters=words("tools"), offers=(offer("groq", parameters=words("stop")),)),
        "groq", False,
    ),
    "another provider cannot": (
        Capability.TOOLS, entry(parameters=words("tools"), offers=(offer("groq", parameters=words("stop")),)),
        "together", None,
    ),
    "its provider has less room": (
        Capability.LONG_CONTEXT, entry(context_length=100_000, offers=(offer("groq", context_length=8192),)),
        "groq", False,
    ),
    "its provider is dear": (Capability.BUDGET, entry(offers=(offer("groq", price=DEAR),)), "groq", False),
}  # fmt: skip


@pytest.mark.parametrize(("capability", "listed", "provider", "able"), ABLE.values(), ids=ABLE)
def test_the_catalogue_denies_what_it_knows_to_be_missing(
    capability: Capability, listed: ModelEntry, provider: str | None, able: bool | None
) -> None:
    demand = Demand(capability=capability, tokens=10_000, ceiling=Price(prompt=1e-6, completion=5e-6))
    ruling = rule(demand, target(provider), Catalogue(at=1.0, models={"a/one": listed}))
    assert ruling.able is able
    assert able is None or "a/one" in ruling.because


@pytest.mark.parametrize("capability", Capability)
def test_nothing_is_held_against_a_model_that_is_not_known(capability: Capability) -> None:
    ruling = rule(Demand(capability=capability), target(model="x/y"), Catalogue())
    assert (ruling.able, ruling.because) == (None, "the catalogue does not know x/y")


def test_the_words_of_a_denial_are_for_people() -> None:
    dear = Catalogue(at=1.0, models={"a/one": entry(price=DEAR, context_length=8192)})
    told = rule(
        Demand(capability=Capability.BUDGET, ceiling=Price(prompt=1e-6, completion=5e-6)), target(), dear
    ).because
    assert told == ("a million tokens of a/one cost USD 3.00 in, 15.00 out, above the ceiling of USD 1.00 in, 5.00 out")
    told = rule(Demand(capability=Capability.LONG_CONTEXT, tokens=50_000), target(), dear).because
    assert told == "the catalogue gives a/one a context of 8,192 tokens, needed are 50,000"


def test_every_capability_but_the_price_is_a_kind_of_question() -> None:
    assert {one.value for one in Capability} - {"budget"} == {kind for kind in KINDS if is_capability(kind)}
    assert not is_capability("completion")
    assert not is_capability("stream")


def test_a_set_stands_for_its_capabilities() -> None:
    assert resolve(["tool_calling", "tools", "budget", "structured"]) == (
        Capability.TOOLS, Capability.BUDGET, Capability.STRUCTURED,
    )  # fmt: skip
    assert {"tool_calling", "vision", "long_context", "budget"} == set(SETS)
    assert all(resolve([name]) for name in NAMES)
    with pytest.raises(ValueError, match="juggling"):
        resolve(["juggling"])


CHAIN: dict[str, Any] = {
    "mode": "server",
    "targets": [{"label": "p", "model": "a/one", "providers": ["one", "two"]}, {"label": "s", "model": "b/two"}],
}


def specs(config: Callable[..., Config], **chain: Any) -> dict[str, ProbeSpec]:
    return {spec.key: spec for spec in expand(config({**CHAIN, **chain}))}


def test_needs_are_asked_of_every_target_and_of_nobody_else(config: Callable[..., Config]) -> None:
    asked = specs(config, needs=["tool_calling", "budget"])
    assert [key for key in asked if not key.endswith(":completion")] == [
        "chat/p:tools", "chat/s:tools", "chat/p:budget", "chat/s:budget",
    ]  # fmt: skip


def test_needs_are_asked_seldom_and_a_long_prompt_more_seldom(config: Callable[..., Config]) -> None:
    asked = specs(config, needs=["tools", "long_context"])
    assert (asked["chat/p:tools"].every, asked["chat/p:long_context"].every) == (21600.0, 86400.0)
    often = specs(config, needs=["tools", "long_context"], needs_every="1h")
    assert (often["chat/p:tools"].every, often["chat/p:long_context"].every) == (3600.0, 86400.0)
    rare = specs(config, needs=["tools", "long_context"], needs_every="2d")
    assert (rare["chat/p:tools"].every, rare["chat/p:long_context"].every) == (172800.0, 172800.0)


def test_a_young_lack_is_looked_at_sooner(config: Callable[..., Config]) -> None:
    pace = specs(config, needs=["tools"])["chat/p:tools"].pace
    assert pace is not None
    assert (pace.fastest, pace.slowest, pace.slower_after) == (900.0, 21600.0, 86400.0)


def test_the_chains_own_probe_of_a_kind_goes_before_its_need(config: Callable[..., Config]) -> None:
    own = {"kind": "long_context", "every": "3h", "of": ["targets"], "tokens": 50_000, "depth": "90%"}
    asked = specs(config, needs=["long_context"], probes=[own])
    assert [(spec.every, spec.tokens, spec.depth) for spec in asked.values()] == [(10800.0, 50_000, 0.9)] * 2
    of_chain = {**own, "of": ["chain"]}
    asked = specs(config, needs=["long_context"], probes=[of_chain])
    assert {key: (spec.every, spec.tokens) for key, spec in asked.items()} == {
        "chat:long_context": (10800.0, 50_000),
        "chat/p:long_context": (86400.0, 50_000),
        "chat/s:long_context": (86400.0, 50_000),
    }


def test_each_kind_has_a_bound_of_its_own_unless_one_is_set(config: Callable[..., Config]) -> None:
    asked = specs(config, needs=["tools", "reasoning", "vision"])
    assert [asked[f"chat/p:{kind}"].max_tokens for kind in ("completion", "tools", "reasoning", "vision")] == [
        48, 256, 2048, 48,
    ]  # fmt: skip
    probes = [{"kind": "reasoning", "every": "1h", "max_tokens": 300}]
    assert specs(config, probes=probes)["chat/p:reasoning"].max_tokens == 300


def test_a_denied_question_costs_nothing_and_a_long_one_much(config: Callable[..., Config]) -> None:
    built = config({**CHAIN, "needs": ["tools", "structured", "long_context", "vision", "budget"]})
    chain = built.chains[0]
    knows = entry(parameters=words("structured_outputs"), modalities=words("text", "image"), context_length=200_000)
    catalogue = Catalogue(at=1.0, models={"a/one": knows})
    price = {spec.key: estimate(spec, chain, catalogue) for spec in expand(built) if spec.target}
    assert (price["chat/p:tools"], price["chat/p:budget"]) == (0.0, 0.0)
    assert price["chat/s:tools"] is None, "nobody knows"
    plain, long, seen = price["chat/p:completion"], price["chat/p:long_context"], price["chat/p:vision"]
    assert plain is not None
    assert long is not None
    assert seen is not None
    assert long > 8000 * 0.25e-6
    assert long > 10 * plain
    assert seen > 3000 * 0.25e-6
    assert deny(next(one for one in expand(built) if one.key == "chat/p:tools"), chain, catalogue) == (
        "the catalogue lists no tools for a/one"
    )


def test_two_turns_are_paid_for_twice(config: Callable[..., Config]) -> None:
    built = config({**CHAIN, "needs": ["tools"]})
    catalogue = Catalogue(at=1.0, models={"a/one": entry(price=Price(completion=1.0))})
    tools = next(one for one in expand(built) if one.key == "chat/p:tools")
    assert estimate(tools, built.chains[0], catalogue) == 2 * 256

"""Which questions a config asks for, what they may cost, and what they did cost."""

from __future__ import annotations

import pytest

from monitor.model import Tokens
from monitor.offering import Catalogue, ModelEntry, Offer, Price
from monitor.offers import with_prices
from monitor.pricing import cost_of, highest_price
from monitor.probes import estimate, expand

CHEAP, DEAR, UNSURE = Price(prompt=1e-6, completion=2e-6), Price(prompt=3e-6, completion=15e-6), Price(prompt=-1.0)


def offer(provider: str, price: Price) -> Offer:
    return Offer(provider=provider, tag=provider, name=provider, price=price)


CATALOGUE = Catalogue(
    at=1.0,
    models={
        "a/cheap": ModelEntry(
            id="a/cheap", canonical="a/cheap-20250101", price=CHEAP, parameters=frozenset({"tools", "response_format"}),
            modalities=frozenset({"text"}), offers=(offer("one", CHEAP), offer("two", DEAR)),
        ),
        "b/dear": ModelEntry(id="b/dear", canonical="b/dear", price=DEAR, modalities=frozenset({"image"})),
        "d/thinks": ModelEntry(id="d/thinks", canonical="d/thinks", price=CHEAP, reasoning=True),
        "c/auto": ModelEntry(id="c/auto", canonical="c/auto", price=UNSURE),
    },
)  # fmt: skip
SERVER = {
    "mode": "server",
    "targets": [{"label": "p", "model": "a/cheap", "providers": ["one", "two"]}, {"label": "s", "model": "b/dear"}],
}


def test_chain_targets_and_pinned_providers_are_each_asked(config):
    probes = [{"kind": "completion", "every": "60s"}, {"kind": "stream", "every": "5m", "of": ["chain"]}]
    specs = expand(config({**SERVER, "probes": probes}))
    assert [spec.key for spec in specs] == [
        "chat:completion", "chat/p:completion", "chat/p@one:completion", "chat/p@two:completion", "chat/s:completion",
        "chat:stream",
    ]  # fmt: skip
    assert specs[0].target is None
    assert specs[2].target.provider == "one"
    assert (specs[5].every, specs[5].first_token, specs[5].max_tokens) == (300.0, 15.0, 48)


def test_the_targets_of_a_provider_chain_are_pinned_to_their_providers(config):
    targets = [{"label": "g", "provider": "groq"}, {"label": "t", "provider": "together"}]
    specs = expand(config({"mode": "provider", "model": "m/llama", "targets": targets}))
    assert [spec.key for spec in specs] == ["chat:completion", "chat/g@groq:completion", "chat/t@together:completion"]


def test_the_first_of_two_probes_with_one_key_holds(config):
    probes = [{"kind": "completion", "every": "60s", "of": ["chain"]}, {"kind": "completion", "every": "5m"}]
    specs = {spec.key: spec.every for spec in expand(config({**SERVER, "probes": probes}))}
    assert specs["chat:completion"] == 60.0
    assert specs["chat/s:completion"] == 300.0


def at_most(config, catalogue=CATALOGUE, **chain):
    built = config({**SERVER, **chain})
    return {spec.key: estimate(spec, built.chains[0], catalogue) for spec in expand(built)}


def test_the_estimate_is_what_the_dearest_provider_would_take(config):
    costs = at_most(config)
    prompt = 32 + 18  # the envelope, and a third of the question's letters
    assert costs["chat/p@one:completion"] == pytest.approx(prompt * 1e-6 + 48 * 2e-6)
    assert costs["chat/p@two:completion"] == pytest.approx(prompt * 3e-6 + 48 * 15e-6)
    assert costs["chat/p:completion"] == costs["chat/p@two:completion"]
    assert costs["chat:completion"] == pytest.approx(costs["chat/s:completion"])


def test_a_walk_of_our_own_may_pay_at_every_target(config):
    costs = at_most(config, mode="client")
    assert costs["chat:completion"] == pytest.approx(costs["chat/p:completion"] + costs["chat/s:completion"])


def test_a_model_that_thinks_takes_room_from_all_who_share_its_request(config):
    targets = [{"label": "p", "model": "b/dear"}, {"label": "s", "model": "d/thinks"}]
    routed, walked = at_most(config, targets=targets), at_most(config, targets=targets, mode="client")
    prompt = 32 + 18
    assert routed["chat:completion"] == pytest.approx(prompt * 3e-6 + 256 * 15e-6)
    assert walked["chat:completion"] == pytest.approx(prompt * 4e-6 + 48 * 15e-6 + 256 * 2e-6)


def test_an_unknown_price_is_not_guessed(config):
    assert set(at_most(config, Catalogue()).values()) == {None}
    targets = [{"label": "p", "model": "a/cheap"}, {"label": "s", "model": "c/auto"}]
    costs = at_most(config, targets=targets)
    assert costs["chat/p:completion"] is not None
    assert costs["chat/s:completion"] is None
    assert costs["chat:completion"] is None


def test_a_pinned_provider_that_is_not_offered_costs_what_the_model_does_at_most():
    assert highest_price("a/cheap", "three", CATALOGUE) == DEAR
    assert highest_price("a/cheap", "one", CATALOGUE) == CHEAP


def test_what_was_used_is_priced_at_who_served():
    used = Tokens(prompt=10, completion=100)
    assert cost_of(used, "a/cheap-20250101", "Two", CATALOGUE) == pytest.approx(10 * 3e-6 + 100 * 15e-6)
    assert cost_of(used, "a/cheap", None, CATALOGUE) == pytest.approx(10 * 1e-6 + 100 * 2e-6)
    assert cost_of(used, "x/y", None, CATALOGUE) is None
    assert cost_of(used, "c/auto", None, CATALOGUE) is None


def test_a_price_that_is_declared_holds_where_the_endpoint_tells_none():
    declared = {"a/cheap": DEAR, "c/auto": DEAR, "own": CHEAP}
    found = with_prices(CATALOGUE, declared)
    assert found.models["a/cheap"] == CATALOGUE.models["a/cheap"]
    assert found.models["c/auto"].price == DEAR
    assert highest_price("own", None, found) == CHEAP
    assert found.models["own"].reasoning, "nobody says that it does not reason, so it keeps room for that"
    assert with_prices(Catalogue(), declared).at is None

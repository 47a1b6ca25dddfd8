"""The request injector: what it asks the router for, what it refuses to do, and that its change ends by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from chaos.injectors.injector import Refused
from chaos.injectors.plans import PLANS
from chaos.injectors.request import RequestInjector, Reshaping, plan
from chaos.model import Drill, Injection
from monitor.config.model import ChainConfig
from monitor.offering import Catalogue

from .drill_samples import FLASH, MINI, SONNET, catalogue, chain, drill, offer
from .drill_stage import HandClock

BODY: Mapping[str, Any] = {"models": [SONNET, MINI, FLASH], "max_tokens": 48}
SHARED = (offer("anthropic", prompt=0.2), offer("amazon-bedrock", prompt=0.2))
PRICEY = (offer("openai", prompt=9, completion=90),)


def changed(fault: str, body: Mapping[str, Any] = BODY, **facts: Any) -> Mapping[str, Any]:
    change = planned(fault, **facts)
    assert not isinstance(change, Refused), change.because
    return change.reshape(body)


def planned(
    fault: str,
    one: ChainConfig | None = None,
    offers: Catalogue | None = None,
    breaks: tuple[int, ...] = (0,),
    **more: Any,
) -> Any:
    found = plan(drill(fault=fault, breaks=breaks, **more), one or chain(), catalogue() if offers is None else offers)
    return found if isinstance(found, Refused) else found[0]


OF_BOTH = ["amazon-bedrock", "anthropic", "google-ai-studio", "google-vertex"]
ROUTING = [
    ("ignore", {}, {}, {"ignore": ["amazon-bedrock", "anthropic"]}),
    ("unavailable", {}, {}, {"ignore": ["amazon-bedrock", "anthropic"]}),
    ("ignore", {"breaks": (0, 2)}, {}, {"ignore": OF_BOTH}),
    ("ignore", {}, {"ignore": ["groq", "anthropic"]}, {"ignore": ["groq", "anthropic", "amazon-bedrock"]}),
    ("ignore", {}, {"zdr": True}, {"zdr": True, "ignore": ["amazon-bedrock", "anthropic"]}),
    ("only", {}, {}, {"only": ["azure", "google-ai-studio", "google-vertex", "openai"]}),
    ("only", {}, {"only": ["openai", "anthropic"]}, {"only": ["openai"]}),
    ("only", {}, {"only": ["azure", "google-vertex/us-east5"]}, {"only": ["azure", "google-vertex/us-east5"]}),
    ("only", {"breaks": (0, 2)}, {}, {"only": ["azure", "openai"]}),
    ("max_price", {}, {}, {"max_price": {"prompt": "0.866025"}}),
    ("max_price", {}, {"max_price": {"prompt": "0.5", "image": 1}}, {"max_price": {"prompt": "0.5", "image": 1}}),
    ("max_price", {}, {"max_price": {"prompt": 2}}, {"max_price": {"prompt": "0.866025"}}),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "facts", "routing", "after"), ROUTING)
def test_the_routing_of_a_broken_request(
    fault: str, facts: dict[str, Any], routing: dict[str, Any], after: dict[str, Any]
) -> None:
    body = BODY | {"provider": routing} if routing else BODY
    assert changed(fault, body, one=chain(routing=routing), **facts) == {**BODY, "provider": after}


def test_a_provider_chain_leaves_out_the_provider_of_the_broken_target_as_it_is_written() -> None:
    one = chain("provider")
    body = {"model": SONNET, "provider": {"order": ["anthropic", "amazon-bedrock", "google-vertex"]}}
    assert changed("ignore", body, one=one, offers=Catalogue())["provider"] == body["provider"] | {
        "ignore": ["anthropic"]
    }
    only = changed("only", body, one=one, offers=Catalogue())["provider"]
    assert only == body["provider"] | {"only": ["amazon-bedrock", "google-vertex"]}


def test_a_provider_chain_caps_the_price_between_two_offers_of_its_model() -> None:
    body = {"model": SONNET, "provider": {}}
    offers = catalogue(sonnet=(offer("anthropic", prompt=4), offer("amazon-bedrock", prompt=1)))
    assert changed("max_price", body, one=chain("provider"), offers=offers)["provider"] == {
        "max_price": {"prompt": "2"}
    }


def test_a_free_fallback_is_capped_at_half_the_price_of_the_primary() -> None:
    offers = catalogue(mini=(offer("openai", prompt=0, completion=0),))
    assert changed("max_price", offers=offers)["provider"] == {"max_price": {"prompt": "1.5"}}


def test_the_unknown_id_takes_the_place_of_the_primary_alone() -> None:
    assert changed("unknown_id") == {**BODY, "models": ["fallbackd/no-such-model", MINI, FLASH]}
    body = {"model": SONNET, "models": [MINI]}
    assert changed("unknown_id", body) == {"model": "fallbackd/no-such-model", "models": [MINI]}


def test_the_body_that_was_given_is_left_as_it_was() -> None:
    body = {**BODY, "provider": {"ignore": ["groq"]}}
    for fault in PLANS:
        changed(fault, body)
    assert body == {**BODY, "provider": {"ignore": ["groq"]}}


NOT_KNOWN = (
    "it is not known which providers serve {} and at what price: the catalogue of openrouter does not tell, or could "
    "not be read"
)
REFUSED = [
    ("ignore", {"offers": Catalogue()}, NOT_KNOWN.format(f"primary ({SONNET})")),
    ("ignore", {"offers": catalogue(mini=())}, NOT_KNOWN.format(f"secondary ({MINI})")),
    ("ignore", {"offers": catalogue(sonnet=())}, NOT_KNOWN.format(f"primary ({SONNET})")),
    (
        "ignore",
        {"offers": catalogue(mini=SHARED)},
        (
            "secondary is served only by amazon-bedrock, anthropic, who serve primary too: leaving them out would take "
            "both away"
        ),
    ),
    (
        "ignore",
        {"one": chain(routing={"only": ["anthropic"]}), "offers": catalogue(mini=SHARED)},
        "secondary is served only by anthropic, who serve primary too: leaving them out would take both away",
    ),
    ("only", {"offers": Catalogue()}, NOT_KNOWN.format(f"primary ({SONNET})")),
    ("only", {"offers": catalogue(mini=())}, NOT_KNOWN.format(f"secondary ({MINI})")),
    (
        "only",
        {"offers": catalogue(mini=SHARED)},
        "secondary has no provider of its own: amazon-bedrock, anthropic would serve primary as well",
    ),
    ("max_price", {"offers": Catalogue()}, NOT_KNOWN.format(f"primary ({SONNET})")),
    (
        "max_price",
        {"offers": catalogue(mini=PRICEY)},
        "secondary is not cheaper than primary by a safe margin, so no highest price lies between the two",
    ),
    (
        "max_price",
        {"offers": catalogue(sonnet=(offer("anthropic", prompt=1.05),), mini=(offer("openai", prompt=1),))},
        "secondary is not cheaper than primary by a safe margin, so no highest price lies between the two",
    ),
    *(
        (
            fault,
            {"one": chain("client")},
            (
                "chat is walked by its caller, target by target, so no reshaped request can take one target away; "
                "break it with the transport injector"
            ),
        )
        for fault in PLANS
    ),
]


@pytest.mark.parametrize(("fault", "facts", "because"), REFUSED)
def test_what_cannot_be_done_is_refused_with_the_reason(fault: str, facts: dict[str, Any], because: str) -> None:
    refused = planned(fault, **facts)
    assert isinstance(refused, Refused)
    assert refused.because == because


def test_a_fallback_that_keeps_a_provider_of_its_own_is_no_reason_to_refuse() -> None:
    kept = catalogue(mini=(offer("anthropic"), offer("openai")))
    assert changed("ignore", offers=kept)["provider"]["ignore"] == ["amazon-bedrock", "anthropic"]
    assert "anthropic" not in changed("only", offers=kept)["provider"]["only"]


def test_the_expected_target_is_the_one_that_must_keep_a_provider() -> None:
    expect = replace(drill().expect, served_by="last-resort")
    assert changed("ignore", offers=catalogue(mini=SHARED), expect=expect)["provider"]["ignore"]


def test_providers_of_the_config_that_the_catalogue_does_not_list_are_left_out_as_well() -> None:
    targets = [
        {"label": "primary", "model": SONNET, "providers": ["google-vertex/us-east5"]},
        {"label": "secondary", "model": MINI},
    ]
    one = chain(targets=targets)
    assert changed("ignore", one=one)["provider"]["ignore"] == ["amazon-bedrock", "anthropic", "google-vertex"]


def injection_of(one: Drill) -> Injection:
    return Injection(
        chain="chat",
        drill=one.name,
        run="r1",
        strikes=one.strikes,
        injector="request",
        until=1060.0,
        max_count=2,
    )


def armed(clock: HandClock, one: Drill) -> Reshaping:
    found = RequestInjector().arm(injection_of(one), one, chain(), catalogue(), clock, Random(1))
    assert isinstance(found, Reshaping)
    return found


def test_the_change_counts_the_requests_that_it_met_and_ends_at_its_count() -> None:
    change = armed(HandClock(), drill())
    assert [change.reshape(BODY) is BODY for _ in range(3)] == [False, False, True]
    assert change.count == 2


def test_the_change_ends_at_its_deadline_whoever_still_holds_it() -> None:
    clock = HandClock()
    change = armed(clock, drill())
    clock.advance(59.9)
    assert change.reshape(BODY) is not BODY
    clock.advance(0.1)
    assert change.reshape(BODY) is BODY
    assert change.count == 1


def test_a_released_change_passes_requests_unchanged_and_may_be_released_twice() -> None:
    change = armed(HandClock(), drill())
    change.release()
    change.release()
    assert change.reshape(BODY) is BODY
    assert change.count == 0


@pytest.mark.parametrize("fault", PLANS)
def test_a_check_refuses_what_arming_refuses(fault: str) -> None:
    one = drill(fault=fault)
    injector = RequestInjector()
    assert injector.check(one, chain(), catalogue()) is None
    refused = injector.arm(injection_of(one), one, chain("client"), catalogue(), HandClock(), Random(1))
    assert refused == injector.check(one, chain("client"), catalogue()) is not None

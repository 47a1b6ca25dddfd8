"""Who is called and in which order, as a pure function: every filter, every ordering, every refusal."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest

from chaos.sandbox.catalogue import shipped
from chaos.sandbox.routing import Route, route
from chaos.sandbox.wanted import Rejected, Wanted, read

from .conftest import FLASH, LLAMA, MINI, SONNET

FREE = f"{LLAMA}:free"
QWEN = "qwen/qwen-2.5-7b-instruct"
DEEPSEEK = "deepseek/deepseek-chat-v3.1"
IMAGE: Any = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,xx"}}]


def ask(**body: Any) -> Wanted | Rejected:
    return read({"messages": [{"role": "user", "content": "hi"}], **body}, shipped())


def routed(*models: str, seed: int = 1, prompt: Any = "hi", provider: Any = None, **body: Any) -> Route | Rejected:
    wanted = ask(models=list(models), provider=provider, **{"messages": [{"role": "user", "content": prompt}], **body})
    assert isinstance(wanted, Wanted), wanted
    return route(wanted, shipped(), Random(seed))


def order(*models: str, **how: Any) -> list[str]:
    found = routed(*models, **how)
    assert isinstance(found, Route), found
    return [f"{one.model.id.split('/')[1]}@{one.provider}" for one in found.endpoints]


def providers(*models: str, **how: Any) -> list[str]:
    return [one.partition("@")[2] for one in order(*models, **how)]


def refused(*models: str, **how: Any) -> Rejected:
    found = routed(*models, **how)
    assert isinstance(found, Rejected), found
    return found


FILTERS: dict[str, tuple[str, dict[str, Any], set[str]]] = {
    "only": (LLAMA, {"provider": {"only": ["groq", "together"]}}, {"groq", "together"}),
    "only, in capitals": (LLAMA, {"provider": {"only": ["Groq"]}}, {"groq"}),
    "ignore": (LLAMA, {"provider": {"ignore": ["groq", "together"]}}, {"fireworks", "deepinfra"}),
    "order without fallbacks": (
        LLAMA,
        {"provider": {"order": ["together", "groq"], "allow_fallbacks": False}},
        {"together", "groq"},
    ),
    "a base slug means all its regions": (SONNET, {"provider": {"only": ["google-vertex"]}}, {"google-vertex"}),
    "a region means itself": (SONNET, {"provider": {"only": ["google-vertex/us-east5"]}}, {"google-vertex"}),
    "zdr": (LLAMA, {"provider": {"zdr": True}}, {"fireworks"}),
    "data_collection": (FLASH, {"provider": {"data_collection": "deny"}}, {"google-vertex"}),
    "quantizations": (LLAMA, {"provider": {"quantizations": ["fp8"]}}, {"together", "deepinfra"}),
    "max_price as a number": (LLAMA, {"provider": {"max_price": {"prompt": 0.6}}}, {"groq", "deepinfra"}),
    "max_price as text": (LLAMA, {"provider": {"max_price": {"completion": "0.5"}}}, {"deepinfra"}),
    "max_tokens": (LLAMA, {"max_tokens": 10000}, {"groq", "together", "fireworks"}),
}


@pytest.mark.parametrize(("model", "how", "left"), FILTERS.values(), ids=FILTERS)
def test_a_filter_leaves_only_what_it_allows(model: str, how: dict[str, Any], left: set[str]) -> None:
    assert set(providers(model, **how)) == left


ACROSS: dict[str, tuple[list[str], dict[str, Any], set[str]]] = {
    "ignore": ([SONNET, MINI], {"provider": {"ignore": ["anthropic", "amazon-bedrock", "google-vertex"]}}, {MINI}),
    "only": ([SONNET, MINI], {"provider": {"only": ["openai"]}}, {MINI}),
    "max_price": ([SONNET, MINI], {"provider": {"max_price": {"completion": 3}}}, {MINI}),
    "max_tokens": ([QWEN, LLAMA], {"max_tokens": 4000}, {LLAMA}),
    "zdr": ([FREE, LLAMA], {"provider": {"zdr": True}}, {LLAMA}),
    "an image": ([LLAMA, SONNET], {"prompt": IMAGE}, {SONNET}),
    "a parameter": ([SONNET, LLAMA], {"provider": {"require_parameters": True}, "logit_bias": {}}, {LLAMA}),
    "the length of the prompt": (
        [QWEN, LLAMA],
        {"prompt": "x" * 40_000, "plugins": [{"id": "context-compression", "enabled": False}]},
        {LLAMA},
    ),
}


@pytest.mark.parametrize(("models", "how", "left"), ACROSS.values(), ids=ACROSS)
def test_a_filter_takes_the_primary_away_and_leaves_its_fallback(
    models: list[str], how: dict[str, Any], left: set[str]
) -> None:
    assert {one.split("@")[0] for one in order(*models, **how)} == {model.split("/")[1] for model in left}


def test_a_long_prompt_is_compressed_for_a_small_context_unless_told_otherwise() -> None:
    assert order(QWEN, prompt="x" * 40_000)


REFUSALS: dict[str, tuple[str, dict[str, Any], int, str, str, str]] = {
    "only": (
        LLAMA,
        {"provider": {"only": ["no-such-provider"]}},
        404,
        f"No allowed providers are available for the selected model. Providers serving {LLAMA}: deepinfra, fire",
        "Filter by Allowed Providers",
        "allowed_providers",
    ),
    "ignore": (
        FREE,
        {"provider": {"ignore": ["novita"]}},
        404,
        "All providers have been ignored.",
        "Filter by Ignored Providers",
        "allowed_providers",
    ),
    "fallback": (
        LLAMA,
        {"provider": {"order": ["openai"], "allow_fallbacks": False}},
        404,
        "No allowed providers are available",
        "Filter by Fallback",
        "allowed_providers",
    ),
    "context length": (
        LLAMA,
        {"prompt": "x" * 600_000},
        400,
        "This endpoint's maximum context length is 131072 tokens. However, you requested about 150003 tokens",
        "Filter by Context Length",
        "context_length",
    ),
    "max tokens": (LLAMA, {"max_tokens": 99_999}, 404, "No endpoints found", "Filter by Max Tokens", "context_length"),
    "parameters": (
        FREE,
        {"provider": {"require_parameters": True}, "logit_bias": {}},
        404,
        "No endpoints found that can handle the requested parameters.",
        "Filter by Parameters",
        "require_parameters",
    ),
    "quantization": (
        LLAMA,
        {"provider": {"quantizations": ["int4"]}},
        404,
        "No endpoints found",
        "Filter by Quantization",
        "quantization",
    ),
    "image": (
        LLAMA,
        {"prompt": IMAGE},
        404,
        "No endpoints found that support image input",
        "Filter by Image Support",
        "require_parameters",
    ),
    "tools": (
        QWEN,
        {"tools": [{}]},
        404,
        "No endpoints found that support tool use",
        "Filter by Tool Compatibility",
        "require_parameters",
    ),
    "zdr": (
        FREE,
        {"provider": {"zdr": True}},
        404,
        "No endpoints found matching your data policy (Zero data retention)",
        "Filter by Data Policy",
        "data_policy:zdr",
    ),
    "training": (
        FREE,
        {"provider": {"data_collection": "deny"}},
        404,
        "No endpoints found matching your data policy (Paid model training)",
        "Filter by Data Policy",
        "data_policy:training",
    ),
    "price": (
        SONNET,
        {"provider": {"max_price": {"prompt": 1}}},
        404,
        "No endpoints found",
        "Filter by Max Price",
        "max_price",
    ),
}


@pytest.mark.parametrize(("model", "how", "status", "message", "step", "excluded_by"), REFUSALS.values(), ids=REFUSALS)
def test_a_filter_that_leaves_nobody_refuses_with_its_step(
    model: str, how: dict[str, Any], status: int, message: str, step: str, excluded_by: str
) -> None:
    found = refused(model, **how)
    assert found.status == status
    assert found.message.startswith(message)
    assert found.metadata["failed_routing_step"] == step
    assert found.metadata["routing_funnel"][-1] == {"step": step, "endpoint_count": 0}
    assert found.metadata["routing_funnel"][0]["step"] == "Initial Endpoints"
    assert found.metadata["available_providers"]
    assert found.availability is not None
    assert found.availability["excluded_by"] == [excluded_by]
    assert found.error_type == ("context_length_exceeded" if status == 400 else "not_found")


def test_a_refusal_names_the_providers_that_were_asked_for() -> None:
    found = refused(LLAMA, provider={"only": ["a"], "order": ["b", "a"]})
    assert found.metadata["requested_providers"] == ["b", "a"]


ORDERS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "listed first": ({"order": ["together", "deepinfra"], "sort": "price"}, ["together", "deepinfra"]),
    "price": ({"sort": "price"}, ["deepinfra", "groq", "together", "fireworks"]),
    "throughput": ({"sort": "throughput"}, ["groq", "fireworks", "together", "deepinfra"]),
    "latency": ({"sort": {"by": "latency"}}, ["groq", "fireworks", "together", "deepinfra"]),
    "quality": ({"sort": "exacto"}, ["groq", "fireworks"]),
    "put aside when slow": ({"sort": "price", "preferred_min_throughput": 400}, ["groq", "together", "fireworks"]),
    "put aside when late": ({"sort": "price", "preferred_max_latency": {"p90": 0.055}}, ["groq", "fireworks"]),
}


@pytest.mark.parametrize(("provider", "first"), ORDERS.values(), ids=ORDERS)
def test_preferences_order_the_providers_and_exclude_none(provider: dict[str, Any], first: list[str]) -> None:
    found = providers(LLAMA, provider=provider)
    assert found[: len(first)] == first
    assert len(found) == 4


@pytest.mark.parametrize(("suffix", "first"), [("nitro", "groq"), ("floor", "deepinfra")])
def test_a_dynamic_suffix_sorts(suffix: str, first: str) -> None:
    assert providers(f"{LLAMA}:{suffix}")[0] == first


def test_without_a_wish_cheap_providers_come_first_more_often_but_not_always() -> None:
    first = Counter(providers(LLAMA, seed=seed)[0] for seed in range(300))
    assert first["deepinfra"] > 5 * first["groq"] > 0
    assert providers(LLAMA, seed=5) == providers(LLAMA, seed=5)


def test_the_primary_comes_first_whatever_the_sort() -> None:
    found = order(SONNET, MINI, FLASH, provider={"sort": "price"})
    assert [one.split("@")[0] for one in found] == ["claude-sonnet-4.5"] * 3 + ["gpt-5-mini"] * 2 + [
        "gemini-2.5-flash"
    ] * 2


@pytest.mark.parametrize("how", [{"provider": {"sort": {"by": "price", "partition": "none"}}}, {"route": "sort"}])
def test_without_partition_all_models_are_ranked_as_one(how: dict[str, Any]) -> None:
    how = {"provider": {"sort": "price"}, **how} if "route" in how else how
    assert order(SONNET, LLAMA, **how)[0] == "llama-3.3-70b-instruct@deepinfra"


def test_route_fallback_is_the_default_by_another_name() -> None:
    assert order(SONNET, LLAMA, provider={"sort": "price"}, route="fallback") == order(
        SONNET, LLAMA, provider={"sort": "price"}
    )


def test_a_preference_may_promote_a_fallback_model() -> None:
    assert order(SONNET, LLAMA, provider={"sort": "price", "preferred_max_latency": 0.06})[0].endswith("@groq")


def test_tools_steer_towards_who_can_and_remove_nobody() -> None:
    ranked = {"provider": {"sort": {"by": "price", "partition": "none"}}}
    assert order(QWEN, SONNET, **ranked)[0].startswith("qwen")
    steered = order(QWEN, SONNET, tools=[{}], **ranked)
    assert (steered[0].split("@")[0], len(steered)) == ("claude-sonnet-4.5", 5)
    assert [one.split("@")[0] for one in order(QWEN, LLAMA, tools=[{}])][:2] == ["qwen-2.5-7b-instruct"] * 2


def test_without_fallbacks_each_model_keeps_its_best_provider() -> None:
    assert order(LLAMA, SONNET, provider={"allow_fallbacks": False, "sort": "throughput"}) == [
        "llama-3.3-70b-instruct@groq",
        "claude-sonnet-4.5@anthropic",
    ]


REJECTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "four models": ({"models": [SONNET, MINI, FLASH, LLAMA]}, "'models' array must have 3 items or fewer"),
    "unknown model": ({"model": "no/such"}, "no/such is not a valid model ID"),
    "unknown first": ({"models": ["no/such", SONNET]}, "no/such is not a valid model ID"),
    "unknown last": ({"models": [SONNET, MINI, "no/such"]}, "no/such is not a valid model ID"),
    "unknown beside a known model": ({"model": SONNET, "models": ["no/such"]}, "no/such is not a valid model ID"),
    "static suffix without an entry": ({"model": f"{SONNET}:free"}, f"{SONNET}:free is not a valid model ID"),
    "models as text": ({"models": SONNET}, "models: expected an array of strings"),
    "no messages": ({"messages": []}, 'Input required: specify "messages"'),
    "odd message": ({"messages": ["hi"]}, "messages[0]: expected an object with a role"),
    "odd content": (
        {"messages": [{"role": "user", "content": 5}]},
        "messages[0].content: expected a string or an array",
    ),
    "no tokens": ({"max_tokens": 0}, "max_tokens: expected a positive integer"),
    "odd tokens": ({"max_completion_tokens": "5"}, "max_completion_tokens: expected a positive integer"),
    "odd tools": ({"tools": {}}, "tools: expected an array"),
    "odd provider": ({"provider": "groq"}, "provider: expected an object"),
    "odd only": ({"provider": {"only": "groq"}}, "provider.only: expected an array of strings"),
    "odd sort": (
        {"provider": {"sort": "speed"}},
        "provider.sort: expected one of price, throughput, latency, exacto",
    ),
    "odd flag": ({"provider": {"zdr": "yes"}}, "provider.zdr: expected a boolean"),
    "odd price": ({"provider": {"max_price": {"prompt": "cheap"}}}, "provider.max_price.prompt: expected a number"),
}


@pytest.mark.parametrize(("body", "message"), REJECTIONS.values(), ids=REJECTIONS)
def test_a_bad_request_is_rejected_whole_before_any_routing(body: dict[str, Any], message: str) -> None:
    found = ask(**body)
    assert isinstance(found, Rejected)
    assert (found.status, found.error_type, found.message) == (400, "invalid_request", message)


NAMES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "model goes before models": ({"model": FLASH, "models": [SONNET, MINI]}, [FLASH, SONNET, MINI]),
    "model and three models": ({"model": FLASH, "models": [SONNET, MINI, LLAMA]}, [FLASH, SONNET, MINI, LLAMA]),
    "the same twice is once": ({"model": SONNET, "models": [SONNET, MINI]}, [SONNET, MINI]),
    "a dated slug": ({"model": "openai/gpt-5-mini-2025-08-07"}, [MINI]),
    "a dynamic suffix": ({"model": f"{MINI}:nitro"}, [MINI]),
    "a free entry of its own": ({"model": FREE}, [FREE]),
    "none at all": ({}, ["openai/gpt-4o-mini"]),
}


@pytest.mark.parametrize(("body", "models"), NAMES.values(), ids=NAMES)
def test_names_are_resolved_in_order(body: dict[str, Any], models: list[str]) -> None:
    found = ask(**body)
    assert isinstance(found, Wanted)
    assert [model.id for model in found.models] == models


def test_the_shipped_catalogue_is_rich_enough_to_be_filtered() -> None:
    catalogue = shipped()
    assert len(catalogue.models) >= 9
    assert len(catalogue.providers) >= 11
    offered = [one for offers in catalogue.endpoints.values() for one in offers]
    assert {one.provider for one in offered} == set(catalogue.providers)
    assert all(0.03 <= one.first_token <= 0.3 and 100 <= one.rate <= 2000 for one in offered)
    assert {str(model.reasoning) for model in catalogue.models.values()} == {"none", "optional", "mandatory"}
    assert min(model.context for model in catalogue.models.values()) == 8192

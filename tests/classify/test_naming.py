"""Dated slugs, variants, aliases and display names are the model or provider that was asked for; others are not."""

from __future__ import annotations

import pytest

from monitor.naming import closeness, find_entry, provider_slug, same_provider
from monitor.offering import Catalogue, ModelEntry, Price


def entry(model: str, canonical: str) -> ModelEntry:
    return ModelEntry(id=model, canonical=canonical, price=Price())


NONE = Catalogue()
KNOWN = Catalogue(
    at=1.0,
    models={
        found.id: found
        for found in (
            entry("anthropic/claude-sonnet-4.5", "anthropic/claude-4.5-sonnet-20250929"),
            entry("mistralai/mistral-small-3.2-24b-instruct", "mistralai/mistral-small-3.2-24b-instruct-2506"),
            entry("deepseek/deepseek-chat-v3", "deepseek/deepseek-chat-v3"),
            entry("deepseek/deepseek-chat-v3-0324", "deepseek/deepseek-chat-v3-0324"),
            entry("deepseek/deepseek-chat-v3.1", "deepseek/deepseek-chat-v3.1"),
            entry("deepseek/deepseek-chat-v3.1:free", "deepseek/deepseek-chat-v3.1"),
            entry("~anthropic/claude-haiku-latest", "anthropic/claude-4.6-haiku-20260101"),
            entry("vendor/one-name", "vendor/quite-another-name"),
        )
    },
    providers={"Amazon Bedrock": "amazon-bedrock", "Google": "google-vertex", "Moonshot AI": "moonshotai"},
)
BOTH = (NONE, KNOWN)

SAME = [
    ("openai/gpt-5-mini", "openai/gpt-5-mini", BOTH),
    ("openai/gpt-5-mini", "OpenAI/GPT-5-mini", BOTH),
    ("openai/gpt-5-mini", "openai/gpt-5-mini-2025-08-07", BOTH),
    ("openai/gpt-5-mini:nitro", "openai/gpt-5-mini-2025-08-07", BOTH),
    ("openai/gpt-5-mini:floor", "openai/gpt-5-mini", BOTH),
    ("openai/gpt-5-mini@preset/mine", "openai/gpt-5-mini", BOTH),
    ("openai/gpt-4o-2024-08-06", "openai/gpt-4o", BOTH),
    ("anthropic/claude-sonnet-4.5", "anthropic/claude-sonnet-4.5-20250929", BOTH),
    ("anthropic/claude-sonnet-4.5", "anthropic/claude-4.5-sonnet-20250929", BOTH),
    ("anthropic/claude-sonnet-4.5", "claude-sonnet-4-5-20250929", BOTH),
    ("anthropic/claude-4.5-sonnet-20250929", "anthropic/claude-sonnet-4.5", (KNOWN,)),
    ("mistralai/mistral-small-3.2-24b-instruct", "mistralai/mistral-small-3.2-24b-instruct-2506", BOTH),
    ("gpt-5-mini", "gpt-5-mini-2025-08-07", BOTH),
    ("openai/gpt-4o", "gpt-4o-2024-08-06", BOTH),
    ("deepseek/deepseek-chat-v3.1:free", "deepseek/deepseek-chat-v3.1:free", BOTH),
    ("deepseek/deepseek-chat-v3.1:free", "deepseek/deepseek-chat-v3.1", BOTH),
    ("deepseek/deepseek-chat-v3-0324", "deepseek/deepseek-chat-v3-0324", BOTH),
    ("~anthropic/claude-haiku-latest", "anthropic/claude-4.6-haiku-20260101", (KNOWN,)),
    ("~anthropic/claude-haiku-latest", "anthropic/claude-haiku-4.6", (NONE,)),
    ("vendor/one-name", "vendor/quite-another-name", (KNOWN,)),
    ("openrouter/auto", "mistralai/mistral-nemo", BOTH),
]
OTHER = [
    ("openai/gpt-5-mini", "openai/gpt-5", BOTH),
    ("openai/gpt-5", "openai/gpt-5-mini", BOTH),
    ("openai/gpt-5.4", "openai/gpt-4.5", BOTH),
    ("openai/gpt-4o-2024-08-06", "openai/gpt-4o-2024-11-20", BOTH),
    ("openai/gpt-4o", "azure/gpt-4o", BOTH),
    ("deepseek/deepseek-chat-v3", "deepseek/deepseek-chat-v3-0324", (KNOWN,)),
    ("deepseek/deepseek-chat-v3.1", "deepseek/deepseek-chat-v3.1:free", BOTH),
    ("vendor/one-name", "vendor/quite-another-name", (NONE,)),
    ("openai/gpt-5-mini", "", BOTH),
]


def rows(table):
    return [(wanted, reported, catalogue) for wanted, reported, catalogues in table for catalogue in catalogues]


@pytest.mark.parametrize(("wanted", "reported", "catalogue"), rows(SAME))
def test_another_name_of_the_same_model(wanted, reported, catalogue):
    assert closeness(wanted, reported, catalogue) is not None


@pytest.mark.parametrize(("wanted", "reported", "catalogue"), rows(OTHER))
def test_a_name_of_another_model(wanted, reported, catalogue):
    assert closeness(wanted, reported, catalogue) is None


def test_the_exact_name_is_closest_and_a_dropped_variant_farthest():
    model = "deepseek/deepseek-chat-v3.1"
    exact, dropped = closeness(model, model, KNOWN), closeness(f"{model}:free", model, KNOWN)
    assert exact == 0
    assert dropped is not None
    assert dropped > closeness(model, f"{model}-20250821", KNOWN)


@pytest.mark.parametrize(
    ("wanted", "reported", "same"),
    [
        ("amazon-bedrock", "Amazon Bedrock", True),
        ("google-vertex", "Google", True),
        ("google-ai-studio", "Google AI Studio", True),
        ("google-vertex", "Google AI Studio", False),
        ("google-vertex/us-east5", "Google", True),
        ("google-vertex", "google-vertex/us-east5", True),
        ("google-vertex/europe", "google-vertex/us-east5", False),
        ("openai/flex", "OpenAI", True),
        ("moonshotai", "Moonshot AI", True),
        ("xai", "xAI", True),
        ("z-ai", "Z.AI", True),
        ("azure", "OpenAI", False),
    ],
)
@pytest.mark.parametrize("catalogue", BOTH)
def test_display_names_regions_and_tiers_of_a_provider(wanted, reported, same, catalogue):
    assert same_provider(wanted, reported, catalogue) is same


def test_the_catalogue_knows_a_providers_slug():
    assert provider_slug("Moonshot AI", KNOWN) == "moonshotai"
    assert provider_slug("moonshotai", KNOWN) == "moonshotai"
    assert provider_slug("Amazon Bedrock", NONE) == "amazon-bedrock"


def test_an_entry_is_found_by_id_suffix_and_canonical_slug():
    found = KNOWN.models["anthropic/claude-sonnet-4.5"]
    for name in (found.id, f"{found.id}:nitro", found.canonical):
        assert find_entry(name, KNOWN) is found
    assert find_entry("openai/gpt-5-mini", KNOWN) is None

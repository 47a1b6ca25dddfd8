"""Whose API an endpoint is, by its host: a provider's own, under the slug by which routers name it. Pure.

Facts: the base URLs in the API references of each provider, and their slugs in OpenRouter's list of providers.
"""

from __future__ import annotations

from urllib.parse import urlsplit

_HOSTS = {
    "api.anthropic.com": "anthropic",
    "api.cerebras.ai": "cerebras",
    "api.cohere.ai": "cohere",
    "api.cohere.com": "cohere",
    "api.deepinfra.com": "deepinfra",
    "api.deepseek.com": "deepseek",
    "api.fireworks.ai": "fireworks",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral",
    "api.novita.ai": "novita",
    "api.openai.com": "openai",
    "api.sambanova.ai": "sambanova",
    "api.together.ai": "together",
    "api.together.xyz": "together",
    "api.x.ai": "xai",
    "generativelanguage.googleapis.com": "google-ai-studio",
}
_ENDINGS = {
    ".amazonaws.com": "amazon-bedrock",
    ".openai.azure.com": "azure",
    ".services.ai.azure.com": "azure",
    "aiplatform.googleapis.com": "google-vertex",
}
"""Of providers that have a host for each region or resource."""


def provider_behind(url: str) -> str | None:
    """``https://api.groq.com/openai/v1`` -> ``groq``; None where it is a router, a server of one's own, or unknown."""
    host = (urlsplit(url).hostname or "").lower()
    return _HOSTS.get(host) or next((slug for end, slug in _ENDINGS.items() if host.endswith(end)), None)


def host_of(url: str) -> str:
    """With its port, where one is written."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()

"""Names of providers, and which of them mean the same one (OpenRouter docs: Provider Routing). Pure."""

from __future__ import annotations


def base(slug: str) -> str:
    return slug.partition("/")[0]


def covers(slug: str, other: str) -> bool:
    """A base slug matches all regions and variants of a provider."""
    return other == slug or other.startswith(f"{slug}/")


def overlap(slug: str, other: str) -> bool:
    return covers(slug, other) or covers(other, slug)

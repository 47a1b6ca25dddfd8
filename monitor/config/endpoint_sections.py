"""The sections about endpoints: how each is asked, and how what it offers is watched."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from monitor.config.quantity import Duration, Percent
from monitor.config.section import Section, Text


class PriceConfig(Section):
    """What a model costs, in US dollars for a million tokens."""

    prompt: float = Field(ge=0, description="US dollars for a million tokens of prompts.")
    completion: float = Field(ge=0, description="US dollars for a million tokens of answers.")


class EndpointConfig(Section):
    """A base URL with a dialect and a credential."""

    dialect: str = Field(description="How the endpoint is asked and how its answers are read.")
    url: str = Field(pattern=r"^https?://[^\s]+$", description="Base URL, without the path of a single call.")
    credential_env: str | None = Field(
        default=None, description="Environment variable that holds the key; the key itself is never written here."
    )
    credential_file: str | None = Field(
        default=None, description="File that holds the key; a relative path starts at this file's folder."
    )
    headers: Mapping[str, str] = Field(
        default_factory=dict, description="Headers added to every request. No credentials: the file is not secret."
    )
    prices: Mapping[Text, PriceConfig] = Field(
        default_factory=dict,
        description="What models cost, by model id, where the endpoint does not tell: openai_compatible and anthropic.",
    )
    ca_file: str | None = Field(
        default=None, description="PEM file of the certificate authorities trusted instead of the system's."
    )


class CatalogueConfig(Section):
    """How what the endpoints offer is watched. Reading it costs nothing."""

    every: Duration = Field(
        default=900.0, gt=0, description="Time between two readings of what the endpoints offer; at least 1s."
    )
    acknowledge_after: Duration = Field(
        default=7 * 86400.0, gt=0, description="A change that is older is no finding any more: that is how it is now."
    )
    expires_within: Duration = Field(
        default=30 * 86400.0, gt=0, description="A model or key whose end is announced is a finding so long before it."
    )
    low: Percent = Field(
        default=0.1, description="What is left of a key's limit or of today's free requests is a finding below this."
    )
    credits_below: float = Field(
        default=5.0, ge=0, description="US dollars: less credit than this at an endpoint is a finding."
    )

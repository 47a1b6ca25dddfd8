"""What an endpoint offers, as values: models, their providers and prices, and what is left of an account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """USD per token."""

    prompt: float = 0.0
    completion: float = 0.0
    request: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One provider's endpoint of one model, from ``/models/{a}/{s}/endpoints``. ``provider`` is the base slug."""

    provider: str
    tag: str
    name: str
    price: Price
    context_length: int | None = None
    max_completion_tokens: int | None = None
    status: int = 0
    uptime_last_5m: float | None = None
    uptime_last_30m: float | None = None
    uptime_last_1d: float | None = None
    parameters: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """One model of an endpoint's catalogue, from ``/models``, with its offers where they were read."""

    id: str
    canonical: str
    price: Price
    context_length: int | None = None
    max_completion_tokens: int | None = None
    parameters: frozenset[str] = frozenset()
    modalities: frozenset[str] = frozenset()
    expires: str | None = None
    reasoning: bool = False
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What is left of a key and its account, from ``/key`` and ``/credits``. Amounts in USD; None where unlimited or
    not told. ``free_*`` count today's requests to free models; ``expires`` is an ISO date as it was sent."""

    limit: float | None = None
    limit_remaining: float | None = None
    limit_reset: str | None = None
    usage: float | None = None
    credits_remaining: float | None = None
    free_limit: int | None = None
    free_remaining: int | None = None
    is_free_tier: bool = False
    expires: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """What an endpoint offers. ``providers`` maps display names to slugs. ``at`` is None until it was read.

    ``listed``: the whole list of models was read. ``offered``: ids of the models whose offers were. ``gone``: models
    that were asked for and that the endpoint does not know; ``renamed``: such models -> the id that they lead to.
    """

    at: float | None = None
    models: Mapping[str, ModelEntry] = field(default_factory=dict)
    providers: Mapping[str, str] = field(default_factory=dict)
    listed: bool = False
    offered: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    renamed: Mapping[str, str] = field(default_factory=dict)
    account: Account | None = None

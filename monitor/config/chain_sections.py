"""The sections of ``chains.yaml``: frozen pydantic models; an unknown key is a mistake.

What one section cannot see alone (names that refer to each other, limits of a mode) is in ``checks``. The
descriptions are the reference: messages, the JSON Schema and the documentation repeat them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import Field

from monitor.config.coverage_sections import CoverageConfig
from monitor.config.drill_sections import DrillConfig
from monitor.config.endpoint_sections import CatalogueConfig, EndpointConfig
from monitor.config.gateway_sections import GatewayConfig
from monitor.config.network_sections import NetworkConfig
from monitor.config.page_sections import PageConfig
from monitor.config.probe_sections import BudgetConfig, HealthConfig, PaceConfig, ProbeConfig
from monitor.config.quantity import Duration, Percent
from monitor.config.section import Name, Section, Text
from monitor.model import Mode, Reason, Target


class TargetConfig(Section):
    """One rung of a chain. ``providers`` are asked one by one, pinned; ``provider`` is the one of a provider chain."""

    label: Name = Field(description="Short name of the target in metrics, alerts and drills; unique in its chain.")
    model: Text | None = Field(default=None, description="Model id at the endpoint; unset, the chain's own model.")
    provider: str | None = Field(
        default=None,
        min_length=1,
        description="The provider that this target is pinned to (provider and client chains).",
    )
    providers: tuple[Text, ...] | Literal["discover"] = Field(
        default=(),
        description="Providers of the model that are each asked on their own, pinned; discover: all that serve it now.",
    )
    endpoint: str | None = Field(
        default=None, description="Client chains: the endpoint that is asked for this target; unset, the chain's."
    )
    timeout: Duration = Field(default=30.0, gt=0, description="Longest time one request to this target may take.")

    @property
    def pinned(self) -> tuple[str, ...]:
        """The listed providers; those that are yet to be discovered are not among them."""
        return () if self.providers == "discover" else self.providers


class ObjectiveConfig(Section):
    """What the chain promises. An answer that keeps no promise of time is ``degraded: too_slow``."""

    success: Percent = Field(default=0.99, description="Share of questions that the chain answers.")
    latency: Duration | None = Field(default=None, gt=0, description="A slower whole answer is degraded: too_slow.")
    first_token: Duration | None = Field(
        default=None, gt=0, description="A stream whose first token comes later is degraded: too_slow."
    )


class BudgetsConfig(Section):
    """What all probes and drills together may cost, and those at one provider: beside the budgets of chains."""

    usd_per_day: float | None = Field(
        default=None,
        ge=0,
        description="What one UTC day of all chains together may cost, in US dollars; unset, no limit.",
    )
    providers: Mapping[Text, BudgetConfig] = Field(
        default_factory=dict,
        description="By provider, as it is pinned or names itself, or by an endpoint that is one provider's own.",
    )


class PriceCeilingConfig(Section):
    """The most that a cheap target costs; the need ``budget`` holds the catalogue's prices against it."""

    prompt: float = Field(default=1.0, ge=0, description="US dollars for a million tokens of prompts.")
    completion: float = Field(default=5.0, ge=0, description="US dollars for a million tokens of answers.")


class ChainConfig(Section):
    """Ordered targets that stand in for one another.

    ``routing`` is sent with every end-to-end request, as the application does. ``move_on``
    (client chains) lists the reasons that make the caller try the next target. ``total_timeout`` bounds a whole
    walk; unset, it is the sum of the targets' timeouts.
    """

    name: Name = Field(description="Short name of the chain in metrics, alerts and commands; unique.")
    endpoint: str = Field(description="Name of the endpoint that is asked, from endpoints.")
    mode: Mode = Field(
        description="Who walks the chain: server (the endpoint, over models), provider (the endpoint, over the "
        "providers of one model), client (the caller, target by target)."
    )
    model: Text | None = Field(
        default=None, description="The one model of a provider chain; elsewhere the targets' default."
    )
    targets: tuple[TargetConfig, ...] = Field(
        min_length=1,
        description="The rungs, in the order in which they stand in for one another; at most 3 in a server chain.",
    )
    needs: tuple[str, ...] = Field(
        default=(),
        description="Capabilities, or named sets of them, that every target must have; one that lacks any is degraded.",
    )
    needs_every: Duration = Field(
        default=21600.0,
        gt=0,
        description="Time between two questions for a need that no probe asks about; for long_context at least a day.",
    )
    price_ceiling: PriceCeilingConfig = Field(
        default=PriceCeilingConfig(), description="What a target may cost at most where the chain needs budget."
    )
    objective: ObjectiveConfig = Field(default=ObjectiveConfig(), description="What the chain promises its users.")
    probes: tuple[ProbeConfig, ...] = Field(min_length=1, description="The questions that are asked on a schedule.")
    health: HealthConfig = Field(default=HealthConfig(), description="When results become a change of health.")
    budget: BudgetConfig | None = Field(default=None, description="What a day may cost; unset, no limit.")
    pace: PaceConfig | None = Field(
        default=None, description="How far the intervals of its probes may move; unset, they never do."
    )
    routing: Mapping[str, Any] = Field(
        default_factory=dict,
        description="Sent with every end-to-end request, to OpenRouter as its provider object, to a LiteLLM proxy as "
        "fields of the request itself: write here what the application sends.",
    )
    move_on: tuple[Reason, ...] = Field(
        default=(
            Reason.CONNECT, Reason.DNS, Reason.TLS, Reason.TIMEOUT, Reason.FIRST_TOKEN_TIMEOUT, Reason.STALLED,
            Reason.CUT, Reason.RATE_LIMITED, Reason.OVERLOADED, Reason.SERVER_ERROR, Reason.MALFORMED, Reason.EMPTY,
            Reason.MODEL_GONE, Reason.NO_ENDPOINT, Reason.CONTEXT_LENGTH, Reason.MODERATED,
        ),
        description="Client chains: the reasons on which the caller tries the next target.",
    )  # fmt: skip
    total_timeout: Duration | None = Field(
        default=None, gt=0, description="Longest time a whole walk may take; unset, the sum of the targets' timeouts."
    )

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        copied = super().model_copy(update=update, deep=deep)
        for worked_out in ("_unpinned", "endpoints"):  # pydantic takes over what was worked out for the old targets
            copied.__dict__.pop(worked_out, None)
        return copied

    def target(self, position: int, provider: str | None = None) -> Target:
        """The target at a position as a value; ``provider`` pins one of its listed providers."""
        return self._target(position, provider) if provider else self._unpinned[position]

    def _target(self, position: int, provider: str | None) -> Target:
        own = self.targets[position]
        return Target(
            chain=self.name,
            position=position,
            label=own.label,
            model=own.model or self.model or "",
            provider=provider or own.provider,
            endpoint=own.endpoint or self.endpoint,
            timeout=own.timeout,
        )

    def all_targets(self) -> tuple[Target, ...]:
        """Every target in order, none pinned beyond its own ``provider``."""
        return self._unpinned

    @cached_property
    def _unpinned(self) -> tuple[Target, ...]:
        return tuple(self._target(position, None) for position in range(len(self.targets)))

    @cached_property
    def endpoints(self) -> tuple[str, ...]:
        """The endpoints of all targets, each once, in order."""
        return tuple(dict.fromkeys(target.endpoint for target in self._unpinned))

    @property
    def deadline(self) -> float:
        """Seconds that a whole walk of the chain may take."""
        return self.total_timeout or sum(target.timeout for target in self.targets)


class ChainsFile(Section):
    """``chains.yaml``: what is watched, and which drills exist."""

    endpoints: Mapping[Name, EndpointConfig] = Field(min_length=1, description="The endpoints that are asked, by name.")
    chains: tuple[ChainConfig, ...] = Field(min_length=1, description="The chains that are watched.")
    drills: tuple[DrillConfig, ...] = Field(default=(), description="The planned experiments.")
    catalogue: CatalogueConfig = Field(
        default=CatalogueConfig(), description="How what the endpoints offer is watched: models, providers, prices."
    )
    coverage: CoverageConfig = Field(
        default=CoverageConfig(), description="How long the proofs of drills hold, edge by edge and fault by fault."
    )
    network: NetworkConfig = Field(
        default=NetworkConfig(), description="How our own network's trouble is told from an endpoint's."
    )
    budgets: BudgetsConfig = Field(
        default=BudgetsConfig(),
        description="What a day may cost across chains; each chain may have its own budget too.",
    )
    gateway: GatewayConfig | None = Field(
        default=None, description="Where application traffic passes and is watched; unset, none does."
    )
    page: PageConfig = Field(default=PageConfig(), description="Who may see the status page.")

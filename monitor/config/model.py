"""The configuration as the rest reads it: the sections of both files, the vocabulary they may use, the whole Config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from monitor.config.alert_sections import (
    AlertsFile,
    MatchConfig,
    NotifierConfig,
    NotifierSettings,
    RouteConfig,
    RuleConfig,
    WindowConfig,
)
from monitor.config.chain_sections import (
    BudgetsConfig,
    ChainConfig,
    ChainsFile,
    ObjectiveConfig,
    PriceCeilingConfig,
    TargetConfig,
)
from monitor.config.coverage_sections import CoverageConfig
from monitor.config.drill_sections import (
    ApplicationConfig,
    CapacityConfig,
    ClientConfig,
    DrillConfig,
    ExpectConfig,
    HypothesisConfig,
    LiveDrillConfig,
    StrikeConfig,
)
from monitor.config.endpoint_sections import CatalogueConfig, EndpointConfig
from monitor.config.gateway_sections import GatewayConfig, LiveConfig
from monitor.config.network_sections import NetworkConfig
from monitor.config.page_sections import PageConfig
from monitor.config.probe_sections import BudgetConfig, HealthConfig, Of, PaceConfig, ProbeConfig
from monitor.config.section import Name, Section
from monitor.model import Mode

__all__ = [
    "AlertsFile",
    "ApplicationConfig",
    "BudgetConfig",
    "BudgetsConfig",
    "CapacityConfig",
    "CatalogueConfig",
    "ChainConfig",
    "ChainsFile",
    "ClientConfig",
    "Config",
    "CoverageConfig",
    "DialectTraits",
    "DrillConfig",
    "EndpointConfig",
    "ExpectConfig",
    "FaultOption",
    "GatewayConfig",
    "HealthConfig",
    "HypothesisConfig",
    "LiveConfig",
    "LiveDrillConfig",
    "MatchConfig",
    "Name",
    "NotifierConfig",
    "NotifierSettings",
    "ObjectiveConfig",
    "Of",
    "PaceConfig",
    "PageConfig",
    "PriceCeilingConfig",
    "ProbeConfig",
    "RouteConfig",
    "RuleConfig",
    "Section",
    "StrikeConfig",
    "TargetConfig",
    "Vocabulary",
    "WindowConfig",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultOption:
    """An option of a fault or shape as the config needs to know it; ``unit`` is ``seconds``, ``count``, ``status`` or
    ``share``."""

    unit: str
    default: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DialectTraits:
    """What endpoints of a dialect can do, as the config needs to know it: which modes they serve, whether they can pin
    a provider, whether a request has a place for ``routing``, the most models in one request (None: no limit), and
    whether it can be read there what models cost."""

    modes: frozenset[Mode]
    pins: bool = False
    routes: bool = False
    most_models: int | None = None
    priced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTraits:
    """Which of the settings that not every rule uses a rule does use; of ``one_of`` one must be given.

    ``names_no_chain``: it is about fallbackd itself.
    """

    settings: frozenset[str] = frozenset()
    one_of: frozenset[str] = frozenset()
    names_no_chain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The kinds that exist, handed in by the wiring, so that the config knows them without importing them.

    ``faults``: injector -> fault -> option -> its limits. ``shapes``: shape -> option -> its limits.
    ``traits``: dialect -> what it can do, where that is known.
    """

    dialects: frozenset[str]
    kinds: frozenset[str]
    capabilities: frozenset[str]
    rules: Mapping[str, RuleTraits]
    faults: Mapping[str, Mapping[str, Mapping[str, FaultOption]]]
    notifiers: Mapping[str, type[NotifierSettings]]
    traits: Mapping[str, DialectTraits] = field(default_factory=dict)
    shapes: Mapping[str, Mapping[str, FaultOption]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that was configured, complete and checked.

    ``secrets``: ``endpoints/NAME``, ``drills/NAME/credential``, ``notifiers/NAME/FIELD`` and ``heartbeat/url`` ->
    value, masked when printed.
    ``muted``: optional notifiers that are off, with the sentence that says why. ``digest`` changes when either
    file does.
    """

    endpoints: Mapping[str, EndpointConfig]
    chains: tuple[ChainConfig, ...]
    drills: tuple[DrillConfig, ...]
    alerts: AlertsFile
    secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    muted: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    digest: str = ""
    catalogue: CatalogueConfig = field(default_factory=CatalogueConfig)
    coverage: CoverageConfig = field(default_factory=CoverageConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    gateway: GatewayConfig | None = None
    budgets: BudgetsConfig = field(default_factory=BudgetsConfig)
    page: PageConfig = field(default_factory=PageConfig)

    _named: Mapping[str, ChainConfig] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_named", {chain.name: chain for chain in self.chains})

    def chain(self, name: str) -> ChainConfig:
        """Raises KeyError for a chain that is not configured."""
        return self._named[name]

    def passing(self, gateway: GatewayConfig) -> tuple[ChainConfig, ...]:
        """The chains whose traffic passes a gateway: those that it names, else all of its endpoint."""
        if gateway.chains:
            return tuple(self.chain(name) for name in gateway.chains)
        return tuple(chain for chain in self.chains if chain.endpoint == gateway.endpoint)

"""The shape of ``chains.yaml`` and ``alerts.yaml``: frozen pydantic models; an unknown key is a mistake.

What one section cannot see alone (names that refer to each other, limits of a mode) is in ``checks``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from monitor.config.quantity import Duration, Percent
from monitor.model import Mode, Path, Reason, Severity, Target

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]


class Section(BaseModel):
    """Base of every section: frozen, and an unknown key is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class EndpointConfig(Section):
    """A base URL with a dialect and a credential."""

    dialect: str
    url: str = Field(pattern=r"^https?://[^\s]+$")
    credential_env: str | None = None
    credential_file: str | None = None
    headers: Mapping[str, str] = Field(default_factory=dict)
    ca_file: str | None = None


class TargetConfig(Section):
    """One rung of a chain. ``providers`` are asked one by one, pinned; ``provider`` is the one of a provider chain."""

    label: Name
    model: str | None = Field(default=None, min_length=1)
    provider: str | None = Field(default=None, min_length=1)
    providers: tuple[str, ...] = ()
    timeout: Duration = 30.0


class ObjectiveConfig(Section):
    """What the chain promises. An answer that keeps no promise of time is ``degraded: too_slow``."""

    success: Percent = 0.99
    latency: Duration | None = None
    first_token: Duration | None = None


class Of(StrEnum):
    """Whom a probe asks: the chain end to end, each target on its own, each listed provider pinned."""

    CHAIN = "chain"
    TARGETS = "targets"
    PROVIDERS = "providers"


class ProbeConfig(Section):
    """One kind of question, how often, of whom. ``first_token`` is a deadline of ours, not an objective."""

    kind: str
    every: Duration = Field(gt=0)
    of: tuple[Of, ...] = (Of.CHAIN, Of.TARGETS, Of.PROVIDERS)
    first_token: Duration = 15.0
    max_tokens: int = Field(default=48, ge=16, le=4096)


class HealthConfig(Section):
    """``down_after`` failures among the last ``window`` results are down; ``recover_after`` good ones in a row are
    healthy again. A first failure is asked again at once ``confirm`` times."""

    window: int = Field(default=3, ge=1, le=100)
    down_after: int = Field(default=2, ge=1, le=100)
    recover_after: int = Field(default=2, ge=1, le=100)
    confirm: int = Field(default=2, ge=0, le=10)


class BudgetConfig(Section):
    usd_per_day: float = Field(ge=0)


class ChainConfig(Section):
    """Ordered targets that stand in for one another.

    ``routing`` is sent as the ``provider`` object of every end-to-end request, as the application does. ``move_on``
    (client chains) lists the reasons that make the caller try the next target. ``total_timeout`` bounds a whole
    walk; unset, it is the sum of the targets' timeouts.
    """

    name: Name
    endpoint: str
    mode: Mode
    model: str | None = Field(default=None, min_length=1)
    targets: tuple[TargetConfig, ...] = Field(min_length=1)
    needs: tuple[str, ...] = ()
    objective: ObjectiveConfig = ObjectiveConfig()
    probes: tuple[ProbeConfig, ...] = Field(min_length=1)
    health: HealthConfig = HealthConfig()
    budget: BudgetConfig | None = None
    routing: Mapping[str, Any] = Field(default_factory=dict)
    move_on: tuple[Reason, ...] = (
        Reason.CONNECT, Reason.DNS, Reason.TLS, Reason.TIMEOUT, Reason.FIRST_TOKEN_TIMEOUT, Reason.STALLED, Reason.CUT,
        Reason.RATE_LIMITED, Reason.OVERLOADED, Reason.SERVER_ERROR, Reason.MALFORMED, Reason.EMPTY,
        Reason.MODEL_GONE, Reason.NO_ENDPOINT, Reason.CONTEXT_LENGTH, Reason.MODERATED,
    )  # fmt: skip
    total_timeout: Duration | None = None

    def target(self, position: int, provider: str | None = None) -> Target:
        """The target at a position as a value; ``provider`` pins one of its listed providers."""
        own = self.targets[position]
        return Target(
            chain=self.name,
            position=position,
            label=own.label,
            model=own.model or self.model or "",
            provider=provider or own.provider,
            endpoint=self.endpoint,
            timeout=own.timeout,
        )

    def all_targets(self) -> tuple[Target, ...]:
        """Every target in order, none pinned beyond its own ``provider``."""
        return tuple(self.target(position) for position in range(len(self.targets)))

    @property
    def deadline(self) -> float:
        """Seconds that a whole walk of the chain may take."""
        return self.total_timeout or sum(target.timeout for target in self.targets)


class ExpectConfig(Section):
    """``served_by`` is a label; unset, the first target that is not broken. ``rejected``: refused as a whole."""

    served_by: str | None = None
    within: Duration = 10.0
    rejected: bool = False
    path: Path | None = None


class DrillConfig(Section):
    """A planned experiment. ``break``: ``primary``, a label, or a list of labels. ``with``: a fault's name, or
    ``{name: {option: value}}``. ``by``: the injector; unset, ``transport`` for client chains, else ``request``."""

    name: Name
    chain: str
    every: Duration | None = None
    cron: str | None = None
    first_after: Duration | None = None
    break_: str | tuple[str, ...] = Field(default="primary", alias="break")
    with_: str | Mapping[str, Mapping[str, Any] | None] = Field(alias="with")
    by: str | None = None
    expect: ExpectConfig = ExpectConfig()
    kind: str = "completion"
    requests: int = Field(default=3, ge=1, le=100)
    max_duration: Duration = Field(default=120.0, gt=0)


class ChainsFile(Section):
    """``chains.yaml``."""

    endpoints: Mapping[str, EndpointConfig] = Field(min_length=1)
    chains: tuple[ChainConfig, ...] = Field(min_length=1)
    drills: tuple[DrillConfig, ...] = ()


class RuleConfig(Section):
    """When to speak. Which of the optional settings a rule takes depends on ``when`` (see ``conditions``).

    ``above``: share of answers from a fallback; ``rise``: how many times the chain's own ``baseline`` share.
    """

    name: Name
    when: str
    severity: Severity = Severity.WARNING
    for_: Duration = Field(default=0.0, alias="for")
    repeat: Duration = 4 * 3600.0
    resolve: bool = True
    chains: tuple[str, ...] = ()
    above: Percent | None = None
    rise: float | None = Field(default=None, gt=1)
    window: Duration = 600.0
    baseline: Duration = 86400.0
    min_samples: int = Field(default=10, ge=1)
    intervals: float = Field(default=3.0, ge=1)


class MatchConfig(Section):
    """All that are given must fit; an empty one fits everything."""

    severity: tuple[Severity, ...] = ()
    alerts: tuple[str, ...] = ()
    chains: tuple[str, ...] = ()


class RouteConfig(Section):
    """Every route that fits is used; ``notify`` names notifiers."""

    match: MatchConfig = MatchConfig()
    notify: tuple[str, ...] = Field(min_length=1)


class NotifierConfig(Section):
    """A way to reach people. ``settings`` is validated by the model that the notifier's own file declares.

    ``optional``: without its credential it is off instead of a mistake.
    """

    name: Name
    kind: str
    optional: bool = False
    settings: Any = None


class AlertsFile(Section):
    """``alerts.yaml``."""

    notifiers: tuple[NotifierConfig, ...] = Field(min_length=1)
    routes: tuple[RouteConfig, ...] = Field(min_length=1)
    rules: tuple[RuleConfig, ...] = Field(min_length=1)
    link: str | None = Field(default=None, pattern=r"^https?://[^\s]+$")


class NotifierSettings(Section):
    """Base of a notifier's own settings. Fields ``X_env``/``X_file`` name the credential X.

    ``reaches_people``: False for one that nobody is woken by, such as a log.
    """

    reaches_people: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultOption:
    """An option of a fault as the config needs to know it; ``unit`` is ``seconds``, ``count`` or ``status``."""

    unit: str
    default: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The kinds that exist, handed in by the wiring, so that the config knows them without importing them.

    ``faults``: injector -> fault -> option -> its limits.
    """

    dialects: frozenset[str]
    kinds: frozenset[str]
    capabilities: frozenset[str]
    rules: frozenset[str]
    faults: Mapping[str, Mapping[str, Mapping[str, FaultOption]]]
    notifiers: Mapping[str, type[NotifierSettings]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that was configured, complete and checked.

    ``secrets``: ``endpoints/NAME`` and ``notifiers/NAME/FIELD`` -> value, masked when printed. ``muted``: optional
    notifiers that are off, with the sentence that says why. ``digest`` changes when either file does.
    """

    endpoints: Mapping[str, EndpointConfig]
    chains: tuple[ChainConfig, ...]
    drills: tuple[DrillConfig, ...]
    alerts: AlertsFile
    secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    muted: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    digest: str = ""

    def chain(self, name: str) -> ChainConfig:
        """Raises KeyError for a chain that is not configured."""
        for chain in self.chains:
            if chain.name == name:
                return chain
        raise KeyError(name)

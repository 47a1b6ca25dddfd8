"""Which label sets exist. They come from the config, the scheduled questions and the drills, and from closed enums.

Pure. Whatever else is reported (a live request's provider, say) is labelled ``other``, so that nobody outside can make
the number of series grow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from monitor.capability import resolve
from monitor.conditions import RULES
from monitor.config.model import ChainConfig, Config
from monitor.model import Health, Misdeed, Origin, Overhead, Path, ProbeSpec, Reason, Status, Subject, VerdictKind

OTHER = "other"
CAPABILITY = "fallbackd_target_capability"
PROBE_BUDGET = "fallbackd_probe_budget_remaining_usd"

Values = tuple[str, ...]
Series = tuple[str, Values]
"""A metric's name, and the values of its labels in declared order."""

COMMON_RESULTS = (
    (Status.OK, Reason.NONE),
    (Status.DEGRADED, Reason.TOO_SLOW),
    (Status.FAILED, Reason.CONNECT),
    (Status.FAILED, Reason.TIMEOUT),
    (Status.FAILED, Reason.RATE_LIMITED),
    (Status.FAILED, Reason.OVERLOADED),
    (Status.FAILED, Reason.SERVER_ERROR),
)
"""Present from the start, so that the first failure is an increase. The full product would be some 700 a question."""

SKIPS = ("still_running", "missed", "crashed", "rate_limited", "budget", "passive")
DIRECTIONS = ("prompt", "completion", "reasoning")
STREAMED = "stream"
BEAT = "heartbeat"
"""The receiver at the address that ``heartbeat:`` names."""


class Expected(Protocol):
    @property
    def served_by(self) -> str | None: ...


class PlannedDrill(Protocol):
    """What a metric needs to know of a resolved drill. ``breaks``: positions; ``fault``: a word for all ``faults``."""

    @property
    def name(self) -> str: ...
    @property
    def chain(self) -> str: ...
    @property
    def fault(self) -> str: ...
    @property
    def faults(self) -> tuple[str, ...]: ...
    @property
    def injector(self) -> str: ...
    @property
    def watches(self) -> bool: ...
    @property
    def kind(self) -> str: ...
    @property
    def breaks(self) -> tuple[int, ...]: ...
    @property
    def expect(self) -> Expected: ...


class Labels:
    """The vocabulary of one config."""

    def __init__(
        self, config: Config, specs: Sequence[ProbeSpec], drills: Sequence[PlannedDrill], windows: Iterable[str]
    ) -> None:
        self.chains = {chain.name: chain for chain in config.chains}
        self._config = config
        self._specs = specs
        self._drills = drills
        self._windows = tuple(windows)
        self.subjects = dict.fromkeys(
            Subject(chain=chain.name, target=label, provider=provider)
            for chain in config.chains
            for label, provider in _parts(chain)
        )
        self._targets = {(subject.chain, subject.target or "") for subject in self.subjects}
        self._kinds = {spec.kind for spec in specs} | {drill.kind for drill in drills}
        self._known_drills = {(drill.chain, drill.name) for drill in drills}
        self._known_faults = {(drill.chain, drill.fault) for drill in drills}
        self._alerts = {(rule.name, rule.severity.value) for rule in config.alerts.rules}
        self._shared_budgets = [("provider", name) for name in config.budgets.providers]
        self._shared_budgets += [("overall", "")] if config.budgets.usd_per_day is not None else []
        self._notifiers = {notifier.name for notifier in config.alerts.notifiers}
        self._receivers = set(_receivers(config))

    def subject(self, chain: str, target: str | None, provider: str | None) -> Values:
        """The labels chain, target, provider; a part that is not configured is ``other``."""
        label = target or ""
        if (chain, label) not in self._targets:
            label = OTHER
        known = not provider or Subject(chain=chain, target=target, provider=provider) in self.subjects
        return chain, label, (provider or "") if known else OTHER

    def kind(self, kind: str) -> str:
        return kind if kind in self._kinds else OTHER

    def targets(self, chain: str) -> tuple[str, ...]:
        """The labels of a configured chain's targets, in order."""
        return tuple(target.label for target in self.chains[chain].targets)

    def drill(self, chain: str, drill: str) -> str:
        """The label of a drill: one that is not in the config is ``other``."""
        return drill if self.has_drill(chain, drill) else OTHER

    def has_drill(self, chain: str, drill: str) -> bool:
        return (chain, drill) in self._known_drills

    def covers(self, values: Mapping[str, str]) -> bool:
        """Whether a series still belongs to what is configured."""
        chain = values.get("chain")
        if "scope" in values:
            return (values["scope"], values["provider"]) in self._shared_budgets
        if not chain:
            return self._covers_notifier(values) and self._covers_alert(values)
        if chain not in self.chains:
            return False
        return (
            self._covers_subject(chain, values)
            and self._covers_need(chain, values)
            and self._covers_drill(chain, values)
            and self._covers_place(chain, values)
            and self._covers_alert(values)
        )

    def starting(self) -> Iterator[Series]:
        """Every series that is there before anything has happened, at zero."""
        for spec in self._specs:
            yield from _of_spec(spec)
        for chain in self._config.chains:
            yield from self._of_chain(chain)
        for subject in self.subjects:
            if subject.target is not None:
                for health in Health:
                    yield "fallbackd_target_health", (*_subject_values(subject), health.value)
        for chain in self._config.chains:
            for target in chain.all_targets():
                for need in resolve(chain.needs):
                    yield CAPABILITY, (chain.name, target.label, target.provider or "", need.value)
        for drill in self._drills:
            yield from self._of_drill(drill)
        yield from self._of_alerts()
        yield from self._of_traffic()
        for values in self._shared_budgets:
            yield "fallbackd_shared_budget_remaining_usd", values
        for skip in SKIPS:
            yield "fallbackd_runs_skipped_total", (skip,)

    def _of_chain(self, chain: ChainConfig) -> Iterator[Series]:
        for health in Health:
            yield "fallbackd_chain_health", (chain.name, health.value)
        for window in self._windows:
            yield "fallbackd_chain_fallback_ratio", (chain.name, window)
        origins = [Origin.SCHEDULED]
        if any(drill.chain == chain.name for drill in self._drills):
            origins.append(Origin.DRILL)
        for origin in origins:
            for position, path in _answers(len(chain.targets)):
                yield "fallbackd_chain_answers_total", (chain.name, position, origin.value, path.value)
            for target in chain.targets:
                yield "fallbackd_attempts_total", (chain.name, target.label, Reason.NONE.value, origin.value)
        for result in ("good", "bad"):
            yield "fallbackd_chain_objective_total", (chain.name, result)
        if chain.budget is not None:
            yield "fallbackd_budget_remaining_usd", (chain.name,)
        for kind in _with_budgets(chain):
            yield PROBE_BUDGET, (chain.name, kind)

    def _of_traffic(self) -> Iterator[Series]:
        gateway = self._config.gateway
        for part in Overhead if gateway else ():
            yield "fallbackd_gateway_overhead_seconds", (part.value,)
        for chain in self._config.passing(gateway) if gateway else ():
            for position, path in _answers(len(chain.targets)):
                yield "fallbackd_chain_answers_total", (chain.name, position, Origin.LIVE.value, path.value)
            for target in chain.targets:
                yield "fallbackd_attempts_total", (chain.name, target.label, Reason.NONE.value, Origin.LIVE.value)
                yield from _of_traffic_to(chain.name, target.label)

    def _of_drill(self, drill: PlannedDrill) -> Iterator[Series]:
        for verdict in VerdictKind:
            yield "fallbackd_drills_total", (drill.chain, drill.name, verdict.value)
        for misdeed in Misdeed if drill.watches else ():
            yield "fallbackd_client_misdeeds_total", (drill.chain, drill.name, misdeed.value)
        yield "fallbackd_drill_last_success_timestamp_seconds", (drill.chain, drill.name)
        for fault in drill.faults:
            yield "fallbackd_fault_active", (drill.chain, drill.name, fault, drill.injector)
        if drill.expect.served_by is None:
            return
        yield "fallbackd_failover_seconds", (drill.chain, drill.name, drill.fault)

    def _of_alerts(self) -> Iterator[Series]:
        for rule in self._config.alerts.rules:
            for chain in ("",) if RULES[rule.when].is_about_itself else rule.chains or self.chains:
                yield "fallbackd_alerts_firing", (rule.name, chain, rule.severity.value)
        for notifier in self._config.alerts.notifiers:
            yield "fallbackd_notices_total", (notifier.name, "delivered", Reason.NONE.value)
            yield "fallbackd_outbox_pending", (notifier.name,)
            yield "fallbackd_notifier_broken", (notifier.name,)
            if getattr(notifier.settings, "commands", None) is not None:  # only Slack's settings have them
                yield "fallbackd_slack_listening", (notifier.name,)
        for receiver in self._receivers:
            yield "fallbackd_heartbeat_last_timestamp_seconds", (receiver,)
            for result in ("received", "failed"):
                yield "fallbackd_heartbeats_total", (receiver, result)

    def _covers_subject(self, chain: str, values: Mapping[str, str]) -> bool:
        target, provider = values.get("target", ""), values.get("provider", "")
        if target != OTHER and (chain, target) not in self._targets:
            return False
        return provider in ("", OTHER) or Subject(chain=chain, target=target, provider=provider) in self.subjects

    def _covers_need(self, chain: str, values: Mapping[str, str]) -> bool:
        own = self.chains[chain]
        if "kind" in values and "target" not in values and values["kind"] not in _with_budgets(own):
            return False
        return "capability" not in values or values["capability"] in resolve(own.needs)

    def _covers_drill(self, chain: str, values: Mapping[str, str]) -> bool:
        drill, fault = values.get("drill"), values.get("fault")
        if drill == OTHER:
            return True  # one-off drills may use every fault
        if drill is not None and (chain, drill) not in self._known_drills:
            return False
        return fault is None or (chain, fault) in self._known_faults

    def _covers_place(self, chain: str, values: Mapping[str, str]) -> bool:
        labels = [target.label for target in self.chains[chain].targets]
        if "edge" in values and not set(values["edge"].split("->")) <= set(labels):
            return False
        return not values.get("position") or int(values["position"]) < len(labels)

    def _covers_alert(self, values: Mapping[str, str]) -> bool:
        return "alert" not in values or (values["alert"], values["severity"]) in self._alerts

    def _covers_notifier(self, values: Mapping[str, str]) -> bool:
        if "receiver" in values and values["receiver"] not in self._receivers:
            return False
        return "notifier" not in values or values["notifier"] in self._notifiers


def _receivers(config: Config) -> Iterator[str]:
    """Who gets heartbeats: Alertmanagers with a watchdog by their names, and an address as ``heartbeat``."""
    for notifier in config.alerts.notifiers:
        if notifier.name not in config.muted and getattr(notifier.settings, "watchdog", False):
            yield notifier.name
    settings = config.alerts.heartbeat
    if settings is not None and (settings.url or "heartbeat/url" in config.secrets):
        yield BEAT


def _parts(chain: ChainConfig) -> Iterator[tuple[str | None, str | None]]:
    """(target, provider) of everything in a chain that can be asked: itself, its targets, their pinned providers."""
    yield None, None
    for target in chain.targets:
        yield target.label, target.provider
        for provider in target.pinned:
            yield target.label, provider


def _with_budgets(chain: ChainConfig) -> Iterator[str]:
    """The kinds whose questions have money of their own."""
    yield from dict.fromkeys(probe.kind for probe in chain.probes if probe.budget)


def _subject_values(subject: Subject) -> Values:
    return subject.chain, subject.target or "", subject.provider or ""


def _of_spec(spec: ProbeSpec) -> Iterator[Series]:
    target, provider = (spec.target.label, spec.target.provider or "") if spec.target else ("", "")
    place = (spec.chain, target, provider)
    for status, reason in COMMON_RESULTS:
        yield "fallbackd_probes_total", (*place, spec.kind, status.value, reason.value, Origin.SCHEDULED.value)
    yield "fallbackd_probe_duration_seconds", (*place, spec.kind)
    yield "fallbackd_last_probe_timestamp_seconds", (*place, spec.kind)
    yield "fallbackd_probe_cost_usd_total", (spec.chain, target)
    for direction in DIRECTIONS:
        yield "fallbackd_probe_tokens_total", (spec.chain, target, direction)
    if spec.kind == STREAMED:
        yield "fallbackd_first_token_seconds", (*place, spec.kind)
        yield "fallbackd_output_tokens_per_second", place


def _of_traffic_to(chain: str, target: str) -> Iterator[Series]:
    for status_class in ("2xx", "4xx", "5xx", "none"):
        for injected in ("false", "true"):
            yield "fallbackd_gateway_requests_total", (chain, target, status_class, injected)
    yield "fallbackd_gateway_cost_usd_total", (chain, target)
    for direction in DIRECTIONS:
        yield "fallbackd_gateway_tokens_total", (chain, target, direction)
    yield "fallbackd_gateway_duration_seconds", (chain, target)
    yield "fallbackd_gateway_first_token_seconds", (chain, target)


def _answers(targets: int) -> Iterator[tuple[str, Path]]:
    yield "0", Path.PRIMARY
    for position in range(1, targets):
        for path in (Path.FAILED_OVER, Path.FILTERED, Path.FELL_BACK):
            yield str(position), path
    yield "", Path.WRONG_MODEL
    yield "", Path.EXHAUSTED

"""The metrics of one daemon: fed on the event loop, read by a scrape."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, disable_created_metrics

from monitor.alerting import Alert
from monitor.config.model import Config
from monitor.health import Ability, Standing
from monitor.metrics import live
from monitor.metrics.attempts import attempted
from monitor.metrics.exposition import exposition
from monitor.metrics.labels import CAPABILITY, PROBE_BUDGET, Labels, PlannedDrill, Values
from monitor.metrics.series import Series
from monitor.model import (
    Health,
    Misdeed,
    Origin,
    Outcome,
    Overhead,
    ProbeSpec,
    Reason,
    Status,
    Subject,
    Target,
    Verdict,
    VerdictKind,
)
from monitor.objective import is_good

WINDOWS: Final[Mapping[str, float]] = {"15m": 900.0, "1h": 3600.0, "1d": 86400.0}
"""Windows of ``fallbackd_chain_fallback_ratio``, in seconds by label."""


class Metrics:
    """Every metric in a registry of its own. All methods are called on the event loop; none of them waits.

    What is observed about a chain that is not configured (any more) is left out.
    """

    def __init__(
        self, config: Config, specs: Sequence[ProbeSpec], drills: Sequence[PlannedDrill], version: str
    ) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library leaves it unannotated
        self.registry = CollectorRegistry()
        self._alerts_set: tuple[frozenset[Values], frozenset[Values]] | None = None
        self._series = Series(self.registry, {"version": version, "python": platform.python_version()})
        ProcessCollector(registry=self.registry)
        self.apply(config, specs, drills)

    def apply(self, config: Config, specs: Sequence[ProbeSpec], drills: Sequence[PlannedDrill]) -> None:
        """Follow a config: series of what has gone are removed, those of what stayed keep their values."""
        self._alerts_set = None
        self._labels = Labels(config, specs, drills, WINDOWS)
        self._series.follow(self._labels.covers, self._labels.starting())

    def observe(self, outcome: Outcome) -> None:
        """Count one outcome. Latencies see answered questions that were asked as scheduled, and live exchanges apart
        from them."""
        if outcome.chain not in self._labels.chains:
            return
        place = self._labels.subject(outcome.chain, outcome.target, outcome.provider)
        asked = (*place, self._labels.kind(outcome.kind))
        self._series.count("fallbackd_probes_total", (*asked, outcome.status, outcome.reason, outcome.origin))
        self._observe_answer(outcome)
        if outcome.origin is Origin.LIVE:
            self._observe_live(outcome)
            return
        self._observe_cost(outcome, place[1])
        if outcome.origin is Origin.SCHEDULED:
            self._series.advance("fallbackd_last_probe_timestamp_seconds", asked, outcome.at)
            if _answered(outcome):
                self._observe_times(outcome, asked)

    def observe_verdict(self, verdict: Verdict) -> None:
        """A drill that is not in the config is counted as ``other``."""
        if verdict.chain not in self._labels.chains:
            return
        drill = self._labels.drill(verdict.chain, verdict.drill)
        self._series.count("fallbackd_drills_total", (verdict.chain, drill, verdict.kind))
        judged = verdict.kind in (VerdictKind.PASSED, VerdictKind.DEVIATED)
        if judged and verdict.edge is not None and verdict.failover is not None:
            values = (verdict.chain, drill, verdict.fault)
            self._series.histogram("fallbackd_failover_seconds", values).observe(verdict.failover)
        self.recall_verdict(verdict)

    def observe_misdeed(self, chain: str, drill: str, misdeed: Misdeed, calls: int) -> None:
        """A client did something wrong in so many calls of one run."""
        if self._labels.has_drill(chain, drill):
            self._series.count("fallbackd_client_misdeeds_total", (chain, drill, misdeed), float(calls))

    def recall_verdict(self, verdict: Verdict) -> None:
        """Take the times of a verdict over from the store after a restart, without counting the run again."""
        known = self._labels.has_drill(verdict.chain, verdict.drill)
        if not known or verdict.kind is not VerdictKind.PASSED:
            return
        self._series.advance(
            "fallbackd_drill_last_success_timestamp_seconds", (verdict.chain, verdict.drill), verdict.at
        )

    def recall_probe(self, spec: ProbeSpec, at: float) -> None:
        """When a question was last asked, from the store after a restart."""
        label, provider = (spec.target.label, spec.target.provider) if spec.target else (None, None)
        values = (*self._labels.subject(spec.chain, label, provider), spec.kind)
        self._series.advance("fallbackd_last_probe_timestamp_seconds", values, at)

    def set_health(self, subject: Subject, health: Health) -> None:
        """Of a chain or a target; a subject that is not configured is left out."""
        if subject not in self._labels.subjects:
            return
        name = "fallbackd_chain_health" if subject.target is None else "fallbackd_target_health"
        place = (subject.chain,) if subject.target is None else (subject.chain, subject.target, subject.provider or "")
        for state in Health:
            self._series.set(name, (*place, state), float(state is health))

    def set_abilities(self, target: Target, abilities: Iterable[Ability]) -> None:
        """What a target can do of what its chain needs; a chain that is not configured is left out."""
        if target.chain not in self._labels.chains:
            return
        values = {Standing.PROVEN: 1.0, Standing.MISSING: 0.0, Standing.UNKNOWN: float("nan")}
        for one in abilities:
            place = (target.chain, target.label, target.provider or "", one.capability.value)
            self._series.set(CAPABILITY, place, values[one.standing])

    def set_fallback_share(self, chain: str, window: str, share: float | None) -> None:
        """``window`` is a key of ``WINDOWS``; None stands for no answers."""
        if chain in self._labels.chains:
            self._series.set(
                "fallbackd_chain_fallback_ratio", (chain, window), float("nan") if share is None else share
            )

    def set_budget_remaining(self, chain: str, usd: float | None) -> None:
        """None for a chain without a budget."""
        if usd is None:
            self._series.remove("fallbackd_budget_remaining_usd", (chain,))
        elif chain in self._labels.chains:
            self._series.set("fallbackd_budget_remaining_usd", (chain,), usd)

    def set_probe_budget_remaining(self, chain: str, kind: str, usd: float) -> None:
        if chain in self._labels.chains:
            self._series.set(PROBE_BUDGET, (chain, kind), usd)

    def set_shared_budget_remaining(self, scope: str, provider: str, usd: float) -> None:
        """``scope``: ``provider``, or ``overall`` without one."""
        self._series.set("fallbackd_shared_budget_remaining_usd", (scope, provider), usd)

    def set_series(self, name: str, values: Mapping[Values, float]) -> None:
        """All series of a gauge at once: the others are removed."""
        self._series.replace(name, values)

    def generation_looked_up(self, result: str) -> None:
        """``result`` is a word of a closed enum."""
        self._series.count("fallbackd_generation_lookups_total", (result,))

    def set_fault(self, chain: str, drill: str, fault: str, injector: str, *, active: bool) -> None:
        if chain in self._labels.chains:
            values = (chain, self._labels.drill(chain, drill), fault, injector)
            self._series.set("fallbackd_fault_active", values, float(active))

    def set_alerts(self, alerts: Iterable[Alert]) -> None:
        """Those that fire do; every other alert does not."""
        name = "fallbackd_alerts_firing"
        firing = frozenset((one.alert, one.chain, one.severity.value) for one in alerts if one.is_firing)
        present = self._series.present(name)
        if self._alerts_set == (firing, present):
            return  # as at almost every look, of which there is one a second
        for values in present | firing:
            if not values[1] or values[1] in self._labels.chains:
                self._series.set(name, values, float(values in firing))
        self._alerts_set = firing, self._series.present(name)

    def notice(self, notifier: str, result: str, reason: str) -> None:
        self._series.count("fallbackd_notices_total", (notifier, result, reason))

    def notices_dropped(self, notifier: str, count: int) -> None:
        """``count`` more of them."""
        for _ in range(count):
            self.notice(notifier, "dropped", "full")

    def set_notifier_broken(self, notifier: str, broken: bool) -> None:
        self._series.set("fallbackd_notifier_broken", (notifier,), float(broken))

    def set_slack_listening(self, notifier: str, listening: bool) -> None:
        self._series.set("fallbackd_slack_listening", (notifier,), float(listening))

    def set_outbox_pending(self, notifier: str, count: int) -> None:
        self._series.set("fallbackd_outbox_pending", (notifier,), count)

    def run_lagged(self, seconds: float) -> None:
        """A scheduled run was started this late."""
        self._series.histogram("fallbackd_schedule_lag_seconds", ()).observe(seconds)

    def run_skipped(self, reason: str) -> None:
        """``reason`` is a word of a closed enum."""
        self._series.count("fallbackd_runs_skipped_total", (reason,))

    def set_store_pending(self, rows: int) -> None:
        self._series.set("fallbackd_store_pending", (), rows)

    def store_failed(self) -> None:
        self._series.count("fallbackd_store_errors_total", ())

    def gateway_unobserved(self) -> None:
        """A live exchange passed that nobody had the time to read."""
        self._series.count("fallbackd_gateway_unobserved_total", ())

    def gateway_added(self, part: Overhead, seconds: float) -> None:
        """What the gateway itself added to an exchange."""
        self._series.histogram("fallbackd_gateway_overhead_seconds", (part,)).observe(seconds)

    def heartbeat(self, receiver: str, received: bool, at: float) -> None:
        """A heartbeat was sent; one whose receiver is not configured any more is left out."""
        if not self._labels.covers({"receiver": receiver}):
            return
        self._series.count("fallbackd_heartbeats_total", (receiver, "received" if received else "failed"))
        if received:
            self._series.set("fallbackd_heartbeat_last_timestamp_seconds", (receiver,), at)

    def reloaded(self, successful: bool, at: float) -> None:
        """The files were read, at the start or on a reload; a failure keeps the older config and its time."""
        self._series.set("fallbackd_config_reload_successful", (), float(successful))
        if successful:
            self._series.set("fallbackd_config_reload_timestamp_seconds", (), at)

    async def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """The page for a scraper that accepts ``accept``, with its content type."""
        return await exposition(self.registry, accept)

    def _observe_cost(self, outcome: Outcome, target: str) -> None:
        place = (outcome.chain, target)
        if outcome.cost:
            self._series.count("fallbackd_probe_cost_usd_total", place, outcome.cost)
        tokens = outcome.tokens
        spent = (("prompt", tokens.prompt), ("completion", tokens.completion), ("reasoning", tokens.reasoning))
        for direction, count in spent:
            if count:
                self._series.count("fallbackd_probe_tokens_total", (*place, direction), count)

    def _observe_answer(self, outcome: Outcome) -> None:
        if (good := is_good(outcome)) is not None:
            self._series.count("fallbackd_chain_objective_total", (outcome.chain, "good" if good else "bad"))
        position = "" if outcome.position is None else str(outcome.position)
        broken = outcome.origin is Origin.LIVE and outcome.drill is not None
        if outcome.is_chain and outcome.path is not None and not broken:
            values = (outcome.chain, position, outcome.origin, outcome.path)
            self._series.count("fallbackd_chain_answers_total", values)
            for attempt in attempted(outcome, self._labels.targets(outcome.chain)):
                self._series.count("fallbackd_attempts_total", attempt)

    def _observe_live(self, outcome: Outcome) -> None:
        for name, values, amount in live.counted(outcome, self._labels):
            self._series.count(name, values, amount)
        for name, values, seconds in live.timed(outcome, self._labels):
            self._series.histogram(name, values).observe(seconds)

    def _observe_times(self, outcome: Outcome, asked: Values) -> None:
        self._series.histogram("fallbackd_probe_duration_seconds", asked).observe(outcome.duration)
        if outcome.first_token is not None:
            self._series.histogram("fallbackd_first_token_seconds", asked).observe(outcome.first_token)
        if outcome.output_rate is not None:
            self._series.histogram("fallbackd_output_tokens_per_second", asked[:3]).observe(outcome.output_rate)


def _answered(outcome: Outcome) -> bool:
    """Whether the time of an outcome is that of an answer; what the catalogue settled took none."""
    if outcome.duration <= 0:
        return False
    return outcome.status is Status.OK or (outcome.status is Status.DEGRADED and outcome.reason is Reason.TOO_SLOW)

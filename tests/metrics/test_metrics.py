"""What is counted, under which labels, and what a reload leaves of it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from monitor.alerting import Alert, Stage
from monitor.conditions import Cause, CauseKind
from monitor.config.alert_sections import HeartbeatConfig
from monitor.config.model import GatewayConfig
from monitor.metrics import METRICS, Kind, Metrics
from monitor.model import Health, Origin, Overhead, Path, Reason, Severity, Status, Subject, Tokens, VerdictKind
from tests.fakes.values import NOW, outcome, verdict

from .metric_samples import config, drills, metrics, specs

WHOLE = {"chain": "chat", "target": "", "provider": "", "kind": "completion"}
GOOD = {"status": "ok", "reason": "none", "origin": "scheduled"}


def value(of: Metrics, name: str, **labels: str) -> float | None:
    return of.registry.get_sample_value(name, labels)


def alert(**changed: Any) -> Alert:
    plain: dict[str, Any] = {
        "key": "k",
        "cause": Cause(kind=CauseKind.CHAIN, name="chat"),
        "alert": "chain-down",
        "when": "chain_down",
        "chain": "chat",
        "subject": "",
        "stage": Stage.FIRING,
        "since": NOW,
        "severity": Severity.CRITICAL,
        "title": "chat is down",
        "summary": "nobody answers",
    }
    return Alert(**{**plain, **changed})


def series(of: Metrics, prefix: str = "fallbackd_") -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    return {
        (sample.name, tuple(sorted(sample.labels.items())))
        for family in of.registry.collect()
        for sample in family.samples
        if sample.name.startswith(prefix)
    }


STARTING: list[tuple[str, dict[str, str], float]] = [
    ("fallbackd_probes_total", {**WHOLE, **GOOD}, 0),
    ("fallbackd_probes_total", {**WHOLE, **GOOD, "target": "primary", "provider": "anthropic"}, 0),
    ("fallbackd_probes_total", {**WHOLE, "status": "failed", "reason": "timeout", "origin": "scheduled"}, 0),
    ("fallbackd_probe_duration_seconds_count", WHOLE, 0),
    ("fallbackd_first_token_seconds_count", {**WHOLE, "kind": "stream"}, 0),
    ("fallbackd_chain_health", {"chain": "chat", "state": "unknown"}, 1),
    ("fallbackd_chain_health", {"chain": "chat", "state": "down"}, 0),
    (
        "fallbackd_target_health",
        {"chain": "chat", "target": "primary", "provider": "google-vertex", "state": "unknown"},
        1,
    ),
    (
        "fallbackd_chain_answers_total",
        {"chain": "chat", "position": "1", "origin": "drill", "path": "failed_over"},
        0,
    ),
    (
        "fallbackd_chain_answers_total",
        {"chain": "spare", "position": "", "origin": "scheduled", "path": "exhausted"},
        0,
    ),
    (
        "fallbackd_attempts_total",
        {"chain": "chat", "target": "secondary", "reason": "none", "origin": "drill"},
        0,
    ),
    ("fallbackd_last_probe_timestamp_seconds", WHOLE, 0),
    ("fallbackd_probe_tokens_total", {"chain": "chat", "target": "secondary", "direction": "reasoning"}, 0),
    ("fallbackd_drills_total", {"chain": "chat", "drill": "primary-gone", "verdict": "deviated"}, 0),
    ("fallbackd_failover_seconds_count", {"chain": "chat", "drill": "primary-gone", "fault": "ignore"}, 0),
    (
        "fallbackd_fault_active",
        {"chain": "chat", "drill": "primary-gone", "fault": "ignore", "injector": "request"},
        0,
    ),
    ("fallbackd_alerts_firing", {"alert": "chain-down", "chain": "spare", "severity": "critical"}, 0),
    ("fallbackd_outbox_pending", {"notifier": "log"}, 0),
    ("fallbackd_runs_skipped_total", {"reason": "still_running"}, 0),
    ("fallbackd_schedule_lag_seconds_count", {}, 0),
]


@pytest.mark.parametrize(("name", "labels", "expected"), STARTING)
def test_what_the_config_knows_is_there_before_anything_happens(
    name: str, labels: dict[str, str], expected: float
) -> None:
    assert value(metrics(), name, **labels) == expected


def test_a_share_of_no_answers_is_not_a_number() -> None:
    share = value(metrics(), "fallbackd_chain_fallback_ratio", chain="chat", window="15m")
    assert share is not None
    assert math.isnan(share)


def test_a_chain_that_failed_over_is_counted_with_all_its_labels() -> None:
    found = metrics()
    found.observe(
        outcome(
            position=1, served_by="secondary", path=Path.FAILED_OVER, cost=0.25, tokens=Tokens(prompt=9, reasoning=4)
        )
    )
    assert value(found, "fallbackd_probes_total", **WHOLE, **GOOD) == 1
    answers = {"chain": "chat", "position": "1", "origin": "scheduled", "path": "failed_over"}
    assert value(found, "fallbackd_chain_answers_total", **answers) == 1
    assert value(found, "fallbackd_probe_cost_usd_total", chain="chat", target="") == 0.25
    assert value(found, "fallbackd_probe_tokens_total", chain="chat", target="", direction="prompt") == 9
    assert value(found, "fallbackd_last_probe_timestamp_seconds", **WHOLE) == NOW


SEEN_BY_LATENCY: list[tuple[dict[str, Any], int]] = [
    ({}, 1),
    ({"status": Status.DEGRADED, "reason": Reason.TOO_SLOW}, 1),
    ({"origin": Origin.LIVE}, 0),
    ({"status": Status.DEGRADED, "reason": Reason.MISSING_CAPABILITY}, 0),
    ({"status": Status.FAILED, "reason": Reason.TIMEOUT}, 0),
    ({"status": Status.ERROR, "reason": Reason.OURS}, 0),
    ({"origin": Origin.DRILL}, 0),
    ({"origin": Origin.MANUAL}, 0),
]


@pytest.mark.parametrize(("changed", "expected"), SEEN_BY_LATENCY)
def test_latencies_see_only_answers_that_count(changed: dict[str, Any], expected: int) -> None:
    found = metrics()
    found.observe(outcome(duration=0.7, first_token=0.2, output_rate=60.0, **changed))
    assert value(found, "fallbackd_probe_duration_seconds_count", **WHOLE) == expected
    assert (value(found, "fallbackd_first_token_seconds_count", **WHOLE) or 0) == expected
    place = {"chain": "chat", "target": "", "provider": ""}
    assert (value(found, "fallbackd_output_tokens_per_second_count", **place) or 0) == expected


def test_what_nobody_configured_is_other_and_cannot_make_the_page_grow() -> None:
    found = metrics()
    sizes = []
    for name in ("zed", "zoe", "zac"):
        found.observe(outcome(target=name, provider=name, kind=name, model=name, detail=name))
        found.observe(outcome(target="primary", provider=name))
        sizes.append(len(series(found)))
    other = {"chain": "chat", "target": "other", "provider": "other", "kind": "other"}
    assert value(found, "fallbackd_probes_total", **other, **GOOD) == 3
    assert len(set(sizes)) == 1


def test_a_chain_that_is_not_configured_leaves_no_trace() -> None:
    found = metrics()
    before = series(found)
    found.observe(outcome(chain="gone"))
    found.observe_verdict(verdict(chain="gone"))
    found.set_fault("gone", "a", "stall", "transport", active=True)
    found.set_health(Subject(chain="gone"), Health.DOWN)
    found.set_fallback_share("gone", "1h", 0.5)
    found.set_budget_remaining("gone", 1.0)
    found.set_alerts([alert(chain="gone")])
    assert series(found) == before


def test_a_drill_that_is_not_in_the_config_is_counted_as_other_also_after_a_reload() -> None:
    found = metrics()
    found.observe_verdict(verdict(drill="matrix-0-stall", fault="stall", edge=(0, 1), failover=2.0))
    found.set_fault("chat", "matrix-0-stall", "stall", "transport", active=True)
    found.apply(config(), specs(config()), ())
    other = {"chain": "chat", "drill": "other"}
    assert value(found, "fallbackd_drills_total", **other, verdict="passed") == 1
    assert value(found, "fallbackd_failover_seconds_sum", **other, fault="stall") == 2.0
    assert value(found, "fallbackd_fault_active", **other, fault="stall", injector="transport") == 1


def test_a_live_request_counts_by_who_served_it() -> None:
    found = metrics()
    found.observe(outcome(origin=Origin.LIVE, served_by="secondary", status_code=503, drill="primary-gone"))
    labels = {"chain": "chat", "target": "secondary", "status_class": "5xx", "injected": "true"}
    assert value(found, "fallbackd_gateway_requests_total", **labels) == 1


def test_live_traffic_is_timed_and_paid_apart_from_our_own_questions() -> None:
    found = metrics()
    live = outcome(
        origin=Origin.LIVE, served_by="secondary", status_code=200, cost=0.25, duration=2.0, first_token=0.5,
        tokens=Tokens(prompt=10, completion=20),
    )  # fmt: skip
    found.observe(live)
    place = {"chain": "chat", "target": "secondary"}
    assert value(found, "fallbackd_gateway_cost_usd_total", **place) == 0.25
    assert value(found, "fallbackd_gateway_tokens_total", **place, direction="completion") == 20
    assert value(found, "fallbackd_gateway_duration_seconds_sum", **place) == 2.0
    assert value(found, "fallbackd_gateway_first_token_seconds_sum", **place) == 0.5
    asked = {"chain": "chat", "target": "", "provider": "", "kind": "completion"}
    assert value(found, "fallbackd_probe_duration_seconds_count", **asked) == 0
    assert value(found, "fallbackd_probe_cost_usd_total", chain="chat", target="") == 0
    assert value(found, "fallbackd_probes_total", **asked, status="ok", reason="none", origin="live") == 1


@pytest.mark.parametrize("worse", [{"drill": "primary-gone"}, {"status": Status.FAILED, "reason": Reason.TIMEOUT}])
def test_a_live_exchange_that_failed_or_was_broken_on_purpose_is_not_timed(worse: dict[str, Any]) -> None:
    found = metrics()
    found.observe(outcome(origin=Origin.LIVE, served_by="secondary", status_code=200, duration=2.0, **worse))
    assert value(found, "fallbackd_gateway_duration_seconds_count", chain="chat", target="secondary") is None


def test_the_series_of_traffic_are_there_from_the_start_where_there_is_a_gateway() -> None:
    found = metrics(replace(config(), gateway=GatewayConfig(endpoint="openrouter", chains=("chat",))))
    place = {"chain": "chat", "target": "primary"}
    assert value(found, "fallbackd_gateway_requests_total", **place, status_class="2xx", injected="false") == 0
    assert value(found, "fallbackd_gateway_duration_seconds_count", **place) == 0
    assert value(found, "fallbackd_gateway_overhead_seconds_count", part="turn") == 0
    assert value(metrics(), "fallbackd_gateway_overhead_seconds_count", part="turn") is None
    found.gateway_added(Overhead.REQUEST, 0.002)
    assert value(found, "fallbackd_gateway_overhead_seconds_sum", part="request") == 0.002
    answers = {"position": "1", "origin": "live", "path": "fell_back"}
    assert value(found, "fallbackd_chain_answers_total", chain="chat", **answers) == 0
    assert value(found, "fallbackd_chain_answers_total", chain="spare", **answers) is None


def test_a_passed_drill_leaves_its_time_and_that_of_its_failover() -> None:
    found = metrics()
    found.observe_verdict(verdict(fault="ignore", edge=(0, 1), failover=1.5))
    drill = {"chain": "chat", "drill": "primary-gone"}
    assert value(found, "fallbackd_drills_total", **drill, verdict="passed") == 1
    assert value(found, "fallbackd_drill_last_success_timestamp_seconds", **drill) == NOW
    assert value(found, "fallbackd_failover_seconds_sum", **drill, fault="ignore") == 1.5


@pytest.mark.parametrize("kind", [VerdictKind.DEVIATED, VerdictKind.INCONCLUSIVE, VerdictKind.ABORTED])
def test_a_drill_that_did_not_pass_is_no_success(kind: VerdictKind) -> None:
    found = metrics()
    found.observe_verdict(verdict(kind=kind, fault="ignore", edge=(0, 1), failover=20.0))
    drill = {"chain": "chat", "drill": "primary-gone"}
    assert value(found, "fallbackd_drill_last_success_timestamp_seconds", **drill) == 0
    slow = value(found, "fallbackd_failover_seconds_count", chain="chat", drill="primary-gone", fault="ignore")
    assert slow == (1 if kind is VerdictKind.DEVIATED else 0)


def test_times_come_back_after_a_restart_without_being_counted_again() -> None:
    found = metrics()
    found.recall_verdict(verdict(at=NOW, fault="ignore", edge=(0, 1)))
    found.recall_verdict(verdict(at=NOW - 60, fault="ignore", edge=(0, 1)))
    found.recall_probe(specs(config())[0], NOW - 5)
    drill = {"chain": "chat", "drill": "primary-gone"}
    assert value(found, "fallbackd_drill_last_success_timestamp_seconds", **drill) == NOW
    assert value(found, "fallbackd_drills_total", **drill, verdict="passed") == 0
    assert value(found, "fallbackd_last_probe_timestamp_seconds", **WHOLE) == NOW - 5


def test_a_subject_is_in_exactly_one_state() -> None:
    found = metrics()
    found.set_health(Subject(chain="chat"), Health.DEGRADED)
    found.set_health(Subject(chain="chat", target="primary", provider="anthropic"), Health.DOWN)
    whole = {state: value(found, "fallbackd_chain_health", chain="chat", state=state) for state in Health}
    place = {"chain": "chat", "target": "primary", "provider": "anthropic"}
    part = {state: value(found, "fallbackd_target_health", **place, state=state) for state in Health}
    assert [state for state, on in whole.items() if on] == ["degraded"]
    assert [state for state, on in part.items() if on] == ["down"]


def test_an_alert_that_ends_stays_as_zero() -> None:
    found = metrics()
    labels = {"alert": "chain-down", "chain": "chat", "severity": "critical"}
    found.set_alerts([alert(), alert(chain="spare", stage=Stage.PENDING)])
    assert value(found, "fallbackd_alerts_firing", **labels) == 1
    assert value(found, "fallbackd_alerts_firing", **{**labels, "chain": "spare"}) == 0
    found.set_alerts([alert(stage=Stage.RESOLVED)])
    assert value(found, "fallbackd_alerts_firing", **labels) == 0


def test_the_watcher_watches_itself() -> None:
    found = metrics()
    found.run_skipped("missed")
    found.run_lagged(0.02)
    found.notice("log", "failed", "timeout")
    found.set_outbox_pending("log", 3)
    found.set_store_pending(7)
    found.store_failed()
    found.set_budget_remaining("chat", 0.4)
    found.set_fault("chat", "primary-gone", "ignore", "request", active=True)
    found.reloaded(successful=True, at=NOW)
    found.reloaded(successful=False, at=NOW + 60)
    assert value(found, "fallbackd_runs_skipped_total", reason="missed") == 1
    assert value(found, "fallbackd_schedule_lag_seconds_sum") == 0.02
    assert value(found, "fallbackd_notices_total", notifier="log", result="failed", reason="timeout") == 1
    assert value(found, "fallbackd_outbox_pending", notifier="log") == 3
    assert value(found, "fallbackd_store_pending") == 7
    assert value(found, "fallbackd_store_errors_total") == 1
    assert value(found, "fallbackd_budget_remaining_usd", chain="chat") == 0.4
    fault = {"chain": "chat", "drill": "primary-gone", "fault": "ignore", "injector": "request"}
    assert value(found, "fallbackd_fault_active", **fault) == 1
    assert value(found, "fallbackd_config_reload_successful") == 0
    assert value(found, "fallbackd_config_reload_timestamp_seconds") == NOW


def test_heartbeats_are_counted_by_who_is_configured_to_get_them() -> None:
    own = config()
    alerts = own.alerts.model_copy(update={"heartbeat": HeartbeatConfig(url="http://127.0.0.1:1/ping")})
    found = metrics(replace(own, alerts=alerts))
    assert value(found, "fallbackd_heartbeats_total", receiver="heartbeat", result="failed") == 0
    assert value(found, "fallbackd_heartbeat_last_timestamp_seconds", receiver="heartbeat") == 0
    found.heartbeat("heartbeat", True, NOW)
    found.heartbeat("heartbeat", False, NOW + 60)
    found.heartbeat("gone", True, NOW)
    assert value(found, "fallbackd_heartbeats_total", receiver="heartbeat", result="failed") == 1
    assert value(found, "fallbackd_heartbeat_last_timestamp_seconds", receiver="heartbeat") == NOW
    assert value(found, "fallbackd_heartbeats_total", receiver="gone", result="received") is None
    found.apply(own, specs(own), drills(own))
    assert value(found, "fallbackd_heartbeats_total", receiver="heartbeat", result="received") is None


def test_a_reload_keeps_what_stayed_and_removes_what_has_gone() -> None:
    found = metrics()
    found.observe(outcome())
    found.observe(outcome(chain="spare"))
    found.set_health(Subject(chain="chat"), Health.HEALTHY)
    found.observe(outcome(target="primary", provider="anthropic"))
    smaller = config("chat", targets=[{"label": "primary", "model": "anthropic/claude-sonnet-4.5"}])
    found.apply(smaller, specs(smaller), [])
    assert value(found, "fallbackd_probes_total", **WHOLE, **GOOD) == 1
    assert value(found, "fallbackd_chain_health", chain="chat", state="healthy") == 1
    left = {(name, value) for _, labels in series(found) for name, value in labels}
    assert not left & {("chain", "spare"), ("provider", "anthropic"), ("target", "secondary"), ("position", "1")}
    assert not any(name == "drill" for name, _ in left)


def test_a_reload_that_changes_nothing_changes_no_series() -> None:
    found, same = metrics(), config()
    before = series(found)
    found.apply(same, specs(same), drills(same))
    assert series(found) == before


def test_a_budget_that_was_taken_away_is_no_longer_shown() -> None:
    found = metrics()
    found.set_budget_remaining("chat", None)
    assert value(found, "fallbackd_budget_remaining_usd", chain="chat") is None


def test_every_metric_is_declared_with_base_units_and_a_help_text() -> None:
    for declared in METRICS:
        assert declared.name.startswith("fallbackd_")
        assert declared.name.endswith("_total") == (declared.kind is Kind.COUNTER)
        assert declared.help.endswith(".")
    assert len({declared.name for declared in METRICS}) == len(METRICS)

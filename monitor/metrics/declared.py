"""Every metric, declared once: name, type, labels, help. Documentation and tests read this table.

``target=""`` is the whole chain, ``provider=""`` whoever the router picks: Prometheus treats an empty label as absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """``name`` is the one that is exposed, with ``_total`` and ``_info``. ``buckets`` are a histogram's bounds."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


ANSWER_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 30.0, 60.0, 120.0)
FIRST_TOKEN_SECONDS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
TOKENS_PER_SECOND = (1.0, 5.0, 10.0, 20.0, 30.0, 50.0, 75.0, 100.0, 150.0, 250.0, 500.0, 1000.0)
OVERHEAD_SECONDS = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
LAG_SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0)

_SUBJECT = ("chain", "target", "provider")


def _counter(name: str, labels: tuple[str, ...], text: str) -> Declared:
    return Declared(name=name, kind=Kind.COUNTER, labels=labels, help=text)


def _gauge(name: str, labels: tuple[str, ...], text: str) -> Declared:
    return Declared(name=name, kind=Kind.GAUGE, labels=labels, help=text)


def _histogram(name: str, labels: tuple[str, ...], buckets: tuple[float, ...], text: str) -> Declared:
    return Declared(name=name, kind=Kind.HISTOGRAM, labels=labels, buckets=buckets, help=text)


METRICS: tuple[Declared, ...] = (
    _counter(
        "fallbackd_probes_total",
        (*_SUBJECT, "kind", "status", "reason", "origin"),
        "Questions that ended, by how and why. An empty target is the whole chain.",
    ),
    _histogram(
        "fallbackd_probe_duration_seconds",
        (*_SUBJECT, "kind"),
        ANSWER_SECONDS,
        "Time to the whole answer; answered questions only (ok, or degraded for being too slow).",
    ),
    _histogram(
        "fallbackd_first_token_seconds",
        (*_SUBJECT, "kind"),
        FIRST_TOKEN_SECONDS,
        "Time to the first token of a stream; answered questions only.",
    ),
    _histogram(
        "fallbackd_output_tokens_per_second",
        _SUBJECT,
        TOKENS_PER_SECOND,
        "Output rate of a stream after its first token; answered questions only.",
    ),
    _gauge("fallbackd_target_health", (*_SUBJECT, "state"), "1 for the state that the target is in, 0 for the others."),
    _gauge(
        "fallbackd_target_capability",
        (*_SUBJECT, "capability"),
        "1 when the target has shown that it can do what its chain needs, 0 when it cannot; NaN until it is known.",
    ),
    _gauge("fallbackd_chain_health", ("chain", "state"), "1 for the state that the chain is in, 0 for the others."),
    _counter(
        "fallbackd_chain_answers_total",
        ("chain", "position", "origin", "path"),
        "End-to-end questions by how the chain came to its answer. position is empty when no target of it answered.",
    ),
    _gauge(
        "fallbackd_chain_fallback_ratio",
        ("chain", "window"),
        "Share of the chain's answers that came from a fallback, over the window; NaN without answers.",
    ),
    _counter(
        "fallbackd_attempts_total",
        ("chain", "target", "reason", "origin"),
        "Requests that end-to-end questions made of each target, by how they ended: none is an answer. Only those that "
        "are known: some endpoints walk the chain and do not say whom they asked.",
    ),
    _counter(
        "fallbackd_chain_objective_total",
        ("chain", "result"),
        "Questions to whole chains that count for the objective: good (answered) or bad (no answer).",
    ),
    _gauge(
        "fallbackd_chain_objective_ratio",
        ("chain",),
        "Share of questions that the chain promises to answer (objective.success).",
    ),
    _gauge(
        "fallbackd_chain_burn_rate",
        ("chain", "window"),
        "How many times faster than the objective allows questions go unanswered; NaN without answers.",
    ),
    _gauge(
        "fallbackd_last_probe_timestamp_seconds",
        (*_SUBJECT, "kind"),
        "When the question was last asked on schedule, since the epoch; 0 means never.",
    ),
    _counter("fallbackd_probe_cost_usd_total", ("chain", "target"), "US dollars that fallbackd's own questions cost."),
    _counter(
        "fallbackd_probe_tokens_total",
        ("chain", "target", "direction"),
        "Tokens that were paid for: prompt, completion, and the part of completion that is reasoning.",
    ),
    _gauge("fallbackd_budget_remaining_usd", ("chain",), "US dollars left of today's budget; only chains with one."),
    _gauge(
        "fallbackd_probe_budget_remaining_usd",
        ("chain", "kind"),
        "US dollars left today of the budget that questions of one kind have of their own; only probes with one.",
    ),
    _gauge(
        "fallbackd_shared_budget_remaining_usd",
        ("scope", "provider"),
        "US dollars left of today's budget of a provider (scope provider) or of all chains together (scope overall).",
    ),
    _counter("fallbackd_drills_total", ("chain", "drill", "verdict"), "Drill runs by verdict."),
    _counter(
        "fallbackd_client_misdeeds_total",
        ("chain", "drill", "misdeed"),
        "Calls of applications in which a client did something wrong while a drill broke them.",
    ),
    _gauge(
        "fallbackd_drill_last_success_timestamp_seconds",
        ("chain", "drill"),
        "When the drill last passed, since the epoch; 0 means never.",
    ),
    _histogram(
        "fallbackd_failover_seconds",
        ("chain", "drill", "fault"),
        ANSWER_SECONDS,
        "How long the chain took to answer from a fallback while it was broken on purpose; the slowest of a run.",
    ),
    _gauge(
        "fallbackd_edge_proven_timestamp_seconds",
        ("chain", "edge", "fault"),
        "When a drill last proved that this fallback takes over under this fault, since the epoch; 0 means never.",
    ),
    _gauge(
        "fallbackd_edge_unproven",
        ("chain", "edge", "fault", "state"),
        "1 in the state that keeps this fallback under this fault from counting as proven: never (no drill passed), "
        "stale (the last proof is too old), broken (the last drill deviated); all 0 while it is proven.",
    ),
    _gauge("fallbackd_fault_active", ("chain", "drill", "fault", "injector"), "1 while the fault is being injected."),
    _counter(
        "fallbackd_gateway_requests_total",
        ("chain", "target", "status_class", "injected"),
        "Live requests of applications by the class of their answer's status, and whether a fault was injected.",
    ),
    _histogram(
        "fallbackd_gateway_duration_seconds",
        ("chain", "target"),
        ANSWER_SECONDS,
        "Time to the whole answer of live exchanges, by who served; answered ones that met no fault of ours only.",
    ),
    _histogram(
        "fallbackd_gateway_first_token_seconds",
        ("chain", "target"),
        FIRST_TOKEN_SECONDS,
        "Time to the first token of live streams, by who served; answered ones that met no fault of ours only.",
    ),
    _counter(
        "fallbackd_gateway_cost_usd_total",
        ("chain", "target"),
        "US dollars that live exchanges cost, as far as their answers say it.",
    ),
    _counter(
        "fallbackd_gateway_tokens_total",
        ("chain", "target", "direction"),
        "Tokens of live exchanges: prompt, completion, and the part of completion that is reasoning.",
    ),
    _histogram(
        "fallbackd_gateway_overhead_seconds",
        ("part",),
        OVERHEAD_SECONDS,
        "What the gateway itself adds to live exchanges: from a whole request to its sending, a new connection "
        "included (request); from the first bytes of the answer to their passing on (answer); and, looked at four "
        "times a second, how late it turns to what has come (turn). Of one exchange in eight.",
    ),
    _counter(
        "fallbackd_gateway_unobserved_total",
        (),
        "Live requests that passed unread, since more came than could be read; left out at random, so shares hold.",
    ),
    _gauge("fallbackd_incidents_open", ("acknowledged",), "Open incidents: alerts of one cause, one message."),
    _gauge("fallbackd_network_up", (), "0 while fallbackd's own network is down and verdicts are suspended."),
    _gauge("fallbackd_alerts_firing", ("alert", "chain", "severity"), "1 while the alert fires."),
    _counter(
        "fallbackd_notices_total",
        ("notifier", "result", "reason"),
        "Notices by what became of them: delivered, failed (tried again), dropped (repeats, when too many wait).",
    ),
    _gauge("fallbackd_outbox_pending", ("notifier",), "Notices that wait for their delivery."),
    _gauge(
        "fallbackd_notifier_broken",
        ("notifier",),
        "1 while the notifier reaches nobody until somebody mends it (a revoked token, say); another one is told then.",
    ),
    _counter(
        "fallbackd_heartbeats_total",
        ("receiver", "result"),
        "Heartbeats by what became of them: received or failed. While nothing is watched none are sent.",
    ),
    _gauge(
        "fallbackd_heartbeat_last_timestamp_seconds",
        ("receiver",),
        "When a heartbeat was last received, since the epoch; 0 means never since the start.",
    ),
    _gauge(
        "fallbackd_slack_listening",
        ("notifier",),
        "1 while Slack's commands and buttons are heard, 0 while there is no connection over which they could be.",
    ),
    _histogram("fallbackd_schedule_lag_seconds", (), LAG_SECONDS, "How late scheduled runs were started."),
    _counter("fallbackd_runs_skipped_total", ("reason",), "Scheduled runs that were not made, by why."),
    _gauge(
        "fallbackd_catalogue_findings",
        ("chain", "finding"),
        "What the catalogue of the chain's endpoint shows about it now, by kind of finding.",
    ),
    _gauge("fallbackd_catalogue_age_seconds", ("endpoint",), "Time since what the endpoint offers was last read."),
    _gauge(
        "fallbackd_reported_uptime_ratio",
        ("model", "provider", "window"),
        "Uptime as the endpoint reports it for all its customers, beside our own measurements; models in use only.",
    ),
    _gauge(
        "fallbackd_reported_status",
        ("model", "provider"),
        "Status as the endpoint reports it: 0 is operational, anything else degraded; models in use only.",
    ),
    _gauge("fallbackd_key_limit_remaining_usd", ("endpoint",), "US dollars left of the key's limit; keys with one."),
    _gauge("fallbackd_credits_remaining_usd", ("endpoint",), "US dollars of credit left; where the key may know."),
    _gauge("fallbackd_free_requests_remaining", ("endpoint",), "Requests to free models that are left today."),
    _counter(
        "fallbackd_generation_lookups_total",
        ("result",),
        "Records of answers that were looked up since the answer named no attempts, by how that ended.",
    ),
    _gauge("fallbackd_store_pending", (), "Rows that wait to be written to the database."),
    _counter("fallbackd_store_errors_total", (), "Writes to the database that failed; they are tried again."),
    _gauge("fallbackd_config_reload_successful", (), "1 when the config files were last read without a mistake."),
    _gauge("fallbackd_config_reload_timestamp_seconds", (), "When the config in force was read, since the epoch."),
    Declared(
        name="fallbackd_build_info",
        kind=Kind.INFO,
        labels=("version", "python"),
        help="Version of fallbackd and of the Python that runs it.",
    ),
)

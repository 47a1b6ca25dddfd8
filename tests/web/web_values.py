"""What a made-up daemon shows: one chain healthy, one failed over, one down; an alert, drills and their runs."""

from __future__ import annotations

from typing import Any

from monitor.coverage import Pair
from monitor.model import (
    Health,
    Mode,
    Outcome,
    Path,
    Reason,
    Severity,
    Status,
    Subject,
    Tokens,
    Transition,
)
from monitor.web.views import (
    AlertView,
    BudgetView,
    ChainView,
    DrillView,
    IncidentView,
    ProviderView,
    RunState,
    RunView,
    ServingView,
    ShareView,
    TargetView,
)
from tests.fakes.values import outcome, transition, verdict

NOW = 1_700_000_000.0
PAIR = Pair(chain="chat", edge=("primary", "secondary"), fault="ignore")
GOOD: dict[str, Any] = {"health": Health.HEALTHY, "since": NOW - 3 * 3600, "last_good": NOW - 4}

JOURNAL = """Drill primary-gone on chain chat
  run       run-1, asked for by schedule, seed 4711
  breaks    target 0 with ignore, by the request injector
  expects   secondary to answer within 10.0 s

    +0.00s  guard     asked for by schedule; may run: secondary is healthy
    +0.01s  baseline  the primary answered in 0.81 s
    +1.92s  inject    ignore on anthropic, amazon-bedrock, google-vertex
    +2.71s  inject    request 1 of 3 was answered by secondary in 0.64 s
    +5.10s  recover   the fault was taken away; the primary answered in 0.79 s

PASSED: secondary answered all 3 requests within 0.9 s
"""


def chat() -> ChainView:
    primary = TargetView(
        chain="chat",
        label="primary",
        position=0,
        model="anthropic/claude-sonnet-4.5",
        latency=0.82,
        last_bad=NOW - 7200,
        **GOOD,
        providers=(
            ProviderView(provider="anthropic", latency=0.79, **GOOD),
            ProviderView(provider="amazon-bedrock", latency=1.31, **GOOD),
            ProviderView(provider="google-vertex", latency=0.94, last_bad=NOW - 7200, **GOOD),
        ),
    )
    secondary = TargetView(
        chain="chat",
        label="secondary",
        position=1,
        model="openai/gpt-5-mini",
        latency=0.61,
        **GOOD,
        providers=(
            ProviderView(provider="openai", latency=0.55, **GOOD),
            ProviderView(provider="azure", latency=0.7, **GOOD),
        ),
    )
    last = TargetView(
        chain="chat", label="last-resort", position=2, model="google/gemini-2.5-flash", latency=0.34, **GOOD
    )
    return ChainView(
        name="chat",
        mode=Mode.SERVER,
        endpoint="openrouter",
        latency=0.82,
        serving=_serving("primary", 0, Path.PRIMARY, 3 * 3600),
        targets=(primary, secondary, last),
        fallback=_shares(0.0, 0.004, 0.011),
        budget=BudgetView(usd_per_day=1.5, remaining=1.21),
        **GOOD,
    )


def by_provider() -> ChainView:
    limited = TargetView(
        chain="chat-by-provider",
        label="groq",
        position=0,
        model="meta-llama/llama-3.3-70b-instruct",
        provider="groq",
        health=Health.LIMITED,
        reason=Reason.RATE_LIMITED,
        detail="429, asks again in 30 s",
        since=NOW - 340,
        last_good=NOW - 352,
        last_bad=NOW - 12,
        latency=0.19,
        limited_until=NOW + 18,
    )
    others = [
        TargetView(
            chain="chat-by-provider",
            label=label,
            position=position,
            model="meta-llama/llama-3.3-70b-instruct",
            provider=label,
            latency=0.48,
            **GOOD,
        )
        for position, label in ((1, "together"), (2, "deepinfra"))
    ]
    return ChainView(
        name="chat-by-provider",
        mode=Mode.PROVIDER,
        endpoint="openrouter",
        health=Health.DEGRADED,
        reason=Reason.RATE_LIMITED,
        detail="groq limited: rate_limited since 22:07 UTC",
        since=NOW - 340,
        last_good=NOW - 9,
        latency=0.51,
        serving=_serving("together", 1, Path.FAILED_OVER, 331),
        targets=(limited, *others),
        fallback=_shares(0.36, 0.09, 0.004),
        budget=BudgetView(usd_per_day=0.25, remaining=0.2431),
        alerts=("fallback-rate-high",),
    )


def in_client() -> ChainView:
    dead: dict[str, Any] = {"health": Health.DOWN, "since": NOW - 95, "last_good": NOW - 130, "last_bad": NOW - 3}
    return ChainView(
        name="chat-in-client",
        mode=Mode.CLIENT,
        endpoint="openrouter",
        reason=Reason.SERVER_ERROR,
        detail="end to end down: every target failed: fast 503, steady 503, open-weights timed out after 15 s",
        serving=ServingView(label=None, position=None, path=Path.EXHAUSTED, since=NOW - 95, at=NOW - 3),
        targets=(
            TargetView(
                chain="chat-in-client",
                label="fast",
                position=0,
                model="openai/gpt-4o-mini",
                reason=Reason.OVERLOADED,
                detail="503 from every provider",
                **dead,
            ),
            TargetView(
                chain="chat-in-client",
                label="steady",
                position=1,
                model="google/gemini-2.5-flash",
                reason=Reason.SERVER_ERROR,
                detail="500 Internal Server Error",
                **dead,
            ),
            TargetView(
                chain="chat-in-client", label="open-weights", position=2, model="meta-llama/llama-3.3-70b-instruct"
            ),
        ),
        fallback=_shares(None, 0.5, 0.02),
        alerts=("chain-down",),
        **dead,
    )


def incidents() -> tuple[IncidentView, ...]:
    return (
        IncidentView(
            id="i1", cause="provider groq", severity=Severity.CRITICAL, title="Chain chat-in-client is down",
            since=NOW - 60, chains=("chat-in-client",), alerts=("chain-down:chat-in-client",), told=("slack",),
        ),
    )  # fmt: skip


def alerts() -> tuple[AlertView, ...]:
    return (
        AlertView(
            key="chain-down:chat-in-client",
            alert="chain-down",
            chain="chat-in-client",
            severity=Severity.CRITICAL,
            state="firing",
            since=NOW - 95,
            title="chat-in-client is down",
            summary="No target answers: 3 of the last 3 questions failed. Users are without an answer.",
            facts=(("last good", "22:11:10 UTC"), ("dead", "fast (503), steady (500), open-weights (timeout)")),
        ),
        AlertView(
            key="fallback-rate-high:chat-by-provider",
            alert="fallback-rate-high",
            chain="chat-by-provider",
            severity=Severity.WARNING,
            state="firing",
            since=NOW - 280,
            title="chat-by-provider falls back too often",
            summary="36 % of the last 14 answers came from a fallback; the limit is 10 %.",
        ),
        AlertView(
            key="chain-degraded:chat-by-provider",
            alert="chain-degraded",
            chain="chat-by-provider",
            severity=Severity.WARNING,
            state="pending",
            since=NOW - 340,
            title="chat-by-provider is degraded",
            summary="groq is rate limited.",
        ),
    )


def run_view(drill: str = "primary-gone", run: str = "run-1", at: float = NOW - 1800, **changed: Any) -> RunView:
    judged = verdict(drill=drill, run=run, at=at, because="secondary answered all 3 requests within 0.9 s", **changed)
    return RunView(
        run=run, drill=drill, chain="chat", state=RunState.FINISHED, at=at, asked_by="schedule", verdict=judged
    )


def drills(last: RunView | None = None) -> tuple[DrillView, ...]:
    shared: dict[str, Any] = {"requests": 9, "cost": 0.0021, "max_duration": 120.0, "schedule": "every 6h"}
    return (
        DrillView(
            name="primary-gone",
            chain="chat",
            breaks=("primary",),
            fault="ignore",
            injector="request",
            expects="secondary answers within 10s",
            next_run=NOW + 5400,
            last=last or run_view(),
            **shared,
        ),
        DrillView(
            name="primary-stalls",
            chain="chat-in-client",
            breaks=("fast",),
            fault="stall",
            injector="transport",
            expects="steady answers within 15s, failed over",
            next_run=NOW + 90,
            **shared,
        ),
    )


def outcomes() -> list[Outcome]:
    """Newest first, one every 30 s."""
    made = []
    for number in range(6):
        at = NOW - 4 - 30 * number
        shared: dict[str, Any] = {"id": f"outcome-{number}", "at": at, "tokens": Tokens(prompt=31, completion=9)}
        if number == 2:
            made.append(
                outcome(
                    **shared,
                    target="primary",
                    provider="google-vertex",
                    status=Status.FAILED,
                    reason=Reason.OVERLOADED,
                    duration=0.2,
                    detail="503: the model is overloaded, try again later",
                )
            )
        else:
            made.append(
                outcome(**shared, served_by="primary", position=0, path=Path.PRIMARY, duration=0.82, cost=0.00031)
            )
    return made


def transitions() -> list[Transition]:
    return [
        transition(
            at=NOW - 95,
            subject=Subject(chain="chat-in-client"),
            detail="every target failed: fast 503, steady 503, open-weights timed out after 15 s",
        ),
        transition(
            at=NOW - 340,
            subject=Subject(chain="chat-by-provider", target="groq", provider="groq"),
            after=Health.LIMITED,
            reason=Reason.RATE_LIMITED,
            detail="429, asks again in 30 s",
        ),
        transition(
            at=NOW - 3 * 3600, before=Health.UNKNOWN, after=Health.HEALTHY, reason=Reason.NONE, detail="answers"
        ),
    ]


def _serving(label: str, position: int, path: Path, age: float) -> ServingView:
    return ServingView(label=label, position=position, path=path, since=NOW - age, at=NOW - 4)


def _shares(*shares: float | None) -> tuple[ShareView, ...]:
    windows = ("15m", "1h", "1d")
    return tuple(
        ShareView(window=window, share=share, answers=14) for window, share in zip(windows, shares, strict=True)
    )

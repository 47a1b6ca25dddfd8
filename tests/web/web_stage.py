"""A daemon that is made up: one chain healthy, one failed over, one down; an alert, drills and their runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI

from monitor.alerting import Silence
from monitor.coverage import Cell, ChainCoverage, Pair, Proof
from monitor.errors import FallbackdError
from monitor.model import (
    Acknowledgement,
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
from monitor.web import Feed, build
from monitor.web.coverage_views import CoverageView, coverage_view
from monitor.web.history_views import HistoryView, StripView, TroubleView, Window, fill, starts
from monitor.web.strip import serve
from monitor.web.views import (
    AlertView,
    BudgetView,
    ChainView,
    DrillView,
    IncidentView,
    OutcomeQuery,
    ProviderView,
    Refused,
    RunDetail,
    RunState,
    RunView,
    ServingView,
    ShareView,
    Started,
    StatusView,
    TargetView,
)
from tests.fakes.clock import FakeClock
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


@dataclass
class FakeControl:
    """Answers from its fields; ``asked`` is what it was told to change, in order."""

    chain_views: Sequence[ChainView] = field(default_factory=lambda: (chat(), by_provider(), in_client()))
    alert_views: Sequence[AlertView] = field(default_factory=alerts)
    incident_views: Sequence[IncidentView] = field(default_factory=incidents)
    drill_views: Sequence[DrillView] = field(default_factory=drills)
    found: list[Outcome] = field(default_factory=outcomes)
    refusal: Refused | None = None
    stopped: str | None = None
    readiness: tuple[bool, str] = (True, "every chain has results")
    broken: bool = False
    silence_values: Sequence[Silence] = ()
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def status(self) -> StatusView:
        return StatusView(
            version="0.1.0",
            started=NOW - 3 * 3600,
            now=NOW,
            chains=len(self.chain_views),
            targets=9,
            probes=21,
            outcomes=3911,
            alerts_firing=2,
            runs_under_way=0,
            outbox_pending=0,
            stopped=self.stopped,
            notes=("Slack is off: SLACK_BOT_TOKEN is not set.",),
        )

    def ready(self) -> tuple[bool, str]:
        return self.readiness

    def chains(self) -> Sequence[ChainView]:
        return self.chain_views

    def alerts(self) -> Sequence[AlertView]:
        return self.alert_views

    def incidents(self) -> Sequence[IncidentView]:
        return self.incident_views

    async def acknowledge(self, incident: str, *, by: str) -> IncidentView | None:
        self.asked.append(("acknowledge", incident, by))
        found = next((one for one in self.incident_views if one.id == incident), None)
        taken = Acknowledgement(by=by, at=NOW)
        return found.model_copy(update={"acknowledged": taken}) if found else None

    async def silence_incident(self, incident: str, *, seconds: float, why: str, by: str) -> Silence | Refused:
        self.asked.append(("silence", incident, str(seconds)))
        if incident not in {one.id for one in self.incident_views}:
            return Refused(because=f"no incident {incident} is open")
        return Silence(
            id="s1", chain="chat", alert=None, starts=NOW, ends=NOW + seconds, why=why, by=by, incident=incident
        )

    def silences(self) -> Sequence[Silence]:
        return self.silence_values

    async def silence(self, chain: str, alert: str | None, *, seconds: float, why: str, by: str) -> Silence | Refused:
        self.asked.append(("silence", chain, alert or "", f"{seconds:.0f}", why, by))
        if self.refusal:
            return self.refusal
        return Silence(id="s1", chain=chain, alert=alert, starts=NOW, ends=NOW + seconds, why=why, by=by)

    async def end_silence(self, id_: str) -> bool:
        self.asked.append(("end", id_))
        return id_ == "s1"

    def drills(self) -> Sequence[DrillView]:
        return self.drill_views

    def coverage(self) -> CoverageView:
        cell = Cell(pair=PAIR, state=Proof.PROVEN, planned=True, at=NOW, proven_at=NOW, failover=0.8, run="run-1")
        table = ChainCoverage(chain="chat", edges=(PAIR.edge,), faults=("ignore",), cells=(cell,))
        return coverage_view([table], 14 * 86400.0)

    async def outcomes(self, query: OutcomeQuery) -> Sequence[Outcome]:
        if self.broken:
            raise FallbackdError("the database cannot be read")
        wanted = {
            "chain": query.chain,
            "target": query.target,
            "origin": query.origin,
            "status": query.status,
        }
        fits = [
            one
            for one in self.found
            if all(value is None or getattr(one, name) == value for name, value in wanted.items())
            and (query.before is None or (one.at, one.id) < query.before)
        ]
        return fits[: query.limit]

    async def outcome(self, id_: str) -> Outcome | None:
        return next((one for one in self.found if one.id == id_), None)

    async def transitions(self, *, chain: str | None = None, limit: int = 100) -> Sequence[Transition]:
        return [one for one in transitions() if chain in (None, one.subject.chain)][:limit]

    async def runs(self, *, chain: str | None = None, limit: int = 50) -> Sequence[RunView]:
        made = [run_view(), run_view(run="run-0", at=NOW - 23400)]
        return [one for one in made if chain in (None, one.chain)][:limit]

    async def run(self, run: str) -> RunDetail | None:
        if run != "run-1":
            return None
        return RunDetail(**dict(run_view()), text=JOURNAL, journal={"seed": 4711})

    async def start_run(self, name: str, *, asked_by: str) -> Started | Refused:
        self.asked.append(("start", name, asked_by))
        return self.refusal or Started(run="run-1")

    async def stop(self, *, asked_by: str) -> int:
        self.asked.append(("stop", asked_by))
        return 1

    async def release(self, *, asked_by: str) -> None:
        self.asked.append(("release", asked_by))

    async def exposition(self, accept: str) -> tuple[bytes, str]:
        return b"fallbackd_build_info 1\n", "text/plain; version=0.0.4; charset=utf-8"


@dataclass
class FakeHistories:
    """Of every chain the same day: mostly the primary, a quarter of an hour failed over, five minutes nobody."""

    trouble_views: tuple[TroubleView, ...] = (
        TroubleView(start=NOW - 7200, end=NOW - 6300, health=Health.DEGRADED, why="primary down: timeout"),
    )

    async def strips(self) -> Mapping[str, StripView]:
        at, width = starts(NOW, Window.DAY), Window.DAY.step
        counts = [(round(start / width), 0, Path.PRIMARY, 15) for start in at[:-2]]
        counts += [(round(at[-2] / width), 1, Path.FAILED_OVER, 15), (round(at[-1] / width), None, Path.EXHAUSTED, 5)]
        labels = ("primary", "secondary", "last-resort")
        return {name: serve(counts, labels, at, width) for name in ("chat", "chat-by-provider", "chat-in-client")}

    async def history(self, chain: str, window: Window | None) -> HistoryView | None:
        if chain not in await self.strips():
            return None
        window = window or Window.DAY
        at = starts(NOW, window)
        bucket = round(at[-2] / window.step)
        lines = fill([(None, bucket, 15, 0.8, 1.9), ("primary", bucket, 3, 0.7, 0.9)], ["primary"], at, window.step)
        return HistoryView(
            chain=chain, window=window, start=at[0], end=NOW, step=window.step, at=at, latency=lines, first_token=(),
            troubles=self.trouble_views, runs=(run_view(),),
        )  # fmt: skip

    async def troubles(self, chain: str, *, since: float) -> tuple[TroubleView, ...]:
        return self.trouble_views


def site(
    control: FakeControl | None = None,
    *,
    token: str | None = None,
    loopback: bool = True,
    public: bool = False,
    feed: Feed | None = None,
    histories: FakeHistories | None = None,
) -> FastAPI:
    return build(
        control or FakeControl(),
        histories=histories or FakeHistories(),
        feed=feed or Feed(),
        token=token,
        loopback=loopback,
        public=lambda: public,
        clock=FakeClock(NOW),
    )


def client(app: FastAPI, host: str = "127.0.0.1:9469", **headers: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=f"http://{host}", headers=headers)


def _serving(label: str, position: int, path: Path, age: float) -> ServingView:
    return ServingView(label=label, position=position, path=path, since=NOW - age, at=NOW - 4)


def _shares(*shares: float | None) -> tuple[ShareView, ...]:
    windows = ("15m", "1h", "1d")
    return tuple(
        ShareView(window=window, share=share, answers=14) for window, share in zip(windows, shares, strict=True)
    )

"""A daemon that is made up, and its site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import httpx
from fastapi import FastAPI

from monitor.alerting import Silence
from monitor.coverage import Cell, ChainCoverage, Proof
from monitor.errors import FallbackdError
from monitor.model import (
    Acknowledgement,
    Health,
    Outcome,
    Path,
    Transition,
)
from monitor.web import Feed, build
from monitor.web.coverage_views import CoverageView, coverage_view
from monitor.web.history_views import HistoryView, StripView, TroubleView, Window, fill, starts
from monitor.web.strip import serve
from monitor.web.views import (
    AlertView,
    ChainView,
    DrillView,
    IncidentView,
    OutcomeQuery,
    Refused,
    RunDetail,
    RunView,
    Started,
    StatusView,
)
from tests.fakes.clock import FakeClock

from .web_values import (
    JOURNAL,
    NOW,
    PAIR,
    alerts,
    by_provider,
    chat,
    drills,
    in_client,
    incidents,
    outcomes,
    run_view,
    transitions,
)


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
    network_down_since: float | None = None
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
            network_down_since=self.network_down_since,
            notes=("Slack is off: SLACK_BOT_TOKEN is not set.",),
        )

    def ready(self) -> tuple[bool, str]:
        return self.readiness

    def healths(self) -> Mapping[str, Health]:
        return {one.name: one.health for one in self.chain_views}

    def chain(self, name: str) -> ChainView | None:
        return next((one for one in self.chain_views if one.name == name), None)

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

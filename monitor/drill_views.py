"""Drills and their runs as pages and programs see them, made of what goes on now and of what the store kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from chaos.guard import Running
from chaos.journals import asker_of, journal_from_json
from chaos.model import Drill, Event
from chaos.report import event_line, text
from chaos.victims import whose
from monitor.config.model import Config
from monitor.config.quantity import format_duration
from monitor.drilling import Drilling
from monitor.model import Verdict
from monitor.schedule import Schedule
from monitor.store import Store
from monitor.web.views import DrillView, EventView, RunDetail, RunState, RunView


class DrillViews:
    def __init__(self, *, drilling: Drilling, store: Store, schedule: Schedule) -> None:
        self._drilling = drilling
        self._store = store
        self._schedule = schedule

    def view(self, drill: Drill, config: Config) -> DrillView:
        chain = config.chain(drill.chain)
        last, price = self._drilling.last(drill.name), self._drilling.price(drill)
        return DrillView(
            name=drill.name,
            chain=drill.chain,
            breaks=tuple(chain.targets[position].label for position in drill.breaks),
            fault=drill.fault,
            injector=drill.injector,
            expects=_expects(drill),
            whose=whose(drill),
            schedule=_schedule(drill),
            requests=drill.most_requests,
            cost=_most(drill, price),
            max_duration=drill.max_duration,
            next_run=self._schedule.next_run(f"drill:{drill.name}"),
            last=_finished(last) if last else None,
            running=next((one.run for one in self._drilling.runner.running if one.drill.name == drill.name), None),
        )

    async def runs(self, *, chain: str | None = None, limit: int = 50) -> Sequence[RunView]:
        going = [_running(one) for one in self._drilling.runner.running if chain in (None, one.drill.chain)]
        kept = await self._store.journals(chain=chain, limit=limit)
        ended = [_finished(verdict, asker_of(raw)) for verdict, raw in kept]
        return [*going, *ended][:limit]

    async def run(self, run: str) -> RunDetail | None:
        found = next((one for one in self._drilling.runner.running if one.run == run), None)
        events = self._drilling.events(run)
        if found is not None and events is not None:
            lines = "".join(f"{event_line(event, found.started)}\n" for event in events)
            return RunDetail(**dict(_running(found)), text=lines, events=_lines(events, found.started))
        raw = self._drilling.fresh(run)
        if raw is None:
            stored = await self._store.journal(run)
            if stored is None:
                return None
            raw = stored[1]
        journal = journal_from_json(raw)
        view = _finished(journal.verdict, journal.asked_by)
        return RunDetail(
            **dict(view),
            text=text(journal),
            events=_lines(journal.events, journal.started),
            journal=json.loads(raw),
        )


def _finished(verdict: Verdict, asked_by: str | None = None) -> RunView:
    return RunView(
        run=verdict.run,
        drill=verdict.drill,
        chain=verdict.chain,
        state=RunState.FINISHED,
        at=verdict.at,
        asked_by=asked_by,
        verdict=verdict,
    )


def _running(one: Running) -> RunView:
    return RunView(
        run=one.run,
        drill=one.drill.name,
        chain=one.drill.chain,
        state=RunState.RUNNING,
        at=one.started,
        asked_by=one.asked_by,
    )


def _lines(events: Iterable[Event], started: float) -> tuple[EventView, ...]:
    return tuple(
        EventView(at=event.at, after=event.at - started, phase=event.phase.value, text=event.text) for event in events
    )


def _expects(drill: Drill) -> str:
    if drill.expect.rejected:
        return "the whole request is refused"
    path = f", {drill.expect.path.value.replace('_', ' ')}" if drill.expect.path else ""
    also = [
        f"; {words}"
        for planned, words in (
            (drill.application, "the application as well"),
            (drill.live, "live traffic as well as its control group"),
            (drill.capacity, "under a rising load"),
        )
        if planned is not None
    ]
    return f"{drill.expect.served_by} answers within {format_duration(drill.expect.within)}{path}{''.join(also)}"


def _most(drill: Drill, price: float | None) -> float | None:
    """US dollars that a run costs at most: ``price`` a question, and what a rising load may cost."""
    load = drill.capacity.usd if drill.capacity else 0.0
    return None if price is None else price * drill.most_requests + load


def _schedule(drill: Drill) -> str:
    if drill.cron:
        return f"cron {drill.cron} UTC"
    return f"every {format_duration(drill.every)}" if drill.every else "on demand"

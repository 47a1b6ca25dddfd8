"""Where the command's drills run: in the daemon that watches, or in this very process when there is none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from chaos.drills import resolve
from chaos.edges import aims
from chaos.guard import GuardView
from chaos.injectors import INJECTORS
from chaos.injectors.injector import Wrap
from chaos.journals import journal_from
from chaos.model import Drill, Event, Injection, Journal
from chaos.report import event_line
from chaos.runner import Runner
from monitor.commands import options, remote
from monitor.commands.workbench import Workbench, workbench
from monitor.config.model import ChainConfig
from monitor.drilling import drill_spec
from monitor.errors import CommandError, ConfigError, Problem
from monitor.exchange import Reshape
from monitor.model import Health, Origin, Outcome, Status, new_id
from monitor.probes import estimate, specify
from monitor.proofs import Proofs
from monitor.web.coverage_views import coverage_view
from monitor.workbook import Workbook

KIND = "completion"
"""What the drills of a matrix ask."""
POLL = 0.3
"""Seconds between two looks at a run of the daemon."""

Say = Callable[[str], None]
Json = Mapping[str, Any]


class RefusedError(CommandError):
    """The guard said no: nothing was broken, and nothing was judged."""

    exit_code = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A drill by its name in the config, or one that is described by ``entry``."""

    name: str
    chain: str
    entry: Json | None = None
    edge: tuple[str, str] | None = None
    fault: str = ""


class Place(Protocol):
    async def named(self, name: str) -> Wanted:
        """Raises CommandError for a name that is no drill."""
        ...

    async def matrix(self, chain: str) -> Json:
        """As ``/api/v1/chains/NAME/matrix`` has it. Raises CommandError for an unknown chain."""
        ...

    async def read(self, file: str, text: bytes) -> Json:
        """As ``/api/v1/experiments`` has it. Raises ConfigError with every mistake."""
        ...

    async def run(self, wanted: Wanted, say: Say) -> Journal:
        """To its end; ``say`` gets each line of its journal as it comes. Raises RefusedError when it may not run."""
        ...

    async def end(self, why: str) -> None:
        """End the run that is under way, with its rollback; ``run`` then returns its journal."""
        ...

    async def coverage(self, chain: str) -> Json:
        """What is proven of a chain now, as ``/api/v1/coverage`` has it."""
        ...


class ByDaemon:
    def __init__(self, base: str, who: str) -> None:
        self._base = base
        self._who = who
        self._run: str | None = None
        self._ending: str | None = None

    async def named(self, name: str) -> Wanted:
        drills = (await self._call("GET", "drills"))["drills"]
        found = next((one for one in drills if one["name"] == name), None)
        if found is None:
            raise unknown(name, [one["name"] for one in drills])
        return Wanted(name=name, chain=found["chain"], fault=found["fault"])

    async def matrix(self, chain: str) -> Json:
        found: Json = await self._call("GET", f"chains/{chain}/matrix")
        return found

    async def read(self, file: str, text: bytes) -> Json:
        body = {"file": file, "text": text.decode("utf-8", "replace")}
        found: Json = await self._call("POST", "experiments", body, allowed=(422,))
        raise_mistakes(found)
        return found

    async def run(self, wanted: Wanted, say: Say) -> Journal:
        self._run = await self._begin(wanted)
        if self._ending is not None:
            await self.end(self._ending)
        said = 0
        try:
            while True:
                found = await self._call("GET", f"drills/runs/{self._run}")
                if found["state"] == "finished":
                    journal = journal_from(found["journal"])
                    for event in journal.events[said:]:
                        say(event_line(event, journal.started))
                    return journal
                lines = found["text"].splitlines()
                for line in lines[said:]:
                    say(line)
                said = len(lines)
                await asyncio.sleep(POLL)
        finally:
            self._run = None

    async def end(self, why: str) -> None:
        self._ending = why
        if self._run is not None:
            await self._call("POST", f"drills/runs/{self._run}/end", {"asked_by": f"{self._who} ({why})"})

    async def coverage(self, chain: str) -> Json:
        found = await self._call("GET", "coverage")
        return {**found, "chains": [one for one in found["chains"] if one["chain"] == chain]}

    async def _begin(self, wanted: Wanted) -> str:
        body: dict[str, Any] = {"asked_by": self._who}
        path = f"drills/{wanted.name}/runs"
        if wanted.entry is not None:
            path, body = "experiments/runs", {**body, "drill": wanted.entry}
        begun = await self._call("POST", path, body, allowed=(409, 422))
        raise_mistakes(begun)
        if "error" in begun:
            raise RefusedError(begun["error"]["message"])
        return str(begun["run"])

    async def _call(self, method: str, path: str, body: Any = None, allowed: tuple[int, ...] = ()) -> Any:
        url = f"{self._base}/api/v1/{path}"
        return await asyncio.to_thread(remote.call, method, url, body=body, allowed=allowed)


class Here:
    """Without a daemon: its own sandbox if wanted, no memory. Each target is asked once before a chain is broken."""

    def __init__(self, bench: Workbench, who: str) -> None:
        self._bench = bench
        self._who = who
        self._views: dict[tuple[str, str], GuardView] = {}
        self._current: dict[str, GuardView] = {}
        self._proofs = Proofs(bench.config)
        self._proofs.plan(aims(resolve(bench.config), bench.config))
        self._tell: Say = print
        self._run: str | None = None
        self._drills = {one.name: one for one in resolve(bench.config)}
        self._runner = Runner(
            chains=bench.config.chain,
            ask=self._ask,
            view=self._view,
            catalogue=lambda chain: bench.endpoints.catalogue(bench.config.chain(chain).endpoint),
            clock=bench.clock,
            rng=bench.rng,
            observers=(self,),
        )
        self._workbook = Workbook(
            config=lambda: bench.config, view=self._view, runner=self._runner, injectors=INJECTORS
        )

    async def named(self, name: str) -> Wanted:
        if name not in self._drills:
            raise unknown(name, list(self._drills))
        return Wanted(name=name, chain=self._drills[name].chain, fault=self._drills[name].fault)

    async def matrix(self, chain: str) -> Json:
        names = [one.name for one in self._bench.config.chains]
        if chain not in names:
            raise CommandError(f'"{chain}" is no chain here; choose one of {", ".join(names)}')
        await self._look(chain, KIND)
        return self._workbook.matrix(chain).model_dump(mode="json", by_alias=True)

    async def read(self, file: str, text: bytes) -> Json:
        return self._workbook.read(file, text).model_dump(mode="json", by_alias=True)

    async def run(self, wanted: Wanted, say: Say) -> Journal:
        drill = self._drills[wanted.name] if wanted.entry is None else self._workbook.drill(wanted.entry)
        await self._look(drill.chain, drill.kind)
        self._tell = say
        self._run = new_id(self._bench.clock.now())
        journal = await self._runner.run(drill, asked_by=self._who, run_id=self._run)
        self._run = None
        self._proofs.judged(journal.verdict)
        if journal.refused is not None and not journal.baseline:
            raise RefusedError(journal.refused)
        return journal

    async def end(self, why: str) -> None:
        if self._run is not None:
            self._runner.abort(self._run, f"ended by {self._who} ({why})")

    async def coverage(self, chain: str) -> Json:
        tables = [table for table in self._proofs.tables(self._bench.clock.now()) if table.chain == chain]
        limit = self._bench.config.coverage.stale_after
        return coverage_view(tables, limit).model_dump(mode="json", by_alias=True)

    async def _ask(self, drill: Drill, _run: str, reshape: Reshape | None, wrap: Wrap | None, /) -> Outcome:
        spec = drill_spec(drill, self._bench.config.chain(drill.chain))
        return await self._bench.prober.probe(spec, origin=Origin.DRILL, drill=drill.name, reshape=reshape, wrap=wrap)

    def _view(self, chain: str) -> GuardView:
        return self._current[chain]

    async def _look(self, name: str, kind: str) -> None:
        """Nobody knows what is healthy, so each target is asked once, the first time that its chain is to be broken."""
        if (name, kind) not in self._views:
            self._views[name, kind] = await self._seen(self._bench.config.chain(name), kind)
        self._current[name] = self._views[name, kind]

    async def _seen(self, chain: ChainConfig, kind: str) -> GuardView:
        own = chain.probes[0].model_copy(update={"kind": kind})
        targets = chain.all_targets()
        asked = (self._bench.prober.probe(specify(chain, own, one), origin=Origin.MANUAL) for one in targets)
        outcomes = await asyncio.gather(*asked)
        states = {target.position: _health(outcome) for target, outcome in zip(targets, outcomes, strict=True)}
        health = Health.DOWN if all(state is Health.DOWN for state in states.values()) else Health.HEALTHY
        catalogue = self._bench.endpoints.catalogue(chain.endpoint)
        cost = estimate(specify(chain, chain.probes[0], None), chain, catalogue)
        return GuardView(health=health, targets=states, cost=cost)

    # What the runner tells (chaos.experiment.Observer).

    def on_event(self, run: str, event: Event) -> None:
        started = next((one.started for one in self._runner.running if one.run == run), event.at)
        self._tell(event_line(event, started))

    def on_active(self, injection: Injection, active: bool) -> None: ...

    def on_finished(self, journal: Journal) -> None: ...


@asynccontextmanager
async def place(
    *, chains: Path, alerts: Path, data: Path, url: str | None, sandbox: bool, who: str
) -> AsyncIterator[Place]:
    """The daemon that uses the data folder, or this process where none runs (or the sandbox is wanted)."""
    base = None if sandbox else remote.daemon_url(data, url)
    if base is not None:
        yield ByDaemon(base, who)
        return
    async with workbench(options.load_config(chains, alerts, sandbox=sandbox), sandbox=sandbox) as bench:
        yield Here(bench, who)


def unknown(name: str, known: list[str]) -> CommandError:
    return CommandError(f'"{name}" is no drill here; choose one of {", ".join(known) or "(none is configured)"}')


def raise_mistakes(answer: Json) -> None:
    """Raises the ConfigError that a daemon told of."""
    told = answer.get("error", {})
    if "problems" in told:
        raise ConfigError(tuple(Problem(**one) for one in told["problems"]))


def _health(outcome: Outcome) -> Health:
    return Health.HEALTHY if outcome.status in (Status.OK, Status.DEGRADED) else Health.DOWN

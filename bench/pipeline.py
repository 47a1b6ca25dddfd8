"""What one probe costs: CPU time of the whole pipeline, beside others that ask the same question of the same stub.

Ours is everything that happens to a scheduled question in the daemon: worded, sent, read, classified, counted in the
metrics, stored in SQLite, health advanced. The peers are Debian's prometheus-blackbox-exporter (posting the same JSON,
driven by wrk), a LiteLLM proxy's /health, and bare aiohttp, which only reads the bytes. All of it in interleaved
rounds; medians. Then: is the latency that is reported of a stream the stream's own, however many are in flight?

Run: .venv/bin/python bench/pipeline.py (two minutes; needs nginx with its echo module, prometheus-blackbox-exporter
and wrk; LiteLLM is left out where .venv-litellm does not exist).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import re
import secrets
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import structlog
from stub import EVENTS, MODEL, PACE, SameWord, Stub, cpu_of, free_port, program, stub

from monitor import heap
from monitor.clock import SystemClock
from monitor.config.loading import load
from monitor.config.model import Config
from monitor.endpoints import Endpoints
from monitor.knowledge import Knowledge
from monitor.metrics import Metrics
from monitor.model import Outcome, ProbeSpec, Status
from monitor.offering import Catalogue, ModelEntry, Price
from monitor.pipeline import Pipeline
from monitor.probes import Prober, expand
from monitor.store import Store
from monitor.version import VERSION
from monitor.vocabulary import vocabulary

IN_FLIGHT = 50
ROUNDS = 5
QUESTIONS = {"completion": 1500, "stream": 600}
STREAMS = {1: 30, 50: 400, 200: 800}
CHAINS = 50
LITELLM = Path(__file__).parent.parent / ".venv-litellm/bin/litellm"
LITELLM_MODELS = 50
BODY = {
    "model": MODEL,
    "messages": [{"role": "user", "content": "Reply with exactly this word: babababa"}],
    "max_tokens": 48,
}
ALERTS = "notifiers: [{name: log, kind: log}]\nroutes: [{notify: [log]}]\nrules: [{name: down, when: chain_down}]\n"

Way = Callable[[], Awaitable[float]]
"""One round; returns microseconds of CPU for one question."""


def chains_yaml(url: str, kind: str, count: int) -> str:
    path = "plain" if kind == "completion" else "stream"
    lines = [f'endpoints: {{stub: {{dialect: openrouter, url: "{url}/{path}/v1", credential_env: KEY}}}}', "chains:"]
    for number in range(count):
        lines += [
            f"  - name: c{number:03}",
            "    endpoint: stub",
            "    mode: server",
            f"    targets: [{{label: first, model: {MODEL}}}, {{label: second, model: google/gemini-2.5-flash}}]",
            f"    probes: [{{kind: {kind}, every: 60s, of: [chain, targets], max_tokens: 48}}]",
            "    budget: {usd_per_day: 100}",
        ]
    return "\n".join(lines)


def read_config(folder: Path, text: str) -> Config:
    (folder / "chains.yaml").write_text(text)
    (folder / "alerts.yaml").write_text(ALERTS)
    return load(folder / "chains.yaml", folder / "alerts.yaml", vocabulary=vocabulary(), environ={"KEY": "sk-or-bench"})


def catalogue() -> Catalogue:
    names = (MODEL, "google/gemini-2.5-flash")
    price = Price(prompt=1.5e-7, completion=6e-7)
    return Catalogue(at=0.0, models={name: ModelEntry(id=name, canonical=name, price=price) for name in names})


class Recorder(Metrics):
    """Keeps the outcomes as well."""

    outcomes: list[Outcome]

    def observe(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        super().observe(outcome)


@dataclass
class Daemon:
    """The pipeline as the daemon wires it."""

    pipeline: Pipeline
    metrics: Recorder
    store: Store
    specs: list[ProbeSpec] = field(default_factory=list)

    async def ask(self, count: int, in_flight: int) -> float:
        """CPU microseconds for one question, with so many of them in flight all the time."""
        left = iter(range(count))
        self.metrics.outcomes.clear()

        async def worker() -> None:
            for number in left:
                await self.pipeline.ask(self.specs[number % len(self.specs)])

        began = time.process_time()
        await asyncio.gather(*(worker() for _ in range(in_flight)))
        await self.store.flush()
        spent = time.process_time() - began
        wrong = [one for one in self.metrics.outcomes if one.status is not Status.OK]
        assert len(self.metrics.outcomes) == count
        assert not wrong, wrong[0]
        return spent / count * 1e6


@contextlib.asynccontextmanager
async def daemon(url: str, kind: str) -> AsyncIterator[Daemon]:
    with tempfile.TemporaryDirectory() as name:
        config = read_config(Path(name), chains_yaml(url, kind, CHAINS))
        clock, rng, specs = SystemClock(), SameWord(1), expand(config)
        # Only what is asked of the first target: the one answer of the stub names its model.
        own = [spec for spec in specs if spec.target is None or spec.target.position == 0]
        store = await Store.open(Path(name) / "db.sqlite3", clock)
        knowledge = Knowledge(config, specs, now=clock.now(), spent={})
        metrics = Recorder(config, specs, [], VERSION)
        metrics.outcomes = []
        endpoints = Endpoints(config, clock)
        known = catalogue()
        prober = Prober(
            config=config, transport=endpoints.transport, catalogue=lambda _: known, clock=clock, rng=rng
        )  # fmt: skip
        pipeline = Pipeline(
            config=config, prober=prober, knowledge=knowledge, metrics=metrics, store=store,
            catalogue=lambda _: known, clock=clock, rng=rng, changed=lambda _: None,
        )  # fmt: skip
        heap.settle()
        yield Daemon(pipeline, metrics, store, own)
        await endpoints.close()
        await store.close()


def bare(session: aiohttp.ClientSession, url: str, count: int) -> Way:
    async def one() -> None:
        headers = {"Content-Type": "application/json"}
        async with session.post(url, data=json.dumps(BODY), headers=headers) as response:
            async for _ in response.content.iter_any():
                pass

    async def way() -> float:
        left = iter(range(count))

        async def worker() -> None:
            for _ in left:
                await one()

        began = time.process_time()
        await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
        return (time.process_time() - began) / count * 1e6

    return way


@contextlib.contextmanager
def blackbox(url: str) -> Iterator[Way]:
    port = free_port()
    http = {
        "method": "POST", "headers": {"Content-Type": "application/json"}, "body": json.dumps(BODY),
        "fail_if_body_not_matches_regexp": ["babababa"],
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        config = Path(name) / "blackbox.yml"
        config.write_text(json.dumps({"modules": {"ask": {"prober": "http", "timeout": "10s", "http": http}}}))
        command = ["prometheus-blackbox-exporter", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}"]
        probe = f"http://127.0.0.1:{port}/probe?module=ask&target={url}/plain/v1/chat/completions"
        with program(command, port, stderr=subprocess.DEVNULL) as process:
            assert b"probe_success 1" in urllib.request.urlopen(probe).read()

            async def way() -> float:
                began = cpu_of(process.pid)
                wrk = await asyncio.create_subprocess_exec(
                    "wrk", "-t1", f"-c{IN_FLIGHT}", "-d2s", probe, stdout=subprocess.PIPE
                )
                said, _ = await wrk.communicate()
                return (cpu_of(process.pid) - began) / int(re.findall(rb"(\d+) requests in", said)[0]) * 1e6

            yield way


@contextlib.contextmanager
def litellm(url: str) -> Iterator[Way]:
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        settings = {"api_base": f"{url}/plain/v1", "api_key": "none"}
        models = [
            {"model_name": f"m{number}", "litellm_params": {"model": f"openai/m{number}", **settings}}
            for number in range(LITELLM_MODELS)
        ]
        config = Path(name) / "config.yaml"
        config.write_text(json.dumps({"model_list": models}))
        command = [str(LITELLM), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        key = f"sk-{secrets.token_hex(16)}"
        environment = {
            **os.environ,
            "LITELLM_MASTER_KEY": key,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_MODE": "PRODUCTION",
        }
        asking = urllib.request.Request(f"http://127.0.0.1:{port}/health", headers={"Authorization": f"Bearer {key}"})
        with program(command, port, env=environment, **quiet) as process:

            async def way() -> float:
                began = cpu_of(process.pid)
                said = await asyncio.to_thread(lambda: urllib.request.urlopen(asking).read())
                assert json.loads(said)["healthy_count"] == LITELLM_MODELS, said[:500]
                return (cpu_of(process.pid) - began) / LITELLM_MODELS * 1e6

            yield way


async def interleaved(ways: dict[str, Way]) -> dict[str, list[float]]:
    """A busy machine is busy for all of them; the first round warms up and does not count."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(ROUNDS + 1):
        for name, way in ways.items():
            spent = await way()
            if number:
                found[name].append(spent)
    return found


async def costs(upstream: Stub, kind: str) -> None:
    count = QUESTIONS[kind]
    path = "plain" if kind == "completion" else "stream"
    async with contextlib.AsyncExitStack() as stack:
        ours = await stack.enter_async_context(daemon(upstream.url, kind))
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT * 2))
        await stack.enter_async_context(session)
        ways: dict[str, Way] = {
            "fallbackd, whole pipeline": lambda: ours.ask(count, IN_FLIGHT),
            "bare aiohttp": bare(session, f"{upstream.url}/{path}/v1/chat/completions", count),
        }
        if kind == "completion":
            ways["blackbox-exporter"] = stack.enter_context(blackbox(upstream.url))
            if LITELLM.exists():
                ways["LiteLLM proxy /health"] = stack.enter_context(litellm(upstream.url))
        report(path, await interleaved(ways))


def report(path: str, rounds: dict[str, list[float]]) -> None:
    print(f"\n{path}: CPU for one question, {IN_FLIGHT} in flight, median of {ROUNDS} rounds (least to most)")
    for name, found in rounds.items():
        print(f"  {name:28}{statistics.median(found):>9.0f} us   ({min(found):.0f} to {max(found):.0f})")


async def latencies(upstream: Stub) -> None:
    """So many are kept in flight: a new question is asked the moment an answer is there, which is more than one core
    can serve at 200. The stub is slowed down as well; what it took by its own clock is what the endpoint took."""
    print(
        f"\nreported latency of a paced stream ({EVENTS} events, {PACE * 1000:g} ms apart), and what the stub says"
        f"\n  itself of the same streams; medians of {ROUNDS} rounds"
    )
    rounds: dict[int, list[tuple[float, float, float, float]]] = {1: [], 50: [], 200: []}
    async with daemon(upstream.url, "stream") as ours:
        await ours.ask(200, 50)
        for _ in range(ROUNDS):
            for in_flight, found in rounds.items():
                upstream.forget()
                began = time.perf_counter()
                await ours.ask(STREAMS[in_flight], in_flight)
                rate = STREAMS[in_flight] / (time.perf_counter() - began)
                said = [one.duration * 1000 for one in ours.metrics.outcomes]
                true = [seconds * 1000 for seconds in upstream.stream_seconds()]
                found.append((statistics.median(said), statistics.median(true), _p95(said) / _p95(true), rate))
    for in_flight, found in rounds.items():
        said_, true_, tail, rate = (statistics.median(column) for column in zip(*found, strict=True))
        off = statistics.median(one[0] / one[1] - 1 for one in found) * 100
        print(
            f"  {in_flight:4} in flight, {rate:4.0f} streams/s: {said_:6.1f} ms reported, {true_:6.1f} ms true,"
            f" {off:+.1f} %; 95th percentile {(tail - 1) * 100:+.1f} %"
        )


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[18]


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with stub() as upstream:
        asyncio.run(costs(upstream, "completion"))
        asyncio.run(costs(upstream, "stream"))
        asyncio.run(latencies(upstream))


if __name__ == "__main__":
    main()

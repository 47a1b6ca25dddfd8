"""What a fault is foretold to look like is what it looks like: asked for real, through the injector, at the sandbox."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

import pytest

from chaos.causes import cause
from chaos.faults import FAULTS
from chaos.injectors.client import ClientInjector
from chaos.model import Drill, Expect, Injection, Strike
from monitor.clock import SystemClock
from monitor.commands.workbench import workbench
from monitor.config.loading import load
from monitor.model import Origin, Reason, Status
from monitor.offering import Catalogue
from monitor.probes import specify
from monitor.vocabulary import vocabulary

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

CHAINS = """
endpoints:
  router: {dialect: openrouter, url: "http://127.0.0.1:9/api/v1", credential_env: KEY}
chains:
  - name: chat
    endpoint: router
    mode: client
    targets:
      - {label: primary, model: openai/gpt-4o-mini, timeout: 6s}
      - {label: secondary, model: google/gemini-2.5-flash}
    probes: [{kind: completion, every: 60s}]
"""
ALERTS = """
notifiers: [{name: log, kind: log}]
routes: [{notify: [log]}]
rules: [{name: chain-down, when: chain_down}]
"""


async def test_every_fault_looks_as_foretold(tmp_path: Path) -> None:
    (tmp_path / "chains.yaml").write_text(CHAINS)
    (tmp_path / "alerts.yaml").write_text(ALERTS)
    config = load(tmp_path / "chains.yaml", tmp_path / "alerts.yaml", vocabulary=vocabulary(), environ={}, sandbox=True)
    foretold: dict[str, Reason | None] = {}
    seen: dict[str, Reason | None] = {}
    async with workbench(config, sandbox=True) as bench:
        chain = bench.config.chain("chat")
        target = chain.all_targets()[0]
        for name, fault in FAULTS.items():
            options = {option: known.default for option, known in fault.options.items()}
            strikes = (Strike(positions=(0,), fault=name, options=options),)
            injection = Injection(
                chain="chat", drill="d", run="r", strikes=strikes, injector="transport", until=time.time() + 60,
                max_count=1,
            )  # fmt: skip
            drill = Drill(
                name="d", chain="chat", strikes=strikes, injector="transport", expect=Expect(served_by="x", within=1.0)
            )
            armed = ClientInjector().arm(
                injection, drill, chain, Catalogue(at=0.0, models={}), SystemClock(), Random(1)
            )
            spec = specify(chain, chain.probes[0], target)
            outcome = await bench.prober.probe(spec, origin=Origin.DRILL, drill="d", wrap=armed.wrap)  # type: ignore[union-attr]  # an armed one
            seen[name] = None if outcome.status is Status.OK else outcome.reason
            foretold[name] = cause(fault, options, patience=target.timeout)
    assert foretold == seen

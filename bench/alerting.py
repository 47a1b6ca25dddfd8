"""Two questions to the shipped alerts.yaml, answered on a clock that jumps:

False alarms: 30 days of chains that are noisy but healthy (2 % of all attempts fail for no lasting cause, and every
provider has bursts of 429). How many pages, and how many lesser messages? Each page is printed with what led to it. A
chain that hangs on one provider with every target is counted apart: a burst there leaves it without an answer.

Detection: from the break of a whole chain to the message, by how often the chain is asked.

    .venv/bin/python bench/alerting.py [--days 30] [--breaks 40]
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import statistics
import sys
import tempfile
import time
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1]))

import structlog
from pages import Witness, hangs_on_one, refused, severities, written

from monitor.config.model import Config
from tests.simulation.scenario import configured
from tests.simulation.simulation import Simulation
from tests.simulation.weather import TROUBLES, Noise, Spell, Weather, bursts

START = 1_773_014_400.0  # a Monday, 00:00 UTC
DAY = 86400.0
NOISE = Noise(errors=0.02, bursts=2.0, burst_seconds=90.0)
INTERVALS = ("15s", "30s", "60s", "2m", "5m")

ONE_CHAIN = """
endpoints:
  router: {{dialect: openrouter, url: "http://127.0.0.1:9/api/v1", credential_env: OPENROUTER_API_KEY}}
chains:
  - name: chat
    endpoint: router
    mode: server
    targets:
      - {{label: primary, model: a/one, timeout: 5s}}
      - {{label: secondary, model: b/two, timeout: 5s}}
    probes: [{{kind: completion, every: {every}, of: [chain]}}, {{kind: completion, every: 5m, of: [targets]}}]
"""


async def false_alarms(config: Config, days: float, seed: int) -> None:
    providers = sorted({name for chain in config.chains for target in chain.targets for name in target.pinned})
    spells = bursts(providers, START, days, NOISE, Random(seed))
    witness = Witness()
    simulation = Simulation(
        config,
        Weather(spells, NOISE),
        start=START,
        seed=seed,
        tick=10.0,
        closely=True,
        heard=witness.hear,
    )
    began = time.perf_counter()
    await simulation.run(days * DAY)
    took = time.perf_counter() - began
    alone = frozenset(chain.name for chain in config.chains if hangs_on_one(chain))
    others = frozenset(chain.name for chain in config.chains) - alone
    print(f"\nFalse alarms: {days:g} days, {len(config.chains)} healthy chains, {NOISE.errors:.0%} of attempts fail,")
    print(f"{len(spells)} bursts of 429 at {len(providers)} providers; {simulation.upstream.asked:,} questions")
    print(f"({simulation.looks:,} looks, simulated in {took:.0f} s)")
    print("| chains | severity | incidents | by alert |\n|---|---|---|---|")
    groups = {f"{len(others)} of several providers": others, f"{len(alone)} of one provider": alone}
    print("\n".join(severities(witness, groups)))
    print("\nWhen a burst was on at every provider of a chain:")
    for chain, stretches in refused(config, spells).items():
        longest = max((end - start for start, end in stretches), default=0.0)
        print(f"  {chain}: {len(stretches)} times, for {longest:.0f} s at most")
    print(f"\nPages: {len(witness.pages)}")
    for page in witness.pages:
        print("\n".join(written(page, spells)))


async def detection(folder: Path, breaks: int, seed: int) -> None:
    print("\nDetection: from the break of a whole chain to the delivery of the first message, in seconds")
    print("| asked every | fails at once: median | worst | runs into its timeout (5 s a target): median | worst |")
    print("|---|---|---|---|---|")
    for every in INTERVALS:
        chains = folder / f"{every}.yaml"
        chains.write_text(ONE_CHAIN.format(every=every))
        config = configured({}, folder, chains)
        found = {kind: await _delays(config, kind, breaks, seed) for kind in ("refused", "timeout")}
        cells = [f"{pick(found[kind]):.1f}" for kind in ("refused", "timeout") for pick in (statistics.median, max)]
        print(f"| {every} | {' | '.join(cells)} |", flush=True)


async def _delays(config: Config, trouble: str, breaks: int, seed: int) -> list[float]:
    """Breaks of 20 minutes, one in each hour, at a moment that is drawn."""
    rng = Random(seed)
    begins = [START + 3600.0 * (number + 1) + rng.uniform(0, 1800) for number in range(breaks)]
    spells = [Spell(start=at, end=at + 1200, on="everything", trouble=TROUBLES[trouble]) for at in begins]
    simulation = Simulation(config, Weather(spells), start=START, seed=seed, tick=5.0)
    await simulation.run(3600.0 * (breaks + 1))
    told = [one for one in simulation.told if one.notice.alert == "chain-down" and one.notice.notifier == "slack"]
    return [min(one.at for one in told if one.at >= at) - at for at in begins]


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--breaks", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with tempfile.TemporaryDirectory() as folder:
        if given.breaks:
            await detection(Path(folder), given.breaks, given.seed)
        if given.days:
            await false_alarms(configured({}, Path(folder)), given.days, given.seed)


if __name__ == "__main__":
    asyncio.run(main())

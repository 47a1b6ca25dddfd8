"""The simulation itself: weather is what it says, and a daemon that dies keeps what it had committed."""

from __future__ import annotations

import pathlib
from dataclasses import replace
from random import Random

import pytest

from monitor.model import NoticeState, Reason, Severity
from tests.simulation.scenario import configured, seconds
from tests.simulation.simulation import Simulation, Told
from tests.simulation.weather import TROUBLES, Noise, Spell, Weather, bursts

pytestmark = pytest.mark.anyio
START = 1_773_100_800.0

CHAINS = """
endpoints:
  router: {dialect: openrouter, url: "http://127.0.0.1:9/api/v1", credential_env: OPENROUTER_API_KEY}
chains:
  - name: chat
    endpoint: router
    mode: server
    targets:
      - {label: primary, model: a/one, providers: [groq], timeout: 5s}
      - {label: secondary, model: b/two, timeout: 5s}
    probes: [{kind: completion, every: 60s}]
"""


@pytest.fixture
def chains(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "chains.yaml"
    path.write_text(CHAINS)
    return path


async def simulated(chains: pathlib.Path, *spells: Spell, lasts: float = 3600.0, **more: object) -> Simulation:
    simulation = Simulation(configured({}, chains.parent, chains), Weather(spells), start=START, **more)
    await simulation.run(lasts)
    return simulation


def out(start: float, end: float, on: str = "everything") -> Spell:
    return Spell(start=START + start, end=START + end, on=on, trouble=TROUBLES["server_error"])


def states(told: list[Told], alert: str, notifier: str = "slack") -> list[str]:
    return [one.notice.state for one in told if (one.notice.alert, one.notice.notifier) == (alert, notifier)]


async def test_nothing_happens_and_nobody_is_told(chains: pathlib.Path) -> None:
    simulation = await simulated(chains)
    assert simulation.told == []
    assert simulation.upstream.asked == pytest.approx(4 * 60, abs=8)


async def test_an_outage_is_told_while_it_lasts_and_its_end_after_it(chains: pathlib.Path) -> None:
    simulation = await simulated(chains, out(600, 1200))
    down = [one for one in simulation.told if one.notice.alert == "chain-down" and one.notice.notifier == "slack"]
    assert START + 600 <= down[0].at <= START + 600 + 65
    assert down[-1].notice.state is NoticeState.RESOLVED
    assert down[-1].at >= START + 1200


async def test_an_outage_that_runs_into_timeouts_is_confirmed_within_one_more_of_them(chains: pathlib.Path) -> None:
    walk = 10.0  # two targets of 5 s
    silent = replace(out(600, 1200), trouble=TROUBLES["timeout"])
    simulation = Simulation(configured({}, chains.parent, chains), Weather([silent]), start=START)
    await simulation.run(800)
    (down,) = (one.at for one in simulation.told if one.notice.alert == "chain-down" and one.notice.notifier == "slack")
    failed = [one.at for one in simulation.memory.lately["chat"] if one.is_chain and one.reason is Reason.TIMEOUT]
    assert down - failed[0] <= walk + 1.0


async def test_a_burst_of_rate_limits_is_a_warning_and_one_that_lasts_wakes_somebody(chains: pathlib.Path) -> None:
    def limited(lasts: float) -> Spell:
        return replace(out(600, 600 + lasts), trouble=TROUBLES["rate_limited"])

    burst, storm = await simulated(chains, limited(120)), await simulated(chains, limited(600))
    assert {(one.notice.alert, one.notice.severity) for one in burst.told} == {("chain-limited", Severity.WARNING)}
    paged = next(one for one in storm.told if one.notice.severity is Severity.CRITICAL)
    assert (paged.notice.alert, paged.notice.worse) == ("chain-down", True)
    assert START + 600 + 180 <= paged.at <= START + 600 + 180 + 2 * 60 + 2


async def test_a_dead_primary_brings_nobody_down(chains: pathlib.Path) -> None:
    simulation = await simulated(chains, out(600, 3000, "provider:groq"))
    alerts = {one.notice.alert for one in simulation.told}
    assert "chain-down" not in alerts
    assert "chain-degraded" in alerts


async def test_what_the_daemon_had_told_is_known_after_a_kill(chains: pathlib.Path) -> None:
    simulation = Simulation(configured({}, chains.parent, chains), Weather([out(600, 2400)]), start=START)
    await simulation.run(3600, kills=[(START + 1000, START + 1200)])
    down = [one for one in simulation.told if one.notice.alert == "chain-down" and one.notice.notifier == "slack"]
    assert len({one.notice.incident for one in down}) == 1
    assert [one.edits for one in down] == [False] + [True] * (len(down) - 1)


async def test_a_notifier_that_is_down_hears_of_it_afterwards(chains: pathlib.Path) -> None:
    simulation = await simulated(chains, out(600, 3600), down={"slack": [(START, START + 2000)]})
    first = next(one for one in simulation.told if one.notice.notifier == "slack")
    assert first.at >= START + 2000
    assert states(simulation.told, "chain-down") != []


async def test_the_same_seed_gives_the_same_day(chains: pathlib.Path) -> None:
    def heard(simulation: Simulation) -> list[tuple[float, str, str]]:
        return [(one.at, one.notice.title, one.notice.cause) for one in simulation.told]

    shaky = replace(out(300, 3000), trouble=replace(TROUBLES["overloaded"], share=0.5))
    one, two = await simulated(chains, shaky, seed=7), await simulated(chains, shaky, seed=7)
    assert heard(one) == heard(two) != []


def test_bursts_are_429_of_single_providers_and_as_many_as_asked_for() -> None:
    noise = Noise(bursts=4.0, burst_seconds=60.0)
    found = bursts(["groq", "openai"], START, 30.0, noise, Random(3))
    assert {spell.on for spell in found} == {"provider:groq", "provider:openai"}
    assert len(found) == pytest.approx(240, abs=50)
    assert {spell.trouble.reason for spell in found} == {Reason.RATE_LIMITED}
    assert all(START <= spell.start < START + 30 * 86400 and 30 <= spell.end - spell.start <= 90 for spell in found)


def test_durations_are_written_as_in_configs() -> None:
    assert [seconds(text) for text in ("1h30m", "45s", "2d")] == [5400.0, 45.0, 172800.0]

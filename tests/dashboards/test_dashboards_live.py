"""Every query of the dashboards on a real Prometheus that scraped a real daemon: a break, drills, a recovery."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from dashboards.pictures.asking import Prometheus, Series, Span
from dashboards.pictures.page import picture
from dashboards.queries import Shape
from dashboards.reading import Asked, load, marks, queries, uids
from tests.dashboards.grafana_stage import ALERTS, CHAINS, SCRAPE, prometheus
from tests.e2e.daemon import Daemon, until

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.needs("prometheus"),
    pytest.mark.xdist_group("dashboards-live"),  # one daemon for all of them
]

PRIMARY = "anthropic/claude-haiku-4.5"


Metrics = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Seen:
    """What the dashboards show after the story, and what the daemon itself says."""

    def __init__(self, source: Prometheus, metrics: Metrics) -> None:
        self._source = source
        self._metrics = metrics

    def shown(self, uid: str, title: str, ref: str = "A", **chosen: str) -> list[Series]:
        (asked,) = [one for one in queries(load(uid)) if (one.panel, one.ref) == (title, ref)]
        return self.answer(asked, **chosen)

    def answer(self, asked: Asked, **chosen: str) -> list[Series]:
        values = {"window": "2m", "provider": "anthropic", **chosen}
        if asked.dashboard == "fallbackd-chain":
            values.setdefault("chain", "chat")
        return self._source.answer(asked, load(asked.dashboard), values)

    def drawn(self, uid: str) -> bytes:
        return picture(load(uid), self._source, {"window": "2m", "provider": "anthropic", "chain": "chat"}, "a note")

    def metric(self, name: str, **labels: str) -> float:
        wanted = set(labels.items())
        return sum(value for (found, own), value in self._metrics.items() if found == name and wanted <= own)


async def _healthy(daemon: Daemon, chain: str) -> None:
    async def look() -> bool:
        return (await daemon.get(f"/api/v1/chains/{chain}"))["health"] == "healthy"

    await until(look, f"{chain} is healthy")


async def _scraped(url: str, expr: str) -> None:
    """Until Prometheus knows it too."""

    async def look() -> bool:
        async with httpx.AsyncClient(trust_env=False) as client:
            reply = await client.get(f"{url}/api/v1/query", params={"query": expr})
            return bool(reply.raise_for_status().json()["data"]["result"])

    await until(look, f"Prometheus sees that {expr}")


async def _drill(daemon: Daemon, name: str, chain: str) -> None:
    async def begun() -> bool:
        return (await daemon.post(f"/api/v1/drills/{name}/runs")).status_code == 202

    async def passed() -> bool:
        return await daemon.metric("fallbackd_drills_total", chain=chain, drill=name, verdict="passed") == 1

    await until(begun, f"{name} begins")
    await until(passed, f"{name} passes", seconds=60)


async def _break_and_mend(daemon: Daemon, url: str) -> None:
    await daemon.break_(PRIMARY, "unavailable")

    async def served_by_second() -> bool:
        answers = "fallbackd_chain_answers_total"
        return await daemon.metric(answers, chain="chat", position="1", origin="scheduled") >= 3

    async def degraded() -> bool:
        return await daemon.metric("fallbackd_alerts_firing", alert="chain-degraded", chain="chat") == 1

    async def traffic_served_by_second() -> bool:
        answers = "fallbackd_chain_answers_total"
        return await daemon.metric(answers, chain="chat", position="1", origin="live") >= 2

    await until(served_by_second, "the second target serves")
    await until(traffic_served_by_second, "the second target serves the traffic too")
    await until(degraded, "the alert fires")
    await _scraped(url, 'fallbackd_alerts_firing{alert="chain-degraded", chain="chat"} == 1')
    await _scraped(url, 'fallbackd_target_health{chain="chat", provider="anthropic", state="down"} == 1')
    await daemon.mend()
    await _healthy(daemon, "chat")


@pytest.fixture(scope="module")
async def seen(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Seen]:
    folder: Path = tmp_path_factory.mktemp("seen")
    daemon = Daemon(folder, chains=CHAINS, alerts=ALERTS)
    async with AsyncExitStack() as stack:
        stack.callback(daemon.kill)
        await daemon.start()
        start = time.time()
        url = await stack.enter_async_context(prometheus(folder, daemon.url))
        await _scraped(url, 'up{job="fallbackd"} == 1')
        await _healthy(daemon, "chat")
        await _healthy(daemon, "walked")
        await _break_and_mend(daemon, url)
        await _drill(daemon, "primary-gone", "chat")
        await _drill(daemon, "fast-refuses", "walked")
        await _scraped(url, 'sum(fallbackd_drills_total{verdict="passed"}) == 2')
        span = Span(start=start, end=time.time(), step=SCRAPE, scrape=SCRAPE)
        source = Prometheus(url, span)
        stack.callback(source.close)
        yield Seen(source, await daemon.metrics())


def _number(series: list[Series]) -> float:
    (only,) = series
    return only.last


def _highest(series: list[Series]) -> float:
    return max(value for one in series for _, value in one.points if not math.isnan(value))


def _by(series: list[Series], label: str) -> dict[str, float]:
    return {one.labels.get(label, ""): one.last for one in series}


ASKED = [asked for uid in uids() for asked in (*queries(load(uid)), *marks(load(uid)))]


def _near(value: float) -> object:
    """The daemon goes on after Prometheus's last look."""
    return pytest.approx(value, rel=0.05, abs=4)


async def test_no_panel_is_without_data(seen: Seen) -> None:
    empty = []
    for asked in ASKED:
        values = [value for one in seen.answer(asked) for _, value in one.points]
        if not values or all(math.isnan(value) for value in values):
            empty.append(asked.place)
    assert empty == []


async def test_every_label_of_a_legend_comes_with_the_answer(seen: Seen) -> None:
    for asked in ASKED:
        if asked.shape is Shape.RANGE and "{{" in asked.legend:
            assert any(one.name(asked.legend) for one in seen.answer(asked)), asked.place


async def test_the_overview_shows_the_break_and_the_recovery(seen: Seen) -> None:
    page = "fallbackd-overview"
    assert _number(seen.shown(page, "Healthy")) == 2
    assert _number(seen.shown(page, "Down")) == 0
    health = {one.labels["chain"]: one for one in seen.shown(page, "Health")}
    assert health["chat"].last == 1
    assert max(value for _, value in health["chat"].points) == 3
    assert {one.labels["chain"]: one.labels["position"] for one in seen.shown(page, "Chains", "B")} == {
        "chat": "0",
        "walked": "0",
    }
    share = seen.metric("fallbackd_chain_fallback_ratio", chain="chat", window="15m")
    assert 0 < share < 1
    assert _by(seen.shown(page, "Chains", "C"), "chain") == {"chat": pytest.approx(share, abs=0.1), "walked": 0}
    assert _by(seen.shown(page, "Chains", "D"), "chain") == {"chat": 1, "walked": 1}
    burning = seen.metric("fallbackd_chain_burn_rate", chain="chat", window="1h")
    assert _by(seen.shown(page, "Chains", "E"), "chain") == {"chat": pytest.approx(burning, abs=0.5), "walked": 0}
    assert _by(seen.shown(page, "Chains", "H"), "chain") == {"chat": 0.995, "walked": 0.99}
    assert _number(seen.shown(page, "Fastest burn (1 h)")) == pytest.approx(burning, abs=0.5)
    assert _number(seen.shown(page, "Answered")) == 1
    alerts = {one.labels["alert"]: _highest([one]) for one in seen.shown(page, "Alerts")}
    assert alerts == {"chain-down": 0, "chain-degraded": 1}
    spent = seen.metric("fallbackd_probe_cost_usd_total")
    assert _number(seen.shown(page, "Spent")) == pytest.approx(spent, rel=0.3)


async def test_the_chain_shows_who_served_and_what_failed(seen: Seen) -> None:
    page = "fallbackd-chain"
    answers = "fallbackd_chain_answers_total"
    by_position = {
        name: sum(seen.metric(answers, chain="chat", position=position, origin=one) for one in ("scheduled", "live"))
        for name, position in (("primary", "0"), ("fallback 1", "1"), ("nobody", ""))
    }
    shown = _by(seen.shown(page, "Who served"), "position")
    assert shown == {name: _near(count) for name, count in by_position.items()}
    assert shown["fallback 1"] > 0
    reasons = _by(seen.shown(page, "Failures by reason"), "reason")
    assert reasons["server_error"] + reasons["overloaded"] > 0
    health = {one.labels["target"]: _highest([one]) for one in seen.shown(page, "Health of its targets")}
    assert health["secondary"] == 1
    assert _highest(seen.shown(page, "Health of its targets")) == 4
    assert [one.labels["position"] for one in seen.shown(page, "Served by")] == ["0"]
    quantiles = [_number(seen.shown(page, "Time to the whole answer, quantiles", ref)) for ref in "ABC"]
    assert 0 < quantiles[0] <= quantiles[1] <= quantiles[2] < 5
    left = seen.metric("fallbackd_budget_remaining_usd", chain="chat")
    assert _number(seen.shown(page, "Budget left today")) == pytest.approx(left, rel=0.01)


async def test_the_chain_shows_its_attempts(seen: Seen) -> None:
    shown = {
        (one.labels["target"], one.labels["reason"]): one.last for one in seen.shown("fallbackd-chain", "Attempts")
    }
    for target in ("primary", "secondary"):
        asked = {"chain": "chat", "target": target, "reason": "none"}
        answered = sum(seen.metric("fallbackd_attempts_total", **asked, origin=one) for one in ("scheduled", "live"))
        assert answered > 0
        assert shown[target, "answered"] == _near(answered)
    assert sum(count for (target, ending), count in shown.items() if target == "primary" and ending != "answered") > 0
    assert not any(count for (target, ending), count in shown.items() if target == "secondary" and ending != "answered")


async def test_the_chain_shows_what_its_targets_can_do(seen: Seen) -> None:
    able = seen.shown("fallbackd-chain", "What its targets can do")
    assert {(one.labels["target"], one.labels["capability"]) for one in able} == {
        ("primary", "tools"),
        ("secondary", "tools"),
    }
    assert all(one.last == 1 for one in able)
    (none_needed,) = seen.shown("fallbackd-chain", "What its targets can do", chain="walked")
    assert none_needed.last == -1
    assert {one.labels["finding"] for one in seen.shown("fallbackd-chain", "Catalogue")} >= {"model_gone", "unserved"}


async def test_a_chain_without_a_budget_says_so(seen: Seen) -> None:
    assert _number(seen.shown("fallbackd-chain", "Budget left today", chain="walked")) == -1
    assert _by(seen.shown("fallbackd-itself", "Budgets"), "chain")["walked"] == -1


async def test_the_provider_of_the_primary_was_in_trouble_and_the_others_were_not(seen: Seen) -> None:
    page = "fallbackd-providers"
    share = _by(seen.shown(page, "All providers", "C"), "provider")
    assert share["openai"] > share["anthropic"]
    assert _number(seen.shown(page, "Answered")) < 1
    assert _number(seen.shown(page, "Answered", provider="openai")) == 1
    assert 0 < _number(seen.shown(page, "Where $provider serves", "D")) < 60


async def test_what_the_endpoint_reports_stands_beside_ours(seen: Seen) -> None:
    page = "fallbackd-providers"
    ours = set(_by(seen.shown(page, "All providers", "A"), "provider"))
    reported = _by(seen.shown(page, "All providers", "E"), "provider")
    assert set(reported) == set(_by(seen.shown(page, "All providers", "F"), "provider")) == ours
    for provider in ("anthropic", "openai"):
        model = PRIMARY if provider == "anthropic" else "openai/gpt-4o-mini"
        own = seen.metric("fallbackd_reported_uptime_ratio", provider=provider, model=model, window="1d")
        assert reported[provider] == own > 0.9
    beside = _by(seen.shown(page, "Answered over time, beside the reported uptime", "B"), "model")
    assert PRIMARY in beside


async def test_the_drills_show_what_was_proven_and_how_fast(seen: Seen) -> None:
    page = "fallbackd-drills"
    assert _number(seen.shown(page, "Passed")) == 2
    assert _number(seen.shown(page, "Deviated")) == 0
    assert {(one.labels["failover"], one.labels["fault"]) for one in seen.shown(page, "Failovers proven")} == {
        ("chat primary->secondary", "ignore"),
        ("walked fast->steady", "rate_limited"),
    }
    assert all(0 <= one.last < 120 for one in seen.shown(page, "Failovers proven"))
    took = seen.shown(page, "Failover time by fault")
    assert {one.labels["fault"] for one in took} == {"ignore", "rate_limited"}
    assert all(0 < one.last < 10 for one in took)
    assert _highest(seen.shown(page, "Faults over time")) == 1
    paths = _by(seen.shown(page, "How broken chains answered"), "path")
    assert paths["filtered"] > 0
    assert paths["failed_over"] > 0


async def test_faults_are_drawn_into_the_panels_also_once_their_drill_has_ended(seen: Seen) -> None:
    (active,) = [one for one in marks(load("fallbackd-drills")) if one.panel == "Faults active"]
    drawn = {one.labels["drill"]: one for one in seen.answer(active)}
    faults = {"primary-gone": "ignore", "fast-refuses": "rate_limited"}
    assert {drill: one.labels["fault"] for drill, one in drawn.items()} == faults
    shown = {one.labels["drill"]: one for one in seen.shown("fallbackd-drills", "Faults over time")}
    whole = {time for time, value in shown["primary-gone"].points if value == 0}
    assert {time for time, value in drawn["primary-gone"].points if value == 1} & whole


async def test_the_gateway_shows_the_traffic_and_who_answered_it(seen: Seen) -> None:
    page = "fallbackd-gateway"
    requests = seen.metric("fallbackd_gateway_requests_total", chain="chat")
    assert _number(seen.shown(page, "Requests")) == _near(requests)
    live = seen.metric("fallbackd_chain_answers_total", chain="chat", origin="live", position="1")
    assert live > 0
    served = _by(seen.shown(page, "Who served"), "position")
    assert served["fallback 1"] == _near(live)
    assert 0 < _number(seen.shown(page, "From a fallback")) < 1
    assert _number(seen.shown(page, "Failed")) == 0
    assert 0 < _number(seen.shown(page, "95 % within")) < 5
    assert {one.labels["chain"] for one in seen.shown(page, "Traffic by chain", "A")} == {"chat"}
    assert {one.labels["target"] for one in seen.shown(page, "Cost by who served")} == {"primary", "secondary"}
    added = {one.labels["part"]: one for one in seen.shown(page, "Added by the gateway itself, 99 %")}
    assert set(added) == {"request", "answer", "turn"}
    assert 0 < _highest([added["request"]]) < 1
    tokens = _by(seen.shown(page, "Tokens"), "direction")
    assert tokens["completion"] == pytest.approx(
        seen.metric("fallbackd_gateway_tokens_total", chain="chat", direction="completion"), rel=0.05
    )


async def test_the_daemon_shows_itself(seen: Seen) -> None:
    page = "fallbackd-itself"
    assert _number(seen.shown(page, "Config")) == 1
    assert 0 < _number(seen.shown(page, "Config in force for")) < 300
    asked = seen.metric("fallbackd_schedule_lag_seconds_count")
    assert _number(seen.shown(page, "Scheduled questions")) == _near(asked)
    assert 0 < _number(seen.shown(page, "Scheduled questions", window="4s")) < asked
    assert 0 <= _number(seen.shown(page, "Lag, 99 %")) < 30
    assert _number(seen.shown(page, "Series")) > 100
    assert _number(seen.shown(page, "Own network")) == 1
    assert _number(seen.shown(page, "Notifiers broken")) == 0
    assert _number(seen.shown(page, "Traffic unread")) == 0
    assert 0 <= _number(seen.shown(page, "Catalogue read")) < 300
    shared = {one.labels["scope"]: one.last for one in seen.shown(page, "Budgets of several chains")}
    left = {scope: seen.metric("fallbackd_shared_budget_remaining_usd", scope=scope) for scope in shared}
    assert set(shared) == {"overall", "provider"}
    assert shared == {scope: pytest.approx(usd, rel=0.01) for scope, usd in left.items()}
    assert _number(seen.shown(page, "Shared budgets")) == pytest.approx(min(left.values()), rel=0.01)
    assert _by(seen.shown(page, "Keys and catalogues", "C"), "endpoint") == {
        "openrouter": seen.metric("fallbackd_credits_remaining_usd", endpoint="openrouter")
    }
    (version,) = seen.shown(page, "Versions")
    assert version.labels["version"]
    assert 0 < version.last < 300


@pytest.mark.parametrize("uid", uids())
async def test_a_dashboard_can_be_drawn_small_enough_for_the_readme(seen: Seen, uid: str) -> None:
    drawn = seen.drawn(uid)
    assert drawn.startswith(b"\x89PNG")
    assert 10_000 < len(drawn) < 150_000

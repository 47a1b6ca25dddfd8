"""Real processes: the catalogue changes under a running daemon, and while none runs; what happened is explained."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from chaos.sandbox import Sandbox
from tests.e2e.daemon import Daemon, command, until

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

HAIKU, MINI = "anthropic/claude-haiku-4.5", "openai/gpt-4o-mini"
CHAINS = """
endpoints:
  openrouter:
    {{dialect: openrouter, url: "{url}", credential_env: OPENROUTER_API_KEY{extra}}}
catalogue: {{every: 1s}}
chains:
  - name: chat
    endpoint: openrouter
    mode: server
    targets:
      - {{label: primary, model: anthropic/claude-haiku-4.5, providers: discover, timeout: 5s}}
      - {{label: secondary, model: openai/gpt-4o-mini, timeout: 5s}}
    probes:
      - {{kind: completion, every: 1s, of: [chain]}}
      - {{kind: completion, every: 2s, of: [targets, providers]}}
"""
ALERTS = """
notifiers:
  - {name: log, kind: log}
routes:
  - {notify: [log]}
rules:
  - {name: drift, when: catalogue_drift}
"""
MakeDaemon = Callable[..., Daemon]


class Router:
    """A sandbox of the test's own, which outlives the daemons."""

    def __init__(self, sandbox: Sandbox, url: str) -> None:
        self.sandbox, self.url = sandbox, url

    async def change(self, **body: Any) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            reply = await client.post(f"{self.sandbox.control_url}/control/catalogue", json=body)
            assert reply.status_code == 200, reply.text


@pytest.fixture
async def router() -> AsyncIterator[Router]:
    sandbox = Sandbox()
    yield Router(sandbox, await sandbox.start())
    await sandbox.stop()


@pytest.fixture
def start(make_daemon: MakeDaemon, router: Router) -> MakeDaemon:
    def make(extra: str = "") -> Daemon:
        text = CHAINS.format(url=router.url, extra=extra)
        return make_daemon(chains=text, alerts=ALERTS, OPENROUTER_API_KEY="key-of-a-test")

    return make


async def findings(daemon: Daemon) -> dict[str, dict[str, Any]]:
    found = (await daemon.get("/api/v1/catalogue"))["findings"]
    return {f"{one['finding']} {one['subject']}": one for one in found}


async def has(daemon: Daemon, *wanted: str) -> Any:
    async def look() -> Any:
        found = await findings(daemon)
        return found if {*wanted} <= found.keys() else None

    return await until(look, f"the catalogue shows {wanted}")


async def test_changes_are_found_told_and_over_when_undone(start: MakeDaemon, router: Router) -> None:
    daemon = start()
    await daemon.start("--mute", sandbox=False)
    await until(lambda: daemon.get("/api/v1/catalogue"), "the catalogue is read")
    assert await findings(daemon) == {}
    await router.change(model=MINI, provider="openai", prompt=9.0, status=-2, uptime=71.5)
    await router.change(key={"limit": 10, "limit_remaining": 0.5})
    found = await has(daemon, f"price_changed {MINI} at openai", "key_limit_low the key of openrouter")
    assert found[f"price_changed {MINI} at openai"]["used_by"] == "used by 1 chain: chat (secondary, position 1)"
    assert found[f"endpoint_degraded {MINI} at openai"]["alerts"] is False

    async def told() -> Any:
        return [one for one in (await daemon.get("/api/v1/alerts"))["alerts"] if one["state"] == "firing"]

    (alert,) = await until(told, "the alert fires")
    assert alert["alert"] == "drift"
    assert dict(alert["facts"]).keys() == {"price_changed", "key_limit_low"}
    labels = {"model": MINI, "provider": "openai", "window": "30m"}
    assert await daemon.metric("fallbackd_reported_uptime_ratio", **labels) == 0.715
    assert await daemon.metric("fallbackd_catalogue_findings", chain="chat", finding="price_changed") == 1
    assert await daemon.metric("fallbackd_key_limit_remaining_usd", endpoint="openrouter") == 0.5
    assert 0 <= await daemon.metric("fallbackd_catalogue_age_seconds", endpoint="openrouter") < 10
    shown = command("catalogue", "--url", daemon.url)
    assert f"{MINI} at openai: prompt 0.15 -> 9 USD" in " ".join(shown.stdout.split())
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.delete(f"{router.sandbox.control_url}/control/catalogue")

    async def over() -> bool:
        return not await findings(daemon) and not await told()

    await until(over, "everything is undone")


async def test_a_change_while_the_daemon_was_down_is_found_and_told_once(start: MakeDaemon, router: Router) -> None:
    daemon = start()
    await daemon.start("--mute", sandbox=False)
    await until(lambda: daemon.get("/api/v1/catalogue"), "the catalogue is read")
    assert await daemon.stop() == 0
    await router.change(model=MINI, provider="azure", drop=True)
    await daemon.start("--mute", sandbox=False)
    found = await has(daemon, f"provider_left {MINI} at azure")
    since = found[f"provider_left {MINI} at azure"]["since"]
    assert await daemon.stop() == 0
    await daemon.start("--mute", sandbox=False)
    again = await has(daemon, f"provider_left {MINI} at azure")
    assert again[f"provider_left {MINI} at azure"]["since"] == since
    assert daemon.output.count('"event": "azure no longer serves') == 1


async def test_a_model_that_is_gone_is_found_before_its_probe_fails(start: MakeDaemon, router: Router) -> None:
    daemon = start()
    await daemon.start("--mute", sandbox=False)
    await until(lambda: daemon.get("/api/v1/catalogue"), "the catalogue is read")
    await router.change(model=MINI, retire=True)
    found = await has(daemon, f"model_gone {MINI}")
    assert found[f"model_gone {MINI}"]["chains"] == ["chat"]

    async def down() -> bool:
        return (await daemon.get("/api/v1/chains/chat"))["health"] == "down"

    await until(down, "the router refuses the whole chain")
    told = command("explain", "chat", "--url", daemon.url)
    assert "The catalogue: openrouter no longer knows openai/gpt-4o-mini" in " ".join(told.stdout.split())


async def test_a_model_with_a_new_name_is_found_with_the_new_name(start: MakeDaemon, router: Router) -> None:
    daemon = start()
    await daemon.start("--mute", sandbox=False)
    await until(lambda: daemon.get("/api/v1/catalogue"), "the catalogue is read")
    await router.change(model=MINI, rename="openai/gpt-4o-mini-2")
    found = (await has(daemon, f"model_renamed {MINI}"))[f"model_renamed {MINI}"]
    says = "is no id of the catalogue any more; it leads to openai/gpt-4o-mini-2: name that one"
    assert found["detail"] == f"{MINI} {says}"
    assert found["used_by"] == "used by 1 chain: chat (secondary, position 1)"

    async def told() -> Any:
        return [one for one in (await daemon.get("/api/v1/alerts"))["alerts"] if one["state"] == "firing"]

    alerts = await until(told, "the alert fires")
    assert "a model has another name" in alerts[0]["title"]


async def test_discovered_providers_come_and_go_without_a_reload(start: MakeDaemon, router: Router) -> None:
    daemon = start()
    await daemon.start("--mute", sandbox=False)

    async def all_asked(wanted: list[str]) -> bool:
        """Exactly these are listed, and each has answered; one that merely fails is listed still."""
        providers = (await daemon.get("/api/v1/chains/chat"))["targets"][0]["providers"]
        return [(one["provider"], one["health"]) for one in providers] == [(name, "healthy") for name in wanted]

    await until(lambda: all_asked(["anthropic", "amazon-bedrock"]), "both providers are asked")
    await router.change(model=HAIKU, provider="google-vertex", add=True)
    await until(lambda: all_asked(["anthropic", "amazon-bedrock", "google-vertex"]), "the new one is asked too")
    await router.change(model=HAIKU, provider="anthropic", drop=True)
    await until(lambda: all_asked(["amazon-bedrock", "google-vertex"]), "the one that left is no longer asked")
    labels = {"chain": "chat", "target": "primary", "state": "healthy"}
    assert await daemon.metric("fallbackd_target_health", **labels, provider="google-vertex") == 1

    async def forgotten() -> bool:
        keys = await daemon.metrics()
        return not [key for key in keys if key[0] == "fallbackd_target_health" and ("provider", "anthropic") in key[1]]

    await until(forgotten, "the metrics no longer hold the one that left")


async def test_a_fallback_without_attempts_is_looked_up_and_explained(start: MakeDaemon, router: Router) -> None:
    daemon = start(extra=', headers: {X-OpenRouter-Metadata: "off"}')
    router.sandbox.break_(HAIKU, None, "overloaded")
    await daemon.start("--mute", sandbox=False)

    async def looked_up() -> Any:
        outcomes = (await daemon.get("/api/v1/outcomes?chain=chat"))["outcomes"]
        return next((one for one in outcomes if one["target"] is None and one["path"] == "failed_over"), None)

    outcome = await until(looked_up, "the record tells failed over", seconds=40)
    assert outcome["attempts"][0]["position"] == 0
    assert outcome["detail"].endswith("(from the record of the answer)")
    assert await daemon.metric("fallbackd_generation_lookups_total", result="found") >= 1
    told = json.loads(command("explain", outcome["id"], "--url", daemon.url, "--json").stdout)
    sentences = {one["topic"]: one["text"] for one in told["sentences"]}
    assert sentences["why"].startswith("Failed over: primary was called and failed (")
    assert "overloaded" in sentences["advice"]
    assert await daemon.stop() == 0, "what still waits for its record does not hold the stop up"


async def test_what_cannot_be_explained_is_said_in_one_sentence(start: MakeDaemon) -> None:
    daemon = start()
    await daemon.start("--mute", sandbox=False)
    for what, says in (("nothing", "there is no chain nothing"), ("0" * 26, f"there is no outcome {'0' * 26}")):
        refused = command("explain", what, "--url", daemon.url)
        assert (refused.returncode, refused.stderr.strip()) == (2, says)
    alone = command("explain", "chat", "--data", str(daemon.folder / "elsewhere"))
    assert alone.returncode == 2
    assert "no daemon runs here" in alone.stderr


def test_the_catalogue_can_be_shown_without_a_daemon() -> None:
    shown = command("catalogue", "--sandbox", "--json")
    found = json.loads(shown.stdout)
    assert {one["label"] for one in found["targets"]} >= {"primary", "secondary"}
    assert found["findings"] == []

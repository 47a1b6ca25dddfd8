"""fallbackd against a real LiteLLM proxy: who served, what cooldown looks like, what an import and a diff say of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.daemon import command
from tests.litellm.conftest import BACKUP, KEY, PRIMARY, PROXY, Proxy

pytestmark = [pytest.mark.slow, pytest.mark.needs(PROXY), pytest.mark.xdist_group("litellm")]

CHAINS = """
endpoints:
  proxy: {{dialect: litellm, url: "{url}", credential_env: PROXY_KEY}}
chains:
  - name: chat
    endpoint: proxy
    mode: server
    targets:
      - {{label: first, model: chat, timeout: 10s}}
      - {{label: second, model: chat-backup, timeout: 10s}}
    routing: {{include_fallback_errors: {told}}}
    probes: [{{kind: completion, every: 60s}}]
  - name: ordered
    endpoint: proxy
    mode: provider
    model: ordered
    targets:
      - {{label: first, provider: ordered-first, timeout: 10s}}
      - {{label: second, provider: ordered-second, timeout: 10s}}
    probes: [{{kind: completion, every: 60s}}]
drills:
  - {{name: first-down, chain: chat, break: first, with: unavailable}}
  - {{name: first-full, chain: chat, break: first, with: context_length}}
  - {{name: first-moderated, chain: chat, break: first, with: moderated}}
"""
ALERTS = "notifiers: [{name: log, kind: log}]\nroutes: [{notify: [log]}]\nrules: [{name: down, when: chain_down}]\n"


class Asker:
    def __init__(self, folder: Path, proxy: Proxy) -> None:
        self.folder = folder
        self.proxy = proxy
        (folder / "alerts.yaml").write_text(ALERTS)

    def run(self, *arguments: str, told: bool = False) -> subprocess.CompletedProcess[str]:
        chains = self.folder / "chains.yaml"
        chains.write_text(CHAINS.format(url=self.proxy.url, told=str(told).lower()))
        files = ["--chains", str(chains), "--alerts", str(self.folder / "alerts.yaml")]
        return command(*arguments, *files, env={"PROXY_KEY": KEY})

    def ask(self, chain: str, target: str = "chain", *, kind: str = "completion", told: bool = False) -> dict[str, Any]:
        done = self.run("probe", chain, "--target", target, "--kind", kind, "--json", told=told)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)[0]


@pytest.fixture
def asker(tmp_path: Path, proxy: Proxy) -> Asker:
    return Asker(tmp_path, proxy)


@pytest.mark.parametrize("kind", ["completion", "stream"])
def test_a_whole_proxy_is_served_by_its_first_group(asker: Asker, kind: str) -> None:
    outcome = asker.ask("chat", kind=kind)
    assert (outcome["status"], outcome["path"], outcome["served_by"]) == ("ok", "primary", "first"), outcome
    assert outcome["served_provider"] == "chat-first"


@pytest.mark.parametrize("kind", ["completion", "stream"])
def test_a_broken_first_group_falls_back_and_the_default_proxy_does_not_say_how(asker: Asker, kind: str) -> None:
    asker.proxy.break_(asker.proxy.primary, PRIMARY, "unavailable")
    outcome = asker.ask("chat", kind=kind)
    assert (outcome["status"], outcome["path"], outcome["served_by"]) == ("ok", "fell_back", "second"), outcome


def test_told_attempts_tell_failed_over_from_left_out_in_cooldown(asker: Asker) -> None:
    asker.proxy.break_(asker.proxy.primary, PRIMARY, "unavailable")
    first, second = asker.ask("chat", told=True), asker.ask("chat", told=True)
    assert (first["path"], [one["status_code"] for one in first["attempts"]]) == ("failed_over", [503, 200]), first
    assert [one["position"] for one in first["attempts"]] == [0, 1]
    assert second["path"] in ("filtered", "failed_over"), second
    assert second["served_by"] == "second"


def test_a_broken_target_is_not_answered_by_its_fallback(asker: Asker) -> None:
    asker.proxy.break_(asker.proxy.primary, PRIMARY, "unavailable")
    outcome = asker.ask("chat", "first")
    assert (outcome["status"], outcome["reason"]) == ("failed", "server_error"), outcome
    assert asker.ask("chat", "second")["status"] == "ok"


def test_a_group_in_cooldown_says_so_with_its_end(asker: Asker) -> None:
    asker.proxy.break_(asker.proxy.primary, PRIMARY, "rate_limited")  # its Retry-After of half a minute is the cooldown
    assert asker.ask("chat", "first")["reason"] == "rate_limited"
    asker.proxy.mend()
    outcome = asker.ask("chat", "first")
    assert outcome["reason"] == "no_endpoint", outcome
    assert "every deployment of chat is in cooldown" in outcome["detail"]
    assert outcome["retry_after"] > 0


def test_everything_broken_is_one_exhausted_chain(asker: Asker) -> None:
    asker.proxy.break_(asker.proxy.primary, PRIMARY, "unavailable")
    asker.proxy.break_(asker.proxy.backup, BACKUP, "server_error")
    outcome = asker.ask("chat")
    assert (outcome["status"], outcome["path"]) == ("failed", "exhausted"), outcome
    assert [one["model"] for one in outcome["attempts"]] == ["chat", "chat-backup"], outcome


def test_deployments_in_order_are_a_chain_of_providers(asker: Asker) -> None:
    whole = asker.ask("ordered")
    assert (whole["path"], whole["served_by"]) == ("primary", "first"), whole
    assert asker.ask("ordered", "second@ordered-second")["served_provider"] == "ordered-second"
    asker.proxy.break_(asker.proxy.primary, PRIMARY, "unavailable")
    broken = asker.ask("ordered")
    assert (broken["status"], broken["served_by"]) == ("ok", "second"), broken


def test_its_own_config_imports_into_chains_that_hold(asker: Asker, tmp_path: Path) -> None:
    made = tmp_path / "imported.yaml"
    done = command("import", "litellm", str(asker.proxy.config), "--url", asker.proxy.url, "--output", str(made))
    assert done.returncode == 0, done.stderr
    files = ["--chains", str(made), "--alerts", str(tmp_path / "alerts.yaml")]
    probed = command("probe", "chat", *files, "--json", env={"LITELLM_MASTER_KEY": KEY})
    assert {one["status"] for one in json.loads(probed.stdout)} == {"ok"}, probed.stdout
    again = command("import", "litellm", str(asker.proxy.config), "--output", str(made))
    assert (again.returncode, "exists" in again.stderr) == (2, True)


def test_a_diff_names_what_the_proxy_does_otherwise(asker: Asker) -> None:
    done = asker.run("diff", "chat", "--json")
    found = json.loads(done.stdout)
    # A proxy without timeouts waits for 100 minutes: declared are seconds.
    assert (done.returncode, {one["kind"] for one in found["differences"]}) == (1, {"timeout"}), done.stdout
    swapped = CHAINS.replace("first, model: chat,", "first, model: chat-backup,")
    swapped = swapped.replace("second, model: chat-backup,", "second, model: chat,")
    (asker.folder / "other.yaml").write_text(swapped.format(url=asker.proxy.url, told="false"))
    files = ["--chains", str(asker.folder / "other.yaml"), "--alerts", str(asker.folder / "alerts.yaml")]
    done = command("diff", "chat", *files, env={"PROXY_KEY": KEY})
    assert done.returncode == 1
    assert "second (chat) is declared, and proxy never falls back to it." in done.stdout


@pytest.mark.parametrize("drill", ["first-down", "first-full", "first-moderated"])
def test_a_drill_makes_the_proxy_itself_fail_its_first_group(asker: Asker, drill: str) -> None:
    done = asker.run("drill", "run", drill, "--json", told=True)
    verdict = json.loads(done.stdout)["verdict"]
    assert (done.returncode, verdict["kind"], verdict["served_by"], verdict["path"]) == (
        0, "passed", "second", "failed_over",
    ), done.stdout + done.stderr  # fmt: skip


def test_what_a_chain_of_the_proxy_costs_is_known_from_the_proxy(asker: Asker) -> None:
    done = asker.run("plan")
    assert done.returncode == 0, done.stderr
    chat = next(line for line in done.stdout.splitlines() if line.lstrip().startswith("chat") and "completion" in line)
    assert "unknown" not in chat, done.stdout

"""What ``load`` makes of good files, and of files that are no files of settings at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.config.loading import load
from monitor.config.model import Config, Of, Vocabulary
from monitor.config.reading import MAX_BYTES
from monitor.errors import ConfigError
from monitor.model import Mode, Reason, Severity

ROOT = Path(__file__).parents[2]
Load = Callable[..., Config]

CLIENT = """\
endpoints:
  local: {dialect: openai_compatible, url: "http://127.0.0.1:9/v1"}
chains:
  - name: chat
    endpoint: local
    mode: client
    targets: [{label: first, model: a/one}, {label: second, model: b/two}]
    probes: [{kind: completion, every: 60s}]
"""
SLACK = """\
notifiers:
  - {name: slack, kind: slack, optional: OPTIONAL, token_env: SLACK_BOT_TOKEN, channel: "#oncall"}
routes: [{notify: [slack]}]
rules: [{name: down, when: chain_down}]
"""


def complaint(load_texts: Load, **files: object) -> str:
    with pytest.raises(ConfigError) as caught:
        load_texts(**files)
    return str(caught.value)


@pytest.fixture
def shipped(vocabulary: Vocabulary) -> Config:
    environ = {"OPENROUTER_API_KEY": "key-of-a-test"}
    return load(ROOT / "chains.yaml", ROOT / "alerts.yaml", vocabulary=vocabulary, environ=environ)


def test_the_shipped_files_are_good_with_nothing_but_an_openrouter_key(shipped: Config) -> None:
    assert shipped.warnings == ()
    assert shipped.muted == {"slack": "slack: the environment variable SLACK_BOT_TOKEN is not set"}
    assert list(shipped.secrets) == ["endpoints/openrouter"]


def test_the_shipped_chains_show_every_mode(shipped: Config) -> None:
    assert [chain.mode for chain in shipped.chains] == [Mode.SERVER, Mode.PROVIDER, Mode.CLIENT]
    assert all(chain.budget for chain in shipped.chains)


def test_the_shipped_rules_show_every_condition(shipped: Config, vocabulary: Vocabulary) -> None:
    assert {rule.when for rule in shipped.alerts.rules} == set(vocabulary.rules)


def test_a_shipped_drill_is_due_soon_after_a_start(shipped: Config) -> None:
    assert [drill.first_after for drill in shipped.drills if drill.name == "primary-gone"] == [20.0]


def test_values_are_read_once_and_for_all(shipped: Config) -> None:
    chat = shipped.chain("chat")
    assert chat.targets[0].timeout == 30.0
    assert chat.objective.success == pytest.approx(0.995)
    assert chat.probes[0].of == (Of.CHAIN,)
    assert Reason.RATE_LIMITED in chat.move_on
    assert shipped.alerts.rules[0].severity is Severity.CRITICAL
    assert shipped.alerts.notifiers[0].settings.channel == "#llm-oncall"


def test_a_fault_and_an_injector_may_be_written_with_hyphens(load_texts: Load) -> None:
    drills = (
        "drills:\n  - {name: a, chain: chat, with: unknown-id}\n  - {name: b, chain: chat, with: {max-price: {}}}\n"
    )
    router = CLIENT.replace("openai_compatible,", "openrouter, credential_env: OPENROUTER_API_KEY,")
    config = load_texts(chains=router.replace("client", "server") + drills)
    assert [drill.with_ for drill in config.drills] == ["unknown_id", {"max_price": {}}]


def test_mistakes_of_both_files_come_in_one_go(load_texts: Load) -> None:
    chains = (
        CLIENT.replace("every: 60s", "every: 60").replace("client", "cleint").replace("endpoint: local", "endpoint: x")
    )
    alerts = SLACK.replace("OPTIONAL", "perhaps").replace("chain_down", "chain_dwn")
    assert complaint(load_texts, chains=chains, alerts=alerts) == (
        'chains.yaml:5  chains[0].endpoint: "x" is not known here; known: local\n'
        'chains.yaml:6  chains[0].mode: "cleint" is not known here; did you mean "client"? '
        "Known: client, provider, server\n"
        "chains.yaml:8  chains[0].probes[0].every: 60 has no unit; write 60s, 60m or 60h\n"
        'alerts.yaml:2  notifiers[0].optional: "perhaps" is not true or false; write true or false\n'
        "alerts.yaml:2  notifiers[0].token_env: the environment variable SLACK_BOT_TOKEN is not set; "
        "mend this, or write optional: true to do without this notifier\n"
        'alerts.yaml:4  rules[0].when: "chain_dwn" is not known here; did you mean "chain_down"? Known: '
        "all_fallbacks_dead, budget_exhausted, burn_rate, capability_lost, catalogue_drift, chain_degraded, "
        "chain_down, chain_limited, daemon_unwell, drill_deviated, edge_unproven, fallback_rate, fault_stuck, "
        "first_fallback, probe_stale, silent_fallback, slow_cascade, wrong_model"
    )


def test_alerts_are_judged_although_the_chains_cannot_be_read(load_texts: Load) -> None:
    alerts = SLACK.replace("OPTIONAL", "true").replace("chain_down", "chain_down, chains: [chat], window: 5m")
    assert complaint(load_texts, chains=b"\xff", alerts=alerts) == (
        "chains.yaml:1  is not UTF-8 text (byte 0xff); save it as UTF-8\n"
        "alerts.yaml:4  rules[0].window: chain_down does not use it "
        "(only burn_rate, fallback_rate, first_fallback, slow_cascade do); leave it out"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "chains.yaml  is empty"),
        ("# nothing but a comment\n", "chains.yaml  is empty"),
        ("---\n", "chains.yaml  is empty"),
        ("just text", 'chains.yaml:1  holds "just text" where settings (key: value) belong'),
        (CLIENT.encode("utf-16"), "chains.yaml:1  is not UTF-8 text (byte 0xff); save it as UTF-8"),
        (b"a: b\nc: \xe4", "chains.yaml:2  is not UTF-8 text (byte 0xe4); save it as UTF-8"),
        (b"#" * (MAX_BYTES + 1), "chains.yaml  is larger than 1 MB; that is no file of settings"),
    ],
    ids=["empty", "comment", "null", "text", "utf-16", "latin-1", "huge"],
)
def test_what_is_no_file_of_settings_is_refused_whole(load_texts: Load, text: str | bytes, message: str) -> None:
    assert complaint(load_texts, chains=text) == message


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path, vocabulary: Vocabulary) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "none.yaml", tmp_path, vocabulary=vocabulary, environ={})
    assert str(caught.value) == (
        f"{tmp_path}/none.yaml  cannot be read: No such file or directory\n{tmp_path}  cannot be read: Is a directory"
    )


def test_a_byte_order_mark_is_no_mistake(load_texts: Load) -> None:
    assert load_texts(chains=CLIENT.encode("utf-8-sig")).chain("chat").mode is Mode.CLIENT


def test_an_alias_stands_for_what_it_names(load_texts: Load) -> None:
    text = CLIENT.replace("probes: [", "probes: &often [") + (
        "  - name: other\n    endpoint: local\n    mode: client\n    model: m\n"
        "    targets: [{label: x}, {label: y}]\n    probes: *often\n"
    )
    config = load_texts(chains=text)
    assert config.chain("other").probes == config.chain("chat").probes


def test_words_that_yaml_would_turn_into_something_else_stay_words(load_texts: Load) -> None:
    text = CLIENT.replace("label: first", "label: on").replace("label: second", "label: 2024-01-01")
    assert [target.label for target in load_texts(chains=text).chain("chat").targets] == ["on", "2024-01-01"]


def test_the_digest_changes_when_either_file_does(load_texts: Load) -> None:
    first = load_texts(chains=CLIENT)
    assert first.digest == load_texts(chains=CLIENT).digest
    assert first.digest != load_texts(chains=CLIENT + "# more\n").digest


def test_doubts_are_warnings(load_texts: Load) -> None:
    lonely = (
        CLIENT[CLIENT.index("  - name") :]
        .replace("name: chat", "name: lonely")
        .replace(", {label: second, model: b/two}", "")
    )
    chains = CLIENT + "    total_timeout: 30s\n" + lonely
    alerts = (
        "notifiers: [{name: log, kind: log, fallback: spare}, {name: idle, kind: log}, {name: spare, kind: log}]\n"
        "routes: [{match: {severity: [critical]}, notify: [log]}]\nrules: [{name: down, when: chain_down}]\n"
    )
    assert load_texts(chains=chains, alerts=alerts).warnings == (
        "chains.yaml:9  chains[0].total_timeout: a primary that hangs uses it up; no time is left for the next target",
        "chains.yaml:13  chains[1].targets: there is one target only, so nothing can stand in for it",
        "alerts.yaml:1  notifiers[1]: no route names this notifier, so it is never used",
        "alerts.yaml:3  rules[0]: no route fits this rule, so nobody is told",
    )


def test_what_no_budget_can_count_is_a_doubt(load_texts: Load) -> None:
    paid = CLIENT + "    budget: {usd_per_day: 1}\n"
    assert load_texts(chains=CLIENT).warnings == ()
    first, second = load_texts(chains=paid).warnings
    assert first.endswith(
        "chains[0].targets[0]: nobody tells what a/one costs at local, so no budget is used up by it; write "
        'endpoints.local.prices: {"a/one": {prompt: 1, completion: 5}}, USD for a million tokens'
    )
    assert "what b/two costs" in second
    prices = "prices: {a/one: {prompt: 1, completion: 5}, b/two: {prompt: 0, completion: 0}}"
    assert load_texts(chains=paid.replace('/v1"}', f'/v1", {prices}}}')).warnings == ()
    assert len(load_texts(chains=CLIENT + "budgets: {usd_per_day: 1}\n").warnings) == 2
    assert len(load_texts(chains=CLIENT + "budgets: {providers: {local: {usd_per_day: 1}}}\n").warnings) == 2


def test_the_message_of_a_whole_file_can_be_read_on_a_terminal(load_texts: Load) -> None:
    text = complaint(load_texts, chains=CLIENT + '    "\\e[31m": 1\n')
    assert text.startswith('chains.yaml:9  chains[0]["\\u001b[31m"]: there is no such setting; known: budget,')

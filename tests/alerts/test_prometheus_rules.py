"""alerts.yaml as Prometheus rules: what the real promtool says of them, and what cannot be said."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from monitor.alerting.prometheus import rules_text
from monitor.alerting.prometheus import tests_text as written_tests
from monitor.alerting.promql import quoted, span
from monitor.alerting.saying import Said, Unsaid
from monitor.alerting.sayings import say
from monitor.conditions import RULES
from monitor.config.loading import load
from monitor.config.model import Config
from monitor.metrics.declared import METRICS
from monitor.probes import expand
from monitor.vocabulary import vocabulary

ROOT = Path(__file__).parents[2]

HARD = """
notifiers: [{name: log, kind: log}]
routes: [{notify: [log]}]
rules:
  - {name: down-at-once, when: chain_down, for: 1m30s, chains: [chat]}
  - {name: degraded, when: chain_degraded, chains: [chat, chat-by-provider], for: 2h}
  - {name: rate-fast, when: fallback_rate, above: 2.5%, window: 1m, min_samples: 3, for: 30s}
  - {name: rate-slow, when: fallback_rate, above: 50%, window: 6h, min_samples: 500}
  - {name: rate-all, when: fallback_rate, above: 100%, window: 10m}
  - {name: rise, when: fallback_rate, rise: 1.5, window: 20m, baseline: 2h, chains: [chat]}
  - {name: rise-far, when: fallback_rate, rise: 200, window: 20m, baseline: 2h}
  - {name: wrong, when: wrong_model, for: 1m}
  - {name: drill, when: drill_deviated, for: 10m, chains: [chat]}
  - {name: stale, when: probe_stale, intervals: 5, for: 5m, chains: [chat-in-client]}
  - {name: budget, when: budget_exhausted, for: 5m, chains: [chat]}
"""


def shipped(alerts: Path = ROOT / "alerts.yaml") -> Config:
    return load(ROOT / "chains.yaml", alerts, vocabulary=vocabulary(), environ={}, sandbox=True)


@pytest.fixture(params=["shipped", "hard"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Config:
    if request.param == "shipped":
        return shipped()
    alerts = tmp_path / "alerts.yaml"
    alerts.write_text(HARD)
    return shipped(alerts)


def promtool(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def write(config: Config, folder: Path) -> tuple[Path, Path]:
    sayings = say(config, expand(config))
    rules, tests = folder / "rules.yml", folder / "rules_test.yml"
    rules.write_text(rules_text(sayings))
    tests.write_text(written_tests(sayings, rules.name))
    return rules, tests


@pytest.mark.slow
@pytest.mark.needs("promtool")
def test_promtool_accepts_the_rules_and_their_tests_pass(config: Config, tmp_path: Path) -> None:
    rules, tests = write(config, tmp_path)
    code, said = promtool("check", "rules", str(rules))
    assert code == 0, said
    code, said = promtool("test", "rules", str(tests))
    assert code == 0, said
    assert "SUCCESS" in said


@pytest.mark.slow
@pytest.mark.needs("promtool")
@pytest.mark.parametrize("expr", ["vector(0) > 1", "vector(1)"], ids=["never", "always"])
def test_the_tests_notice_a_rule_that_always_or_never_fires(expr: str, tmp_path: Path) -> None:
    rules, tests = write(shipped(), tmp_path)
    changed = yaml.safe_load(rules.read_text())
    names = {rule["alert"]: rule for rule in changed["groups"][0]["rules"] if "alert" in rule}
    for rule in names.values():
        rule["expr"] = expr
    rules.write_text(yaml.safe_dump(changed))
    code, said = promtool("test", "rules", str(tests))
    assert code != 0
    assert {name for name in names if f"alertname: {name}," in said} == set(names)


def test_every_rule_is_said_or_listed_with_its_reason(config: Config) -> None:
    sayings = say(config, expand(config))
    assert [one.rule.name for one in sayings] == [rule.name for rule in config.alerts.rules]
    text = rules_text(sayings)
    names = {rule.get("alert") for rule in yaml.safe_load(text)["groups"][0]["rules"]}
    for one in sayings:
        if isinstance(one, Unsaid):
            assert f"# Not said: {one.rule.name} ({one.rule.when}): " in text
            assert f'fallbackd_alerts_firing{{alert="{one.rule.name}"}} == 1' in text
        else:
            assert one.rule.name in names


def test_every_metric_that_is_read_is_one_of_ours(config: Config) -> None:
    records = {name for one in say(config, expand(config)) if isinstance(one, Said) for name in one.records}
    known = {metric.name for metric in METRICS} | {part for name in records for part in name.split(":")}
    for one in say(config, expand(config)):
        if isinstance(one, Said):
            exprs = " ".join((one.expr, *one.records.values())).replace(":", " ")
            words = {word.split("{")[0] for word in exprs.replace("(", " ").replace("[", " ").split()}
            used = {word.rstrip(")") for word in words if word.startswith("fallbackd_")}
            assert used <= known


def test_a_rule_that_nobody_has_worded_is_listed(tmp_path: Path) -> None:
    config = shipped()
    rule = config.alerts.rules[0].model_copy(update={"when": "no_such_condition"})
    alerts = config.alerts.model_copy(update={"rules": (rule,)})
    (one,) = say(replace(config, alerts=alerts), expand(config))
    assert isinstance(one, Unsaid)
    assert yaml.safe_load(rules_text([one]))["groups"][0]["rules"] == []


def test_the_lesser_trouble_is_muted_in_alertmanager_too() -> None:
    sayings = say(shipped(), expand(shipped()))
    head = [line.removeprefix("# ") for line in rules_text(sayings).splitlines() if line.startswith("# ")]
    muted = yaml.safe_load("\n".join(head[head.index("inhibit_rules:") :]))["inhibit_rules"]
    assert {(one["source_matchers"][0], one["target_matchers"][0]) for one in muted} >= {
        ('alertname="chain-down"', 'alertname="chain-degraded"'),
        ('alertname="chain-down"', 'alertname="fallback-rate-high"'),
    }


def test_every_condition_has_its_texts_in_the_annotations() -> None:
    for one in say(shipped(), expand(shipped())):
        if isinstance(one, Said):
            assert RULES[one.rule.when].mitigation in rules_text([one]).replace("''", "'")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (90, "1m30s"), (86400, "1d"), (93784, "1d2h3m4s"), (0.5, "500ms"), (1.5, "1500ms")]
)
def test_durations_are_written_as_prometheus_reads_them(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_a_text_in_quotes_is_escaped() -> None:
    assert quoted('a\\."b"') == '"a\\\\.\\"b\\""'

"""A file of Prometheus rules, and a file of promtool unit tests for it, as YAML text. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from monitor.alerting.hearing import RANK
from monitor.alerting.promql import span
from monitor.alerting.saying import Example, Said, Unsaid
from monitor.conditions import RULES

_HEAD = """\
# Written by `fallbackd export prometheus-rules` from alerts.yaml: write it anew rather than change it.
# Who is told, repeats and grouping are Alertmanager's affair. As fallbackd stays silent about a chain's lesser trouble
# while a greater one is told, give Alertmanager:
#
"""


def rules_text(sayings: Sequence[Said | Unsaid]) -> str:
    """The rules in one group, so that recorded series are there before what reads them."""
    said = [one for one in sayings if isinstance(one, Said)]
    records = {name: expr for one in said for name, expr in one.records.items()}
    parts = [_rule({"record": name, "expr": expr}) for name, expr in records.items()]
    parts += [_comment(one.caveat) + _rule(alert(one)) for one in said]
    parts += [_unsaid(one) for one in sayings if isinstance(one, Unsaid)]
    rules = "".join(parts) if said else "    rules: []\n" + "".join(parts)
    start = "groups:\n  - name: fallbackd\n" + ("    rules:\n" if said else "")
    return _HEAD + _inhibitions(said) + start + rules


def tests_text(sayings: Sequence[Said | Unsaid], rules_file: str) -> str:
    """Unit tests for ``promtool test rules``. ``rules_file`` is the path from the tests to the rules."""
    tests = [_test(one, example) for one in sayings if isinstance(one, Said) for example in one.examples]
    head = "# Written by `fallbackd export prometheus-rules --tests`; run it with: promtool test rules FILE\n"
    return head + _dump({"rule_files": [rules_file], "evaluation_interval": "1m", "tests": tests})


def alert(said: Said) -> dict[str, Any]:
    rule = said.rule
    found: dict[str, Any] = {"alert": rule.name, "expr": said.expr}
    found |= {"for": span(rule.for_)} if rule.for_ else {}
    found |= {"keep_firing_for": span(float(round(said.keep)))} if round(said.keep) else {}
    return {**found, "labels": {"severity": rule.severity.value}, "annotations": _annotations(said)}


def _annotations(said: Said) -> dict[str, str]:
    texts = RULES[said.rule.when]
    return {
        "summary": said.title,
        "description": f"{texts.meaning} {texts.impact}",
        "diagnosis": texts.diagnosis,
        "mitigation": texts.mitigation,
    }


def _test(said: Said, example: Example) -> dict[str, Any]:
    expected = []
    if example.labels is not None:
        labels = {**example.labels, "severity": said.rule.severity.value}
        expected.append({"exp_labels": labels, "exp_annotations": _filled(_annotations(said), example)})
    return {
        "name": f"{said.rule.name} {'fires' if expected else 'is quiet'}",
        "interval": span(example.interval),
        "input_series": [{"series": name, "values": values} for name, values in example.series.items()],
        "alert_rule_test": [
            {"eval_time": span(example.at), "alertname": said.rule.name, "exp_alerts": expected},
        ],
    }  # fmt: skip


def _filled(annotations: dict[str, str], example: Example) -> dict[str, str]:
    filled = dict(annotations)
    for label, value in (example.labels or {}).items():
        filled = {name: text.replace(f"{{{{ $labels.{label} }}}}", value) for name, text in filled.items()}
    return filled


def _inhibitions(said: Sequence[Said]) -> str:
    pairs = list(_pairs(said))
    if not pairs:
        return ""
    rules = [
        {
            "source_matchers": [f'alertname="{source}"'],
            "target_matchers": [f'alertname="{target}"'],
            "equal": ["chain"],
        }
        for source, target in pairs
    ]
    return textwrap.indent(_dump({"inhibit_rules": rules}), "# ") + "\n"


def _pairs(said: Sequence[Said]) -> Iterator[tuple[str, str]]:
    for source in said:
        for target in said:
            rule, same = RULES[source.rule.when], source.rule.when == target.rule.when
            is_degree = rule.has_degrees and same and RANK[source.rule.severity] > RANK[target.rule.severity]
            if target.rule.when in rule.inhibits or is_degree:
                yield source.rule.name, target.rule.name


def _unsaid(one: Unsaid) -> str:
    own = f'fallbackd_alerts_firing{{alert="{one.rule.name}"}} == 1'
    why = f"Not said: {one.rule.name} ({one.rule.when}): {one.because}. What fallbackd itself decided is:"
    return _comment(why) + f"      #   {own}\n"


def _comment(text: str) -> str:
    return "".join(f"      # {line}\n" for line in textwrap.wrap(text, 110))


def _rule(rule: dict[str, Any]) -> str:
    return textwrap.indent(_dump([rule]), "      ")


def _dump(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=10_000)

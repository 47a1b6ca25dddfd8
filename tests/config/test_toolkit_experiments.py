"""Chaos Toolkit experiments: what is carried over, and what is refused with its place and reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.tolerance import outside
from monitor.config.experiments import Experiment, read_experiment
from monitor.config.json_path import find, parse_path
from monitor.config.loading import load
from monitor.config.model import Config
from monitor.errors import ConfigError
from monitor.vocabulary import vocabulary
from tests.config.test_experiment_files import ALERTS, CHAINS

ROOT = Path(__file__).parents[2]
HEAD = """version: 1.0.0
title: the chat holds
steady-state-hypothesis:
  title: up
  probes:
    - {type: probe, name: up, tolerance: 200, provider: {type: http, url: "http://127.0.0.1:1/up", timeout: [3, 5]}}
method:
"""
BREAK = """  - type: action
    name: Fast is gone!
    background: true
    pauses: {before: 1, after: 2.5}
    provider:
      type: python
      module: fallbackd
      func: break_target
      arguments: {chain: walked, target: fast, fault: rate_limited, options: {retry_after: 5s},
                  served_by: steady, requests: 2}
"""
MEND = "  - {type: action, name: mend, provider: {type: python, module: fallbackd, func: mend}}\n"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "chains.yaml").write_text(CHAINS)
    (tmp_path / "alerts.yaml").write_text(ALERTS)
    return load(
        tmp_path / "chains.yaml", tmp_path / "alerts.yaml", vocabulary=vocabulary(), environ={"KEY": "k-123456789"}
    )


@pytest.fixture
def read(config: Config) -> Callable[[str], Experiment]:
    return lambda text: read_experiment(text.encode(), "day.yaml", config, vocabulary())


def test_an_experiment_becomes_steps_and_checked_drills(read: Callable[[str], Experiment]) -> None:
    found = read(HEAD + BREAK + MEND + "rollbacks:\n" + MEND + "tags: [a]\n")
    assert found.script is not None
    (drill,) = found.drills
    assert (drill.name, drill.chain, drill.break_, drill.with_, drill.requests, drill.expect.served_by) == (
        "fast-is-gone", "walked", "fast", {"rate_limited": {"retry_after": "5s"}}, 2, "steady",
    )  # fmt: skip
    assert [step["do"] for step in found.script.steps] == ["pause", "break", "pause", "mend"]
    assert [step["seconds"] for step in found.script.steps if step["do"] == "pause"] == [1.0, 2.5]
    assert found.script.steps[1]["background"]
    (probe,) = found.script.hypothesis
    assert (probe["url"], probe["method"], probe["timeout"], probe["tolerance"]) == (
        "http://127.0.0.1:1/up", "GET", 5.0, 200,
    )  # fmt: skip
    assert (found.script.title, found.script.notes) == ("the chat holds", ())


def test_json_is_read_as_well_as_yaml_and_a_drill_of_the_config_may_be_run(read: Callable[[str], Experiment]) -> None:
    action = {
        "type": "action",
        "name": "go",
        "provider": {"type": "http", "method": "POST", "url": "http://h:9469/api/v1/drills/primary-gone/runs"},
    }
    found = read(json.dumps({"title": "t", "method": [action]}, indent=2))
    assert found.script is not None
    assert found.script.steps == ({"do": "run", "name": "primary-gone", "background": False},)


def test_what_has_no_effect_here_is_told(read: Callable[[str], Experiment]) -> None:
    probe = "  - {type: probe, name: p, provider: {type: http, url: 'http://h/'}, controls: [{name: c}]}\n"
    found = read(HEAD + BREAK + probe + "configuration: {a: b}\ncontrols: [{name: x}]\n")
    assert found.script is not None
    assert found.script.notes == (
        "line 19, configuration: not carried over; fallbackd has no use for it",
        "line 20, controls: not carried over; fallbackd has no use for it",
        "line 18, controls: not carried over",
        "the faults strike fallbackd's own questions; with by: gateway probes can meet them too",
    )


def probe(**changed: Any) -> str:
    provider = {"type": "http", "url": "http://h/"} | changed.pop("provider", {})
    return "  - " + json.dumps({"type": "probe", "name": "p", "provider": provider} | changed) + "\n"


BAD = [
    (BREAK.replace("walked", "walkde"), 'day.yaml:16  chain: "walkde" is not known here; did you mean "walked"?'),
    (BREAK.replace("rate_limited", "limited"), 'day.yaml:16  with: "limited" is not known here'),
    (BREAK.replace("target: fast", "traget: fast"), 'day.yaml:16  method[0].provider.arguments.traget: "traget"'),
    (BREAK.replace("before: 1", "before: soon"), 'day.yaml:11  method[0].pauses.before: "soon" is no number'),
    (MEND.replace("fallbackd", "chaosk8s.pod"), "day.yaml:8  method[0].provider: cannot be carried over: of"),
    (MEND.replace("type: python", "type: process"), "day.yaml:8  method[0].provider: cannot be carried over: of"),
    ("  - {ref: other}\n", "day.yaml:8  method[0].ref: cannot be carried over: write the activity out"),
    ("  - {type: prob, name: p}\n", 'day.yaml:8  method[0].type: "prob" is no probe or action'),
    (MEND + "rollbacks:\n" + MEND.replace("mend}", "x}"), "day.yaml:10  rollbacks[0]: cannot be carried over"),
    (probe(provider={"type": "python"}), "day.yaml:8  method[0].provider: cannot be carried over: pro"),
    (probe(provider={"url": "http://${host}/"}), "day.yaml:8  method[0].provider.url: refers to "),
    (probe(provider={"url": "ftp://h/"}), 'day.yaml:8  method[0].provider.url: "ftp://h/" is no http'),
    (probe(tolerance=True), "day.yaml:8  method[0].tolerance: true cannot be carried over: write a status"),
    (probe(tolerance={"type": "probe"}), 'day.yaml:8  method[0].tolerance: the type "probe" cannot be carried over'),
    (probe(tolerance={"type": "jsonpath", "path": "$..x"}), "day.yaml:8  method[0].tolerance: '$..x' cannot be"),
    (probe(tolerance={"type": "regex", "pattern": "("}), "day.yaml:8  method[0].tolerance: has no pattern"),
    (probe(tolerance={"type": "range", "range": [1]}), "day.yaml:8  method[0].tolerance: a range is two numbers"),
    (probe(background=True), "day.yaml:8  method[0].background: cannot be carried over"),
    (probe(type="action", provider={"url": "http://h/api/v1/drills/x/runs"}), "day.yaml:8  method[0].provider.url: "),
]  # fmt: skip


@pytest.mark.parametrize(("method", "expected"), BAD)
def test_what_cannot_be_carried_over_is_said_with_place_and_reason(
    method: str, expected: str, read: Callable[[str], Experiment]
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(HEAD + method)
    assert str(caught.value).splitlines()[0].startswith(expected), str(caught.value)


TOLERANCES: list[tuple[Any, int, str, str | None]] = [
    (None, 500, "", None),
    (200, 200, "", None),
    (200, 503, "", "was HTTP 503, not 200"),
    ([200, 204], 204, "", None),
    ([200, 204], 500, "", "was HTTP 500, none of 200, 204"),
    ({"type": "regex", "pattern": "^ok"}, 200, "ok then", None),
    ({"type": "regex", "pattern": "^ok"}, 200, "no", "does not match ^ok: no"),
    ({"type": "regex", "pattern": "^2..$", "target": "status"}, 204, "", None),
    ({"type": "range", "range": [1, 5]}, 200, "3.5", None),
    ({"type": "range", "range": [1, 5]}, 200, "7", "is 7, not between 1 and 5"),
    ({"type": "range", "range": [1, 5]}, 200, "many", "is no number: many"),
    ({"type": "range", "range": [200, 299], "target": "status"}, 302, "", "is 302, not between 200 and 299"),
    ({"type": "jsonpath", "path": "$.a[0].b"}, 200, '{"a": [{"b": 1}]}', None),
    ({"type": "jsonpath", "path": "$.a[1]"}, 200, '{"a": [1]}', "has nothing at $.a[1]"),
    ({"type": "jsonpath", "path": "$.a", "expect": "x"}, 200, '{"a": "x"}', None),
    ({"type": "jsonpath", "path": "$.a", "expect": ["x"]}, 200, '{"a": ["x"]}', None),
    ({"type": "jsonpath", "path": "$.a", "expect": "x"}, 200, '{"a": "y"}', 'has "y" at $.a, not "x"'),
    ({"type": "jsonpath", "path": "$.a[*].b", "expect": [1, 2]}, 200, '{"a": [{"b": 1}, {"b": 2}]}', None),
    ({"type": "jsonpath", "path": "$.a[*]", "count": 3}, 200, '{"a": [1, 2]}', "has 2 values at $.a[*], not 3"),
    ({"type": "jsonpath", "path": "$.a"}, 200, "<html>", "is no JSON: <html>"),
]


@pytest.mark.parametrize(("tolerance", "status", "body", "wrong"), TOLERANCES)
def test_a_tolerance_is_held_against_an_answer(tolerance: Any, status: int, body: str, wrong: str | None) -> None:
    assert outside(tolerance, status, body) == wrong


@given(st.text())
def test_any_text_is_a_path_or_refused_in_a_sentence(text: str) -> None:
    try:
        steps = parse_path(text)
    except ValueError as error:
        said = str(error)
    else:
        said = f"{text} write" if len(steps) <= len(text) else ""
    assert "write" in said


@given(st.dictionaries(st.text("abc", min_size=1), st.lists(st.integers(), max_size=3), max_size=3))
def test_a_path_finds_what_is_there(body: dict[str, list[int]]) -> None:
    for key, items in body.items():
        assert find(body, f"$.{key}[*]") == items
        assert find(body, f"$['{key}']") == [items]


def test_the_example_of_the_docs_can_be_read() -> None:
    from monitor.config.document import Document
    from monitor.config.reading import parse
    from monitor.config.toolkit import is_toolkit, read_script

    document, problems = parse((ROOT / "docs/chaos-toolkit.yaml").read_bytes(), "chaos-toolkit.yaml")
    assert isinstance(document, Document)
    assert is_toolkit(document)
    script = read_script(document, frozenset())
    assert (problems, script.problems) == ((), ())
    assert [step["do"] for step in script.steps] == ["break", "probe", "mend", "pause"]

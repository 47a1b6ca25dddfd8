"""The contracts of import-linter name every module: one that is named nowhere would be held to nothing."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
LOWEST_HAND = "monitor.phases"
"""Of the layers, the lowest that does I/O: chaos may import what lies below it."""


@pytest.fixture(scope="module")
def contracts() -> list[dict]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


@pytest.fixture(scope="module")
def layers(contracts: list[dict]) -> list[set[str]]:
    return [{name.strip() for name in layer.split("|")} for layer in contracts[0]["layers"]]


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("monitor", "chaos", cache_dir=None)


def test_each_module_stands_on_a_line_of_its_own_in_order(contracts: list[dict]) -> None:
    """So that two changes that name new modules rarely touch the same line."""
    text = (ROOT / "pyproject.toml").read_text().partition("[tool.importlinter.contracts]")[2]
    assert [line for line in text.splitlines() if line.count("monitor.") > 1] == []
    listed = [re.findall(r"monitor\.\w+", layer) for layer in contracts[0]["layers"]]
    listed += [contracts[1]["forbidden_modules"], contracts[2]["source_modules"]]
    assert listed == list(map(sorted, listed))


def test_every_module_stands_in_a_layer(layers: list[set[str]], imports: grimp.ImportGraph) -> None:
    assert set().union(*layers) == imports.find_children("monitor")


def test_whatever_is_no_word_rule_or_config_is_forbidden_to_chaos(
    contracts: list[dict], layers: list[set[str]]
) -> None:
    hands = next(number for number, layer in enumerate(layers) if LOWEST_HAND in layer)
    assert set(contracts[1]["forbidden_modules"]) >= set().union(*layers[: hands + 1])


def test_whatever_does_not_know_chaos_must_not_come_to_know_it(
    contracts: list[dict], imports: grimp.ImportGraph
) -> None:
    held = set(contracts[2]["source_modules"])
    free = imports.find_children("monitor") - held
    ignorant = {one for one in free if not imports.chain_exists(importer=one, imported="chaos", as_packages=True)}
    assert not ignorant

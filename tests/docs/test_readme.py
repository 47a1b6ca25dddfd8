"""The README says what the code does: its reference is written from the code, and its promises are kept by it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chaos.faults import FAULTS
from chaos.injectors import INJECTORS
from chaos.injectors.injector import ROUTED
from monitor.cli import app
from monitor.commands.reference import markdown
from monitor.conditions import RULES
from monitor.config.reference import settings_reference
from monitor.metrics import METRICS
from monitor.notify import NOTIFIERS
from monitor.probes import KINDS
from monitor.vocabulary import vocabulary

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_the_reference_is_the_one_that_the_code_writes() -> None:
    """After a change of a setting, metric, alert, fault or command: make docs."""
    begin, end = "<!-- reference: written by `make docs` -->\n", "<!-- end of reference -->"
    assert README.split(begin)[1].split(end)[0] == markdown(app)


@pytest.mark.parametrize("setting", settings_reference(vocabulary()), ids=lambda setting: setting.path)
def test_every_setting_has_a_meaning(setting: tuple[str, str, str, str]) -> None:
    assert len(setting[3]) > 10
    assert f"`{setting[0]}`" in README


NAMED = [
    *(metric.name for metric in METRICS),
    *RULES,
    *FAULTS,
    *(fault for injector in INJECTORS.values() for fault in injector.faults),
    *KINDS,
    *NOTIFIERS,
    *vocabulary().dialects,
]


@pytest.mark.parametrize("name", sorted(set(NAMED)))
def test_every_name_of_the_code_is_in_the_readme(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize("name", INJECTORS)
def test_an_injector_says_of_every_fault_whether_it_can_do_it_or_why_not(name: str) -> None:
    able, limits = set(INJECTORS[name].faults), INJECTORS[name].limits
    assert not able & set(limits)
    assert able | set(limits) == {*FAULTS, *ROUTED}
    assert all(limits.values())


def test_every_metric_that_the_readme_names_exists() -> None:
    known = {metric.name for metric in METRICS}
    families = {f"{name}{suffix}" for name in known for suffix in ("", "_bucket", "_sum", "_count")}
    assert set(re.findall(r"\bfallbackd_[a-z0-9_]+", README)) <= families


def test_every_picture_of_the_readme_exists() -> None:
    for path in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README):
        assert (ROOT / path).is_file(), path


def test_the_top_level_holds_nothing_without_a_reason_in_the_readme() -> None:
    expected = {
        "monitor", "chaos", "dashboards", "tests", "bench", "alerts.yaml", "chains.yaml", "pyproject.toml", "README.md",
        "Makefile", "CHANGELOG.md", "LICENSE",
    }  # fmt: skip
    here = {
        path.name for path in ROOT.iterdir() if not path.name.startswith(".") and not path.name.endswith(".egg-info")
    }
    assert expected - {"dashboards"} <= here
    for name in here - expected:
        assert f"`{name}" in README, name

"""The committed dashboards are those of the generator, and keep to its manners."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from dashboards.reading import FOLDER, load, panels, uids, variables
from dashboards.writing import PAGES, written

DASHBOARDS = [load(uid) for uid in uids()]
PANELS = [pytest.param(panel, id=f"{one['uid']}:{panel['title']}") for one in DASHBOARDS for panel in panels(one)]

HUES = {
    f"{shade}{hue}"
    for hue in ("red", "orange", "yellow", "green", "blue", "purple")
    for shade in ("", "dark-", "light-")
}
SHADED_BY_GRAFANA = HUES | {"text"}
BUILT_IN = {"__range", "__rate_interval", "__interval", "__url_time_range", "__data", "__all"}


def test_the_committed_files_are_those_that_the_generator_writes() -> None:
    """After a change: python -m dashboards."""
    assert {file.name: file.read_text() for file in FOLDER.iterdir()} == written()


@pytest.mark.parametrize("panel", PANELS)
def test_every_panel_says_what_it_shows_in_which_unit(panel: dict[str, Any]) -> None:
    assert len(panel["description"]) > 25
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"]["uid"] == "${datasource}"
    assert all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])


@pytest.mark.parametrize("panel", PANELS)
def test_every_colour_is_one_that_grafana_shades_for_light_and_dark(panel: dict[str, Any]) -> None:
    assert set(_colours(panel)) <= SHADED_BY_GRAFANA


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one["uid"])
def test_a_dashboard_asks_for_its_data_source_and_uses_no_variable_that_it_lacks(dashboard: dict[str, Any]) -> None:
    names = [variable["name"] for variable in dashboard["templating"]["list"]]
    assert names[0] == "datasource"
    assert variables(str(dashboard)) <= {*names, *BUILT_IN}
    assert set(names) - variables(str({**dashboard, "templating": None})) <= {"datasource"}


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one["uid"])
def test_a_dashboard_leads_to_the_others_and_to_the_status_page(dashboard: dict[str, Any]) -> None:
    others, status = dashboard["links"]
    assert (others["type"], others["tags"], others["includeVars"], others["keepTime"]) == (
        "dashboards",
        ["fallbackd"],
        True,
        True,
    )
    assert dashboard["tags"] == ["fallbackd"]
    assert status["url"].startswith("${status_page}/")


def test_a_click_on_a_chain_leads_to_a_dashboard_that_exists_and_knows_the_variables() -> None:
    addresses = [str(value.get("url", "")) for value in _walk(DASHBOARDS) if isinstance(value, dict)]
    aims = {address for address in addresses if address.startswith("/d/")}
    assert aims
    for url in aims:
        uid, query = re.fullmatch(r"/d/([^?]+)\?(.+)", url).groups()  # type: ignore[union-attr]  # a bad one fails here
        known = {variable["name"] for variable in load(uid)["templating"]["list"]}
        assert set(re.findall(r"var-(\w+)", query)) | (set(re.findall(r"\{(\w+):queryparam", query))) <= known


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one["uid"])
def test_no_two_panels_share_a_place_or_an_id(dashboard: dict[str, Any]) -> None:
    cells: Counter[tuple[int, int]] = Counter()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells.update((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"]))
    assert cells.most_common(1)[0][1] == 1
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_the_names_under_which_others_link_to_the_dashboards_stay() -> None:
    assert [page.uid for page in PAGES] == [
        "fallbackd-overview",
        "fallbackd-chain",
        "fallbackd-providers",
        "fallbackd-drills",
        "fallbackd-gateway",
        "fallbackd-itself",
    ]


def _walk(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value, *(found for one in inner for found in _walk(one))]


def _colours(panel: dict[str, Any]) -> list[str]:
    named = [value for value in _walk(panel["fieldConfig"]) if isinstance(value, dict)]
    found = [value[key] for value in named for key in ("color", "fixedColor") if isinstance(value.get(key), str)]
    return [*found, panel["options"].get("color", {}).get("fill", "text")]

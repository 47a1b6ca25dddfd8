"""The files that set Prometheus, Alertmanager and Grafana up fit one another and what is in this checkout."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.writing import PAGES
from tests.e2e.daemon import command

ROOT = Path(__file__).parents[2]
STACK = ROOT / "observability"
PROVISIONING = ROOT / "dashboards" / "provisioning"
SCHEMA_CHECK = Path(__file__).parent / "schema-check" / "package.json"


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


COMPOSE = _read(STACK / "compose.yaml")


@pytest.mark.needs("promtool")
@pytest.mark.parametrize("arguments", [("check", "config", "prometheus.yml"), ("test", "rules", "rules_test.yml")])
def test_promtool_accepts_the_config_and_the_rules_do_what_their_tests_say(arguments: tuple[str, ...]) -> None:
    checked = subprocess.run(["promtool", *arguments], cwd=STACK, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.needs("promtool")
def test_prometheus_takes_the_rules_that_are_exported_beside_its_own(tmp_path: Path) -> None:
    stack = tmp_path / "observability"
    shutil.copytree(STACK, stack)
    written = command("export", "prometheus-rules", "--into", str(stack / "exported" / "rules.yml"))
    assert written.returncode == 0, written.stderr
    checked = subprocess.run(
        ["promtool", "check", "config", "prometheus.yml"], cwd=stack, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "2 rule files found" in checked.stdout


@pytest.mark.needs("prometheus-alertmanager")
def test_amtool_accepts_the_alertmanager_config() -> None:
    checked = subprocess.run(["amtool", "check-config", "alertmanager.yml"], cwd=STACK, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("name", sorted(COMPOSE["services"]))
def test_every_folder_that_a_service_mounts_is_here_or_is_a_volume(name: str) -> None:
    service = COMPOSE["services"][name]
    assert ":" in service["image"]
    assert service["network_mode"] == "host"
    for mount in service["volumes"]:
        source, _, access = mount.partition(":")
        if source.startswith("."):
            assert (STACK / source).exists()
            assert access.endswith(":ro")
        else:
            assert source in COMPOSE["volumes"]


def test_nothing_listens_beyond_loopback() -> None:
    services = COMPOSE["services"]
    for name in ("prometheus", "alertmanager"):
        listens = [one for one in services[name]["command"] if "web.listen-address=" in one]
        assert [one.split("=")[1].split(":")[0] for one in listens] == ["127.0.0.1"]
    assert services["grafana"]["environment"]["GF_SERVER_HTTP_ADDR"] == "127.0.0.1"


def test_grafana_finds_the_dashboards_where_compose_mounts_them() -> None:
    (provider,) = _read(PROVISIONING / "dashboards" / "fallbackd.yaml")["providers"]
    mounts = dict(mount.split(":")[:2] for mount in COMPOSE["services"]["grafana"]["volumes"])
    assert mounts["../dashboards/json"] == provider["options"]["path"]
    home = Path(COMPOSE["services"]["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert str(home.parent) == provider["options"]["path"]
    assert (ROOT / "dashboards" / "json" / home.name).exists()
    assert len(list((ROOT / "dashboards" / "json").glob("*.json"))) == len(PAGES)


def test_grafana_asks_the_prometheus_of_the_compose_file() -> None:
    (source,) = _read(PROVISIONING / "datasources" / "prometheus.yaml")["datasources"]
    assert (
        f"--web.listen-address={source['url'].removeprefix('http://')}" in COMPOSE["services"]["prometheus"]["command"]
    )
    scraped = _read(STACK / "prometheus.yml")["global"]["scrape_interval"]
    assert source["jsonData"]["timeInterval"] == scraped


def test_the_types_that_are_checked_are_those_of_the_grafana_that_is_started() -> None:
    wanted = json.loads(SCHEMA_CHECK.read_text())["devDependencies"]["@grafana/schema"]
    assert COMPOSE["services"]["grafana"]["image"] == f"grafana/grafana:{wanted}"

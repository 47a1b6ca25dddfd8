"""What a scraper gets."""

from __future__ import annotations

import subprocess

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from monitor.metrics import METRICS
from monitor.model import Reason, Status
from tests.fakes.values import outcome, verdict

from .metric_samples import metrics

pytestmark = pytest.mark.anyio

OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"


async def test_every_declared_metric_is_on_the_page_with_its_type() -> None:
    page, content_type = await metrics().exposition()
    assert content_type.startswith("text/plain; version=0.0.4")
    families = page.decode()
    for declared in METRICS:
        exposed = "gauge" if declared.kind == "info" else declared.kind.value
        assert f"# HELP {declared.name} {declared.help}" in families
        assert f"# TYPE {declared.name} {exposed}\n" in families


async def test_a_scraper_that_asks_for_openmetrics_gets_it() -> None:
    page, content_type = await metrics().exposition(OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    names = {family.name for family in parse_openmetrics(page.decode())}
    assert {"fallbackd_probes", "fallbackd_build", "fallbackd_chain_health"} <= names


async def test_both_formats_say_the_same() -> None:
    found = metrics()
    found.observe(outcome(duration=0.7))
    text, _ = await found.exposition()
    fancy, _ = await found.exposition(OPENMETRICS)
    samples = [
        {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
            if sample.name.startswith(("fallbackd_probe", "fallbackd_chain_answers"))
        }
        for families in (parse_text(text.decode()), parse_openmetrics(fancy.decode()))
    ]
    assert samples[0] == samples[1]
    assert not any(str(name[0]).endswith("_created") for name in samples[0])


@pytest.mark.needs("promtool")
async def test_promtool_has_no_complaint() -> None:
    found = metrics()
    found.observe(outcome(status=Status.FAILED, reason=Reason.CUT, cost=0.1))
    found.observe_verdict(verdict(edge=(0, 1), failover=2.0))
    page, _ = await found.exposition()
    checked = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, timeout=30)
    assert (checked.stdout + checked.stderr).decode() == ""
    assert checked.returncode == 0

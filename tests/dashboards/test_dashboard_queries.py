"""Every query of the dashboards is PromQL over metrics that exist, and is cheap even for a large installation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import pytest

from dashboards.reading import Asked, defaults, fill, load, marks, queries, uids
from monitor.metrics import METRICS, Kind
from tests.dashboards.dashboard_samples import CHAINS, TARGETS, large, one_of_each
from tests.dashboards.promql import Labels, grouped_by, selectors, touched

MOST_SERIES = 10_000
"""A query that touches more would need a recording rule. None does, so there are none."""

OF_PROMETHEUS = {
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
}
ADDED_BY_THE_SCRAPE = {"instance", "job"}


def _filled(asked: Asked, chain: str = "c0", provider: str = "p0") -> str:
    values = {**defaults(load(asked.dashboard)), **one_of_each(asked.dashboard, chain, provider)}
    return fill(asked.expr, values)


ASKED = [asked for uid in uids() for asked in (*queries(load(uid)), *marks(load(uid)))]
QUERIES = [pytest.param(_filled(asked), id=asked.place) for asked in ASKED]
LABELS = {
    f"{metric.name}{suffix}": {*metric.labels, *({"le"} if suffix == "_bucket" else ())}
    for metric in METRICS
    for suffix in (("_bucket", "_sum", "_count") if metric.kind is Kind.HISTOGRAM else ("",))
}


@pytest.mark.parametrize("expr", QUERIES)
def test_a_query_names_metrics_and_labels_that_exist(expr: str) -> None:
    found = selectors(expr)
    assert found
    known: set[str] = set(ADDED_BY_THE_SCRAPE)
    for selector in found:
        assert selector.metric in {*LABELS, *OF_PROMETHEUS}
        labels = {*LABELS.get(selector.metric, ()), *ADDED_BY_THE_SCRAPE}
        assert {name for name, _, _ in selector.matchers} <= labels
        known |= labels
    assert grouped_by(expr) <= known


@pytest.fixture(scope="module")
def series() -> Mapping[str, list[Labels]]:
    found: dict[str, list[Labels]] = defaultdict(list)
    for family in large().registry.collect():
        for sample in family.samples:
            found[sample.name].append({**sample.labels, "instance": "here:9469", "job": "fallbackd"})
    return found


def test_the_large_installation_is_large(series: Mapping[str, list[Labels]]) -> None:
    assert len(series["fallbackd_chain_health"]) >= CHAINS * 4
    assert len(series["fallbackd_target_health"]) >= CHAINS * TARGETS * 4
    assert sum(map(len, series.values())) > 7 * MOST_SERIES


@pytest.mark.parametrize("expr", QUERIES)
def test_no_query_touches_more_series_than_it_may(expr: str, series: Mapping[str, list[Labels]]) -> None:
    assert touched(expr, series) <= MOST_SERIES

"""Drills of the config as resolved experiments."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.drills import resolve
from chaos.injectors import FAULT_OPTIONS, INJECTORS
from chaos.model import Drill, Expect, Strike
from chaos.plans import Hypothesis, SteadyState
from monitor.config.model import AlertsFile, ChainConfig, Config, DrillConfig, EndpointConfig
from monitor.model import Path

from .drill_samples import chain as chain_of

ALERTS = AlertsFile.model_validate(
    {
        "notifiers": [{"name": "log", "kind": "log"}],
        "routes": [{"notify": ["log"]}],
        "rules": [{"name": "down", "when": "chain_down"}],
    }
)


def resolved(mode: str = "server", chain: ChainConfig | None = None, **written: Any) -> Drill:
    one = DrillConfig.model_validate({"name": "d", "chain": "chat", "with": "ignore"} | written)
    endpoint = EndpointConfig(dialect="openrouter", url="https://openrouter.ai/api/v1")
    config = Config(endpoints={"openrouter": endpoint}, chains=(chain or chain_of(mode),), drills=(one,), alerts=ALERTS)
    (drill,) = resolve(config)
    return drill


def test_a_drill_without_further_words_breaks_the_primary_and_expects_the_next_target() -> None:
    drill = resolved()
    assert drill == Drill(
        name="d",
        chain="chat",
        strikes=(Strike(positions=(0,), fault="ignore"),),
        injector="request",
        expect=Expect(served_by="secondary", within=10.0),
        hypothesis=Hypothesis(
            whole=SteadyState(served_by=("primary",)),
            broken=SteadyState(served_by=("secondary", "last-resort"), within=10.0),
        ),
    )


def test_what_is_to_hold_is_as_written_and_nothing_is_while_a_rejection_is_expected() -> None:
    written = {"served_by": ["primary", "secondary"], "within": "2s", "tolerance": "90%", "requests": 4}
    found = resolved(hypothesis=written).hypothesis
    assert found.whole == SteadyState(served_by=("primary", "secondary"), within=2.0)
    assert (found.tolerance, found.requests) == (0.9, 4)
    assert resolved(**{"with": "unknown_id"}).hypothesis.broken is None


@pytest.mark.parametrize(
    ("broken", "positions", "expected"),
    [
        ("primary", (0,), "secondary"),
        ("secondary", (1,), "primary"),
        (["secondary", "primary"], (0, 1), "last-resort"),
        (["primary", "last-resort"], (0, 2), "secondary"),
        (["primary", "secondary", "last-resort"], (0, 1, 2), None),
    ],
)
def test_labels_become_positions_and_the_first_whole_target_is_expected(
    broken: Any, positions: tuple[int, ...], expected: str | None
) -> None:
    drill = resolved(**{"break": broken})
    assert (drill.breaks, drill.expect.served_by) == (positions, expected)


def test_primary_is_the_first_target_unless_another_one_bears_that_label() -> None:
    named = [{"label": "fast", "model": "a/b"}, {"label": "steady", "model": "c/d"}]
    assert resolved(chain=chain_of(targets=named)).breaks == (0,)
    named[1]["label"] = "primary"
    assert resolved(chain=chain_of(targets=named)).breaks == (1,)


@pytest.mark.parametrize(
    ("mode", "written", "injector"),
    [
        ("server", {}, "request"),
        ("provider", {}, "request"),
        ("client", {"with": "refused"}, "transport"),
        ("server", {"by": "transport", "with": "refused"}, "transport"),
    ],
)
def test_the_injector_follows_from_who_walks_the_chain(mode: str, written: dict[str, Any], injector: str) -> None:
    assert resolved(mode, **written).injector == injector


@pytest.mark.parametrize("written", ["max-price", "max_price", {"max-price": None}, {"max_price": {}}])
def test_hyphens_and_underscores_are_the_same(written: Any) -> None:
    assert resolved(**{"with": written}).fault == "max_price"


@pytest.mark.parametrize(
    ("written", "fault", "options"),
    [
        ({"delay": {"seconds": "1m30s"}}, "delay", {"seconds": 90.0, "jitter": 0.1}),
        ("delay", "delay", {name: one.default for name, one in FAULT_OPTIONS["transport"]["delay"].items()}),
        ({"status": {"code": 418}}, "status", {"code": 418.0}),
        ({"rate-limited": {"retry-after": "5s"}}, "rate_limited", {"retry_after": 5.0}),
    ],
)
def test_options_are_numbers_in_base_units_with_their_defaults(written: Any, fault: str, options: Any) -> None:
    drill = resolved("client", **{"with": written})
    assert (drill.fault, drill.options) == (fault, options)


@pytest.mark.parametrize(
    ("fault", "written", "rejected", "served_by"),
    [
        ("unknown-id", {}, True, None),
        ("unknown-id", {"within": "3s"}, True, None),
        ("unknown-id", {"rejected": False}, False, "secondary"),
        ("unknown-id", {"served_by": "last-resort"}, False, "last-resort"),
        ("ignore", {"rejected": True}, True, None),
        ("ignore", {"path": "filtered"}, False, "secondary"),
    ],
)
def test_an_unknown_id_is_expected_to_be_rejected_unless_the_config_says_otherwise(
    fault: str, written: dict[str, Any], rejected: bool, served_by: str | None
) -> None:
    expect = resolved(**{"with": fault, "expect": written}).expect
    assert (expect.rejected, expect.served_by) == (rejected, served_by)
    assert expect.path == (Path.FILTERED if "path" in written else None)


def test_the_plan_is_taken_over_as_it_is_written() -> None:
    drill = resolved(cron="0 * * * *", every="6h", first_after="20s", kind="stream", requests=7, max_duration="45s")
    assert (drill.cron, drill.every, drill.first_after) == ("0 * * * *", 21600.0, 20.0)
    assert (drill.kind, drill.requests, drill.max_duration) == ("stream", 7, 45.0)


def test_every_fault_of_every_injector_is_in_the_vocabulary() -> None:
    assert {name: set(injector.faults) for name, injector in INJECTORS.items()} == {
        name: set(faults) for name, faults in FAULT_OPTIONS.items()
    }
    assert set(FAULT_OPTIONS) == {"request", "proxy", "transport", "gateway"}
    assert set(FAULT_OPTIONS["request"]) == {"ignore", "unavailable", "only", "max_price", "unknown_id"}


def test_several_faults_are_several_strikes_and_the_first_whole_target_is_expected() -> None:
    drill = resolved(
        "client",
        **{
            "with": None,
            "faults": [
                {"with": "overloaded"},
                {"break": "secondary", "with": {"delay": {"seconds": "2s"}}, "after": 2, "shape": "every-nth"},
            ],
        },
    )
    first, second = drill.strikes
    assert first == Strike(positions=(0,), fault="overloaded")
    assert (second.positions, second.options["seconds"], second.after_requests) == ((1,), 2.0, 2)
    assert (second.shape, second.shape_options) == ("every_nth", {"n": 2.0})
    assert (drill.breaks, drill.fault, drill.varies, drill.expect.served_by) == (
        (0, 1), "overloaded+delay", True, "last-resort",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("written", "strike"),
    [
        ({"after": 1}, Strike(positions=(0,), fault="ignore", after_requests=1)),
        ({"after": "1m"}, Strike(positions=(0,), fault="ignore", after_seconds=60.0)),
        (
            {"shape": {"probability": {"share": "30%"}}},
            Strike(positions=(0,), fault="ignore", shape="probability", shape_options={"share": 0.3}),
        ),
        (
            {"shape": {"first-n": {"n": 4}}},
            Strike(positions=(0,), fault="ignore", shape="first_n", shape_options={"n": 4.0}),
        ),
    ],
)
def test_the_short_form_is_a_list_of_one(written: dict[str, Any], strike: Strike) -> None:
    assert resolved(**written).strikes == (strike,)
    assert resolved(**{"with": None, "faults": [{"with": "ignore", **written}]}).strikes == (strike,)

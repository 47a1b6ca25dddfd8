"""What differs between a declared chain and its endpoint, row by row."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.comparison import Standing, compare, standing_of
from monitor.config.model import ChainConfig
from monitor.dialects.litellm_standing import read_standing
from monitor.model import Origin, Outcome, Path, Reason, Status
from monitor.offering import Catalogue, ModelEntry, Offer, Price

CHAIN = ChainConfig.model_validate(
    {
        "name": "chat", "endpoint": "proxy", "mode": "server", "probes": [{"kind": "completion", "every": "60s"}],
        "targets": [
            {"label": "a", "model": "chat", "timeout": "10s", "providers": ["one"]},
            {"label": "b", "model": "backup", "timeout": "5s"},
        ],
    }
)  # fmt: skip
INFO = {
    "data": [
        {"model_name": "chat", "litellm_params": {"timeout": 8}, "model_info": {"id": "one"}},
        {"model_name": "backup", "litellm_params": {}, "model_info": {"id": "two"}},
    ]
}
IT_TAKES = "it takes the time of the others."
FALLBACKS = {"model": "chat", "fallback_models": ["backup"]}


def outcome(**more: Any) -> Outcome:
    common = {
        "id": "1", "at": 1.0, "chain": "chat", "probe": "p", "kind": "completion", "origin": Origin.MANUAL,
        "status": Status.OK, "reason": Reason.NONE, "path": Path.PRIMARY,
    }  # fmt: skip
    return Outcome(**{**common, **more})


def sentences(standing: Standing, *outcomes: Outcome, chain: ChainConfig = CHAIN) -> list[str]:
    return [f"{one.kind}: {one.sentence}" for one in compare(chain, standing, outcomes, Catalogue())]


def test_a_proxy_that_does_what_is_declared_differs_in_nothing() -> None:
    assert sentences(read_standing(CHAIN, INFO, FALLBACKS, None), outcome()) == []
    assert sentences(Standing(), outcome()) == []


@pytest.mark.parametrize(
    ("info", "fallbacks", "settings", "found"),
    [
        (INFO, {**FALLBACKS, "fallback_models": ["backup", "c"]}, None,
         ["extra: proxy falls back to c, which the chain does not declare."]),
        (INFO, {"detail": {"error": "No general fallbacks"}}, None,
         ["missing: b (backup) is declared, and proxy never falls back to it."]),
        ({"data": INFO["data"][:1]}, FALLBACKS, None, ["missing: proxy does not know the model backup."]),
        ({"data": [{**INFO["data"][0], "model_info": {"id": "x"}}, INFO["data"][1]]}, FALLBACKS, None,
         ["provider: one does not serve chat; those who do: x."]),
        ({"data": [{**INFO["data"][0], "litellm_params": {}}, INFO["data"][1]]}, FALLBACKS,
         {"current_values": {"timeout": 12}},
         ["timeout: " + "proxy waits 12s for a before it falls back, declared are 10s: if it hangs, " + IT_TAKES]),
        (None, None, None, []),
        ("odd", [3], 7, []),
    ],
)  # fmt: skip
def test_what_a_proxy_tells_is_compared(info: Any, fallbacks: Any, settings: Any, found: list[str]) -> None:
    assert sentences(read_standing(CHAIN, info, fallbacks, settings), outcome()) == found


def test_another_order_is_named() -> None:
    assert sentences(Standing(rungs=("backup", "chat"))) == [
        "order: proxy asks in the order backup, chat; declared is chat, backup."
    ]


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        (outcome(path=Path.FELL_BACK, detail="backup answered"),
         ["answer: Asked end to end: fell_back; backup answered."]),
        (outcome(target="b", status=Status.FAILED, reason=Reason.TIMEOUT),
         ["timeout: b did not answer within its timeout of 5s."]),
        (outcome(target="b", status=Status.FAILED, reason=Reason.MODEL_GONE, detail="404"),
         ["answer: b asked alone: 404."]),
        (outcome(target="b", status=Status.FAILED, reason=Reason.RATE_LIMITED), []),
    ],
)  # fmt: skip
def test_what_was_answered_is_compared(seen: Outcome, found: list[str]) -> None:
    assert sentences(Standing(), seen) == found


def test_a_catalogue_tells_models_and_who_serves_them() -> None:
    offer = Offer(provider="two", tag="two", name="Two", price=Price())
    entry = ModelEntry(id="chat", canonical="chat", price=Price(), offers=(offer,))
    assert sentences(standing_of(CHAIN, Catalogue(at=1.0, models={"chat": entry}))) == [
        "missing: proxy does not know the model backup.",
        "provider: one does not serve chat; those who do: two.",
    ]

"""What a LiteLLM proxy says of its groups: prices that hold for whoever of a group answers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Tokens
from monitor.offering import Catalogue, Price
from monitor.offers import UNKNOWN_PRICE
from monitor.pricing import cost_of, highest_price
from monitor.proxy_offers import read_groups


def deployment(group: str, identity: str, **info: Any) -> dict[str, Any]:
    return {"model_name": group, "litellm_params": {"model": "openai/x"}, "model_info": {"id": identity, **info}}


PRICED = {"input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05, "max_input_tokens": 200000}
CHEAP = {"input_cost_per_token": "1e-07", "output_cost_per_token": 4e-07, "max_input_tokens": 8000}


def read(*deployments: dict[str, Any]) -> Catalogue:
    return Catalogue(at=1.0, models=read_groups({"data": list(deployments)}))


def test_a_group_costs_what_its_dearest_deployment_does_and_holds_what_its_smallest_does() -> None:
    catalogue = read(deployment("chat", "a", **PRICED), deployment("chat", "b", **CHEAP))
    assert highest_price("chat", None, catalogue) == Price(prompt=3e-06, completion=1.5e-05)
    assert highest_price("chat", "b", catalogue) == Price(prompt=1e-07, completion=4e-07)
    assert catalogue.models["chat"].context_length == 8000
    assert [offer.tag for offer in catalogue.models["chat"].offers] == ["a", "b"]


def test_an_answer_costs_what_its_deployment_does() -> None:
    catalogue = read(deployment("chat", "a", **PRICED), deployment("chat", "b", **CHEAP))
    assert cost_of(Tokens(prompt=1_000_000), "chat", "b", catalogue) == pytest.approx(0.1)


def test_a_price_that_is_not_told_is_not_known_and_zero_is_free() -> None:
    catalogue = read(deployment("chat", "a", **PRICED), deployment("chat", "b"), deployment("own", "c", **FREE))
    assert catalogue.models["chat"].price == UNKNOWN_PRICE
    assert highest_price("chat", None, catalogue) is None
    assert highest_price("own", None, catalogue) == Price()


FREE = {"input_cost_per_token": 0.0, "output_cost_per_token": 0}


def test_a_group_that_does_not_say_whether_it_reasons_may() -> None:
    catalogue = read(deployment("chat", "a"), deployment("plain", "b", supports_reasoning=False))
    assert (catalogue.models["chat"].reasoning, catalogue.models["plain"].reasoning) == (True, False)


@given(st.recursive(st.none() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(
    st.sampled_from(["data", "model_name", "model_info", "id", "input_cost_per_token", "output_cost_per_token"]), inner
)))  # fmt: skip
def test_any_document_will_do(document: Any) -> None:
    assert isinstance(read_groups(document), dict)

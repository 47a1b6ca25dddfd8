"""Each fault as a value: what it does, its options, and that none is forgotten."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Mapping
from importlib import import_module
from random import Random
from typing import Any

import pytest

import chaos.faults
from chaos.faults import FAULTS, resolve
from chaos.faults.rate_limited_absurd import ABSURD
from chaos.faults.unfit import UNFIT
from chaos.model import Connect, Effect, Fault, RawReply, Strike, Unit
from chaos.strikes import complete

SHARED = {"options", "replies", "together", "unfit", "waits"}

STATUSES = {
    "unavailable": (503, "provider_unavailable"),
    "status": (503, "provider_unavailable"),
    "rate_limited": (429, "rate_limit_exceeded"),
    "overloaded": (529, "provider_overloaded"),
    "server_error": (500, "server"),
    "bad_gateway": (502, "provider_unavailable"),
    "unauthorized": (401, "authentication"),
    "out_of_credit": (402, "payment_required"),
    "moderated": (403, "content_policy_violation"),
    "model_gone": (404, "not_found"),
    "bad_request": (400, "invalid_request"),
    "context_length": (400, "context_length_exceeded"),
    "rate_limited_unsaid": (429, "rate_limit_exceeded"),
    "rate_limited_absurd": (429, "rate_limit_exceeded"),
    "rate_limited_burst": (429, "rate_limit_exceeded"),
    "gateway_timeout": (504, "timeout"),
    "edge_timeout": (524, "timeout"),
    "request_timeout": (408, "timeout"),
    "forbidden": (403, "permission_denied"),
    "no_endpoint": (404, "no_endpoints"),
    "too_large": (413, "payload_too_large"),
    "unprocessable": (422, "unprocessable"),
}

EFFECTS = {
    "refused": Effect(connect=Connect.REFUSE),
    "dns": Effect(connect=Connect.DNS),
    "tls": Effect(connect=Connect.TLS),
    "reset": Effect(reset=True),
    "silent": Effect(delay=86400.0),
    "stall": Effect(stall_after=1),
    "cut": Effect(cut_after=1),
    "reset_after_headers": Effect(reset_after=0),
    "truncated": Effect(end_after=1),
    "bandwidth": Effect(bytes_per_second=256.0),
    "refusal": Effect(rewrite="refusal"),
    "malformed": Effect(malformed_after=1),
    "error_in_200": Effect(error_after=1),
    "empty": Effect(raw=RawReply()),
    "empty_content": Effect(rewrite="empty_content"),
    "wrong_model": Effect(rewrite="wrong_model"),
    "wrong_answer": Effect(rewrite="wrong_answer"),
    "starved": Effect(rewrite="starved"),
    **{name: Effect(rewrite=name) for name in UNFIT},
}


WAITS = {
    "delay": "delay",
    "slow_connect": "connect_delay",
    "slow_first_token": "first_token_delay",
    "slow_chunks": "chunk_delay",
}


def perform(name: str, **options: float) -> Effect:
    return FAULTS[name].effect(resolve(name, options), Random(7))


def test_every_file_of_the_folder_is_in_the_list() -> None:
    files = {module.name for module in pkgutil.iter_modules(chaos.faults.__path__)} - SHARED
    assert files == set(FAULTS)
    for name in files:
        fault = import_module(f"chaos.faults.{name}").FAULT
        assert isinstance(fault, Fault)
        assert FAULTS[name] is fault, "a fault is named as its file"


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_does_something_and_says_what(name: str) -> None:
    assert perform(name) != Effect()
    assert FAULTS[name].meaning


@pytest.mark.parametrize(("name", "expected"), STATUSES.items(), ids=STATUSES)
def test_an_error_fault_has_its_status_and_type(name: str, expected: tuple[int, str]) -> None:
    error = perform(name).error
    assert error is not None
    assert (error.status, error.error_type) == expected
    assert error.message


@pytest.mark.parametrize(("name", "expected"), EFFECTS.items(), ids=EFFECTS)
def test_a_fault_without_chance_is_always_the_same(name: str, expected: Effect) -> None:
    assert perform(name) == expected


def test_the_tables_here_know_every_fault() -> None:
    assert {*STATUSES, *EFFECTS, *WAITS, "html", "garbage"} == set(FAULTS)


def test_html_is_a_page_with_a_200() -> None:
    raw = perform("html").raw
    assert raw is not None
    assert (raw.status, raw.content_type) == (200, "text/html; charset=utf-8")
    assert raw.body.startswith(b"<!DOCTYPE html>")


@pytest.mark.parametrize(("name", "field"), WAITS.items(), ids=WAITS)
def test_a_wait_varies_by_its_jitter_and_repeats_from_its_seed(name: str, field: str) -> None:
    def drawn(rng: Random, jitter: float) -> float:
        return float(getattr(FAULTS[name].effect({"seconds": 10.0, "jitter": jitter}, rng), field))

    rng = Random(1)
    waits = [drawn(rng, 0.1) for _ in range(200)]
    assert 9.0 <= min(waits) < 9.2
    assert 10.8 < max(waits) <= 11.0
    assert drawn(Random(1), 0.1) == waits[0]
    assert drawn(Random(1), 0.0) == 10.0


def test_garbage_is_no_text_and_repeats_from_its_seed() -> None:
    first, again = perform("garbage", bytes=100).raw, perform("garbage", bytes=100).raw
    assert first is not None
    assert first == again
    assert len(first.body) == 100
    with pytest.raises(UnicodeDecodeError):
        first.body.decode()


def test_an_absurd_wait_is_one_of_those_that_no_client_can_obey() -> None:
    rng = Random(1)
    seen = {FAULTS["rate_limited_absurd"].effect({}, rng).error for _ in range(200)}
    assert {error.retry_after_text for error in seen if error} == set(ABSURD)


def test_a_burst_meets_the_first_requests_alone_unless_something_else_is_said() -> None:
    fault = FAULTS["rate_limited_burst"]
    assert (fault.shape, fault.shape_options) == ("first_n", {"n": 2.0})
    usual = complete(Strike(positions=(0,), fault="rate_limited_burst", shape=None))
    assert (usual.shape, usual.shape_options) == ("first_n", {"n": 2.0})
    other = complete(Strike(positions=(0,), fault="rate_limited_burst", shape="every_nth"))
    assert (other.shape, other.shape_options) == ("every_nth", {"n": 2.0})


def test_options_reach_the_effect() -> None:
    limited, other = perform("rate_limited", retry_after=12).error, perform("status", code=418).error
    assert limited is not None
    assert limited.retry_after == 12
    assert other is not None
    assert (other.status, other.error_type) == (418, "unmapped")
    assert perform("cut", after=4).cut_after == 4
    unlimited = perform("rate_limited", retry_after=0).error
    assert unlimited is not None
    assert unlimited.retry_after is None


BAD: dict[str, tuple[str, Mapping[str, Any], str]] = {
    "misspelt fault": ("rate_limitted", {}, '"rate_limitted" is not a fault; did you mean "rate_limited"?'),
    "no such option": ("refused", {"seconds": 1}, 'refused has no options, so "seconds" cannot be set'),
    "misspelt option": ("delay", {"second": 1}, 'delay has no option "second"; did you mean "seconds"?'),
    "other option": ("stall", {"x": 1}, 'stall has no option "x"; choose from after'),
    "too small": ("status", {"code": 200}, "code of status is 200, but must be from 400 to 599"),
    "too large": ("delay", {"seconds": 3601}, "seconds of delay is 3601, but must be from 0 to 3600"),
    "half": ("cut", {"after": 1.5}, "after of cut must be a whole number, not 1.5"),
    "not a number": ("cut", {"after": "3"}, "after of cut is not a number: '3'"),
    "a truth": ("cut", {"after": True}, "after of cut is not a number: True"),
    "nan": ("delay", {"seconds": float("nan")}, "seconds of delay is nan, but must be from 0 to 3600"),
}


@pytest.mark.parametrize(("name", "options", "message"), BAD.values(), ids=BAD)
def test_a_wrong_name_or_option_is_named_with_the_choices(name: str, options: Mapping[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        resolve(name, options)


def test_an_unknown_fault_far_from_all_names_lists_them() -> None:
    with pytest.raises(ValueError, match="choose from refused, dns, tls, reset"):
        resolve("earthquake", {})


def test_every_default_lies_within_its_bounds() -> None:
    for fault in FAULTS.values():
        for option in fault.options.values():
            assert option.low <= option.default <= option.high
            assert option.unit in Unit

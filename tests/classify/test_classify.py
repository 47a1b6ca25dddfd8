"""Each row of the fact sheet's error and streaming sections, and each fault of the transport, has one cause."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.classify import by_status, classify, find_error, from_error
from monitor.exchange import Fate, Reply
from monitor.model import Reason
from monitor.reading import clean, number, parse
from monitor.retry_after import MAX_RETRY_AFTER

NOW = 1_790_000_000.0


def said(status: int | None, body: Any, fate: Fate = Fate.ANSWERED, **headers: str):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    reply = Reply(fate=fate, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()}, body=raw)
    return classify(reply, parse(raw), now=NOW)


def error(code: Any = None, message: str = "Something went wrong", **metadata: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "metadata": metadata or None}}


def offered(status: int, code: str) -> dict[str, Any]:
    """As the published examples show ``availability``: no code, ``http_status`` inside ``error``."""
    return {"error": {"http_status": status, "message": "Not available", "availability": {"code": code}}}


ERROR_TYPES = [
    ("context_length_exceeded", 400, Reason.CONTEXT_LENGTH),
    ("max_tokens_exceeded", 400, Reason.CONTEXT_LENGTH),
    ("token_limit_exceeded", 400, Reason.CONTEXT_LENGTH),
    ("string_too_long", 400, Reason.CONTEXT_LENGTH),
    ("authentication", 401, Reason.UNAUTHORIZED),
    ("permission_denied", 403, Reason.FORBIDDEN),
    ("payment_required", 402, Reason.OUT_OF_CREDIT),
    ("rate_limit_exceeded", 429, Reason.RATE_LIMITED),
    ("provider_overloaded", 529, Reason.OVERLOADED),
    ("provider_overloaded", 503, Reason.OVERLOADED),
    ("provider_unavailable", 503, Reason.SERVER_ERROR),
    ("provider_unavailable", 502, Reason.SERVER_ERROR),
    ("invalid_request", 400, Reason.BAD_REQUEST),
    ("invalid_prompt", 400, Reason.BAD_REQUEST),
    ("not_found", 404, Reason.NO_ENDPOINT),
    ("precondition_failed", 412, Reason.BAD_REQUEST),
    ("payload_too_large", 413, Reason.CONTEXT_LENGTH),
    ("unprocessable", 422, Reason.BAD_REQUEST),
    ("content_policy_violation", 400, Reason.MODERATED),
    ("refusal", 200, Reason.MODERATED),
    ("invalid_image", 400, Reason.BAD_REQUEST),
    ("invalid_image_format", 200, Reason.BAD_REQUEST),
    ("server", 500, Reason.SERVER_ERROR),
    ("timeout", 408, Reason.TIMEOUT),
    ("timeout", 504, Reason.TIMEOUT),
    ("unmapped", 429, Reason.RATE_LIMITED),
    ("unmapped", 502, Reason.SERVER_ERROR),
    ("a type of next year", 402, Reason.OUT_OF_CREDIT),
]


@pytest.mark.parametrize(("kind", "status", "reason"), ERROR_TYPES)
def test_the_error_type_in_the_metadata_speaks_first(kind, status, reason):
    assert said(status, error(None, error_type=kind)).reason is reason


def test_an_error_type_outweighs_availability_and_status():
    body = error(503, error_type="rate_limit_exceeded")
    body["error"]["availability"] = {"code": "model_deprecated"}
    assert said(503, body).reason is Reason.RATE_LIMITED


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (400, "model_not_found", Reason.MODEL_GONE),
        (400, "wrong_endpoint", Reason.BAD_REQUEST),
        (404, "no_endpoints", Reason.NO_ENDPOINT),
        (404, "model_deprecated", Reason.MODEL_GONE),
        (404, "model_unavailable_upstream", Reason.MODEL_GONE),
        (429, "capacity_exhausted", Reason.RATE_LIMITED),
        (503, "temporarily_unavailable", Reason.SERVER_ERROR),
        (403, "region_restricted", Reason.FORBIDDEN),
        (404, "privacy_restricted", Reason.NO_ENDPOINT),
        (404, "constraint_filtered", Reason.NO_ENDPOINT),
        (404, "free_variant_ended", Reason.MODEL_GONE),
        (404, "a code of next year", Reason.NO_ENDPOINT),
    ],
)
def test_the_availability_code_speaks_second(status, code, reason):
    assert said(status, offered(status, code)).reason is reason


STATUSES = [
    (400, Reason.BAD_REQUEST), (401, Reason.UNAUTHORIZED), (402, Reason.OUT_OF_CREDIT), (403, Reason.FORBIDDEN),
    (404, Reason.NO_ENDPOINT), (405, Reason.BAD_REQUEST), (408, Reason.TIMEOUT), (410, Reason.MODEL_GONE),
    (412, Reason.BAD_REQUEST), (413, Reason.CONTEXT_LENGTH), (422, Reason.BAD_REQUEST), (429, Reason.RATE_LIMITED),
    (499, Reason.CUT), (500, Reason.SERVER_ERROR), (502, Reason.SERVER_ERROR), (503, Reason.SERVER_ERROR),
    (504, Reason.TIMEOUT), (520, Reason.SERVER_ERROR), (522, Reason.TIMEOUT), (524, Reason.TIMEOUT),
    (529, Reason.OVERLOADED), (599, Reason.SERVER_ERROR),
]  # fmt: skip


@pytest.mark.parametrize(("status", "reason"), STATUSES)
@pytest.mark.parametrize("body", [error(None), b"", b"<html>Bad Gateway</html>", b'{"error": null}'])
def test_the_http_status_speaks_third(status, reason, body):
    assert said(status, body).reason is reason


@pytest.mark.parametrize(("status", "reason"), STATUSES)
@pytest.mark.parametrize("form", [int, str])
def test_inside_a_200_the_code_stands_for_the_status_as_number_and_as_text(status, reason, form):
    found = said(200, error(form(status)))
    assert found.reason is reason
    assert found.detail == f"{status} inside HTTP 200: Something went wrong"


TEXTS = [
    (400, "foo/bar is not a valid model ID", Reason.MODEL_GONE),
    (500, "foo/bar is not a valid model ID", Reason.MODEL_GONE),
    (404, "The model `gpt-9` does not exist or you do not have access to it.", Reason.MODEL_GONE),
    (404, "No allowed providers are available for the selected model. Providers serving ...", Reason.NO_ENDPOINT),
    (404, "All providers have been ignored.", Reason.NO_ENDPOINT),
    (404, "No endpoints found for foo/bar.", Reason.NO_ENDPOINT),
    (404, "No endpoints found that support tool use.", Reason.NO_ENDPOINT),
    (404, "No endpoints found that support image input", Reason.NO_ENDPOINT),
    (404, "No endpoints found that can handle the requested parameters.", Reason.NO_ENDPOINT),
    (404, "No endpoints found matching your data policy (Free model training)", Reason.NO_ENDPOINT),
    (400, "This endpoint's maximum context length is 8192 tokens. However, you requested 9000", Reason.CONTEXT_LENGTH),
    (400, "prompt is too long: 210000 tokens > 200000 maximum", Reason.CONTEXT_LENGTH),
    (400, "'models' array must have 3 items or fewer", Reason.BAD_REQUEST),
    (403, "Key limit exceeded (daily limit)", Reason.OUT_OF_CREDIT),
    (403, "Workspace budget exhausted", Reason.OUT_OF_CREDIT),
    (403, "This endpoint is only for listed apps", Reason.FORBIDDEN),
    (402, "This request requires more credits: you requested 65536 tokens", Reason.OUT_OF_CREDIT),
    (401, "User not found.", Reason.UNAUTHORIZED),
    (429, "You exceeded your current quota, please check your plan", Reason.OUT_OF_CREDIT),
    (503, "There is no available model provider that meets your routing requirements", Reason.NO_ENDPOINT),
    (503, "The model is overloaded. Please try again later.", Reason.OVERLOADED),
    (500, "Internal Server Error", Reason.SERVER_ERROR),
    (502, "Provider returned error", Reason.SERVER_ERROR),
]


@pytest.mark.parametrize(("status", "text", "reason"), TEXTS)
@pytest.mark.parametrize("inside", [False, True])
def test_a_known_text_says_more_than_its_status(status, text, reason, inside):
    assert said(200 if inside else status, error(status, text)).reason is reason


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("permission_denied", Reason.FORBIDDEN),
        ("invalid_request", Reason.BAD_REQUEST),
        ("not_found", Reason.NO_ENDPOINT),
        ("provider_unavailable", Reason.SERVER_ERROR),
    ],
)
def test_a_vague_error_type_still_says_more_than_a_status(kind, reason):
    assert said(200, error("odd", error_type=kind)).reason is reason
    assert said(502, error(502, error_type=kind)).reason is reason


def test_a_vague_error_type_gives_way_to_a_known_text():
    assert said(403, error(403, "Key limit exceeded", error_type="permission_denied")).reason is Reason.OUT_OF_CREDIT
    assert said(400, error(400, "x is not a valid model ID", error_type="invalid_request")).reason is Reason.MODEL_GONE


def test_a_moderated_prompt_is_named_by_its_reasons_and_never_quoted():
    body = error(
        403, 'Your input was flagged: "how to hurt"', reasons=["violence", "self-harm"], flagged_input="how to hurt",
        provider_name="OpenAI", raw='{"error": {"message": "how to hurt"}}',
    )  # fmt: skip
    found = said(403, body)
    assert found.reason is Reason.MODERATED
    assert found.detail == '403 from OpenAI: Your input was flagged: "[redacted]"; flagged for violence, self-harm'


def test_user_not_found_is_no_proof_of_a_bad_key():
    found = said(401, error(401, "User not found."))
    assert found.detail.startswith("401: User not found.; no proof of a bad key")


@pytest.mark.parametrize(
    ("kind", "status", "reason"),
    [
        ("invalid_api_key", 401, Reason.UNAUTHORIZED),
        ("insufficient_quota", 429, Reason.OUT_OF_CREDIT),
        ("overloaded_error", 529, Reason.OVERLOADED),
        ("model_not_found", 404, Reason.MODEL_GONE),
        ("context_length_exceeded", 400, Reason.CONTEXT_LENGTH),
        ("server_error", 200, Reason.SERVER_ERROR),
        ("rate_limit_error", 200, Reason.RATE_LIMITED),
    ],
)
def test_codes_and_types_of_other_apis_are_words_of_their_own(kind, status, reason):
    assert said(status, {"error": {"code": kind, "message": "m"}}).reason is reason
    assert said(status, {"error": {"type": kind, "code": None, "message": "m"}}).reason is reason


MID_STREAM = {
    "id": "gen-1", "object": "chat.completion.chunk",
    "error": {"code": "server_error", "message": "Provider disconnected", "metadata": {"error_type": "server"}},
    "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("body", "reason", "detail"),
    [
        (MID_STREAM, Reason.SERVER_ERROR, "server_error inside HTTP 200: Provider disconnected"),
        (
            {"choices": [{"error": {"code": 502, "message": "m", "metadata": {"provider_name": "Groq"}}}]},
            Reason.SERVER_ERROR,
            "502 inside HTTP 200 from Groq: m",
        ),
        (
            {"choices": [{"finish_reason": "error", "native_finish_reason": "MALFORMED_FUNCTION_CALL"}]},
            Reason.SERVER_ERROR,
            "error inside HTTP 200: finish_reason error (MALFORMED_FUNCTION_CALL)",
        ),
        ({"error": "overloaded"}, Reason.OVERLOADED, "error inside HTTP 200: overloaded"),
        ([{"error": {"code": 429, "message": "quota"}}], Reason.RATE_LIMITED, "429 inside HTTP 200: quota"),
    ],
)
def test_an_error_inside_a_200_is_found_wherever_it_is(body, reason, detail):
    assert find_error(body) is not None
    found = said(200, body)
    assert (found.reason, found.detail) == (reason, detail)


def test_a_body_without_trouble_has_no_finding():
    assert said(200, {"error": None, "choices": [{"finish_reason": "stop", "error": None}]}).reason is Reason.NONE


WIRE = [
    (Fate.REFUSED, None, Reason.CONNECT),
    (Fate.UNREACHABLE, None, Reason.CONNECT),
    (Fate.CONNECT_TIMEOUT, None, Reason.CONNECT),
    (Fate.DNS, None, Reason.DNS),
    (Fate.TLS, None, Reason.TLS),
    (Fate.TIMEOUT, None, Reason.TIMEOUT),
    (Fate.FIRST_TOKEN_TIMEOUT, 200, Reason.FIRST_TOKEN_TIMEOUT),
    (Fate.STALLED, 200, Reason.STALLED),
    (Fate.RESET, None, Reason.CONNECT),
    (Fate.RESET, 200, Reason.CUT),
    (Fate.CUT, 200, Reason.CUT),
    (Fate.PROTOCOL, None, Reason.MALFORMED),
    (Fate.TOO_LARGE, 200, Reason.MALFORMED),
    (Fate.OURS, None, Reason.OURS),
]


@pytest.mark.parametrize(("fate", "status", "reason"), WIRE)
def test_a_fault_of_the_transport_has_its_own_cause(fate, status, reason):
    found = said(status, b"", fate)
    assert found.reason is reason
    assert found.detail


def test_the_table_of_transport_faults_is_complete():
    assert {fate for fate, _, _ in WIRE} == set(Fate) - {Fate.ANSWERED}


def test_an_error_status_speaks_even_when_its_body_was_cut():
    assert said(503, b'{"error": {"mes', Fate.CUT).reason is Reason.SERVER_ERROR
    assert said(503, b"", Fate.OURS).reason is Reason.OURS


@pytest.mark.parametrize(
    ("status", "body", "reason", "detail"),
    [
        (200, b"", Reason.EMPTY, "HTTP 200 with an empty body"),
        (200, b" \n\n ", Reason.EMPTY, "HTTP 200 with an empty body"),
        (204, b"", Reason.EMPTY, "HTTP 204 with an empty body"),
        (200, b"<!doctype html><p>hi", Reason.MALFORMED, "HTTP 200 with an HTML page instead of JSON"),
        (200, b"\x00{", Reason.MALFORMED, "HTTP 200 with a body that is not the JSON expected: {"),
        (200, b"[1]", Reason.MALFORMED, "HTTP 200 with a body that is not the JSON expected: [1]"),
        (200, b"[" * 100_000, Reason.MALFORMED, None),
        (302, b"", Reason.MALFORMED, "HTTP 302 is neither an answer nor an error"),
        (502, b"<html>", Reason.SERVER_ERROR, "502: an HTML page instead of JSON"),
        (422, b'{"detail": "no such field"}', Reason.BAD_REQUEST, "422: no such field"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_named(status, body, reason, detail):
    found = said(status, body)
    assert found.reason is reason
    assert detail is None or found.detail == detail


WAITS = [
    ({"retry_after": "30"}, {}, 30.0),
    ({"retry_after": "1.5"}, {}, 1.5),
    ({"Retry_After": format_datetime(datetime.fromtimestamp(NOW + 90, UTC), usegmt=True)}, {}, 90.0),
    ({"retry_after": format_datetime(datetime.fromtimestamp(NOW - 90, UTC), usegmt=True)}, {}, 0.0),
    ({"retry_after": "86400"}, {}, MAX_RETRY_AFTER),
    ({"retry_after": "1e999"}, {}, None),
    ({"retry_after": "-5"}, {}, None),
    ({"retry_after": "soon"}, {}, None),
    ({"retry_after": "soon"}, {"retry_after_seconds": 7}, 7.0),
    ({"retry_after_ms": "2500"}, {}, 2.5),
    ({}, {"retry_after_seconds": "12"}, 12.0),
    ({}, {"headers": {"X-RateLimit-Reset": str(int((NOW + 45) * 1000))}}, 45.0),
    ({"x_ratelimit_reset": str(int((NOW + 20) * 1000))}, {}, 20.0),
    ({"x_ratelimit_reset": str(int(NOW + 20))}, {}, 20.0),
    ({"x_ratelimit_reset": "15"}, {}, 15.0),
    ({"x_ratelimit_reset": str(int((NOW - 20) * 1000))}, {}, 0.0),
]


@pytest.mark.parametrize(("headers", "metadata", "seconds"), WAITS)
def test_how_long_to_wait_is_read_wherever_it_is_said(headers, metadata, seconds):
    found = said(429, error(429, **metadata), **headers)
    assert found.reason is Reason.RATE_LIMITED
    assert found.retry_after == (None if seconds is None else pytest.approx(seconds))


def test_availability_says_how_long_to_wait():
    body = offered(503, "temporarily_unavailable")
    body["error"]["availability"]["retry_after"] = 9
    assert said(503, body).retry_after == 9.0


def test_the_reset_of_a_limit_is_no_wait_for_who_was_not_limited():
    assert said(502, error(502), x_ratelimit_reset=str(int((NOW + 20) * 1000))).retry_after is None


def test_the_detail_names_provider_inner_message_routing_step_and_earlier_errors():
    body = error(
        502, "Provider returned error", provider_name="Anthropic", raw='{"error": {"message": "disk on fire"}}',
        previous_errors=[{"provider": "Amazon Bedrock", "status": 429}, {"provider_name": "Google", "code": 503}],
    )  # fmt: skip
    assert said(502, body).detail == (
        "502 from Anthropic: Provider returned error; the provider says: disk on fire; "
        "before that Amazon Bedrock 429, Google 503"
    )
    body = error(404, "No allowed providers", failed_routing_step="Filter by Allowed Providers")
    assert said(404, body).detail == "404: No allowed providers; routing stopped at Filter by Allowed Providers"


def test_the_cause_may_stand_in_the_providers_own_message():
    body = error(400, "Provider returned error", raw='{"error": {"message": "prompt is too long: 9 > 8"}}')
    assert said(400, body).reason is Reason.CONTEXT_LENGTH


def test_a_key_in_a_message_is_masked():
    found = said(401, error(401, "Incorrect API key provided: sk-or-v1-0123456789abcdef"))
    assert found.detail == "401: Incorrect API key provided: [masked]"


def test_by_status_knows_good_ones():
    assert by_status(200) is Reason.NONE
    assert by_status(302) is Reason.MALFORMED


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["error", "code", "message", "metadata", "choices", "finish_reason", "availability", "raw",
                         "headers", "reasons", "previous_errors", "retry_after", "error_type", "flagged_input"]),
        inner,
    ),
    max_leaves=20,
)  # fmt: skip


@given(body=json_values, status=st.none() | st.integers(100, 599), fate=st.sampled_from(list(Fate)))
def test_any_json_is_classified(body, status, fate):
    found = classify(Reply(fate=fate, status=status, body=b"x"), body, now=NOW)
    found.detail.encode()
    assert "\n" not in found.detail
    assert (found.reason is Reason.OURS) == (fate is Fate.OURS)


@given(error_object=st.dictionaries(st.text(), json_values), wait=st.text())
def test_any_error_object_is_classified(error_object, wait):
    found = from_error(error_object, status=429, headers={"Retry-After": wait}, now=NOW)
    assert found.retry_after is None or 0 <= found.retry_after <= MAX_RETRY_AFTER


def test_readers_take_anything():
    assert number(True) is None
    assert number("nan") is None
    assert number(10**400) is None
    assert parse("9" * 10_000) is None
    assert clean("a\ud800b\x00\n c") == "a?b c"
    assert clean("x" * 300, 10) == "x" * 9 + "…"

"""How an application's request is changed on its way, and that whatever is doubtful is not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from chaos.edits import FIELDS, KINDS, UNKNOWN_ID, Edit, UneditableError, dump_edit, read_edit
from chaos.gateway.record import HEAD_LIMIT, Copy
from chaos.gateway.reshaping import BOUND, Request, edited, reshaped
from chaos.injectors import proxy
from tests.gateway.conftest import MINI, SONNET

IGNORE = Edit(kind="ignore", values=("anthropic",))
ONLY = Edit(kind="only", values=("azure", "openai"))
CAP = Edit(kind="max_price", values=("prompt", "0.5"))
UNKNOWN = Edit(kind="unknown_id", values=(SONNET,))
MOCK = Edit(kind="field", values=("mock_testing_fallbacks",))


@pytest.mark.parametrize(
    ("raw", "edit", "changed"),
    [
        (b'{"n": 1.50, "z":1e5 }', IGNORE, b'{"provider": {"ignore": ["anthropic"]}, "n": 1.50, "z":1e5 }'),
        (b"{ }", IGNORE, b'{"provider": {"ignore": ["anthropic"]} }'),
        (
            b'\n {"provider" : {"sort": null,"ignore":["x"]} , "x":"\xc3\xa4 \\ud83d"}\r\n',
            IGNORE,
            b'\n {"provider" : {"sort": null, "ignore": ["x", "anthropic"]} , "x":"\xc3\xa4 \\ud83d"}\r\n',
        ),
        (b'{"provider":null,"a":1}', IGNORE, b'{"provider":{"ignore": ["anthropic"]},"a":1}'),
        (b'{"provider":{"ignore":null}}', IGNORE, b'{"provider":{"ignore": ["anthropic"]}}'),
        (b'{"provider":{"only":["openai/x","groq"]}}', ONLY, b'{"provider":{"only": ["openai/x"]}}'),
        (b'{"provider":{"max_price":{"image":1}}}', CAP, b'{"provider":{"max_price": {"image": 1, "prompt": "0.5"}}}'),
        (b'{"provider":{"max_price":{"prompt":"9"}}}', CAP, b'{"provider":{"max_price": {"prompt": "0.5"}}}'),
        (
            f'{{"model":"{SONNET}","a":"{SONNET}","models":["{SONNET}","{MINI}"]}}'.encode(),
            UNKNOWN,
            f'{{"model":"{UNKNOWN_ID}","a":"{SONNET}","models":["{UNKNOWN_ID}", "{MINI}"]}}'.encode(),
        ),
        (b'{"model":"a"}', MOCK, b'{"mock_testing_fallbacks": true, "model":"a"}'),
    ],
)
def test_only_the_members_that_change_are_written_anew(raw: bytes, edit: Edit, changed: bytes) -> None:
    assert edited(raw, [edit]) == changed


def test_several_edits_are_made_one_after_the_other() -> None:
    assert edited(b"{}", [IGNORE, CAP]) == (b'{"provider": {"ignore": ["anthropic"], "max_price": {"prompt": "0.5"}}}')


@pytest.mark.parametrize(
    ("raw", "edit", "why"),
    [
        (b"", IGNORE, "is no JSON object"),
        (b"[1]", IGNORE, "is no JSON object"),
        (b'"text"', IGNORE, "is no JSON object"),
        (b'{"a":1}x', IGNORE, "is no JSON object"),
        (b'{"a":1,}', IGNORE, "is no JSON object"),
        (b'{"a" 1}', IGNORE, "is no JSON object"),
        (b"{1:2}", IGNORE, "is no JSON object"),
        (b'{"a":1', IGNORE, "is no JSON object"),
        (b'{"a":NaN}', IGNORE, "is no JSON object"),
        (b'\xef\xbb\xbf{"a":1}', IGNORE, "is no JSON object"),
        (b'{"a":"\xff"}', IGNORE, "is no JSON object"),
        (b'{"a":' + b"[" * 100_000, IGNORE, "is no JSON object"),
        (b'{"model":"a","model":"b"}', IGNORE, "is no JSON object"),  # which of the two is meant, nobody knows
        (b'{"provider":[]}', IGNORE, 'has a "provider" of a form that is not known here'),
        (b'{"provider":{"ignore":"x"}}', IGNORE, 'has a "ignore" of a form that is not known here'),
        (b'{"provider":{"ignore":[1]}}', IGNORE, "has a provider.ignore that is no list of texts"),
        (b'{"provider":{"ignore":["anthropic"]}}', IGNORE, "holds nothing that the fault would change"),
        (b'{"provider":{"only":["groq"]}}', ONLY, "allows none of the providers that would be left"),
        (b'{"provider":{"max_price":{"prompt":"x"}}}', CAP, "has a provider.max_price.prompt that is no number"),
        (b'{"provider":{"max_price":{"prompt":0.1}}}', CAP, "holds nothing that the fault would change"),
        (b'{"provider":{"x":1e999}}', IGNORE, "has a number that JSON does not know"),
        (b'{"models":["a/b"]}', UNKNOWN, "holds nothing that the fault would change"),
        (b'{"models":"a/b"}', UNKNOWN, 'has a "models" of a form that is not known here'),
    ],
)
def test_whatever_is_doubtful_is_not_changed(raw: bytes, edit: Edit, why: str) -> None:
    with pytest.raises(UneditableError, match=why.replace("(", r"\(").replace(")", r"\)")):
        edited(raw, [edit])


_JSON = some.recursive(
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats(allow_nan=False, allow_infinity=False)
    | some.text(max_size=20),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(body=some.dictionaries(some.text(max_size=5), _JSON, max_size=5), indent=some.sampled_from([None, 0, 3]))
def test_any_request_says_the_same_beside_what_was_changed(body: dict[str, Any], indent: int | None) -> None:
    for ascii_only in (True, False):
        raw = json.dumps(body, indent=indent, ensure_ascii=ascii_only).encode()
        assert json.loads(edited(raw, [MOCK])) == {"mock_testing_fallbacks": True, **body}


def request(body: bytes = b"{}", method: str = "POST", path: str = "/v1/chat/completions", **headers: str) -> Request:
    copy = Copy()
    if body:
        copy.take(body, 0.0)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method=method, path=path, header=named.get, body=copy)


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        pytest.param(request(method="PUT"), "is no question to a model", id="another method"),
        pytest.param(request(path="/v1/embeddings"), "is no question to a model", id="another route"),
        pytest.param(request(path="/v1/models?x=/messages"), "is no question to a model", id="only its query"),
        pytest.param(request(b""), "has no body", id="a streamed upload"),
        pytest.param(request(b"{" + b" " * HEAD_LIMIT + b"}"), "has no body, or one that is passed on", id="oversized"),
        *(pytest.param(request(**{name: "x"}), f"by the field {name}", id=name) for name in BOUND),
    ],
)
def test_what_is_no_plain_question_is_not_changed(sent: Request, why: str) -> None:
    with pytest.raises(UneditableError, match=why):
        reshaped(sent, [IGNORE])


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/api/v1/responses?x=1", "/v1/messages/", "/v1/completions"])
def test_a_question_to_a_model_is_changed(path: str) -> None:
    assert reshaped(request(path=path), [MOCK]) == b'{"mock_testing_fallbacks": true}'


@pytest.mark.parametrize("edit", [IGNORE, ONLY, CAP, UNKNOWN, MOCK])
def test_an_edit_comes_back_as_it_was_sent(edit: Edit) -> None:
    assert read_edit(json.loads(json.dumps(dump_edit(edit)))) == edit


def test_every_kind_is_known_and_so_is_every_field_of_a_proxy() -> None:
    assert {edit.kind for edit in (IGNORE, ONLY, CAP, UNKNOWN, MOCK)} == set(KINDS)
    assert {field for field, _ in proxy.FIELDS.values()} == set(FIELDS)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        (3, "edits: a list of objects"),
        ({"kind": "ignore"}, "edits: a list of objects"),
        ({"kind": "ignore", "values": ["x"], "more": 1}, "edits: a list of objects"),
        ({"kind": "prompt", "values": ["x"]}, "edits: kind is one of ignore, only"),
        ({"kind": [], "values": ["x"]}, "edits: kind is one of ignore, only"),
        ({"kind": "ignore", "values": []}, "a list of 1 to 500 texts"),
        ({"kind": "ignore", "values": "anthropic"}, "a list of 1 to 500 texts"),
        ({"kind": "ignore", "values": [1]}, "each value is a text"),
        ({"kind": "ignore", "values": ["x" * 201]}, "each value is a text"),
        ({"kind": "max_price", "values": ["prompt"]}, "the values of max_price"),
        ({"kind": "max_price", "values": ["prompt", "much"]}, "the values of max_price"),
        ({"kind": "max_price", "values": ["image", "1"]}, "the values of max_price"),
        ({"kind": "field", "values": ["messages"]}, "the values of field"),
    ],
)
def test_nothing_else_can_be_asked_for(written: Mapping[str, Any] | int, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_edit(written)

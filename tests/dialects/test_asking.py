"""How questions are worded: whom a body asks, and what it never says."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from pydantic import SecretStr

import monitor.dialects
from monitor.config.model import ChainConfig, EndpointConfig
from monitor.dialects import DIALECTS, Route, UnsupportedError, bound_tokens
from monitor.dialects.openai_compatible import OpenAICompatible
from monitor.exchange import Question
from monitor.model import Mode
from monitor.offering import Catalogue, ModelEntry, Price

SONNET, MINI = "anthropic/claude-sonnet-4.5", "openai/gpt-5-mini"
ENDPOINT = EndpointConfig(dialect="openrouter", url="http://upstream/api/v1/", headers={"X-Own": "1"})
MESSAGES = ({"role": "user", "content": "hi"},)
QUESTION = Question(messages=MESSAGES, max_tokens=48)
STREAM = Question(messages=MESSAGES, max_tokens=48, stream=True, extra={"tools": []})
CATALOGUE = Catalogue(
    at=1.0,
    models={
        SONNET: ModelEntry(id=SONNET, canonical=SONNET, price=Price()),
        MINI: ModelEntry(id=MINI, canonical=MINI, price=Price(), reasoning=True),
    },
)


def chain(mode: str, **more) -> ChainConfig:
    if mode == "provider":
        targets = [{"label": "a", "provider": "groq"}, {"label": "b", "provider": "together"}]
        more = {"model": SONNET, **more}
    else:
        targets = [{"label": "a", "model": SONNET, "timeout": "9s"}, {"label": "b", "model": MINI}]
    body = {"name": "chat", "endpoint": "e", "mode": mode, "targets": targets, **more}
    return ChainConfig.model_validate({"probes": [{"kind": "completion", "every": "60s"}], **body})


def route(asked: ChainConfig, position: int | None = None, provider: str | None = None, **more) -> Route:
    target = None if position is None else asked.target(position, provider)
    common = {
        "endpoint": ENDPOINT, "catalogue": CATALOGUE, "session": "s-1", "deadline": 30.0, "first_token": 5.0,
        "end_to_end": target is None,
    }  # fmt: skip
    return Route(chain=asked, target=target, **{**common, **more})


def asked(name: str, question: Question, way: Route) -> dict:
    body = dict(DIALECTS[name].ask(question, way).body)
    assert body.pop("messages") == [{"role": "user", "content": "hi"}]
    return body


def test_a_server_chain_is_asked_by_models_alone():
    body = asked("openrouter", QUESTION, route(chain("server")))
    assert body == {"models": [SONNET, MINI], "session_id": "s-1", "max_tokens": 256}


def test_the_chains_own_routing_goes_with_every_end_to_end_request_and_with_no_other():
    ours = chain("server", routing={"data_collection": "deny"})
    assert asked("openrouter", QUESTION, route(ours))["provider"] == {"data_collection": "deny"}
    assert "provider" not in asked("openrouter", QUESTION, route(ours, 0))
    walked = route(ours, 0, "amazon-bedrock", end_to_end=True)
    assert asked("openrouter", QUESTION, walked)["provider"] == {
        "data_collection": "deny", "only": ["amazon-bedrock"], "allow_fallbacks": False,
    }  # fmt: skip


def test_a_provider_chain_is_asked_by_order_and_leaves_nobody_else_in():
    body = asked("openrouter", QUESTION, route(chain("provider")))
    assert body["model"] == SONNET
    assert "models" not in body
    assert body["provider"] == {"allow_fallbacks": False, "order": ["groq", "together"]}
    open_to_others = route(chain("provider", routing={"allow_fallbacks": True, "order": ["x"]}))
    assert asked("openrouter", QUESTION, open_to_others)["provider"] == {
        "allow_fallbacks": True, "order": ["groq", "together"],
    }  # fmt: skip


def test_a_target_is_asked_on_its_own_and_pinned_where_a_provider_is_named():
    assert asked("openrouter", QUESTION, route(chain("server"), 0)) == {
        "model": SONNET, "session_id": "s-1", "max_tokens": 48,
    }  # fmt: skip
    pinned = asked("openrouter", QUESTION, route(chain("server"), 0, "google-vertex"))
    assert pinned["provider"] == {"only": ["google-vertex"], "allow_fallbacks": False}
    assert asked("openrouter", QUESTION, route(chain("provider"), 1))["provider"]["only"] == ["together"]


def test_a_request_carries_key_metadata_and_no_cache_and_the_configs_own_headers():
    ask = DIALECTS["openrouter"].ask(STREAM, route(chain("server"), 0, credential=SecretStr("sk-1"), drill="d"))
    assert ask.url == "http://upstream/api/v1/chat/completions"
    assert dict(ask.headers) == {
        "Authorization": "Bearer sk-1", "X-OpenRouter-Metadata": "enabled", "X-OpenRouter-Cache": "false",
        "X-OpenRouter-Title": "fallbackd", "HTTP-Referer": "http://localhost", "X-Own": "1",
    }  # fmt: skip
    assert (ask.stream, ask.deadline, ask.first_token) == (True, 30.0, 5.0)
    assert ask.body["stream"] is True
    assert ask.body["tools"] == []
    assert ask.marks == {"chain": "chat", "target": "a", "position": 0, "drill": "d", "dialect": "openrouter"}


def test_a_whole_chain_is_marked_without_a_target_and_a_plain_question_has_no_first_token():
    ask = DIALECTS["openrouter"].ask(QUESTION, route(chain("server")))
    assert ask.marks == {"chain": "chat", "target": None, "position": None, "drill": None, "dialect": "openrouter"}
    assert ask.first_token is None
    assert "Authorization" not in ask.headers


def test_the_plain_api_gets_nothing_of_the_routers_own():
    ask = DIALECTS["openai_compatible"].ask(STREAM, route(chain("client"), 0))
    assert set(ask.body) == {"model", "messages", "max_tokens", "tools", "stream", "stream_options"}
    assert dict(ask.headers) == {"X-Own": "1"}
    assert "max_completion_tokens" in asked("openai_compatible", QUESTION, route(chain("client"), 1))


def test_what_a_dialect_has_no_words_for_is_refused():
    plain = DIALECTS["openai_compatible"]
    assert plain.modes == {Mode.CLIENT}
    assert not plain.pins
    with pytest.raises(UnsupportedError, match="walks no chains"):
        plain.ask(QUESTION, route(chain("server")))
    with pytest.raises(UnsupportedError, match="cannot pin the provider azure"):
        plain.ask(QUESTION, route(chain("client"), 1, "azure"))


@pytest.mark.parametrize(
    ("wanted", "models", "bound"),
    [(48, [SONNET], 48), (4, [SONNET], 16), (48, [MINI], 256), (48, [SONNET, MINI], 256), (48, ["x/y"], 256),
     (500, [MINI], 500), (48, [f"{SONNET}:nitro"], 48)],
)  # fmt: skip
def test_the_hungriest_model_sets_the_floor_of_the_tokens(wanted, models, bound):
    assert bound_tokens(wanted, models, CATALOGUE) == bound


def test_every_dialect_file_is_in_the_list():
    folder = monitor.dialects
    modules = [
        importlib.import_module(f"{folder.__name__}.{found.name}") for found in pkgutil.iter_modules(folder.__path__)
    ]
    kinds = {
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, OpenAICompatible)
    }
    assert {type(dialect) for dialect in DIALECTS.values()} >= kinds
    assert all(name == dialect.name for name, dialect in DIALECTS.items())

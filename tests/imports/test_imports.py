"""What an import writes: good files, honest comments, and located sentences about what cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config.loading import load
from monitor.config.model import Config
from monitor.config.reading import parse
from monitor.errors import ConfigError
from monitor.imports import SOURCES, Wish, write
from monitor.vocabulary import vocabulary

ROOT = Path(__file__).parents[2]
WORDS = vocabulary()
KEYS = (
    "LITELLM_MASTER_KEY", "PROXY_KEY", "OPENROUTER_API_KEY", "PORTKEY_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY",
    "GROQ_API_KEY", "TOGETHER_API_KEY", "MISTRAL_API_KEY", "DEEPSEEK_API_KEY", "SLACK_BOT_TOKEN",
)  # fmt: skip

LITELLM = """\
model_list:
  - model_name: chat
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY, timeout: 20}
  - model_name: chat
    litellm_params: {model: azure/gpt-4o, api_base: "https://x", timeout: 12}
    model_info: {id: chat-azure}
  - {model_name: backup, litellm_params: {model: anthropic/claude-sonnet-4-5}}
  - {model_name: long, litellm_params: {model: gemini/gemini-2.5-pro}}
  - model_name: ordered
    litellm_params: {model: openai/a, order: 2}
    model_info: {id: second}
  - model_name: ordered
    litellm_params: {model: openai/b, order: 1}
    model_info: {id: first}
  - {model_name: lonely, litellm_params: {model: openai/c}}
litellm_settings:
  num_retries: 2
  request_timeout: 30
  fallbacks: [{chat: [backup, gone, chat]}]
  context_window_fallbacks: [{chat: [long]}]
router_settings: {routing_strategy: simple-shuffle}
general_settings: {master_key: os.environ/PROXY_KEY}
"""


def imported(source: str, text: str, wish: Wish | None = None) -> str:
    document, problems = parse(text.encode(), "given.yaml")
    assert not problems
    return write(SOURCES[source](document, wish or Wish()), f"given.yaml ({source})")


def loaded(text: str, folder: Path) -> Config:
    (folder / "chains.yaml").write_text(text)
    return load(
        folder / "chains.yaml", ROOT / "alerts.yaml", vocabulary=WORDS, environ=dict.fromkeys(KEYS, "key-of-a-test")
    )


def complaint(source: str, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        imported(source, text)
    return str(caught.value)


def rungs(config: Config, chain: str) -> list[tuple[str, str | None, float]]:
    return [(target.model, target.provider, target.timeout) for target in config.chain(chain).all_targets()]


def test_a_litellm_config_gives_a_chain_for_each_group_that_has_fallbacks(tmp_path: Path) -> None:
    config = loaded(imported("litellm", LITELLM), tmp_path)
    assert [(chain.name, str(chain.mode)) for chain in config.chains] == [
        ("chat", "server"), ("ordered-deployments", "provider"), ("chat-context-window", "server"),
    ]  # fmt: skip
    assert rungs(config, "chat") == [("chat", None, 12.0), ("backup", None, 30.0), ("gone", None, 30.0)]
    assert config.chain("chat").targets[0].pinned == ("chat-azure",)
    assert rungs(config, "ordered-deployments") == [("ordered", "first", 30.0), ("ordered", "second", 30.0)]
    assert rungs(config, "chat-context-window") == [("chat", None, 12.0), ("long", None, 30.0)]
    assert config.endpoints["litellm"].credential_env == "PROXY_KEY"


def test_what_could_not_be_carried_over_is_said() -> None:
    text = imported("litellm", LITELLM).replace("\n# ", " ").replace("\n      # ", " ")
    assert "Not carried over: litellm_settings.num_retries (the proxy retries by itself" in text
    assert "Not carried over, since nothing can stand in for them: lonely." in text
    assert "gone is not in model_list: the proxy would refuse to fall back to it." in text
    assert "4000 is its usual port" in text


def test_fallbacks_of_a_group_that_there_is_not_are_a_comment() -> None:
    text = imported(
        "litellm", LITELLM.replace("context_window_fallbacks: [", "context_window_fallbacks: [{typo: [long]}, ")
    )
    assert (
        "# Not carried over: context_window_fallbacks of typo, a group that is not in model_list." in text.splitlines()
    )


def test_default_fallbacks_stand_in_for_every_group_without_its_own(tmp_path: Path) -> None:
    text = LITELLM.replace("router_settings: {", "router_settings: {default_fallbacks: [backup], ")
    config = loaded(imported("litellm", text, Wish(url="http://proxy:8000")), tmp_path)
    assert rungs(config, "lonely") == [("lonely", None, 30.0), ("backup", None, 30.0)]
    assert "backup" not in [chain.name for chain in config.chains]
    assert config.endpoints["litellm"].url == "http://proxy:8000"


def test_an_order_without_ids_is_a_comment() -> None:
    text = imported("litellm", LITELLM.replace("model_info: {id: second}", "model_info: {}")).replace("\n# ", " ")
    assert "ordered-deployments" not in text
    assert "Not carried over: the order of the deployments of ordered. Give each a model_info.id" in text


def test_a_config_without_any_fallback_still_gives_a_good_file(tmp_path: Path) -> None:
    text = "model_list: [{model_name: Primary, litellm_params: {model: openai/a}}]\n"
    assert [chain.name for chain in loaded(imported("litellm", text), tmp_path).chains] == ["primary"]


def test_a_request_with_models_is_a_server_chain(tmp_path: Path) -> None:
    body = {
        "model": "a/one", "models": ["b/two", "a/one", "c/three", "d/four"], "stream": True, "tools": [{}],
        "response_format": {"type": "json_schema"}, "provider": {"data_collection": "deny"}, "route": "fallback",
        "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}],
    }  # fmt: skip
    text = imported("openrouter", json.dumps(body))
    chain = loaded(text, tmp_path).chain("imported")
    assert [target.model for target in chain.all_targets()] == ["a/one", "b/two", "c/three"]
    assert (chain.needs, dict(chain.routing)) == (("tools", "structured", "vision"), {"data_collection": "deny"})
    assert [probe.kind for probe in chain.probes] == ["completion", "completion", "stream"]
    assert "Not carried over: d/four." in text
    assert "Not carried over: route (" in text


def test_a_request_with_an_order_of_providers_is_a_provider_chain(tmp_path: Path) -> None:
    body = {"model": "a/one", "provider": {"order": ["groq", "together"], "allow_fallbacks": False}}
    chain = loaded(imported("openrouter", json.dumps(body)), tmp_path).chain("imported")
    assert str(chain.mode) == "provider"
    assert [target.provider for target in chain.all_targets()] == ["groq", "together"]
    assert dict(chain.routing) == {"allow_fallbacks": False}


PORTKEY: dict[str, Any] = {
    "strategy": {"mode": "fallback", "on_status_codes": [429, 503, 418]},
    "targets": [
        {"provider": "anthropic", "api_key": "sk-abcdefghijkl", "override_params": {"model": "claude-sonnet-4-5"}},
        {"virtual_key": "openai-x", "override_params": {"model": "gpt-4o", "top_p": 1}, "request_timeout": 12000},
        {"targets": [{"provider": "azure-openai", "weight": 0.5}]},
    ],
}


def test_a_portkey_config_is_a_client_chain_with_an_endpoint_for_each_target(tmp_path: Path) -> None:
    text = imported("portkey", json.dumps(PORTKEY, indent=2), Wish(model="gpt-4o-mini"))
    config = loaded(text, tmp_path)
    chain = config.chain("imported")
    assert [(target.model, target.endpoint) for target in chain.all_targets()] == [
        ("claude-sonnet-4-5", "anthropic"), ("gpt-4o", "openai-x"), ("gpt-4o-mini", "azure-openai"),
    ]  # fmt: skip
    assert config.endpoints["anthropic"].dialect == "anthropic"
    assert config.endpoints["openai-x"].headers == {"x-portkey-virtual-key": "openai-x"}
    assert chain.all_targets()[1].timeout == 12.0
    assert chain.move_on == ("rate_limited", "server_error", "overloaded")
    assert "sk-abcdefghijkl" not in text
    assert "on_status_codes 418" in text


def test_a_model_that_the_request_names_is_asked_for() -> None:
    said = complaint("portkey", json.dumps(PORTKEY, indent=2))
    assert said == (
        "given.yaml:28  targets[2].targets[0].override_params.model: is missing; the request names the model then: "
        "write it here, or give it with --model"
    )


@pytest.mark.parametrize(
    ("source", "text", "says"),
    [
        ("litellm", "a: 1\n", "given.yaml  model_list: is missing or empty; this is no config of a LiteLLM proxy"),
        (
            "litellm", "model_list:\n  - litellm_params: {model: a}\n",
            "given.yaml:2  model_list[0].model_name: is missing; the model group that the deployment belongs to",
        ),
        (
            "litellm",
            "model_list: [{model_name: x, litellm_params: {model: a}}]\nrouter_settings:\n  fallbacks: {x: [y]}\n",
            "given.yaml:3  router_settings.fallbacks: a mapping stands where a list belongs (as in [{x: [y]}])",
        ),
        (
            "litellm",
            (
                "model_list:\n"
                "  - {model_name: x, litellm_params: {model: a}}\n"
                "  - {model_name: x, litellm_params: {model: b}, model_info: {id: sk-abcdefghijkl}}\n"
            ),
            (
                "given.yaml:3  model_list[1].model_info.id: looks like a credential where a name belongs; "
                "name it in another way"
            ),
        ),
        ("openrouter", "{}\n", "given.yaml  models: is missing, and so is model; this is no request for a completion"),
        ("openrouter", '{"models": [7]}', "given.yaml:1  models[0]: 7 stands where a text belongs (the id of a model)"),
        ("portkey", "{}\n", "given.yaml  targets: is missing or empty; this is no Portkey config"),
        (
            "portkey", '{"targets": [{"virtual_key": "\u00e9", "override_params": {"model": "m"}}]}',
            (
                'given.yaml:1  targets[0].virtual_key: "é" cannot be sent in a header; use plain ASCII on one line '
                "(the virtual key's name)"
            ),
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_with_its_place(source: str, text: str, says: str) -> None:
    assert complaint(source, text).splitlines()[: len(says.splitlines())] == says.splitlines()


NAMES = st.text(max_size=12) | st.sampled_from(["chat", "primary", "*", "sk-abcdefghijkl", "a/b:c", "\ud800", "x\n# y"])
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
SHAPES: dict[str, st.SearchStrategy[Any]] = {
    "litellm": st.fixed_dictionaries(
        {"model_list": st.lists(st.fixed_dictionaries(
            {"model_name": NAMES,
             "litellm_params": st.fixed_dictionaries({"model": NAMES}, optional={"order": ANY, "timeout": ANY})},
            optional={"model_info": st.fixed_dictionaries({"id": NAMES}) | ANY}), max_size=4) | ANY},
        optional={"litellm_settings": st.fixed_dictionaries({}, optional={
            "fallbacks": st.lists(st.dictionaries(NAMES, st.lists(NAMES, max_size=3), max_size=2), max_size=3) | ANY,
            "context_window_fallbacks": ANY, "default_fallbacks": st.lists(NAMES, max_size=2)}),
            "general_settings": ANY}),
    "openrouter": st.fixed_dictionaries({}, optional={
        "model": NAMES, "models": st.lists(NAMES, max_size=5), "messages": ANY, "stream": ANY, "tools": ANY,
        "provider": st.fixed_dictionaries({}, optional={"order": st.lists(NAMES, max_size=3), "only": ANY}) | ANY}),
    "portkey": st.fixed_dictionaries({"targets": st.lists(st.fixed_dictionaries({}, optional={
        "provider": NAMES | st.just("openai"), "virtual_key": NAMES, "api_key": NAMES, "name": NAMES, "weight": ANY,
        "override_params": st.fixed_dictionaries({"model": NAMES}), "request_timeout": ANY}), max_size=4) | ANY},
        optional={"strategy": st.fixed_dictionaries({}, optional={"mode": ANY, "on_status_codes": ANY}) | ANY}),
}  # fmt: skip


@pytest.mark.parametrize("source", SOURCES)
@given(data=st.data())
@settings(deadline=None, max_examples=150)
def test_whatever_is_imported_is_a_good_file_or_a_located_sentence(
    source: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    document, problems = parse(json.dumps(data.draw(SHAPES[source])).encode(), "given.yaml")
    if problems or document.root is None:
        return
    try:
        text = write(SOURCES[source](document, Wish()), "given.yaml")
    except ConfigError:
        return
    assert yaml.safe_load(text)["chains"]
    loaded(text, tmp_path_factory.mktemp("imported"))

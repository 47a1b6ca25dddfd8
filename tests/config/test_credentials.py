"""Credentials are found where the files name them, and are never shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.config.model import Config
from monitor.errors import ConfigError

Load = Callable[..., Config]
SECRET = "sk-or-v1-5f3c9d"

CHAINS = """\
endpoints:
  cloud: {dialect: openrouter, url: "https://example.test/v1", CREDENTIAL}
  own: {dialect: openai_compatible, url: "http://127.0.0.1:9/v1"}
chains:
  - name: chat
    endpoint: cloud
    mode: client
    targets: [{label: first, model: a/one}, {label: second, model: b/two}]
    probes: [{kind: completion, every: 60s}]
"""
ALERTS = """\
notifiers:
  - {name: slack, kind: slack, optional: false, token_env: SLACK_BOT_TOKEN, channel: "#oncall"}
routes: [{notify: [slack]}]
rules: [{name: down, when: chain_down}]
"""
BY_ENV = CHAINS.replace("CREDENTIAL", "credential_env: KEY")
BY_FILE = CHAINS.replace("CREDENTIAL", "credential_file: key.txt")


def test_a_variable_is_read_and_stripped(load_texts: Load) -> None:
    config = load_texts(chains=BY_ENV, alerts=ALERTS, environ={"KEY": f" {SECRET}\n", "SLACK_BOT_TOKEN": "xoxb-1"})
    assert {name: secret.get_secret_value() for name, secret in config.secrets.items()} == {
        "endpoints/cloud": SECRET,
        "notifiers/slack/token": "xoxb-1",
    }


def test_a_file_is_sought_beside_the_config(load_texts: Load, tmp_path: Path) -> None:
    (tmp_path / "key.txt").write_text(f"{SECRET}\n")
    assert load_texts(chains=BY_FILE).secrets["endpoints/cloud"].get_secret_value() == SECRET


@pytest.mark.parametrize(
    ("content", "because"),
    [
        (b"", "names a file that is empty"),
        (b"one\ntwo\n", "the file named here holds more than one line, a blank, or a character that no key has"),
        (b"\xff\xfe", "the file named here holds more than one line, a blank, or a character that no key has"),
    ],
)
def test_a_file_without_a_usable_key_is_a_mistake(
    load_texts: Load, tmp_path: Path, content: bytes, because: str
) -> None:
    (tmp_path / "key.txt").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_texts(chains=BY_FILE)
    assert str(caught.value) == f"chains.yaml:2  endpoints.cloud.credential_file: {because}"


def test_an_empty_variable_counts_as_missing(load_texts: Load) -> None:
    with pytest.raises(ConfigError, match=r"credential_env: the environment variable KEY is empty$"):
        load_texts(chains=BY_ENV, environ={"KEY": " "})


def test_a_variable_that_might_be_a_token_is_not_repeated(load_texts: Load) -> None:
    with pytest.raises(ConfigError, match=r"credential_env: the environment variable named here is not set$"):
        load_texts(chains=BY_ENV.replace("KEY", "a8f7c6e5d4b3"), environ={})


def test_an_optional_notifier_without_its_token_is_muted(load_texts: Load) -> None:
    config = load_texts(alerts=ALERTS.replace("false", "true"))
    assert config.muted == {"slack": "slack: the environment variable SLACK_BOT_TOKEN is not set"}


def test_an_optional_notifier_without_its_file_is_muted_with_a_whole_sentence(load_texts: Load) -> None:
    config = load_texts(
        alerts=ALERTS.replace("false", "true").replace("token_env: SLACK_BOT_TOKEN", "token_file: none")
    )
    assert config.muted == {"slack": "slack: token_file names a file that does not exist"}


def test_the_sandbox_needs_no_credential_of_anybody(load_texts: Load) -> None:
    config = load_texts(chains=BY_ENV, alerts=ALERTS, environ={}, sandbox=True)
    assert config.secrets["endpoints/cloud"].get_secret_value() == "sandbox"
    assert list(config.muted) == ["slack"]


def test_the_sandbox_never_gets_a_real_key(load_texts: Load) -> None:
    config = load_texts(chains=BY_ENV, environ={"KEY": SECRET}, sandbox=True)
    assert config.secrets["endpoints/cloud"].get_secret_value() == "sandbox"


def test_an_endpoint_beside_the_sandbox_still_needs_its_credential(load_texts: Load) -> None:
    chains = BY_ENV.replace("openai_compatible,", "openai_compatible, credential_env: OWN_KEY,")
    with pytest.raises(
        ConfigError, match=r"endpoints\.own.credential_env: the environment variable OWN_KEY is not set"
    ):
        load_texts(chains=chains, environ={}, sandbox=True)


def test_no_secret_is_printed_with_the_config(load_texts: Load) -> None:
    config = load_texts(chains=BY_ENV, alerts=ALERTS, environ={"KEY": SECRET, "SLACK_BOT_TOKEN": "xoxb-1-secret"})
    shown = f"{config!r} {config} {config.secrets}"
    assert SECRET not in shown
    assert "xoxb-1-secret" not in shown


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("credential_env: KEY", f"credential: {SECRET}"),
        ("credential_env: KEY", f"credential_env: {SECRET}"),
        ("credential_env: KEY", f"credential_file: {SECRET}"),
        ("credential_env: KEY", f"credential_env: KEY, headers: {{Authorization: Bearer {SECRET}}}"),
        ("credential_env: KEY", f"credential_env: KEY, {SECRET}: yes"),
        ("https://example.test", f"https://me:{SECRET}@example.test"),
        ("mode: client", f"mode: {SECRET}"),
        ("endpoint: cloud", f"endpoint: {SECRET}"),
        ("every: 60s", f"every: {SECRET}"),
        ("label: first", f"label: {SECRET}"),
        ("[{kind: completion, every: 60s}]", SECRET),
        ("mode: client", f"mode: client\n    routing: {{only: [{SECRET}]}}"),
        ("mode: client", f"mode: client\n    needs: [{SECRET}, {SECRET}]"),
        ("endpoints:", f"{SECRET}: 1\nendpoints:"),
    ],
)
def test_a_pasted_credential_is_a_mistake_and_is_not_repeated(load_texts: Load, before: str, after: str) -> None:
    assert before in BY_ENV
    with pytest.raises(ConfigError) as caught:
        load_texts(chains=BY_ENV.replace(before, after), environ={"KEY": SECRET})
    assert SECRET not in str(caught.value)


def test_a_word_that_only_resembles_a_key_is_no_credential(load_texts: Load) -> None:
    config = load_texts(chains=BY_ENV.replace("label: first", "label: task-1234567890"), environ={"KEY": "k"})
    assert config.chains[0].targets[0].label == "task-1234567890"

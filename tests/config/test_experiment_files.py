"""Experiment files: read as an entry of the config would be, with the same quality of message."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monitor.config.experiments import read_entry, read_experiment
from monitor.config.loading import load
from monitor.config.model import Config, DrillConfig
from monitor.errors import ConfigError
from monitor.vocabulary import vocabulary

CHAINS = """
endpoints:
  router: {dialect: openrouter, url: "http://127.0.0.1:9/api/v1", credential_env: KEY}
chains:
  - name: chat
    endpoint: router
    mode: server
    targets: [{label: primary, model: a/one}, {label: secondary, model: b/two}]
    probes: [{kind: completion, every: 60s}]
  - name: walked
    endpoint: router
    mode: client
    targets: [{label: fast, model: a/one}, {label: steady, model: b/two}]
    probes: [{kind: completion, every: 60s}]
drills:
  - {name: primary-gone, chain: chat, with: ignore}
  - {name: app, chain: walked, with: reset, application: {url: "http://127.0.0.1:7/chat", within: 5s}}
gateway: {endpoint: router, live: {walked: {percent: 10%}}}
"""
ALERTS = """
notifiers: [{name: log, kind: log}]
routes: [{notify: [log]}]
rules: [{name: chain-down, when: chain_down}]
"""
GOOD = "name: game-day\nchain: walked\nbreak: fast\nwith: {rate-limited: {retry_after: 5s}}\nrequests: 2\n"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "chains.yaml").write_text(CHAINS)
    (tmp_path / "alerts.yaml").write_text(ALERTS)
    return load(
        tmp_path / "chains.yaml", tmp_path / "alerts.yaml", vocabulary=vocabulary(), environ={"KEY": "k-123456789"}
    )


@pytest.fixture
def read(config: Config) -> Callable[[str], tuple[DrillConfig, ...]]:
    return lambda text: read_experiment(text.encode(), "day.yaml", config, vocabulary()).drills


def test_a_file_holds_one_drill_or_several(read: Callable[[str], tuple[DrillConfig, ...]]) -> None:
    (one,) = read(GOOD)
    assert (one.name, one.chain, one.with_, one.requests) == (
        "game-day", "walked", {"rate_limited": {"retry_after": "5s"}}, 2,
    )  # fmt: skip
    several = read("drills:\n  - {name: a, chain: chat, with: ignore}\n  - {name: b, chain: walked, with: stall}\n")
    assert [drill.name for drill in several] == ["a", "b"]


def test_an_experiment_may_look_at_applications_that_the_config_names(
    read: Callable[[str], tuple[DrillConfig, ...]],
) -> None:
    (asking,) = read(GOOD + 'application: {url: "http://127.0.0.1:7/chat", within: 5s}\n')
    assert asking.application is not None
    (live,) = read(GOOD + "live: {percent: 5%}\n")
    assert live.live is not None
    (listed,) = read("name: a\nchain: chat\nwith: only\nby: gateway\n")
    assert listed.by == "gateway"


BAD = [
    ("", "day.yaml  is empty"),
    ("- a\n", "day.yaml:1  holds a list where settings (key: value) belong"),
    (GOOD.replace("walked", "walkde"), 'day.yaml:2  chain: "walkde" is not known here; did you mean "walked"?'),
    (
        GOOD.replace("rate-limited", "rate-limitde"),
        'day.yaml:4  with: "rate_limitde" is not known here; did you mean "rate_limited"?',
    ),
    (GOOD.replace("fast", "fats"), 'day.yaml:3  break: "fats" is not known here; did you mean "fast"?'),
    (GOOD + "requets: 3\n", 'day.yaml:6  requets: there is no such setting; did you mean "requests"?'),
    (
        GOOD.replace("game-day", "primary-gone"),
        'day.yaml:1  name: "primary-gone" is a drill of the config; give the experiment a name of its own',
    ),
    (GOOD + "every: 5m\n", "day.yaml:6  every: an experiment runs once, when it is asked for; leave its schedule out"),
    (
        GOOD.replace("5s", "5 bananas"),
        'day.yaml:4  with.rate-limited.retry_after: "5 bananas" is not a duration; write a number and a unit',
    ),
    ("drills: []\n", "day.yaml:1  drills: holds no drill; write a list of them, as in chains.yaml"),
    (
        "drills: [{name: a, chain: chat, with: ignore}]\nchains: []\n",
        "day.yaml:2  chains: there is no such setting; known: drills",
    ),
    (
        "drills:\n  - {name: a, chain: chat, with: ignore}\n  - {name: a, chain: chat, with: only}\n",
        'day.yaml:3  drills[1].name: "a" is taken by drills[0].name in line 2',
    ),
    (
        GOOD + 'application: {url: "http://169.254.169.254/", within: 5s}\n',
        "day.yaml:6  application.url: no drill of the config asks this address; an experiment asks only what",
    ),
    (
        GOOD + 'application: {url: "http://127.0.0.1:7/chat", within: 5s, credential_env: KEY}\n',
        "day.yaml:6  application.credential_env: credentials are named in chains.yaml; put the drill there",
    ),
    (
        "name: a\nchain: chat\nwith: unavailable\nlive: {}\n",
        "day.yaml:4  live: chat is not opted in to live traffic; write it in gateway.live",
    ),
    (
        "name: a\nchain: chat\nwith: stall\nby: gateway\n",
        "day.yaml:3  with: the injector gateway cannot do stall on a server chain; it can do: ignore, max_price, only,",
    ),
    (
        "name: a\nchain: walked\nwith: ignore\nby: gateway\n",
        "day.yaml:3  with: the injector gateway cannot do ignore on a client chain; it can do: bad_gateway,",
    ),
    (
        "name: a\nchain: walked\nwith: dns\nlive: {}\n",
        "day.yaml:3  with: the injector gateway cannot do dns on a client",
    ),
    (GOOD + "token: sk-or-v1-0123456789abcdef0123456789abcdef\n", "day.yaml:6  token: "),
]


@pytest.mark.parametrize(("text", "expected"), BAD)
def test_a_mistake_is_said_with_its_place_and_remedy(
    text: str, expected: str, read: Callable[[str], tuple[DrillConfig, ...]]
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert str(caught.value).splitlines()[0].startswith(expected), str(caught.value)


def test_all_mistakes_are_said_at_once(read: Callable[[str], tuple[DrillConfig, ...]]) -> None:
    with pytest.raises(ConfigError) as caught:
        read("name: Game Day\nchain: nowhere\nwith: nothing\nrequests: many\n")
    assert [problem.path for problem in caught.value.problems] == ["name", "chain", "with", "requests"]


ENTRIES: list[tuple[Any, str]] = [
    ({"name": "a", "chain": "chat", "with": "ignore", "cron": "0 5 * * *"}, "the drill  cron: an experiment runs once"),
    ({"chain": "chat", "with": "ignore"}, "the drill  name: "),
    ([1], "the drill  holds a list where settings belong"),
    (None, "the drill  holds nothing where settings belong"),
]


@pytest.mark.parametrize(("entry", "expected"), ENTRIES)
def test_an_entry_over_the_api_is_checked_as_well(entry: Any, expected: str, config: Config) -> None:
    with pytest.raises(ConfigError) as caught:
        read_entry(entry, config, vocabulary())
    assert str(caught.value).startswith(expected), str(caught.value)

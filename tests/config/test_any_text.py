"""Whatever stands in the files, the answer is a Config or a ConfigError in our own words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.config.model import Config
from monitor.errors import ConfigError

CHAINS = yaml.safe_load("""\
endpoints:
  local: {dialect: openrouter, url: "http://127.0.0.1:9", credential_env: OPENROUTER_API_KEY, headers: {X-Title: t}}
chains:
  - name: chat
    endpoint: local
    mode: client
    model: a/one
    targets:
      - {label: first, providers: [groq, together], timeout: 5s}
      - {label: second, model: b/two, provider: openai}
    needs: [tools]
    objective: {success: 99%, latency: 5s, first_token: 2s}
    probes: [{kind: completion, every: 60s, of: [chain, targets], first_token: 5s, max_tokens: 32}]
    health: {window: 5, down_after: 3, recover_after: 2, confirm: 1}
    budget: {usd_per_day: 0.5}
    routing: {sort: price}
    move_on: [timeout, cut]
    total_timeout: 30s
drills:
  - name: gone
    chain: chat
    cron: "0 3 * * sun"
    first_after: 20s
    break: [first]
    with: {delay: {seconds: 3s}}
    by: transport
    expect: {served_by: second, within: 10s, rejected: false, path: failed_over}
    kind: stream
    requests: 2
    max_duration: 1m
  - {name: again, chain: chat, every: 1h, with: stall}
""")
ALERTS = yaml.safe_load("""\
notifiers:
  - {name: log, kind: log}
  - {name: slack, kind: slack, optional: true, token_env: SLACK_BOT_TOKEN, channel: "#oncall"}
routes:
  - {match: {severity: [critical], alerts: [down], chains: [chat]}, notify: [log, slack]}
rules:
  - {name: down, when: chain_down, severity: critical, for: 1m, repeat: 1h, resolve: false, chains: [chat]}
  - {name: rate, when: fallback_rate, rise: 3, window: 10m, baseline: 1d, min_samples: 5}
  - {name: stale, when: probe_stale, intervals: 4}
link: http://127.0.0.1:9469
""")
NOT_OURS = ("Input should", "Field required", "Extra inputs", "Value error", "pydantic", "does not fit here")

Load = Callable[..., Config]
# Every example writes both files anew, so the shared folder carries nothing from one to the next.
any_input = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=True),
    st.text(max_size=12),
    st.sampled_from(
        ["on", "0s", "30s", "99%", "chat", "primary", "10:30", "server", "client", "provider", "sk-or-v1-abcd"]
    ),
)
words = st.sampled_from(["name", "model", "label", "chain", "with", "break", "expect", "every", "kind", "match", "of"])
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(words, st.text(max_size=6)), inner, max_size=4)
    ),
    max_leaves=10,
)


GOOD = yaml.safe_dump(CHAINS)


def attempt(load_texts: Load, **files: str | bytes) -> str:
    """What was said; empty when the files were good."""
    try:
        load_texts(**files)
    except ConfigError as error:
        text = str(error)
        assert text
        assert not [phrase for phrase in NOT_OURS if phrase in text]
        text.encode()
        return text
    return ""


def test_the_files_that_are_changed_below_are_good(load_texts: Load) -> None:
    assert not attempt(load_texts, chains=yaml.safe_dump(CHAINS), alerts=yaml.safe_dump(ALERTS))


@any_input
@given(text=st.one_of(st.text(), st.binary(), st.text(alphabet="ab:-[]{}&*!|>'\"#%@`?, \n\t\r0\\~<=\x85\u2028")))
def test_any_bytes_end_as_a_config_error(load_texts: Load, text: str | bytes) -> None:
    data = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
    assert attempt(load_texts, chains=data, alerts=data)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield (*path, key)
        yield from _places(item, (*path, key))


def _replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _replaced(copy[path[0]], path[1:], new)
    return copy


@any_input
@given(place=st.sampled_from([*_places(CHAINS)]), new=values)
def test_any_value_anywhere_in_the_chains_is_judged_in_our_words(
    load_texts: Load, place: tuple[Any, ...], new: Any
) -> None:
    attempt(load_texts, chains=yaml.safe_dump(_replaced(CHAINS, place, new), allow_unicode=True))


@any_input
@given(place=st.sampled_from([*_places(ALERTS)]), new=values)
def test_any_value_anywhere_in_the_alerts_is_judged_in_our_words(
    load_texts: Load, place: tuple[Any, ...], new: Any
) -> None:
    attempt(load_texts, chains=GOOD, alerts=yaml.safe_dump(_replaced(ALERTS, place, new), allow_unicode=True))

"""A chain that is judged only where an outcome can change it is judged as if it were after each."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config.loading import load
from monitor.config.model import Config
from monitor.knowledge import Knowledge
from monitor.model import Health, Outcome, Path, Reason, Status, Transition
from monitor.probes import expand
from monitor.vocabulary import vocabulary
from tests.fakes.values import NOW, outcome

CHAINS = """
endpoints:
  router: {dialect: openrouter, url: "http://127.0.0.1:9/api/v1", credential_env: KEY}
chains:
  - name: chat
    endpoint: router
    mode: server
    targets: [{label: primary, model: a/one, providers: [x, y]}, {label: secondary, model: b/two}]
    probes: [{kind: completion, every: 60s, of: [chain, targets, providers]}, {kind: tools, every: 1h, of: [targets]}]
    health: {window: 3, down_after: 2, recover_after: 2}
"""
ALERTS = """
notifiers: [{name: log, kind: log}]
routes: [{notify: [log]}]
rules: [{name: chain-down, when: chain_down}]
"""
FINE = (Status.OK, Reason.NONE)
ENDS = st.sampled_from(
    [FINE, FINE, (Status.FAILED, Reason.SERVER_ERROR), (Status.FAILED, Reason.RATE_LIMITED),
     (Status.DEGRADED, Reason.TOO_SLOW), (Status.DEGRADED, Reason.MISSING_CAPABILITY), (Status.ERROR, Reason.OURS)]
)  # fmt: skip
PLACES = st.sampled_from(
    [(None, None, None), ("primary", None, 0), ("primary", "x", 0), ("primary", "y", 0), ("secondary", None, 1)]
)


def configured(tmp_path_factory: pytest.TempPathFactory, chains: str) -> Config:
    folder = tmp_path_factory.mktemp("config")
    (folder / "chains.yaml").write_text(chains)
    (folder / "alerts.yaml").write_text(ALERTS)
    return load(folder / "chains.yaml", folder / "alerts.yaml", vocabulary=vocabulary(), environ={"KEY": "sk-or-x"})


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return configured(tmp_path_factory, CHAINS)


def known(config: Config) -> Knowledge:
    return Knowledge(config, expand(config), now=NOW, spent={})


@st.composite
def outcomes(draw: st.DrawFn) -> list[Outcome]:
    found = []
    for number in range(draw(st.integers(1, 25))):
        (target, provider, position), (status, reason) = draw(PLACES), draw(ENDS)
        kind = draw(st.sampled_from(["completion", "completion", "tools"])) if target else "completion"
        path = None if target else draw(st.sampled_from([Path.PRIMARY, Path.FAILED_OVER, Path.EXHAUSTED]))
        found.append(
            outcome(
                id=str(number), at=NOW + number, chain="chat", target=target, provider=provider, kind=kind,
                position=position, status=status, reason=reason, path=path,
            )
        )  # fmt: skip
    return found


@given(came=outcomes())
@settings(max_examples=300, deadline=None)
def test_it_is_the_same_whether_a_chain_is_judged_each_time(config: Config, came: list[Outcome]) -> None:
    seldom, always = known(config), known(config)
    for one in came:
        always._judged.clear()
        assert seldom.learn(one) == always.learn(one)
        assert seldom.chain_state("chat") == always.chain_state("chat")


def learned(knowledge: Knowledge, *targets: str, status: Status = Status.OK) -> tuple[Transition, ...]:
    reason = Reason.NONE if status is Status.OK else Reason.SERVER_ERROR
    found: tuple[Transition, ...] = ()
    for number, target in enumerate(targets):
        found += knowledge.learn(
            outcome(at=NOW + number, chain="chat", target=target, kind="completion", status=status, reason=reason)
        )
    return found


def test_a_chain_is_judged_anew_once_its_config_changed(
    config: Config, tmp_path_factory: pytest.TempPathFactory
) -> None:
    knowledge = known(config)
    learned(knowledge, "primary", "primary")
    learned(knowledge, "secondary", "secondary", status=Status.FAILED)
    state = knowledge.chain_state("chat")
    assert state is not None
    assert [trouble.label for trouble in state.troubles] == ["secondary"]
    other = configured(
        tmp_path_factory, CHAINS.replace("label: secondary, model: b/two", "label: third, model: c/three")
    )
    knowledge.follow(other, expand(other), NOW + 10)
    learned(knowledge, "primary")
    state = knowledge.chain_state("chat")
    assert state is not None
    assert state.troubles == ()
    assert state.health is not Health.DEGRADED

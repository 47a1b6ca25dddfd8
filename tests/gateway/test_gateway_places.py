"""Whose traffic an exchange is."""

from __future__ import annotations

import pytest

from chaos.gateway.places import Asked, Places, place, read_asked
from chaos.gateway.record import HEAD_LIMIT, Copy
from monitor.config.model import ChainConfig
from tests.gateway.conftest import MINI, SONNET, chain

SERVER = chain("served", "server")
CLIENT = chain("walked", "client")
OTHER = chain("other", "server", "google/gemini-2.5-flash", MINI)
ORDERED = ChainConfig.model_validate(
    {
        "name": "ordered", "endpoint": "there", "mode": "provider", "model": SONNET,
        "targets": [{"label": "a", "provider": "anthropic"}, {"label": "b", "provider": "amazon-bedrock"}],
        "probes": [{"kind": "completion", "every": "60s"}],
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "chains", "named", "found"),
    [
        (Asked(models=(SONNET, MINI)), (CLIENT, SERVER), None, ("served", None)),
        (Asked(models=(SONNET,)), (CLIENT, SERVER), None, ("walked", "primary")),
        (Asked(models=(SONNET,)), (SERVER, CLIENT), None, ("served", None)),
        (Asked(models=(MINI,)), (CLIENT,), None, ("walked", "secondary")),
        (Asked(models=(MINI,)), (OTHER, CLIENT), None, ("other", None)),
        (Asked(models=("google/gemini-2.5-flash",)), (CLIENT, OTHER), None, ("other", None)),
        (Asked(models=("openai/gpt-5-mini-2025-08-07",)), (CLIENT,), None, ("walked", "secondary")),
        (
            Asked(models=(SONNET,), providers=("anthropic", "amazon-bedrock")),
            (SERVER, ORDERED),
            None,
            ("ordered", None),
        ),
        (Asked(models=(SONNET,)), (SERVER, CLIENT), "walked", ("walked", "primary")),
        (Asked(), (SERVER, CLIENT), "served", ("served", None)),
        (Asked(models=(SONNET,)), (SERVER,), "unknown", None),
        (Asked(models=("meta-llama/llama-3.3-70b-instruct",)), (SERVER, CLIENT), None, None),
        (Asked(), (SERVER,), None, None),
    ],
)
def test_the_chain_of_an_exchange(
    asked: Asked, chains: tuple[ChainConfig, ...], named: str | None, found: tuple[str, str | None] | None
) -> None:
    seen = place(asked, chains, named=named)
    assert (None if seen is None else (seen.chain.name, seen.target.label if seen.target else None)) == found
    assert Places(chains).find(asked, named) == seen


BOTH = ("anthropic", "amazon-bedrock")


@pytest.mark.parametrize(
    ("chain", "asked", "exact"),
    [
        (SERVER, Asked(models=(SONNET, MINI)), True),
        (SERVER, Asked(models=(SONNET, f"{MINI}-2025-08-07")), True),
        (SERVER, Asked(models=(SONNET,)), False),
        (SERVER, Asked(models=(MINI, SONNET)), False),
        (SERVER, Asked(models=(SONNET, MINI, "google/gemini-2.5-flash")), False),
        (SERVER, Asked(), False),
        (ORDERED, Asked(models=(SONNET,), providers=BOTH), True),
        (ORDERED, Asked(models=(SONNET,), providers=BOTH[::-1]), False),
        (ORDERED, Asked(models=(SONNET,), providers=BOTH[:1]), False),
        (ORDERED, Asked(models=(SONNET,)), False),
        (ORDERED, Asked(models=(MINI,), providers=BOTH), False),
        (ORDERED, Asked(models=(SONNET, MINI), providers=BOTH), False),
        (CLIENT, Asked(models=(SONNET, MINI)), False),
    ],
)
def test_whether_the_endpoint_is_asked_to_walk_the_chain_as_it_is_configured(
    chain: ChainConfig, asked: Asked, exact: bool
) -> None:
    found = place(asked, (chain,), named=chain.name)
    assert found is not None
    assert found.exact is exact


def test_a_proxy_that_knows_the_fallbacks_itself_is_asked_by_the_first_model_alone() -> None:
    for models, exact in [((SONNET,), True), ((SONNET, MINI), False), ((MINI,), False)]:
        found = Places((SERVER,), lists_models=False).find(Asked(models=models))
        assert found is not None
        assert found.exact is exact


def copied(*pieces: bytes) -> Copy:
    copy = Copy()
    for piece in pieces:
        copy.take(piece, 0.0)
    return copy


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        (b'{"model": "a/b"}', Asked(models=("a/b",))),
        (b'{"model": "a/b", "models": ["c/d"], "stream": true}', Asked(models=("a/b", "c/d"), streamed=True)),
        (b'{"model": "a/b", "models": ["a/b", "c/d"]}', Asked(models=("a/b", "c/d"))),
        (b'{"models": ["a/b"], "provider": {"order": ["x"]}}', Asked(models=("a/b",), providers=("x",))),
        (b'{"model": ["a"], "models": {"a": 1}, "stream": "yes"}', Asked()),
        (b"", Asked()),
        (b"[]", Asked()),
        (b'{"model": "a/b", "messages": [', Asked(models=("a/b",))),
    ],
)
def test_what_a_request_asks_for(body: bytes, asked: Asked) -> None:
    assert read_asked(copied(body)) == asked


def test_the_model_is_found_behind_a_picture_that_is_not_kept() -> None:
    copy = copied(b'{"messages": ["', b"x" * (HEAD_LIMIT * 2), b'"], "stream": true, "model": "a/b"}')
    assert copy.weight < HEAD_LIMIT + 65 * 1024
    assert read_asked(copy) == Asked(models=("a/b",), streamed=True)

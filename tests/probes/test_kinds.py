"""What the kinds ask, and how fairly they judge."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from random import Random

import pytest

import monitor.probes
from monitor.exchange import Answer
from monitor.model import ProbeSpec, Reason
from monitor.probes import KINDS, Kind

SPEC = ProbeSpec(key="c:k", chain="c", kind="completion", target=None, every=60.0, first_token=15.0, max_tokens=48)
PLAIN = {name: KINDS[name] for name in ("completion", "stream")}
"""Kinds that ask for a word and nothing else."""


def test_every_kind_file_is_in_the_list():
    modules = [import_module(f"monitor.probes.{found.name}") for found in pkgutil.iter_modules(monitor.probes.__path__)]
    own = {
        module.__name__.rpartition(".")[2]: one
        for module in modules
        for one in vars(module).values()
        if isinstance(one, type) and Kind in one.__mro__[1:] and one.__module__ == module.__name__
    }
    assert own == {name: type(kind) for name, kind in KINDS.items()}, "a kind is named as its file"
    assert all(name == kind.name for name, kind in KINDS.items())


@pytest.mark.parametrize("kind", PLAIN.values(), ids=PLAIN)
def test_each_probe_asks_for_a_fresh_word_that_can_be_repeated_from_its_seed(kind):
    rng = Random(1)
    words = {kind.nonce(rng) for _ in range(1000)}
    assert len(words) > 990
    assert kind.nonce(Random(1)) == kind.nonce(Random(1))
    assert all(len(word) <= 40 and word.replace("-", "").isalpha() and word.islower() for word in words)


@pytest.mark.parametrize("kind", PLAIN.values(), ids=PLAIN)
def test_the_question_holds_the_word_and_its_bound(kind):
    question = kind.question(SPEC, "bakotemu")
    assert question.messages[0]["content"] == "Reply with exactly this word and nothing else: bakotemu"
    assert question.max_tokens == 48
    assert question.stream is (kind.name == "stream")


@pytest.mark.parametrize("kind", PLAIN.values(), ids=PLAIN)
@pytest.mark.parametrize(
    ("said", "good"),
    [
        ("bakotemu", True),
        (" **Bakotemu**.\n", True),
        ("The word is: 'BAKOTEMU'!", True),
        ("ba-ko-temu", True),
        ("bakotem", False),
        ("I cannot do that", False),
    ],
)
def test_case_punctuation_and_politeness_are_no_mistake(kind, said, good):
    found = kind.judge(Answer(text=said, first_token=1.0), "bakotemu")
    assert (found.reason is Reason.NONE) is good
    if not good:
        assert found.reason is Reason.WRONG_ANSWER
        assert found.detail == f'asked for "bakotemu", got "{said}"'


def test_an_answer_cut_by_its_bound_says_so():
    found = KINDS["completion"].judge(Answer(text="bako", finish="length"), "bakotemu")
    assert found.detail == 'asked for "bakotemu", got "bako", cut by the token limit'


def test_a_stream_that_came_in_one_piece_is_none():
    found = KINDS["stream"].judge(Answer(text="bakotemu"), "bakotemu")
    assert (found.reason, found.detail) == (Reason.MALFORMED, "asked for a stream, answered in one piece")

"""What a question usually costs, beside the upper bound of ``estimate``. Pure."""

from __future__ import annotations

from random import Random

from monitor.config.model import ChainConfig
from monitor.dialects import bound_tokens
from monitor.exchange import Question
from monitor.model import ProbeSpec, Tokens
from monitor.naming import find_entry
from monitor.offering import Catalogue
from monitor.pricing import cost_of
from monitor.probes.cheap_check import deny
from monitor.probes.kinds import KINDS

_ENVELOPE_TOKENS = 10  # what chat templates add around a message
_CHARACTERS_PER_TOKEN = 4  # of plain English
_IMAGE_TOKENS = 300  # of a small picture
_POLITENESS = 8  # an answer is the word that was asked for, and rarely much more
_CALL_TOKENS = 24  # the form of a tool call, or of JSON


def expect(spec: ProbeSpec, chain: ChainConfig, catalogue: Catalogue) -> float | None:
    """USD of one run that goes as it should: the first target answers, about as shortly as it was asked to.

    None when its price is not known. A reasoning model is taken to spend half of what it may on thinking. What the
    catalogue settles is free.
    """
    if spec.kind not in KINDS or deny(spec, chain, catalogue) is not None:
        return 0.0
    target = spec.target or chain.target(0)
    kind = KINDS[spec.kind]
    nonce = kind.nonce(Random(0))
    question = kind.question(spec, nonce)
    prompt = sum(_size(message.get("content")) for message in question.messages) + _size(str(question.extra or ""))
    answer = _answer(question, nonce, target.model, catalogue)
    sent = sum(prompt + _ENVELOPE_TOKENS + turn * answer for turn in range(kind.turns))
    return cost_of(Tokens(prompt=sent, completion=kind.turns * answer), target.model, target.provider, catalogue)


def _answer(question: Question, nonce: str, model: str, catalogue: Catalogue) -> int:
    bound = bound_tokens(question.max_tokens, (model,), catalogue)
    entry = find_entry(model, catalogue)
    thinking = bound // 2 if entry is not None and entry.reasoning else 0
    form = _CALL_TOKENS if question.extra else _POLITENESS
    return min(bound, thinking + len(nonce) // 2 + form)


def _size(content: object) -> int:
    """Tokens of a text, or of a list of texts and images."""
    if not isinstance(content, list):
        return len(str(content)) // _CHARACTERS_PER_TOKEN
    texts = [str(part["text"]) for part in content if "text" in part]
    return sum(map(len, texts)) // _CHARACTERS_PER_TOKEN + _IMAGE_TOKENS * (len(content) - len(texts))

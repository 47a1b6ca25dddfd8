"""What a kind of question is, and the word that each probe asks back so that no answer can be an old one."""

from __future__ import annotations

import re
from random import Random
from typing import Protocol

from monitor.exchange import Answer, Finding, Question
from monitor.model import ProbeSpec, Reason
from monitor.reading import clean

FINE = Finding(reason=Reason.NONE)
_SYLLABLES = tuple(consonant + vowel for consonant in "bdfklmnprstv" for vowel in "aeiou")
_NO_LETTERS = re.compile(r"[\W_]+")


class Kind(Protocol):
    """A sort of question. Pure: a nonce goes into the question and has to be found in the answer.

    ``max_tokens``: what an answer may cost where the config does not say. ``turns``: how many exchanges at most.
    """

    name: str
    max_tokens: int = 48
    turns: int = 1

    def nonce(self, rng: Random) -> str: ...

    def question(self, spec: ProbeSpec, nonce: str) -> Question: ...

    def judge(self, answer: Answer, nonce: str) -> Finding:
        """What is wrong with a complete answer; trouble of the exchange itself has been found before."""
        ...

    def follow_up(self, question: Question, answer: Answer, nonce: str) -> Question | None:  # noqa: ARG002 - others do
        """What to ask next, once the first answer was found good; None where one exchange says it all."""
        return None

    def judge_follow_up(self, answer: Answer, nonce: str) -> Finding:  # noqa: ARG002 - others do
        """What is wrong with the answer to the follow-up."""
        return FINE


def word(rng: Random) -> str:
    """Something that reads like a word and is none: ``bakotemu``. Models repeat it without correcting it."""
    return "".join([rng.choice(_SYLLABLES) for _ in range(4)])


def repeat_after_me(nonce: str) -> str:
    return f"Reply with exactly this word and nothing else: {nonce}"


def judge_repeated(answer: Answer, nonce: str) -> Finding:
    """Fair to models: case, punctuation and politeness around the word are no mistake."""
    if contains(answer, nonce):
        return FINE
    return Finding(reason=Reason.WRONG_ANSWER, detail=f'asked for "{nonce}", got {shown(answer)}')


def lacking(detail: str) -> Finding:
    """The answer came, and shows that its model cannot do what was asked."""
    return Finding(reason=Reason.MISSING_CAPABILITY, detail=detail)


def shown(answer: Answer) -> str:
    """The beginning of an answer, to be quoted; says where it was the limit that ended it."""
    bound = ", cut by the token limit" if answer.finish == "length" else ""
    return f'"{clean(answer.text, 60) or "nothing"}"{bound}'


def contains(answer: Answer, nonce: str) -> bool:
    return nonce in answer.text or _letters(nonce) in _letters(answer.text)


def _letters(text: str) -> str:
    return _NO_LETTERS.sub("", text.casefold())

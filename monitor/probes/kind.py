"""What a kind of question is, and the word that each probe asks back so that no answer can be an old one."""

from __future__ import annotations

from random import Random
from typing import Protocol

from monitor.exchange import Answer, Finding, Question
from monitor.model import ProbeSpec, Reason
from monitor.reading import clean

FINE = Finding(reason=Reason.NONE)
_CONSONANTS = "bdfklmnprstv"
_VOWELS = "aeiou"


class Kind(Protocol):
    """A sort of question. Pure: a nonce goes into the question and has to be found in the answer."""

    name: str

    def nonce(self, rng: Random) -> str: ...

    def question(self, spec: ProbeSpec, nonce: str) -> Question: ...

    def judge(self, answer: Answer, nonce: str) -> Finding:
        """What is wrong with a complete answer; trouble of the exchange itself has been found before."""
        ...


def word(rng: Random) -> str:
    """Something that reads like a word and is none: ``bakotemu``. Models repeat it without correcting it."""
    return "".join(rng.choice(_CONSONANTS) + rng.choice(_VOWELS) for _ in range(4))


def repeat_after_me(nonce: str) -> str:
    return f"Reply with exactly this word and nothing else: {nonce}"


def judge_repeated(answer: Answer, nonce: str) -> Finding:
    """Fair to models: case, punctuation and politeness around the word are no mistake."""
    if _letters(nonce) in _letters(answer.text):
        return FINE
    bound = ", cut by the token limit" if answer.finish == "length" else ""
    return Finding(
        reason=Reason.WRONG_ANSWER, detail=f'asked for "{nonce}", got "{clean(answer.text, 60) or "nothing"}"{bound}'
    )


def _letters(text: str) -> str:
    return "".join(mark for mark in text.casefold() if mark.isalnum())

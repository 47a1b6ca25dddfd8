"""The plain question: one word back, in one piece."""

from __future__ import annotations

from random import Random

from monitor.exchange import Answer, Finding, Question
from monitor.model import ProbeSpec
from monitor.probes.kind import Kind, judge_repeated, repeat_after_me, word


class Completion(Kind):
    name = "completion"

    def nonce(self, rng: Random) -> str:
        return word(rng)

    def question(self, spec: ProbeSpec, nonce: str) -> Question:
        return Question(messages=({"role": "user", "content": repeat_after_me(nonce)},), max_tokens=spec.max_tokens)

    def judge(self, answer: Answer, nonce: str) -> Finding:
        return judge_repeated(answer, nonce)

"""The streamed question: when the first token comes, how fast the others follow, and whether it ends as it should."""

from __future__ import annotations

from random import Random

from monitor.exchange import Answer, Finding, Question
from monitor.model import ProbeSpec, Reason
from monitor.probes.kind import Kind, judge_repeated, repeat_after_me, word


class Stream(Kind):
    name = "stream"

    def nonce(self, rng: Random) -> str:
        """Three words in one: a rate of tokens needs some tokens."""
        return "-".join(word(rng) for _ in range(3))

    def question(self, spec: ProbeSpec, nonce: str) -> Question:
        messages = ({"role": "user", "content": repeat_after_me(nonce)},)
        return Question(messages=messages, max_tokens=spec.max_tokens, stream=True)

    def judge(self, answer: Answer, nonce: str) -> Finding:
        if answer.first_token is None:
            return Finding(reason=Reason.MALFORMED, detail="asked for a stream, answered in one piece")
        return judge_repeated(answer, nonce)

"""Whether the bound of tokens leaves room for an answer after the thinking: a starved answer is an empty one."""

from __future__ import annotations

from random import Random

from monitor.exchange import Answer, Finding, Question
from monitor.model import ProbeSpec
from monitor.probes.kind import FINE, Kind, contains, lacking, shown, word


class Reasoning(Kind):
    """Its ``max_tokens`` should be the application's: whether they suffice is what it asks.

    By default there is room for the least that Anthropic's models may think (1,024 tokens) and as much again.
    """

    name = "reasoning"
    max_tokens = 2048

    def nonce(self, rng: Random) -> str:
        return f"{rng.randint(12, 19)} {rng.randint(12, 19)} {rng.randint(21, 89)} {word(rng)}"

    def question(self, spec: ProbeSpec, nonce: str) -> Question:
        wagons, seats, leaving, last = nonce.split(" ")
        text = (
            f"A train has {wagons} wagons with {seats} seats each, all taken. {leaving} passengers get off, then half "
            "of those who are left, rounded down. Think about how many stay on the train. When you are done, answer "
            f"with exactly this word, and your number after it: {last}"
        )
        return Question(
            messages=({"role": "user", "content": text},),
            max_tokens=spec.max_tokens,
            extra={"reasoning": {"enabled": True}},
        )

    def judge(self, answer: Answer, nonce: str) -> Finding:
        """That it came to its end counts, not its sums. Starved, which is no answer at all, was found before this."""
        last = nonce.rpartition(" ")[2]
        if contains(answer, last):
            return FINE
        spent = f", {answer.tokens.reasoning} tokens of reasoning" if answer.tokens.reasoning else ""
        return lacking(f'the answer was to end with "{last}", and was {shown(answer)}{spent}')

"""Whether a long prompt is read to its end: a needle in the middle of much else has to be found."""

from __future__ import annotations

from functools import lru_cache
from itertools import cycle
from random import Random

from monitor.exchange import Answer, Finding, Question
from monitor.model import ProbeSpec
from monitor.probes.kind import FINE, Kind, contains, lacking, shown, word

CHARACTERS_PER_TOKEN = 4
_THINGS = ("the copper lantern", "an old willow", "the quiet harbour", "a marble compass", "the narrow canyon")
_DEEDS = ("stood beside", "was painted after", "could be seen from", "lay not far from")
_PLACES = ("the orchard", "a silver river", "the northern gate", "the empty garden", "a green island", "the mill")


class LongContext(Kind):
    name = "long_context"

    def nonce(self, rng: Random) -> str:
        return word(rng)

    def question(self, spec: ProbeSpec, nonce: str) -> Question:
        lines = _filler(spec.tokens * CHARACTERS_PER_TOKEN)
        at = round(spec.depth * len(lines))
        text = "\n".join((*lines[:at], f"The secret code is {nonce}.", *lines[at:]))
        asked = "What is the secret code that is told in one line of the text above? Answer with the code only."
        return Question(messages=({"role": "user", "content": f"{text}\n\n{asked}"},), max_tokens=spec.max_tokens)

    def judge(self, answer: Answer, nonce: str) -> Finding:
        if contains(answer, nonce):
            return FINE
        return lacking(f'"{nonce}" stands in the prompt and was not found there, the answer was {shown(answer)}')


@lru_cache(maxsize=4)
def _filler(characters: int) -> tuple[str, ...]:
    """Numbered lines, none of them like another, of this many characters in all. Always the same ones: a provider that
    caches prompts then reads them at a lower price."""
    lines: list[str] = []
    written = 0
    for number, (thing, deed, place) in enumerate(zip(cycle(_THINGS), cycle(_DEEDS), cycle(_PLACES), strict=False), 1):
        if written >= characters:
            break
        lines.append(f"{number}. On day {number} {thing} {deed} {place}.")
        written += len(lines[-1]) + 1
    return tuple(lines)

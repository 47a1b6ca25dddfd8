"""What the gateway sees of applications during a drill, fetched from there as it comes."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError

from chaos.injectors.reach import Reach
from chaos.passing import Call, Group, Passed, calls_of
from monitor.reading import mapping

_PASSED = TypeAdapter(tuple[Passed, ...])
MOST_KEPT = 10_000
"""Exchanges that one run keeps: they all stand in its journal."""


class Watching:
    """A watch in the gateway. ``passed``: what it has seen so far; ``seen``: how many exchanges, of any group;
    ``alive``: whether the gateway answered last."""

    def __init__(self, reach: Reach, *, run: str, chain: str, until: float, seeks: bool) -> None:
        """``seeks``: whether the marks of ``nonce`` are looked for in what is asked, by whomever; otherwise only the
        two groups of live traffic are kept."""
        self.passed: list[Passed] = []
        self.alive = False
        self._reach = reach
        self._run = run
        self._chain = chain
        self._until = until
        self._prefix = f"fbd-{run}-" if seeks else None
        self.seen = 0

    async def begin(self) -> bool:
        watch = {"run": self._run, "chain": self._chain, "until": self._until, "nonce": self._prefix}
        self.alive = mapping(await self._reach.call("POST", "/watches", watch)).get("run") == self._run
        return self.alive

    async def look(self) -> None:
        """Take over what has passed since the last look. A gateway that does not answer has seen nothing new."""
        found = mapping(await self._reach.call("GET", f"/watches/{self._run}?after={self.seen}"))
        try:
            fresh = _PASSED.validate_python(found.get("passed"))
        except ValidationError:
            self.alive = False
            return
        self.alive = True
        self.seen = int(found["seen"])
        kept = [one for one in fresh if self._prefix or one.group is not Group.OTHER]
        self.passed += kept[: MOST_KEPT - len(self.passed)]

    async def end(self) -> None:
        await self._reach.call("DELETE", f"/watches/{self._run}")

    def nonce(self, number: int) -> str:
        return f"{self._prefix}{number}"

    def calls(self) -> tuple[Call, ...]:
        return calls_of(self.passed)

"""What drills have proven so far, beside the config: survives restarts and the pruning of journals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from monitor.config.model import Config
from monitor.coverage import ChainCoverage, Pair, Record, advance, coverage, dump_record, load_records
from monitor.model import Verdict

COVERAGE = "coverage"
"""The kind of these states in the store."""


class Proofs:
    """Learns from verdicts by the pure rules of ``monitor.coverage``."""

    def __init__(self, config: Config, stored: Mapping[str, bytes] | None = None) -> None:
        self._config = config
        self._planned: dict[str, list[Pair]] = {}
        self._records: dict[str, dict[str, Record]] = {}
        for key, record in load_records(stored or {}).items():
            self._records.setdefault(record.pair.chain, {})[key] = record
        self._unsaved: dict[str, bytes | None] = {}

    def follow(self, config: Config) -> None:
        self._config = config

    def plan(self, pairs: Iterable[Pair]) -> None:
        """What the configured drills aim at."""
        self._planned = {}
        for pair in pairs:
            self._planned.setdefault(pair.chain, []).append(pair)

    def judged(self, verdict: Verdict) -> None:
        if verdict.tested is None or not any(chain.name == verdict.chain for chain in self._config.chains):
            return
        key = Pair(chain=verdict.chain, edge=verdict.tested, fault=verdict.fault).key
        known = self._records.setdefault(verdict.chain, {})
        record = advance(known.get(key), verdict, self._config.chain(verdict.chain))
        if record is not None:
            known[key] = record
            self._unsaved[key] = dump_record(record)

    def tables(self, now: float) -> tuple[ChainCoverage, ...]:
        """Of every configured chain, in the order of the config."""
        limit = self._config.coverage.stale_after
        return tuple(
            coverage(
                chain,
                self._planned.get(chain.name, ()),
                self._records.get(chain.name, {}).values(),
                now=now,
                stale_after=limit,
            )
            for chain in self._config.chains
        )

    def unsaved(self) -> Mapping[str, bytes | None]:
        """What changed since this was last asked for, for the store."""
        changed, self._unsaved = self._unsaved, {}
        return changed

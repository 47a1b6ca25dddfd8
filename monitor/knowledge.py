"""What was learned since the start and before it: health, shares, money, verdicts. Beside the config, never on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Self

from monitor.budget import DAY, Purse, Reservation
from monitor.capability import is_capability
from monitor.clock import Clock
from monitor.conditions import World, conclusive
from monitor.conditions.causes import find
from monitor.config.model import ChainConfig, Config
from monitor.contradiction import contradicted
from monitor.fallback import FallbackHistory
from monitor.findings import CatalogueFinding
from monitor.health import (
    ChainState,
    SubjectState,
    advance,
    dump_state,
    judge_chain,
    load_chain_state,
    load_state,
    may_ask,
    retain,
)
from monitor.model import Health, Origin, Outcome, ProbeSpec, Status, Subject, Target, Transition, Verdict
from monitor.pace import Pace, decide
from monitor.proofs import COVERAGE, Proofs
from monitor.rhythm import Rhythm
from monitor.spending import Spending, restored
from monitor.store import Store
from monitor.tallies import Tallies

DOUBT_EVERY = 10.0
"""Seconds between two questions to a target out of turn."""
SUBJECTS, CHAINS, SPENDING = "subject", "chain", "spending"
ANSWERED = frozenset({Status.OK, Status.DEGRADED})


class Knowledge:
    """Learns from outcomes by the pure rules, and is the view of the world for alerting, drills and pages."""

    def __init__(
        self, config: Config, specs: tuple[ProbeSpec, ...], *, now: float, spent: Mapping[Purse, float]
    ) -> None:
        self._obey(config, specs)
        self._latest: dict[str, Outcome] = {}
        self._latencies: dict[str, float] = {}
        self._subjects: dict[str, SubjectState] = {}
        self._chains: dict[str, ChainState] = {}
        self.tallies = Tallies(chain.name for chain in config.chains)
        self._verdicts: dict[str, Verdict] = {}
        self.proofs = Proofs(config)
        self._settled: set[str] = set()
        self.learned = 0
        self.findings: tuple[CatalogueFinding, ...] = ()
        self.reported: Mapping[str, Mapping[str, str]] = {}
        self._unsaved: dict[str, dict[str, SubjectState | ChainState | None]] = {SUBJECTS: {}, CHAINS: {}}
        self.spending = Spending(config, specs, self._answered_by, now=now, spent=spent)
        self.rhythm = Rhythm(config, specs, self._decide_pace, now=now)

    @classmethod
    async def restore(cls, config: Config, specs: tuple[ProbeSpec, ...], store: Store, clock: Clock) -> Self:
        """As it was when the last run ended; what another version wrote in another form starts as unknown."""
        now = clock.now()
        spent = restored(await store.states(SPENDING), await store.spend(now // DAY * DAY), now)
        self = cls(config, specs, now=now, spent=spent)
        for key, raw in (await store.states(SUBJECTS)).items():
            if (state := load_state(raw)) is not None:
                self._subjects[key] = state
        for key, raw in (await store.states(CHAINS)).items():
            if (chain := load_chain_state(raw)) is not None:
                self._chains[key] = chain
        self.tallies = await Tallies.restore((chain.name for chain in config.chains), store, now)
        self.rhythm.last |= {probe: at for (_, probe), at in (await store.last_probes()).items()}
        self._verdicts = conclusive(verdict for verdict, _ in await store.journals(limit=1000))
        self.proofs = Proofs(config, await store.states(COVERAGE))
        self._forget_unconfigured()
        return self

    def follow(self, config: Config, specs: tuple[ProbeSpec, ...], now: float) -> None:
        """Obey another config; what is still configured keeps what was learned of it."""
        self._obey(config, specs)
        self.rhythm.follow(config, specs, now)
        self.proofs.follow(config)
        self.tallies.follow(chain.name for chain in config.chains)
        self.spending.follow(config, specs)
        self._forget_unconfigured()

    def learn(self, outcome: Outcome, *, reservation: Reservation | None = None) -> tuple[Transition, ...]:
        """Every change of health that an outcome brings: first its subject's, then its chain's."""
        if outcome.origin is Origin.LIVE:
            self._learn_live(outcome)
            return ()
        self.spending.charge(outcome, reservation)
        if not outcome.origin.counts or not self._configured(outcome.chain):
            return ()
        self.rhythm.take(outcome)
        self.learned += 1
        self.tallies.take(outcome)
        chain = self._config.chain(outcome.chain)
        if outcome.is_chain or not self._asks_end_to_end(chain):
            self._settled.add(chain.name)
        key = Subject(chain=outcome.chain, target=outcome.target, provider=outcome.provider).key
        if not is_capability(outcome.kind):  # how long a tool or a long prompt takes is not how long an answer takes
            self._latest[key] = outcome
            if outcome.status in ANSWERED and outcome.duration > 0:  # what the catalogue settled took no time
                self._latencies[key] = outcome.duration
        before = self._subjects.get(key)
        after, change = advance(before, outcome, chain.health)
        self._subjects[key] = self._unsaved[SUBJECTS][key] = after
        well = before is not None and before.health is after.health is Health.HEALTHY
        if well and not outcome.is_chain and chain.name in self._judged:
            return ()  # of a target that is and was healthy a chain sees nothing else
        changes = (change,) if change and not outcome.is_chain else ()
        return (*changes, *self._judge(chain, outcome.at))

    def amend(self, outcome: Outcome) -> None:
        """What was found out later about an end-to-end outcome: how the chain came to its answer."""
        name = outcome.chain
        latest, own, chain = self._latest.get(name), self._subjects.get(name), self._chains.get(name)
        if latest is not None and latest.id == outcome.id:
            self._latest[name] = outcome
        if own and own.serving and own.serving.at == outcome.at and outcome.path:
            serving = replace(own.serving, path=outcome.path)
            self._subjects[name] = replace(own, serving=serving)
            self._unsaved[SUBJECTS][name] = self._subjects[name]
            if chain is not None:
                self._chains[name] = replace(chain, serving=serving)
                self._unsaved[CHAINS][name] = self._chains[name]

    def _learn_live(self, outcome: Outcome) -> None:
        """Live traffic shows who answers, and what need not be asked. Its money is the application's own; and among a
        thousand exchanges a second two unlucky ones in a row are ordinary, so health stays with the probes."""
        if outcome.drill is not None or not self._configured(outcome.chain):
            return
        self.rhythm.take(outcome)
        self.learned += 1
        self.tallies.take(outcome)

    def permit(
        self,
        spec: ProbeSpec,
        estimate: float | None,
        now: float,
        price: Callable[[ProbeSpec], float | None] | None = None,
    ) -> tuple[bool, str]:
        """Whether a scheduled question may be asked now, and the word for the metric when it may not. ``price``: as for
        ``Spending.permit``."""
        allowed, why = True, ""
        if not may_ask(self.state(spec), now):
            allowed, why = False, "rate_limited"
        elif self.rhythm.shown_by_traffic(spec, now):
            allowed, why = False, "passive"
        elif not self.spending.permit(spec, estimate, now, price).allowed:
            allowed, why = False, "budget"
        self.rhythm.allowed(spec, now, allowed=allowed)
        return allowed, why

    def doubted(self, outcome: Outcome) -> tuple[ProbeSpec, ...]:
        """The questions to targets whose answer is wanted now, since the chain's answer does not fit what is known."""
        if not outcome.is_chain:
            return ()
        targets = self._config.chain(outcome.chain).all_targets()
        states = {target.position: self.target_state(target) for target in targets}
        known = {position: state.health if state else Health.UNKNOWN for position, state in states.items()}
        wanted = [targets[position] for position in contradicted(outcome, known)]
        if not wanted:
            return ()
        plain = [spec for spec in self._by_chain[outcome.chain] if not is_capability(spec.kind)]
        asked = {spec.target: spec for spec in reversed(plain) if spec.target in wanted}
        fresh = outcome.at - DOUBT_EVERY
        return tuple(spec for spec in asked.values() if self.rhythm.last.get(spec.key, 0.0) <= fresh)

    def state(self, spec: ProbeSpec) -> SubjectState | None:
        return self._subjects.get(_key(spec.chain, spec.target))

    def target_state(self, target: Target) -> SubjectState | None:
        return self._subjects.get(_key(target.chain, target))

    def latest(self, target: Target | str) -> Outcome | None:
        """The last scheduled outcome since the start: of a target, or (by its name) of a chain end to end."""
        return self._latest.get(target if isinstance(target, str) else _key(target.chain, target))

    def latency(self, target: Target | str) -> float | None:
        """Seconds that the last answer took to a scheduled question since the start, as ``latest`` names whose."""
        return self._latencies.get(target if isinstance(target, str) else _key(target.chain, target))

    def own_state(self, chain: str) -> SubjectState | None:
        """Health of the end-to-end answers of a chain alone."""
        return self._subjects.get(chain)

    def is_settled(self, chain: str) -> bool:
        """Whether something was learned of it since the start."""
        return chain in self._settled

    def chain_state(self, name: str) -> ChainState | None:
        return self._chains.get(name)

    def targets(self, chain: str) -> tuple[Target, ...]:
        """Every target of a chain in order, followed by those that are asked pinned to a provider."""
        return self._targets[chain]

    def history(self, chain: str) -> FallbackHistory:
        return self.tallies.fallbacks[chain]

    def judged(self, verdict: Verdict) -> None:
        self._verdicts |= conclusive([*self._verdicts.values(), verdict])
        self.proofs.judged(verdict)

    def world(self, now: float) -> World:
        drills = {drill.name for drill in self._config.drills}
        named = [chain.name for chain in self._config.chains]
        chains = {name: state for name, state in self._chains.items() if self._configured(name)}
        return World(
            chains=chains,
            causes=find(chains, self._targets),
            fallbacks={name: self.tallies.fallbacks[name] for name in named},
            objectives={name: self.tallies.objectives[name] for name in named},
            cascades={name: self.tallies.cascades[name] for name in named},
            promises={chain.name: chain.objective.success for chain in self._config.chains},
            latencies={chain.name: latency for chain in self._config.chains if (latency := chain.objective.latency)},
            targets=self._targets,
            live_good=self.tallies.live_good,
            live_bad=self.tallies.live_bad,
            probes=self.rhythm.views(),
            budgets=self.spending.by_chain(now),
            verdicts={name: verdict for name, verdict in self._verdicts.items() if name in drills},
            settled=frozenset(self._settled),
            findings=self.findings,
            reported=self.reported,
            coverage=self.proofs.tables(now),
        )

    async def save(self, store: Store) -> None:
        """Write what changed since the last time."""
        changed, self._unsaved = self._unsaved, {SUBJECTS: {}, CHAINS: {}}
        for kind, states in changed.items():
            if states:
                dumped = {key: dump_state(state) if state else None for key, state in states.items()}
                await store.put_states(kind, dumped)
        if spent := self.spending.dump():
            await store.put_states(SPENDING, spent)

    def _judge(self, chain: ChainConfig, now: float) -> tuple[Transition, ...]:
        targets = [(target, self.target_state(target)) for target in self.targets(chain.name)]
        own = self._subjects.get(chain.name)
        if own is None and self._asks_end_to_end(chain):  # healthy targets prove no chain that is yet to be asked
            own = SubjectState(subject=Subject(chain=chain.name), health=Health.UNKNOWN, since=now)
        state, change = judge_chain(chain.name, own, targets, self.chain_state(chain.name), now)
        self._chains[chain.name] = state
        self._unsaved[CHAINS][chain.name] = state
        self._judged.add(chain.name)
        return (change,) if change else ()

    def _decide_pace(self, spec: ProbeSpec, now: float) -> Pace:
        chain = self._chains.get(spec.chain)
        return decide(spec, self.state(spec), chain.health if chain else Health.UNKNOWN, now)

    def _answered_by(self, spec: ProbeSpec) -> str | None:
        latest = self._latest.get(_key(spec.chain, spec.target))
        return latest.served_provider if latest else None

    def _asks_end_to_end(self, chain: ChainConfig) -> bool:
        return any(spec.target is None for spec in self._by_chain[chain.name])

    def _configured(self, name: str) -> bool:
        return name in self._targets

    def _obey(self, config: Config, specs: tuple[ProbeSpec, ...]) -> None:
        """Take over a config, with what is looked up for each outcome worked out once."""
        self._config, self._specs = config, specs
        self._judged: set[str] = set()
        by_chain: dict[str, list[ProbeSpec]] = {chain.name: [] for chain in config.chains}
        for spec in specs:
            by_chain[spec.chain].append(spec)
        self._by_chain = by_chain
        self._targets: dict[str, tuple[Target, ...]] = {}
        for chain in config.chains:
            pinned = (spec.target for spec in by_chain[chain.name] if spec.target)
            self._targets[chain.name] = tuple(dict.fromkeys((*chain.all_targets(), *pinned)))

    def _forget_unconfigured(self) -> None:
        """What is no longer asked would never change again, so it must not be believed either."""
        kinds: dict[str, set[str]] = {}
        for spec in self._specs:
            kinds.setdefault(_key(spec.chain, spec.target), set()).add(spec.kind)
        for key, state in list(self._subjects.items()):
            kept = retain(state, kinds.get(key, set()))
            if kept is not state:
                _put(self._subjects, key, kept)
                self._unsaved[SUBJECTS][key] = kept
        for name in [name for name in self._chains if not self._configured(name)]:
            del self._chains[name]
            self._unsaved[CHAINS][name] = None


def _key(chain: str, target: Target | None) -> str:
    """As ``Subject.key``."""
    return chain if target is None else f"{chain}/{target.key}"


def _put(states: dict[str, SubjectState], key: str, state: SubjectState | None) -> None:
    if state is None:
        del states[key]
    else:
        states[key] = state

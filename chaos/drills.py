"""Turns the drills of the config into resolved experiments: labels into positions, words into faults and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chaos import shapes
from chaos.faults import FAULTS
from chaos.injectors import FAULT_OPTIONS
from chaos.model import Drill, Expect, Strike, positions_of
from chaos.plans import AnswerExpected, ApplicationPlan, CapacityPlan, ClientPlan, Hypothesis, LivePlan, SteadyState
from chaos.shapes import SHAPE_OPTIONS
from monitor.config.drill_sections import Choice
from monitor.config.model import (
    ApplicationConfig,
    ChainConfig,
    Config,
    DrillConfig,
    ExpectConfig,
    FaultOption,
    HypothesisConfig,
    StrikeConfig,
)
from monitor.config.quantity import parse_duration, parse_percent
from monitor.config.strike_checks import default_injector, means_of
from monitor.model import Mode

OPENROUTER = "openrouter"
REJECTED_BY_DEFAULT = frozenset({"unknown_id"})
"""Faults that today's routers answer by refusing the whole request (fact sheet: Which errors move the chain on)."""


def resolve(config: Config) -> tuple[Drill, ...]:
    """Every drill of a checked config, in file order."""
    chains = ((drill, config.chain(drill.chain)) for drill in config.drills)
    return tuple(resolve_one(drill, chain, config.endpoints[chain.endpoint].dialect) for drill, chain in chains)


def resolve_one(drill: DrillConfig, chain: ChainConfig, dialect: str = OPENROUTER) -> Drill:
    """One that was checked against its chain; ``dialect``: of the chain's endpoint."""
    injector = _word(drill.by) if drill.by else _default_injector(drill, chain.mode, dialect)
    known = FAULT_OPTIONS[means_of(injector, chain.mode, dialect)]
    strikes = tuple(_strike(one, chain, known) for one in drill.strikes)
    expect = _expect(drill.expect, strikes, chain)
    return Drill(
        name=drill.name,
        chain=drill.chain,
        strikes=strikes,
        injector=injector,
        expect=expect,
        kind=drill.kind,
        requests=drill.requests,
        max_duration=drill.max_duration,
        every=drill.every,
        cron=drill.cron,
        first_after=drill.first_after,
        hypothesis=_hypothesis(drill.hypothesis, expect, _always(strikes), chain),
        live=LivePlan(**dict(drill.live)) if drill.live else None,
        application=_application(drill.application) if drill.application else None,
        client=ClientPlan(**dict(drill.client)),
        capacity=CapacityPlan(**dict(drill.capacity)) if drill.capacity else None,
    )


def _application(written: ApplicationConfig) -> ApplicationPlan:
    own = {name: value for name, value in written if name not in ("credential_env", "credential_file", "expect")}
    expect = written.expect
    answer = AnswerExpected(status=expect.status, contains=expect.contains, json=expect.json_)
    return ApplicationPlan(**own, expect=answer)


def _strike(written: StrikeConfig, chain: ChainConfig, known: Mapping[str, Mapping[str, FaultOption]]) -> Strike:
    fault, given = _chosen(written.with_)
    shape, shaped = _shape(fault, written.shape)
    requests = written.after if isinstance(written.after, int) else 0
    return Strike(
        positions=_positions(written.break_, chain),
        fault=fault,
        options=_options(known[fault], given),
        shape=shape,
        shape_options=shaped,
        after_requests=requests,
        after_seconds=parse_duration(written.after) if isinstance(written.after, str) else 0.0,
    )


def _shape(fault: str, written: Choice | None) -> tuple[str, Mapping[str, float]]:
    """When it strikes, with every option: the fault's own shape, where it has one and nothing else is written."""
    if written is None and fault in FAULTS:
        return FAULTS[fault].shape, shapes.resolve(FAULTS[fault].shape, FAULTS[fault].shape_options)
    shape, given = _chosen(written or "always")
    return shape, _options(SHAPE_OPTIONS[shape], given)


def _default_injector(drill: DrillConfig, mode: Mode, dialect: str) -> str:
    if drill.live is not None or drill.application is not None:
        return "gateway"
    return default_injector(mode, dialect)


def _chosen(written: str | Mapping[str, Mapping[str, Any] | None]) -> tuple[str, Mapping[str, Any]]:
    """The word and its settings."""
    if isinstance(written, str):
        return _word(written), {}
    ((name, options),) = written.items()
    return _word(name), options or {}


def _options(known: Mapping[str, FaultOption], given: Mapping[str, Any]) -> Mapping[str, float]:
    """Every option as a number, the ones that were not given by their default."""
    written = {_word(name): value for name, value in given.items()}
    return {
        name: _number(option, written[name]) if name in written else option.default for name, option in known.items()
    }


def _number(option: FaultOption, value: Any) -> float:
    if option.unit == "seconds":
        return parse_duration(value)
    return parse_percent(value) if option.unit == "share" else float(value)


def _positions(broken: str | tuple[str, ...], chain: ChainConfig) -> tuple[int, ...]:
    """Positions in order. ``primary`` is the first target unless another one bears that label."""
    labels = [target.label for target in chain.targets]
    names = (broken,) if isinstance(broken, str) else broken
    return tuple(
        sorted({0 if name == "primary" and name not in labels else labels.index(name) for name in names}),
    )


def _expect(written: ExpectConfig, strikes: tuple[Strike, ...], chain: ChainConfig) -> Expect:
    says_otherwise = written.served_by is not None or written.path is not None
    by_default = not says_otherwise and any(one.fault in REJECTED_BY_DEFAULT and one.constant for one in strikes)
    rejected = written.rejected if "rejected" in written.model_fields_set else by_default
    breaks = positions_of(strikes)
    unbroken = (target.label for position, target in enumerate(chain.targets) if position not in breaks)
    return Expect(
        served_by=None if rejected else written.served_by or next(unbroken, None),
        within=written.within,
        rejected=rejected,
        path=written.path,
    )


def _hypothesis(written: HypothesisConfig, expect: Expect, breaks: tuple[int, ...], chain: ChainConfig) -> Hypothesis:
    """While it is broken, any target that is not will do; which one must answer is what the drill expects."""
    labels = tuple(target.label for target in chain.targets)
    spare = tuple(label for position, label in enumerate(labels) if position not in breaks)
    broken = SteadyState(served_by=spare, within=expect.within, tolerance=written.tolerance)
    return Hypothesis(
        whole=SteadyState(served_by=written.served_by or labels[:1], within=written.within),
        broken=None if expect.rejected else broken,
        requests=written.requests,
    )


def _always(strikes: tuple[Strike, ...]) -> tuple[int, ...]:
    """The positions that are broken in every request; any other may answer one."""
    return positions_of(strike for strike in strikes if strike.constant)


def _word(name: str) -> str:
    return name.replace("-", "_")

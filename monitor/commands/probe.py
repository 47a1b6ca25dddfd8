"""``fallbackd probe``: ask a chain now, once, without a daemon."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from monitor.commands import options
from monitor.commands.workbench import workbench
from monitor.config.model import Config, Of
from monitor.errors import CommandError
from monitor.model import Origin, Outcome, ProbeSpec, Status
from monitor.probes import KINDS, expand

EXIT = {Status.OK: 0, Status.DEGRADED: 0, Status.FAILED: 1, Status.ERROR: 3}


def register(app: typer.Typer) -> None:
    app.command("probe")(probe)


def probe(
    chain: Annotated[str, typer.Argument(metavar="CHAIN", help="The chain to ask.")],
    target: Annotated[
        str | None, typer.Option(metavar="LABEL", help="Only this target (LABEL, or LABEL@PROVIDER), or: chain.")
    ] = None,
    kind: Annotated[str, typer.Option(metavar="KIND", help=f"One of {', '.join(KINDS)}.")] = "completion",
    chains: options.ChainsOption = options.CHAINS,
    alerts: options.AlertsOption = options.ALERTS,
    sandbox: options.SandboxOption = False,
    as_json: options.JsonOption = False,
) -> None:
    """Ask a chain now: end to end, and each target on its own. Exit code 1 when one of them fails."""
    config = options.load_config(chains, alerts, sandbox=sandbox)
    if kind not in KINDS:
        raise CommandError(f'"{kind}" is no kind of probe; choose one of {", ".join(KINDS)}')
    outcomes = asyncio.run(_ask(_only(config, chain), target, kind, sandbox=sandbox))
    if as_json:
        options.print_json([asdict(outcome) for outcome in outcomes])
    else:
        _print(outcomes)
    raise typer.Exit(max(EXIT[outcome.status] for outcome in outcomes))


def _only(config: Config, name: str) -> Config:
    if name not in [chain.name for chain in config.chains]:
        raise CommandError(f'"{name}" is no chain here; choose one of {", ".join(c.name for c in config.chains)}')
    return replace(config, chains=(config.chain(name),))


async def _ask(config: Config, target: str | None, kind: str, *, sandbox: bool) -> list[Outcome]:
    """Every subject of the chain once with this kind, whether or not it is scheduled."""
    chain = config.chains[0]
    own = next((probe for probe in chain.probes if probe.kind == kind), None)
    template = (own or chain.probes[0].model_copy(update={"kind": kind, "max_tokens": None})).model_copy(
        update={"of": tuple(Of)}
    )
    config_now = replace(config, chains=(chain.model_copy(update={"probes": (template,), "needs": ()}),))
    async with workbench(config_now, sandbox=sandbox) as bench:
        specs = _specs(bench.config, target)
        return [await bench.prober.probe(spec, origin=Origin.MANUAL) for spec in specs]


def _specs(config: Config, target: str | None) -> tuple[ProbeSpec, ...]:
    """Raises CommandError for a target that there is not."""
    specs = expand(config)
    if target is None:
        return specs
    found = tuple(spec for spec in specs if target == (spec.target.key if spec.target else "chain"))
    if not found:
        chain = config.chains[0]
        labels = ", ".join(t.label for t in chain.all_targets())
        raise CommandError(f'"{target}" is no target of {chain.name}; choose one of {labels}, or: chain')
    return found


def _print(outcomes: list[Outcome]) -> None:
    table = Table(
        "asked", "status", "reason", "served by", "seconds", "first token", "USD", "detail", box=None, pad_edge=False
    )
    for one in outcomes:
        asked = "end to end" if one.target is None else f"{one.target}@{one.provider}" if one.provider else one.target
        first = "" if one.first_token is None else f"{one.first_token:.2f}"
        cost = "" if one.cost is None else f"{one.cost:.6f}"
        reason = "" if one.reason == "none" else one.reason
        seconds = f"{one.duration:.2f}"
        table.add_row(asked, one.status, reason, one.served_by or "", seconds, first, cost, escape(one.detail))
    options.console().print(table)

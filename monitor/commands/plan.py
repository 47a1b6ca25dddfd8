"""``fallbackd plan``: what would be asked how often, and what a day of it costs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict
from itertools import groupby
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from chaos.drills import resolve
from monitor.commands import options
from monitor.commands.costing import Line, Sum, at_provider, lines, total
from monitor.commands.workbench import workbench
from monitor.config.model import ChainConfig, Config
from monitor.config.quantity import format_duration
from monitor.drift import doubts
from monitor.endpoints import declared
from monitor.model import Target
from monitor.offering import Catalogue
from monitor.offers import with_prices
from monitor.probes import offered

_MONEY = ("USD at most", "USD expected")


def register(app: typer.Typer) -> None:
    app.command("plan")(plan)


def plan(
    chains: options.ChainsOption = options.CHAINS,
    alerts: options.AlertsOption = options.ALERTS,
    sandbox: options.SandboxOption = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Open no connection: only prices of the config are known then.")
    ] = False,
    as_json: options.JsonOption = False,
) -> None:
    """Print what would be asked how often and what a day of it costs, at most and as expected. Asks no model."""
    config = options.load_config(chains, alerts, sandbox=sandbox)
    if offline:
        known = {name: with_prices(Catalogue(), declared(endpoint)) for name, endpoint in config.endpoints.items()}
        priced, notes = _lines(config, known), doubts(config, lambda _: Catalogue())
    else:
        priced, notes = asyncio.run(_priced(config, sandbox=sandbox))
    if as_json:
        options.print_json({**_json(config, priced), "warnings": notes})
        return
    out = options.console()
    out.print(_questions(priced))
    for title, key in _GROUPS.items():
        out.print()
        out.print(_sums(title, priced, key))
    print()
    _print_budgets(config, priced)
    _print_footnotes(out, config, total(priced))
    for note in notes:
        print(f"note: {note}")


async def _priced(config: Config, *, sandbox: bool) -> tuple[list[Line], tuple[str, ...]]:
    async with workbench(config, sandbox=sandbox) as bench:
        catalogue = bench.endpoints.catalogue
        priced = _lines(bench.config, {name: catalogue(name) for name in config.endpoints})
        return priced, doubts(bench.config, catalogue)


def _lines(config: Config, catalogues: Mapping[str, Catalogue]) -> list[Line]:
    def known(chain: ChainConfig, target: Target | None) -> Catalogue:
        return offered(chain, target, lambda name: catalogues.get(name, Catalogue()))

    return lines(config, resolve(config), known)


def _questions(priced: list[Line]) -> Table:
    table = Table(
        "chain", "asked", "kind", "every", *(_right(name) for name in ("a day", *_MONEY)), box=None, pad_edge=False
    )
    for line in priced:
        table.add_row(
            line.chain, line.asked, line.kind, _every(line), _count(line), _usd(line.usd_most), _usd(line.usd_usual)
        )
    return table


def _sums(title: str, priced: list[Line], key: Callable[[Line], str]) -> Table:
    table = Table(title, *(_right(name) for name in ("a day", *_MONEY)), box=None, pad_edge=False)
    for name, group in groupby(sorted(priced, key=key), key):
        _add(table, name, total(group))
    _add(table, "all", total(priced))
    return table


def _add(table: Table, name: str, found: Sum) -> None:
    table.add_row(
        name, _number(found.usual, found.most), _summed(found, found.usd_most), _summed(found, found.usd_usual)
    )


_GROUPS: Mapping[str, Callable[[Line], str]] = {
    "by chain": lambda line: line.chain,
    "by target": lambda line: f"{line.chain}/{line.target}" if line.target else f"{line.chain} end to end",
    "by kind": lambda line: "drills" if line.kind.startswith("drill ") else line.kind,
}


def _budgets(config: Config, priced: list[Line]) -> list[tuple[str, float, Sum]]:
    """Whose budget, how much a day, and what it has to pay."""
    of_chains = [
        (f"chain {chain.name}", chain.budget.usd_per_day, total(line for line in priced if line.chain == chain.name))
        for chain in config.chains
        if chain.budget
    ]
    of_providers = [
        (f"provider {name} (pinned questions)", budget.usd_per_day, total(at_provider(name, priced, config)))
        for name, budget in config.budgets.providers.items()
    ]
    overall = config.budgets.usd_per_day
    return [
        *of_chains,
        *of_providers,
        *([("all chains together", overall, total(priced))] if overall is not None else []),
    ]


def _print_budgets(config: Config, priced: list[Line]) -> None:
    for whose, usd, needed in _budgets(config, priced):
        print(f"budget of {whose}: USD {usd:{'.2f' if usd >= 0.01 else 'g'}} a day, {_verdict(usd, needed)}")
    free = [chain.name for chain in config.chains if chain.budget is None]
    if free:
        print(f"no budget of its own: {', '.join(free)}")


def _verdict(usd: float, needed: Sum) -> str:
    """Pinned providers stop when 20 % are left: a budget that is just enough is not. What has no known price may only
    make it worse."""
    if needed.usd_usual > 0.8 * usd:
        return f"too small: even a good day costs USD {needed.usd_usual:.2f}, so the least important questions stop"
    if needed.unknown:
        return f"enough or not cannot be said: {_unpriced(needed.unknown)} unknown"
    if needed.usd_most <= 0.8 * usd:
        return "enough for the worst day"
    return f"enough for a good day; a day of USD {needed.usd_most:.2f} would stop the least important questions"


def _print_footnotes(out: Console, config: Config, found: Sum) -> None:
    out.print(
        "\n[bold]At most[/]: the fastest pace all day, the longest answers that are paid for, the dearest provider. "
        "[bold]Expected[/]: a day without trouble, short answers, the first target's price. A first failure is asked "
        "again at once, which comes on top."
    )
    if found.unknown:
        print(f"{_unpriced(found.unknown).capitalize()} unknown and left out of the sums.")
    on_demand = [drill.name for drill in config.drills if not (drill.every or drill.cron)]
    if on_demand:
        print(f"Drills on demand are not counted: {', '.join(on_demand)}.")


def _every(line: Line) -> str:
    if line.every is None or line.fastest is None or line.slowest is None:
        return "by cron" if line.most else "on demand"
    text = format_duration(line.every)
    if line.fastest < line.slowest:
        text += f" ({format_duration(line.fastest)} to {format_duration(line.slowest)})"
    return f"{text}, passive" if line.passive else text


def _count(line: Line) -> str:
    return _number(line.usual, line.most)


def _number(usual: float, most: float) -> str:
    """One number, or from the usual to the most."""
    least, top = f"{usual:.0f}", f"{most:.0f}"
    return top if least == top else f"{least} to {top}"


def _usd(usd: float | None) -> str:
    return "unknown" if usd is None else f"{usd:.4f}"


def _summed(found: Sum, usd: float) -> str:
    """A sum in which prices are missing is at least what is known of it."""
    if not found.unknown:
        return _usd(usd)
    return f"over {usd:.4f}" if usd else "unknown"


def _unpriced(lines: int) -> str:
    return "the price of one line is" if lines == 1 else f"the prices of {lines} lines are"


def _right(name: str) -> Column:
    return Column(name, justify="right")


def _json(config: Config, priced: list[Line]) -> dict[str, object]:
    found = total(priced)
    return {
        "rows": [_row(line) for line in priced],
        **{
            title.replace(" ", "_"): {
                name: asdict(total(group)) for name, group in groupby(sorted(priced, key=key), key)
            }
            for title, key in _GROUPS.items()
        },
        "budgets": [
            {"of": whose, "usd_per_day": usd, "usd_most": needed.usd_most, "usd_usual": needed.usd_usual}
            for whose, usd, needed in _budgets(config, priced)
        ],
        "usd_per_day": found.usd_most,
        "expected_usd_per_day": found.usd_usual,
        "unknown_prices": found.unknown,
    }


def _row(line: Line) -> dict[str, object]:
    return {
        "chain": line.chain, "asked": line.asked, "kind": line.kind, "passive": line.passive,
        "every_seconds": line.every, "fastest_seconds": line.fastest, "slowest_seconds": line.slowest,
        "per_day": line.most, "expected_per_day": line.usual,
        "usd_per_day": line.usd_most, "expected_usd_per_day": line.usd_usual,
    }  # fmt: skip

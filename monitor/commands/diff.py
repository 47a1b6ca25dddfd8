"""``fallbackd diff``: the chain as declared beside what its endpoint does now."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace
from typing import Annotated, Any
from urllib.parse import quote

import typer

from monitor.commands import options
from monitor.commands.workbench import Workbench, workbench
from monitor.comparison import Difference, Standing, compare, standing_of
from monitor.config.model import ChainConfig, Config, Of
from monitor.dialects.litellm_standing import INFO, SETTINGS, fallback_path, read_standing
from monitor.errors import CommandError
from monitor.exchange import Ask, Fate
from monitor.model import Mode, Origin, Outcome
from monitor.probes import expand, offered
from monitor.reading import parse
from monitor.wire import exchange

CALL_SECONDS = 15.0


def register(app: typer.Typer) -> None:
    app.command("diff")(diff)


def diff(
    chain: Annotated[str, typer.Argument(metavar="CHAIN", help="The chain to compare.")],
    chains: options.ChainsOption = options.CHAINS,
    alerts: options.AlertsOption = options.ALERTS,
    sandbox: options.SandboxOption = False,
    as_json: options.JsonOption = False,
) -> None:
    """Compare a declared chain with what its endpoint does: its order, models, providers and timeouts, and who answers.

    Asks the chain end to end and each target once. Exit code 0 when nothing differs, 1 when something does.
    """
    config = options.load_config(chains, alerts, sandbox=sandbox)
    names = [one.name for one in config.chains]
    if chain not in names:
        raise CommandError(f'"{chain}" is no chain here; choose one of {", ".join(names)}')
    standing, found = asyncio.run(_compare(replace(config, chains=(config.chain(chain),)), sandbox=sandbox))
    if as_json:
        options.print_json({"chain": chain, "same": not found, "differences": [asdict(one) for one in found]})
    else:
        _print(config.chain(chain), standing, found)
    raise typer.Exit(1 if found else 0)


async def _compare(config: Config, *, sandbox: bool) -> tuple[Standing, list[Difference]]:
    async with workbench(config, sandbox=sandbox) as bench:
        chain = bench.config.chains[0]
        catalogue = offered(chain, None, bench.endpoints.catalogue)
        if bench.config.endpoints[chain.endpoint].dialect == "litellm":
            standing = await _of_proxy(bench, chain)
        else:
            standing = standing_of(chain, catalogue)
        return standing, compare(chain, standing, await _ask(bench, chain), catalogue)


async def _ask(bench: Workbench, chain: ChainConfig) -> list[Outcome]:
    once = chain.probes[0].model_copy(update={"kind": "completion", "of": (Of.CHAIN, Of.TARGETS)})
    plain = chain.model_copy(update={"probes": (once,), "needs": ()})
    specs = expand(replace(bench.config, chains=(plain,)))
    return [await bench.prober.probe(spec, origin=Origin.MANUAL) for spec in specs]


async def _of_proxy(bench: Workbench, chain: ChainConfig) -> Standing:
    """A route that the key may not read is as good as absent."""
    group = quote(chain.target(0).model, safe="")
    info, settings = await _get(bench, chain.endpoint, INFO), await _get(bench, chain.endpoint, SETTINGS)
    fallbacks = await _get(bench, chain.endpoint, fallback_path(group), also=404) if chain.mode is Mode.SERVER else None
    return read_standing(chain, info, fallbacks, settings)


async def _get(bench: Workbench, name: str, path: str, *, also: int = 200) -> Any:
    endpoint = bench.config.endpoints[name]
    secret = bench.config.secrets.get(f"endpoints/{name}")
    key = {"Authorization": f"Bearer {secret.get_secret_value()}"} if secret else {}
    ask = Ask(
        method="GET",
        url=endpoint.url.rstrip("/").removesuffix("/v1") + path,
        headers={**key, **endpoint.headers},
        body=None,
        stream=False,
        deadline=CALL_SECONDS,
    )
    reply = await exchange(bench.endpoints.transport(name), ask, bench.clock)
    return parse(reply.body) if reply.fate is Fate.ANSWERED and reply.status in (200, also) else None


def _print(chain: ChainConfig, standing: Standing, found: list[Difference]) -> None:
    for one in found:
        print(one.sentence)
    if not found:
        print(f"{chain.name}: {chain.endpoint} does what the chain declares.")
    if standing.rungs is None and chain.mode is not Mode.CLIENT:
        print(f"({chain.endpoint} does not tell its order; who answered is all that is known of it.)")

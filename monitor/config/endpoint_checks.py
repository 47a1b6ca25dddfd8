"""Which endpoints a chain may ask: what their dialects can do, and where targets may name one of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from monitor.config.document import Node
from monitor.config.model import DialectTraits, Vocabulary
from monitor.config.names import given_endpoints, unknown
from monitor.config.showing import listed, quote
from monitor.errors import Problem
from monitor.model import Mode


def mistakes(top: Node, vocabulary: Vocabulary) -> Iterator[Problem]:
    endpoints = dict(top["endpoints"].entries())
    traits = {
        name: found
        for name, endpoint in endpoints.items()
        if (found := vocabulary.traits.get(endpoint["dialect"].text or "")) is not None
    }
    for chain in top["chains"].items():
        yield from _mode(chain, endpoints, traits)
        yield from _own(chain, endpoints)
        yield from _pins(chain, endpoints, traits)
        yield from _routing(chain, endpoints, traits)


def _mode(chain: Node, endpoints: Mapping[str, Node], traits: Mapping[str, DialectTraits]) -> Iterator[Problem]:
    mode, name = chain["mode"].text, chain["endpoint"].text or ""
    if name in traits and mode in set(Mode) and mode not in traits[name].modes:
        dialect = endpoints[name]["dialect"].text
        able = listed(sorted(traits[name].modes))
        yield chain["mode"].problem(
            f"{quote(name)} is of dialect {dialect}, which walks no {mode} chains; it can serve mode: {able}"
        )
    targets = chain["targets"].items()
    most = traits[name].most_models if name in traits else None
    if mode == Mode.SERVER and most is not None and len(targets) > most:
        yield chain["targets"].problem(
            f"there are {len(targets)} targets, but the router refuses more than {most} models in a "
            "request; remove some, or use mode: client"
        )


def _own(chain: Node, endpoints: Mapping[str, Node]) -> Iterator[Problem]:
    """Only who walks a chain itself can ask elsewhere for the next target."""
    mode = chain["mode"].text
    for target in chain["targets"].items():
        if "endpoint" not in target:
            continue
        yield from unknown(target["endpoint"], tuple(endpoints), none="no endpoint is configured")
        if mode in (Mode.SERVER, Mode.PROVIDER):
            yield target["endpoint"].problem(
                f"a {mode} chain is walked by its one endpoint; take this out, or use mode: client"
            )


def _pins(chain: Node, endpoints: Mapping[str, Node], traits: Mapping[str, DialectTraits]) -> Iterator[Problem]:
    for target in chain["targets"].items():
        name = target["endpoint"].text or chain["endpoint"].text or ""
        if name not in traits or traits[name].pins:
            continue
        for setting in ("provider", "providers"):
            if setting in target and target[setting].value != []:
                yield target[setting].problem(
                    f"{quote(name)} is of dialect {endpoints[name]['dialect'].text}, which cannot pin one; take it out"
                )


def _routing(chain: Node, endpoints: Mapping[str, Node], traits: Mapping[str, DialectTraits]) -> Iterator[Problem]:
    names = given_endpoints(chain)
    if "routing" not in chain or not all(name in traits for name in names):
        return
    if not any(traits[name].routes for name in names):
        dialects = listed(sorted({endpoints[name]["dialect"].text or "" for name in names}))
        yield chain["routing"].problem(f"nobody reads it at an endpoint of dialect {dialects}; take it out")

"""Endpoints and chains: what refers to what, and what each mode can do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from monitor.config.document import Node
from monitor.config.model import HealthConfig, ProbeConfig, TargetConfig, Vocabulary
from monitor.config.names import given, repeated, seconds, twice, unknown
from monitor.config.showing import among, quote
from monitor.errors import Problem
from monitor.model import Mode, Reason

SHORTEST_INTERVAL = 1.0

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)


def mistakes(top: Node, vocabulary: Vocabulary) -> Iterator[Problem]:
    yield from too_often(top["catalogue"]["every"])
    for _, endpoint in top["endpoints"].entries():
        yield from _endpoint(endpoint, vocabulary)
    chains = top["chains"].items()
    endpoints = [name for name, _ in top["endpoints"].entries()]
    yield from repeated(chains, "name")
    for chain in chains:
        yield from unknown(chain["endpoint"], endpoints, none="no endpoint is configured")
        yield from _targets(chain)
        yield from twice(chain["needs"])
        for need in chain["needs"].items():
            yield from unknown(need, vocabulary.capabilities)
        yield from _probes(chain, vocabulary)
        yield from _health(chain["health"])
        yield from _move_on(chain)


def doubts(top: Node) -> Iterator[Problem]:
    """What is allowed and probably not meant."""
    for chain in top["chains"].items():
        targets = chain["targets"].items()
        if len(targets) == 1:
            yield chain["targets"].problem("there is one target only, so nothing can stand in for it")
        total, first = seconds(chain["total_timeout"]), _first_timeout(targets)
        if chain["mode"].text == Mode.CLIENT and len(targets) > 1 and total and first and total <= first:
            yield chain["total_timeout"].problem("a primary that hangs uses it up; no time is left for the next target")


def _first_timeout(targets: tuple[Node, ...]) -> float | None:
    default: float = TargetConfig.model_fields["timeout"].default
    return seconds(targets[0]["timeout"]) if targets and "timeout" in targets[0] else default


def _endpoint(endpoint: Node, vocabulary: Vocabulary) -> Iterator[Problem]:
    yield from unknown(endpoint["dialect"], vocabulary.dialects)
    yield from both_named(endpoint, "credential")
    for name, header in endpoint["headers"].entries():
        if not is_header(name):
            yield header.problem("is no name of a header; use letters, digits and '-'")
        elif header.text is not None and not (header.text.isascii() and header.text.isprintable()):
            yield header.problem(f"{quote(header.text)} cannot be sent in a header; use plain ASCII on one line")
    url = endpoint["url"]
    if url.text is not None and url.text.startswith(("http://", "https://")) and not _is_address(url.text):
        yield url.problem(f"{quote(url.text)} is no address; write http:// or https:// and the host")


def is_header(name: str) -> bool:
    """Whether a text can be the name of a header field."""
    return _HEADER.fullmatch(name) is not None


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def both_named(section: Node, credential: str) -> Iterator[Problem]:
    """A credential comes from a variable or from a file, not from both."""
    by_env, by_file = f"{credential}_env", f"{credential}_file"
    if by_env in section and by_file in section:
        yield section[by_file].problem(f"{by_env} is set too; keep one of them")


def _targets(chain: Node) -> Iterator[Problem]:
    targets = chain["targets"].items()
    yield from repeated(targets, "label")
    for target in targets:
        yield from twice(target["providers"])
    for target in targets[1:]:
        if target["label"].text == "primary":
            yield target["label"].problem('"primary" is what drills call the first target; name this one differently')
    match chain["mode"].text:
        case Mode.SERVER:
            yield from _server(chain, targets)
        case Mode.PROVIDER:
            yield from _provider(chain, targets)
        case Mode.CLIENT:
            yield from _models(chain, targets)


def _models(chain: Node, targets: tuple[Node, ...]) -> Iterator[Problem]:
    for target in targets:
        if isinstance(target.value, dict) and "model" not in target and "model" not in chain:
            yield target["model"].problem("is missing; write the model id that is asked")


def _server(chain: Node, targets: tuple[Node, ...]) -> Iterator[Problem]:
    yield from _models(chain, targets)
    yield from _same_model_twice(chain, targets)
    for target in targets:
        if "provider" in target:
            yield target["provider"].problem(
                "a server chain cannot pin one; write providers: [...] to have each asked, or use mode: provider"
            )


def _same_model_twice(chain: Node, targets: tuple[Node, ...]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for position, target in enumerate(targets):
        model = target["model"].text or chain["model"].text
        if model in first:
            yield target["model"].problem(f"{quote(model)} is already the model of targets[{first[model]}]")
        elif model is not None:
            first[model] = position


def _provider(chain: Node, targets: tuple[Node, ...]) -> Iterator[Problem]:
    yield from repeated(targets, "provider")
    own = [target["model"] for target in targets if "model" in target]
    one = chain["model"].text or next((model.text for model in own), None)
    if "model" not in chain and not own:
        yield chain["model"].problem("is missing; write the one model of this provider chain")
    for model in own:
        if model.text is not None and one is not None and model.text != one:
            yield model.problem(f"{quote(model.text)} is another model than {quote(one)}; a provider chain has one")
    for target in targets:
        if isinstance(target.value, dict) and "provider" not in target:
            yield target["provider"].problem("is missing; each target of a provider chain is one provider")
        if "providers" in target:
            yield target["providers"].problem("each target of a provider chain is one provider; write provider")


def _probes(chain: Node, vocabulary: Vocabulary) -> Iterator[Problem]:
    asked: dict[tuple[str, str], int] = {}
    for position, probe in enumerate(chain["probes"].items()):
        kind = probe["kind"].text
        yield from unknown(probe["kind"], vocabulary.kinds)
        yield from too_often(probe["every"])
        if probe["of"].value == []:
            yield probe["of"].problem("asks nobody; write chain, targets or providers")
        yield from twice(probe["of"])
        of_whom: tuple[str, ...] = probe["of"].texts if "of" in probe else ProbeConfig.model_fields["of"].default
        for of in of_whom:
            if kind is not None and asked.setdefault((kind, of), position) != position:
                yield probe.problem(f"probes[{asked[kind, of]}] asks the {of} for a {kind} already; keep one of them")


def too_often(every: Node) -> Iterator[Problem]:
    """An interval that nobody means: below one second."""
    interval = seconds(every)
    if interval is not None and 0 < interval < SHORTEST_INTERVAL:
        yield every.problem(f"{every.text} is too often; the shortest interval is 1s")


def _health(health: Node) -> Iterator[Problem]:
    def number(name: str) -> int | None:
        value = health[name].value if name in health else HealthConfig.model_fields[name].default
        return value if type(value) is int else None

    down_after, window = number("down_after"), number("window")
    if down_after is not None and window is not None and down_after > window:
        where = health["down_after"] if "down_after" in health else health["window"]
        yield where.problem(f"down_after {down_after} is above window {window}, so nothing could ever be down")


def _move_on(chain: Node) -> Iterator[Problem]:
    mode = chain["mode"].text
    if "move_on" in chain and mode in (Mode.SERVER, Mode.PROVIDER):
        yield chain["move_on"].problem(f"only client chains use it; in a {mode} chain the endpoint decides")
    for reason in chain["move_on"].items():
        if reason.text in (Reason.NONE, Reason.OURS):
            yield reason.problem(among(reason.text, set(Reason) - {Reason.NONE, Reason.OURS}, what="is no failure"))


def labels(chain: Node | None) -> tuple[str, ...]:
    """The labels of a chain's targets."""
    return given(chain["targets"].items(), "label") if chain else ()

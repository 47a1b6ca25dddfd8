"""Imports a Portkey config: a fallback strategy is a client chain, each target at an endpoint of its own.

Facts: Portkey docs "Gateway Config Object", "Fallbacks", "Headers".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain as chained

from monitor.config.document import Document, Node
from monitor.config.showing import quote
from monitor.imports.draft import ChainDraft, Draft, EndpointDraft, Names, Reading, TargetDraft, Wish, seconds
from monitor.model import Mode, Reason

GATEWAY = "https://api.portkey.ai/v1"
_DIRECT: Mapping[str, tuple[str, str, str]] = {
    "openai": ("openai_compatible", "https://api.openai.com/v1", "OPENAI_API_KEY"),
    "anthropic": ("anthropic", "https://api.anthropic.com/v1", "ANTHROPIC_API_KEY"),
    "groq": ("openai_compatible", "https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "together-ai": ("openai_compatible", "https://api.together.xyz/v1", "TOGETHER_API_KEY"),
    "mistral-ai": ("openai_compatible", "https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    "deepseek": ("openai_compatible", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    "openrouter": ("openai_compatible", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
}
"""Provider -> dialect, base URL, the customary variable of its key."""

_CODES: Mapping[int, tuple[Reason, ...]] = {
    400: (Reason.BAD_REQUEST, Reason.CONTEXT_LENGTH),
    401: (Reason.UNAUTHORIZED,),
    402: (Reason.OUT_OF_CREDIT,),
    403: (Reason.FORBIDDEN, Reason.MODERATED),
    404: (Reason.NO_ENDPOINT, Reason.MODEL_GONE),
    408: (Reason.TIMEOUT, Reason.FIRST_TOKEN_TIMEOUT),
    413: (Reason.CONTEXT_LENGTH,),
    429: (Reason.RATE_LIMITED,),
    500: (Reason.SERVER_ERROR,),
    502: (Reason.SERVER_ERROR, Reason.CONNECT, Reason.DNS, Reason.TLS, Reason.CUT),
    503: (Reason.SERVER_ERROR, Reason.OVERLOADED),
    504: (Reason.TIMEOUT,),
    529: (Reason.OVERLOADED,),
}
"""What a status means here. A network error between the gateway and a provider is a 502 of the gateway's."""


def convert(document: Document, wish: Wish) -> Draft:
    reading, top = Reading(document), document.top
    leaves = tuple(_leaves(reading, top))
    if not top["targets"].items() and not any(name in top for name in ("provider", "virtual_key", "override_params")):
        reading.blame(top["targets"], "is missing or empty; this is no Portkey config")
    endpoints, labels = _Endpoints(wish), Names("primary")
    targets = tuple(_target(reading, leaf, top, endpoints, labels, wish) for leaf in leaves)
    codes = _codes(reading, top["strategy"]["on_status_codes"])
    reading.finish()
    chain = ChainDraft(
        name="imported",
        endpoint=targets[0].endpoint or "",
        mode=Mode.CLIENT,
        targets=targets,
        move_on=codes,
        notes=tuple(_strategy_notes(top)),
    )
    return Draft(endpoints=endpoints.all, chains=(chain,), notes=tuple(_notes(top)))


def _leaves(reading: Reading, node: Node) -> Iterator[Node]:
    """The targets that are asked in the end; a target may hold a strategy and targets of its own."""
    targets = reading.items(node["targets"], "the targets in their order")
    for target in targets:
        if isinstance(target.value, dict):
            yield from _leaves(reading, target)
        else:
            reading.blame(target, "is no target; write provider (or virtual_key) and override_params")
    if not targets:
        yield node


class _Endpoints:
    """One endpoint for each way to a provider, in the order in which they are met."""

    def __init__(self, wish: Wish) -> None:
        self._wish = wish
        self._names = Names()
        self._by_way: dict[tuple[str, str], EndpointDraft] = {}

    @property
    def all(self) -> tuple[EndpointDraft, ...]:
        return tuple(self._by_way.values())

    def of(self, provider: str | None, virtual_key: str | None, host: str | None, *, own_key: bool) -> str:
        way = (f"key {virtual_key}" if virtual_key else f"provider {provider or ''}", host or "")
        if way not in self._by_way:
            name = self._names.of(virtual_key or provider or "portkey")
            self._by_way[way] = _endpoint(name, provider, virtual_key, host or self._wish.url, own_key=own_key)
        return self._by_way[way].name


def _endpoint(
    name: str, provider: str | None, virtual_key: str | None, host: str | None, *, own_key: bool
) -> EndpointDraft:
    gateway = EndpointDraft(
        name=name, dialect="openai_compatible", url=host or GATEWAY, credential_env="PORTKEY_API_KEY"
    )
    if virtual_key:
        return replace(gateway, headers={"x-portkey-virtual-key": virtual_key})
    if provider is not None and provider in _DIRECT and own_key and host is None:
        dialect, url, variable = _DIRECT[provider]
        note = "Its own API with its own key, as the gateway calls it."
        return EndpointDraft(name=name, dialect=dialect, url=url, credential_env=variable, notes=(note,))
    return replace(gateway, headers={"x-portkey-provider": provider} if provider else {})


def _target(reading: Reading, leaf: Node, top: Node, endpoints: _Endpoints, labels: Names, wish: Wish) -> TargetDraft:
    named = leaf["override_params"]["model"]
    advice = "the request names the model then: write it here, or give it with --model"
    model = wish.model if named.value is None and wish.model else reading.text(named, advice)
    given = [_line(reading, leaf[key], what) for key, what in (
        ("provider", "as in openai"), ("virtual_key", "the virtual key's name"), ("custom_host", "an address"),
    )]  # fmt: skip
    timeout = next((leaf[key] for key in ("request_timeout", "requestTimeout") if key in leaf), top["request_timeout"])
    return TargetDraft(
        label=labels.of(_text(reading, leaf["name"], "a name") or model or "target"),
        model=model,
        endpoint=endpoints.of(*given, own_key="api_key" in leaf),
        timeout=seconds(timeout, 0.001),
        notes=tuple(_target_notes(leaf)),
    )


def _text(reading: Reading, node: Node, what: str) -> str | None:
    return None if node.value is None else reading.text(node, what) or None


def _line(reading: Reading, node: Node, what: str) -> str | None:
    """A text that is sent in a header."""
    text = _text(reading, node, what)
    if text is not None and not (text.isascii() and text.isprintable()):
        reading.blame(node, f"{quote(text)} cannot be sent in a header; use plain ASCII on one line ({what})")
        return None
    return text


def _codes(reading: Reading, node: Node) -> tuple[Reason, ...]:
    """The reasons on which the chain moves on; without a list every error does."""
    codes = [item.value for item in reading.items(node, "status codes")] if node.value is not None else list(_CODES)
    silent = [Reason.STALLED, Reason.MALFORMED] if node.value is None else []
    found = chained.from_iterable(_CODES.get(code, ()) for code in codes if isinstance(code, int))
    return tuple(dict.fromkeys([*found, *silent]))


def _strategy_notes(top: Node) -> Iterator[str]:
    mode = top["strategy"]["mode"].text
    if mode not in (None, "fallback"):
        yield f"Portkey's strategy here is {mode}, not fallback: its targets are walked as they stand."
    if any("targets" in target for target in top["targets"].items()):
        yield "Targets inside targets stand in one row here; how the inner ones shared the load is not carried over."
    odd = [item.value for item in top["strategy"]["on_status_codes"].items() if item.value not in _CODES]
    if odd:
        yield f"Not carried over: on_status_codes {', '.join(map(str, odd))}, which have no reason of their own here."


def _target_notes(leaf: Node) -> Iterator[str]:
    for name, meaning in (("weight", "load is not shared here"), ("retry", "retries are the gateway's own")):
        if name in leaf:
            yield f"Not carried over: {name} ({meaning})."
    extra = [name for name, _ in leaf["override_params"].entries() if name != "model"]
    if extra:
        yield f"Not carried over: override_params {', '.join(extra)}."


def _notes(top: Node) -> Iterator[str]:
    yield "Client mode: fallbackd walks the targets itself, and does not pass through the gateway's own fallback."
    for name in (
        "retry",
        "cache",
        "input_guardrails",
        "output_guardrails",
        "before_request_hooks",
        "after_request_hooks",
    ):
        if name in top:
            yield f"Not carried over: {name}."

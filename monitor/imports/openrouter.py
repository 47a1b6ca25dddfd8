"""Imports the body of a request to OpenRouter: ``models`` is a server chain, ``provider.order`` of one model a provider
chain.

Facts: OpenRouter docs "Model Fallbacks", "Provider Routing".
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.config.document import Document, Node
from monitor.imports.draft import ChainDraft, Draft, EndpointDraft, Names, Reading, TargetDraft, Wish
from monitor.model import Mode
from monitor.reading import mapping, text_of

_MOST_MODELS = 3
_UNUSED = {
    "preset": "a preset can change the chain without a change of the request",
    "plugins": "plugins change requests and answers; probes send none",
    "transforms": "probes are short and need none",
    "route": "deprecated; models alone switch fallback on",
    "service_tier": "probes are asked at the default tier",
}


def convert(document: Document, wish: Wish) -> Draft:
    reading, top = Reading(document), document.top
    models = _models(reading, top)
    provider = top["provider"]
    order = [reading.text(item, "the slug of a provider") for item in reading.items(provider["order"], "slugs")]
    reading.finish()
    notes = [*_notes(top), *_over(models)]
    endpoint = EndpointDraft(
        name="openrouter",
        dialect="openrouter",
        url=wish.url or "https://openrouter.ai/api/v1",
        credential_env="OPENROUTER_API_KEY",
    )
    chain = _by_provider(models[0], order, top) if len(models) == 1 and order else _by_model(models, top)
    return Draft(endpoints=(endpoint,), chains=(chain,), notes=tuple(notes))


def _models(reading: Reading, top: Node) -> list[str]:
    """``model`` is tried before ``models``."""
    found = [reading.text(top["model"], "the id of a model")] if "model" in top else []
    found += [reading.text(item, "the id of a model") for item in reading.items(top["models"], "ids of models")]
    if not found:
        reading.blame(top["models"], "is missing, and so is model; this is no request for a completion")
    return list(dict.fromkeys(found))


def _over(models: list[str]) -> Iterator[str]:
    if len(models) > _MOST_MODELS:
        rest = ", ".join(models[_MOST_MODELS:])
        yield f"Not carried over: {rest}. The router refuses a request with more than {_MOST_MODELS} models."


def _by_model(models: list[str], top: Node) -> ChainDraft:
    labels = Names("primary")
    targets = tuple(TargetDraft(label=labels.of(_short(model)), model=model) for model in models[:_MOST_MODELS])
    return ChainDraft(
        name="imported",
        endpoint="openrouter",
        mode=Mode.SERVER,
        targets=targets,
        needs=_needs(top),
        routing=dict(mapping(top["provider"].value)),
        stream=top["stream"].value is True,
    )


def _by_provider(model: str, order: list[str], top: Node) -> ChainDraft:
    labels = Names("primary")
    targets = tuple(TargetDraft(label=labels.of(slug), provider=slug) for slug in dict.fromkeys(order))
    routing = {name: value for name, value in mapping(top["provider"].value).items() if name != "order"}
    return ChainDraft(
        name="imported",
        endpoint="openrouter",
        mode=Mode.PROVIDER,
        model=model,
        targets=targets,
        needs=_needs(top),
        routing={"allow_fallbacks": True, **routing},
        stream=top["stream"].value is True,
        notes=("Providers beyond the order may answer too (allow_fallbacks); an answer of theirs is a wrong one here.",)
        if routing.get("allow_fallbacks", True)
        else (),
    )


def _short(model: str) -> str:
    return model.rpartition("/")[2]


def _needs(top: Node) -> tuple[str, ...]:
    """What the request makes use of, every target must be able to do."""
    kind = text_of(mapping(top["response_format"].value).get("type"))
    parts = [
        mapping(part).get("type")
        for message in top["messages"].items()
        for part in (message["content"].value if isinstance(message["content"].value, list) else ())
    ]
    found = {"tools": bool(top["tools"].items()), "structured": kind == "json_schema", "vision": "image_url" in parts}
    return tuple(name for name, used in found.items() if used)


def _notes(top: Node) -> Iterator[str]:
    for name, meaning in _UNUSED.items():
        if name in top:
            yield f"Not carried over: {name} ({meaning})."
    if any("@preset/" in (node.text or "") for node in (top["model"], *top["models"].items())):
        yield "A preset may hold models and providers of its own, which are not seen here."

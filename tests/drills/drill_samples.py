"""Chains, catalogues, drills and outcomes for the tests of drills."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chaos.model import Drill, Expect, Strike
from chaos.plans import Hypothesis, SteadyState
from monitor.config.model import ChainConfig
from monitor.model import Attempt, Origin, Outcome, Path, Reason, Status
from monitor.offering import Catalogue, ModelEntry, Offer, Price

SONNET, MINI, FLASH = "anthropic/claude-sonnet-4.5", "openai/gpt-5-mini", "google/gemini-2.5-flash"


def chain(mode: str = "server", **changes: Any) -> ChainConfig:
    """A chain of three targets named primary, secondary and last-resort."""
    models = {"server": (SONNET, MINI, FLASH), "client": (SONNET, MINI, FLASH), "provider": (None, None, None)}[mode]
    providers = {"provider": ("anthropic", "amazon-bedrock", "google-vertex")}.get(mode, (None, None, None))
    labels = ("primary", "secondary", "last-resort")
    raw: dict[str, Any] = {
        "name": "chat",
        "endpoint": "openrouter",
        "mode": mode,
        "model": SONNET if mode == "provider" else None,
        "targets": [
            {"label": label, "model": model, "provider": provider}
            for label, model, provider in zip(labels, models, providers, strict=True)
        ],
        "probes": [{"kind": "completion", "every": "60s"}],
    }
    return ChainConfig.model_validate(raw | changes)


def offer(provider: str, *, prompt: float = 1.0, completion: float = 1.0) -> Offer:
    """Prices in USD per million tokens."""
    price = Price(prompt=prompt / 1e6, completion=completion / 1e6)
    return Offer(provider=provider.partition("/")[0], tag=provider, name=provider.title(), price=price)


def catalogue(**offered: tuple[Offer, ...]) -> Catalogue:
    """What each model offers; ``sonnet``, ``mini`` and ``flash`` replace the usual offers."""
    usual = {
        "sonnet": (offer("anthropic", prompt=3, completion=15), offer("amazon-bedrock", prompt=3.3, completion=16)),
        "mini": (offer("openai", prompt=0.25, completion=2), offer("azure", prompt=0.3, completion=2)),
        "flash": (
            offer("google-vertex", prompt=0.3, completion=2.5),
            offer("google-ai-studio", prompt=0.3, completion=2.5),
        ),
    }
    names = {"sonnet": SONNET, "mini": MINI, "flash": FLASH}
    entries = {
        names[name]: ModelEntry(id=names[name], canonical=names[name], price=Price(), offers=offers)
        for name, offers in (usual | offered).items()
    }
    return Catalogue(at=1.0, models=entries)


def drill(**changes: Any) -> Drill:
    """``breaks``, ``fault`` and ``options`` are those of its one strike."""
    one: dict[str, Any] = {"positions": changes.pop("breaks", (0,)), "fault": changes.pop("fault", "ignore")}
    one["options"] = changes.pop("options", {})
    made = Drill(
        name="primary-gone",
        chain="chat",
        strikes=(Strike(**one),),
        injector="request",
        expect=Expect(served_by="secondary", within=10.0),
        requests=2,
        hypothesis=Hypothesis(broken=SteadyState(served_by=("secondary", "last-resort"), within=10.0)),
    )
    return replace(made, **changes)


def outcome(**changes: Any) -> Outcome:
    """The whole chain, answered well by its primary."""
    made = Outcome(
        id="o1",
        at=1000.0,
        chain="chat",
        probe="chat:completion",
        kind="completion",
        origin=Origin.DRILL,
        status=Status.OK,
        reason=Reason.NONE,
        drill="primary-gone",
        served_by="primary",
        position=0,
        model=SONNET,
        served_provider="Anthropic",
        path=Path.PRIMARY,
        attempts=(Attempt(model=SONNET, provider="Anthropic", position=0, status_code=200),),
        status_code=200,
        duration=0.4,
    )
    return replace(made, **changes)


FALLBACK_ATTEMPT = Attempt(model=MINI, provider="OpenAI", position=1, status_code=200)


def by_secondary(**changes: Any) -> Outcome:
    """Answered well by the secondary, which the router chose before calling anyone else."""
    usual: dict[str, Any] = {
        "served_by": "secondary",
        "position": 1,
        "model": MINI,
        "served_provider": "OpenAI",
        "path": Path.FILTERED,
        "attempts": (FALLBACK_ATTEMPT,),
        "duration": 0.6,
    }
    return outcome(**(usual | changes))


def failed(reason: Reason = Reason.SERVER_ERROR, **changes: Any) -> Outcome:
    usual: dict[str, Any] = {
        "status": Status.FAILED,
        "reason": reason,
        "served_by": None,
        "position": None,
        "model": None,
        "served_provider": None,
        "path": Path.EXHAUSTED,
        "attempts": (),
        "status_code": 502,
    }
    return outcome(**(usual | changes))


def broken_watcher() -> Outcome:
    return failed(Reason.OURS, status=Status.ERROR, path=None, status_code=None, detail="no memory left")

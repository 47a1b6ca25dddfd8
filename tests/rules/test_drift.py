"""What a reading of a catalogue shows about the chains that rely on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from monitor.config.model import AlertsFile, CatalogueConfig, ChainConfig, Config, EndpointConfig
from monitor.drift import MOST_DISCOVERED, Known, compare, discovered_now, doubts, shared_fate
from monitor.findings import CatalogueFinding, Drift
from monitor.offering import Account, Catalogue, ModelEntry, Offer, Price

NOW = 1_791_028_980.0  # 2026-10-03 12:03 UTC
DAY = 86400.0
LIMITS = CatalogueConfig()


def chain(name: str, mode: str, *targets: dict[str, Any], **more: Any) -> ChainConfig:
    labelled = [{"label": f"t{position}", **target} for position, target in enumerate(targets)]
    body = {"name": name, "endpoint": "router", "mode": mode, "targets": labelled, **more}
    return ChainConfig.model_validate({**body, "probes": [{"kind": "completion", "every": "60s"}]})


def config(*chains: ChainConfig) -> Config:
    endpoint = EndpointConfig(dialect="openrouter", url="http://router/api/v1")
    alerts = {
        "notifiers": [{"name": "log", "kind": "log"}],
        "routes": [{"notify": ["log"]}],
        "rules": [{"name": "r", "when": "chain_down"}],
    }
    return Config(endpoints={"router": endpoint}, chains=chains, drills=(), alerts=AlertsFile.model_validate(alerts))


def offer(tag: str, **changed: Any) -> Offer:
    base: dict[str, Any] = {
        "provider": tag.partition("/")[0],
        "tag": tag,
        "name": tag.title(),
        "price": Price(prompt=3e-6, completion=15e-6),
        "context_length": 200_000,
        "max_completion_tokens": 64_000,
        "parameters": frozenset({"tools", "stop"}),
    }
    return Offer(**{**base, **changed})


def entry(model: str, *offers: Offer, **changed: Any) -> ModelEntry:
    base: dict[str, Any] = {"id": model, "canonical": f"{model}-20260101", "price": Price(), "offers": offers}
    return ModelEntry(**{**base, **changed})


def reading(*entries: ModelEntry, **changed: Any) -> Catalogue:
    models = {one.id: one for one in entries}
    return Catalogue(at=NOW, models=models, listed=True, offered=frozenset(models), **changed)


CHAT = chain("chat", "server", {"model": "a/one"}, {"model": "b/two"})
PINNED = chain("pinned", "server", {"model": "a/one", "providers": ["x"]}, {"model": "b/two"})
ONE = entry("a/one", offer("x"), offer("y"))
TWO = entry("b/two", offer("z"), offer("y"))


def look(known: Known, catalogue: Catalogue, *chains: ChainConfig, at: float = NOW, **limits: Any) -> Any:
    own = LIMITS.model_copy(update=limits)
    return compare(known, config(*(chains or (CHAT,))), "router", lambda _: catalogue, at, limits=own)


def shown(findings: tuple[CatalogueFinding, ...]) -> list[tuple[Drift, str]]:
    return [(one.drift, one.detail) for one in findings]


def test_the_first_reading_shows_no_change() -> None:
    known, findings = look(Known(), reading(ONE, TWO))
    assert findings == ()
    assert look(known, reading(ONE, TWO))[1] == ()


CHANGES: list[tuple[str, Offer | None, Drift, str]] = [
    (
        "price",
        offer("x", price=Price(prompt=4.5e-6, completion=15e-6)),
        Drift.PRICE_CHANGED,
        "a/one at x: prompt 3 -> 4.5 USD per million tokens (+50%)",
    ),
    (
        "both prices",
        offer("x", price=Price(prompt=0.0, completion=30e-6)),
        Drift.PRICE_CHANGED,
        "a/one at x: prompt 3 -> 0 USD per million tokens (-100%); completion 15 -> 30 USD per million tokens (+100%)",
    ),
    (
        "context",
        offer("x", context_length=100_000),
        Drift.CONTEXT_CHANGED,
        "a/one at x: context 200,000 -> 100,000 tokens (-50%)",
    ),
    (
        "output",
        offer("x", max_completion_tokens=8_000),
        Drift.OUTPUT_LIMIT_CHANGED,
        "a/one at x: longest answer 64,000 -> 8,000 tokens (-88%)",
    ),
    (
        "parameter",
        offer("x", parameters=frozenset({"stop"})),
        Drift.PARAMETER_DROPPED,
        "a/one at x: no longer takes tools",
    ),
    ("left", None, Drift.PROVIDER_LEFT, "x no longer serves a/one"),
]


@pytest.mark.parametrize(("changed", "drift", "says"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_a_change_is_a_finding_until_it_is_undone(changed: Offer | None, drift: Drift, says: str) -> None:
    known, _ = look(Known(), reading(ONE, TWO))
    other = replace(ONE, offers=tuple(one for one in (changed, offer("y")) if one))
    known, findings = look(known, reading(other, TWO), at=NOW + 60)
    assert shown(findings) == [(drift, says)]
    assert findings[0].used_by == "used by 1 chain: chat (t0, position 0)"
    known, again = look(known, reading(other, TWO), at=NOW + 120)
    assert again[0].since == NOW + 60, "told with the time at which it was first seen"
    assert look(known, reading(ONE, TWO))[1] == ()


def test_a_provider_that_joins_is_a_finding() -> None:
    known, _ = look(Known(), reading(ONE, TWO))
    more = replace(ONE, offers=(*ONE.offers, offer("new/eu")))
    assert shown(look(known, reading(more, TWO))[1]) == [(Drift.PROVIDER_JOINED, "new/eu now serves a/one")]


def test_an_old_change_is_how_things_are() -> None:
    known, _ = look(Known(), reading(ONE, TWO))
    other = replace(ONE, offers=(offer("x", context_length=1), offer("new")))
    known, findings = look(known, reading(other, TWO))
    assert {one.drift for one in findings} == {Drift.CONTEXT_CHANGED, Drift.PROVIDER_LEFT, Drift.PROVIDER_JOINED}
    known, findings = look(known, reading(other, TWO), at=NOW + 6.9 * DAY)
    assert len(findings) == 3
    known, findings = look(known, reading(other, TWO), at=NOW + 7.1 * DAY)
    assert findings == ()
    assert shown(look(known, reading(ONE, TWO), at=NOW + 8 * DAY)[1])[0][0] is Drift.PROVIDER_LEFT, "measured anew"


def test_a_change_of_a_change_is_told_from_where_it_began() -> None:
    known, _ = look(Known(), reading(ONE, TWO))
    for context, says in ((150_000, "(-25%)"), (50_000, "(-75%)")):
        other = replace(ONE, offers=(offer("x", context_length=context), offer("y")))
        known, (finding,) = look(known, reading(other, TWO))
        assert says in finding.value


def test_what_is_new_and_harmless_is_taken_in_silently() -> None:
    known, _ = look(Known(), reading(ONE, replace(TWO, offers=())))
    more = offer("x", parameters=frozenset({"tools", "stop", "seed"}))
    known, findings = look(known, reading(replace(ONE, offers=(more, offer("y"))), TWO))
    assert findings == (), "a new parameter, and the first providers that are known of a model"
    assert [one.drift for one in look(known, reading(ONE, TWO))[1]] == [Drift.PARAMETER_DROPPED]


def test_a_finding_is_joined_to_every_chain_that_uses_it() -> None:
    known, _ = look(Known(), reading(ONE, TWO), CHAT, PINNED)
    other = replace(TWO, offers=(offer("z", context_length=1), offer("y")))
    _, (finding,) = look(known, reading(ONE, other), CHAT, PINNED)
    assert finding.used_by == "used by 2 chains: chat (t1, position 1), pinned (t1, position 1)"


def test_a_pinned_provider_that_left_leaves_a_target_unserved() -> None:
    known, _ = look(Known(), reading(ONE, TWO), CHAT, PINNED)
    left = replace(ONE, offers=(offer("y"),))
    _, findings = look(known, reading(left, TWO), CHAT, PINNED)
    assert [(one.drift, one.detail, one.used_by) for one in findings] == [
        (
            Drift.UNSERVED,
            "x does not serve a/one; those that do: y",
            "used by 1 chain: pinned (t0, position 0, pinned)",
        ),
        (Drift.PROVIDER_LEFT, "x no longer serves a/one", "used by 1 chain: chat (t0, position 0)"),
    ]


def test_what_a_provider_that_is_not_pinned_does_is_nobodys_matter() -> None:
    by_provider = chain("by", "provider", {"provider": "x"}, {"provider": "y"}, model="a/one")
    three = entry("a/one", offer("x"), offer("y"), offer("w"))
    known, _ = look(Known(), reading(three), by_provider)
    assert look(known, reading(ONE), by_provider)[1] == ()


STANDING: list[tuple[str, Catalogue, list[tuple[Drift, str]]]] = [
    (
        "gone",
        reading(TWO, gone=frozenset({"a/one"})),
        [(Drift.MODEL_GONE, "router no longer knows a/one: a request that names it is refused as a whole")],
    ),
    (
        "renamed",
        reading(ONE, TWO, entry("a/new", offer("x")), renamed={"a/one": "a/new"}),
        [
            (
                Drift.MODEL_RENAMED,
                "a/one is no id of the catalogue any more; it leads to a/new: name that one",
            )
        ],
    ),
    (
        "expires soon",
        reading(replace(ONE, expires="2026-10-13"), TWO),
        [(Drift.MODEL_EXPIRES, "a/one expires on 2026-10-13, in 9 days")],
    ),
    ("expires later", reading(replace(ONE, expires="2027-01-01"), TWO), []),
    (
        "expired",
        reading(replace(ONE, expires="2026-10-01"), TWO),
        [(Drift.MODEL_EXPIRES, "a/one expired on 2026-10-01")],
    ),
    ("an end that is no date", reading(replace(ONE, expires="soon"), TWO), []),
    ("nobody", reading(replace(ONE, offers=()), TWO), [(Drift.UNSERVED, "no provider serves a/one")]),
    (
        "degraded",
        reading(replace(ONE, offers=(offer("x", status=-2), offer("y"))), TWO),
        [(Drift.ENDPOINT_DEGRADED, "a/one at x: router reports status -2 (0 is operational)")],
    ),
    (
        "uptime",
        reading(replace(ONE, offers=(offer("x", uptime_last_30m=71.5, uptime_last_1d=98.0), offer("y"))), TWO),
        [(Drift.UPTIME_LOW, "a/one at x: router reports an uptime of 71.5 % over 30m, 98 % over 1d")],
    ),
    ("uptime unknown", reading(replace(ONE, offers=(offer("x", uptime_last_5m=1.0), offer("y"))), TWO), []),
    (
        "key",
        reading(ONE, TWO, account=Account(limit=10.0, limit_remaining=0.5, limit_reset="monthly")),
        [(Drift.KEY_LIMIT_LOW, "USD 0.50 of the key's limit of 10.00 are left; it is reset monthly")],
    ),
    (
        "key with enough",
        reading(ONE, TWO, account=Account(limit=10.0, limit_remaining=5.0, credits_remaining=50.0)),
        [],
    ),
    (
        "key that ends",
        reading(ONE, TWO, account=Account(expires="2026-10-04T12:03:00Z")),
        [(Drift.KEY_EXPIRES, "the key expires on 2026-10-04T12:03:00Z, in 1 day")],
    ),
    (
        "credit",
        reading(ONE, TWO, account=Account(credits_remaining=1.25)),
        [
            (
                Drift.CREDITS_LOW,
                "the account has USD 1.25 of credit left; below 0 every request is refused, free models too",
            )
        ],
    ),
    ("free requests of nobody", reading(ONE, TWO, account=Account(free_limit=50, free_remaining=0)), []),
]


@pytest.mark.parametrize(("catalogue", "expected"), [row[1:] for row in STANDING], ids=[row[0] for row in STANDING])
def test_what_one_reading_shows(catalogue: Catalogue, expected: list[tuple[Drift, str]]) -> None:
    assert shown(look(Known(), catalogue)[1]) == expected


def test_a_model_that_is_gone_names_its_heir() -> None:
    known, _ = look(Known(), reading(ONE, TWO))
    heir = entry("a/one-v2", offer("x"), canonical=ONE.canonical)
    _, findings = look(known, reading(heir, TWO, gone=frozenset({"a/one"})))
    assert [one.drift for one in findings] == [Drift.MODEL_GONE], "its providers did not leave one by one"
    assert findings[0].detail.endswith("; the same model is now called a/one-v2")


def test_free_requests_concern_the_targets_of_free_models_alone() -> None:
    free = chain("free", "client", {"model": "a/one"}, {"model": "c/three:free"})
    catalogue = reading(ONE, entry("c/three:free", offer("x")), account=Account(free_limit=50, free_remaining=2))
    _, findings = look(Known(), catalogue, free)
    quota = next(one for one in findings if one.drift is Drift.FREE_QUOTA_LOW)
    assert quota.used_by == "used by 1 chain: free (t1, position 1)"
    assert quota.detail.startswith("2 of today's 50 requests to free models are left (4%)")


FATES: list[tuple[str, ChainConfig, Catalogue, str | None]] = [
    (
        "one provider alone",
        CHAT,
        reading(entry("a/one", offer("x/eu")), entry("b/two", offer("x/us"))),
        "t0 and t1 of chat fall together: both are served by x alone",
    ),
    ("a provider in common", CHAT, reading(ONE, TWO), None),
    (
        "one model with a suffix",
        chain("chat", "client", {"model": "a/one"}, {"model": "a/one:nitro"}),
        Catalogue(),
        "t0 and t1 of chat fall together: a/one and a/one:nitro are one model at the same providers",
    ),
    (
        "a canonical name",
        chain("chat", "client", {"model": "a/one"}, {"model": "a/one-20260101"}),
        reading(ONE),
        "t0 and t1 of chat fall together: a/one and a/one-20260101 are one model at the same providers",
    ),
    ("a free variant", chain("chat", "client", {"model": "a/one"}, {"model": "a/one:free"}), Catalogue(), None),
    (
        "two regions of a provider",
        chain("by", "provider", {"provider": "x/eu"}, {"provider": "x/us"}, model="a/one"),
        Catalogue(),
        "t0 and t1 of by fall together: both are served by x alone",
    ),
    (
        "two names of a provider",
        chain("by", "provider", {"provider": "amazon-bedrock"}, {"provider": "Amazon Bedrock"}, model="a/one"),
        Catalogue(),
        "t0 and t1 of by fall together: both are served by amazon-bedrock alone",
    ),
    (
        "routing leaves one",
        chain("chat", "server", {"model": "a/one"}, {"model": "b/two"}, routing={"only": ["y"]}),
        reading(ONE, TWO),
        "t0 and t1 of chat fall together: both are served by y alone",
    ),
    ("nothing known", CHAT, Catalogue(), None),
]


@pytest.mark.parametrize(("of", "catalogue", "says"), [row[1:] for row in FATES], ids=[row[0] for row in FATES])
def test_shared_fate(of: ChainConfig, catalogue: Catalogue, says: str | None) -> None:
    found = [one.detail for one in shared_fate(config(of), lambda _: catalogue)]
    assert found == ([says] if says else [])


AT_GROQ, OWN = {"model": "a/one", "provider": "Groq"}, {"model": "one", "endpoint": "own"}
TWICE = [{"model": "one", "endpoint": "own"}, {"model": "two", "endpoint": "own"}]
GROQ = "https://api.groq.com/openai/v1"
ACROSS: list[tuple[str, list[dict[str, Any]], dict[str, str], Catalogue, str | None]] = [
    ("pinned there, and its own API", [AT_GROQ, OWN], {"own": GROQ}, Catalogue(), "both are served by groq alone"),
    (
        "the only one that serves it, and its own API",
        [{"model": "a/one"}, OWN],
        {"own": GROQ},
        reading(entry("a/one", offer("groq"))),
        "both are served by groq alone",
    ),
    ("one of two that serve it", [{"model": "a/one"}, OWN], {"own": GROQ}, reading(ONE), None),
    (
        "two models of one API",
        TWICE,
        {"own": "https://api.openai.com/v1"},
        Catalogue(),
        "both are asked at api.openai.com",
    ),
    (
        "two regions",
        [OWN, {"model": "one", "endpoint": "too"}],
        {"own": "https://eu.openai.azure.com/v1", "too": "https://us.openai.azure.com/v1"},
        Catalogue(),
        None,
    ),
    ("another provider", [AT_GROQ, OWN], {"own": "https://api.mistral.ai/v1"}, Catalogue(), None),
    ("two models of a server of one's own", TWICE, {"own": "http://127.0.0.1:11434/v1"}, Catalogue(), None),
    ("a gateway before many providers", TWICE, {"own": "https://api.portkey.ai/v1"}, Catalogue(), None),
    ("a host that only sounds like it", [AT_GROQ, OWN], {"own": "https://api.groq.com.example/v1"}, Catalogue(), None),
]


@pytest.mark.parametrize(
    ("targets", "urls", "offers", "says"), [row[1:] for row in ACROSS], ids=[row[0] for row in ACROSS]
)
def test_shared_fate_across_endpoints(
    targets: list[dict[str, Any]], urls: dict[str, str], offers: Catalogue, says: str | None
) -> None:
    own = {name: EndpointConfig(dialect="openai_compatible", url=url) for name, url in urls.items()}
    whole = config(chain("mix", "client", *targets))
    whole = replace(whole, endpoints={**whole.endpoints, **own})
    found = list(shared_fate(whole, lambda name: offers if name == "router" else Catalogue()))
    assert [one.value for one in found] == ([says] if says else [])
    if found and offers.at is not None:
        assert found[0].endpoint == "router", "whose catalogue was read"


DISCOVERING = chain("d", "server", {"model": "a/one", "providers": "discover"}, {"model": "b/two", "providers": ["z"]})


@pytest.mark.parametrize(
    ("tags", "pinned"),
    [
        ((), ()),
        (("x", "y"), ("x", "y")),
        (("x/eu", "y", "x/us"), ("x", "y")),
        (tuple(f"p{n:02}" for n in range(40)), tuple(f"p{n:02}" for n in range(MOST_DISCOVERED))),
    ],
)
def test_discover_stands_for_the_providers_that_serve_now(tags: tuple[str, ...], pinned: tuple[str, ...]) -> None:
    catalogue = reading(entry("a/one", *map(offer, tags)), TWO)
    targets = discovered_now(config(DISCOVERING), lambda _: catalogue).chain("d").targets
    assert targets[0].providers == targets[0].pinned == pinned
    assert targets[1].providers == ("z",)


def test_providers_to_be_discovered_are_said_to_be_unknown() -> None:
    unknown: Callable[[str], Catalogue] = lambda _: Catalogue()  # noqa: E731
    assert DISCOVERING.targets[0].pinned == ()
    assert doubts(config(DISCOVERING), unknown) == (
        "the providers of t0 in d are discovered when the daemon runs; none is known here",
    )

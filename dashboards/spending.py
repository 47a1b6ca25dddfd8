"""What fallbackd's own questions cost, what is left for them, and what the endpoints' keys may still spend."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import ValueMapping

from dashboards import look
from dashboards.panels import Head, Panel, lines
from dashboards.queries import counted, now, or_else, over_time
from dashboards.tables import Column, grid

ONE = 'instance=~"$instance"'
NO_CATALOGUE = look.words({str(look.NEVER): ("no catalogue", look.UNKNOWN)})


def money() -> list[Panel]:
    none = look.words({str(look.NEVER): ("no budget", look.UNKNOWN)})
    return [
        lines(
            Head(
                title="Cost of questions",
                about="US dollars within the window, by chain.",
                unit="currencyUSD",
                width=12,
                decimals=4,
                least=0,
            ),
            over_time(counted("fallbackd_probe_cost_usd_total", "chain", ONE), "{{chain}}"),
            stacked=True,
        ),
        _budgets(none),
        _shared(none),
        _keys(),
    ]


def _budgets(none: ValueMapping) -> Panel:
    left = f"max by (chain) (fallbackd_budget_remaining_usd{{{ONE}}})"
    of_kind = f"min by (chain) (fallbackd_probe_budget_remaining_usd{{{ONE}}})"
    none_of_chain = f"max by (chain) (fallbackd_chain_health{{{ONE}}}) * 0 - {-look.NEVER}"
    return grid(
        Head(
            title="Budgets",
            about="US dollars left of today's budget of each chain and of the kind of question that has least of a "
            "budget of its own, and spent in the time range.",
            unit="currencyUSD",
            width=12,
        ),
        (
            Column(field="chain", heading="Chain"),
            Column(
                field="Value #A",
                heading="Left today",
                decimals=3,
                mappings=(none,),
                steps=((None, look.BAD), (0.01, look.GOOD)),
            ),
            Column(
                field="Value #B",
                heading="Left for one kind",
                decimals=3,
                mappings=(none,),
                steps=((None, look.BAD), (0.01, look.GOOD)),
            ),
            Column(field="Value #C", heading="Spent", decimals=4),
        ),
        now(f"{left} or {none_of_chain}"),
        now(f"{of_kind} or {none_of_chain}"),
        now(counted("fallbackd_probe_cost_usd_total", "chain", ONE, "$__range")),
    )


def _shared(none: ValueMapping) -> Panel:
    left = f"min by (scope, provider) (fallbackd_shared_budget_remaining_usd{{{ONE}}})"
    return grid(
        Head(
            title="Budgets of several chains",
            about="US dollars left of today's budgets that chains share: of a provider, or overall.",
            unit="currencyUSD",
            width=8,
            height=5,
        ),
        (
            Column(field="scope", heading="Of"),
            Column(field="provider", heading="Provider"),
            Column(
                field="Value",
                heading="Left today",
                decimals=3,
                mappings=(none,),
                steps=((None, look.BAD), (0.01, look.GOOD)),
            ),
        ),
        now(or_else(left, scope="overall")),
    )


def _keys() -> Panel:
    """One row for each endpoint with a catalogue."""
    known = f"min by (endpoint) (fallbackd_catalogue_age_seconds{{{ONE}}})"
    unknown = look.words({str(look.NEVER): ("none known", look.UNKNOWN)})
    left = [
        f"min by (endpoint) (fallbackd_{name}{{{ONE}}})"
        for name in ("key_limit_remaining_usd", "credits_remaining_usd", "free_requests_remaining")
    ]
    short = ((None, look.BAD), (1.0, look.GOOD))
    return grid(
        Head(
            title="Keys and catalogues",
            about="What the key of each endpoint may still spend, as far as the endpoint says it, and how long ago its "
            "catalogue was read.",
            unit="none",
            width=16,
            height=5,
        ),
        (
            Column(field="endpoint", heading="Endpoint"),
            Column(field="Value #A", heading="Catalogue read", unit="s", decimals=0, mappings=(NO_CATALOGUE,)),
            Column(field="Value #B", heading="Limit of the key", unit="currencyUSD", mappings=(unknown,), steps=short),
            Column(field="Value #C", heading="Credit", unit="currencyUSD", mappings=(unknown,), steps=short),
            Column(field="Value #D", heading="Free requests", decimals=0, mappings=(unknown,), steps=short),
        ),
        now(or_else(known, endpoint="none")),
        *(now(or_else(f"{one} or {known} * 0 - {-look.NEVER}", endpoint="none")) for one in left),
    )

"""Gateway: the traffic of applications, who answers it, and what is broken in it on purpose."""

from __future__ import annotations

from functools import partial

from dashboards import look
from dashboards.frame import CHAIN_LINK, Page, every_chain
from dashboards.panels import Head, Panel, heat, lines, number
from dashboards.queries import buckets, counted, named, now, over_time, position_names, quantile
from dashboards.tables import Column, grid

CHAINS = 'chain=~"$chain"'
REQUESTS = "fallbackd_gateway_requests_total"
ANSWERS = "fallbackd_chain_answers_total"
SECONDS = "fallbackd_gateway_duration_seconds"
FIRST_TOKEN = "fallbackd_gateway_first_token_seconds"  # noqa: S105 - a metric, not a password
COST = "fallbackd_gateway_cost_usd_total"
OVERHEAD = "fallbackd_gateway_overhead_seconds"
LIVE = f'{CHAINS}, origin="live"'
OURS = f'{CHAINS}, injected="false"'
BROKEN = f'{CHAINS}, injected="true"'
FAILED = 'status_class=~"5xx|none"'
NO_TRAFFIC = look.without_a_number("no traffic")
FALLBACK_STEPS = ((None, look.GOOD), (0.1, look.WARNING), (0.5, look.BAD))
FAILED_STEPS = ((None, look.GOOD), (0.005, look.NOTICE), (0.05, look.BAD))
STATUS_COLOURS = {"2xx": look.GOOD, "4xx": look.WARNING, "5xx": look.BAD, "none": "dark-purple"}
SMALL = partial(Head, width=4, height=4)


def fallback_share(by: str, window: str = "$window") -> str:
    """Share of the live answers that did not come from the primary."""
    others = counted(ANSWERS, by, f'{LIVE}, path=~"failed_over|filtered|fell_back|wrong_model"', window)
    answers = counted(ANSWERS, by, f'{LIVE}, path!="exhausted"', window)
    return f"{others} / {answers}"


def failed_share(by: str, window: str = "$window") -> str:
    """Share of the exchanges that the endpoint failed or did not answer; ours are left out."""
    return f"{counted(REQUESTS, by, f'{OURS}, {FAILED}', window)} / {counted(REQUESTS, by, OURS, window)}"


def by_target(expr: str) -> str:
    return named(expr, "target", "nobody")


def _numbers() -> list[Panel]:
    return [
        number(
            SMALL(title="Requests", about="Live requests to these chains in the time range.", unit="short", decimals=0),
            now(f"round({counted(REQUESTS, '', CHAINS, '$__range')})"),
        ),
        number(
            SMALL(
                title="From a fallback",
                about="Share of the live answers in the time range that did not come from the primary.",
                unit="percentunit",
                decimals=1,
                steps=FALLBACK_STEPS,
                mappings=(NO_TRAFFIC,),
            ),
            now(fallback_share("", "$__range")),
        ),
        number(
            SMALL(
                title="Failed",
                about="Share of the live requests in the time range that ended with a 5xx or without any answer; "
                "those that met a fault of a drill are left out.",
                unit="percentunit",
                decimals=2,
                steps=FAILED_STEPS,
                mappings=(NO_TRAFFIC,),
            ),
            now(failed_share("", "$__range")),
        ),
        number(
            SMALL(
                title="95 % within",
                about="95 % of the live answers in the time range took no longer.",
                unit="s",
                decimals=2,
                mappings=(NO_TRAFFIC,),
            ),
            now(quantile(SECONDS, 0.95, "", CHAINS, "$__range")),
        ),
        number(
            SMALL(
                title="Broken on purpose",
                about="Live requests in the time range that met a fault of a drill.",
                unit="requests",
                decimals=0,
                steps=((None, look.GOOD), (1.0, look.BROKEN_ON_PURPOSE)),
            ),
            now(f"round({counted(REQUESTS, '', BROKEN, '$__range')})"),
        ),
        number(
            SMALL(
                title="Spent",
                about="US dollars that live requests cost in the time range, as far as their answers say it.",
                unit="currencyUSD",
                decimals=4,
            ),
            now(counted(COST, "", CHAINS, "$__range")),
        ),
    ]


def _grid() -> Panel:
    head = Head(
        title="Traffic by chain",
        about="The live traffic of each chain within the window: how much, how much of it a fallback answered or "
        "nobody, how fast, and for how much. Click a name for the whole chain.",
        unit="none",
        width=24,
        height=7,
    )
    columns = (
        Column(field="chain", heading="Chain", link=CHAIN_LINK),
        Column(field="Value #A", heading="Requests", decimals=0),
        Column(
            field="Value #B",
            heading="From a fallback",
            unit="percentunit",
            decimals=1,
            steps=FALLBACK_STEPS,
            mappings=(NO_TRAFFIC,),
        ),
        Column(
            field="Value #C",
            heading="Failed",
            unit="percentunit",
            decimals=2,
            steps=FAILED_STEPS,
            mappings=(NO_TRAFFIC,),
        ),
        Column(field="Value #D", heading="95 % within", unit="s", decimals=2, mappings=(NO_TRAFFIC,)),
        Column(field="Value #E", heading="First token, 95 %", unit="s", decimals=2, mappings=(NO_TRAFFIC,)),
        Column(field="Value #F", heading="Spent", unit="currencyUSD", decimals=4),
    )
    return grid(
        head,
        columns,
        now(f"round({counted(REQUESTS, 'chain', CHAINS)})"),
        now(fallback_share("chain")),
        now(failed_share("chain")),
        now(quantile(SECONDS, 0.95, "chain", CHAINS)),
        now(quantile(FIRST_TOKEN, 0.95, "chain", CHAINS)),
        now(counted(COST, "chain", CHAINS)),
        worst="Requests",
    )


def _who() -> list[Panel]:
    return [
        lines(
            Head(
                title="Requests by status",
                about="Live requests within the window by the class of their answer's status; none is no answer.",
                unit="short",
                width=12,
                least=0,
                colours=STATUS_COLOURS,
            ),
            over_time(counted(REQUESTS, "status_class", CHAINS), "{{status_class}}"),
            stacked=True,
        ),
        lines(
            Head(
                title="Who served",
                about="Live answers within the window by the position that gave them, as parts of the whole.",
                unit="short",
                width=12,
                least=0,
                colours=look.POSITION_COLOURS,
            ),
            over_time(position_names(counted(ANSWERS, "position", LIVE)), "{{position}}"),
            percent=True,
        ),
        lines(
            Head(
                title="From a fallback, real and probed",
                about="Share of a chain's answers within the window that did not come from the primary: of live "
                "traffic, and of the questions that fallbackd asks itself. Where the two part, the probes do not ask "
                "what the application asks.",
                unit="percentunit",
                width=12,
                least=0,
                most=1,
            ),
            over_time(fallback_share("chain"), "{{chain}}: live"),
            over_time(fallback_share("chain").replace('origin="live"', 'origin="scheduled"'), "{{chain}}: probed"),
        ),
        lines(
            Head(
                title="Broken on purpose",
                about="Live requests within the window that met a fault of a drill, by the class of their status.",
                unit="short",
                width=12,
                least=0,
                colours=STATUS_COLOURS,
            ),
            over_time(counted(REQUESTS, "status_class", BROKEN), "{{status_class}}"),
            stacked=True,
            as_bars=True,
        ),
    ]


def _overhead() -> list[Panel]:
    """The gateway's own share of the time, and what passed through it."""
    return [
        lines(
            Head(
                title="Added by the gateway itself, 99 %",
                about="99 % of the live exchanges within the window were held up by the gateway no longer than this: "
                "request until it left for the endpoint (a new connection included), answer until its first bytes left "
                "for the client, turn for how late the gateway turned to what had come.",
                unit="s",
                width=12,
                least=0,
                mappings=(NO_TRAFFIC,),
            ),
            over_time(quantile(OVERHEAD, 0.99, "part", ""), "{{part}}"),
        ),
        lines(
            Head(
                title="Tokens",
                about="Tokens of live exchanges within the window, as far as their answers say it; reasoning is a part "
                "of completion.",
                unit="short",
                width=12,
                least=0,
            ),
            over_time(counted("fallbackd_gateway_tokens_total", "direction", CHAINS), "{{direction}}"),
        ),
    ]


def _speed() -> list[Panel]:
    return [
        heat(
            Head(
                title="Time to the whole answer",
                about="Live answers by how long they took: the darker, the more.",
                unit="s",
                width=12,
            ),
            buckets(counted(f"{SECONDS}_bucket", "le", CHAINS, "$__rate_interval")),
        ),
        heat(
            Head(
                title="Time to the first token",
                about="Live streams by when their first token came: the darker, the more.",
                unit="s",
                width=12,
            ),
            buckets(counted(f"{FIRST_TOKEN}_bucket", "le", CHAINS, "$__rate_interval")),
        ),
        lines(
            Head(
                title="Time to the whole answer by who served, 95 %",
                about="95 % of the live answers within the window took no longer, by the target that gave them.",
                unit="s",
                width=12,
                least=0,
            ),
            over_time(by_target(quantile(SECONDS, 0.95, "chain, target", CHAINS)), "{{chain}}: {{target}}"),
        ),
        lines(
            Head(
                title="Cost by who served",
                about="US dollars within the window, by the target that gave the answers.",
                unit="currencyUSD",
                width=12,
                decimals=4,
                least=0,
            ),
            over_time(by_target(counted(COST, "chain, target", CHAINS)), "{{chain}}: {{target}}"),
            stacked=True,
        ),
    ]


PAGE = Page(
    uid="fallbackd-gateway",
    title="fallbackd: gateway",
    about="The traffic of applications that pass through the gateway: who answers it, how fast, and what drills break.",
    variables=(every_chain(),),
    rows=(("", [*_numbers(), _grid()]), ("Who answers", _who()), ("How fast, for how much", [*_speed(), *_overhead()])),
    drill_marks=CHAINS,
)

"""Overview: every chain in one grid, and what fires."""

from __future__ import annotations

from dashboards import look
from dashboards.frame import CHAIN_LINK, Page, every_chain
from dashboards.panels import Head, Panel, lines, number, states
from dashboards.queries import COUNTS, WHOLE, burn, counted, health, kept, now, over_time, quantile, serving
from dashboards.tables import Column, grid

CHAINS = 'chain=~"$chain"'
RATIO = f'max by (chain) (fallbackd_chain_fallback_ratio{{{CHAINS}, window="15m"}})'
LATENCY = "fallbackd_probe_duration_seconds"
SHARE_STEPS = ((None, look.BAD), (0.95, look.WARNING), (0.99, look.GOOD))
FALLBACK_STEPS = ((None, look.GOOD), (0.1, look.WARNING), (0.5, look.BAD))
BURN_STEPS = ((None, look.GOOD), (1.0, look.WARNING), (6.0, look.BAD))


def in_state(states: str) -> str:
    return f'sum(fallbackd_chain_health{{{CHAINS}, state=~"{states}"}})'


def _numbers() -> list[Panel]:
    trouble = ((None, look.GOOD), (1.0, look.WARNING))
    outage = ((None, look.GOOD), (1.0, look.BAD))
    chains = "chains"
    return [
        number(
            Head(title="Healthy", about="Chains whose every part answers.", unit=chains, width=3, height=4),
            now(in_state("healthy")),
        ),
        number(
            Head(
                title="Degraded",
                about="Chains that answer although something in them is in trouble.",
                unit=chains,
                width=3,
                height=4,
                steps=trouble,
            ),
            now(in_state("degraded|limited")),
        ),
        number(
            Head(
                title="Down",
                about="Chains that give no answer end to end.",
                unit=chains,
                width=3,
                height=4,
                steps=outage,
            ),
            now(in_state("down")),
        ),
        number(
            Head(
                title="Alerts firing",
                about="Alerts of alerts.yaml that fire now, counted for each chain.",
                unit="alerts",
                width=3,
                height=4,
                steps=outage,
            ),
            now(f"sum(fallbackd_alerts_firing{{{CHAINS}}})"),
        ),
        number(
            Head(
                title="Incidents open",
                about="Incidents that are open now, of every chain: alerts of one cause, told in one message.",
                unit="incidents",
                width=3,
                height=4,
                steps=outage,
            ),
            now("sum(fallbackd_incidents_open)"),
        ),
        *_promises(),
    ]


def _promises() -> list[Panel]:
    return [
        number(
            Head(
                title="Answered",
                about="Share of end-to-end questions within the window that were answered, over all chains: those that "
                "count for their objectives.",
                unit="percentunit",
                decimals=2,
                width=3,
                height=4,
                steps=SHARE_STEPS,
                mappings=(look.NO_ANSWERS,),
            ),
            now(kept("", CHAINS)),
        ),
        number(
            Head(
                title="Spent",
                about="US dollars that fallbackd's own questions cost in the time range.",
                unit="currencyUSD",
                decimals=4,
                width=3,
                height=4,
            ),
            now(counted("fallbackd_probe_cost_usd_total", "", CHAINS, "$__range")),
        ),
        number(
            Head(
                title="Fastest burn (1 h)",
                about="Of the chain that uses its objective up fastest: how many times faster than allowed, over the "
                "last hour.",
                unit="x",
                decimals=1,
                width=3,
                height=4,
                steps=BURN_STEPS,
                mappings=(look.NO_ANSWERS,),
            ),
            now(f"max({burn(CHAINS, '1h')})"),
        ),
    ]


def _grid() -> Panel:
    head = Head(
        title="Chains",
        about="Every chain: its health, which target gave most of its answers in the last minutes, how often a fallback"
        " answers, how it stands against the objective, and how fast it is. Click a name for the whole chain.",
        unit="none",
        width=24,
        height=9,
    )
    columns = (
        Column(field="chain", heading="Chain", link=CHAIN_LINK),
        Column(field="Value #A", heading="Health", mappings=(look.HEALTH_WORDS,)),
        Column(field="position", heading="Served by", mappings=(look.SERVING_WORDS,)),
        Column(
            field="Value #C",
            heading="Fallback (15 min)",
            decimals=1,
            steps=FALLBACK_STEPS,
            unit="percentunit",
            mappings=(look.NO_ANSWERS,),
        ),
        Column(
            field="Value #D",
            heading="Answered",
            decimals=2,
            steps=SHARE_STEPS,
            unit="percentunit",
            mappings=(look.NO_ANSWERS,),
        ),
        Column(field="Value #H", heading="Objective", unit="percentunit", decimals=2),
        Column(
            field="Value #E",
            heading="Burn (1 h)",
            unit="x",
            decimals=1,
            steps=BURN_STEPS,
            mappings=(look.NO_ANSWERS,),
        ),
        Column(field="Value #F", heading="95 % within", unit="s", decimals=2, mappings=(look.NO_ANSWERS,)),
        Column(field="Value #G", heading="Alerts", decimals=0, steps=((None, look.GOOD), (1.0, look.BAD))),
    )
    return grid(
        head,
        columns,
        now(health("fallbackd_chain_health", "chain", CHAINS)),
        now(serving(CHAINS)),
        now(RATIO),
        now(kept("chain", CHAINS)),
        now(burn(CHAINS, "1h")),
        now(quantile(LATENCY, 0.95, "chain", f"{CHAINS}, {WHOLE}")),
        now(f"sum by (chain) (fallbackd_alerts_firing{{{CHAINS}}})"),
        now(f"max by (chain) (fallbackd_chain_objective_ratio{{{CHAINS}}})"),
        worst="Health",
    )


def _over_time() -> list[Panel]:
    firing = look.words({"0": ("quiet", look.GOOD)})
    return [
        states(
            Head(
                title="Health",
                about="The health of each chain over time.",
                unit="none",
                width=12,
                height=11,
                mappings=(look.HEALTH_WORDS,),
                steps=((None, look.UNKNOWN),),
            ),
            over_time(health("fallbackd_chain_health", "chain", CHAINS), "{{chain}}"),
        ),
        states(
            Head(
                title="Alerts",
                about="How many chains each alert of alerts.yaml fires for.",
                unit="chains",
                width=12,
                height=11,
                mappings=(firing,),
                steps=((None, look.GOOD), (1.0, look.BAD)),
            ),
            over_time(f"sum by (alert, severity) (fallbackd_alerts_firing{{{CHAINS}}})", "{{alert}} ({{severity}})"),
        ),
        lines(
            Head(
                title="Answers from a fallback",
                about="Share of a chain's answers in the last 15 minutes that did not come from its primary.",
                unit="percentunit",
                least=0,
                most=1,
            ),
            over_time(RATIO, "{{chain}}"),
        ),
        lines(
            Head(
                title="Burn of the objective",
                about="How many times faster than the objective allows questions went unanswered in the last hour. "
                "Above 1 the objective is missed if it stays so.",
                unit="x",
                least=0,
                steps=BURN_STEPS,
            ),
            over_time(burn(CHAINS, "1h"), "{{chain}}"),
        ),
        lines(
            Head(
                title="Time to the whole answer, 95 %",
                about="95 % of a chain's answers took no longer, over the window.",
                unit="s",
                least=0,
            ),
            over_time(quantile(LATENCY, 0.95, "chain", f"{CHAINS}, {WHOLE}"), "{{chain}}"),
        ),
    ]


def _answers() -> list[Panel]:
    answers = counted("fallbackd_chain_answers_total", "path", f"{CHAINS}, {COUNTS}")
    return [
        lines(
            Head(
                title="How answers came about",
                about="End-to-end questions within the window by path: from the primary, failed over (the primary was "
                "called and failed), filtered (it was left out), fell back (the endpoint did not say which), "
                "from outside the chain, or not at all.",
                unit="short",
                width=24,
                least=0,
                colours=look.PATH_COLOURS,
            ),
            over_time(answers, "{{path}}"),
            stacked=True,
        )
    ]


PAGE = Page(
    uid="fallbackd-overview",
    title="fallbackd: overview",
    about="Is every chain answering, from whom, and how well against its objective?",
    variables=(every_chain(),),
    rows=(("", [*_numbers(), _grid()]), ("Over time", [*_over_time(), *_answers()])),
    drill_marks=CHAINS,
)

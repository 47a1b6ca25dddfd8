"""Chain: one chain, from its answers down to its targets."""

from __future__ import annotations

from functools import partial

from dashboards import look
from dashboards.drills import coverage
from dashboards.frame import Page, Variable, one_chain
from dashboards.panels import Head, Panel, heat, lines, number, states
from dashboards.queries import (
    COUNTS,
    WHOLE,
    answered,
    buckets,
    counted,
    health,
    named,
    now,
    over_time,
    position_names,
    quantile,
    serving,
)

CHAIN = 'chain="$chain"'
ANSWERS = "fallbackd_chain_answers_total"
SECONDS = "fallbackd_probe_duration_seconds"
FIRST_TOKEN = "fallbackd_first_token_seconds"  # noqa: S105 - a metric, not a password
WHOLE_CHAIN = "whole chain"
TARGET = Variable(
    "target",
    "Targets",
    "The targets whose heatmaps are shown.",
    'label_values(fallbackd_target_health{chain="$chain"}, target)',
).every()
SMALL = partial(Head, width=4, height=4)


def by_target(expr: str) -> str:
    return named(expr, "target", WHOLE_CHAIN)


def _numbers() -> list[Panel]:
    no_budget = look.words({str(look.NEVER): ("no budget", look.UNKNOWN)})
    return [
        number(
            SMALL(
                title="Health",
                about="Down: no answer end to end. Degraded: it answers, something in it is in trouble.",
                unit="none",
                mappings=(look.HEALTH_WORDS,),
            ),
            now(health("fallbackd_chain_health", "chain", CHAIN)),
        ),
        number(
            SMALL(
                title="Served by",
                about="The position that gave most of the latest answers.",
                unit="none",
                mappings=(look.SERVING_WORDS,),
            ),
            now(serving(CHAIN)),
            fields="/^position$/",
        ),
        number(
            SMALL(
                title="From a fallback",
                about="Share of the answers of the last hour that did not come from the primary.",
                decimals=1,
                steps=((None, look.GOOD), (0.1, look.WARNING), (0.5, look.BAD)),
                unit="percentunit",
                mappings=(look.NO_ANSWERS,),
            ),
            now(f'max(fallbackd_chain_fallback_ratio{{{CHAIN}, window="1h"}})'),
        ),
        number(
            SMALL(
                title="Answered",
                about="Share of end-to-end questions in the time range that were answered.",
                decimals=2,
                steps=((None, look.BAD), (0.95, look.WARNING), (0.99, look.GOOD)),
                unit="percentunit",
                mappings=(look.NO_ANSWERS,),
            ),
            now(answered("chain", f"{CHAIN}, {WHOLE}", "$__range")),
        ),
        number(
            SMALL(
                title="Spent",
                about="US dollars that questions to this chain cost in the time range.",
                unit="currencyUSD",
                decimals=4,
            ),
            now(counted("fallbackd_probe_cost_usd_total", "", CHAIN, "$__range")),
        ),
        number(
            SMALL(
                title="Budget left today",
                about="US dollars until paid questions to this chain stop for the UTC day.",
                unit="currencyUSD",
                decimals=2,
                mappings=(no_budget,),
                steps=((None, look.BAD), (0.01, look.GOOD)),
            ),
            now(f"max(fallbackd_budget_remaining_usd{{{CHAIN}}}) or vector({look.NEVER})"),
        ),
    ]


def _who() -> list[Panel]:
    return [
        lines(
            Head(
                title="Who served",
                about="Answers within the window by the position that gave them, as parts of the whole. All from the "
                "primary is one even area.",
                unit="short",
                width=16,
                height=9,
                least=0,
                colours=look.POSITION_COLOURS,
            ),
            over_time(position_names(counted(ANSWERS, "position", f"{CHAIN}, {COUNTS}")), "{{position}}"),
            percent=True,
        ),
        lines(
            Head(
                title="How answers came about",
                about="End-to-end questions within the window by path: failed over means that the primary was called "
                "and failed, filtered that it was left out, exhausted that nobody answered.",
                unit="short",
                height=9,
                least=0,
                colours=look.PATH_COLOURS,
            ),
            over_time(counted(ANSWERS, "path", f"{CHAIN}, {COUNTS}"), "{{path}}"),
            stacked=True,
        ),
        states(
            Head(
                title="Health of its targets",
                about="Each target, and each of its providers that is asked on its own.",
                unit="none",
                width=16,
                height=9,
                mappings=(look.HEALTH_WORDS,),
                steps=((None, look.UNKNOWN),),
            ),
            over_time(health("fallbackd_target_health", "target, provider", CHAIN), "{{target}} {{provider}}"),
        ),
        lines(
            Head(
                title="Failures by reason",
                about="Questions within the window that were not plainly answered, to the chain and to its targets "
                "alone.",
                unit="short",
                height=9,
                least=0,
            ),
            over_time(counted("fallbackd_probes_total", "reason", f'{CHAIN}, {COUNTS}, status!="ok"'), "{{reason}}"),
            stacked=True,
            as_bars=True,
        ),
    ]


def _speed() -> list[Panel]:
    whole = f"{CHAIN}, {WHOLE}"
    return [
        heat(
            Head(
                title="Time to the whole answer",
                about="End-to-end answers by how long they took: the darker, the more.",
                unit="s",
                width=12,
            ),
            buckets(counted(f"{SECONDS}_bucket", "le", whole, "$__rate_interval")),
        ),
        lines(
            Head(
                title="Time to the whole answer, quantiles",
                about="Half, 95 % and 99 % of the end-to-end answers within the window took no longer.",
                unit="s",
                width=12,
                least=0,
            ),
            *(over_time(quantile(SECONDS, share, "chain", whole), f"{share:.0%}") for share in (0.5, 0.95, 0.99)),
        ),
        heat(
            Head(
                title="Time to the first token",
                about="Streams of this chain by when their first token came: the darker, the more.",
                unit="s",
                width=12,
            ),
            buckets(counted(f"{FIRST_TOKEN}_bucket", "le", CHAIN, "$__rate_interval")),
        ),
        lines(
            Head(
                title="Time to the first token, 95 %",
                about="95 % of the streams within the window began no later, for the whole chain and for each target "
                "that is streamed from.",
                unit="s",
                width=12,
                least=0,
            ),
            over_time(by_target(quantile(FIRST_TOKEN, 0.95, "target", CHAIN)), "{{target}}"),
        ),
        lines(
            Head(
                title="Time to the whole answer by target, 95 %",
                about="95 % of the answers within the window took no longer, for the whole chain and for each target "
                "on its own.",
                unit="s",
                width=12,
                least=0,
            ),
            over_time(by_target(quantile(SECONDS, 0.95, "target", CHAIN)), "{{target}}"),
        ),
        lines(
            Head(
                title="Output rate",
                about="Half of the streams within the window put out at least so many tokens a second after their "
                "first one.",
                unit="tokens/s",
                width=12,
                least=0,
            ),
            over_time(by_target(quantile("fallbackd_output_tokens_per_second", 0.5, "target", CHAIN)), "{{target}}"),
        ),
    ]


def _targets() -> list[Panel]:
    return [
        heat(
            Head(
                title="$target",
                about="Answers of this target alone by how long they took: the darker, the more.",
                unit="s",
                width=8,
            ),
            buckets(counted(f"{SECONDS}_bucket", "le", f'{CHAIN}, target=~"$target"', "$__rate_interval")),
            repeat="target",
        )
    ]


def _cost() -> list[Panel]:
    return [
        coverage(CHAIN, width=12),
        lines(
            Head(
                title="Cost of questions",
                about="US dollars within the window, for the whole chain and for each target on its own.",
                unit="currencyUSD",
                width=6,
                least=0,
            ),
            over_time(by_target(counted("fallbackd_probe_cost_usd_total", "target", CHAIN)), "{{target}}"),
            stacked=True,
        ),
        lines(
            Head(
                title="Tokens",
                about="Tokens that were paid for within the window; reasoning is a part of completion.",
                unit="short",
                width=6,
                least=0,
            ),
            over_time(counted("fallbackd_probe_tokens_total", "direction", CHAIN), "{{direction}}"),
        ),
    ]


PAGE = Page(
    uid="fallbackd-chain",
    title="fallbackd: chain",
    about="One chain: who serves, how fast, what fails, which failovers are proven, and what asking costs.",
    variables=(one_chain(), TARGET),
    rows=(
        ("", _numbers()),
        ("Who answers", _who()),
        ("How fast", _speed()),
        ("Time to the whole answer by target", _targets()),
        ("Proof and cost", _cost()),
    ),
    status_path="/chains/${chain}",
    drill_marks=CHAIN,
)

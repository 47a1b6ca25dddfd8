"""Chain: one chain, from its answers down to its targets."""

from __future__ import annotations

from functools import partial

from dashboards import look
from dashboards.drills import coverage
from dashboards.frame import Page, Variable, one_chain
from dashboards.panels import Head, Panel, lines, number, states
from dashboards.queries import (
    COUNTS,
    burn,
    counted,
    health,
    kept,
    now,
    or_else,
    over_time,
    position_names,
    serving,
)
from dashboards.speed import CHAIN, STREAMS, WHOLE_CHAIN, by_each_target, by_target, first_token_by_each_target, speed
from dashboards.tables import matrix

ANSWERS = "fallbackd_chain_answers_total"
TARGET = Variable(
    "target",
    "Targets",
    "The targets whose heatmaps are shown.",
    'label_values(fallbackd_target_health{chain="$chain"}, target)',
).every()
STREAMED = Variable(
    "streamed",
    "Streams of",
    "The targets whose streams are shown on their own.",
    f'label_values({{__name__=~"{STREAMS}", chain="$chain", target!=""}}, target)',
).every()
ENDED = "{{target}} {{reason}}"
SMALL = partial(Head, width=4, height=4)


def _numbers() -> list[Panel]:
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
                about="Share of end-to-end questions in the time range that were answered, of those that count for the "
                "objective.",
                decimals=2,
                steps=((None, look.BAD), (0.95, look.WARNING), (0.99, look.GOOD)),
                unit="percentunit",
                mappings=(look.NO_ANSWERS,),
            ),
            now(kept("chain", CHAIN, "$__range")),
        ),
        *_spent(),
    ]


def _spent() -> list[Panel]:
    no_budget = look.words({str(look.NEVER): ("no budget", look.UNKNOWN)})
    return [
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
        *_attempts(),
    ]


def _attempts() -> list[Panel]:
    return [
        lines(
            Head(
                title="Attempts",
                about="Requests within the window that end-to-end questions made of each target, and how they ended, "
                "as far as whoever walks the chain tells it. A failed one came before an answer from elsewhere, or "
                "before none.",
                unit="short",
                width=12,
                least=0,
            ),
            over_time(_endings(counted("fallbackd_attempts_total", "target, reason", f"{CHAIN}, {COUNTS}")), ENDED),
            stacked=True,
        ),
        lines(
            Head(
                title="Burn of the objective",
                about="How many times faster than the objective allows questions went unanswered, over an hour and "
                "over six. Above 1 the objective is missed if it stays so.",
                unit="x",
                width=12,
                least=0,
            ),
            *(over_time(burn(CHAIN, window), f"over {window}") for window in ("1h", "6h")),
        ),
    ]


def _endings(expr: str) -> str:
    return f'label_replace({expr}, "reason", "answered", "reason", "none")'


def _fit() -> list[Panel]:
    able = or_else(
        f"min by (target, capability) (fallbackd_target_capability{{{CHAIN}}})", target=WHOLE_CHAIN, capability="needs"
    )
    found = look.words({"0": ("nothing", look.GOOD)})
    return [
        matrix(
            Head(
                title="What its targets can do",
                about="Whether each target has shown that it can do what the chain needs: one that answers and cannot "
                "is up but unfit.",
                unit="none",
                width=12,
                height=10,
                mappings=(look.ABLE_WORDS, look.without_a_number("not known yet")),
            ),
            now(able),
            row="target",
            column="capability",
        ),
        states(
            Head(
                title="Catalogue",
                about="What the endpoint's catalogue shows about this chain over time, by kind: how many findings.",
                unit="findings",
                width=12,
                height=10,
                mappings=(found,),
                steps=((None, look.GOOD), (1.0, look.WARNING)),
            ),
            over_time(f"max by (finding) (fallbackd_catalogue_findings{{{CHAIN}}})", "{{finding}}"),
        ),
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
                decimals=4,
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
    variables=(one_chain(), TARGET, STREAMED),
    rows=(
        ("", _numbers()),
        ("Who answers", _who()),
        ("How fast", speed()),
        ("Time to the whole answer by target", by_each_target()),
        ("Time to the first token by target", first_token_by_each_target()),
        ("Fit for the chain", _fit()),
        ("Proof and cost", _cost()),
    ),
    status_path="/chains/${chain}",
    drill_marks=CHAIN,
)

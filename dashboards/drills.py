"""Drills: what was broken on purpose, and which failovers are proven."""

from __future__ import annotations

from functools import partial

from dashboards import look
from dashboards.frame import Page, every_chain
from dashboards.panels import Head, Panel, bars, lines, number, states
from dashboards.queries import age, counted, now, or_else, over_time, quantile
from dashboards.tables import Column, grid, matrix

CHAINS = 'chain=~"$chain"'
DRILLS = "fallbackd_drills_total"
WEEK = 7 * 86400.0
AGE_STEPS = ((None, look.GOOD), (WEEK, look.WARNING), (2 * WEEK, look.BAD))
EDGE = "fallbackd_edge_proven_timestamp_seconds"
UNPROVEN = "fallbackd_edge_unproven"
SMALL = partial(Head, width=4, height=4)


def verdicts(which: str) -> str:
    runs = counted(DRILLS, "", f'{CHAINS}, verdict=~"{which}"', "$__range")
    return f"round({runs})"


def proven(by: str, selector: str = CHAINS) -> str:
    """Seconds since the proof that holds; ``NEVER``, ``STALE`` or ``BROKEN`` as the daemon judges it."""
    words = [
        f'(max by ({by}) ({UNPROVEN}{{{selector}, state="{state}"}}) == 1) * 0 - {-value}'
        for state, value in (("broken", look.BROKEN), ("stale", look.STALE))
    ]
    return " or ".join([*words, f"({age(EDGE, by, selector)})"])


def coverage(selector: str = CHAINS, *, width: int = 24) -> Panel:
    """The matrix of edges and faults; each cell is how long ago a drill proved it."""
    head = Head(
        title="Failovers proven",
        about="How long ago a drill saw this fallback take over under this fault; stale where that is too long ago, "
        "broken where the last drill deviated. An empty cell has no drill: nothing is known about it.",
        unit="s",
        width=width,
        decimals=0,
        mappings=(look.PROVEN_WORDS,),
    )
    expr = f'label_join({proven("chain, edge, fault", selector)}, "failover", " ", "chain", "edge")'
    return matrix(head, now(expr), row="failover", column="fault")


def _numbers() -> list[Panel]:
    seen = ((None, look.GOOD), (1.0, look.BAD))
    unclear = ((None, look.GOOD), (1.0, look.NOTICE))
    return [
        number(
            SMALL(title="Passed", unit="runs", about="Runs in the time range in which the chain held."),
            now(verdicts("passed")),
        ),
        number(
            SMALL(
                title="Deviated",
                unit="runs",
                about="Runs in which the chain did not behave as its drill expects.",
                steps=seen,
            ),
            now(verdicts("deviated")),
        ),
        number(
            SMALL(
                title="Without a verdict",
                unit="runs",
                about="Runs that were inconclusive or aborted: they prove nothing.",
                steps=unclear,
            ),
            now(verdicts("inconclusive|aborted")),
        ),
        number(
            Head(
                title="Proven",
                about="Pairs of fallback and fault whose proof is neither too old nor contradicted since.",
                unit="proven",
                width=4,
                height=4,
            ),
            now(f"count(sum by (chain, edge, fault) ({UNPROVEN}{{{CHAINS}}}) == 0) or vector(0)"),
        ),
        number(
            Head(
                title="Not proven",
                about="Pairs of fallback and fault that were never proven, too long ago, or whose last drill deviated.",
                unit="unproven",
                width=4,
                height=4,
                steps=((None, look.GOOD), (1.0, look.WARNING)),
            ),
            now(f"sum({UNPROVEN}{{{CHAINS}}}) or vector(0)"),
        ),
        number(
            Head(
                title="Faults active",
                about="Faults that are being injected right now.",
                unit="faults",
                width=4,
                height=4,
                steps=((None, look.GOOD), (1.0, look.BROKEN_ON_PURPOSE)),
            ),
            now(f"sum(fallbackd_fault_active{{{CHAINS}}})"),
        ),
    ]


def _verdicts() -> list[Panel]:
    by_verdict = {
        verdict: "round(" + counted(DRILLS, "chain, drill", f'{CHAINS}, verdict="{verdict}"', "$__range") + ")"
        for verdict in look.VERDICT_COLOURS
    }
    columns = [
        Column(field="chain", heading="Chain"),
        Column(field="drill", heading="Drill"),
        Column(
            field="Value #A", heading="Last passed", unit="s", decimals=0, steps=AGE_STEPS, mappings=(look.NEVER_WORDS,)
        ),
    ]
    for ref, (verdict, colour) in zip("BCDE", look.VERDICT_COLOURS.items(), strict=True):
        columns.append(
            Column(
                field=f"Value #{ref}", heading=verdict.capitalize(), decimals=0, steps=((None, "text"), (1.0, colour))
            )
        )
    return [
        grid(
            Head(
                title="Verdicts",
                about="Runs of each drill in the time range by verdict, and how long ago it last passed.",
                unit="none",
                width=24,
                height=8,
            ),
            columns,
            now(age("fallbackd_drill_last_success_timestamp_seconds", "chain, drill", CHAINS)),
            *(now(expr) for expr in by_verdict.values()),
        )
    ]


def _failover() -> list[Panel]:
    seconds = "fallbackd_failover_seconds"
    active = look.words({"0": ("whole", look.GOOD), "1": ("broken on purpose", look.BROKEN_ON_PURPOSE)})
    return [
        bars(
            Head(
                title="Failover time by fault",
                about="Half of the runs in the time range needed no longer to answer from a fallback while broken; "
                "the slowest answer of a run counts.",
                unit="s",
                width=12,
                decimals=2,
                least=0,
                steps=((None, look.GOOD), (5.0, look.NOTICE), (10.0, look.WARNING)),
                mappings=(look.without_a_number("no run yet"),),
            ),
            over_time(quantile(seconds, 0.5, "chain, fault", CHAINS, "$__range"), "{{chain}}: {{fault}}"),
        ),
        states(
            Head(
                title="Faults over time",
                about="When which fault was being injected. A fault that is shorter than Prometheus's scrape interval "
                "may be missing.",
                unit="none",
                width=12,
                mappings=(active,),
                steps=((None, look.GOOD), (1.0, look.BROKEN_ON_PURPOSE)),
            ),
            over_time(
                f"max by (chain, drill, fault) (fallbackd_fault_active{{{CHAINS}}})", "{{chain}}: {{drill}} ({{fault}})"
            ),
        ),
        *_over_time(),
    ]


def _over_time() -> list[Panel]:
    return [
        lines(
            Head(
                title="Verdicts over time",
                about="Runs that ended within the window, by verdict.",
                unit="short",
                width=12,
                least=0,
                decimals=0,
                colours=look.VERDICT_COLOURS,
            ),
            over_time(counted(DRILLS, "verdict", CHAINS), "{{verdict}}"),
            stacked=True,
            as_bars=True,
        ),
        lines(
            Head(
                title="How broken chains answered",
                about="Answers during drills within the window by path: failed over means that the primary was called "
                "and failed, filtered that it was left out.",
                unit="short",
                width=12,
                least=0,
                colours=look.PATH_COLOURS,
            ),
            over_time(counted("fallbackd_chain_answers_total", "path", f'{CHAINS}, origin="drill"'), "{{path}}"),
            stacked=True,
            as_bars=True,
        ),
    ]


def _clients() -> Panel:
    """What applications do wrong while a drill breaks them."""
    nothing = {"chain": "no drill looks at applications", "drill": "", "misdeed": ""}
    calls = "round(" + counted("fallbackd_client_misdeeds_total", "chain, drill, misdeed", CHAINS, "$__range") + ")"
    unwatched = look.words({str(look.NEVER): ("not watched", look.UNKNOWN)})
    return grid(
        Head(
            title="What clients did wrong",
            about="Calls of applications in the time range in which a client did something wrong while a drill broke "
            "them: retried in vain, at once or too often, never fell back, took a torso for an answer. Drills of "
            "applications and of live traffic look for it.",
            unit="none",
            width=24,
            height=6,
        ),
        (
            Column(field="chain", heading="Chain"),
            Column(field="drill", heading="Drill"),
            Column(field="misdeed", heading="What"),
            Column(
                field="Value",
                heading="Calls",
                decimals=0,
                steps=((None, look.GOOD), (1.0, look.WARNING)),
                mappings=(unwatched,),
            ),
        ),
        now(or_else(calls, **nothing)),
        worst="Calls",
    )


PAGE = Page(
    uid="fallbackd-drills",
    title="fallbackd: drills",
    about="Which failovers were seen to work, how long they took, and when.",
    variables=(every_chain(),),
    rows=(
        ("", _numbers()),
        ("Proven", [coverage(), *_verdicts()]),
        ("Failover", _failover()),
        ("Applications", [_clients()]),
    ),
    drill_marks=CHAINS,
)

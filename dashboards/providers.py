"""Providers: one provider across all chains, asked on its own."""

from __future__ import annotations

from functools import partial

from dashboards import look
from dashboards.frame import CHAIN_LINK, Page, Variable
from dashboards.panels import Head, Panel, lines, number, states
from dashboards.queries import COUNTS, age, answered, counted, health, now, over_time, quantile
from dashboards.tables import Column, grid

ONE = 'provider="$provider"'
ALL = 'provider!=""'
OF_CATALOGUE = 'provider=~"$provider(/.+)?"'
PROBES = "fallbackd_probes_total"
SECONDS = "fallbackd_probe_duration_seconds"
PROVIDER = Variable(
    "provider",
    "Provider",
    "The provider that is shown. Only providers that a chain pins or lists are asked on their own.",
    'label_values(fallbackd_target_health{provider!=""}, provider)',
)
SHARE_STEPS = ((None, look.BAD), (0.95, look.WARNING), (0.99, look.GOOD))
REPORTED = "fallbackd_reported_uptime_ratio"
STATUS_WORDS = look.words({"0": ("operational", look.GOOD), "1": ("degraded", look.BAD)})
SMALL = partial(Head, width=6, height=4)


def reported(expr: str) -> str:
    """By provider, where we ask it too. A catalogue may name a provider with its region, as in ``azure/eu``."""
    whole = f'label_replace({expr}, "provider", "$1", "provider", "([^/]+)/.*")'
    return f"min by (provider) ({whole}) and on (provider) fallbackd_target_health{{{ALL}}}"


def _all() -> Panel:
    """Of all providers at once only what few series tell: health, and the mean in place of a quantile."""
    head = Head(
        title="All providers",
        about="Each provider over all chains: its worst health now, the share of the window in which its targets were"
        " healthy, and how long its answers took on average. Beside it what the endpoint reports for all of its"
        " customers: the worst uptime of a day among the models in use, and the status.",
        unit="none",
        width=24,
        height=8,
    )
    columns = (
        Column(field="provider", heading="Provider"),
        Column(field="Value #A", heading="Worst health", mappings=(look.HEALTH_WORDS,)),
        Column(field="Value #B", heading="Targets", decimals=0),
        Column(field="Value #C", heading="Time healthy", unit="percentunit", decimals=1, steps=SHARE_STEPS),
        Column(field="Value #D", heading="Mean answer", unit="s", decimals=2, mappings=(look.NO_ANSWERS,)),
        Column(field="Value #E", heading="Reported uptime (1 d)", unit="percentunit", decimals=2, steps=SHARE_STEPS),
        Column(field="Value #F", heading="Reported status", mappings=(STATUS_WORDS,)),
    )
    healthy = f'fallbackd_target_health{{{ALL}, state="healthy"}}'
    answers = counted(f"{SECONDS}_count", "provider", ALL)
    took = counted(f"{SECONDS}_sum", "provider", ALL)
    return grid(
        head,
        columns,
        now(health("fallbackd_target_health", "provider", ALL)),
        now(f"count by (provider) ({healthy})"),
        now(f"avg by (provider) (avg_over_time({healthy}[$window]))"),
        now(f"{took} / {answers}"),
        now(reported(f'{REPORTED}{{window="1d"}}')),
        now(f"1 - ({reported('(fallbackd_reported_status == bool 0)')})"),
        worst="Worst health",
    )


def _places() -> Panel:
    head = Head(
        title="Where $provider serves",
        about="Every target that this provider serves, asked on its own.",
        unit="none",
        width=24,
        height=7,
    )
    place = "chain, target"
    columns = (
        Column(field="chain", heading="Chain", link=CHAIN_LINK),
        Column(field="target", heading="Target"),
        Column(field="Value #A", heading="Health", mappings=(look.HEALTH_WORDS,)),
        Column(
            field="Value #B",
            heading="Answered",
            unit="percentunit",
            decimals=2,
            steps=SHARE_STEPS,
            mappings=(look.NO_ANSWERS,),
        ),
        Column(field="Value #C", heading="95 % within", unit="s", decimals=2, mappings=(look.NO_ANSWERS,)),
        Column(field="Value #D", heading="Last asked", unit="s", decimals=0, mappings=(look.NEVER_WORDS,)),
    )
    return grid(
        head,
        columns,
        now(health("fallbackd_target_health", place, ONE)),
        now(answered(place, ONE)),
        now(quantile(SECONDS, 0.95, place, ONE)),
        now(age("fallbackd_last_probe_timestamp_seconds", place, ONE)),
        worst="Health",
    )


def _numbers() -> list[Panel]:
    return [
        number(
            SMALL(
                title="Healthy places", about="Targets that this provider serves and that are healthy.", unit="targets"
            ),
            now(f'sum(fallbackd_target_health{{{ONE}, state="healthy"}})'),
        ),
        number(
            SMALL(
                title="Places in trouble",
                about="Targets that this provider serves and that are down, degraded or limited.",
                unit="targets",
                steps=((None, look.GOOD), (1.0, look.BAD)),
            ),
            now(f'sum(fallbackd_target_health{{{ONE}, state=~"down|degraded|limited"}})'),
        ),
        number(
            SMALL(
                title="Answered",
                about="Share of the questions in the time range that this provider answered.",
                unit="percentunit",
                decimals=2,
                steps=SHARE_STEPS,
                mappings=(look.NO_ANSWERS,),
            ),
            now(answered("provider", ONE, "$__range")),
        ),
        number(
            SMALL(
                title="95 % within",
                about="95 % of its answers in the time range took no longer.",
                unit="s",
                decimals=2,
                mappings=(look.NO_ANSWERS,),
            ),
            now(quantile(SECONDS, 0.95, "provider", ONE, "$__range")),
        ),
    ]


def _over_time() -> list[Panel]:
    place = "{{chain}}: {{target}}"
    return [
        states(
            Head(
                title="Health",
                about="The health of each target at this provider over time.",
                unit="none",
                width=12,
                mappings=(look.HEALTH_WORDS,),
                steps=((None, look.UNKNOWN),),
            ),
            over_time(health("fallbackd_target_health", "chain, target", ONE), place),
        ),
        lines(
            Head(
                title="Answered over time, beside the reported uptime",
                about="Share of our questions within the window that were answered, by target; and the uptime of the "
                "last half hour that the endpoint reports for all of its customers, by model.",
                unit="percentunit",
                width=12,
                least=0,
                most=1,
            ),
            over_time(answered("chain, target", ONE), place),
            over_time(f'min by (model) ({REPORTED}{{{OF_CATALOGUE}, window="30m"}})', "reported: {{model}}"),
        ),
        lines(
            Head(
                title="Time to the whole answer, 95 %",
                about="95 % of the answers within the window took no longer, by target.",
                unit="s",
                width=12,
                least=0,
            ),
            over_time(quantile(SECONDS, 0.95, "chain, target", ONE), place),
        ),
        lines(
            Head(
                title="Failures by reason",
                about="Questions within the window that were not plainly answered.",
                unit="short",
                width=12,
                least=0,
            ),
            over_time(counted(PROBES, "reason", f'{ONE}, {COUNTS}, status!="ok"'), "{{reason}}"),
            stacked=True,
            as_bars=True,
        ),
    ]


PAGE = Page(
    uid="fallbackd-providers",
    title="fallbackd: providers",
    about="One provider across all chains: is it the chain that is in trouble, or the provider everywhere?",
    variables=(PROVIDER,),
    rows=(("", [_all()]), ("$provider", [*_numbers(), _places()]), ("Over time", _over_time())),
)

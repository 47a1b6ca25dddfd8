"""fallbackd itself: does the watcher keep up?"""

from __future__ import annotations

from functools import partial

from dashboards import look
from dashboards.frame import Page, Variable
from dashboards.panels import Head, Panel, lines, number
from dashboards.queries import counted, now, or_else, over_time, quantile
from dashboards.spending import NO_CATALOGUE, ONE, money
from dashboards.tables import Column, grid
from dashboards.telling import telling

INSTANCE = Variable(
    "instance", "Instance", "The daemons that are shown.", "label_values(fallbackd_build_info, instance)"
).every()
OURS = f"on (instance, job) fallbackd_build_info{{{ONE}}}"
"""Keeps, of metrics that every program has, fallbackd's own."""
HOUR = 3600.0
SMALL = partial(Head, width=4, height=4)


def _numbers() -> list[Panel]:
    read = look.words({"0": ("refused", look.BAD), "1": ("in force", look.GOOD)})
    return [
        number(
            SMALL(
                title="Config",
                about="Refused: the files were changed and have a mistake, so the older config stays in force.",
                unit="none",
                mappings=(read,),
            ),
            now(f"min(fallbackd_config_reload_successful{{{ONE}}})"),
        ),
        number(
            SMALL(title="Config in force for", about="Time since the config in force was read.", unit="s", decimals=0),
            now(f"time() - min(fallbackd_config_reload_timestamp_seconds{{{ONE}}})"),
        ),
        number(
            SMALL(
                title="Lag, 99 %",
                about="99 % of the scheduled questions within the window started no later than this after their time.",
                unit="s",
                decimals=3,
                steps=((None, look.GOOD), (1.0, look.WARNING), (5.0, look.BAD)),
                mappings=(look.NO_ANSWERS,),
            ),
            now(f"max({quantile('fallbackd_schedule_lag_seconds', 0.99, 'instance', ONE)})"),
        ),
        number(
            SMALL(
                title="Skipped",
                about="Scheduled questions in the time range that were not asked.",
                unit="runs",
                decimals=0,
                steps=((None, look.GOOD), (1.0, look.WARNING)),
            ),
            now(f"round({counted('fallbackd_runs_skipped_total', '', ONE, '$__range')})"),
        ),
        number(
            SMALL(
                title="Notices waiting",
                about="Notices that are not delivered yet.",
                unit="notices",
                steps=((None, look.GOOD), (1.0, look.NOTICE), (20.0, look.BAD)),
            ),
            now(f"sum(fallbackd_outbox_pending{{{ONE}}})"),
        ),
        number(
            SMALL(
                title="Series",
                about="Series that Prometheus takes from fallbackd at each scrape.",
                unit="series",
                decimals=0,
            ),
            now(f"sum(scrape_samples_scraped and {OURS})"),
        ),
    ]


def _watching() -> list[Panel]:
    network = look.words({"0": ("down", look.BAD), "1": ("up", look.GOOD)})
    return [
        number(
            SMALL(
                title="Own network",
                about="Down: fallbackd itself reaches nothing, so that it judges nobody until that is over.",
                unit="none",
                mappings=(network,),
            ),
            now(f"min(fallbackd_network_up{{{ONE}}})"),
        ),
        number(
            SMALL(
                title="Notifiers broken",
                about="Notifiers that reach nobody until somebody mends them: a revoked token, say.",
                unit="notifiers",
                steps=((None, look.GOOD), (1.0, look.BAD)),
            ),
            now(f"sum(fallbackd_notifier_broken{{{ONE}}})"),
        ),
        number(
            SMALL(
                title="Incidents open",
                about="Incidents that are open now: alerts of one cause, told in one message.",
                unit="incidents",
                steps=((None, look.GOOD), (1.0, look.BAD)),
            ),
            now(f"sum(fallbackd_incidents_open{{{ONE}}})"),
        ),
        *_limits(),
    ]


def _limits() -> list[Panel]:
    no_budget = look.words({str(look.NEVER): ("no budget", look.UNKNOWN)})
    return [
        number(
            SMALL(
                title="Traffic unread",
                about="Live requests in the time range that passed the gateway unread, since more came than could be "
                "read. They are left out at random, so shares hold.",
                unit="requests",
                decimals=0,
                steps=((None, look.GOOD), (1.0, look.WARNING)),
            ),
            now(f"round({counted('fallbackd_gateway_unobserved_total', '', ONE, '$__range')})"),
        ),
        number(
            SMALL(
                title="Catalogue read",
                about="How long ago the catalogue was read that was read longest ago.",
                unit="s",
                decimals=0,
                steps=((None, look.GOOD), (3 * HOUR, look.WARNING), (24 * HOUR, look.BAD)),
                mappings=(NO_CATALOGUE,),
            ),
            now(or_else(f"max(fallbackd_catalogue_age_seconds{{{ONE}}})")),
        ),
        number(
            SMALL(
                title="Shared budgets",
                about="US dollars left today of the shared budget that has least: of a provider, or of all chains "
                "together.",
                unit="currencyUSD",
                decimals=2,
                steps=((None, look.BAD), (0.01, look.GOOD)),
                mappings=(no_budget,),
            ),
            now(or_else(f"min(fallbackd_shared_budget_remaining_usd{{{ONE}}})")),
        ),
    ]


def _asking() -> list[Panel]:
    return [
        lines(
            Head(
                title="Scheduled questions",
                about="Scheduled questions that were started within the window.",
                unit="short",
                width=6,
                least=0,
            ),
            over_time(counted("fallbackd_schedule_lag_seconds_count", "instance", ONE), "{{instance}}"),
        ),
        lines(
            Head(
                title="Lag of scheduled questions",
                about="Half and 99 % of the scheduled questions within the window started no later than this after "
                "their time.",
                unit="s",
                width=6,
                least=0,
            ),
            *(
                over_time(
                    quantile("fallbackd_schedule_lag_seconds", share, "instance", ONE), f"{share:.0%} {{{{instance}}}}"
                )
                for share in (0.5, 0.99)
            ),
        ),
        lines(
            Head(
                title="Questions skipped",
                about="Scheduled questions within the window that were not asked, by why.",
                unit="short",
                width=6,
                least=0,
            ),
            over_time(counted("fallbackd_runs_skipped_total", "reason", ONE), "{{reason}}"),
            stacked=True,
            as_bars=True,
        ),
        lines(
            Head(
                title="Records looked up",
                about="Records of answers that were looked up within the window, since the answer itself named no "
                "attempts, by how that ended.",
                unit="short",
                width=6,
                least=0,
            ),
            over_time(
                f"{counted('fallbackd_generation_lookups_total', 'result', ONE)} or on () vector(0)", "{{result}}"
            ),
            stacked=True,
        ),
    ]


def _process() -> list[Panel]:
    return [
        lines(
            Head(
                title="Processor",
                about="Seconds of processor time that the daemon uses each second; 1 is a whole core.",
                unit="cores",
                least=0,
            ),
            over_time(f"rate(process_cpu_seconds_total[$__rate_interval]) and {OURS}", "{{instance}}"),
        ),
        lines(
            Head(title="Memory", about="Resident memory of the daemon.", unit="bytes", least=0),
            over_time(f"process_resident_memory_bytes and {OURS}", "{{instance}}"),
        ),
        lines(
            Head(
                title="Time of a scrape", about="How long Prometheus waited for fallbackd's metrics.", unit="s", least=0
            ),
            over_time(f"scrape_duration_seconds and {OURS}", "{{instance}}"),
        ),
        grid(
            Head(
                title="Versions",
                about="The version of each daemon, and of the Python that runs it.",
                unit="none",
                width=24,
                height=4,
            ),
            (
                Column(field="instance", heading="Instance"),
                Column(field="version", heading="Version"),
                Column(field="python", heading="Python"),
                Column(field="Value", heading="Up for", unit="s", decimals=0),
            ),
            now(
                "(time() - process_start_time_seconds) * on (instance, job) group_left (version, python)"
                f" fallbackd_build_info{{{ONE}}}"
            ),
        ),
    ]


PAGE = Page(
    uid="fallbackd-itself",
    title="fallbackd: the daemon itself",
    about="Does the watcher keep up: schedule, notices, database, budgets, config, process.",
    variables=(INSTANCE,),
    rows=(
        ("", [*_numbers(), *_watching()]),
        ("Asking", _asking()),
        ("Telling", telling()),
        ("Money", money()),
        ("Process", _process()),
    ),
)

"""How fallbackd reaches people: notices, what is kept of them, heartbeats, and whether it hears what comes back."""

from __future__ import annotations

from dashboards import look
from dashboards.panels import Head, Panel, lines, states
from dashboards.queries import age, counted, now, or_else, over_time
from dashboards.spending import ONE
from dashboards.tables import Column, grid

NOT_SENT = look.words({str(look.NEVER): ("none", look.UNKNOWN)})


def telling() -> list[Panel]:
    return [
        lines(
            Head(
                title="Notices",
                about="Deliveries of notices within the window by notifier and result.",
                unit="short",
                least=0,
            ),
            over_time(counted("fallbackd_notices_total", "notifier, result", ONE), "{{notifier}} {{result}}"),
            stacked=True,
            as_bars=True,
        ),
        lines(
            Head(
                title="Notices waiting", about="Notices that are not delivered yet, by notifier.", unit="short", least=0
            ),
            over_time(f"sum by (notifier) (fallbackd_outbox_pending{{{ONE}}})", "{{notifier}}"),
        ),
        lines(
            Head(
                title="Database",
                about="Rows that wait to be written, and writes within the window that failed and are tried again.",
                unit="short",
                least=0,
            ),
            over_time(f"sum by (instance) (fallbackd_store_pending{{{ONE}}})", "waiting {{instance}}"),
            over_time(counted("fallbackd_store_errors_total", "instance", ONE), "failed {{instance}}"),
        ),
        _heartbeats(),
        _slack(),
    ]


def _heartbeats() -> Panel:
    nobody = {"receiver": "nobody is sent heartbeats"}
    results = [
        or_else(
            "round(" + counted("fallbackd_heartbeats_total", "receiver", f'{ONE}, result="{result}"', "$__range") + ")",
            **nobody,
        )
        for result in ("received", "failed")
    ]
    return grid(
        Head(
            title="Heartbeats",
            about="Who waits for fallbackd's heartbeats, how long ago one was last received, and how many were and were"
            " not in the time range. None are sent while nothing is watched.",
            unit="none",
            width=12,
            height=5,
        ),
        (
            Column(field="receiver", heading="Receiver"),
            Column(
                field="Value #A",
                heading="Last received",
                unit="s",
                decimals=0,
                steps=((None, look.GOOD), (180.0, look.WARNING), (600.0, look.BAD)),
                mappings=(look.NEVER_WORDS,),
            ),
            Column(field="Value #B", heading="Received", decimals=0, mappings=(NOT_SENT,)),
            Column(
                field="Value #C",
                heading="Failed",
                decimals=0,
                steps=((None, look.GOOD), (1.0, look.WARNING)),
                mappings=(NOT_SENT,),
            ),
        ),
        now(or_else(age("fallbackd_heartbeat_last_timestamp_seconds", "receiver", ONE), **nobody)),
        *map(now, results),
    )


def _slack() -> Panel:
    heard = look.words(
        {"0": ("not heard", look.BAD), "1": ("heard", look.GOOD), str(look.NEVER): ("not set up", look.UNKNOWN)}
    )
    return states(
        Head(
            title="Slack's commands and buttons",
            about="Whether fallbackd hears what people type and press in Slack: without its connection acknowledging "
            "there does nothing.",
            unit="none",
            width=12,
            height=5,
            mappings=(heard,),
            steps=((None, look.UNKNOWN),),
        ),
        over_time(
            or_else(f"min by (notifier) (fallbackd_slack_listening{{{ONE}}})", notifier="no commands"), "{{notifier}}"
        ),
    )

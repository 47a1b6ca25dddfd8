"""How fast one chain and its targets are."""

from __future__ import annotations

from dashboards.panels import Head, Panel, heat, lines
from dashboards.queries import WHOLE, buckets, counted, grown, named, over_time, quantile

CHAIN = 'chain="$chain"'
SECONDS = "fallbackd_probe_duration_seconds"
FIRST_TOKEN = "fallbackd_first_token_seconds"  # noqa: S105 - a metric, not a password
LIVE_FIRST_TOKEN = "fallbackd_gateway_first_token_seconds"  # noqa: S105 - as above
WHOLE_CHAIN = "whole chain"
STREAMS = f"{FIRST_TOKEN}_count|{LIVE_FIRST_TOKEN}_count"
"""Series that a target has when it is streamed from, by us or by applications."""


def by_target(expr: str) -> str:
    return named(expr, "target", WHOLE_CHAIN)


def first_tokens(by: str, selector: str, window: str = "$window") -> str:
    """Buckets of fallbackd's own streams and of live ones by who served them; their labels differ."""
    own, live = (grown(f"{name}_bucket", selector, window) for name in (FIRST_TOKEN, LIVE_FIRST_TOKEN))
    return f"sum by ({by}) (({own}) or ({live}))"


def speed() -> list[Panel]:
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
        *_slowest(),
    ]


def _slowest() -> list[Panel]:
    return [
        lines(
            Head(
                title="Time to the first token, 95 %",
                about="95 % of the streams within the window began no later, for the whole chain and for each target "
                "that is streamed from, by fallbackd or by applications through the gateway.",
                unit="s",
                width=12,
                least=0,
            ),
            over_time(by_target(f"histogram_quantile(0.95, {first_tokens('target, le', CHAIN)})"), "{{target}}"),
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


def by_each_target() -> list[Panel]:
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


def first_token_by_each_target() -> list[Panel]:
    each = f'{CHAIN}, target=~"$streamed"'
    return [
        heat(
            Head(
                title="$streamed, first token",
                about="Streams that this target served, to fallbackd or to applications through the gateway, by when "
                "their first token came: the darker, the more.",
                unit="s",
                width=8,
            ),
            buckets(first_tokens("le", each, "$__rate_interval")),
            repeat="streamed",
        )
    ]

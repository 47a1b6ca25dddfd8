"""``python -m dashboards.pictures --prometheus URL`` draws every dashboard from what that Prometheus knows."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from dashboards.pictures.asking import Prometheus, Span
from dashboards.pictures.page import picture, write
from dashboards.reading import load, uids

NOTE = "A rendering from a sandbox's data, not a screenshot of Grafana."


def main() -> None:
    wanted = argparse.ArgumentParser(prog="python -m dashboards.pictures", description=__doc__)
    wanted.add_argument("--prometheus", default="http://127.0.0.1:9090", help="its address")
    wanted.add_argument("--end", type=float, default=time.time(), help="seconds since the epoch; now when unset")
    wanted.add_argument("--minutes", type=float, default=30, help="how far back the pictures reach")
    wanted.add_argument("--scrape", type=float, default=15, help="seconds between two scrapes")
    wanted.add_argument("--window", default="5m", help="the variable Window")
    wanted.add_argument("--chain", default="chat", help="the chain of the chain's dashboard")
    wanted.add_argument("--provider", default="groq", help="the provider of the providers' dashboard")
    wanted.add_argument("--into", type=Path, default=Path("docs/dashboards"), help="the folder of the pictures")
    given = wanted.parse_args()
    start = given.end - 60 * given.minutes
    span = Span(start=start, end=given.end, step=max(given.scrape, given.minutes / 5), scrape=given.scrape)
    source = Prometheus(given.prometheus, span)
    for uid in uids():
        chosen = {"window": given.window, "provider": given.provider}
        if uid == "fallbackd-chain":
            chosen["chain"] = given.chain
        write(given.into / f"{uid}.png", picture(load(uid), source, chosen, NOTE))
    source.close()


main()

"""`make perf`: today's figures on this machine, each beside a baseline of the same run."""

from __future__ import annotations

import platform

from trayport_sdk import Settings
from trayport_sdk.http.assembly import limits_of

from .imports import import_seconds
from .load import sandbox_rates
from .pace import at_the_documented_limit, cost_of_the_rules, share_used


def main() -> None:
    print(f"{platform.machine()}, Python {platform.python_version()}\n")
    print("The sandbox as a load generator: trades of a market, one client, one socket")
    print(f"{'encoding':>10}{'answers':>10}{'decoded MB':>12}{'MB/s':>8}{'of a static server':>20}")
    for rate in sandbox_rates():
        print(
            f"{rate.encoding:>10}{rate.temperature:>10}{rate.megabytes:>12.1f}"
            f"{rate.megabytes / rate.seconds:>8.0f}{rate.share_of_static:>20.0%}"
        )
    print("\nImports, in a new interpreter (best of several)")
    httpx = import_seconds("import httpx")
    for statement in (
        "import trayport_sdk",
        "from trayport_sdk import TrayportClient",
        "from trayport_sdk import TrayportClient; TrayportClient('key')",
    ):
        seconds = import_seconds(statement)
        print(f"{seconds * 1000:>8.0f} ms {seconds / httpx:>6.2f} x import httpx   {statement}")
    print("\nThe pace of requests, and what it costs")
    arrivals = at_the_documented_limit(60)
    print(
        f"{arrivals.seconds:>8.2f} s  60 requests at the documented limit, "
        f"at most {arrivals.most_in_a_second} of them in a second at the server"
    )
    share = share_used(limits_of(Settings(_env_file=None)), 61)
    print(f"{share:>8.1%}    of the default allowance used under load")
    cost = cost_of_the_rules()
    print(
        f"{cost.rules:>8.0f} us limiter, breaker and retry, per call; "
        f"{cost.rules / cost.httpx:.2f} x a request of httpx to nowhere"
    )


if __name__ == "__main__":
    main()

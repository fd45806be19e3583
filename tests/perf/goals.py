"""What the SDK promises of its speed and its memory, and how figures compare with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import frozen

MARGIN = 0.65
"""The share of a goal for a ratio that continuous integration asks for: machines are noisy."""

NO_FIGURE = "none"


@frozen
class Goal:
    """A bound for a figure.

    Attributes:
        what: What is measured, as the table says it.
        bound: The bound, in the unit.
        unit: What follows the number.
        is_least: Whether figures should be above the bound; otherwise they should be below it.
        is_strict: Whether the bound itself is not good enough.
        digits: How many digits of a figure stand after the point.
        margin: The share of the bound that continuous integration asks for, of a ratio.
    """

    what: str
    bound: float
    unit: str
    is_least: bool = True
    is_strict: bool = False
    digits: int = 0
    margin: float = MARGIN

    def met_by(self, value: float) -> bool:
        """Whether a figure keeps to the bound."""
        if value == self.bound:
            return not self.is_strict
        return (value > self.bound) is self.is_least

    def __str__(self) -> str:
        sign = {(True, True): ">", (True, False): "≥", (False, True): "<", (False, False): "≤"}
        return f"{sign[self.is_least, self.is_strict]} {self.bound:g}{self.unit}"


@frozen
class Figure:
    """What was measured.

    Attributes:
        value: In the unit of the goal; None when there is nothing to measure yet.
        beside: The figures it was measured beside, or what else there is to know.
    """

    value: float | None
    beside: str = ""


def _most(what: str, bound: float, unit: str, digits: int = 0, *, strict: bool = False) -> Goal:
    return Goal(what, bound, unit, is_least=False, is_strict=strict, digits=digits)


GOALS: Mapping[str, Goal] = {
    # Decoding uses two processors and orjson one: it loses more on a machine that is shared.
    "frame": Goal(
        "Bytes of a response into a DataFrame, beside `orjson.loads`", 2, " x", digits=2, margin=0.4
    ),
    "frame_pandas": Goal("The same, beside `pandas.read_json`", 7, " x", digits=1, margin=0.4),
    "models": Goal(
        "Bytes into a list of `Trade`, beside `orjson.loads`", 0.8, " x", digits=2, margin=0.6
    ),
    "models_from_dict": Goal(
        "The same, beside `orjson.loads` and the generated `Trade.from_dict`",
        4,
        " x",
        digits=1,
        margin=0.5,
    ),
    "frame_memory": _most("Peak memory of a DataFrame, beside its body", 1.2, " x", digits=2),
    "frames": Goal("A stream of 1 GB into DataFrames", 230, " MB/s"),
    "frames_memory": _most("Peak memory of 1 GB into DataFrames", 100, " MB"),
    "parquet": Goal("A stream of 1 GB into Parquet", 180, " MB/s"),
    "parquet_memory": _most("Peak memory of 1 GB into Parquet", 200, " MB"),
    "download": Goal("1 GB over HTTP with Brotli into Parquet, decoded", 100, " MB/s"),
    "download_memory": _most("Peak memory of 1 GB over HTTP into Parquet", 200, " MB"),
    "brotli": _most("Bytes on the wire with Brotli, of those decoded", 50, " %", strict=True),
    "busy": Goal("How busy a link of 20 MB/s is kept", 80, " %"),
    "plan": _most("Requests for 90 days of trades of 50 contracts", 3, ""),
    "share": Goal("Use of the default allowance under load", 97, " %", digits=1),
    "burst": _most("60 requests at the documented limit", 7.6, " s", digits=2),
    "most_in_a_second": _most("The most of them in any second, at the server", 8, ""),
    "rules": _most("Limiter, breaker and retry, per call", 150, " µs"),
    "lookup": _most("Look-up of a name that is in memory", 20, " µs", digits=1),
    "lookup_ratio": _most("The same, beside `ContractSpec.parse` of a symbol", 2, " x", digits=2),
    "search": _most("Fuzzy search of 14,200 names", 15, " ms", digits=1),
    "search_ratio": Goal("The same, beside `difflib.get_close_matches`", 20, " x"),
    "cold_names": _most("14,200 instruments from disk, at the first start", 50, " ms"),
    "cold_names_ratio": _most("The same, beside `orjson.loads` of the file", 8, " x", digits=1),
    "month": _most("A month of one contract, of a year of 50 in a data set", 300, " ms"),
    "month_ratio": _most("The same, beside DuckDB on the same files", 2, " x", digits=2),
    "import": _most("`import trayport_sdk`", 150, " ms"),
    "import_client": _most(
        "`from trayport_sdk import TrayportClient`, beside `import httpx`", 2, " x", digits=2
    ),
    "import_heavy": _most("Imports of polars, pandas, pyarrow and plotting by either", 0, ""),
    "reuse": Goal("Requests over a connection used before", 98, " %", is_strict=True, digits=1),
}


def table(figures: Mapping[str, Figure], goals: Iterable[str] = GOALS) -> str:
    """The goals with the figures beside them, as a table of Markdown."""
    lines = ["| What | Goal | Today | Met | Beside |", "| --- | --- | --- | --- | --- |"]
    for name in goals:
        goal, figure = GOALS[name], figures[name]
        shown, met = NO_FIGURE, "no"
        if figure.value is not None:
            shown = f"{figure.value:.{goal.digits}f}{goal.unit}"
            met = "yes" if goal.met_by(figure.value) else "**no**"
        lines.append(f"| {goal.what} | {goal} | {shown} | {met} | {figure.beside} |")
    return "\n".join(lines)

"""What the SDK promises of its speed and its memory, and how figures compare with it."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, frozen

MARGIN = 0.8
"""The share of a goal for a ratio that continuous integration asks for: machines are noisy."""

PURE = "_pure"
"""How the names of figures of the reader in Python end."""

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
    """

    what: str
    bound: float
    unit: str
    is_least: bool = True
    is_strict: bool = False
    digits: int = 0

    def met_by(self, value: float) -> bool:
        """Whether a figure keeps to the bound."""
        if value == self.bound:
            return not self.is_strict
        return (value > self.bound) is self.is_least

    def shown(self, figure: Figure) -> tuple[str, str]:
        """A figure in the unit, and whether it keeps to the bound."""
        if figure.value is None:
            return NO_FIGURE, "no"
        met = "yes" if self.met_by(figure.value) else "**no**"
        return f"{figure.value:.{self.digits}f}{self.unit}", met

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


def _both(goals: Mapping[str, tuple[Goal, float]]) -> dict[str, Goal]:
    """Goals of the native reader, and those of the same names for the one in Python."""
    pure = {f"{name}{PURE}": evolve(goal, bound=bound) for name, (goal, bound) in goals.items()}
    return {name: goal for name, (goal, _) in goals.items()} | pure


DECODING = _both(
    {
        "frame": (Goal("Bytes into a DataFrame, beside `orjson.loads`", 4.5, " x", digits=2), 1.0),
        "frame_pandas": (Goal("The same, beside `pandas.read_json`", 7, " x", digits=1), 3.5),
        "identity": (
            Goal("HTTP into a DataFrame, beside `orjson.loads` of the body", 2.2, " x", digits=2),
            0.9,
        ),
        "compressed": (Goal("HTTP with Brotli, beside the same", 1.8, " x", digits=2), 0.7),
        "models": (
            Goal("Bytes into a list of `Trade`, beside `orjson.loads`", 0.95, " x", digits=2),
            0.6,
        ),
        "models_from_dict": (
            Goal("The same, beside the generated `Trade.from_dict`", 4, " x", digits=1),
            4,
        ),
        "frame_memory": (
            _most("Peak memory of a DataFrame, beside its body", 0.8, " x", digits=2),
            1.4,
        ),
        "frames": (Goal("A stream of 1 GB into DataFrames", 230, " MB/s"), 230),
        "frames_memory": (_most("Peak memory of 1 GB into DataFrames", 100, " MB"), 100),
        "parquet": (Goal("A stream of 1 GB into Parquet", 600, " MB/s"), 200),
        "parquet_memory": (_most("Peak memory of 1 GB into Parquet", 200, " MB"), 200),
        "download": (
            Goal("1 GB over HTTP with Brotli into Parquet, decoded", 200, " MB/s"),
            100,
        ),
        "download_memory": (_most("Peak memory of 1 GB over HTTP into Parquet", 200, " MB"), 200),
    }
)

OTHERS: Mapping[str, Goal] = {
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
    "import": _most("`import trayport_sdk`", 15, " ms", digits=1),
    "import_client": _most(
        "`from trayport_sdk import TrayportClient`, beside `import httpx`", 0.5, " x", digits=2
    ),
    "import_heavy": _most("Imports of polars, pandas, pyarrow and plotting by either", 0, ""),
    "reuse": Goal("Requests over a connection used before", 98, " %", is_strict=True, digits=1),
}


GOALS: Mapping[str, Goal] = {**DECODING, **OTHERS}


def tables(figures: Mapping[str, Figure]) -> str:
    """The goals with the figures beside them, as tables of Markdown."""
    return f"{_of_both_readers(figures)}\n\n{_of_others(figures)}"


def _of_both_readers(figures: Mapping[str, Figure]) -> str:
    lines = [
        "| What | Native: goal | Today | Met | Python: goal | Today | Met | Beside |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in DECODING:
        if name.endswith(PURE):
            continue
        cells, beside = [DECODING[name].what], list[str]()
        for which, place in (("native", name), ("Python", f"{name}{PURE}")):
            goal, figure = DECODING[place], figures.get(place, Figure(None))
            cells += [str(goal), *goal.shown(figure)]
            beside += [f"{which} {figure.beside}"] if figure.beside else []
        lines.append(f"| {' | '.join([*cells, '; '.join(beside)])} |")
    return "\n".join(lines)


def _of_others(figures: Mapping[str, Figure]) -> str:
    lines = ["| What | Goal | Today | Met | Beside |", "| --- | --- | --- | --- | --- |"]
    for name, goal in OTHERS.items():
        today, met = goal.shown(figures[name])
        lines.append(f"| {goal.what} | {goal} | {today} | {met} | {figures[name].beside} |")
    return "\n".join(lines)

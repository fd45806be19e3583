"""Prices in other units of energy and mass, and in other currencies at rates of the caller."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from math import isfinite
from numbers import Real
from typing import Any, TypeAlias, cast

import polars as pl
from attrs import frozen
from trayport_api.models import InstrumentDetails, MarketDetails, TradingSpecifications

from ...errors import TrayportValidationError, invalid

Product: TypeAlias = InstrumentDetails | MarketDetails | TradingSpecifications | str
"""What says the unit of prices: a product of the reference data, or the unit as text."""
MAX_RATE_AGE = timedelta(days=7)

# The units that energy is traded in; the therm is that of contracts at the NBP. Of the thousands
# that pint knows by itself some mean other things: kt is a knot.
_DEFINITIONS = """
kilo- = 1e3 = k-
mega- = 1e6 = M-
giga- = 1e9 = G-
tera- = 1e12 = T-
joule = [energy] = J
watt_hour = 3600 * joule = Wh
therm = 29.3071 * kilowatt_hour = thm = therms = Therm = Therms
mmbtu = 10 * therm = MMBtu = MMBTU
tonne = [mass] = t = tonnes
barrel = [volume] = bbl
day = [time]
"""
# The other ways to write units; case does not count where it tells nothing: mt may be Mt or t.
_UNITS = ("Wh", "kWh", "MWh", "GWh", "TWh", "J", "kJ", "MJ", "GJ", "TJ", "MMBtu", "t", "kt", "bbl")
_WRITTEN = {unit.lower(): unit for unit in (*_UNITS, "therm", "day")} | {
    "th": "therm",
    "thm": "therm",
    "therms": "therm",
}
_KNOWN = "kWh, MWh, GWh, GJ, therm, MMBtu, t, kt, bbl, day"
_PRICE_UNIT = re.compile(r"\s*([A-Za-z]{3}|p)\s*/\s*([A-Za-z]+)\s*", re.ASCII)
_HUNDREDTHS = {"GBX": "GBP", "GBp": "GBP", "USX": "USD", "USc": "USD", "EUX": "EUR"}
_EXAMPLE = "write it like EUR/MWh or GBX/therm"
_PRODUCT = (
    "give the product, as client.reference.get_market_by_id(id) returns it, or the unit of the "
    "prices, such as GBX/therm"
)


@frozen
class PriceUnit:
    """A currency for a unit of energy, mass or volume.

    Attributes:
        text: As it is written.
        currency: The currency, or the one that it is a hundredth of.
        kind: What is paid for, such as `[energy]`.
        factor: What such a price is multiplied by to be in the whole currency for the base unit.
    """

    text: str
    currency: str
    kind: str
    factor: float

    @classmethod
    def parse(cls, text: str, parameter: str) -> PriceUnit:
        """The unit that a text names.

        Raises:
            TrayportValidationError: It names none.

        Example:
            >>> PriceUnit.parse("p/th", "unit").text
            'GBX/therm'
        """
        from pint import UndefinedUnitError

        match = _PRICE_UNIT.fullmatch(str(text))
        if match is None:
            way_out = _PRODUCT if parameter == "product" else _EXAMPLE
            raise invalid(parameter, text, "is no currency for a unit", way_out)
        currency, unit = match.groups()
        if currency not in _HUNDREDTHS:
            currency = "GBX" if currency == "p" else currency.upper()
        unit = _WRITTEN.get(unit.lower(), unit)
        try:
            quantity = _registry().Quantity(1, unit).to_base_units()
        except UndefinedUnitError:
            reason = f"has a unit that is not known, {unit}"
            raise invalid(parameter, text, reason, f"use one of {_KNOWN}", _KNOWN) from None
        whole = _HUNDREDTHS.get(currency, currency)
        share = 1.0 if whole == currency else 0.01
        factor = share / float(quantity.magnitude)
        return cls(f"{currency}/{unit}", whole, str(quantity.dimensionality), factor)


@cache
def _registry() -> Any:  # the types of pint are not whole
    from pint import UnitRegistry

    registry = cast("Any", UnitRegistry)(None)
    for line in _DEFINITIONS.strip().splitlines():
        registry.define(line)
    return registry


def unit_of(product: Product) -> PriceUnit:
    """The unit of a product's prices.

    Raises:
        TrayportValidationError: It is not known.
    """
    return PriceUnit.parse(units_in(product)[0], "product")


def units_in(product: Product) -> tuple[str, str | None]:
    """The unit of a product's prices, as text, and that of its quantities if it is known.

    Prices are in its currency for one unit of its notional quantity [assumed].

    Raises:
        TrayportValidationError: It is no product.
    """
    if isinstance(product, InstrumentDetails | MarketDetails):
        product = product.trading_specifications
    if isinstance(product, TradingSpecifications):
        text = f"{product.price_currency}/{product.notional_quantity_unit}"
        return text, product.quantity_unit
    if not isinstance(product, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise invalid("product", product, "is no product", _PRODUCT)
    return product, None


def converted(
    table: pl.DataFrame,
    time: str,
    prices: Sequence[str],
    source: PriceUnit,
    target: PriceUnit,
    rate: float | pl.DataFrame | None,
    max_rate_age: timedelta,
) -> pl.DataFrame:
    """The table with its prices in another unit.

    Args:
        table: The rows.
        time: The column of their time.
        prices: The columns of prices, or of orders that have a `price`.
        source: The unit that they are in.
        target: The unit that is wanted.
        rate: The price of the source's currency in the target's, where they differ: one number, or
            a frame with times and rates.
        max_rate_age: How long a rate holds if no later one is known.
    """
    if source.kind != target.kind:
        reason = f"is for another kind of quantity than {source.text}"
        raise invalid("unit", target.text, reason, f"use a unit of {source.kind}", source.kind)
    rates = _rates(table[time], source, target, rate, max_rate_age)
    factors = rates * source.factor / target.factor
    return table.with_columns(
        _scaled_orders(table[name], factors)
        if table.schema[name] == pl.List
        else table[name] * factors
        for name in prices
        if name in table.columns
    )


def _scaled_orders(books: pl.Series, factors: pl.Series) -> pl.Series:
    """A side of books with its prices multiplied."""
    points = pl.DataFrame([books.alias("orders"), factors.alias("factor")]).with_row_index("point")
    scaled = (
        points.filter(pl.col("orders").list.len() > 0)
        .explode("orders")
        .select(
            "point",
            scaled=pl.col("orders").struct.with_fields(pl.field("price") * pl.col("factor")),
        )
        .group_by("point", maintain_order=True)
        .agg("scaled")
    )
    joined = points.join(scaled, on="point", how="left", maintain_order="left")
    return joined.select(pl.coalesce("scaled", "orders").alias(books.name)).to_series()


def _rates(
    times: pl.Series,
    source: PriceUnit,
    target: PriceUnit,
    rate: float | pl.DataFrame | None,
    max_age: timedelta,
) -> pl.Series:
    """The rate of each row: 1 within one currency."""
    meaning = f"the {target.currency} for 1 {source.currency}"
    if source.currency == target.currency:
        if rate is not None:
            raise TrayportValidationError(
                f"rate is given, but {source.text} and {target.text} are of one currency",
                parameter="rate",
                suggestion="leave it out",
            )
        return pl.Series([1.0]).new_from_index(0, len(times))
    if rate is None:
        raise TrayportValidationError(
            f"prices in {source.text} cannot be in {target.text} without a rate",
            parameter="rate",
            limit=meaning,
            suggestion=f"give {meaning}: a number, or a frame with a column of times and one of "
            "rates",
        )
    if isinstance(rate, pl.DataFrame):
        return _rates_at(times, _checked(rate), meaning, max_age)
    if not _is_rate(rate):
        raise invalid("rate", rate, "is no rate", f"give {meaning}", "above 0")
    return pl.Series([float(rate)]).new_from_index(0, len(times))


def _is_rate(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    return isfinite(value) and float(value) > 0


def _checked(rates: pl.DataFrame) -> pl.DataFrame:
    """Rates in order of time, which is exact and in UTC."""
    kinds = rates.dtypes
    if len(kinds) != 2 or not kinds[0].is_temporal() or not kinds[1].is_numeric():
        raise TrayportValidationError(
            f"rate has the columns {dict(rates.schema)}",
            parameter="rate",
            limit="a column of times and a column of rates",
            suggestion="select these two, the times first",
        )
    time, value = (pl.col(name) for name in rates.columns)
    instant = time.cast(pl.Datetime("ns")) if kinds[0] == pl.Date else time
    found = rates.select(since=instant.dt.timestamp("ns"), rate=value.cast(pl.Float64))
    is_rate = (pl.col("rate").is_finite() & (pl.col("rate") > 0)).fill_null(value=False)
    wrong = found.filter(~is_rate | pl.col("since").is_null())
    if wrong.height or found["since"].is_duplicated().any():
        raise TrayportValidationError(
            "rate has rows without a time, without a rate above 0, or two of one time",
            parameter="rate",
            limit="one rate above 0 for each time",
            suggestion="leave those rows out",
        )
    return found.sort("since")


def _length(age: object) -> int:
    """The nanoseconds of the longest age."""
    if not isinstance(age, timedelta) or age <= timedelta():
        raise invalid("max_rate_age", age, "is no length of time", "give one: timedelta(days=7)")
    return age // timedelta(microseconds=1) * 1000


def _rates_at(times: pl.Series, rates: pl.DataFrame, meaning: str, max_age: timedelta) -> pl.Series:
    """The last rate at or before each time, if it is not too old."""
    age = _length(max_age)
    rows = times.dt.timestamp("ns").alias("time").to_frame().with_row_index("row").sort("time")
    joined = rows.join_asof(
        rates, left_on="time", right_on="since", tolerance=age, check_sortedness=False
    )
    missing = joined.filter(pl.col("rate").is_null())
    if missing.height:
        when = times[int(missing["row"][0])]
        raise TrayportValidationError(
            f"rate has none for {when}: {missing.height} rows have no rate of the {max_age} before",
            parameter="rate",
            limit=f"{meaning}, at least every {max_age}",
            suggestion="add the rates that are missing, or give max_rate_age",
        )
    return joined.sort("row").get_column("rate")

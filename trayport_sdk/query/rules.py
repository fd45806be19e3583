"""The rules of a request, checked against the generated tables before it is sent."""

from __future__ import annotations

import keyword
import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date, timedelta
from numbers import Integral, Real
from typing import Any

from trayport_api.models import IntervalUnit
from trayport_spec import Endpoint, Parameter

from ..errors import TrayportValidationError, empty, invalid, unknown_parameter, unknown_value
from .contracts import ContractType, check_second_item
from .times import (
    DAY,
    FRACTION,
    SECOND,
    Interval,
    empty_range,
    floored,
    instant,
    months_after,
    to_text,
)

INTRADAY = (
    "; the current day takes a key or gateway entitled to it and the setting intraday=True "
    "(TRAYPORT_INTRADAY)"
)
_PRODUCTS = ("market_id", "instrument_id")
# Two parameters of the API that are one argument here.
_SHOWN = {"interval_unit": "interval"}


def check(
    endpoint: Endpoint,
    arguments: Mapping[str, object],
    *,
    latest: int | None = None,
    intraday: bool = False,
    whole: bool = False,
) -> None:
    """Whether the API takes a request, as far as the table knows.

    Args:
        endpoint: The operation.
        arguments: Values under the names of the generated request builder, instants in nanoseconds;
            one that is None is left out.
        latest: The last instant that has data, if there is one.
        intraday: Whether the current day is part of that.
        whole: Whether this is a query of any size, so that the limits that the planner keeps by
            cutting it do not count.

    Raises:
        TrayportValidationError: The API would refuse the request, or ignore a part of it.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    values = checked_values(endpoint, given, bound_lists=not whole)
    _check_contract(endpoint, values)
    _check_times(endpoint, values, whole=whole)
    if latest is not None:
        _check_cutoff(endpoint, values, latest, intraday=intraday)


# --- Contracts


def _check_contract(endpoint: Endpoint, given: Mapping[str, Any]) -> None:
    """Whether the parts of a contract go together."""
    needed = endpoint.limits.contract
    if needed is None:
        return
    products = sum(name in given for name in _PRODUCTS)
    if products == 2 or (not products and needed != "subset"):
        raise TrayportValidationError(
            f"{endpoint.path} takes a market_id or an instrument_id, "
            f"{'both' if products else 'neither'} given",
            parameter="market_id",
            suggestion="give exactly one of the two",
        )
    kind, second = given.get("contract_type"), given.get("second_sequence_item_id")
    if second is not None:
        check_second_item(kind, second)
    if needed == "many":
        _check_items(endpoint, given, single=kind == ContractType.SINGLE_PERIOD)
    if needed != "subset" and kind != ContractType.SINGLE_PERIOD:
        check_second_item(kind, second)


def _check_items(endpoint: Endpoint, given: Mapping[str, Any], *, single: bool) -> None:
    items = set(given.get("sequence_item_id", ()))  # repeated ids count once
    counted = "trading_items" in given
    way_out = "give the delivery periods, or how many of the next ones"
    if not items and not counted:
        raise TrayportValidationError(
            f"{endpoint.path} needs sequence_item_id or trading_items, neither given",
            parameter="sequence_item_id",
            suggestion=way_out,
        )
    if items and counted:
        raise TrayportValidationError(
            "trading_items and sequence_item_id exclude each other, both given",
            parameter="trading_items",
            suggestion=way_out,
        )
    if (counted or len(items) > 1) and not single:
        name = "trading_items" if counted else "sequence_item_id"
        raise TrayportValidationError(
            f"{name} {given[name]} of contract_type {given['contract_type']}: several delivery "
            f"periods share a request as {ContractType.SINGLE_PERIOD} only",
            parameter=name,
            suggestion="ask for each contract alone",
        )


# --- Times and intervals


def _check_times(endpoint: Endpoint, given: Mapping[str, Any], *, whole: bool) -> None:
    """Whether times and interval fit together and keep the limits of the operation."""
    grid = Interval(1, endpoint.limits.resolution)
    for name, moment in _moments(endpoint, given):
        if floored(moment, grid) != moment:
            raise TrayportValidationError(
                f"{name} {to_text(moment)} is finer than the {grid.unit} that {endpoint.path} "
                "resolves",
                parameter=name,
                limit=grid.unit.value,
                suggestion=f"leave out the seconds: {to_text(floored(moment, grid))}",
            )
    interval = _interval(endpoint, given)
    if "from_" not in given:
        return
    start, end = given["from_"], given["until"]
    _check_order(endpoint, start, end)
    if interval is not None and interval.unit in {each.unit for each in endpoint.limits.aligned}:
        _check_alignment(interval, {"from_": start, "until": end})
    if not whole:
        _check_days(endpoint, start, end, interval)
        _check_points(endpoint, start, end, interval)


def _check_cutoff(
    endpoint: Endpoint, given: Mapping[str, Any], latest: int, *, intraday: bool
) -> None:
    """Whether every time of a request lies before the end of the data."""
    for name, moment in _moments(endpoint, given):
        if moment <= latest:
            continue
        way_out = "give an earlier time" if name == "from_" else f"leave {name} out for all of it"
        if endpoint.limits.cutoff != "now" and not intraday:
            way_out += INTRADAY
        end = to_text(latest)
        raise TrayportValidationError(
            f"{name} {to_text(moment)} lies after {end}, where the data of {endpoint.path} ends",
            parameter=name,
            limit=end,
            suggestion=way_out,
        )


def _moments(endpoint: Endpoint, given: Mapping[str, Any]) -> list[tuple[str, int]]:
    return [
        (name, given[name])
        for name, parameter in parameters_by_argument(endpoint).items()
        if parameter.type == "instant" and name in given
    ]


def _interval(endpoint: Endpoint, given: Mapping[str, Any]) -> Interval | None:
    if not endpoint.limits.intervals:
        return None
    interval = Interval(given["interval"], given["interval_unit"])
    for allowed in endpoint.limits.intervals:
        if allowed.unit == interval.unit and (
            not allowed.counts or interval.count in allowed.counts
        ):
            return interval
    choices = ", ".join(
        ", ".join(str(Interval(count, IntervalUnit(allowed.unit))) for count in allowed.counts)
        or f"any number of {allowed.unit}s"
        for allowed in endpoint.limits.intervals
    )
    raise TrayportValidationError(
        f"interval {interval} is not one that {endpoint.path} takes",
        parameter="interval",
        limit=choices,
        suggestion=f"use one of {choices}",
    )


def _check_order(endpoint: Endpoint, start: int, end: int) -> None:
    earliest = endpoint.limits.earliest_from
    if earliest is not None and start < _midnight(earliest):
        raise TrayportValidationError(
            f"from_ {to_text(start)} lies before {earliest}, where the data of {endpoint.path} "
            "begins",
            parameter="from_",
            limit=str(earliest),
            suggestion=f"start at {earliest} or later",
        )
    if end <= start:
        raise empty_range(to_text(start), to_text(end))


def _check_alignment(interval: Interval, edges: Mapping[str, int]) -> None:
    # Bars of several days are counted from the start of the range [assumed]: any midnight will do.
    for name, edge in edges.items():
        before = floored(edge, interval)
        if before == edge:
            continue
        step = interval.length
        after = months_after(before, interval.count) if step is None else before + step
        raise TrayportValidationError(
            f"{name} {to_text(edge)} is not aligned to the interval {interval}",
            parameter=name,
            limit=str(interval),
            suggestion=f"use {to_text(before)} or {to_text(after)}",
        )


def _check_days(endpoint: Endpoint, start: int, end: int, interval: Interval | None) -> None:
    for limit in endpoint.limits.ranges:
        applies = not limit.units or (interval is not None and interval.unit in limit.units)
        if applies and end - start > limit.max_days * DAY:
            finer = f" for an interval of {interval}" if limit.units else ""
            raise TrayportValidationError(
                f"range of {_days(end - start)} exceeds the {limit.max_days} days of "
                f"{endpoint.path}{finer}",
                parameter="until",
                limit=f"{limit.max_days} days",
                suggestion="ask for it in shorter ranges, one after the other",
            )


def _check_points(endpoint: Endpoint, start: int, end: int, interval: Interval | None) -> None:
    most = endpoint.limits.max_points
    if most is None or interval is None or interval.length is None:
        return
    points = -((start - end) // interval.length)
    if points > most:
        raise TrayportValidationError(
            f"range of {points} points at an interval of {interval} exceeds the {most} of "
            f"{endpoint.path}",
            parameter="until",
            limit=f"{most} points",
            suggestion="ask for shorter ranges, or use a longer interval",
        )


def _days(length: int) -> str:
    days, rest = divmod(length, DAY)
    return f"{days} days" + (f" and {timedelta(seconds=rest // SECOND)}" if rest else "")


def _midnight(day: date) -> int:
    return instant(day, "day")


# --- Single arguments


def parameters_by_argument(endpoint: Endpoint) -> dict[str, Parameter]:
    """The parameters of an operation, under the names of the generated request builder."""
    return {
        name + "_" if keyword.iskeyword(name := parameter.python_name) else name: parameter
        for parameter in endpoint.parameters
    }


def listed_values(value: Any) -> tuple[Any, ...]:
    """The values of an argument that takes one or several."""
    if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
        return (value,)
    return tuple(value)


def check_known(endpoint: Endpoint, names: Iterable[str]) -> None:
    """Refuses what the API would silently ignore [documented].

    Raises:
        TrayportValidationError: The operation has no parameter of one of the names.
    """
    known = parameters_by_argument(endpoint)
    for name in names:
        if name not in known:
            reason = f"is not a parameter of {endpoint.path}"
            raise unknown_parameter(name, reason, known, "it takes")


def checked_values(
    endpoint: Endpoint, given: Mapping[str, object], *, bound_lists: bool
) -> dict[str, Any]:
    """The arguments as plain values: ids and instants as int, lists as tuples.

    Raises:
        TrayportValidationError: The operation has no such parameter, one that it needs is missing,
            or a value is of the wrong type or out of bounds.
    """
    check_known(endpoint, given)
    known = parameters_by_argument(endpoint)
    for name, parameter in known.items():
        if parameter.required and name not in given:
            reason = f"{endpoint.path} needs {name}, which was not given"
            raise TrayportValidationError(reason, parameter=_SHOWN.get(name, name))
    return {
        name: checked_value(known[name], name, value, bound_lists=bound_lists)
        for name, value in given.items()
    }


def checked_value(
    parameter: Parameter, name: str, value: object, *, bound_lists: bool = True
) -> Any:
    """One argument as a plain value.

    Raises:
        TrayportValidationError: It is of the wrong type or out of bounds.
    """
    shown = _SHOWN.get(name, name)
    if not parameter.repeated:
        return _single(parameter, shown, value)
    values = listed_values(value)
    if not values:
        raise empty(shown, "give at least one, or leave it out")
    if bound_lists and parameter.max_items is not None and len(values) > parameter.max_items:
        raise too_many(shown, len(values), parameter.max_items)
    return tuple(_single(parameter, shown, item) for item in values)


def too_many(name: str, count: int, most: int) -> TrayportValidationError:
    """The error for a list that is too long."""
    return TrayportValidationError(
        f"{count} values of {name} exceed the maximum of {most} in one request",
        parameter=name,
        limit=str(most),
        suggestion="ask for fewer at a time",
    )


def _single(parameter: Parameter, name: str, value: object) -> Any:
    match parameter.type:
        case "integer":
            return _bounded(parameter, name, _whole(name, value))
        case "number":
            return _bounded(parameter, name, _number(name, value))
        case "boolean":
            if not isinstance(value, bool):
                raise invalid(name, value, "is not a truth value", "give True or False")
            return value
        case "instant":
            return _instant(name, value)
        case "string":
            return _text(parameter, name, value)


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise invalid(name, value, "is not a whole number", "give an int")
    return int(value)


def _number(name: str, value: object) -> float:
    if not isinstance(value, bool) and isinstance(value, Real):
        with suppress(OverflowError):
            number = float(value)
            if math.isfinite(number):
                return number
    raise invalid(name, value, "is not a finite number", "give an int or a float")


def _bounded(parameter: Parameter, name: str, value: float) -> float:
    least, above, most = parameter.minimum, parameter.exclusive_minimum, parameter.maximum
    if least is not None and value < least:
        raise invalid(name, value, f"is below {least}", f"give at least {least}", str(least))
    if above is not None and value <= above:
        raise invalid(name, value, f"is not above {above}", f"give more than {above}", str(above))
    if most is not None and value > most:
        raise invalid(name, value, f"exceeds {most}", f"give at most {most}", str(most))
    return value


def _instant(name: str, value: object) -> int:
    nanoseconds = _whole(name, value)
    if nanoseconds < 0:
        raise invalid(name, value, "lies before 1970", "give a later time")
    if nanoseconds % SECOND:
        raise invalid(name, value, FRACTION, "round it")
    try:
        to_text(nanoseconds)
    except OverflowError:
        raise invalid(name, value, "lies after the year 9999", "give an earlier time") from None
    return nanoseconds


def _text(parameter: Parameter, name: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise invalid(name, value, "is not usable text", "give a name")
    if parameter.enum and value not in parameter.enum:
        raise unknown_value(name, value, parameter.enum)
    return value

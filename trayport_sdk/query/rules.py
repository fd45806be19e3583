"""The rules of a request, checked against the generated tables before it is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from numbers import Integral
from typing import Any, Literal, TypeAlias

from trayport_spec import ENDPOINTS, PRIVATE_ORDERS_FROM, VENUES, Endpoint, Venue
from trayport_spec.options import Options

from ..errors import TrayportValidationError, empty, invalid, unknown_parameter, unknown_value
from .contracts import ContractSpec, ContractType, check_second_item
from .params import checked_value, checked_values, listed_values, parameters_by_argument, too_many
from .plan import CHOICES, DEFAULTS
from .times import (
    DAY,
    EPOCH,
    SECOND,
    Interval,
    empty_range,
    floored,
    instant,
    months_after,
    to_text,
)

Routes: TypeAlias = str | int | Sequence[str | int]
"""Routes to market, by name or id; `"all"` means every one."""

ResponseFormat: TypeAlias = Literal["json", "csv"]
"""The format of a response."""

INTRADAY = (
    "; the current day takes a key or gateway entitled to it and the setting intraday=True "
    "(TRAYPORT_INTRADAY)"
)
_EVERY_ROUTE = "all"
_PRODUCTS = ("market_id", "instrument_id")
_ORDERS = "Orders"


def endpoint_named(name: str) -> Endpoint:
    """The operation of a name such as `"trades"`, `"get_trades"` or `"/trades"`.

    Raises:
        TrayportValidationError: No operation that returns market data has the name.

    Example:
        >>> endpoint_named("Order-Book-Top").path
        '/orders/book/top'
    """
    wanted = str(name).strip().lower().replace("-", "_")
    served = [endpoint for endpoint in ENDPOINTS.values() if endpoint.api == "analytics"]
    for endpoint in served:
        if wanted in (endpoint.operation_id, endpoint.key, endpoint.path):
            return endpoint
    raise unknown_value("endpoint", name, (endpoint.key for endpoint in served))


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
    _check_contract(endpoint, values, whole=whole)
    _check_times(endpoint, values, whole=whole)
    if latest is not None:
        _check_cutoff(endpoint, values, latest, intraday=intraday)


# --- Contracts


def _check_contract(endpoint: Endpoint, given: Mapping[str, Any], *, whole: bool) -> None:
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
        _check_items(endpoint, given, single=kind == ContractType.SINGLE_PERIOD, whole=whole)
    if needed != "subset" and kind != ContractType.SINGLE_PERIOD:
        check_second_item(kind, second)


def _check_items(
    endpoint: Endpoint, given: Mapping[str, Any], *, single: bool, whole: bool
) -> None:
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
    most = endpoint.batch.maximum
    if most is not None and len(items) > most and not whole:
        raise too_many("sequence_item_id", len(items), most)


def listed(
    contracts: ContractSpec | str | Iterable[ContractSpec | str] | None,
) -> list[ContractSpec | str]:
    """The contracts of an argument that takes one or several.

    Raises:
        TrayportValidationError: There are none, or an item is no contract.
    """
    wanted: list[Any] = list(listed_values(contracts))
    if not wanted:
        raise empty("contracts")
    for contract in wanted:
        if not isinstance(contract, ContractSpec | str):
            raise TrayportValidationError(
                f"contracts has {contract!r}, which is no contract",
                parameter="contracts",
                suggestion="give ContractSpec values, symbols or names",
            )
    return wanted


# --- Options


def options(endpoint: Endpoint, *, response_format: str = "json", **given: Any) -> Options:
    """The options of a call, checked and in the words of the API.

    Args:
        endpoint: The operation.
        response_format: The format of the response.
        given: Options by name, of those that the operation has in the table.

    Raises:
        TrayportValidationError: A value is no value of its option, or the operation does not have
            the option.

    Example:
        >>> options(endpoint_named("trades"), routes="All", optional_fields="ROUTE_ID").chosen
        {'routes': ('all',), 'optional_fields': ('routeId',)}
    """
    parameters = parameters_by_argument(endpoint)
    chosen: dict[str, Any] = {}
    value: Any
    for name, value in given.items():
        if name not in CHOICES:
            raise _not_an_option(endpoint, name)
        option: Any = value
        if name == "optional_fields":
            option = () if value is None else listed_values(value)
        if _is_left_out(name, option):
            continue
        if name not in parameters:
            raise _not_an_option(endpoint, name)
        if name == "optional_fields":
            option = _canonical_fields(endpoint, listed_values(option))
        elif name == "routes":
            option = _routes(value)
        elif parameters[name].type == "instant":
            option = instant(given[name], name)
        chosen[name] = checked_value(parameters[name], name, option)
    return Options(response_format=_response_format(endpoint, response_format), **chosen)


def _is_left_out(name: str, value: object) -> bool:
    """Whether a value is the default of a method's signature."""
    if name == "optional_fields" and value == ():
        return True
    default = getattr(DEFAULTS, name)
    return value is (None if default == () else default)


def _not_an_option(endpoint: Endpoint, name: str) -> TrayportValidationError:
    having = [
        other.path
        for other in ENDPOINTS.values()
        if name in CHOICES and name in parameters_by_argument(other)
    ]
    reason = f"is not an option of {endpoint.path}"
    if having:
        return unknown_parameter(name, reason, having, "it is one of")
    taken = [option for option in parameters_by_argument(endpoint) if option in CHOICES]
    return unknown_parameter(name, reason, taken, "options are")


def _response_format(endpoint: Endpoint, name: str) -> str:
    """The name of a format that an operation returns."""
    served = [media_type.rpartition("/")[2] for media_type in endpoint.media_types]
    wanted = str(name).strip().lower()
    if wanted not in served:
        raise unknown_value("response_format", name, served, f"is none of {endpoint.path}")
    return wanted


def _routes(value: Any) -> tuple[object, ...]:
    return tuple(dict.fromkeys(map(_route, listed_values(value))))


def _route(value: object) -> object:
    """A route as the API names it; other values stay, for the check of their type."""
    if isinstance(value, str):
        text = value.strip()
        return _EVERY_ROUTE if text.lower() == _EVERY_ROUTE else text
    is_id = not isinstance(value, bool) and isinstance(value, Integral)
    return str(value) if is_id else value


def _canonical_fields(endpoint: Endpoint, names: Iterable[object]) -> tuple[str, ...]:
    """The API's names of optional fields, from names in any case, with or without underscores."""
    known = {name.lower(): name for name in endpoint.optional_fields}
    canonical: dict[str, None] = {}
    for name in names:
        key = str(name).replace("_", "").lower()
        if key not in known:
            allowed = ", ".join(endpoint.optional_fields) or "none"
            reason = f"is not an optional field of {endpoint.path}"
            raise invalid("optional_fields", name, reason, f"it has {allowed}", allowed)
        canonical[known[key]] = None
    return tuple(canonical)


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
        ", ".join(str(Interval(count, allowed.unit)) for count in allowed.counts)
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


# --- Where the data begins and ends


def data_end(endpoint: Endpoint, now: datetime, *, intraday: bool) -> int:
    """Where the data ends, which is what `until` and `at` mean when they are left out.

    Example:
        >>> now = datetime(2024, 5, 2, 9, 30, 15, tzinfo=UTC)
        >>> to_text(data_end(ENDPOINTS["get_trades"], now, intraday=False))
        '2024-05-02T00:00:00Z'
    """
    second = (now.astimezone(UTC) - EPOCH) // timedelta(seconds=1) * SECOND
    if intraday or endpoint.limits.cutoff == "now":
        return floored(second, Interval(1, endpoint.limits.resolution))
    return second - second % DAY


def latest(endpoint: Endpoint, now: datetime, *, intraday: bool) -> int | None:
    """The last instant that a request may name: with the current day, its end [assumed]."""
    if endpoint.limits.cutoff is None:
        return None
    end = data_end(endpoint, now, intraday=intraday)
    current = intraday or endpoint.limits.cutoff == "now"
    return end - end % DAY + (DAY if current else 0)


def missing_history(endpoint: Endpoint, start: int, *, include_private: bool) -> str | None:
    """The orders that do not exist yet at the start of a range, in a sentence, or None.

    The dates are documented by month [documented].
    """
    if endpoint.tag != _ORDERS:
        return None
    later: dict[date, list[Venue]] = {}
    for venue in VENUES.values():
        if _midnight(venue.orders_from) > start:
            later.setdefault(venue.orders_from, []).append(venue)
    begins = [f"{_named(venues)} from {day}" for day, venues in sorted(later.items())]
    if include_private and _midnight(PRIVATE_ORDERS_FROM) > start:
        begins.append(f"private orders from {PRIVATE_ORDERS_FROM}")
    if not begins:
        return None
    return (
        f"{endpoint.path} from {to_text(start)} lacks orders that begin later: {'; '.join(begins)}"
    )


def _named(venues: list[Venue]) -> str:
    if all(venue.kind == "broker" for venue in venues):
        return "brokers"
    return ", ".join(venue.code for venue in venues)

"""The query of a call, which keeps every rule. Pure: nothing is sent here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from numbers import Integral
from typing import Any, Literal, TypeAlias

from attrs import evolve
from trayport_spec import ENDPOINTS, PRIVATE_ORDERS_FROM, VENUES, Endpoint, Venue
from trayport_spec.options import Options

from ..errors import (
    TrayportHistoryWarning,
    TrayportValidationError,
    empty,
    invalid,
    missing,
    unknown_parameter,
    unknown_value,
)
from .contracts import ContractSpec
from .plan import CHOICES, DEFAULTS, BulkMarketQuery, QueryPlan, alone
from .rules import (
    INTRADAY,
    check,
    check_known,
    checked_value,
    listed_values,
    parameters_by_argument,
)
from .times import (
    DAY,
    EPOCH,
    SECOND,
    Interval,
    TimeLike,
    Window,
    floored,
    instant,
    interval_of,
    to_text,
)
from .warn import warn

Routes: TypeAlias = str | int | Sequence[str | int]
"""Routes to market, by name or id; `"all"` means every one."""

ResponseFormat: TypeAlias = Literal["json", "csv"]
"""The format of a response."""

_CAPITAL = re.compile(r"(?<!^)([A-Z])")
_EVERY_ROUTE = "all"
_ORDERS = "Orders"
# Stands for contracts that are still to be looked up, in the checks.
_ANY = ContractSpec(market_id=1, sequence_id=1, sequence_item_id=1)


def build_query(
    endpoint: Endpoint,
    contracts: Sequence[ContractSpec] = (),
    *,
    now: datetime,
    intraday: bool,
    from_: TimeLike | None = None,
    until: TimeLike | None = None,
    at: TimeLike | None = None,
    interval: Interval | str | None = None,
    scope: Mapping[str, int | None] | None = None,
    **options: Any,
) -> QueryPlan:
    """The query of a call, of any length and about any number of contracts.

    Args:
        endpoint: The operation.
        contracts: The contracts. Left out, they are still to be looked up.
        now: The current time, which decides where the data ends.
        intraday: Whether the data of the current day is available.
        from_: The start of the range, inclusive.
        until: The end, exclusive; the end of the data when it is left out.
        at: The instant, for operations that take one; the end of the data when it is left out.
        interval: The interval, for operations that take one.
        scope: The ids of a whole product or sequence, instead of contracts.
        options: The options of the operation, as callers write them.

    Raises:
        TrayportValidationError: The API would refuse it, or ignore a part of it.
    """
    known = parameters_by_argument(endpoint)
    given = {"from_": from_, "until": until, "at": at, "interval": interval}
    chosen = {n: v for n, v in given.items() if v is not None}
    if "at" in known and "from_" in chosen:
        raise TrayportValidationError(
            f"from_ {from_!r} does not go with {endpoint.path}, which is about an instant",
            parameter="from_",
            suggestion="give the instant as at",
        )
    check_known(endpoint, chosen)
    if interval is None and "interval" in known:
        way_out = 'give one, like "15m", "1h" or "1d"'
        raise missing("interval", f"{endpoint.path} is about regular intervals", way_out)
    every = None if interval is None else interval_of(interval)
    data_end = end_of_data(endpoint, now, intraday=intraday)
    moment = window = None
    if "at" in known:
        moment = data_end if at is None else instant(at, "at")
    if "from_" in known:
        window = _window(endpoint, from_, until, every, data_end, intraday=intraday)
    parts: dict[str, Any] = {
        "endpoint": endpoint.key,
        "contracts": tuple(contracts),
        "window": window,
        "at": moment,
        "interval": every,
        "options": chosen_options(endpoint, **options),
    }
    query = QueryPlan(**parts)
    if scope is not None:
        parts.update(scope)
        query = BulkMarketQuery(**parts)
    checked = query
    if endpoint.limits.contract is not None and scope is None:
        checked = alone(query, contracts[0] if contracts else _ANY)
    latest = last_instant(endpoint, now, intraday=intraday)
    check(endpoint, checked.arguments(), latest=latest, intraday=intraday, whole=True)
    _warn_of_missing_history(endpoint, query)
    return query


def _window(
    endpoint: Endpoint,
    from_: TimeLike | None,
    until: TimeLike | None,
    interval: Interval | None,
    data_end: int,
    *,
    intraday: bool,
) -> Window:
    if from_ is None:
        way_out = "give the start of the range"
        raise missing("from_", f"{endpoint.path} is about a range", way_out)
    start = instant(from_, "from_")
    if until is not None:
        return Window(start, instant(until, "until"))
    if interval is not None and endpoint.limits.aligned:
        data_end = floored(data_end, interval)
        if interval.length is not None and start < data_end:
            # Bars of several days are counted from the start [assumed], all of them whole.
            data_end -= (data_end - start) % interval.length
    if start >= data_end:
        raise TrayportValidationError(
            f"from_ {to_text(start)} is not before {to_text(data_end)}, where the data of "
            f"{endpoint.path} ends",
            parameter="from_",
            limit=to_text(data_end),
            suggestion="start earlier" + ("" if intraday else INTRADAY),
        )
    return Window(start, data_end)


def _warn_of_missing_history(endpoint: Endpoint, query: QueryPlan) -> None:
    start = query.at if query.window is None else query.window.start
    if start is None:
        return
    private = query.options.include_private
    sentence = missing_history(endpoint, start, include_private=private)
    if sentence is not None:
        warn(sentence, TrayportHistoryWarning)


def about(query: QueryPlan, contracts: Sequence[ContractSpec]) -> QueryPlan:
    """The same query about these contracts."""
    return evolve(query, contracts=tuple(dict.fromkeys(contracts)))


def endpoint_named(name: str, choices: Iterable[str] | None = None) -> Endpoint:
    """The operation of a name such as `"trades"`, `"get_trades"` or `"/trades"`.

    Args:
        name: The name.
        choices: The operations to suggest where there is none of that name; all when it is None.

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
    raise unknown_endpoint(name, choices or (endpoint.key for endpoint in served))


def unknown_endpoint(
    name: object, keys: Iterable[str], reason: str = "is unknown"
) -> TrayportValidationError:
    """The error for an operation that is none of those, which it lists."""
    listed = ", ".join(keys)
    meant = "candles are ohlcv; " if "candle" in str(name).lower() else ""
    return invalid("endpoint", name, reason, f"{meant}use one of {listed}", listed)


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


def chosen_options(endpoint: Endpoint, *, response_format: str = "json", **given: Any) -> Options:
    """The options of a call, checked and in the words of the API.

    Args:
        endpoint: The operation.
        response_format: The format of the response.
        given: Options by name, of those that the operation has in the table.

    Raises:
        TrayportValidationError: A value is no value of its option, or the operation does not have
            the option.

    Example:
        >>> trades = endpoint_named("trades")
        >>> chosen_options(trades, routes="All", optional_fields="ROUTE_ID").chosen
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
            fields = (_CAPITAL.sub(r"_\1", field).lower() for field in endpoint.optional_fields)
            allowed = ", ".join(fields) or "none"
            reason = f"is not an optional field of {endpoint.path}"
            raise invalid("optional_fields", name, reason, f"it has {allowed}", allowed)
        canonical[known[key]] = None
    return tuple(canonical)


# --- Where the data begins and ends


def end_of_data(endpoint: Endpoint, now: datetime, *, intraday: bool) -> int:
    """Where the data ends, which is what `until` and `at` mean when they are left out.

    Example:
        >>> now = datetime(2024, 5, 2, 9, 30, 15, tzinfo=UTC)
        >>> to_text(end_of_data(ENDPOINTS["get_trades"], now, intraday=False))
        '2024-05-02T00:00:00Z'
    """
    second = (now.astimezone(UTC) - EPOCH) // timedelta(seconds=1) * SECOND
    if intraday or endpoint.limits.cutoff == "now":
        return floored(second, Interval(1, endpoint.limits.resolution))
    return second - second % DAY


def last_instant(endpoint: Endpoint, now: datetime, *, intraday: bool) -> int | None:
    """The last instant that a request may name: with the current day, its end [assumed]."""
    if endpoint.limits.cutoff is None:
        return None
    end = end_of_data(endpoint, now, intraday=intraday)
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
        if instant(venue.orders_from, "day") > start:
            later.setdefault(venue.orders_from, []).append(venue)
    begins = [f"{_named(venues)} from {day}" for day, venues in sorted(later.items())]
    if include_private and instant(PRIVATE_ORDERS_FROM, "day") > start:
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

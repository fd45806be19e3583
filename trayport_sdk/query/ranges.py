"""The times of a request against the limits of its operation, and where its data ends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from trayport_spec import PRIVATE_ORDERS_FROM, VENUES, Endpoint, Venue

from ..errors import TrayportValidationError
from .params import parameters_by_argument
from .times import DAY, EPOCH, SECOND, Interval, floored, instant, months_after, to_text

_ORDERS = "Orders"


def check_times(endpoint: Endpoint, given: Mapping[str, Any], *, whole: bool) -> None:
    """Whether times and interval fit together and keep the limits of the operation.

    Raises:
        TrayportValidationError: They do not.
    """
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
    if interval is not None and interval.unit in {one.unit for one in endpoint.limits.aligned}:
        _check_alignment(interval, {"from_": start, "until": end})
    if not whole:
        _check_days(endpoint, start, end, interval)
        _check_points(endpoint, start, end, interval)


INTRADAY = (
    "; the current day takes a key or gateway entitled to it and the setting intraday=True "
    "(TRAYPORT_INTRADAY)"
)


def check_cutoff(
    endpoint: Endpoint, given: Mapping[str, Any], latest: int, *, intraday: bool
) -> None:
    """Whether every time of a request lies where the data has not ended yet.

    Raises:
        TrayportValidationError: One lies later.
    """
    for name, moment in _moments(endpoint, given):
        if moment <= latest:
            continue
        end = to_text(latest)
        way_out = "give an earlier time" if name == "from_" else f"leave {name} out for all of it"
        if endpoint.limits.cutoff != "now" and not intraday:
            way_out += INTRADAY
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
        raise TrayportValidationError(
            f"until {to_text(end)} is not after from_ {to_text(start)}",
            parameter="until",
            suggestion="ranges are half-open, [from_, until): give a later until",
        )


def _check_alignment(interval: Interval, edges: Mapping[str, int]) -> None:
    # Bars of several days are counted from the start of the range [assumed]: any midnight will do.
    for name, edge in edges.items():
        if floored(edge, interval) != edge:
            before = floored(edge, interval)
            after = (
                months_after(before, interval.count)
                if interval.length is None
                else before + interval.length
            )
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


def data_end(endpoint: Endpoint, now: datetime, *, intraday: bool) -> int:
    """Where the data ends, which is what `until` and `at` mean when they are left out.

    Example:
        >>> from trayport_spec import ENDPOINTS
        >>> now = datetime(2024, 5, 2, 9, 30, 15, tzinfo=UTC)
        >>> to_text(data_end(ENDPOINTS["get_trades"], now, intraday=False))
        '2024-05-02T00:00:00Z'
    """
    second = (now.astimezone(UTC) - EPOCH) // timedelta(seconds=1) * SECOND
    if intraday or endpoint.limits.cutoff == "now":
        return floored(second, Interval(1, endpoint.limits.resolution))
    return second - second % DAY


def latest(endpoint: Endpoint, now: datetime, *, intraday: bool) -> int | None:
    """The last instant that may be asked for: with the current day, its end [assumed]."""
    if endpoint.limits.cutoff is None:
        return None
    end = data_end(endpoint, now, intraday=intraday)
    current = intraday or endpoint.limits.cutoff == "now"
    return end - end % DAY + (DAY if current else 0)


def missing_history(endpoint: Endpoint, start: int, *, include_private: bool) -> str | None:
    """Which orders are not there yet at the start of a range, in a sentence; None when all are.

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

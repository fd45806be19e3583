"""The rules of times: cut-offs, ranges, resolutions, intervals and their grids."""

import datetime as dt
from collections.abc import Iterator

import numpy as np
from trayport_spec import Endpoint, IntervalLimit, Parameter

from .calendar import DAY, HOUR, MINUTE, SECOND
from .noise import I64
from .problems import ValidationErrors
from .query import Steps, Values

_UNITS = {"second": SECOND, "minute": MINUTE, "hour": HOUR, "day": DAY}
# A grid of several units starts anew with each of these.
_ANCHORS = {"second": MINUTE, "minute": HOUR, "hour": DAY, "day": DAY}
_EPOCH = dt.date(1970, 1, 1)


def integer(values: Values, name: str) -> int | None:
    value = values.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def instants(endpoint: Endpoint, values: Values) -> Iterator[tuple[Parameter, int]]:
    """The instants of a request that bound its data, by parameter."""
    for parameter in endpoint.parameters:
        value = integer(values, parameter.name)
        if parameter.type == "instant" and value is not None:
            yield parameter, value


def check_instants(endpoint: Endpoint, values: Values, errors: ValidationErrors) -> None:
    if endpoint.limits.cutoff is None:
        return
    for parameter, value in instants(endpoint, values):
        if value < 0:
            errors.add(parameter.name, f"The value must not be before {_EPOCH}.")
        if endpoint.limits.resolution == "minute" and value % MINUTE:
            errors.add(parameter.name, "The resolution is one minute: leave out the seconds.")


def check_range(
    endpoint: Endpoint, values: Values, errors: ValidationErrors, *, limited: bool
) -> None:
    """`from` before `until`, not too long, not too early; as far as both were given."""
    start, until = integer(values, "from"), integer(values, "until")
    limits = endpoint.limits
    if start is not None and limits.earliest_from is not None:
        earliest = (limits.earliest_from - _EPOCH).days * DAY
        if start < earliest:
            errors.add("from", f"Data starts at {limits.earliest_from}.")
    if start is None or until is None:
        return
    if start >= until:
        errors.add("until", "The end of the range must be after its start.")
        return
    unit = values.get("intervalUnit")
    for allowed in limits.ranges:
        applies = not allowed.units or unit in allowed.units
        if limited and applies and until - start > allowed.max_days * DAY:
            errors.add("until", f"Maximum query range is {allowed.max_days} days.")


def checked_steps(endpoint: Endpoint, values: Values, errors: ValidationErrors) -> Steps | None:
    """The interval, when the operation has one and accepts it."""
    count, unit = integer(values, "interval"), values.get("intervalUnit")
    if not endpoint.limits.intervals or not isinstance(unit, str):
        return None
    allowed = _allowed(endpoint, unit)
    if allowed is None:
        units = ", ".join(limit.unit for limit in endpoint.limits.intervals)
        errors.add("intervalUnit", f"The unit must be one of {units}.")
        return None
    if count is None:
        return None
    if allowed.counts and count not in allowed.counts:
        counts = ", ".join(map(str, allowed.counts))
        errors.add("interval", f"The interval in units of {unit} must be one of {counts}.")
        return None
    return Steps(count, unit)


def _allowed(endpoint: Endpoint, unit: str) -> IntervalLimit | None:
    return next((limit for limit in endpoint.limits.intervals if limit.unit == unit), None)


def check_grid(
    endpoint: Endpoint, values: Values, steps: Steps, errors: ValidationErrors, *, limited: bool
) -> None:
    """Alignment of both ends, and the number of points."""
    if any(alignment.unit == steps.unit for alignment in endpoint.limits.aligned):
        for name in ("from", "until"):
            instant = integer(values, name)
            if instant is None or errors.about(name):
                continue
            if not is_aligned(instant, steps):
                errors.add(name, f"The time is not aligned to {steps.count} {steps.unit}.")
    start, until = integer(values, "from"), integer(values, "until")
    most = endpoint.limits.max_points
    if limited and most is not None and start is not None and until is not None:
        points = -(-(until - start) // (steps.count * _UNITS.get(steps.unit, DAY)))
        if points > most:
            errors.add("until", f"Maximum number of points is {most}.")


def is_aligned(instant: int, steps: Steps) -> bool:
    if steps.unit == "month":
        return instant % DAY == 0 and _date(instant).day == 1
    if steps.unit == "day":
        return instant % DAY == 0
    return instant % _ANCHORS[steps.unit] % (steps.count * _UNITS[steps.unit]) == 0


def _date(instant: int) -> dt.date:
    return _EPOCH + dt.timedelta(days=instant // DAY)


def points(start: int, end: int, steps: Steps) -> I64:
    """The instants of [start, end) at regular distance from its start."""
    if steps.unit == "month":
        edges = _months(start, end, steps.count)
        return edges[edges < end]
    return np.arange(start, end, steps.count * _UNITS[steps.unit], dtype=np.int64)


def edges(start: int, until: int, steps: Steps) -> I64:
    """The edges of the buckets of a range; the last bucket may be cut short by its end."""
    return np.append(points(start, until, steps), np.int64(until))


def _months(start: int, end: int, count: int) -> I64:
    first, last = (np.datetime64(_date(instant), "M") for instant in (start, end))
    months = np.arange(first, last + np.timedelta64(1, "M"), np.timedelta64(count, "M"))
    return months.astype("datetime64[D]").astype(np.int64) * DAY


def next_edge(instant: int, steps: Steps) -> int:
    """The end of the bucket that starts at an instant."""
    if steps.unit == "month":
        return int(_months(instant, instant + (31 * steps.count + 1) * DAY, steps.count)[1])
    return instant + steps.count * _UNITS[steps.unit]

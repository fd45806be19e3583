"""The rules of a request, read from the table: what is refused, and with which message."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus

from attrs import frozen
from trayport_spec import Column, Endpoint

from .calendar import DAY, MINUTE, day_start
from .catalogue import Catalogue
from .contracts import check_contract_parts, named_contracts, narrowing
from .intervals import (
    check_grid,
    check_instants,
    check_range,
    checked_steps,
    instants,
    integer,
)
from .params import RawQuery, parameter_values
from .problems import Problem, ValidationErrors
from .query import Narrowed, Query, Routes, Shape, Values

ROUTES: Mapping[int, str] = {
    1: "Trayport",
    2: "Autotrader",
    3: "London, Main Desk",
    4: "Continent",
}
_ROUTE_NAMES = {name.lower(): number for number, name in ROUTES.items()}
_ALL_ROUTES = "all"
# One nanosecond more lets rows stamped exactly at the end in.
_INCLUSIVE = 1


@frozen
class Entitlement:
    """What a key may see at the moment, and which rules are lifted for tests."""

    now: int
    intraday: bool = False
    range_limits: bool = True
    until_inclusive: bool = False

    def data_end(self, endpoint: Endpoint) -> int:
        """Where the data ends for this key and operation."""
        if self.intraday or endpoint.limits.cutoff == "now":
            return self.now
        return day_start(self.now)

    def last_instant(self, endpoint: Endpoint) -> int:
        """The latest instant of a request, which may lie within the current day."""
        if self.intraday or endpoint.limits.cutoff == "now":
            return day_start(self.now) + DAY
        return day_start(self.now)


def check(
    endpoint: Endpoint,
    segments: dict[str, str],
    query: RawQuery,
    catalogue: Catalogue,
    entitlement: Entitlement,
) -> Query:
    """The checked values of a request; raises a problem when it breaks a rule."""
    errors = ValidationErrors()
    limits, limited = endpoint.limits, entitlement.range_limits
    values = parameter_values(endpoint, segments, query, errors, _ROUTE_NAMES, bound_lists=limited)
    check_instants(endpoint, values, errors)
    check_range(endpoint, values, errors, limited=limited)
    steps = checked_steps(endpoint, values, errors)
    if steps is not None:
        check_grid(endpoint, values, steps, errors, limited=limited)
    check_contract_parts(endpoint, values, catalogue, errors, limited=limited)
    routes = _routes(values, errors)
    errors.raise_any()
    _check_cutoff(endpoint, values, entitlement)

    data_end = entitlement.data_end(endpoint)
    at = _moment(endpoint, values, data_end)
    start = integer(values, "from") or 0
    until = integer(values, "until") or 0
    inclusive = _INCLUSIVE if entitlement.until_inclusive else 0
    return Query(
        endpoint=endpoint,
        values=values,
        shape=_shape(endpoint, values, routes),
        contracts=named_contracts(endpoint, values, catalogue, start if "from" in values else at),
        narrowed=narrowing(values, catalogue) if limits.contract == "subset" else Narrowed(),
        start=start,
        until=until,
        end=min(until, data_end) + (inclusive if until <= data_end else 0),
        at=at,
        data_end=data_end,
        now=entitlement.now,
        steps=steps,
    )


def _moment(endpoint: Endpoint, values: Values, data_end: int) -> int:
    at = integer(values, "at")
    if at is not None:
        return min(at, data_end)
    return data_end - data_end % MINUTE if endpoint.limits.resolution == "minute" else data_end


def _check_cutoff(endpoint: Endpoint, values: Values, entitlement: Entitlement) -> None:
    if endpoint.limits.cutoff is None:
        return
    last = entitlement.last_instant(endpoint)
    for parameter, value in instants(endpoint, values):
        if value > last:
            raise Problem(
                HTTPStatus.UNAUTHORIZED,
                detail=f"The key is not entitled to data this late: {parameter.name} is after "
                "the end of the data.",
            )


def _routes(values: Values, errors: ValidationErrors) -> Routes:
    given = values.get("routes")
    if not isinstance(given, tuple):
        return Routes((min(ROUTES),))
    ids: set[int] = set()
    for text in map(str, given):
        route_ids = _route_ids(text)
        if not route_ids:
            errors.add("routes", f"The route '{text[:60]}' is not known.")
        ids.update(route_ids)
    return Routes(tuple(sorted(ids)), values.get("deduplicateRoutes") is not False)


def _route_ids(text: str) -> tuple[int, ...]:
    if text.lower() == _ALL_ROUTES:
        return tuple(ROUTES)
    if text.lower() in _ROUTE_NAMES:
        return (_ROUTE_NAMES[text.lower()],)
    return tuple(number for number in ROUTES if str(number) == text)


def _shape(endpoint: Endpoint, values: Values, routes: Routes) -> Shape:
    given = values.get("optionalFields")
    fields = {str(name) for name in given} if isinstance(given, tuple) else set[str]()
    whole = ("sequenceId", "sequenceItemId", "contractType")
    product_given = "instrumentId" in values or "marketId" in values
    fixed = product_given and all(name in values for name in whole)
    if endpoint.limits.contract == "subset" and not fixed:
        fields.add("contract")
    parameters = frozenset(name for name, value in values.items() if value is not False)
    return Shape(frozenset(fields), parameters & _parameters_of(endpoint.row), routes)


def _parameters_of(columns: Iterable[Column]) -> frozenset[str]:
    """The parameters that add columns, or members of columns."""
    names: frozenset[str] = frozenset()
    for column in columns:
        names |= {column.added_by or ""} | _parameters_of(column.fields)
    return names - {""}

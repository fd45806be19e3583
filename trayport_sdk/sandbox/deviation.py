"""One deviation from the OpenAPI document, and what deviations are made of."""

import datetime as dt
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, cast

from attrs import evolve, frozen
from trayport_spec import VENUES, Endpoint, Parameter

from .calendar import DAY, MINUTE
from .catalogue import Catalogue
from .contracts import named_contracts
from .faults import HTML_PAGE
from .params import RawQuery
from .problems import PROBLEM_JSON, Problem
from .query import Query

Row = dict[str, Any]
Headers = tuple[tuple[str, str], ...]
_WEEK = 7 * DAY
_MONDAY = 4 * DAY
MOST_ITEMS = 1000
_WIDE = 2**40


def _everywhere(_: Endpoint) -> bool:
    return True


def _same(value: Any, *_: object) -> Any:
    return value


@frozen
class Deviation:
    """What one deviation changes.

    Attributes:
        where: The operations whose requests it changes.
        words: The names and texts of the query.
        rules: The operation that the query is checked against.
        query: The checked query.
        document: The decoded JSON of a response.
        headers: The headers of a response.
        problem: A refusal.
        compressed: Whether bodies are compressed.
        separate_allowances: Whether each API counts requests by itself.
    """

    where: Callable[[Endpoint], bool] = _everywhere
    words: Callable[[RawQuery, Endpoint], RawQuery] = _same
    rules: Callable[[Endpoint], Endpoint] = _same
    query: Callable[[Query, Catalogue], Query] = _same
    document: Callable[[Any, Query], Any] = _same
    headers: Callable[[Headers], Headers] = _same
    problem: Callable[[Problem], Problem] = _same
    compressed: bool = True
    separate_allowances: bool = False

    @property
    def changes_responses(self) -> bool:
        """Whether the response to a request that is not refused may be another."""
        return not self.compressed or self.document is not _same or self.headers is not _same


def only(operation: str, *more: str) -> Callable[[Endpoint], bool]:
    return lambda endpoint: endpoint.operation_id in (operation, *more)


# What is changed in the words of a query.


def word(name: str, text: str, where: Callable[[Endpoint], bool] = _everywhere) -> Deviation:
    """A parameter that is there without being given."""

    def change(words: RawQuery, _: Endpoint) -> RawQuery:
        return {name.lower(): [text], **words}

    return Deviation(where=where, words=change)


def reword(name: str, change: Callable[[list[str | None]], list[str | None]]) -> Deviation:
    """Other texts of a parameter that is given."""

    def words(words: RawQuery, _: Endpoint) -> RawQuery:
        given = words.get(name.lower())
        return words if given is None else {**words, name.lower(): change(given)}

    return Deviation(words=words)


def refuse_years(words: RawQuery, endpoint: Endpoint) -> RawQuery:
    for parameter in endpoint.parameters:
        for text in words.get(parameter.name.lower(), ()):
            if parameter.type == "instant" and len(text or "") == len("2024"):
                _refuse(parameter.name, "The value is not valid.")
    return words


def _refuse(parameter: str, message: str) -> None:
    raise Problem(HTTPStatus.BAD_REQUEST, errors={parameter: [message]})


# What is changed in the rules.


def limits(where: Callable[[Endpoint], bool] = _everywhere, **changes: Any) -> Deviation:
    def rules(endpoint: Endpoint) -> Endpoint:
        return evolve(endpoint, limits=evolve(endpoint.limits, **changes))

    return Deviation(where=where, rules=rules)


def unaligned(unit: str) -> Deviation:
    def rules(endpoint: Endpoint) -> Endpoint:
        aligned = tuple(grid for grid in endpoint.limits.aligned if grid.unit != unit)
        return evolve(endpoint, limits=evolve(endpoint.limits, aligned=aligned))

    return Deviation(rules=rules)


def parameter(name: str, **changes: Any) -> Deviation:
    def changed(parameter: Parameter) -> Parameter:
        return evolve(parameter, **changes) if parameter.name == name else parameter

    def rules(endpoint: Endpoint) -> Endpoint:
        return evolve(endpoint, parameters=tuple(map(changed, endpoint.parameters)))

    return Deviation(rules=rules)


def larger_batches(endpoint: Endpoint) -> Endpoint:
    parameters = tuple(
        evolve(p, max_items=MOST_ITEMS) if p.max_items is not None else p
        for p in endpoint.parameters
    )
    batch = endpoint.batch
    if batch.by == "items":
        batch = evolve(batch, maximum=MOST_ITEMS)
    return evolve(endpoint, parameters=parameters, batch=batch)


def wider_counts(endpoint: Endpoint) -> Endpoint:
    parameters = tuple(
        evolve(p, maximum=_WIDE) if p.maximum == 2**31 - 1 else p for p in endpoint.parameters
    )
    return evolve(endpoint, parameters=parameters)


def shorter_ranges(endpoint: Endpoint) -> Endpoint:
    ranges = tuple(evolve(r, max_days=r.max_days - 2) for r in endpoint.limits.ranges)
    return evolve(endpoint, limits=evolve(endpoint.limits, ranges=ranges))


# What is changed in the meaning of a checked query.


def until_now_at_most(query: Query, _: Catalogue) -> Query:
    if query.until > query.now:
        _refuse("until", "The value must not lie in the future.")
    return query


def until_inclusive(query: Query, _: Catalogue) -> Query:
    return evolve(query, until=query.until + 1)


def trading_items_from_now(query: Query, catalogue: Catalogue) -> Query:
    if "tradingItems" not in query.values:
        return query
    values = dict(query.values)
    return evolve(query, contracts=named_contracts(query.endpoint, values, catalogue, query.now))


# What is changed in the rows.


def rows_of(document: Any, query: Query) -> list[Row]:
    """The rows in the document of a response."""
    endpoint = query.endpoint
    if endpoint.rows_at is not None:
        return cast("list[Row]", document[endpoint.rows_at])
    return cast("list[Row]", document if endpoint.root == "array" else [document])


def _objects(value: Any) -> Iterator[Row]:
    """An object or list, and every object within it."""
    if isinstance(value, dict):
        yield cast("Row", value)
        value = list(cast("Row", value).values())
    if isinstance(value, list):
        for element in cast("list[object]", value):
            yield from _objects(element)


def rows(
    change: Callable[[list[Row], Query], object], where: Callable[[Endpoint], bool] = _everywhere
) -> Deviation:
    def document(document: Any, query: Query) -> Any:
        change(rows_of(document, query), query)
        return document

    return Deviation(where=where, document=document)


def each(
    change: Callable[[Row], object],
    where: Callable[[Endpoint], bool] = _everywhere,
    *,
    every: int = 1,
) -> Deviation:
    """Changes each row, or one of so many, the last of them."""

    def change_all(rows: list[Row], _: Query) -> None:
        for row in rows[every - 1 :: every]:
            change(row)

    return rows(change_all, where)


def setting(name: str, change: Callable[[Any], Any]) -> Callable[[Row], object]:
    """Another value of a field that is there."""

    def set_it(row: Row) -> None:
        if name in row:
            row[name] = change(row[name])

    return set_it


def without_first(rows: list[Row], query: Query) -> None:
    time = query.endpoint.time_column
    if time is not None and query.has_range:
        rows[:] = [row for row in rows if row[time] != query.start]


def empty_candles(change: Callable[[Row], object]) -> Deviation:
    def change_empty(row: Row) -> None:
        if row["volume"] == 0:
            change(row)

    return each(change_empty, only("get_ohlcv"))


def zero_prices(row: Row) -> None:
    row |= {name: 0.0 for name in ("open", "high", "low", "close", "vwap") if name in row}


def zero_times(row: Row) -> None:
    row |= {name: 0 for name in ("openTimestamp", "closeTimestamp") if name in row}


def from_mondays(rows: list[Row], query: Query) -> None:
    if query.steps is not None and (query.steps.count, query.steps.unit) == (7, "day"):
        for row in rows:
            start = row["fromTimestamp"] - (row["fromTimestamp"] - _MONDAY) % _WEEK
            row |= {"fromTimestamp": start, "toTimestamp": start + _WEEK}


def texts_for_ids(row: Row) -> None:
    for inside in _objects(row):
        for name in inside:
            if name == "routeId" or name.endswith(("CompanyId", "TraderId", "UserId")):
                inside[name] = str(inside[name])


def day_first(text: Any) -> Any:
    return text and f"{dt.datetime.fromisoformat(text):%d.%m.%Y}"


def order_since_ever(provenance: str, day: str) -> Deviation:
    """Orders of the venues that rest on an assumption, before they can have any."""
    codes = [v.code for v in VENUES.values() if provenance in v.provenance.assumptions]
    first = int(dt.datetime.fromisoformat(f"{day}T12:00Z").timestamp()) * 10**9

    def change(rows: list[Row], query: Query) -> None:
        if query.start <= first < query.end and "venueCode" in query.shape.fields:
            orders = [{"price": 10.0, "quantity": 5.0, "venueCode": code} for code in codes]
            rows.insert(0, {"timestamp": first, "bids": orders, "asks": []})

    return rows(change, only("get_order_book"))


def first_order(change: Callable[[Row], object]) -> Callable[[Row], None]:
    def change_first(row: Row) -> None:
        for order in row["bids"][:1]:
            change(order)

    return change_first


def later(document: Any, _: Query) -> Any:
    return document | {"timestamp": document["timestamp"] + MINUTE}


def renamed(old: str, new: str) -> Callable[[Row], object]:
    def rename(row: Row) -> None:
        if old in row:
            row[new] = row.pop(old)

    return rename


def reverse(rows: list[Row], _: Query) -> None:
    rows.reverse()


def reverse_sides(row: Row) -> None:
    for side in ("bids", "asks"):
        row[side].reverse()


def cut_short(rows: list[Row], _: Query) -> None:
    del rows[250:]


def in_an_object(document: Any, _: Query) -> Any:
    return {"items": document}


# What is changed in refusals and headers.


class _Page(Problem):
    """A refusal with a page as its body."""

    def body(self) -> bytes:
        return HTML_PAGE


class _OddProblem(Problem):
    """A refusal whose document has members of odd types."""

    def body(self) -> bytes:
        return super().body().replace(b'"about:blank"', b"17")


def as_page(problem: Problem) -> Problem:
    if problem.status == HTTPStatus.BAD_REQUEST:
        return problem
    headers = {**problem.headers, "content-type": "text/html"}
    return _Page(problem.status, problem.title, headers=headers)


def odd(problem: Problem) -> Problem:
    return _OddProblem(
        problem.status,
        problem.title,
        detail=problem.detail,
        errors=problem.errors,
        headers=problem.headers,
    )


def wait_in_words(problem: Problem) -> Problem:
    if "retry-after" in problem.headers:
        problem.headers = {**problem.headers, "retry-after": "a moment"}
    return problem


def status(old: int, new: int) -> Callable[[Problem], Problem]:
    def change(problem: Problem) -> Problem:
        if problem.status != old:
            return problem
        return Problem(new, detail=problem.detail, headers={"content-type": PROBLEM_JSON})

    return change


def without(name: str) -> Callable[[Headers], Headers]:
    return lambda headers: tuple(header for header in headers if header[0] != name)


def text(value: object) -> object:
    return None if value is None else str(value)


def price(change: Callable[[float], float]) -> Callable[[Row], object]:
    return setting("price", lambda price: price and change(price))

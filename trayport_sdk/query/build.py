"""The query of a call, which keeps every rule. Pure: nothing is sent here."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from attrs import evolve
from trayport_spec import Endpoint

from ..errors import TrayportHistoryWarning, TrayportValidationError, missing
from . import rules
from .contracts import ContractSpec
from .params import check_known, parameters_by_argument
from .plan import BulkMarketQuery, QueryPlan, alone
from .times import Interval, TimeLike, Window, floored, instant, interval_of, to_text

_PACKAGE = str(Path(__file__).parents[1])
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
    data_end = rules.data_end(endpoint, now, intraday=intraday)
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
        "options": rules.options(endpoint, **options),
    }
    query = QueryPlan(**parts)
    if scope is not None:
        parts.update(scope)
        query = BulkMarketQuery(**parts)
    checked = query
    if endpoint.limits.contract is not None and scope is None:
        checked = alone(query, contracts[0] if contracts else _ANY)
    latest = rules.latest(endpoint, now, intraday=intraday)
    rules.check(endpoint, checked.arguments(), latest=latest, intraday=intraday, whole=True)
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
            suggestion="start earlier" + ("" if intraday else rules.INTRADAY),
        )
    return Window(start, data_end)


def _warn_of_missing_history(endpoint: Endpoint, query: QueryPlan) -> None:
    start = query.at if query.window is None else query.window.start
    if start is None:
        return
    private = query.options.include_private
    sentence = rules.missing_history(endpoint, start, include_private=private)
    if sentence is not None:
        warnings.warn(sentence, TrayportHistoryWarning, stacklevel=_depth())


def _depth() -> int:
    """How far up the stack the code outside of this package is that a warning points to."""
    level, frame = 0, inspect.currentframe()
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    return level


def about(query: QueryPlan, contracts: Sequence[ContractSpec]) -> QueryPlan:
    """The same query about these contracts."""
    return evolve(query, contracts=tuple(dict.fromkeys(contracts)))

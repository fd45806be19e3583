"""Whole markets: which contracts traded, and everything about them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from numbers import Integral
from typing import TYPE_CHECKING, Any

from attrs import frozen
from trayport_spec import ENDPOINTS

from ..bulk.progress import Total
from ..bulk.results import MarketData, RunResult
from ..bulk.runner import Runner
from ..errors import TrayportError, TrayportValidationError
from ..query.contracts import ContractSpec
from ..query.plan import QueryPlan
from ..query.planner import plan
from ..query.rules import listed_values
from ..query.times import Interval, TimeLike, Window, floored, instant, to_text
from ..tables import ActivityResponse
from .catalog import Product

if TYPE_CHECKING:
    from trayport_api.models import SequenceItem

    from ..bulk.progress import OnProgress
    from .resolve import Resolver

_MINUTE, _HOUR, _DAY = Interval(1, "minute"), Interval(1, "hour"), Interval(1, "day")


@frozen
class _Candidates:
    """The contracts of some markets that may have traded, and the requests that listed them.

    `certain` when only the minutes at both ends of the range are in doubt.
    """

    contracts: tuple[ContractSpec, ...]
    requests: int
    certain: bool


class Markets:
    """Finds the contracts of markets, and fetches what there is about them."""

    def __init__(self, runner: Runner, resolver: Resolver) -> None:
        self._runner = runner
        self._resolver = resolver
        self._catalog = resolver.catalog

    async def data(
        self,
        names: Sequence[str],
        from_: TimeLike,
        until: TimeLike | None,
        *,
        max_requests: int,
        on_progress: OnProgress | None = None,
    ) -> dict[str, MarketData]:
        """Everything about the contracts of some markets that traded in a range."""
        if isinstance(max_requests, bool) or not isinstance(max_requests, Integral):
            raise TrayportValidationError(
                f"max_requests {max_requests!r} is not a whole number",
                parameter="max_requests",
                suggestion="give the most requests it may take",
            )
        window = self._window(from_, until)
        before = self._catalog.look_ups
        ids = {name: (await self._resolver.market(name)).id for name in dict.fromkeys(names)}
        listed = await self._candidates(set(ids.values()), window, before, max_requests)
        trades = plan(self._about(listed.contracts, "trades", window)) if listed.contracts else []
        planned = listed.requests + len(trades)
        rest = len(self._rest(listed.contracts, window)) if listed.certain else 0
        _check_affordable(planned + rest, max_requests, exactly=listed.certain)
        total = None if on_progress is None else Total(on_progress)
        came = await self._runner.run_result(trades, total and total.of_run(rest))
        silent = _silent(came)
        others = self._rest([c for c in listed.contracts if c not in silent], window)
        _check_affordable(planned + len(others), max_requests, exactly=True)
        more = await self._runner.run_result(others, total and total.of_run(0))
        traded = came.added(more).of_contracts(lambda contract: contract not in silent)
        return {
            name: MarketData(name, market_id, traded, listed.requests)
            for name, market_id in ids.items()
        }

    def _window(self, from_: TimeLike, until: TimeLike | None) -> Window:
        window = self._runner.query("trades", from_=from_, until=until).window
        if window is None:  # pragma: no cover
            raise AssertionError("trades are about a range")
        return window

    async def _candidates(
        self, market_ids: set[int], window: Window, look_ups: int, max_requests: int
    ) -> _Candidates:
        """From trading activity as far as it reaches back, before that from the sequence items."""
        earliest = ENDPOINTS["get_activity"].limits.earliest_from
        first = window.start if earliest is None else instant(earliest, "from_")
        catalog = self._catalog
        contracts: dict[ContractSpec, None] = {}
        requests = -look_ups  # of the catalogue, before this call
        if window.end > first:
            start = floored(max(window.start, first), _MINUTE)
            query = self._runner.query(
                "activity",
                from_=to_text(start),
                until=to_text(-floored(-window.end, _MINUTE)),
                optional_fields=["market_id"],
            )
            requests += len(plan(query))
            _check_affordable(catalog.look_ups + requests, max_requests, exactly=False)
            activity = await self._runner.table(ActivityResponse, query)
            contracts |= dict.fromkeys(_of_markets(activity, market_ids))
        if window.start < first:
            early = Window(window.start, min(first, window.end))
            for market_id in market_ids:
                sequences = await catalog.sequences(Product(True, market_id))
                needed = catalog.look_ups + requests + catalog.unread(s.id for s in sequences)
                _check_affordable(needed, max_requests, exactly=False)
                for sequence in sequences:
                    items = (await catalog.items(sequence.id)).rows
                    contracts |= {
                        ContractSpec(
                            market_id=market_id,
                            sequence_id=sequence.id,
                            sequence_item_id=item.id,
                        ): None
                        for item in items
                        if _tradable(item, early)
                    }
        needed = catalog.look_ups + requests + catalog.unread({c.sequence_id for c in contracts})
        _check_affordable(needed, max_requests, exactly=False)
        named = await self._named(contracts)
        requests += catalog.look_ups
        return _Candidates(named, requests, certain=window.start >= first)

    async def _named(self, contracts: Iterable[ContractSpec]) -> tuple[ContractSpec, ...]:
        """The contracts with their names; without, where reference data cannot be had or kept."""
        if self._catalog.cache.keeps:
            with suppress(TrayportError):
                return tuple(await self._catalog.named(contracts))
        return tuple(contracts)

    def _about(
        self,
        contracts: Sequence[ContractSpec],
        endpoint: str,
        window: Window,
        interval: Interval | None = None,
    ) -> QueryPlan:
        return self._runner.query(
            endpoint,
            contracts,
            from_=to_text(window.start),
            until=to_text(window.end),
            interval=interval,
        )

    def _rest(self, contracts: Sequence[ContractSpec], window: Window) -> list[QueryPlan]:
        """The requests for everything but the trades."""
        if not contracts:
            return []
        days = Window(floored(window.start, _DAY), -floored(-window.end, _DAY))
        at = to_text(floored(window.end, _MINUTE))
        return [
            *plan(self._about(contracts, "ohlcv", days, interval=_DAY)),
            *plan(self._about(contracts, "order_book_top", window, interval=_HOUR)),
            *plan(self._runner.query("snapshots", contracts, at=at)),
        ]


def listed_markets(markets: str | Sequence[str]) -> list[str]:
    """The names of an argument that takes one market or several.

    Raises:
        TrayportValidationError: There are none, or something among them is no name.
    """
    names: list[Any] = list(listed_values(markets))
    for name in names:
        if not isinstance(name, str):
            raise TrayportValidationError(
                f"markets has {name!r}, which is no name",
                parameter="markets",
                suggestion='give names such as "TTF Hi Cal 51.6*"',
            )
    if not names:
        raise TrayportValidationError(
            "markets is empty", parameter="markets", suggestion="give at least one name"
        )
    return names


def _of_markets(activity: ActivityResponse, market_ids: set[int]) -> Iterator[ContractSpec]:
    """The contracts of markets in trading activity, which lists those of instruments."""
    for row in activity:
        if row.market_id in market_ids:
            yield ContractSpec(
                market_id=row.market_id,
                sequence_id=row.sequence_id,
                sequence_item_id=row.sequence_item_id,
                second_sequence_item_id=row.second_sequence_item_id,
                contract_type=row.contract_type.value,
            )


def _tradable(item: SequenceItem, window: Window) -> bool:
    """Whether an item could be traded at some time of a range; one without dates always can."""
    begins, ends = item.trading_start, item.trading_end
    begun = begins is None or instant(begins, "trading_start") < window.end
    return begun and (ends is None or instant(ends, "trading_end") > window.start)


def _silent(came: RunResult) -> set[ContractSpec]:
    """The contracts that had no trade, as far as is known."""
    unknown = {contract for failure in came.failures for contract in failure.contracts}
    return {
        contract
        for contract, rows in came.rows.items()
        if contract not in unknown and not any(part.frame.height for part in rows)
    }


def _check_affordable(requests: int, max_requests: int, *, exactly: bool) -> None:
    if requests > max_requests:
        raise TrayportValidationError(
            f"max_requests {max_requests} is not enough: it takes "
            f"{'' if exactly else 'at least '}{requests} requests",
            parameter="max_requests",
            limit=str(max_requests),
            suggestion="raise max_requests, or ask for a shorter range or fewer markets",
        )

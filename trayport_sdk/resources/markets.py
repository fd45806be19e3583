"""Whole markets: which contracts traded, and everything about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen
from trayport_spec import ENDPOINTS

from ..bulk.market_data import MarketData
from ..bulk.progress import Total
from ..bulk.results import (
    BulkQueryResult,
    BulkSnapshotsResponse,
    BulkTradesResponse,
    Ran,
    Rerun,
    ran,
)
from ..bulk.runner import Runner
from ..errors import TrayportValidationError
from ..query.contracts import ContractSpec
from ..query.params import listed_values
from ..query.plan import QueryPlan
from ..query.planner import plan
from ..query.times import Interval, TimeLike, Window, floored, instant, to_text
from ..tables import (
    ActivityResponse,
    OHLCVResponse,
    OrderBookTopResponse,
    SnapshotsResponse,
    TradesResponse,
)

if TYPE_CHECKING:
    from trayport_api.models import SequenceItem

    from ..bulk.progress import OnProgress

_MINUTE, _HOUR, _DAY = Interval(1, "minute"), Interval(1, "hour"), Interval(1, "day")


@frozen
class _Candidates:
    """The contracts of some markets that may have traded, and the requests it took to find them.

    `certain` when only the minutes at both ends of the range are in doubt.
    """

    contracts: tuple[ContractSpec, ...]
    requests: int
    certain: bool


class Markets:
    """Finds the contracts of markets, and fetches what there is about them."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

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
        before = self._runner.catalog.look_ups
        ids = {name: await self._runner.catalog.market(name) for name in dict.fromkeys(names)}
        found = await self._candidates(set(ids.values()), window, before, max_requests)
        trades = plan(self._about(found.contracts, "trades", window)) if found.contracts else []
        planned = found.requests + len(trades)
        rest = len(self._rest(found.contracts, window)) if found.certain else 0
        _check_affordable(planned + rest, max_requests, exactly=found.certain)
        total = None if on_progress is None else Total(on_progress)
        came = await self._runner.outcomes(trades, total and total.of_run(rest))
        silent = _silent(ran(trades, came))
        others = self._rest([one for one in found.contracts if one not in silent], window)
        _check_affordable(planned + len(others), max_requests, exactly=True)
        more = await self._runner.outcomes(others, total and total.of_run(0))
        whole = ran([*trades, *others], [*came, *more])
        heard = evolve(whole, shares={c: s for c, s in whole.shares.items() if c not in silent})
        return {
            name: _market_data(name, market_id, heard, self._runner.ran, found.requests)
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
        catalog = self._runner.catalog
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
                sequences = await catalog.sequences(market_id)
                needed = catalog.look_ups + requests + catalog.unread(sequences)
                _check_affordable(needed, max_requests, exactly=False)
                for sequence in sequences:
                    items = await catalog.items(sequence.id)
                    contracts |= {
                        ContractSpec(
                            market_id=market_id,
                            sequence_id=sequence.id,
                            sequence_item_id=item.id,
                        ): None
                        for item in items
                        if _tradable(item, early)
                    }
        requests += catalog.look_ups
        return _Candidates(tuple(contracts), requests, certain=window.start >= first)

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


def _market_data(
    name: str, market_id: int, whole: Ran, rerun: Rerun, requests_to_find: int
) -> MarketData:
    """What came for one of the markets."""

    def part(endpoint: str) -> Ran:
        def belongs(query: QueryPlan) -> bool:
            return query.endpoint == endpoint and query.contracts[0].market_id == market_id

        shares = {
            contract: [share for share in some if belongs(share.query)]
            for contract, some in whole.shares.items()
            if contract.market_id == market_id
        }
        failures = tuple(failure for failure in whole.failures if belongs(failure.query))
        return Ran(shares, failures)

    return MarketData(
        name,
        BulkTradesResponse(TradesResponse, part("trades"), rerun),
        BulkQueryResult(OHLCVResponse, part("ohlcv"), rerun),
        BulkQueryResult(OrderBookTopResponse, part("order_book_top"), rerun),
        BulkSnapshotsResponse(SnapshotsResponse, part("snapshots"), rerun),
        requests_to_find,
    )


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
        if row.market_id in market_ids and isinstance(row.market_id, int):
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


def _silent(came: Ran) -> set[ContractSpec]:
    """The contracts that had no trade, as far as is known."""
    unknown = {contract for failure in came.failures for contract in failure.contracts}
    return {
        contract
        for contract, shares in came.shares.items()
        if contract not in unknown and not any(share.frame.height for share in shares)
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

"""Trades."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from trayport_api.api.trades import get_trades
from trayport_api.models import TradeOptionalField
from trayport_api.types import UNSET, Unset
from trayport_spec import ENDPOINTS

from .. import executor, rules
from ..contracts import ContractSpec
from ..decode import columns_asked
from ..http.calls import Call
from ..planner import TradesQuery, plan_trades
from ..responses import TradesResponse
from ..times import TimeLike, Window, data_cutoff, to_text

if TYPE_CHECKING:
    from ..catalog import Catalog
    from ..http.wire import Fetch

Routes = str | int | Sequence[str | int]


class TradesGroup:
    """Trades of contracts over ranges of any length."""

    def __init__(
        self,
        fetch: Fetch,
        catalog: Catalog,
        *,
        concurrency: Callable[[], int],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._fetch = fetch
        self._catalog = catalog
        self._concurrency = concurrency
        self._now = now

    async def get_trades(
        self,
        contracts: ContractSpec | str | Sequence[ContractSpec | str],
        from_: TimeLike,
        until: TimeLike | None = None,
        *,
        include_private: bool = False,
        routes: Routes | None = None,
        deduplicate_routes: bool | None = None,
        optional_fields: Sequence[str] = (),
        on_progress: executor.OnProgress | None = None,
    ) -> TradesResponse:
        """The trades of one or many contracts in `[from_, until)`, in time order.

        Long ranges are cut into windows the API accepts, and contracts that may share requests do.
        Every row of the range is returned exactly once, whichever way the service reads `until`.

        Args:
            contracts: One contract or several, as `ContractSpec`, as machine symbols, or by name
                such as `"TTF Hi Cal 51.6* Apr-24"`.
            from_: The start, inclusive. Naive times mean UTC.
            until: The end, exclusive; the end of the data when it is left out, which is the start
                of the current day in UTC [documented].
            include_private: Whether your own trades carry their private details.
            routes: Routes to market by name or id, or `"all"`; the lowest-numbered one when left
                out [documented].
            deduplicate_routes: Whether a trade that came over several routes is returned once; the
                service does so when several routes are asked for [documented].
            optional_fields: Columns to add, in any case, such as `"route_id"`. With several
                contracts, `contract` is always added.
            on_progress: Called after every answer with a `Progress`.

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportLookupError: A name names nothing.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: An answer did not come, or broke off.
            TrayportDecodeError: An answer is not what the API promises.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     trades = await client.trades.get_trades(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05"
            ...     )
            >>> trades.to_polars().columns
            ['trade_id', 'venue_code', 'deal_date', 'price', 'quantity', 'aggressor_buy']
        """
        endpoint = ENDPOINTS["get_trades"]
        cutoff = data_cutoff(self._now())
        window = Window.between(from_, to_text(cutoff) if until is None else until)
        rules.not_in_the_future(window, cutoff)
        fields = rules.optional_fields(endpoint, optional_fields)
        resolved = [await self._catalog.resolve(one) for one in rules.listed(contracts)]
        queries = plan_trades(resolved, window)
        if len(set(resolved)) > 1 and "contract" not in fields:
            fields = (*fields, "contract")
        calls = [
            (
                query.window,
                _call(query, fields, include_private, _routes(routes), deduplicate_routes),
            )
            for query in queries
        ]
        given = [
            name
            for name, is_given in (
                ("includePrivate", include_private),
                ("routes", routes is not None),
            )
            if is_given
        ]
        pieces = await executor.run(
            calls,
            self._fetch,
            columns_asked(fields, given),
            concurrency=self._concurrency(),
            on_progress=on_progress,
        )
        return TradesResponse.of(pieces)


def _routes(routes: Routes | None) -> list[str] | Unset:
    if routes is None:
        return UNSET
    return [str(route) for route in ([routes] if isinstance(routes, str | int) else routes)]


def _call(
    query: TradesQuery,
    fields: Sequence[str],
    include_private: bool,
    routes: list[str] | Unset,
    deduplicate_routes: bool | None,
) -> Call:
    first = query.contracts[0]
    kwargs = get_trades.get_kwargs(
        market_id=UNSET if first.market_id is None else first.market_id,
        instrument_id=UNSET if first.instrument_id is None else first.instrument_id,
        sequence_id=first.sequence_id,
        sequence_item_id=[contract.sequence_item_id for contract in query.contracts],
        second_sequence_item_id=(
            UNSET if first.second_sequence_item_id is None else first.second_sequence_item_id
        ),
        contract_type=first.contract_type,
        from_=to_text(query.window.start),
        until=to_text(query.window.end),
        include_private=include_private or UNSET,
        routes=routes,
        deduplicate_routes=UNSET if deduplicate_routes is None else deduplicate_routes,
        optional_fields=[TradeOptionalField(name) for name in fields] or UNSET,
    )
    return Call.of("get_trades", kwargs)

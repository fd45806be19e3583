"""Rows of trades, and of your own trades."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl
from attrs import frozen
from trayport_spec import Column

from trayport_sdk.sandbox.calendar import DAY
from trayport_sdk.sandbox.contract import Contract
from trayport_sdk.sandbox.engine import (
    ROUTES,
    VENUE_CODES,
    YOUR_COMPANY_ID,
    YOUR_COMPANY_NAME,
    YOUR_TRADERS,
    Engine,
    Trades,
)
from trayport_sdk.sandbox.feeds import SEPARATE_FEEDS, over_routes, with_private
from trayport_sdk.sandbox.noise import I64
from trayport_sdk.sandbox.questions import Question, Routes, Shape
from trayport_sdk.sandbox.render import Makers, Media, Rows, frame_of, rows
from trayport_sdk.sandbox.trades import AGGRESSOR, INITIATOR

Bools = npt.NDArray[np.bool_]

_CLASSIFICATION = "Physical Forward"
# Requests and answers name the kinds of contracts differently.
ANSWERED_KINDS = {"SinglePeriod": "SinglePeriod", "Spread": "PeriodSpread", "Range": "PeriodRange"}
_SIDES = (("aggressor", AGGRESSOR), ("initiator", INITIATOR))
_FLAGS = (
    ("fromBrokenSpread", "from_broken_spread"),
    ("initiatorOwnedSpread", "initiator_owned_spread"),
    ("aggressorOwnedSpread", "aggressor_owned_spread"),
    ("aggressorSleeve", "aggressor_sleeve"),
    ("initiatorSleeve", "initiator_sleeve"),
)


@frozen(eq=False)
class Records:
    """Trades as they are answered: a record per route or feed may make several of one."""

    trades: Trades
    contract: Contract
    route: I64
    private: Bools


@frozen(eq=False)
class Tape:
    """Rendered rows in order of time, and the time of each."""

    rows: Rows
    times: I64

    def between(self, start: int, end: int) -> bytes:
        return self.rows.cut(*self._within(start, end))

    def part(self, start: int, end: int) -> "Tape":
        first, last = self._within(start, end)
        return Tape(self.rows.part(first, last), self.times[first:last])

    def _within(self, start: int, end: int) -> tuple[int, int]:
        first, last = np.searchsorted(self.times, (start, end)).tolist()
        return first, last

    @property
    def nbytes(self) -> int:
        return len(self.rows.data) + self.rows.starts.nbytes + self.times.nbytes


def render_trades(engine: Engine, question: Question, media: Media, days: range) -> Tape:
    """All trades of some whole UTC days of the contracts of a question, by time."""
    columns, shape = question.endpoint.row, question.shape
    private = "includePrivate" in shape.bringing
    found: list[Records] = []
    for contract in question.contracts:
        trades = engine.trades(contract, days.start * DAY, days.stop * DAY)
        if len(trades):
            found.append(records(trades, contract, shape.routes, private=private))
    if not found:
        return Tape(Rows(b"", np.zeros(1, np.int64)), np.zeros(0, np.int64))
    frames = [frame_of(columns, shape, trade_makers(part), len(part.trades)) for part in found]
    frame, times = _by_time(frames, [part.trades.time for part in found])
    return Tape(rows(columns, shape, frame, media), times)


def _by_time(frames: Sequence[pl.DataFrame], times: Sequence[I64]) -> tuple[pl.DataFrame, I64]:
    """Frames as one, by time; what happened at once stays in the order of the frames."""
    if len(frames) == 1:
        return frames[0], times[0]
    together = np.concatenate(times)
    order = np.argsort(together, kind="stable")
    # Only frames with private rows have all the columns of both sides.
    return pl.concat(frames, how="diagonal")[order], together[order]


def records(trades: Trades, contract: Contract, routes: Routes, *, private: bool) -> Records:
    """The records of trades: over the routes asked for, and twice where feeds are separate."""
    index, route = over_routes(trades.routes, routes)
    if not private:
        return Records(_taken(trades, index), contract, route, np.zeros(len(index), np.bool_))
    copies, is_private = with_private(trades.own[index] > 0, trades.venue[index])
    return Records(_taken(trades, index[copies]), contract, route[copies], is_private)


def _taken(trades: Trades, index: I64) -> Trades:
    if len(index) == len(trades) and (index == np.arange(len(trades))).all():
        return trades
    return trades.where(index)  # type: ignore[arg-type]  # rows may repeat


def trade_makers(part: Records) -> Makers:
    """How each column of a trade is made, by its name on the wire."""
    trades = part.trades
    makers: dict[str, Callable[[], pl.Series]] = {
        "tradeId": lambda: _ids(part),
        "venueCode": lambda: _gathered(VENUE_CODES, trades.venue),
        "dealDate": lambda: pl.Series(trades.time),
        "price": lambda: pl.Series(trades.prices()),
        "quantity": lambda: pl.Series(trades.quantities()),
        "aggressorBuy": lambda: pl.Series(trades.aggressor_buy),
        "lastUpdated": lambda: pl.Series(trades.last_updated),
        "privateFields": lambda: pl.Series(part.private),
    }
    for name, attribute in _FLAGS:
        makers[name] = partial(pl.Series, values=getattr(trades, attribute))
    makers |= route_makers(part.route)
    makers |= contract_makers(part.contract, len(trades))
    if part.private.any():
        makers |= _party_makers(part, "privateFields.")
    else:
        makers["privateFields.productClassification"] = partial(
            _constant, None, pl.String, len(trades)
        )
    return makers


def route_makers(route: I64) -> dict[str, Callable[[], pl.Series]]:
    names = [ROUTES.get(number, "") for number in range(max(ROUTES) + 1)]
    return {
        "route": lambda: _gathered(names, route),
        "routeId": lambda: pl.Series(route),
    }


def contract_makers(contract: Contract, height: int) -> dict[str, Callable[[], pl.Series]]:
    """The members of a contract column."""
    product_ids = {contract.product: contract.product_id}
    numbers = {
        "marketId": product_ids.get("market"),
        "instrumentId": product_ids.get("instrument"),
        "sequenceId": contract.sequence_id,
        "sequenceItemId": contract.item_id,
        "secondSequenceItemId": contract.second_item_id,
    }
    makers: dict[str, Callable[[], pl.Series]] = {
        "contract.contractType": partial(
            _constant, ANSWERED_KINDS[contract.kind], pl.String, height
        )
    }
    for name, number in numbers.items():
        makers[f"contract.{name}"] = partial(_constant, number, pl.Int64, height)
    return makers


def _constant(value: object, kind: type[pl.DataType], height: int) -> pl.Series:
    return pl.Series([value], dtype=kind).new_from_index(0, height)


def _party_makers(part: Records, prefix: str) -> dict[str, Callable[[], pl.Series]]:
    """Both sides of a trade: your own has names and ids, the other one is unknown."""
    trades = part.trades
    makers: dict[str, Callable[[], pl.Series]] = {
        f"{prefix}productClassification": partial(
            _constant, _CLASSIFICATION, pl.String, len(trades)
        ),
    }
    traders, names = tuple(YOUR_TRADERS), tuple(YOUR_TRADERS.values())
    who = trades.number % len(traders)
    for side, meaning in _SIDES:
        mine = trades.own == meaning
        flagged = mine & (trades.number % 2 == 0)
        party = f"{prefix}{side}"
        makers |= {
            f"{party}CompanyId": partial(pl.Series, values=mine * YOUR_COMPANY_ID),
            f"{party}TraderCompanyName": partial(
                _gathered, ("", YOUR_COMPANY_NAME), mine.astype(np.int64)
            ),
            f"{party}TraderId": partial(pl.Series, values=mine * np.array(traders)[who]),
            f"{party}TraderName": partial(_gathered, ("", *names), mine * (1 + who)),
            f"{party}DerivativeIndicator": partial(pl.Series, values=flagged),
        }
    return makers


def _ids(part: Records) -> pl.Series:
    ids = pl.Series(part.trades.trade_ids(), dtype=pl.String)
    private = part.private & SEPARATE_FEEDS[part.trades.venue]
    if not private.any():
        return ids
    renamed = ids.str.replace(" Public$", " Private")
    return pl.select(pl.when(pl.Series(private)).then(renamed).otherwise(ids)).to_series()


def _gathered(texts: Sequence[str], index: I64 | npt.NDArray[np.int16]) -> pl.Series:
    return pl.Series(texts, dtype=pl.String).gather(index.astype(np.int64))


def private_frame(engine: Engine, question: Question) -> pl.DataFrame:
    """Your trades, by time; of the instruments, or of the market if that was asked for."""
    narrowed = question.narrowed
    found = engine.private_trades(
        question.start,
        max(question.start, question.end),
        product=narrowed.product,
        product_id=narrowed.product_id,
        sequence_id=narrowed.sequence_id,
    )
    parts = [
        _private_records(contract, trades, question)
        for contract, trades in sorted(found, key=lambda pair: _order(pair[0]))
        if narrowed.admits(contract)
    ]
    columns, shape = question.endpoint.row, question.shape
    frames = [_private_part(columns, shape, part) for part in parts]
    if not frames:
        return pl.DataFrame()
    return _by_time(frames, [part.trades.time for part in parts])[0]


def _private_records(contract: Contract, trades: Trades, question: Question) -> Records:
    narrowed = question.narrowed
    index, route = over_routes(trades.routes, question.shape.routes)
    if narrowed.product == "market" and narrowed.product_id is not None:
        contract = Contract(
            "market",
            narrowed.product_id,
            contract.sequence_id,
            contract.item_id,
            contract.second_item_id,
            contract.kind,
        )
    return Records(_taken(trades, index), contract, route, np.ones(len(index), np.bool_))


def _private_part(columns: Sequence[Column], shape: Shape, part: Records) -> pl.DataFrame:
    makers = {**trade_makers(part), **_party_makers(part, "")}
    return frame_of(columns, shape, makers, len(part.trades))


def _order(contract: Contract) -> tuple[int, ...]:
    return (
        contract.product_id,
        contract.sequence_id,
        contract.item_id,
        contract.second_item_id or 0,
        len(contract.kind),
    )

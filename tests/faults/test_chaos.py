"""Chaos: with faults of every kind, the same rows, or failures that name what is missing."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Coroutine, Sequence
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import virtual_time
from tests.drawn import examples
from tests.load.questions import at_full_speed
from tests.service import CONTRACTS, Reported
from tests.virtual_time import clock_for_threads
from trayport_sdk import ContractSpec, QueryPlan, Settings, TrayportClient, TrayportError
from trayport_sdk.bulk.results import BulkQueryResult
from trayport_sdk.http.breaker import Breakers
from trayport_sdk.query.times import DAY, Window, instant, to_text
from trayport_sdk.sandbox import Fault, Sandbox
from trayport_sdk.sandbox.faults import KINDS

PROBABILITY = 0.05
SPREAD = ContractSpec.parse("10000065*#Spread#10000305#250#251")
PRODUCT = ContractSpec(instrument_id=10002806, sequence_id=10000305, sequence_item_id=252)
POOL = (*CONTRACTS[6:16], SPREAD, PRODUCT)
START = instant("2024-01-01", "from_")
INTERVALS = {
    "ohlcv": ["1h", "1d", "7d"],
    "order_book_top": ["1h", "15m"],
    "order_book": ["6h", "12h"],
}
ENDPOINTS = ["trades", "private_trades", "last_trade", "snapshots", *INTERVALS]


def chaos(seed: int, probability: float = PROBABILITY) -> list[Fault]:
    """Every kind of fault, each with its own dice."""
    statuses = [Fault("status", status=status) for status in (429, 500, 503)]
    plain = [Fault(kind) for kind in KINDS if kind != "status"]
    rolled = random.Random(seed)
    return [
        Fault(
            fault.kind,
            status=fault.status,
            times=None,
            probability=probability,
            seed=rolled.randrange(2**32),
            bytes_per_second=1e6,
            chunk=4096,
            seconds=0.001,
        )
        for fault in [*plain, *statuses]
    ]


@st.composite
def questions(draw: st.DrawFn) -> dict[str, Any]:
    """A question about some contracts, of any endpoint."""
    endpoint = draw(st.sampled_from(ENDPOINTS))
    contracts = draw(st.lists(st.sampled_from(POOL), min_size=1, max_size=6, unique=True))
    question: dict[str, Any] = {"contracts": contracts, "endpoint": endpoint}
    if endpoint in ("last_trade", "snapshots"):
        return question | {"at": to_text(START + draw(st.integers(0, 60 * 1440)) * DAY // 1440)}
    start = START + draw(st.integers(0, 60)) * DAY
    days = draw(st.sampled_from([1, 3, 35]))
    if endpoint == "order_book":
        days = min(days, 3)
    question |= {"from_": to_text(start), "until": to_text(start + days * DAY)}
    if endpoint in INTERVALS:
        question["interval"] = draw(st.sampled_from(INTERVALS[endpoint]))
    return question


async def client_of(sandbox: Sandbox, **values: Any) -> TrayportClient:
    client = TrayportClient.sandbox(sandbox, settings=Settings(_env_file=None, **values))
    client._session.clock = clock_for_threads()
    client._session.breakers = Breakers(
        threshold=client.settings.breaker_threshold,
        recovery=client.settings.breaker_recovery,
        on_change=client._session.notify,
        clock=clock_for_threads(),
    )
    return client


Rows = Counter[str]


def rows_of(frame: pl.DataFrame) -> Rows:
    """The rows as a multiset; what a fault may rename is left out."""
    kept = frame.select(pl.exclude("^.*venue_code$"))
    kept = kept.with_columns(pl.col(pl.Datetime).cast(pl.Int64))
    return Counter(map(str, kept.drop([n for n in kept.columns if n in ("bids", "asks")]).rows()))


def within(frame: pl.DataFrame, windows: Sequence[Window]) -> pl.DataFrame:
    """The rows in any of the windows."""
    column = next(name for name, kind in frame.schema.items() if kind == pl.Datetime("ns", "UTC"))
    time = pl.col(column).cast(pl.Int64)
    inside = [(time >= window.start) & (time < window.end) for window in windows]
    return frame.filter(pl.any_horizontal(inside) if inside else pl.lit(value=False))


def check(
    plans: Sequence[QueryPlan], found: BulkQueryResult[Any], whole: BulkQueryResult[Any]
) -> None:
    """Every row is there once, or in the contracts and windows of the failures."""
    assert set(found.contracts) == set(whole.complete)
    for contract, expected in whole.complete.items():
        missing = [one for one in found.failures if contract in one.contracts]
        tables = found.incomplete if missing else found.complete
        came = rows_of(tables[contract].to_polars()) if contract in tables else Counter[str]()
        if not missing:
            assert came == rows_of(expected.to_polars())
            continue
        windows = [one.window for one in missing if one.window is not None]
        if len(windows) < len(missing):
            assert not came
            continue
        lacking = rows_of(within(expected.to_polars(), windows))
        assert came + lacking == rows_of(expected.to_polars())
    for failure in found.failures:
        assert any(set(failure.contracts) <= set(one.contracts) for one in plans)


async def ask(client: TrayportClient, question: dict[str, Any]) -> tuple[Any, Any]:
    plans = client.planner.plan_multi_contract_query(**question)
    reported = Reported()
    found = await client.planner.execute_plan(plans, on_progress=reported.append)
    reported.check(found)
    return plans, found


QUIET = Sandbox(limits=False)


@settings(
    max_examples=examples(35),
    print_blob=True,
)
@given(questions(), st.integers(0, 2**32), st.sampled_from([0, 1, 4]))
def test_with_any_faults_every_row_comes_once_or_is_named_as_missing(
    question: dict[str, Any], seed: int, retries: int
) -> None:
    async def main() -> None:
        async with await client_of(QUIET) as calm:
            _, whole = await ask(calm, question)
            whole.raise_for_failures()
        sandbox = Sandbox(limits=False)
        sandbox.faults.add(*chaos(seed))
        async with await client_of(sandbox, max_retries=retries) as client:
            plans, found = await ask(client, question)
            check(plans, found, whole)
            for _ in range(3):
                if not found.failures:
                    break
                found = await client.retry_failures(found)
                check(plans, found, whole)
            sandbox.faults.clear()
            await asyncio.sleep(60)  # until no breaker is open
            found = await client.retry_failures(found)
            found.raise_for_failures()
            check(plans, found, whole)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    virtual_time.run(main())


@settings(max_examples=4)
@given(st.integers(0, 2**32), st.integers(0, 20), st.sampled_from([1, 2]))
def test_with_any_faults_a_table_is_whole_or_an_error(seed: int, day: int, days: int) -> None:
    window = (to_text(START + day * DAY), to_text(START + (day + days) * DAY))

    async def tables(client: TrayportClient) -> list[Rows | None]:
        calls: list[Coroutine[Any, Any, Any]] = [
            client.trades.get_trades(POOL[4:8], *window),
            client.trades.get_activity(*window),
            client.trades.get_private_trades(*window),
            client.snapshots.get_snapshots(POOL[:5], at=window[0]),
        ]
        found: list[Rows | None] = []
        for call in calls:
            try:
                found.append(rows_of((await call).to_polars()))
            except TrayportError:
                found.append(None)
        return found

    async def main() -> None:
        async with await client_of(QUIET) as calm:
            expected = await tables(calm)
        sandbox = Sandbox(limits=False)
        sandbox.faults.add(*chaos(seed))
        async with await client_of(sandbox) as client:
            for came, whole in zip(await tables(client), expected, strict=True):
                assert whole is not None
                assert came in (None, whole)

    virtual_time.run(main())


def test_with_any_faults_over_sockets_the_rows_are_the_same() -> None:
    async def main() -> None:
        question = {
            "contracts": POOL,
            "endpoint": "trades",
            "from_": "2023-11-01",
            "until": "2024-03-01",
        }
        async with TrayportClient.sandbox(QUIET) as calm:
            _, whole = await ask(calm, question)
        sandbox = Sandbox(limits=False)
        sandbox.faults.add(*chaos(7))
        with sandbox.serve() as server:
            settings = at_full_speed(
                server.analytics_url, server.reference_url, breaker_recovery=0.05
            )
            async with TrayportClient(settings=settings) as client:
                plans, found = await ask(client, question)
                check(plans, found, whole)
                sandbox.faults.clear()
                found = await client.retry_failures(found)
                found.raise_for_failures()
                check(plans, found, whole)
            assert len(sandbox.requests) > len(plans)

    asyncio.run(main())


def test_chaos_has_every_kind_of_fault() -> None:
    assert {fault.kind for fault in chaos(0)} == set(KINDS)

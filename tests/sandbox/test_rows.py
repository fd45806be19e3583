"""Rows on the wire: which columns, which values, exactly which text."""

import csv
import io
import json
import re
from decimal import Decimal

import pytest
from trayport_spec import ENDPOINTS, VENUES, Column

from tests.sandbox.asking import (
    DAYS,
    INSTRUMENT,
    MARKET,
    MAY_2024,
    MINIMAL,
    MONTH,
    REFERENCE_PATHS,
    SEQUENCE,
    Asker,
    at,
)

TRADES = MINIMAL["/trades"]


@pytest.fixture(scope="module")
def ask() -> Asker:
    return Asker()


def check_value(value: object, column: Column, given: frozenset[str]) -> None:
    """A value is exactly of the type the table says."""
    if value is None:
        assert column.nullable, column.name
        return
    match column.type:
        case "int64" | "timestamp":
            assert type(value) is int
        case "float64":
            assert type(value) is float
        case "string":
            assert type(value) is str
            assert not column.enum or value in column.enum
        case "bool":
            assert type(value) is bool
        case "struct":
            assert isinstance(value, dict)
            check_row(value, column.fields, given)
        case "list":
            assert isinstance(value, list)
            for element in value:
                check_row(element, column.fields, given)


def check_row(row: dict[str, object], columns: tuple[Column, ...], given: frozenset[str]) -> None:
    """A row has the columns that are always there and those that the request brings."""
    bringing = {c.name: {c.optional_field, c.added_by} - {None} for c in columns}
    needed = {c.name for c in columns if c.required or c.optional_field in given}
    shown = {c.name for c in columns if c.required or not bringing[c.name]}
    shown |= {name for name, names in bringing.items() if names & given}
    assert needed <= row.keys() <= shown
    for column in columns:
        if column.name in row:
            check_value(row[column.name], column, given)


@pytest.mark.parametrize("path", MINIMAL)
@pytest.mark.parametrize("everything", [False, True], ids=["plain", "everything"])
def test_rows_are_as_the_table_describes_them(ask: Asker, path: str, everything: bool) -> None:
    endpoint = next(e for e in ENDPOINTS.values() if e.path == path)
    query = dict(MINIMAL[path])
    asked = frozenset(endpoint.optional_fields) if everything else frozenset[str]()
    if everything:
        query |= {"optionalFields": list(asked), "routes": "all", "includePrivate": "true"}
        query |= {"includeEmptyBuckets": "true"}
    if path == "/trades/private":
        asked |= {"contract"}
    given = asked | ({"routes", "includePrivate"} if everything else set[str]())
    document = ask.analytics(path, query).json()
    found = document["snapshots"] if endpoint.rows_at else document
    assert found
    for row in found:
        check_row(row, endpoint.row, given)
    if endpoint.time_column:
        times = [row[endpoint.time_column] for row in found]
        assert times == sorted(times)


@pytest.mark.parametrize("path", REFERENCE_PATHS)
def test_reference_rows_are_as_the_table_describes_them(ask: Asker, path: str) -> None:
    number = re.compile(r"/\d+")
    endpoint = next(
        e
        for e in ENDPOINTS.values()
        if e.api == "reference" and re.sub(r"/\{\w+\}", "/0", e.path) == number.sub("/0", path)
    )
    document = ask.reference(path).json()
    for row in document if endpoint.root == "array" else [document]:
        check_row(row, endpoint.row, frozenset())


def test_nullable_and_absent_are_told_apart(ask: Asker) -> None:
    sequences = ask.reference(f"/instruments/{INSTRUMENT}/sequences").json()
    assert {"displayName" in sequence for sequence in sequences} == {True, False}
    rolling = ask.reference("/sequences/10000302/sequenceItems").json()[0]
    assert rolling["periodEnd"] is None
    assert rolling["tradingEnd"] is None
    contract = ask.rows("/trades/last", MINIMAL["/trades/last"], optionalFields="contract")[0][
        "contract"
    ]
    assert contract["instrumentId"] is None
    assert contract["secondSequenceItemId"] is None


def test_prices_are_short_decimals_and_times_exact(ask: Asker) -> None:
    text = ask.analytics("/trades", TRADES).text
    prices = re.findall(r'"price":([^,}]+)', text)
    assert len(prices) > 1000
    assert all(len(price) <= 8 and Decimal(price) % Decimal("0.005") == 0 for price in prices)
    stamps = [row["dealDate"] for row in json.loads(text)]
    assert any(int(float(stamp)) != stamp for stamp in stamps)
    assert all(at("2024-03-04") <= stamp < at("2024-03-06") for stamp in stamps)


def test_csv_has_the_same_values_with_times_in_words(ask: Asker) -> None:
    query = {**TRADES, "optionalFields": ["contract", "routeId"]}
    records = list(
        csv.DictReader(io.StringIO(ask.analytics("/trades", query, accept="text/csv").text))
    )
    found = ask.rows("/trades", query)
    assert len(records) == len(found)
    for record, row in zip(records, found, strict=True):
        seconds, fraction = record["dealDate"].rstrip("Z").split(".")
        assert at(seconds) + int(fraction) == row["dealDate"]
        assert Decimal(record["price"]) == Decimal(repr(row["price"]))
        assert record["contract.marketId"] == str(MARKET)
        assert record["contract.instrumentId"] == ""
        assert record["aggressorBuy"] == str(row["aggressorBuy"]).lower()


def test_csv_without_rows_still_has_its_header(ask: Asker) -> None:
    night = {**MONTH, "from": "2024-03-04T00", "until": "2024-03-04T01"}
    text = ask.analytics("/trades", night, accept="text/csv").text
    assert text == "tradeId,venueCode,dealDate,price,quantity,aggressorBuy\n"
    assert ask.rows("/trades", night) == []


def test_private_trades_name_the_contract_unless_it_was_fixed(ask: Asker) -> None:
    everything = ask.rows("/trades/private", DAYS)
    contract = everything[0]["contract"]
    assert contract["marketId"] is None
    assert {"route", "lastUpdated", "aggressorCompanyId"} <= everything[0].keys()
    fixed = {
        "instrumentId": contract["instrumentId"],
        "sequenceId": contract["sequenceId"],
        "sequenceItemId": contract["sequenceItemId"],
        "contractType": contract["contractType"],
    }
    if contract["secondSequenceItemId"] is not None:
        fixed["secondSequenceItemId"] = contract["secondSequenceItemId"]
    mine = ask.rows("/trades/private", {**DAYS, **fixed})
    assert mine
    assert all("contract" not in row for row in mine)
    assert mine == [
        {name: value for name, value in row.items() if name != "contract"}
        for row in everything
        if row["contract"] == contract
    ]


@pytest.mark.parametrize(
    "part",
    [
        {"marketId": MARKET},
        {"instrumentId": INSTRUMENT},
        {"sequenceId": SEQUENCE},
        {"marketId": MARKET, "sequenceId": SEQUENCE},
        {"sequenceItemId": 244},
        {"contractType": "Spread"},
    ],
)
def test_any_part_of_a_contract_narrows_private_trades(ask: Asker, part: dict[str, int]) -> None:
    everything = ask.rows("/trades/private", DAYS)
    some = ask.rows("/trades/private", {**DAYS, **part})
    ids = [(row["tradeId"], row["venueCode"]) for row in everything]
    assert [pair for pair in ids if pair in {(r["tradeId"], r["venueCode"]) for r in some}] == [
        (row["tradeId"], row["venueCode"]) for row in some
    ]
    assert len(some) < len(everything)
    for row in some:
        assert isinstance(row["contract"], dict)


def test_own_trades_of_separate_feeds_are_two_records(ask: Asker) -> None:
    query = {**MONTH, "from": "2024-02-26", "until": "2024-03-23"}
    plain = ask.rows("/trades", query)
    mixed = ask.rows("/trades", query, includePrivate="true")
    own = [row for row in mixed if "privateFields" in row]
    public = [row for row in mixed if "privateFields" not in row]
    assert {VENUES[row["venueCode"]].separate_feeds for row in own} == {True, False}
    separate = [row for row in own if VENUES[row["venueCode"]].separate_feeds]
    assert len(mixed) == len(plain) + len(separate)
    assert len(public) == len(plain) - (len(own) - len(separate))
    private = ask.rows("/trades/private", {**query, "optionalFields": []})
    assert len(private) == len(own)
    assert {row["tradeId"] for row in private} == {row["tradeId"] for row in own}


def test_routes_choose_records_and_deduplication_keeps_the_lowest(ask: Asker) -> None:
    plain = ask.rows("/trades", TRADES)
    lowest = ask.rows("/trades", TRADES, routes="1")
    assert [{k: v for k, v in row.items() if k != "route"} for row in lowest] == plain
    every = ask.rows("/trades", TRADES, routes="all")
    assert every == lowest
    apart = ask.rows(
        "/trades", TRADES, routes="all", deduplicateRoutes="false", optionalFields="routeId"
    )
    parts = [
        ask.rows("/trades", TRADES, routes=str(n), optionalFields="routeId") for n in (1, 2, 3, 4)
    ]
    assert len(apart) == sum(map(len, parts))
    for number, part in enumerate(parts, start=1):
        assert [row for row in apart if row["routeId"] == number] == part
    some = ask.rows("/trades", TRADES, routes="2,3")
    assert len(some) < len(parts[1]) + len(parts[2])


def test_items_start_today_and_are_as_many_as_the_table_says(ask: Asker) -> None:
    path = f"/sequences/{SEQUENCE}/sequenceItems"
    items = ask.reference(path).json()
    default = ENDPOINTS["get_sequence_items"].parameter("count").default
    assert len(items) == default
    assert items[0]["periodEnd"] >= "2026-06-15"
    two = ask.reference(path, {"count": 2, "STARTDATE": "2024-04"}).json()
    assert [item["name"] for item in two] == ["Mar-24", "Apr-24"]


def test_spreads_are_named_as_responses_name_them(ask: Asker) -> None:
    query = {**MINIMAL["/snapshots"], "contractType": "Spread", "secondSequenceItemId": MAY_2024}
    (snapshot,) = ask.analytics("/snapshots", query).json()["snapshots"]
    assert snapshot["contract"]["contractType"] == "PeriodSpread"
    assert snapshot["contract"]["secondSequenceItemId"] == MAY_2024

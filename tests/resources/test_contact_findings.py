"""What a first contact makes of responses: one is changed, and one conclusion follows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from attrs import evolve
from trayport_spec import ENDPOINTS

from tests.resources.test_first_contact import contact, sandbox_of
from trayport_sdk.resources.contact.answers import Answer, Answers, NotReachableError
from trayport_sdk.resources.contact.compare import compare
from trayport_sdk.resources.contact.findings import Evidence
from trayport_sdk.resources.contact.known import DEPTH, MINUTE, Known, moment_of, nanoseconds
from trayport_sdk.resources.contact.probes import settle
from trayport_sdk.resources.contact.questions import BY_NAME
from trayport_sdk.resources.contact.report import FirstContact

Rows = list[dict[str, Any]]
Change = Callable[[Answer], Answer]


@pytest.fixture(scope="module")
def recorded() -> Answers:
    return asyncio.run(contact(sandbox_of()))._answers


def changed(recorded: Answers, changes: Mapping[str, Change]) -> Answers:
    """The recorded responses, with some that say something else."""
    new = {name: change(recorded.by_name[name]) for name, change in changes.items()}
    return Answers(recorded.now, {**recorded.by_name, **new})


def gives(status: int) -> Change:
    return lambda answer: evolve(answer, status=status, document=None, body="no")


def with_rows(change: Callable[[Rows], Sequence[object]]) -> Change:
    def changed_answer(answer: Answer) -> Answer:
        rows, rows_at = change([dict(row) for row in answer.rows]), answer.endpoint.rows_at
        return evolve(answer, document=answer.document | {rows_at: rows} if rows_at else rows)

    return changed_answer


def each(**fields: object) -> Change:
    """Gives all rows these fields; a function makes the new value of a field from its row."""

    def changed_row(row: dict[str, Any]) -> dict[str, Any]:
        return row | {n: v(row) if callable(v) else v for n, v in fields.items()}

    return with_rows(lambda rows: list(map(changed_row, rows)))


def without(*names: str) -> Change:
    return with_rows(lambda rows: [{n: v for n, v in r.items() if n not in names} for r in rows])


def orders(*prices: float) -> Rows:
    return [{"price": price, "quantity": 1.0} for price in prices]


def on_the_first_instant(answer: Answer) -> Answer:
    """The books, and one that is stamped at the start of the request."""
    start = nanoseconds(moment_of(answer.request.parameters["from"]) or pytest.fail("no time"))
    return evolve(answer, document=[{"timestamp": start}, *answer.rows])


EMPTY = with_rows(lambda _: [])
NO_DATES = without("periodStart", "periodEnd", "tradingStart", "tradingEnd")
NO_ZONES = each(
    **{
        name: lambda row, name=name: row[name].removesuffix("Z")
        for name in ("periodStart", "periodEnd", "tradingStart", "tradingEnd")
    }
)
FINDINGS: dict[str, tuple[str, dict[str, Change], str, str]] = {
    "an empty top, whose book has orders": (
        "from-inclusive", {"book": on_the_first_instant}, "refuted", "books lack what is stamped",
    ),
    "trades without rows": (
        "from-inclusive", {"between_stamps": EMPTY}, "refuted", "trades lack what is stamped",
    ),
    "only errors where a row is known": (
        "from-inclusive", dict.fromkeys(("between_stamps", "top", "candles"), gives(500)),
        "not reachable", "no row is known that is stamped at the start",
    ),
    "counts that fit neither": (
        "activity-until-exclusive", {"minute": EMPTY},
        "not reachable", "0 counted, where 1 trades lie before the end and 1 at it",
    ),
    "a refused list": (
        "list-separators", {"snapshots": gives(400)}, "refuted", "separated by commas are refused",
    ),
    "trades over one route": (
        "list-separators", {"activity": each(route="Trayport")},
        "confirmed", "50 of 50 items separated by commas came; one route only was known",
    ),
    "no trades": (
        "list-separators", {"trades": EMPTY}, "confirmed", "one route only was known",
    ),
    "one item of a list": (
        "list-separators", {"snapshots": with_rows(lambda rows: rows[:1])},
        "refuted", "1 of 50 items separated by commas came",
    ),
    "the longest list is refused": (
        "explicit-items-maximum", {"snapshots": gives(400)}, "refuted", "50 items are refused: no",
    ),
    "the longest list has one row": (
        "explicit-items-maximum", {"snapshots": with_rows(lambda rows: rows[:1])},
        "not reachable", "50 items cannot be requested at once",
    ),
    "no snapshot of a year ago": (
        "trading-items-reference", {"next_snapshots": EMPTY},
        "confirmed", "trades of a year ago have the next item of then",
    ),
    "nothing of a year ago": (
        "trading-items-reference", {"next_snapshots": EMPTY, "next_trades": EMPTY},
        "not reachable", "no row came of the next tradable item",
    ),
    "private fields never come": (
        "include-private-default", {"own_trade_with_private": without("privateFields")},
        "not reachable", "has no private fields, although they were requested",
    ),
    "a candle of each week": (
        "include-empty-default", {"weeks": with_rows(lambda rows: (rows * 3)[:143])},
        "not reachable", "the subject traded in every week",
    ),
    "no candle without volume": (
        "empty-candle-is-null", {"candles": each(volume=1.0)},
        "not reachable", "the subject traded in every hour",
    ),
    "no weekly candles": (
        "weeks-count-from-start", {"weeks": EMPTY}, "not reachable", "no weekly candles say",
    ),
    "times as text are times": (
        "weeks-count-from-start",
        {"weeks": each(fromTimestamp=lambda row: str(row["fromTimestamp"]))},
        "confirmed", "49 candles lie on the grid",
    ),
    "weekly candles off the grid": (
        "weeks-count-from-start",
        {"weeks": each(fromTimestamp=lambda row: row["fromTimestamp"] + MINUTE)},
        "refuted", "49 of 49 candles do not lie on the grid",
    ),
    "weekly candles without a time": (
        "weeks-count-from-start", {"weeks": each(fromTimestamp="1e9")},
        "not reachable", "no weekly candles say when they begin",
    ),
    "the trade of a year ago is not found": (
        "last-trade-year-is-365-days", {"within_a_year": EMPTY},
        "refuted", "a trade that is 365 days old is not found",
    ),
    "no dates": ("item-dates-optional-zone", {"items": NO_DATES}, "not reachable", "has dates"),
    "dates without a zone": (
        "item-dates-optional-zone", {"items": NO_ZONES},
        "not reachable", "1,540 dates in ISO-8601 have no zone",
    ),
    "dates in words": (
        "item-dates-optional-zone", {"items": each(periodEnd="at noon")},
        "refuted", "385 of 1,540 dates are no ISO-8601, such as 'at noon'",
    ),
    "books of one order a side": (
        "top-quantity-of-first-order",
        {"book": each(bids=lambda row: row["bids"][:1], asks=lambda row: row["asks"][:1])},
        "not reachable", "no book has several orders at its best price",
    ),
    "books without orders": (
        "top-quantity-of-first-order", {"book": each(bids=[], asks=[])},
        "not reachable", "no book has several orders at its best price",
    ),
    "a snapshot without its time": (
        "snapshot-time-is-at",
        {"snapshots": lambda a: evolve(a, document={"snapshots": []})},
        "refuted", "the response has no time stamp",
    ),
    "an error where a refusal is due": (
        "item-count-minimum", {"no_items": gives(500)},
        "not reachable", "/sequenceItems gave 500 to a count of 0",
    ),
    "text where a number is due": (
        "max-spread-from-best", {"narrow_book": each(bids=lambda _: [{"price": "1"}])},
        "refuted", "0 bids within",
    ),
    "times of no calendar": (
        "history-starts-with-month", {"first_books": each(timestamp=2**70)},
        "not reachable", "what came cannot be judged (ValueError)",
    ),
    "a year that is refused late": (
        "year-precision", {"old": gives(401)}, "refuted", "a year alone is refused: no",
    ),
}  # fmt: skip


@pytest.mark.parametrize("planted", FINDINGS)
def test_an_assumption_is_judged_by_what_came(planted: str, recorded: Answers) -> None:
    name, changes, verdict, words = FINDINGS[planted]
    answers = changed(recorded, changes)
    finding = settle(name, Evidence(answers, Known(answers), ()))
    assert finding.verdict == verdict, finding
    assert words in finding.seen


# What the responses before it must have for a question to be sent.
REASONS: dict[str, tuple[str, dict[str, Change], str]] = {
    "nothing has traded": (
        "instrument", {"activity": EMPTY}, "/trades/activity gave no rows",
    ),
    "nothing that has an instrument has traded": (
        "instrument", {"activity": each(instrumentId=None)},
        "nothing that the key may see has traded in the last week",
    ),
    "no instrument belongs to a market": (
        "market", {"activity": each(marketId=None)},
        "no instrument that has traded lately belongs to a market",
    ),
    "the last trade is old": (
        "trades", {"last": each(dealDate=1)}, "the subject has not traded in the last month",
    ),
    "trades have no routes": (
        "trades", {"activity": without("route")}, "no trade says over which route it came",
    ),
    "no item has dates": (
        "later_items", {"items": NO_DATES}, "no item of the subject's sequence has dates",
    ),
    "few items": (
        "snapshots", {"items": with_rows(lambda rows: rows[:2])},
        "the sequence of the subject has 2 items only",
    ),
    "an old trade without its time": (
        "within_a_year", {"old": without("dealDate")},
        "the last trade of an old item has no time",
    ),
    "private trades without a contract": (
        "own_trade", {"private": without("contract")}, "no private trade names its contract",
    ),
    "books with few prices": (
        "narrow_book", {"book": each(bids=orders(1.0), asks=orders(2.0, 2.1))},
        "no book has orders at enough prices",
    ),
    "books that may have more orders than came": (
        "narrow_book", {"book": each(bids=orders(*range(DEPTH, 0, -1)))},
        "no book has orders at enough prices",
    ),
    "books whose prices are zero or text": (
        "narrow_book", {"book": each(bids=orders(0.0), asks=[{"price": "1"}, {"price": True}])},
        "no book has orders at enough prices",
    ),
    "no trades on whole seconds": (
        "between_stamps", {"trades": each(dealDate=lambda row: row["dealDate"] | 1)},
        "no two trades of a day lie on whole seconds",
    ),
}  # fmt: skip


@pytest.mark.parametrize("planted", REASONS)
def test_a_question_that_cannot_be_asked_says_why(planted: str, recorded: Answers) -> None:
    question, changes, reason = REASONS[planted]
    with pytest.raises(NotReachableError) as raised:
        BY_NAME[question].request(Known(changed(recorded, changes)))
    assert str(raised.value) == reason


def test_the_subject_is_an_instrument_where_markets_are_unknown(recorded: Answers) -> None:
    known = Known(changed(recorded, {"activity": each(marketId=None)}))
    sent = BY_NAME["last"].request(known).parameters
    assert sent["instrumentId"] == str(known.subject.instrument_id)
    assert "marketId" not in sent


def test_the_subject_is_the_next_contract_where_the_busiest_has_no_ids(recorded: Answers) -> None:
    busiest = {"instrumentId": 1, "marketId": 2, "sequenceId": None, "count": 10**9}
    months = {"sequenceId": 10000305, "sequenceItemId": 1}
    doctored = {"activity": with_rows(lambda rows: [*rows, busiest | {"sequenceItemId": 1}])}
    assert Known(changed(recorded, doctored)).subject == Known(recorded).subject
    doctored = {"activity": with_rows(lambda rows: [*rows, busiest | months])}
    assert Known(changed(recorded, doctored)).subject.instrument_id == 1


# The kind, the path and what was seen of each difference, and what would be declared.
DIFFERENCES: dict[str, tuple[str, Change, tuple[str, str, str], dict[str, Any]]] = {
    "a body that cannot be read": (
        "markets", lambda a: evolve(a, document=None, damage="it is cut"),
        ("body", "", "it is cut"), {},
    ),
    "no list of rows": (
        "snapshots", lambda a: evolve(a, document=a.document | {"snapshots": {}}),
        ("type", "snapshots", "no array"), {},
    ),
    "an optional field that never came": (
        "trades", without("route"), ("missing", "route", "absent"), {},
    ),
    "an optional field that nobody requested": (
        "narrow_book", each(bids=[{"price": 1.0, "quantity": 1.0, "venueCode": "ICE"}]),
        ("unrequested", "bids.venueCode", "there"), {},
    ),
    "an unknown field of numbers": (
        "markets", with_rows(lambda rows: [rows[0] | {"tick": 1}, rows[1] | {"tick": 0.5}]),
        ("unknown", "tick", "integer or number"),
        {"properties": {"tick": {
            "type": "number", "format": "double", "x-provenance": "observed",
            "description": "Seen in a response of the live service.",
        }}, "required": ["tick"]},
    ),
    "an unknown field of objects": (
        "markets", each(place={}), ("unknown", "place", "object"), {},
    ),
    "an unknown field of text or numbers": (
        "markets", with_rows(lambda rows: [rows[0] | {"x": 1}, rows[1] | {"x": "1"}]),
        ("unknown", "x", "integer or string"), {},
    ),
    "a number that is no 64 bits": (
        "last", each(dealDate=2**63), ("value", "dealDate", "more than 64 bits"), {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("planted", DIFFERENCES)
def test_a_difference_is_noted_once_and_alone(planted: str, recorded: Answers) -> None:
    question, change, expected, declared = DIFFERENCES[planted]
    answer = recorded.by_name[question]
    assert compare([answer]) == []
    (found,) = compare([change(answer)])
    assert (found.kind, found.path, found.seen) == expected
    assert found.change == declared


@pytest.mark.parametrize(
    ("statuses", "reasons", "words"),
    [
        ((401,), {}, "every response was 401: check the key"),
        ((401, 403), {}, "every response was 401 or 403: check the key"),
        ((503,), {"markets": "no response: it was cut"}, "every response was 503"),
        ((), {"markets": "no response: refused"}, "no response: refused"),
        ((), {}, "no response came in time"),
    ],
)
def test_silence_says_what_came_instead(
    statuses: tuple[int, ...], reasons: dict[str, str], words: str, recorded: Answers
) -> None:
    asked = zip(("markets", "sequences"), statuses, strict=False)
    by_name = {name: gives(status)(recorded.by_name[name]) for name, status in asked}
    answers = Answers(recorded.now, by_name, reasons)
    report = str(FirstContact.of(answers, {}, []))
    assert f"0 of {len(ENDPOINTS)} operations responded" in report
    assert report.splitlines()[-1] == f"NOTHING  {words}"

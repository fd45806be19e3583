"""The table of probes: how each assumption of the OpenAPI document is settled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from .answers import UNFORESEEN, Answer, Answers, NotReachableError, Row, members, objects
from .compare import PROBLEM
from .findings import (
    Evidence,
    Finding,
    Probe,
    accepted,
    confirmed,
    conforms,
    history,
    judged,
    out_of_reach,
    refused,
    refuted,
)
from .known import (
    DAY,
    HISTORY,
    MINUTE,
    MOST_ITEMS,
    SECOND,
    SINGLE,
    distances,
    integer,
    moment_of,
    nanoseconds,
)

PRICES = ("open", "high", "low", "close", "vwap")
CANDLE_TIMES = ("openTimestamp", "closeTimestamp")
DATES = ("periodStart", "periodEnd", "tradingStart", "tradingEnd")


def settle(name: str, evidence: Evidence) -> Finding:
    """What came of an assumption."""
    try:
        return PROBES[name](evidence)
    except (NotReachableError, *UNFORESEEN) as error:
        return Finding("not reachable", str(NotReachableError.of(error)))


def _from_inclusive(evidence: Evidence) -> Finding:
    seen: list[str] = []
    for name, start in (("trades", "between_stamps"), ("books", "top"), ("candles", "candles")):
        try:
            is_in = _first_is_in(evidence, start)
        except NotReachableError:
            continue
        if not is_in:
            return refuted(f"{name} lack what is stamped at `from`")
        seen.append(name)
    if not seen:
        raise NotReachableError("no row is known that is stamped at the start of a request")
    return confirmed(f"{' and '.join(seen)} have what is stamped at `from`")


def _first_is_in(evidence: Evidence, question: str) -> bool:
    answer = evidence.answers.data(question)
    start = _sent(answer, "from")
    if question == "top":
        # A book is left out when it is empty; the other operation says whether this one is.
        books = evidence.answers.rows("book")
        if not any(integer(row, "timestamp") == start for row in books):
            raise NotReachableError("no book at the start")
    return any(integer(row, answer.endpoint.time_column or "") == start for row in answer.rows)


def _sent(answer: Answer, name: str) -> int:
    """A time of a request."""
    moment = moment_of(answer.request.parameters[name])
    return 0 if moment is None else nanoseconds(moment)


def _activity_until(evidence: Evidence) -> Finding:
    known = evidence.known
    end, subject = known.minute_stamp, known.subject
    times = [integer(row, "dealDate") or 0 for row in evidence.answers.rows("trades")]
    before, at_end = sum(end - MINUTE <= t < end for t in times), times.count(end)
    counted = sum(
        integer(row, "count") or 0
        for row in evidence.answers.data("minute").rows
        if integer(row, "instrumentId") == subject.instrument_id
        and integer(row, "sequenceId") == subject.sequence_id
        and integer(row, "sequenceItemId") == subject.item_id
        and row.get("secondSequenceItemId") is None
        and row.get("contractType") == SINGLE
    )
    seen = f"{counted} counted, where {before} trades lie before the end and {at_end} at it"
    if counted not in (before, before + at_end):
        raise NotReachableError(seen)
    return judged(counted == before, seen)


def _separators(evidence: Evidence) -> Finding:
    wanted = set(evidence.known.many_items(MOST_ITEMS))
    answer = evidence.answers.get("snapshots")
    if answer.was_refused:
        return refuted(f"item ids separated by commas are refused: {answer.message}")
    contracts = [row.get("contract") for row in evidence.answers.rows("snapshots")]
    got = {integer(members(c), "sequenceItemId") for c in contracts if c}
    came = f"{len(wanted & got)} of {len(wanted)} items separated by commas came"
    if len(wanted & got) < 2:
        return refuted(came)
    routes, asked = _routes(evidence.answers), evidence.known.route_names
    if routes is None or len(asked) < 2:
        return confirmed(f"{came}; one route only was known")
    if len(routes) < len(asked):
        return refuted(f"{len(routes)} of {len(asked)} repeated routes came")
    return confirmed(f"{came}, and {len(asked)} repeated routes")


def _routes(answers: Answers) -> set[str] | None:
    """The routes of the trades, whose request repeats some."""
    try:
        rows = answers.rows("trades")
    except NotReachableError:
        return None
    return {str(row["route"]) for row in rows if "route" in row} or None


def _maximum_of_items(evidence: Evidence) -> Finding:
    fitting = evidence.answers.get("snapshots")
    if fitting.was_refused:
        return refuted(f"{MOST_ITEMS} items are refused: {fitting.message}")
    if len(evidence.answers.data("snapshots").rows) < 2:
        raise NotReachableError(f"{MOST_ITEMS} items cannot be requested at once")
    return refused("too_many_snapshots", f"a list of {MOST_ITEMS + 1} items")(evidence)


def _trading_items(evidence: Evidence) -> Finding:
    known, seen = evidence.known, list[str]()
    wanted = known.tradable(known.a_year_ago).id
    for question in ("next_snapshots", "next_trades"):
        contracts = [row.get("contract") for row in evidence.answers.data(question).rows]
        items = {integer(members(c), "sequenceItemId") for c in contracts if c}
        if not items:
            continue
        if items != {wanted}:
            listed = ", ".join(map(str, sorted(n or 0 for n in items)))
            return refuted(f"item {listed} came, where {wanted} was the next one then")
        seen.append(question.removeprefix("next_"))
    if not seen:
        raise NotReachableError("no row came of the next tradable item")
    return confirmed(f"{' and '.join(seen)} of a year ago have the next item of then")


def _private_default(evidence: Evidence) -> Finding:
    without, with_them = (
        sum("privateFields" in row for row in evidence.answers.rows(name))
        for name in ("own_trade", "own_trade_with_private")
    )
    if without:
        return refuted(f"{without} own trades have private fields that were not requested")
    if not with_them:
        raise NotReachableError("an own trade has no private fields, although they were requested")
    return confirmed("an own trade has them when they are requested, and not otherwise")


def _empty_default(evidence: Evidence) -> Finding:
    rows = evidence.answers.rows("weeks")
    if empty := sum(row.get("volume") == 0 for row in rows):
        return refuted(f"{empty} empty candles came without being requested")
    asked = evidence.answers.data("weeks").request.parameters
    start, end = (nanoseconds(moment_of(asked[n]) or HISTORY[0]) for n in ("from", "until"))
    most = -(-(end - start) // (7 * DAY))
    if len(rows) == most:
        raise NotReachableError("the subject traded in every week")
    return confirmed(f"{len(rows)} candles of {most}")


def _empty_candles(evidence: Evidence) -> list[Row]:
    found = [row for row in evidence.answers.rows("candles") if not row.get("volume")]
    if not found:
        raise NotReachableError("the subject traded in every hour")
    return found


def _empty_prices(evidence: Evidence) -> Finding:
    rows = _empty_candles(evidence)
    odd = Counter(n for row in rows for n in PRICES if row.get(n) is not None)
    odd += Counter("volume" for row in rows if row.get("volume") != 0)
    if odd:
        return refuted(", ".join(f"{name} is not empty in {n}" for name, n in odd.items()))
    return confirmed(f"so it is in {len(rows):,} empty candles")


def _empty_times(evidence: Evidence) -> Finding:
    rows = _empty_candles(evidence)
    odd = Counter(n for row in rows for n in CANDLE_TIMES if row.get(n, 0) is not None)
    if odd:
        return refuted(", ".join(f"{name} is not null in {n}" for name, n in odd.items()))
    return confirmed(f"so it is in {len(rows):,} empty candles")


def _weeks(answer: Answer, _: Evidence) -> Finding | None:
    start = _sent(answer, "from")
    times = [t for row in answer.rows if (t := integer(row, "fromTimestamp")) is not None]
    if not times:
        raise NotReachableError("no weekly candles say when they begin")
    if off := sum((t - start) % (7 * DAY) != 0 for t in times):
        return refuted(f"{off} of {len(times)} candles do not lie on the grid from the start")
    return confirmed(f"{len(times)} candles lie on the grid from the start, and the end off it")


def _year(answer: Answer, evidence: Evidence) -> Finding | None:
    late = [
        t for row in answer.rows if (t := integer(row, "dealDate") or 0) >= evidence.known.old_year
    ]
    return refuted("a year is ignored: the trade is a later one") if late else None


def _look_back(evidence: Evidence) -> Finding:
    within, after = (len(evidence.answers.data(n).rows) for n in ("within_a_year", "after_a_year"))
    if not within:
        return refuted("a trade that is 365 days old is not found")
    if after:
        return refuted("a trade that is more than 365 days old is found")
    return confirmed("a trade is found for 365 days, and not a second longer")


def _sequences_path(evidence: Evidence) -> Finding:
    paths: dict[int | None, object] = {}
    for name in ("instruments", "markets"):
        answer = evidence.answers.by_name.get(name)
        for row in answer.rows if answer is not None else ():
            paths[integer(row, "id")] = row.get("sequences")
    checked = 0
    for name in ("instrument", "market"):
        answer = evidence.answers.by_name.get(name)
        for row in answer.rows if answer is not None and answer.ok else ():
            if row.get("sequences") != paths.get(integer(row, "id"), row.get("sequences", "")):
                return refuted(f"the path of {name} is {row.get('sequences')!r}")
            checked += 1
    if not checked:
        raise NotReachableError("there are no details of an instrument or market")
    return confirmed(f"so it is in {checked} details")


def _dates(evidence: Evidence) -> Finding:
    texts = [row[n] for row in evidence.known.item_rows for n in DATES if row.get(n)]
    if not texts:
        raise NotReachableError("no item has dates")
    if odd := [text for text in texts if moment_of(text) is None]:
        return refuted(f"{len(odd):,} of {len(texts):,} dates are no ISO-8601, such as {odd[0]!r}")
    zoned = sum(datetime.fromisoformat(text).tzinfo is not None for text in texts)
    if not zoned:
        raise NotReachableError(
            f"{len(texts):,} dates in ISO-8601 have no zone: nothing tells which"
        )
    return confirmed(f"{len(texts):,} dates in ISO-8601, {zoned:,} of them with a zone")


def _every_item(_: Answer, evidence: Evidence) -> Finding | None:
    ids = set(evidence.known.item_ids)
    later = [integer(row, "id") for row in evidence.answers.data("later_items").rows]
    if missing := [number for number in later if number not in ids]:
        return refuted(f"{len(ids)} items came, and not the {len(missing)} that follow")
    return confirmed(f"all {len(ids)} items came")


def _spread(evidence: Evidence) -> Finding:
    book, percent = evidence.known.spread
    narrow = next(iter(evidence.answers.rows("narrow_book")))
    for side in ("bids", "asks"):
        wanted = [price for away, price in distances(book, side) if away <= percent]
        got = [price for _, price in distances(narrow, side)]
        if wanted != got:
            return refuted(
                f"{len(got)} {side} within {percent:g} percent, where {len(wanted)} lie so near to "
                "the best of their side"
            )
    return confirmed(f"the orders within {percent:g} percent of the best of their side came")


def _top_quantity(evidence: Evidence) -> Finding:
    if any((d.operation_id, d.kind) == ("get_order_book", "order") for d in evidence.differences):
        raise NotReachableError("the orders of books do not come best first")
    books = {integer(row, "timestamp"): row for row in evidence.answers.rows("book")}
    several = 0
    for row in evidence.answers.rows("top"):
        for side, name in (("bids", "bidQuantity"), ("asks", "askQuantity")):
            orders = objects(books.get(integer(row, "timestamp"), {}).get(side))
            if not orders:
                continue
            first = orders[0]
            if first.get("quantity") not in (row.get(name), None):
                return refuted(f"{name} is not the quantity of the first order in the book")
            several += sum(order.get("price") == first.get("price") for order in orders) > 1
    if not several:
        raise NotReachableError("no book has several orders at its best price")
    return confirmed(f"so it is in {several:,} books with several orders at the best price")


def _snapshot_time(answer: Answer, _: Evidence) -> Finding | None:
    stamp, at = members(answer.document).get("timestamp"), _sent(answer, "at")
    if not isinstance(stamp, int):
        return refuted("the response has no time stamp")
    away = (stamp - at) / SECOND
    return judged(stamp == at, f"it lies {away:g} s from the requested instant")


def _problems(evidence: Evidence) -> list[Answer]:
    return [answer for answer in evidence.answers.all if answer.status >= 400]


def _problem_members(evidence: Evidence) -> Finding:
    seen: Counter[str] = Counter()
    for answer in _problems(evidence):
        for name in ("type", "detail"):
            if name in members(answer.document):
                if not isinstance(answer.document[name], str):
                    return refuted(f"{name} is no text in a response with {answer.status}")
                seen[name] += 1
    if not seen:
        raise NotReachableError("no problem document has a type or a detail")
    return confirmed(", ".join(f"{name} in {n}" for name, n in seen.items()))


def _retry_after(evidence: Evidence) -> Finding:
    given = [a for a in _problems(evidence) if a.status in (429, 503)]
    if not given:
        raise NotReachableError("no response said 429 or 503, and none is provoked")
    for text in (answer.headers.get("retry-after") for answer in given):
        if text is not None and not _is_wait(text):
            return refuted("Retry-After is neither seconds nor an HTTP date")
    return confirmed(f"so it is in {len(given)} responses with 429 or 503")


def _is_wait(text: str) -> bool:
    if text.strip().isdecimal():
        return True
    try:
        parsedate_to_datetime(text)
    except ValueError:
        return False
    return True


def _error_bodies(evidence: Evidence) -> Finding:
    others = [a for a in _problems(evidence) if not a.was_refused and a.body]
    if not others:
        raise NotReachableError("no error other than 400 has a body")
    for answer in others:
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if not {"title", "status"} <= members(answer.document).keys():
            return refuted(f"the body of a {answer.status} is {kind or 'of no type'}, no problem")
    statuses = ", ".join(map(str, sorted({answer.status for answer in others})))
    return confirmed(f"{PROBLEM} comes with {statuses}")


PROBES: Mapping[str, Probe] = {
    "reference-shares-rate-limit": out_of_reach(
        "it shows only to a key that exceeds its allowance, which no check does"
    ),
    "list-separators": _separators,
    "from-inclusive": _from_inclusive,
    "current-day-is-asked-whole": accepted("private", "the end of the current day"),
    "activity-until-exclusive": _activity_until,
    "explicit-items-maximum": _maximum_of_items,
    "trading-items-reference": _trading_items,
    "include-private-default": _private_default,
    "include-empty-default": _empty_default,
    "hours-align-to-midnight": refused("candles_from_one", "a range of 4 hours from 01:00"),
    "months-align-to-first": refused("candles_from_the_15th", "a month from the 15th"),
    "weeks-count-from-start": accepted("weeks", "a range off the grid of weeks", _weeks),
    "empty-candle-is-null": _empty_prices,
    "optional-candle-times-nullable": _empty_times,
    "minute-resolution-is-checked": refused("activity_with_seconds", "a time with seconds"),
    "price-per-notional-unit": out_of_reach("no response says what a price is for"),
    "year-precision": accepted("old", "a year alone", _year),
    "last-trade-year-is-365-days": _look_back,
    "ids-are-integers": conforms("ids-are-integers", "type"),
    "product-sequences-path": _sequences_path,
    "names-are-never-null": conforms("names-are-never-null", "null", "missing"),
    "item-dates-optional-zone": _dates,
    "item-count-minimum": refused("no_items", "a count of 0"),
    "every-item-at-once": accepted("items", "a count of 2147483647", _every_item),
    "counts-fit-32-bits": refused("too_many_items", "a count of 2147483648"),
    "depth-minimum": refused("book_of_depth_0", "a depth of 0"),
    "max-spread-from-best": _spread,
    "unlisted-venue-is-broker": history("unlisted-venue-is-broker"),
    "eex7-history-as-eex": history("eex7-history-as-eex"),
    "history-starts-with-month": history("history-starts-with-month"),
    "book-fields-nullability": conforms("book-fields-nullability", "null"),
    "top-quantity-of-first-order": _top_quantity,
    "snapshot-time-is-at": accepted("snapshots", "an instant", _snapshot_time),
    "problem-type-and-detail": _problem_members,
    "retry-after-forms": _retry_after,
    "errors-are-problems": _error_bodies,
}

"""What comes of an assumption, and the kinds of probes that settle one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from attrs import frozen
from trayport_spec import VENUES, Column, Venue

from .answers import Answer, Answers, NotReachableError, Row, inside
from .compare import SpecDifference
from .known import HISTORY, SECOND, Known, integer

Verdict = Literal["confirmed", "refuted", "not reachable"]
A_WEEK = timedelta(days=7)


@frozen
class Finding:
    """What came of one assumption.

    Attributes:
        verdict: `confirmed`, `refuted` or `not reachable`.
        seen: What was seen, or why nothing was.
    """

    verdict: Verdict
    seen: str


def confirmed(seen: str) -> Finding:
    return Finding("confirmed", seen)


def refuted(seen: str) -> Finding:
    return Finding("refuted", seen)


def judged(holds: bool, seen: str) -> Finding:
    return Finding("confirmed" if holds else "refuted", seen)


@frozen
class Evidence:
    """What a probe judges by."""

    answers: Answers
    known: Known
    differences: Sequence[SpecDifference]


Probe = Callable[[Evidence], Finding]


def refused(question: str, what: str) -> Probe:
    """The API refuses a request that breaks the rule."""

    def probe(evidence: Evidence) -> Finding:
        answer = evidence.answers.get(question)
        if answer.was_refused:
            return confirmed(f"{what} is refused: {answer.message}")
        if answer.ok:
            return refuted(f"{what} is accepted")
        raise NotReachableError(f"{answer.endpoint.path} gave {answer.status} to {what}")

    return probe


def accepted(
    question: str, what: str, check: Callable[[Answer, Evidence], Finding | None] | None = None
) -> Probe:
    """The API accepts a request, and its response is as expected."""

    def probe(evidence: Evidence) -> Finding:
        answer = evidence.answers.get(question)
        # The live service has also been seen to say 401 to times that it does not accept.
        is_late = answer.status == 401 and any(other.ok for other in evidence.answers.all)
        if answer.was_refused or is_late:
            return refuted(f"{what} is refused: {answer.message or answer.status}")
        evidence.answers.data(question)
        finding = None if check is None else check(answer, evidence)
        return finding or confirmed(f"{what} is accepted")

    return probe


def conforms(name: str, *kinds: str) -> Probe:
    """No response has a difference of these kinds in the fields that rest on an assumption."""

    def probe(evidence: Evidence) -> Finding:
        wrong = [d for d in evidence.differences if name in d.assumptions and d.kind in kinds]
        if wrong:
            listed = ", ".join(f"{d.path}: {d.seen} in {d.count:,}" for d in wrong[:3])
            return refuted(f"{listed}{' and more' if len(wrong) > 3 else ''}")
        count = sum(_values_of(name, answer) for answer in evidence.answers.all)
        if not count:
            raise NotReachableError("no response has one of these fields")
        return confirmed(f"so it is in all {count:,} values")

    return probe


def _values_of(name: str, answer: Answer) -> int:
    """How many values in a response rest on an assumption."""

    def count(columns: Iterable[Column], rows: Sequence[Row]) -> int:
        total = 0
        for column in columns:
            rests = name in column.provenance.assumptions
            if rests or column.fields:
                values = [row[column.name] for row in rows if column.name in row]
                total += len(values) if rests else 0
                total += count(column.fields, inside(values)) if column.fields else 0
        return total

    return count(answer.endpoint.row, answer.rows) if answer.ok else 0


def history(name: str) -> Probe:
    """No order is older than the history of its venue, and some are as old."""

    def probe(evidence: Evidence) -> Finding:
        venues = {v.code: v for v in VENUES.values() if name in v.provenance.assumptions}
        first: dict[str, datetime] = {}
        for row in evidence.answers.rows("first_books"):
            time = datetime.fromtimestamp((integer(row, "timestamp") or 0) // SECOND, UTC)
            for code in _codes(row) & venues.keys():
                first.setdefault(code, time)
        if early := [code for code, time in first.items() if time < _begins(venues[code])]:
            code = min(early)
            begins = f"{_begins(venues[code]):%Y-%m-%d}"
            return refuted(f"an order of {code} on {first[code]:%Y-%m-%d}, before {begins}")
        if timely := [c for c, time in first.items() if time < _begins(venues[c]) + A_WEEK]:
            seen = ", ".join(f"{c} on {first[c]:%Y-%m-%d}" for c in sorted(timely)[:3])
            return confirmed(f"none earlier; {seen}")
        start, end = HISTORY
        raise NotReachableError(f"no order of these venues from {start:%Y-%m-%d} to {end:%Y-%m-%d}")

    return probe


def _begins(venue: Venue) -> datetime:
    return datetime.combine(venue.orders_from, datetime.min.time(), UTC)


def _codes(book: Row) -> set[str]:
    return {str(order.get("venueCode")) for order in inside((book.get("bids"), book.get("asks")))}


def out_of_reach(reason: str) -> Probe:
    """Nothing that may be sent, or that comes back, tells."""

    def probe(_: Evidence) -> Finding:
        raise NotReachableError(reason)

    return probe

"""One document, decoded by the slow reference and by the decoder, and held against each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import polars as pl
from attrs import define, field, frozen

from tests.decoding import reference
from trayport_sdk import TrayportDecodeError
from trayport_sdk.tables.decode.decoder import Decoder
from trayport_sdk.tables.decode.schema import ColumnFilter, to_frame


@frozen
class Case:
    """A body, how it arrives, and what was asked for.

    Attributes:
        piece: The size of pieces for the decoder, in bytes.
    """

    operation_id: str
    wanted: ColumnFilter = field(repr=False)
    chunks: Sequence[bytes]
    piece: int | None = None

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)


@frozen
class Outcome:
    """What a decoder makes of a body."""

    frames: Sequence[pl.DataFrame]
    timestamp: int | None


MOST_TRIES = 1500

Decode: TypeAlias = Callable[[Case], Outcome]


def decode(case: Case) -> Outcome:
    """The decoder under test."""
    decoder = Decoder(case.operation_id, case.wanted, piece=case.piece)
    frames = list(decoder.frames(iter(case.chunks)))
    return Outcome(frames, decoder.timestamp)


@define
class Count:
    """How many documents were right, wrong, or wrong only where the tables assume."""

    right: int = 0
    wrong: int = 0
    unexpected: int = 0


COUNT = Count()


def check(case: Case, decode: Decode = decode) -> None:
    """Fails unless both decoders tell the same rows, or both refuse the body."""
    try:
        expected = reference.decoded(case.operation_id, case.body, case.wanted)
    except reference.Wrong as wrong:
        COUNT.wrong += 1
        _check_refused(case, decode, wrong.problems)
        return
    if expected.unexpected:
        COUNT.unexpected += 1
        _check_nothing_worse(case, decode)
        return
    COUNT.right += 1
    try:
        outcome = decode(case)
    except TrayportDecodeError as error:
        raise AssertionError(f"refused what is right: {error}") from error
    assert outcome.timestamp == expected.timestamp
    nothing = to_frame(case.operation_id, [], case.wanted)
    for frame in outcome.frames:
        assert frame.schema == nothing.schema
    found = [row for frame in outcome.frames for row in rows_of(frame)]
    assert len(found) == len(expected.rows), "the number of rows"
    for number, (one, other) in enumerate(zip(found, expected.rows, strict=True)):
        assert one == other, f"row {number}"


def _check_refused(case: Case, decode: Decode, problems: Sequence[reference.Problem]) -> None:
    try:
        outcome = decode(case)
    except TrayportDecodeError as error:
        _check_place(case.body, error, problems)
        return
    rows = sum(frame.height for frame in outcome.frames)
    raise AssertionError(f"{rows} rows out of what is wrong: {problems or 'no JSON'}")


def _check_place(
    body: bytes, error: TrayportDecodeError, problems: Sequence[reference.Problem]
) -> None:
    offset = _check_offset(body, error)
    if not problems:
        return
    named = [p for p in problems if (p.row, p.field) == (error.row, error.field)]
    assert named, f"named row {error.row}, {error.field}; wrong are {problems}"
    if named[0].value is not reference.ABSENT:
        assert any(reference.stands_at(body, offset, one.value) for one in named), (
            f"the wrong value of row {error.row}, {error.field} is not at byte {error.offset}"
        )


def _check_offset(body: bytes, error: TrayportDecodeError) -> int:
    assert error.offset is not None
    assert 0 <= error.offset <= len(body), f"offset {error.offset} of {len(body)}"
    return error.offset


def _check_nothing_worse(case: Case, decode: Decode) -> None:
    """Whether what is only assumed is held against a response is tested elsewhere."""
    try:
        decode(case)
    except TrayportDecodeError as error:
        _check_offset(case.body, error)


def rows_of(frame: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """The rows, with times as whole nanoseconds."""
    yield from frame.select(pl.all().to_physical()).iter_rows(named=True)


def smallest(case: Case, decode: Decode = decode) -> Case:
    """A case as small as it gets that fails in the same way: for reports."""
    body, failure = case.body, _failure(case, decode)
    make = _whole if _failure(_whole(case, body), decode) == failure else _in_bytes
    if _failure(make(case, body), decode) != failure:
        return case
    step, tries = len(body) // 2, 0
    while step and tries < MOST_TRIES:
        start = 0
        while start < len(body):
            tries += 1
            shorter = body[:start] + body[start + step :]
            if _failure(make(case, shorter), decode) == failure:
                body = shorter
            else:
                start += step
        step //= 2
    return make(case, body)


def _whole(case: Case, body: bytes) -> Case:
    return Case(case.operation_id, case.wanted, [body], case.piece)


def _in_bytes(case: Case, body: bytes) -> Case:
    return Case(case.operation_id, case.wanted, bytes_of(body), case.piece)


def bytes_of(body: bytes) -> Sequence[bytes]:
    return [body[place : place + 1] for place in range(len(body))]


def fails(case: Case, decode: Decode = decode) -> bool:
    return bool(_failure(case, decode))


def _failure(case: Case, decode: Decode) -> str:
    """The kind of failure: its message without what is of this case only."""
    try:
        check(case, decode)
    except AssertionError as failure:
        return re.sub(r"\d+", "", str(failure))[:25]
    return ""

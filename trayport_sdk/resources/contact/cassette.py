"""The requests and responses of a first contact in one file, without names and ids of people.

The sandbox replays it. The same responses make the same file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, cast

from trayport_spec import SPEC_HASH, Column, Endpoint

from .answers import Answer, Row, inside

VERSION = 1
KEPT_HEADERS = ("content-type", "content-encoding", "retry-after")
SHORTEST = 3
PERSONAL_IDS = ("CompanyId", "TraderId", "UserId")
PRICES = ("price", "open", "high", "low", "close", "vwap", "bidPrice", "askPrice")
# Texts that say what a thing is, and not whose. Others are replaced.
PUBLIC = {
    "tradeId",
    "venueCode",
    "bidVenueCode",
    "askVenueCode",
    "title",
    "detail",
    "type",
    "errors",
}


def cassette(answers: Iterable[Answer], redaction: Redaction) -> str:
    """The text of the file."""
    entries = [redaction.entry(answer) for answer in sorted(answers, key=_place)]
    head = {"version": VERSION, "spec": SPEC_HASH}
    lines = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in entries)
    return f'{json.dumps(head)[:-1]}, "responses": [\n{lines}\n]}}\n'


def _place(answer: Answer) -> tuple[str, str, str]:
    return answer.name, answer.request.url, str(sorted(answer.request.parameters.items()))


@cache
def public_texts(endpoint: Endpoint) -> frozenset[str]:
    """The fields of an operation whose text is kept: all of reference data, and enumerations."""

    def named(columns: Iterable[Column]) -> Iterator[str]:
        for column in columns:
            if column.type == "string" and (endpoint.api == "reference" or column.enum):
                yield column.name
            yield from named(column.fields)

    return frozenset(named(endpoint.row)) | PUBLIC


def private_texts(answers: Iterable[Answer]) -> set[str]:
    """The texts in the fields that are not public."""

    def texts(
        columns: Iterable[Column], rows: Sequence[Row], public: frozenset[str]
    ) -> Iterator[str]:
        for column in columns:
            is_private = column.type == "string" and column.name not in public
            if is_private or column.fields:
                values = [row.get(column.name) for row in rows]
                yield from (v for v in values if is_private and isinstance(v, str))
                if column.fields:
                    yield from texts(column.fields, inside(values), public)

    found: set[str] = set()
    for answer in answers:
        found.update(texts(answer.endpoint.row, answer.rows, public_texts(answer.endpoint)))
    return {text for text in found if len(text) >= SHORTEST}


class Redaction:
    """Replaces what is personal by numbers, the same by the same.

    Args:
        round_prices: How many decimals prices keep; all of them when it is None.
    """

    def __init__(self, round_prices: int | None = None) -> None:
        self._round = round_prices
        self._texts: dict[tuple[str, str], str] = {}
        self._ids: dict[str, int] = {}

    def entry(self, answer: Answer) -> Mapping[str, Any]:
        """One response, with its request."""
        endpoint = answer.endpoint
        kept = {n: answer.headers[n] for n in KEPT_HEADERS if n in answer.headers}
        body: dict[str, Any] = (
            {"text": "[not kept]"}
            if answer.document is None
            else {"json": self._cleaned(answer.document, public_texts(endpoint))}
        )
        return {
            "api": endpoint.api,
            "path": answer.request.url,
            "query": [[n, v] for n, v in self._query(answer)],
            "status": answer.status,
            "headers": kept,
            **body,
        }

    def _query(self, answer: Answer) -> Iterator[tuple[str, str]]:
        for name, given in sorted(answer.request.parameters.items()):
            for value in (given,) if isinstance(given, str) else given:
                # The one parameter whose values a user may have named.
                is_name = name == "routes" and value != "all"
                yield name, self._text("route", value) if is_name else value

    def _cleaned(self, value: Any, public: frozenset[str], name: str = "") -> Any:
        match value:
            case dict():
                # Messages by parameter are those of the service.
                named = cast("dict[str, Any]", value).items()
                return {
                    k: self._cleaned(v, public, name if name == "errors" else k) for k, v in named
                }
            case list():
                return [self._cleaned(v, public, name) for v in cast("list[object]", value)]
            case bool():
                return value
            case int() | str() if value and name.endswith(PERSONAL_IDS):
                number = self._ids.setdefault(str(value), len(self._ids) + 1)
                return type(value)(number)
            case str() if value and name not in public:
                return self._text(name, value)
            case int() | float() if self._round is not None and name in PRICES:
                return round(value, self._round)
            case _:
                return value

    def _text(self, name: str, text: str) -> str:
        return self._texts.setdefault((name, text), f"{name} {len(self._texts) + 1}")

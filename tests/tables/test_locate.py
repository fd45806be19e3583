import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trayport_sdk.tables.decode.locate import (
    LONGEST_NAME,
    path_of,
    row_at,
    row_of,
    start_of,
    values,
)

# As JSON writes a character in up to twelve bytes, all of these are read whole.
names = st.text(max_size=(LONGEST_NAME - 2) // 12)
documents: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
)


def found_in(document: Any, path: Sequence[str | int]) -> Any:
    for part in path:
        document = document[part]
    return document


@given(documents, st.sampled_from([None, 1]))
def test_every_value_begins_where_it_is_said_to(document: Any, indent: int | None) -> None:
    text = json.dumps(document, indent=indent)
    count = 0
    for value in values(text.encode()):
        decoded, _ = json.JSONDecoder().raw_decode(text.encode()[value.start :].decode())
        assert decoded == found_in(document, value.path)
        count += 1
    assert count == text_values(document)


def text_values(document: Any) -> int:
    if isinstance(document, dict):
        return 1 + sum(map(text_values, document.values()))
    return 1 + (sum(map(text_values, document)) if isinstance(document, list) else 0)


@given(st.binary(), st.integers(0, 40))
def test_anything_at_all_can_be_looked_into(text: bytes, offset: int) -> None:
    assert 0 <= start_of(text, (0, "a")) <= len(text)
    assert row_at(text, offset) >= 0


def test_of_a_very_long_name_the_beginning_is_told() -> None:
    paths = [list(value.path) for value in values(b'{"' + b"a" * 5000 + b'":1}')]
    assert paths == [[], ['"' + "a" * (LONGEST_NAME - 1)]]


TEXT = b'[{"a":1,"b":{"c":[1,{"d":2}]}},{"a":2}]'


@pytest.mark.parametrize(
    ("path", "start"),
    [("$", 0), ("$[1]", 31), ("$[1].a", 36), ("$[0].b.c[1].d", 25), ("$[1].missing", 31)],
)
def test_a_path_leads_to_its_value_or_the_nearest_one_around_it(path: str, start: int) -> None:
    assert start_of(TEXT, path_of(path)) == start


@pytest.mark.parametrize(("offset", "row"), [(0, 0), (20, 0), (30, 0), (33, 1), (99, 1)])
def test_a_place_lies_in_a_row(offset: int, row: int) -> None:
    assert row_at(TEXT, offset) == row


@pytest.mark.parametrize(
    ("path", "row"),
    [
        ("$[3].bids[0].price", (3, "bids[0].price")),
        ("$.snapshots[1].bestOrders", (1, "bestOrders")),
        ("$.timestamp", (None, "timestamp")),
    ],
)
def test_a_path_names_the_row_and_the_field(path: str, row: tuple[int | None, str]) -> None:
    assert row_of(path_of(path)) == row

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trayport_sdk.tables.decode.split import Cut, Cutter

texts = st.text(max_size=20) | st.sampled_from(['},{"a":', '"', "\\", "[", "]}", "],["])
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
rows = st.lists(st.dictionaries(st.sampled_from("abc"), values, min_size=1), max_size=12)
BLANKS = bytes.maketrans(b"\t\n\r", b"   ")
layouts = st.sampled_from([(",", ":"), (", ", ": "), ("\n,\t", " :\r\n")])


def proved(cuts: list[Cut]) -> list[Any] | None:
    """The elements of the pieces, or None if one of them is not whole."""
    try:
        return [element for cut in cuts for element in json.loads(cut.text)]
    except ValueError:
        return None


def all_cuts(cutter: Cutter, text: bytes, step: int) -> list[Cut]:
    cuts: list[Cut] = []
    for start in range(0, len(text), step):
        cutter.feed(text[start : start + step])
        cuts += iter(cutter.cut, None)
    cutter.close()
    return cuts + list(iter(cutter.cut, None))


def assert_in_place(cuts: list[Cut], text: bytes) -> None:
    """White space that was put back may be of another kind."""
    spaced = text.translate(BLANKS)
    assert all(spaced[cut.offset :].startswith(cut.inner.translate(BLANKS)) for cut in cuts)


@given(rows, layouts, st.integers(0, 3), st.integers(1, 60), st.integers(1, 40))
def test_the_pieces_are_the_whole_and_can_be_proved(
    rows: list[Any], layout: tuple[str, str], indent: int, piece: int, step: int
) -> None:
    text = json.dumps(rows, separators=layout, indent=indent or None).encode()
    cutter = Cutter(piece)
    cuts = all_cuts(cutter, text, step)
    if proved(cuts) is None:
        # A guess was wrong: with brackets followed, every piece is whole.
        cutter.put_back(cuts)
        cuts = list(iter(cutter.cut, None))
        assert not any(cut.is_guess for cut in cuts)
    assert proved(cuts) == rows
    assert [cut.is_last for cut in cuts] == [False] * (len(cuts) - 1) + [True]
    assert_in_place(cuts, text)


@given(rows, layouts, st.integers(0, 3), st.integers(1, 60))
def test_pieces_that_are_put_back_stand_where_they_stood(
    rows: list[Any], layout: tuple[str, str], indent: int, piece: int
) -> None:
    text = json.dumps(rows, separators=layout, indent=indent or None).encode()
    cutter = Cutter(piece)
    cutter.put_back(all_cuts(cutter, text, len(text)))
    cuts = list(iter(cutter.cut, None))
    assert proved(cuts) == rows
    assert_in_place(cuts, text)


def test_rows_that_begin_alike_are_cut_at_about_the_size_asked_for() -> None:
    text = json.dumps([{"id": number, "more": "x" * 20} for number in range(1000)]).encode()
    sizes = [len(cut.inner) for cut in all_cuts(Cutter(1000), text, 64)]
    assert max(sizes) <= 1000
    assert min(sizes[:-1]) > 900


def test_rows_in_any_order_are_cut_at_about_the_size_asked_for() -> None:
    rows = [{"a": [{"b": 1}], "b": 2} if number % 2 else {"b": 1} for number in range(1000)]
    cutter = Cutter(1000)
    first = all_cuts(cutter, json.dumps(rows).encode(), 64)
    cutter.put_back(first)
    sizes = [len(cut.inner) for cut in iter(cutter.cut, None)]
    assert max(sizes) <= 1000 + len(json.dumps(rows[1]))
    assert len(sizes) > 15


def test_a_row_larger_than_a_piece_is_a_piece_of_its_own() -> None:
    rows = [{"a": "x" * 5000}, {"a": "y"}, {"a": "z" * 5000}]
    assert proved(all_cuts(Cutter(100), json.dumps(rows).encode(), 7)) == rows


@pytest.mark.parametrize("text", [b"[1,1,1,1,1,1,1,1,1,1,1,1", b"[x" + b" " * 50, b'[{"a":1},' * 9])
def test_what_is_no_array_of_objects_is_given_out_before_it_ends(text: bytes) -> None:
    cutter = Cutter(8)
    cutter.feed(text)
    cuts = list(iter(cutter.cut, None))
    assert cuts
    assert proved(cuts) is None

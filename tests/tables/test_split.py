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


def right_cuts(cutter: Cutter, text: bytes, step: int) -> list[Cut]:
    """The pieces, of which those are put back that are not whole elements."""
    cuts: list[Cut] = []
    for start in range(0, len(text) + step, step):
        cutter.feed(text[start : start + step])
        if start >= len(text):
            cutter.close()
        for cut in iter(cutter.cut, None):
            if cut.is_guess and proved([cut]) is None:
                cutter.put_back(cut)
            else:
                cuts.append(cut)
    return cuts


def are_in_place(cuts: list[Cut], text: bytes) -> bool:
    return all(text.startswith(cut.inner, cut.offset) for cut in cuts)


@given(rows, layouts, st.integers(0, 3), st.integers(1, 60), st.integers(1, 40))
def test_the_pieces_are_the_whole(
    rows: list[Any], layout: tuple[str, str], indent: int, piece: int, step: int
) -> None:
    text = json.dumps(rows, separators=layout, indent=indent or None).encode()
    cuts = right_cuts(Cutter(piece), text, step)
    assert proved(cuts) == rows
    assert [cut.is_last for cut in cuts] == [False] * (len(cuts) - 1) + [True]
    assert are_in_place(cuts, text)


@given(rows, layouts, st.integers(0, 3), st.integers(1, 60))
def test_a_piece_that_is_put_back_stands_where_it_stood(
    rows: list[Any], layout: tuple[str, str], indent: int, piece: int
) -> None:
    text = json.dumps(rows, separators=layout, indent=indent or None).encode()
    cutter = Cutter(piece)
    cutter.feed(text)
    cutter.close()
    first = cutter.cut()
    assert first is not None
    cutter.put_back(first)
    cuts = list(iter(cutter.cut, None))
    assert not any(cut.is_guess for cut in cuts)
    assert proved(cuts) == rows
    assert are_in_place(cuts, text)


def test_rows_that_begin_alike_are_cut_at_about_the_size_asked_for() -> None:
    text = json.dumps([{"id": number, "more": "x" * 20} for number in range(1000)]).encode()
    sizes = [len(cut.inner) for cut in all_cuts(Cutter(1000), text, 64)]
    assert max(sizes) <= 1000
    assert min(sizes[:-1]) > 900


def test_rows_in_any_order_are_cut_at_about_the_size_asked_for() -> None:
    rows = [{"a": [{"b": 1}], "b": 2} if number % 2 else {"b": 1} for number in range(1000)]
    cutter = Cutter(1000)
    cutter.feed(json.dumps(rows).encode())
    first = cutter.cut()
    assert first is not None
    cutter.put_back(first)
    cutter.close()
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

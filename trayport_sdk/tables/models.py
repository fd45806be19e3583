"""Models made from tables: a column at a time, in blocks, as they are iterated.

`constructors`, which is generated, says which field of a model is made of which column, and how.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from itertools import chain, islice, repeat
from typing import Any, TypeAlias, TypeVar

import polars as pl

Model = TypeVar("Model")
Make: TypeAlias = Callable[[pl.DataFrame], list[Model]]
"""Makes the models of rows."""
Read: TypeAlias = Callable[[pl.Series], Iterable[Any]]
"""Makes the values of a field of those of a column."""

BLOCK_BYTES = 2**20
"""How much of a table is made into models at once. Iterating needs the memory of one block."""


def models(frame: pl.DataFrame, make: Make[Model]) -> Iterator[Model]:
    """The models of the rows of a table, made block by block.

    A model equals what its `from_dict` makes of the JSON object of its row. Times are exact whole
    nanoseconds. What was absent is None.
    """

    def made(block: pl.DataFrame) -> list[Model]:
        with collector_paused():
            return make(block)

    rows = max(1, BLOCK_BYTES * frame.height // max(1, int(frame.estimated_size())))
    return chain.from_iterable(map(made, frame.iter_slices(rows)))


@contextmanager
def collector_paused() -> Generator[None, None, None]:
    """Makes many objects without the garbage collector looking at them again and again."""
    # If it is paused already, another thread paused it and will resume it.
    pauses = gc.isenabled()
    if pauses:
        gc.disable()
    try:
        yield
    finally:
        if pauses:
            gc.enable()


@contextmanager
def in_oldest_generation() -> Generator[None, None, None]:
    """Makes many objects that are kept, in the oldest generation of the garbage collector.

    It looks at that one rarely, and would look at all new objects as soon as it is resumed. What
    was new before is collected first, so that no garbage gets there as well.
    """
    ages = gc.isenabled() and not gc.get_freeze_count()  # what somebody froze stays so
    if ages:
        gc.collect(1)
    with collector_paused():
        try:
            yield
        finally:
            if ages:
                gc.freeze()
                gc.unfreeze()


def blank(model: type[Model], rows: pl.DataFrame) -> list[Model]:
    """A model for each row, without values: to set them takes less time than a call with them."""
    return list(map(model.__new__, repeat(model, rows.height)))


def times(values: pl.Series) -> list[int | None]:
    """Makes whole nanoseconds of times."""
    return values.cast(pl.Int64).to_list()


def members(kind: type[StrEnum]) -> Read:
    """Makes members of an enumeration."""
    found: dict[str | None, StrEnum | None] = {None: None}
    found |= {member.value: member for member in kind}
    return lambda values: map(found.__getitem__, values.to_list())


def structs(make: Make[Any]) -> Read:
    """Makes models of structs."""

    def read(values: pl.Series) -> Iterator[Any]:
        following = iter(make(values.drop_nulls().struct.unnest()))
        return (next(following) if there else None for there in values.is_not_null().to_list())

    return read


def lists(make: Make[Any]) -> Read:
    """Makes lists of models of lists of structs."""

    def read(values: pl.Series) -> Iterator[Any]:
        sizes = values.list.len()
        following = iter(make(values.filter(sizes > 0).explode().struct.unnest()))
        return (None if size is None else [*islice(following, size)] for size in sizes.to_list())

    return read


def required(rows: pl.DataFrame, name: str, read: Read = pl.Series.to_list) -> Iterable[Any]:
    """The values of a column."""
    return read(rows.get_column(name))


def optional(rows: pl.DataFrame, name: str, read: Read = pl.Series.to_list) -> Iterable[Any]:
    """The values of a column, or None for each row where the table has no such column."""
    return required(rows, name, read) if name in rows.columns else repeat(None, rows.height)

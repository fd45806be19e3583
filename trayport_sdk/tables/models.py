"""Models made from tables: a column at a time, in blocks, as they are iterated."""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from functools import cache
from itertools import chain, islice, repeat
from typing import Any, TypeVar, cast, get_args, get_type_hints

import polars as pl
import trayport_api.models
from attrs import fields, frozen
from trayport_spec import ENDPOINTS, Column

Model = TypeVar("Model")

FIRST_BLOCK = 4096
BLOCK_BYTES = 4 * 2**20


def models(frame: pl.DataFrame, operation_id: str, model: type[Model]) -> Iterator[Model]:
    """The models of the rows of a table, made block by block.

    A model equals what its `from_dict` makes of the JSON object of its row. Times are exact whole
    nanoseconds. What was absent is None.
    """
    shape = _shape_of_rows(operation_id, cast("Hashable", model))
    return chain.from_iterable(map(shape.made_quickly, _blocks(frame)))


def _blocks(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Parts of a table, the first ones small, the others of some megabytes.

    After each the collector looks at what was made, which costs less for a few large blocks.
    """
    most = max(1, BLOCK_BYTES * frame.height // max(1, int(frame.estimated_size())))
    start, size = 0, FIRST_BLOCK
    while start < frame.height:
        size = min(size, most)
        yield frame.slice(start, size)
        start += size
        size *= 2


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


@frozen
class _Field:
    """A field of a model, the column it is in, and what its values become."""

    column: Column
    shape: _Shape | None
    members: Mapping[str | None, Enum | None] | None

    def values(self, values: pl.Series) -> list[Any]:
        if self.members:
            return list(map(self.members.__getitem__, values.to_list()))
        if self.column.type == "timestamp":
            return values.cast(pl.Int64).to_list()
        if self.shape is None:
            return values.to_list()
        if self.column.type == "list":
            sizes = values.list.len()
            items = values.filter(sizes > 0).explode()
            following = iter(self.shape.made(items.struct.unnest()))
            return [
                None if size is None else list(islice(following, size)) for size in sizes.to_list()
            ]
        following = iter(self.shape.made(values.drop_nulls().struct.unnest()))
        return [next(following) if there else None for there in values.is_not_null().to_list()]


@frozen
class _Shape:
    """What a model is made of, in the order in which it takes its fields."""

    model: Callable[..., Any]
    fields: Sequence[_Field]

    def made_quickly(self, rows: pl.DataFrame) -> list[Any]:
        with collector_paused():
            return self.made(rows)

    def made(self, rows: pl.DataFrame) -> list[Any]:
        came = frozenset(rows.columns)
        columns: list[Iterable[Any]] = [
            field.values(rows.get_column(field.column.python_name))
            if field.column.required or field.column.python_name in came
            else repeat(None)
            for field in self.fields
        ]
        return list(map(self.model, *columns))


@cache
def _shape_of_rows(operation_id: str, model: Any) -> _Shape:
    return _shape(model, ENDPOINTS[operation_id].row)


def _shape(model: type[Any], columns: Sequence[Column]) -> _Shape:
    hints = get_type_hints(model, localns=vars(trayport_api.models))
    # Names that are keywords of Python have an underscore at their end.
    by_name = {column.python_name: column for column in columns}
    return _Shape(
        model,
        [
            _field(by_name[attribute.name.rstrip("_")], hints[attribute.name])
            for attribute in fields(model)
        ],
    )


def _field(column: Column, hint: object) -> _Field:
    (kind,) = {kind for kind in _classes(hint) if kind not in (type(None), list)}
    members = None
    if issubclass(kind, Enum):
        members = {None: None} | {str(member.value): member for member in kind}
    return _Field(column, _shape(kind, column.fields) if column.fields else None, members)


def _classes(hint: object) -> Iterator[type[Any]]:
    """The classes that a type hint is made of."""
    if isinstance(hint, type) and not get_args(hint):
        yield hint
    for part in get_args(hint):
        yield from _classes(part)

"""Loads the library, if there is one, and hands the rows that it reads to polars."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

import polars as pl
from trayport_spec import ENDPOINTS, Column

from ..schema import ColumnFilter

Reader: TypeAlias = Literal["native", "Python"]

VARIABLE = "TRAYPORT_READER"
PYTHON = "python"
LIBRARY = "rows.native." + {"darwin": "dylib", "win32": "dll"}.get(sys.platform, "so")
"""Its name is none that Python would import."""

POWERS = range(-342, 309)
"""Of five: below and above, whatever 64 bits hold becomes zero or infinity."""

ROUNDED_UP_FROM = -27


class Library:
    """The functions of the library."""

    def __init__(self, path: Path) -> None:
        library = ctypes.CDLL(str(path))

        def function(name: str, result: Any, *arguments: Any) -> Any:
            found = getattr(library, name)
            found.restype, found.argtypes = result, arguments
            return found

        pointer, size = ctypes.c_void_p, ctypes.c_int64
        self.new = function("rows_new", pointer, pointer, pointer, size, size)
        self.free = function("rows_free", None, pointer)
        self.read = function("rows_read", ctypes.c_int, pointer, pointer, size)
        self.count = function("rows_count", size, pointer)
        self.ended = function("rows_ended", ctypes.c_bool, pointer)
        self.rest = function("rows_rest", pointer, pointer, pointer)
        self.export = function("rows_export", ctypes.c_bool, pointer, pointer, pointer)
        self.release = function("rows_release", None, pointer, pointer)
        self.powers = (ctypes.c_uint64 * (2 * len(POWERS)))(*_powers())


def library() -> Library | None:
    """The library; None where there is none, or the variable says that Python reads."""
    return None if os.environ.get(VARIABLE, "").lower() == PYTHON else _load()


def reader() -> Reader:
    """What reads rows here."""
    return "Python" if library() is None else "native"


@cache
def _load() -> Library | None:
    compiled = Path(__file__).with_name(LIBRARY)
    source = compiled.with_name("rows.c")  # is in a checkout, where an update may be newer
    try:
        if source.exists() and source.stat().st_mtime > compiled.stat().st_mtime:
            return None
        return Library(compiled)
    except OSError:
        return None


def _powers() -> Iterator[int]:
    """The powers of five in halves of 128 bits, of which the highest is set."""
    for power in POWERS:
        five = 5 ** abs(power)
        size = five.bit_length()
        if power >= 0:
            five = five << 128 >> size
        else:
            # Rounded up where the quotient is not longer than what it is multiplied with.
            five = (1 << (size + 127)) // five + (power >= ROUNDED_UP_FROM)
        yield from divmod(five, 1 << 64)


KINDS = ("int64", "float64", "bool", "string", "struct", "list", "timestamp")
STRUCT, LIST = KINDS.index("struct"), KINDS.index("list")
REQUIRED, NULLABLE, WANTED = 1, 2, 4
TAKEN, NO_MEMORY = 0, 3
LEAST = -(2**63)

DEEPEST_COLUMN = 4
"""How deeply columns are nested: a field of a struct in a list in a row of the array."""

READ_BYTES = 1 << 18
"""Bytes that are read at once: they stay in the caches of a processor."""


class _Description(ctypes.Structure):
    _fields_ = (
        ("key", ctypes.c_char_p),
        ("name", ctypes.c_char_p),
        ("values", ctypes.c_char_p),
        ("minimum", ctypes.c_int64),
        ("kind", ctypes.c_int32),
        ("flags", ctypes.c_int32),
        ("fields", ctypes.c_int32),
    )


class _ArrowSchema(ctypes.Structure):
    _fields_ = (("memory", ctypes.c_void_p * 9),)


class _ArrowArray(ctypes.Structure):
    _fields_ = (("memory", ctypes.c_void_p * 10),)


class RowReader:
    """Reads the text of an array into tables, up to what is not plainly right.

    Args:
        library: The library.
        columns: The columns of a row, as `described` makes them.
        depth: How deeply the JSON may be nested.
        waiting: How many bytes may wait for the end of their row.
    """

    def __init__(self, library: Library, columns: Any, depth: int, waiting: int) -> None:
        self._library = library
        self._size = 0
        self._reader = library.new(columns, library.powers, depth, waiting)
        if not self._reader:
            raise MemoryError

    def __del__(self) -> None:
        if reader := getattr(self, "_reader", None):
            self._library.free(reader)

    @property
    def rows(self) -> int:
        """How many rows wait to be taken."""
        return int(self._library.count(self._reader))

    @property
    def offset(self) -> int:
        """Where `rest` begins in the text that was read."""
        return self._size - len(self.rest())

    @property
    def has_ended(self) -> bool:
        """Whether the array was closed, and nothing but white space followed."""
        return bool(self._library.ended(self._reader))

    def read(self, text: bytes, start: int) -> bool:
        """Reads on from a place of a text; False when the rest is for another reader."""
        address = ctypes.cast(ctypes.c_char_p(text), ctypes.c_void_p).value or 0
        size = min(READ_BYTES, len(text) - start)
        self._size += size
        outcome = self._library.read(self._reader, address + start, size)
        if outcome == NO_MEMORY:
            raise MemoryError
        return bool(outcome == TAKEN)

    def rest(self) -> bytes:
        """The text from the row on that was read last, and all of it when no row was."""
        size = ctypes.c_int64()
        start = self._library.rest(self._reader, ctypes.byref(size))
        return ctypes.string_at(start, size.value)

    def take(self) -> pl.DataFrame:
        """The rows that wait."""
        exported = _Exported(self._library)
        if not self._library.export(self._reader, exported.array, exported.schema):
            raise MemoryError
        return pl.Series(exported).struct.unnest()


def row_reader(
    operation_id: str, wanted: ColumnFilter, *, depth: int, waiting: int
) -> RowReader | None:
    """A reader of the rows of an operation; None where Python has to read them.

    Args:
        operation_id: The operation.
        wanted: Which columns are part of the tables.
        depth: How deeply the JSON may be nested.
        waiting: How many bytes may wait for the end of their row.
    """
    if (functions := library()) is None or depth < DEEPEST_COLUMN:
        return None
    return RowReader(functions, described(ENDPOINTS[operation_id].row, wanted), depth, waiting)


@lru_cache
def described(columns: tuple[Column, ...], wanted: ColumnFilter) -> Any:
    """The columns of a row, as the library takes them."""
    rows = [_described(b"", b"", STRUCT, REQUIRED | WANTED, len(columns))]
    rows += _descriptions(columns, wanted)
    return (_Description * len(rows))(*rows)


def _descriptions(columns: Sequence[Column], wanted: ColumnFilter) -> Iterator[_Description]:
    for column in columns:
        flags = REQUIRED * column.required | NULLABLE * column.nullable | WANTED * wanted(column)
        key, name = column.name.encode(), column.python_name.encode()
        values = b"".join(value.encode() + b"\0" for value in (*column.enum, "")) or None
        least = LEAST if column.minimum is None else int(column.minimum)
        kind, fields = KINDS.index(column.type), len(column.fields)
        if kind == LIST:
            yield _described(key, name, LIST, flags, 1)
            key, name, kind, flags = b"item", b"item", STRUCT, REQUIRED | WANTED
        yield _described(key, name, kind, flags, fields, least, values if column.enum else None)
        yield from _descriptions(column.fields, wanted)


def _described(
    key: bytes,
    name: bytes,
    kind: int,
    flags: int,
    fields: int,
    minimum: int = LEAST,
    values: bytes | None = None,
) -> _Description:
    return _Description(key, name, values, minimum, kind, flags, fields)


_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.restype = ctypes.py_object
_new_capsule.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)


class _Exported:
    """Rows in memory of the library, which polars takes over."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._array, self._schema = _ArrowArray(), _ArrowSchema()
        self.array, self.schema = map(ctypes.addressof, (self._array, self._schema))

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        return (
            _new_capsule(self.schema, b"arrow_schema", None),
            _new_capsule(self.array, b"arrow_array", None),
        )

    def __del__(self) -> None:
        self._library.release(self.array, self.schema)

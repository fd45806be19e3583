"""Files read back: tables that were written, and responses that were kept as they came."""

from __future__ import annotations

import mmap
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, TypeAlias, overload

import polars as pl
from trayport_spec.options import EndpointName, OptionalField

from ..errors import (
    QUOTED_CHARACTERS,
    TrayportDecodeError,
    TrayportValidationError,
    require_extra,
    unknown_value,
)
from ..http.body import DecompressionError, decompressed
from ..query.build import chosen_options
from ..query.contracts import ContractSpec
from ..query.plan import OPERATIONS, QueryPlan
from ..query.times import TimeLike
from ..tables.convert import flat
from ..tables.decode.decoder import Decoder
from ..tables.output import user_path
from ..telemetry.processes import check_process
from .dataset_reader import arrow_dataset, is_dataset, scan
from .dataset_writer import check_free
from .raw import encoding_of
from .reading import columns_of
from .sidecars import VIEW
from .storage import storage_of

Dataset: TypeAlias = Any
"""A `pyarrow.dataset.Dataset`: the library has no types."""

BACKENDS = ("polars", "arrow")
FORMATS = (".parquet", ".arrow", ".jsonl")
CHUNK = 1 << 18
SEEN = 1 << 24
"""Bytes of a mapped file that are read before the memory they take is given back."""


@overload
def open_dataset(
    path: str | Path,
    *,
    as_of: TimeLike | None = None,
    contracts: Iterable[ContractSpec | str] | None = None,
    backend: Literal["polars"] = "polars",
) -> pl.LazyFrame: ...
@overload
def open_dataset(path: str | Path, *, backend: Literal["arrow"]) -> Dataset: ...
def open_dataset(
    path: str | Path,
    *,
    as_of: TimeLike | None = None,
    contracts: Iterable[ContractSpec | str] | None = None,
    backend: Literal["polars", "arrow"] = "polars",
) -> pl.LazyFrame | Dataset:
    """A data set, or files that this package wrote, as a table that is read when needed.

    Only what names the columns is read at once. Parquet and Arrow files are mapped into
    memory, and only the columns and the groups of rows that a query needs are read. Times in JSON
    Lines are the text they were written as.

    The rows of a data set have the symbol and the names of their contract in front, and behind them
    the columns `product`, `sequence`, `item` and `month` of its directories: where they are
    filtered by, other files are not opened.

    Args:
        path: What `client.backfill` wrote; a file; or a directory whose files have the same format
            and columns. They are read in the order of their names, and hidden ones are left out.
        as_of: Gives the rows of a data set as they were known at that time, before what became
            known later was added, altered and deleted. Naive times mean UTC.
        contracts: Gives only the rows of these contracts of a data set, by name, symbol or spec:
            the files of others are not opened.
        backend: `"polars"` for a lazy frame, or `"arrow"` for a data set of pyarrow, which needs
            the extra `arrow`.

    Raises:
        TrayportForkError: The process was forked from one that had threads already.
        TrayportValidationError: There is nothing, nothing that can be read, or files of several
            formats; a contract is not in the data set; or `as_of` or `contracts` are given for
            something else than a data set.
        TrayportDatasetError: What was known at `as_of` was pruned.
        TrayportConfigurationError: The extra is not installed.
    """
    check_process()
    if backend not in BACKENDS:
        raise unknown_value("backend", backend, BACKENDS)
    if is_dataset(path) and backend == "polars":
        return scan(path, as_of, contracts)
    for name, value in (("as_of", as_of), ("contracts", contracts)):
        if value is not None:
            raise TrayportValidationError(
                f"{name} does not go with {str(path)!r} and backend={backend!r}",
                parameter=name,
                suggestion="leave it out, or open what client.backfill wrote with polars",
            )
    if is_dataset(path):
        return arrow_dataset(path)
    local = user_path(path)
    if (local / VIEW).is_file():
        check_free(storage_of(local))  # it is one of a data set, whose manifest is not there
    files = _files(local)
    kind = _format(files)
    return _arrow(files, kind) if backend == "arrow" else _polars(files, kind)


def decode_file(
    path: str | Path,
    endpoint: EndpointName = "trades",
    *,
    optional_fields: Sequence[OptionalField] | OptionalField = (),
    include_private: bool = False,
    lenient: bool = False,
) -> Iterator[pl.DataFrame]:
    """The rows of a response that `download_raw` kept, in tables, as strictly as the client.

    The file is mapped into memory and decompressed and decoded in pieces, so that a file of any
    size takes little memory. Its name says how it is compressed. Which range and contracts were
    requested it does not say, so no row is left out or refused for those.

    Args:
        path: The file: `.json`, with `.br`, `.gz` or `.zz` behind if it is compressed.
        endpoint: The operation, such as `"trades"`, `"ohlcv"` or `"order_book"`.
        optional_fields: The optional columns of the request. Responses about several
            contracts have the column `contract`.
        include_private: Whether the request was for private details.
        lenient: Whether values that are not of their types become null instead of an error.

    Yields:
        Flat tables of some thousand rows; one without rows if there are none.

    Raises:
        TrayportForkError: The process was forked from one that had threads already.
        TrayportValidationError: There is no such file, endpoint, column or format.
        TrayportDecodeError: It is not what the API promises, or cut short; what was yielded before
            was right.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> months = ["TTF Hi Cal 51.6* Apr-24", "TTF Hi Cal 51.6* May-24"]
        >>> with TemporaryDirectory() as directory:
        ...     async with TrayportClient.sandbox() as client:
        ...         paths = await client.download_raw(
        ...             months, "2024-03-04", "2024-03-05", directory
        ...         )
        ...     frames = list(decode_file(paths[0], optional_fields="contract"))
        >>> frames[0].columns[0]
        'contract'
    """
    check_process()
    file = user_path(path)
    if not file.is_file():
        raise _unreadable(path, "is no file")
    if endpoint not in OPERATIONS:
        raise unknown_value("endpoint", endpoint, OPERATIONS)
    encoding = encoding_of(file.name)
    kind = Path(file.stem if encoding else file.name).suffix.lower()
    if kind != ".json":
        raise _unreadable(path, "has no known ending", limit=".json")
    options = chosen_options(
        OPERATIONS[endpoint],
        optional_fields=optional_fields,
        include_private=include_private,
    )
    query = QueryPlan(endpoint=endpoint, options=options)
    return _decoded(file, query, encoding, lenient=lenient)


def _decoded(
    file: Path, query: QueryPlan, encoding: str, *, lenient: bool
) -> Iterator[pl.DataFrame]:
    beginning = b""

    def shown() -> Iterator[bytes]:
        nonlocal beginning
        for chunk in decompressed(_mapped(file), encoding):
            beginning = beginning or chunk[: 4 * QUOTED_CHARACTERS]
            yield chunk

    try:
        decoder = Decoder(query.operation.operation_id, columns_of(query), lenient=lenient)
        yield from map(flat, decoder.frames(shown()))
    except DecompressionError as error:
        raise TrayportDecodeError(f"{str(file)!r} is not whole: {error}") from error
    except TrayportDecodeError as error:
        error.body = beginning.decode(errors="replace")[:QUOTED_CHARACTERS]
        error.add_note(f"The response is in {str(file)!r}.")
        raise


def _mapped(file: Path) -> Iterator[bytes]:
    """The bytes of a file, without any of it staying in memory."""
    size = file.stat().st_size
    if not size:
        return  # nothing cannot be mapped
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as body:
        for start in range(0, size, CHUNK):
            yield body[start : start + CHUNK]
            if not (start + CHUNK) % SEEN and hasattr(mmap, "MADV_DONTNEED"):
                body.madvise(mmap.MADV_DONTNEED, start + CHUNK - SEEN, SEEN)


def _files(path: Path) -> list[Path]:
    """The files of a data set."""
    if path.is_dir():
        files = sorted(f for f in path.iterdir() if f.is_file() and f.name[0] not in "._")
        if not files:
            raise _unreadable(path, "is a directory without files")
        # JSON Lines of no rows are an empty file, which says nothing beside others.
        files = [f for f in files if f.suffix.lower() != ".jsonl" or f.stat().st_size] or (
            files[:1]
        )
    elif path.is_file():
        files = [path]
    else:
        raise _unreadable(path, "does not exist")
    for file in files:
        if not file.stat().st_size:
            raise _unreadable(file, "is empty")
    return files


def _format(files: Sequence[Path]) -> str:
    """The format that all of the files have."""
    kinds = sorted({file.suffix.lower() for file in files})
    if len(kinds) > 1:
        raise _unreadable(files[0].parent, f"has files of several formats: {', '.join(kinds)}")
    if kinds[0] not in FORMATS:
        raise _unreadable(files[0], "has no known ending", limit=", ".join(FORMATS))
    return kinds[0]


def _unreadable(path: str | Path, why: str, limit: str | None = None) -> TrayportValidationError:
    return TrayportValidationError(
        f"path {str(path)!r} {why}",
        parameter="path",
        limit=limit,
        suggestion="give a file that was written by this package, or a directory of such files",
    )


def _polars(files: Sequence[Path], kind: str) -> pl.LazyFrame:
    match kind:
        case ".parquet":
            return pl.scan_parquet(list(files), glob=False)
        case ".arrow":
            return pl.scan_ipc(list(files), glob=False)
        case _:
            sources: Any = list(files)
            if any(map(_has_mark, files)):
                # An editor may have left a byte order mark, which polars does not read.
                sources = [file.read_bytes().removeprefix(BOM_UTF8) for file in files]
            return pl.scan_ndjson(sources, infer_schema_length=None)


def _has_mark(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(BOM_UTF8)) == BOM_UTF8


def _arrow(files: Sequence[Path], kind: str) -> Dataset:
    require_extra("arrow", "pyarrow", what="backend 'arrow'")

    data, fs = map(import_module, ("pyarrow.dataset", "pyarrow.fs"))
    kinds = {".parquet": "parquet", ".arrow": "ipc", ".jsonl": "json"}
    return data.dataset(
        [str(file.resolve()) for file in files],
        format=kinds[kind],
        filesystem=fs.LocalFileSystem(use_mmap=True),
    )

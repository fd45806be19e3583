"""Reads a data set: as it is, as it was known at some time, and what changed in between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from difflib import get_close_matches
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
from attrs import frozen

from ..errors import TrayportDatasetError, invalid, require_extra
from ..query.build import listed
from ..query.contracts import ContractSpec
from ..query.plan import CONTRACT, QueryPlan
from ..query.times import TimeLike, Window, duration_of, exact_instant, exact_text
from ..tables.convert import NAMES, PolarsDataType
from ..telemetry.processes import check_process
from .corrections import BEFORE, CHANGE, KNOWN_AT, difference, identity, known_change
from .dataset_writer import NOTES_LOSS, damaged, has, now_in_nanoseconds, writing
from .manifest import NAME, Manifest, unusable
from .partitions import DATA, KEYS, OF_CONTRACT, keys_above, moment, time_column
from .question import keys_of, no_rows_of, nothing_in, query_of, unit_of
from .records import File, Version
from .sidecars import names_of
from .storage import Storage, dataset_at

LATEST = 2**63 - 1
"""The last time that SQLite can compare with."""


@frozen
class _Known:
    """A file, and the windows whose rows were not known yet."""

    name: str
    later: tuple[Window, ...]


def is_dataset(path: str | Path) -> bool:
    """Whether a backfill wrote a path."""
    return (dataset_at(path).state / NAME).is_file()


def scan(
    path: str | Path,
    as_of: TimeLike | None = None,
    of: Iterable[ContractSpec | str] | None = None,
) -> pl.LazyFrame:
    """The rows of a data set with the columns of its directories and the names of contracts."""
    storage = dataset_at(path)
    with Manifest(storage.state, reads=True) as manifest:
        query = query_of(manifest, storage)
        if manifest.is_empty():
            raise nothing_in(storage)
        contracts = manifest.contracts()
        files = manifest.files()
        if of is not None:
            contracts = _chosen(contracts, of)
            wanted = set(map(str, contracts))
            files = [file for file in files if file.subject in wanted]
        _check_lost(storage, manifest, files)
        if as_of is None:
            known = [_Known(file.name, ()) for file in files if file.rows]
        else:
            known = _known(storage, manifest, files, exact_instant(as_of, "as_of"))
        known = _recorded(storage, manifest, files, known)
        unit = unit_of(manifest)
    if known:
        rows = _scanned(storage, known, query, keys_of(contracts))
    else:
        rows = no_rows_of(query, contracts, unit).lazy()
    if not contracts:
        return rows
    columns = rows.collect_schema().names()
    own = [name for name in columns if name not in KEYS]
    names = names_of(contracts).lazy()
    return rows.join(names, on=OF_CONTRACT, how="left", maintain_order="left").select(
        CONTRACT, *NAMES, *own, *KEYS
    )


def arrow_dataset(path: str | Path) -> Any:
    """The files of a data set as a `pyarrow.dataset.Dataset`, with the columns of directories."""
    require_extra("arrow", "pyarrow", what="backend 'arrow'")
    data = import_module("pyarrow.dataset")
    storage = dataset_at(path)
    with Manifest(storage.state, reads=True) as manifest:
        query, unit = query_of(manifest, storage), unit_of(manifest)
        contracts, files = manifest.contracts(), manifest.files()
        _check_lost(storage, manifest, files)
    if not any(file.rows for file in files):
        return data.dataset(no_rows_of(query, contracts, unit).to_arrow())
    source = storage.source(DATA)
    if "://" in source:
        way_out = "leave it out, or give pyarrow the URL and a file system itself"
        raise invalid("backend", "arrow", f"does not read {source!r}", way_out)
    return data.dataset(source, format="parquet", partitioning="hive")


def _check_lost(storage: Storage, manifest: Manifest, files: Iterable[File]) -> None:
    """Checks that none of the files is one that verify found damaged and has not fetched again."""
    names = {file.name for file in files}
    if lost := [version.name for version in manifest.lost_files() if version.name in names]:
        raise damaged(storage, lost)


def _chosen(
    contracts: Sequence[ContractSpec], of: Iterable[ContractSpec | str]
) -> list[ContractSpec]:
    """The contracts of a data set that are given, as they are or by name or symbol."""
    known: dict[object, ContractSpec] = {}
    for contract in contracts:
        known |= {contract: contract, str(contract): contract, contract.name: contract}
    chosen: dict[ContractSpec, None] = {}
    for one in listed(of):
        if one not in known:
            near = get_close_matches(str(one), [c.label for c in contracts], 3, 0)
            way_out = f"it has {' and '.join(near)}" if near else "it is about all contracts"
            raise invalid("contracts", str(one), "is not in the data set", way_out)
        chosen[known[one]] = None
    return [*chosen]


def _known(storage: Storage, manifest: Manifest, files: Sequence[File], as_of: int) -> list[_Known]:
    """The files as they were known at a time."""
    subjects = {file.name: file.subject for file in files}
    old = [
        version
        for version in manifest.versions()
        if version.name in subjects and version.since <= as_of < version.until
    ]
    _check_kept(storage, old, as_of, manifest.fact("forgotten_until") or 0)
    later = {
        subject: tuple(d.window for d in manifest.done(subject) if d.at > as_of)
        for subject in manifest.subjects()
    }
    then = [(file.name, file.name, file.rows) for file in files if file.since <= as_of]
    then += [(version.name, version.kept, version.rows) for version in old]
    return [_Known(place, later[subjects[name]]) for name, place, rows in sorted(then) if rows]


def _check_kept(storage: Storage, old: Sequence[Version], as_of: int, forgotten: int) -> None:
    """Checks that everything is still there that was known at a time."""
    lost = [version for version in old if not version.kept]
    if lost or as_of < forgotten:
        until = exact_text(max([forgotten, *(version.until for version in lost)]))
        what = f"{lost[0].name!r} as it was then is lost" if lost else "its versions were pruned"
        raise TrayportDatasetError(
            f"as_of {exact_text(as_of)}: {what}",
            files=[version.name for version in lost],
            suggestion=f"give a time from {until} on",
        )
    bad = [version.kept for version in old if not has(storage, version.kept, version.checksum)]
    if bad:
        raise damaged(storage, bad, NOTES_LOSS)


def _recorded(
    storage: Storage, manifest: Manifest, files: Sequence[File], known: list[_Known]
) -> list[_Known]:
    """The files without what a program that was killed, or is at work, has not recorded yet."""
    batches = [batch for _, batch in manifest.begun()]
    if not batches:
        return known
    kept = {
        move.file.name: move.kept.kept
        for batch in batches
        for move in batch.moves
        if move.kept is not None and storage.stamps(move.kept.kept)
    }
    later: dict[str, list[Window]] = {}
    for done in (done for batch in batches for done in batch.windows):
        later.setdefault(done.subject, []).append(done.window)
    subjects = {file.name: file.subject for file in files}
    return [
        _Known(
            kept.get(one.name, one.name), (*one.later, *later.get(subjects.get(one.name, ""), ()))
        )
        for one in known
    ]


def _scanned(
    storage: Storage, known: Sequence[_Known], query: QueryPlan, keys: Mapping[str, PolarsDataType]
) -> pl.LazyFrame:
    time = time_column(query)
    whole = [one.name for one in known if not one.later]
    parts = [_scan(storage, whole, keys)] if whole else []
    for one in known:
        if one.later:
            is_later = pl.any_horizontal(
                pl.col(time).is_between(moment(w.start), moment(w.end), closed="left")
                for w in one.later
            )
            parts.append(_scan(storage, [one.name], keys).filter(~is_later))
    return parts[0] if len(parts) == 1 else pl.concat(parts, how="diagonal")


def _scan(storage: Storage, names: list[str], keys: Mapping[str, PolarsDataType]) -> pl.LazyFrame:
    above = keys_above(storage.url)
    return storage.scan(
        names,
        hive_partitioning=True,
        hive_schema={**dict.fromkeys(above, pl.String), **keys},
        missing_columns="insert",
    ).drop(above, strict=False)


def changes(path: str | Path, since: TimeLike | None = None) -> pl.DataFrame:
    """What changed in a data set after it was fetched, as refreshes found it, in their order.

    Args:
        path: The data set.
        since: From when on, by the time at which a change became known; all when it is left out.
            Naive times mean UTC.

    Returns:
        A row for each record: `known_at`; `change`, which is `"added"`, `"altered"` or
        `"deleted"`; the contract and its names; the columns as they are now, or were last where it
        was deleted; and `before`, a struct of what it was, null where it was added.

    Raises:
        TrayportForkError: The process was forked from one that had threads already.
        TrayportDatasetError: There is no data set, or it cannot be read.
        TrayportValidationError: A time is refused.
    """
    check_process()
    storage = dataset_at(path)
    start = 0 if since is None else min(exact_instant(since, "since"), LATEST)
    with Manifest(storage.state, reads=True) as manifest:
        try:
            found = [pl.read_parquet(BytesIO(rows)) for _, rows in manifest.changes(start)]
        except pl.exceptions.PolarsError as error:
            raise unusable(manifest.path, error) from error
        contracts = manifest.contracts()
        query, unit = query_of(manifest, storage), unit_of(manifest)
    names = {str(c): (c.name, c.period) for c in contracts}
    nothing = no_rows_of(query, contracts, unit).drop(KEYS, strict=False)
    none = difference(nothing, nothing, identity(nothing.columns, time_column(query)))
    rows = pl.concat([known_change(none, None, 0), *found], how="diagonal_relaxed")
    if CONTRACT not in rows.columns:
        rows = rows.with_columns(pl.lit(None, pl.String).alias(CONTRACT))
    symbol = pl.col(CONTRACT)
    named = [
        symbol.replace_strict(
            {text: both[place] for text, both in names.items()},
            default=None,
            return_dtype=pl.String,
        ).alias(name)
        for place, name in enumerate(NAMES)
    ]
    others = pl.exclude(KNOWN_AT, CHANGE, CONTRACT, *NAMES, BEFORE)
    return rows.with_columns(named).select(KNOWN_AT, CHANGE, CONTRACT, *NAMES, others, BEFORE)


def prune(path: str | Path, keep: int | str | timedelta) -> int:
    """Removes old versions of the files of a data set; what is known now stays.

    Args:
        path: The data set.
        keep: How many versions of each file to keep beside the present one, newest first, or for
            how long after they were replaced, such as `"90d"` or a `timedelta`.

    Returns:
        How many versions were removed. `open_dataset` refuses an `as_of` that would need them.

    Raises:
        TrayportDatasetError: There is no data set, or another program writes to it.
        TrayportValidationError: `keep` is neither a number nor a length of time.
    """
    check_process()
    if isinstance(keep, bool) or (isinstance(keep, int) and keep < 0):
        way_out = 'give a number of versions, or a length of time such as "90d"'
        raise invalid("keep", keep, "is not a number from 0 on", way_out)
    oldest = 0 if isinstance(keep, int) else now_in_nanoseconds() - duration_of(keep, "keep")
    storage = dataset_at(path)
    Manifest(storage.state, reads=True).close()  # it is not made by this
    with writing(storage, now_in_nanoseconds) as writer:
        writer.recover()
        removed = (
            writer.keep_newest(keep)
            if isinstance(keep, int)
            else writer.prune(lambda version: version.until >= oldest)
        )
        writer.publish()
        return removed

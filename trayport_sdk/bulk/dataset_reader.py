"""Reads a data set: as it is, as it was known at some time, and what changed in between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from difflib import get_close_matches
from io import BytesIO
from pathlib import Path

import polars as pl
from attrs import frozen

from ..errors import TrayportDatasetError, invalid
from ..query.contracts import ContractSpec
from ..query.plan import CONTRACT, QueryPlan
from ..query.times import TimeLike, Window, duration_of, exact_instant, to_text
from ..tables.convert import NAMES, PolarsDataType
from ..tables.time_units import with_time_unit
from ..telemetry.processes import check_process
from .corrections import BEFORE, CHANGE
from .dataset_writer import moment, names_of, now_in_nanoseconds, query_of, unit_of, writing
from .manifest import NAME, Manifest
from .partitions import KEYS, OF_CONTRACT, time_column
from .records import File
from .storage import Storage, storage_of
from .stream import no_rows

KNOWN_AT = "known_at"


@frozen
class _Known:
    """A file, and the windows whose rows were not known yet."""

    name: str
    later: tuple[Window, ...]


def is_dataset(path: str | Path) -> bool:
    """Whether a backfill wrote a path."""
    return (storage_of(path).state / NAME).is_file()


def scan(
    path: str | Path,
    as_of: TimeLike | None = None,
    of: Iterable[ContractSpec | str] | None = None,
) -> pl.LazyFrame:
    """The rows of a data set with the columns of its directories and the names of contracts."""
    storage = storage_of(path)
    with Manifest(storage.state, reads=True) as manifest:
        query = query_of(manifest, storage)
        contracts = manifest.contracts()
        files = manifest.files()
        if of is not None:
            contracts = _chosen(contracts, of)
            wanted = set(map(str, contracts))
            files = [file for file in files if file.subject in wanted]
        if as_of is None:
            known = [_Known(file.name, ()) for file in files if file.rows]
        else:
            known = _known(manifest, files, exact_instant(as_of, "as_of"))
        known = _recorded(storage, manifest, files, known)
        unit = unit_of(manifest)
    keys = {k: kind for k, kind in KEYS.items() if contracts or k not in OF_CONTRACT}
    if not known:
        nothing = with_time_unit(no_rows(query), unit[0], on_loss=unit[1])
        rows = nothing.lazy().with_columns(pl.lit(None, kind).alias(k) for k, kind in keys.items())
    else:
        rows = _scanned(storage, known, query, keys)
    if not contracts:
        return rows
    names = names_of(contracts)
    columns = rows.collect_schema().names()
    own = [name for name in columns if name not in KEYS]
    return rows.join(names.lazy(), on=OF_CONTRACT, how="left", maintain_order="left").select(
        CONTRACT, *NAMES, *own, *KEYS
    )


def _chosen(
    contracts: Sequence[ContractSpec], of: Iterable[ContractSpec | str]
) -> list[ContractSpec]:
    """The contracts of a data set that are given, as they are or by name or symbol."""
    known: dict[object, ContractSpec] = {}
    for contract in contracts:
        known |= {contract: contract, str(contract): contract, contract.name: contract}
    chosen: dict[ContractSpec, None] = {}
    for one in [of] if isinstance(of, str | ContractSpec) else of:
        if one not in known:
            near = get_close_matches(str(one), [c.label for c in contracts], 3, 0)
            way_out = f"it has {' and '.join(near)}" if near else "it is about all contracts"
            raise invalid("contracts", str(one), "is not in the data set", way_out)
        chosen[known[one]] = None
    return [*chosen]


def _known(manifest: Manifest, files: Sequence[File], as_of: int) -> list[_Known]:
    """The files as they were known at a time."""
    forgotten = manifest.fact("forgotten_until") or 0
    if as_of < forgotten:
        raise TrayportDatasetError(
            f"as_of {to_text(as_of)}: versions until {to_text(forgotten)} were pruned",
            suggestion=f"give a time from {to_text(forgotten)} on",
        )
    later = {
        subject: tuple(d.window for d in manifest.done(subject) if d.at > as_of)
        for subject in manifest.subjects()
    }
    subjects = {file.name: file.subject for file in files}
    then = [(file.name, file.name, file.rows) for file in files if file.since <= as_of]
    then += [
        (version.name, version.kept, version.rows)
        for version in manifest.versions()
        if version.name in subjects and version.since <= as_of < version.until
    ]
    return [_Known(place, later[subjects[name]]) for name, place, rows in sorted(then) if rows]


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
    return storage.scan(
        names,
        hive_partitioning=True,
        hive_schema=keys,
        missing_columns="insert",
    )


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
    storage = storage_of(path)
    start = 0 if since is None else exact_instant(since, "since")
    with Manifest(storage.state, reads=True) as manifest:
        found = [pl.read_parquet(BytesIO(rows)) for _, rows in manifest.changes(start)]
        names = {str(c): (c.name, c.period) for c in manifest.contracts()}
    if not found:
        texts = dict.fromkeys((CHANGE, CONTRACT, *NAMES), pl.String)
        return pl.DataFrame(schema={KNOWN_AT: pl.Datetime("ns", "UTC"), **texts})
    rows = pl.concat(found, how="diagonal_relaxed")
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
    storage = storage_of(path)
    Manifest(storage.state, reads=True).close()  # it is not made by this
    with writing(storage, now_in_nanoseconds) as writer:
        writer.recover()
        if isinstance(keep, int):
            return writer.keep_newest(keep)
        return writer.prune(lambda version: version.until >= oldest)

"""What the rows of a data set are: the question that all of them answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias, cast

import polars as pl
from attrs import evolve
from trayport_spec.options import Options

from ..errors import TrayportDatasetError
from ..query.contracts import ContractSpec
from ..query.plan import QueryPlan
from ..query.times import Interval, Window
from ..tables import RESPONSES
from ..tables.convert import PolarsDataType
from ..tables.time_units import OnLoss, TimeUnit, with_time_unit
from .manifest import Manifest
from .partitions import KEYS, OF_CONTRACT, rows_by_contract
from .ranges import about
from .reading import columns_of
from .storage import Storage

Unit: TypeAlias = tuple[TimeUnit, OnLoss]
"""The unit of times, and what is done about those that are finer."""
NANOSECONDS: Unit = ("ns", "raise")


def subject_of(contract: ContractSpec | None) -> str:
    """What windows about a contract, or about everything, are recorded under."""
    return "" if contract is None else str(contract)


def question_of(query: QueryPlan, unit: Unit = NANOSECONDS) -> dict[str, Any]:
    """What tells the rows of a data set from those of others."""
    interval = None if query.interval is None else str(query.interval)
    # As JSON has it, and in whatever order several were given.
    options: dict[str, Any] = {**query.options.chosen}
    for name, value in options.items():
        if isinstance(value, list | tuple):
            options[name] = sorted(cast("Sequence[Any]", value), key=str)
    return {
        "endpoint": query.endpoint,
        "interval": interval,
        "options": options,
        "unit": [*unit],
    }


def query_of(manifest: Manifest, storage: Storage) -> QueryPlan:
    """The query of a data set, without contracts and without a range.

    Raises:
        TrayportDatasetError: Nothing was asked for yet.
    """
    known = manifest.fact("question")
    if known is None:
        raise nothing_in(storage)
    chosen: dict[str, Any] = {
        name: tuple[Any, ...](value) if isinstance(value, list) else value  # pyright: ignore[reportUnknownArgumentType]
        for name, value in known["options"].items()
    }
    interval = known["interval"]
    return QueryPlan(
        endpoint=known["endpoint"],
        interval=None if interval is None else Interval.parse(interval),
        options=Options(**chosen),
    )


def unit_of(manifest: Manifest) -> Unit:
    """The unit of the times of a data set."""
    time_unit, on_loss = manifest.fact("question")["unit"]
    return time_unit, on_loss


def nothing_in(storage: Storage) -> TrayportDatasetError:
    """The error for a data set that nothing was fetched for."""
    return TrayportDatasetError(
        f"{storage.url!r} holds nothing yet", suggestion="fill it by a backfill"
    )


def no_rows_of(
    query: QueryPlan, contracts: Sequence[ContractSpec], unit: Unit = NANOSECONDS
) -> pl.DataFrame:
    """A table without rows, with the columns of the files of a data set and its directories."""
    query = evolve(about(query, contracts, Window(0, 0)), contracts=())
    nothing = RESPONSES[query.endpoint].nothing(columns_of(query)).to_polars(nested=True)
    ((_, rows),) = rows_by_contract(query, nothing)
    return with_time_unit(rows, unit[0], on_loss=unit[1]).with_columns(
        pl.lit(None, kind).alias(name) for name, kind in keys_of(contracts).items()
    )


def keys_of(contracts: Collection[ContractSpec]) -> dict[str, PolarsDataType]:
    """The columns that come from the directories of a data set about contracts, or about all."""
    return {name: kind for name, kind in KEYS.items() if contracts or name not in OF_CONTRACT}


def words_of(question: Mapping[str, Any]) -> str:
    """What a data set holds, in words."""
    words = str(question["endpoint"]).replace("_", " ")
    if question["interval"] is not None:
        words += f" every {question['interval']}"
    if (unit := tuple(question["unit"])) != NANOSECONDS:
        words += f" in {unit[0]} ({unit[1]})"
    return words + "".join(f", {name}={value!r}" for name, value in question["options"].items())

"""Ways to decode one body, in turns, so that whatever else the machine does hits all alike."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson
import polars as pl
from trayport_api.models import Trade

from tests.perf.jobs import decoder
from trayport_sdk.tables import TradesResponse

if TYPE_CHECKING:
    import pandas as pd

Contender: TypeAlias = Callable[[bytes], Any]


def to_frame(body: bytes) -> pl.DataFrame:
    """What a call returns as a table."""
    return pl.concat(decoder().frames([body]), rechunk=False)


def to_models(body: bytes) -> list[Trade]:
    """What iterating over a response gives."""
    return TradesResponse.of(list(decoder().frames([body])), []).to_models()


def from_dict(body: bytes) -> list[Trade]:
    """What the generated client makes of a response."""
    return [Trade.from_dict(row) for row in orjson.loads(body)]


def by_pandas(body: bytes) -> pd.DataFrame:
    """What tutorials do."""
    import pandas as pd

    return pd.read_json(BytesIO(body))


def by_ijson(body: bytes) -> list[Any]:
    """What is done where a body does not fit into memory."""
    import ijson  # type: ignore[import-untyped]

    return list(ijson.items(BytesIO(body), "item", use_float=True))


CONTENDERS: Mapping[str, Contender] = {
    "orjson": orjson.loads,
    "frame": to_frame,
    "models": to_models,
    "from_dict": from_dict,
    "pandas": by_pandas,
    "ijson": by_ijson,
}


def contest(
    body: bytes, rounds: int, names: Sequence[str] = tuple(CONTENDERS)
) -> dict[str, list[float]]:
    """Seconds that each contender takes, in every round."""
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            gc.collect()
            started = time.perf_counter()
            result = CONTENDERS[name](body)
            seconds[name].append(time.perf_counter() - started)
            del result
    return seconds


def faster(seconds: Mapping[str, Sequence[float]], one: str, other: str) -> float:
    """How many times faster one is than the other, each at its best."""
    return min(seconds[other]) / min(seconds[one])

"""Ways to decode one body, in turns, so that whatever else the machine does hits all alike."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson
import polars as pl
from attrs import frozen
from trayport_api.models import Trade

from tests.perf.jobs import decoder
from tests.perf.process import READERS, read_by
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


OURS: Mapping[str, Contender] = {"frame": to_frame, "models": to_models}
OTHERS: Mapping[str, Contender] = {
    "orjson": orjson.loads,
    "from_dict": from_dict,
    "pandas": by_pandas,
    "ijson": by_ijson,
}


@frozen
class Took:
    """Seconds of one round.

    Attributes:
        wall: By the clock.
        processor: Of all threads of this process, the system's work for them included.
    """

    wall: float
    processor: float


Times: TypeAlias = Mapping[str, Sequence[Took]]


def ours(jobs: Mapping[str, Contender] = OURS) -> dict[str, Contender]:
    """Jobs of the SDK, each with every reader that there is."""

    def by(reader: str, job: Contender) -> Contender:
        def work(body: bytes) -> Any:
            with read_by(reader):
                return job(body)

        return work

    return {f"{name}{reader}": by(reader, job) for name, job in jobs.items() for reader in READERS}


def contest(body: bytes, rounds: int, contenders: Mapping[str, Contender]) -> Times:
    """What each contender takes, in every round."""
    times: dict[str, list[Took]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, work in contenders.items():
            gc.collect()
            started, before = time.perf_counter(), time.process_time()
            result = work(body)
            took = Took(time.perf_counter() - started, time.process_time() - before)
            times[name].append(took)
            del result
    return times


def faster(times: Times, one: str, other: str) -> float:
    """How many times less of the processor one takes than the other, each at its best."""
    return min(t.processor for t in times[other]) / min(t.processor for t in times[one])


def faster_by_the_clock(times: Times, one: str, other: str) -> float:
    """How many times less time one takes than the other, each at its best."""
    return min(t.wall for t in times[other]) / min(t.wall for t in times[one])

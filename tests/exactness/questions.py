"""The questions: contracts that trade little, times that are special, and limits that are small.

Under small limits little data is cut often; what the planner then requests is allowed under the
real ones too.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
import pytest
from attrs import evolve, field, frozen
from hypothesis import settings
from hypothesis import strategies as st
from trayport_spec import ENDPOINTS, Endpoint
from trayport_spec.options import EndpointName

from tests.drawn import examples
from tests.exactness.world import DAY, HOUR, SECOND, Rows, World, at, in_zone, parts, table
from trayport_sdk import ContractSpec, Interval
from trayport_sdk.query.plan import OPERATIONS, QueryPlan
from trayport_sdk.query.planner import by_contracts, by_time
from trayport_sdk.query.times import TimeLike

TTF, TTF_EEX, EUA, COAL = 10_000_065, 10_002_806, 10_000_016, 10_000_041
PROMPT, MONTHS, QUARTERS, YEARS = 10_000_302, 10_000_305, 10_000_306, 10_000_309
COAL_MONTHS, EMISSIONS = 10_000_204, 10_000_400
ZONES = ("Europe/London", "Europe/Berlin", "America/New_York")
SPELLINGS = ("text", "naive", "numpy", "pandas", *ZONES)

ColumnFilter = Mapping[str, Any]


def cases(count: int) -> settings:
    """So many drawn cases."""
    return settings(max_examples=examples(count))


@frozen
class Epoch:
    """Six days around special ones, and contracts that trade then."""

    first: str
    special: tuple[str, ...]

    @property
    def start(self) -> int:
        return at(f"{self.first}T00:00")

    @property
    def end(self) -> int:
        return self.start + 6 * DAY

    @property
    def instants(self) -> list[int]:
        """Midnights in UTC, London, Berlin and New York, and what is special."""
        midnights = range(self.start, self.end, DAY)
        local = [midnight + shift * HOUR for midnight in midnights for shift in (-2, -1, 4, 5)]
        return [*midnights, *local, *map(at, self.special)]

    @property
    def contracts(self) -> list[ContractSpec]:
        """Contracts with some ten trades a day."""
        month, quarter = self._month + 13, self._month // 3 + 5
        december = 40 * (self._month // 12) - 10
        return _contracts(
            *(f"{TTF}*#Single#{QUARTERS}#{quarter + ahead}#0" for ahead in (4, 5, 6, 7)),
            f"{TTF}*#Spread#{QUARTERS}#{quarter + 1}#{quarter + 3}",
            *(f"{TTF_EEX}#Single#{QUARTERS}#{quarter + ahead}#0" for ahead in (4, 5)),
            f"{TTF_EEX}#Spread#{MONTHS}#{month + 2}#{month + 3}",
            *(f"{TTF}*#Single#{PROMPT}#{item}#0" for item in (3, 4, 7)),
            f"{TTF}*#Range#{MONTHS}#{month + 2}#{month + 3}",
            f"{EUA}*#Single#{EMISSIONS}#{december + 160}#0",
        )

    @property
    def own(self) -> list[ContractSpec]:
        """Contracts that the account trades some ten times a day."""
        month = self._month + 13
        return _contracts(
            *(f"{TTF}*#Single#{MONTHS}#{month + ahead}#0" for ahead in (1, 2, 3)),
            *(f"{TTF_EEX}#Single#{MONTHS}#{month + ahead}#0" for ahead in (1, 2)),
            f"{TTF}*#Spread#{MONTHS}#{month + 1}#{month + 2}",
            f"{TTF}*#Single#{PROMPT}#2#0",
        )

    @property
    def coal(self) -> list[ContractSpec]:
        """One of the next tradable items of a sequence."""
        return _contracts(f"{COAL}*#Single#{COAL_MONTHS}#{self._month + 2}#0")

    @property
    def _month(self) -> int:
        day = in_zone(self.start)
        return 12 * (day.year - 2005) + day.month - 1


def _contracts(*symbols: str) -> list[ContractSpec]:
    return list(map(ContractSpec.parse, symbols))


EPOCHS = (
    Epoch("2020-02-27", ("2020-02-29T12:00", "2020-03-01T00:00")),  # a leap day on a Saturday
    Epoch("2021-12-30", ("2021-12-31T23:59:59", "2022-01-01T00:00")),
    Epoch("2024-02-27", ("2024-02-29T11:30", "2024-03-01T00:00")),  # one on a Thursday
    Epoch("2024-03-08", ("2024-03-10T07:00", "2024-03-10T06:59:59")),  # clocks of New York
    Epoch("2024-03-28", ("2024-03-31T01:00", "2024-03-31T00:59:59", "2024-04-01T00:00")),
    Epoch("2024-10-24", ("2024-10-27T01:00", "2024-10-27T00:00")),  # clocks of Europe
)


@frozen
class Small:
    """Limits of one request, for planner and rules to read; `day` is how long the planner's is."""

    days: int
    items: int = 3
    points: int = 20
    day: int = HOUR

    @property
    def longest(self) -> int:
        return self.days * self.day

    @contextmanager
    def in_force(self) -> Generator[None]:
        small = {endpoint.key: self._of(endpoint) for endpoint in ENDPOINTS.values()}
        with pytest.MonkeyPatch.context() as patch:
            for name, endpoint in small.items():
                patch.setitem(OPERATIONS, name, endpoint)
            patch.setattr("trayport_sdk.query.planner.DAY", self.day)
            yield

    def _of(self, endpoint: Endpoint) -> Endpoint:
        limits, batch = endpoint.limits, endpoint.batch
        ranges = tuple(evolve(one, max_days=self.days) for one in limits.ranges)
        points = None if limits.max_points is None else self.points
        most = None if batch.maximum is None else self.items
        return evolve(
            endpoint,
            limits=evolve(limits, ranges=ranges, max_points=points),
            batch=evolve(batch, maximum=most),
        )


def smalls(least: int = 1, most: int = 4, day: int = HOUR) -> st.SearchStrategy[Small]:
    days = st.integers(least, most)
    return st.builds(Small, days, st.integers(1, 4), st.integers(3, 40), st.just(day))


def spelled(instant: int, how: str) -> TimeLike:
    """An instant as somebody may write it."""
    utc = in_zone(instant)
    match how:
        case "text":
            return utc.strftime("%Y-%m-%dT%H:%M:%SZ")
        case "naive":
            return utc.date() if instant % DAY == 0 else utc.replace(tzinfo=None)
        case "numpy":
            return np.datetime64(instant // SECOND, "s")
        case "pandas":
            return pd.Timestamp(instant, unit="ns", tz="Asia/Tokyo")
        case zone:
            return in_zone(instant, zone)


@frozen(kw_only=True)
class Question:
    """A question to one endpoint, and the limits that cut it."""

    endpoint: EndpointName
    contracts: tuple[ContractSpec, ...] = ()
    start: int
    end: int
    spelling: tuple[str, str] = ("text", "text")
    small: Small
    options: ColumnFilter = field(factory=dict[str, Any])
    interval: str | None = None

    @property
    def range(self) -> tuple[TimeLike, TimeLike]:
        return spelled(self.start, self.spelling[0]), spelled(self.end, self.spelling[1])

    def whole(self, world: World, *also: str, **whose: Any) -> Rows:
        """The rows in one response, with further optional fields."""
        options = dict(self.options)
        if names := {*options.get("optional_fields", ()), *also}:
            options["optional_fields"] = sorted(names)
        if self.interval is not None:
            interval = Interval.parse(self.interval)
            options |= {"interval": interval.count, "interval_unit": interval.unit.value}
        operation = ENDPOINTS[f"get_{self.endpoint}"]
        time = operation.time_column
        return world.rows(operation.path, self.start, self.end, time=time, **whose, **options)

    def by_contract(self, world: World) -> dict[ContractSpec, Rows]:
        """The rows of each contract in one response of its own."""
        return {one: self.whole(world, **parts(one)) for one in self.contracts}


@st.composite
def ranges(
    draw: st.DrawFn, instants: Sequence[int], window: int, grid: int = SECOND, most: int = 3
) -> tuple[int, int]:
    """A range of some windows that begins, is cut or ends at one of the instants, or beside it."""
    instant = draw(st.sampled_from(instants)) // grid * grid
    instant += draw(st.sampled_from((0, 0, 0, 0, grid, -grid)))
    touched = draw(st.sampled_from(("cut", "cut", "end", "start", "only")))
    if touched == "only":
        return instant, instant + grid
    count = draw(st.integers(1, most))
    rest = draw(st.one_of(st.just(0), st.integers(1, window // grid))) * grid
    length = count * window + rest
    before = {"start": 0, "end": length, "cut": draw(st.integers(1, count)) * window}[touched]
    return instant - before, instant - before + length


def around(
    world: World, epoch: Epoch, contract: ContractSpec, path: str = "/trades"
) -> st.SearchStrategy[Sequence[int]]:
    """Times when a contract was traded on a whole second, or else special ones."""
    traded = world.on_seconds(path, epoch.start, epoch.end, **parts(contract))
    return st.sampled_from([traded or epoch.instants] * 3 + [epoch.instants])


@st.composite
def questions(
    draw: st.DrawFn,
    world: World,
    endpoint: EndpointName,
    options: Sequence[ColumnFilter],
    contracts: Callable[[Epoch], list[ContractSpec]] = lambda epoch: epoch.contracts,
    most: int = 4,
) -> Question:
    """Trades of some contracts."""
    epoch = draw(st.sampled_from(EPOCHS))
    having = contracts(epoch)
    first = draw(st.integers(0, len(having) - 1))
    chosen = having[first : first + draw(st.integers(1, most))]
    small = draw(st.one_of(smalls(), smalls(), smalls(most=2, day=DAY)))
    path = ENDPOINTS[f"get_{endpoint}"].path
    start, end = draw(ranges(draw(around(world, epoch, chosen[0], path)), small.longest))
    return Question(
        endpoint=endpoint,
        contracts=tuple(chosen),
        start=start,
        end=end,
        spelling=draw(spellings),
        small=small,
        options=draw(st.sampled_from(options)),
    )


spellings = st.tuples(st.sampled_from(SPELLINGS), st.sampled_from(SPELLINGS))


def split(data: st.DataObject, plans: list[QueryPlan]) -> list[QueryPlan]:
    """The plans, some of them in halves, in any order."""
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(plans) - 1))
        one = plans[place]
        plans[place : place + 1] = by_contracts(one) or by_time(one) or [one]
    return data.draw(st.permutations(plans))


def check_plan(world: World, inclusive: bool, data: st.DataObject, question: Question) -> None:
    """A plan, or one of smaller pieces, brings for every contract the rows of the whole."""
    planner = world.clients[inclusive].planner
    with question.small.in_force():
        plans = planner.plan_multi_contract_query(
            question.contracts,
            question.endpoint,
            *question.range,
            interval=question.interval,
            **question.options,
        )
        found = world.run(planner.execute_plan(split(data, plans)))
    found.raise_for_failures()
    assert {one: table(rows.to_polars(nested=True)) for one, rows in found.results.items()} == (
        question.by_contract(world)
    )

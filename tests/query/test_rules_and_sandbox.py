"""No request is refused by the server: the rules refuse exactly what the sandbox refuses.

The sandbox has checks of its own and knows nothing of the wrapper, so the two can disagree. Only
ids that exist are asked for: which ones do is knowledge of the catalogue and not of the table.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import product
from typing import Any
from urllib.parse import urlencode

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trayport_spec import ENDPOINTS, Batch, Endpoint, IntervalLimit, Limits, Parameter

from tests.drawn import examples
from tests.sandbox.asking import INSTRUMENT, MARKET, NOW, SEQUENCE, Asker, nanoseconds
from trayport_sdk import Interval, IntervalUnit, TrayportAPIError, TrayportClient
from trayport_sdk.errors import TrayportValidationError
from trayport_sdk.query import build, rules
from trayport_sdk.query.rules import parameters_by_argument
from trayport_sdk.query.times import DAY, SECOND, floored, instant, months_after, to_text
from trayport_sdk.sandbox import Sandbox

ANALYTICS = [name for name, endpoint in ENDPOINTS.items() if endpoint.api == "analytics"]
EARLY = "entitled-to-the-current-day"
EXAMPLES = examples(400)
FEW = EXAMPLES // 15
# Months so far ahead that nothing trades in them: answers are as good as empty.
ITEMS = range(400, 560)
# Days on which zones change their clocks, months and years end, and histories begin.
DAYS = [
    instant(day, "day")
    for day in ("2023-04-10", "2023-10-29", "2024-02-29", "2024-03-31", "2024-12-31", "2026-05-01")
]
LONG_AGO = instant("2021-01-01", "day")
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
SPELLED = {"market_id": MARKET, "instrument_id": INSTRUMENT}
KINDS = ("SinglePeriod", "Spread", "Range")
ROUTES = ("all", "ALL", "1", "2", "Trayport", "continent", "London, Main Desk")

Arguments = dict[str, Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]
Change = Callable[[Draw, Endpoint, Arguments], None]


@pytest.fixture(scope="module")
def ask() -> Asker:
    return Asker(
        Sandbox(limits=False, clock=lambda: nanoseconds(NOW), intraday_keys=(EARLY,)), EARLY
    )


# --- Asking both


def query_text(endpoint: Endpoint, arguments: Arguments) -> str:
    """The arguments as the wire carries them; an empty list is an empty text."""
    pairs: list[tuple[str, str]] = []
    for name, parameter in parameters_by_argument(endpoint).items():
        if name not in arguments:
            continue
        value = arguments[name]
        texts = [word(parameter, one) for one in (value if isinstance(value, tuple) else (value,))]
        if parameter.separator == "comma" or not texts:
            texts = [",".join(texts)]
        pairs += [(parameter.name, text) for text in texts]
    return urlencode(pairs)


def word(parameter: Parameter, value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if parameter.type == "instant" and isinstance(value, int):
        fraction = value % SECOND
        return to_text(value).replace("Z", f".{fraction:09}Z" if fraction else "Z")
    return str(value)


def refused_by_the_rules(endpoint: Endpoint, arguments: Arguments, intraday: bool) -> str | None:
    latest = build.last_instant(endpoint, NOW, intraday=intraday)
    try:
        rules.check(endpoint, arguments, latest=latest)
    except TrayportValidationError as error:
        return error.parameter
    return None


def refused_by_the_sandbox(
    ask: Asker, endpoint: Endpoint, arguments: Arguments, intraday: bool
) -> tuple[int, set[str]]:
    """The status, and the arguments that are complained of."""
    key = EARLY if intraday else "sandbox"
    query = query_text(endpoint, arguments)
    answer = ask.analytics(endpoint.path, query, x_api_key=key)
    wire = {p.name: name for name, p in parameters_by_argument(endpoint).items()}
    wire["intervalUnit"] = "interval"
    named = {200: set[str](), 401: {"from_", "until", "at"}}
    if answer.status_code == 400:
        return 400, {wire[name] for name in answer.json()["errors"]}
    return answer.status_code, named[answer.status_code]


def disagreement(
    ask: Asker,
    name: str,
    arguments: Arguments,
    *,
    intraday: bool = False,
    table: Mapping[str, Endpoint] = ENDPOINTS,
) -> str:
    """In which way rules and sandbox judge a call differently; nothing when they agree."""
    status, complained = refused_by_the_sandbox(ask, ENDPOINTS[name], arguments, intraday)
    refused = refused_by_the_rules(table[name], arguments, intraday)
    if status == 200:
        return f"the rules refuse {refused}, the sandbox answers" if refused is not None else ""
    if refused is None:
        return f"the sandbox answers {status} for {complained}, the rules let it through"
    return "" if refused in complained else f"{refused} is refused for {complained}"


# --- Calls that are right, and what makes them wrong


def allowed_intervals(endpoint: Endpoint) -> list[Interval]:
    return [
        Interval(count, IntervalUnit(limit.unit))
        for limit in endpoint.limits.intervals
        for count in limit.counts or (1, 7, 90)
    ]


def interval_in(arguments: Arguments) -> Interval | None:
    try:
        return Interval(arguments["interval"], arguments["interval_unit"])
    except (KeyError, TrayportValidationError):
        return None


def right_call(draw: Draw, endpoint: Endpoint) -> Arguments:
    arguments: Arguments = {}
    names = parameters_by_argument(endpoint)
    if endpoint.limits.contract is not None:
        arguments |= draw(st.sampled_from([{name: id_} for name, id_ in SPELLED.items()]))
        arguments["sequence_id"] = SEQUENCE
        change_contract(draw, endpoint, arguments, right=True)
    step: int | None = draw(st.sampled_from([SECOND, MINUTE, HOUR, DAY]))
    step = max(step or 0, 60 * SECOND) if endpoint.limits.resolution == "minute" else step
    start: int = draw(st.sampled_from(DAYS))
    if endpoint.limits.intervals:
        interval: Interval = draw(st.sampled_from(allowed_intervals(endpoint)))
        arguments |= {"interval": interval.count, "interval_unit": interval.unit.value}
        start, step = floored(start, interval), interval.length
    if "from_" in names:
        count: int = draw(st.integers(1, 3))
        end = months_after(start, count) if step is None else start + count * step
        arguments |= {"from_": start, "until": end}
    elif draw(st.booleans()):
        arguments["at"] = start
    return arguments


def change_contract(
    draw: Draw, endpoint: Endpoint, arguments: Arguments, *, right: bool = False
) -> None:
    kind = draw(st.sampled_from(KINDS))
    second = kind != "SinglePeriod" if right else draw(st.booleans())
    several = endpoint.limits.contract == "many"
    arguments["contract_type"] = kind
    items = draw(st.lists(st.sampled_from(ITEMS), min_size=1, max_size=1 if right else 2))
    arguments["sequence_item_id"] = tuple(items) if several else items[0]
    arguments.pop("second_sequence_item_id", None)
    if second:
        arguments["second_sequence_item_id"] = draw(st.sampled_from(ITEMS))


def change_product(draw: Draw, _: Endpoint, arguments: Arguments) -> None:
    for name in SPELLED:
        arguments.pop(name, None)
    arguments |= draw(st.sampled_from([{}, SPELLED, {"market_id": MARKET}]))


def drop_one(draw: Draw, _: Endpoint, arguments: Arguments) -> None:
    if arguments:
        del arguments[draw(st.sampled_from(sorted(arguments)))]


def change_items(draw: Draw, endpoint: Endpoint, arguments: Arguments) -> None:
    most = endpoint.batch.maximum or 1
    count = draw(st.sampled_from([0, 1, 2, most - 1, most, most + 1]))
    arguments["sequence_item_id"] = tuple(ITEMS[:count])
    arguments.pop("second_sequence_item_id", None)
    if draw(st.booleans()):
        arguments["contract_type"] = KINDS[0]


def change_trading_items(draw: Draw, endpoint: Endpoint, arguments: Arguments) -> None:
    most = endpoint.batch.maximum or 1
    arguments["trading_items"] = draw(st.sampled_from([-1, 0, 1, most, most + 1]))
    if draw(st.integers(0, 3)):
        arguments.pop("sequence_item_id", None)
    if draw(st.booleans()):
        arguments["contract_type"] = KINDS[0]
        arguments.pop("second_sequence_item_id", None)


def change_interval(draw: Draw, _: Endpoint, arguments: Arguments) -> None:
    counts = [-1, 0, 1, 2, 4, 5, 7, 15, 45, 2**31 - 1, 2**31]
    units = [*(unit.value for unit in IntervalUnit), "week"]
    arguments |= {
        "interval": draw(st.sampled_from(counts)),
        "interval_unit": draw(st.sampled_from(units)),
    }


def move_an_edge(draw: Draw, _: Endpoint, arguments: Arguments) -> None:
    names = [name for name in ("from_", "until", "at") if isinstance(arguments.get(name), int)]
    if names:
        by = draw(st.sampled_from([1, SECOND, MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, DAY]))
        arguments[draw(st.sampled_from(names))] += draw(st.sampled_from([-by, by]))


def make_it_long(draw: Draw, endpoint: Endpoint, arguments: Arguments) -> None:
    """A range at a limit, or just below or above it."""
    start, interval = arguments.get("from_"), interval_in(arguments)
    limits = endpoint.limits
    spans = [limit.max_days * DAY for limit in limits.ranges]
    length = None if interval is None else interval.length
    if limits.max_points is not None and length is not None and length < DAY:
        spans.append(limits.max_points * length)
    if isinstance(start, int) and spans:
        more = draw(st.sampled_from([-DAY, -SECOND, 0, SECOND, MINUTE, DAY]))
        arguments["until"] = start + draw(st.sampled_from(spans)) + more


def turn_it_round(draw: Draw, _: Endpoint, arguments: Arguments) -> None:
    if isinstance(arguments.get("from_"), int):
        less = draw(st.sampled_from([0, SECOND, MINUTE, DAY, 40 * DAY]))
        arguments["until"] = arguments["from_"] - less


def start_early(draw: Draw, endpoint: Endpoint, arguments: Arguments) -> None:
    begins = [0]
    if endpoint.limits.earliest_from is not None:
        begins.append(instant(endpoint.limits.earliest_from, "earliest"))
    start = draw(st.sampled_from(begins)) + draw(st.sampled_from([-DAY, -MINUTE, 0, MINUTE]))
    arguments |= {"from_": start, "until": start + DAY}


def end_late(draw: Draw, endpoint: Endpoint, arguments: Arguments) -> None:
    today = build.end_of_data(ENDPOINTS["get_trades"], NOW, intraday=False)
    end = today + draw(st.sampled_from([0, DAY]))
    end += draw(st.sampled_from([-MINUTE, -SECOND, 0, SECOND, MINUTE, DAY]))
    if "at" in parameters_by_argument(endpoint):
        arguments["at"] = end
    else:
        arguments |= {"from_": end - draw(st.sampled_from([MINUTE, HOUR, DAY])), "until": end}


def give(name: str, *values: object) -> Change:
    def change(draw: Draw, _: Endpoint, arguments: Arguments) -> None:
        arguments[name] = draw(st.sampled_from(values))

    return change


def give_fields(draw: Draw, endpoint: Endpoint, arguments: Arguments) -> None:
    names = [*endpoint.optional_fields, "nonsense"] if draw(st.booleans()) else ["contract"]
    arguments["optional_fields"] = tuple(draw(st.lists(st.sampled_from(names), max_size=4)))


def give_routes(draw: Draw, _: Endpoint, arguments: Arguments) -> None:
    names = [*ROUTES, ""] if draw(st.booleans()) else ROUTES
    arguments["routes"] = tuple(draw(st.lists(st.sampled_from(names), max_size=3)))


def give_a_number_out_of_bounds(draw: Draw, endpoint: Endpoint, arguments: Arguments) -> None:
    names = [n for n, p in parameters_by_argument(endpoint).items() if p.type == "integer"]
    if names:
        value = draw(st.sampled_from([-1, 2**63, 10**30, 1.5, "abc", True, ""]))
        arguments[draw(st.sampled_from(names))] = value


CHANGES: dict[str, tuple[Change, ...]] = {
    "contract_type": (change_contract, give("contract_type", "Single", "")),
    "market_id": (change_product,),
    "trading_items": (change_items, change_trading_items),
    "interval": (change_interval,),
    "from_": (make_it_long, make_it_long, turn_it_round, start_early),
    "routes": (give_routes,),
    "optional_fields": (give_fields,),
    "depth": (give("depth", -1, 0, 1, 10, 2**31 - 1, 2**31, 2.0),),
    "max_spread": (give("max_spread", -1, 0, 5e-324, 0.5, 100, 1e300, float("inf"), float("nan")),),
    "include_private": (give("include_private", True, False, "yes"),),
    "include_empty_buckets": (give("include_empty_buckets", False, "1"),),
    "deduplicate_routes": (give("deduplicate_routes", True, False, ""),),
}
EVERYWHERE: tuple[Change, ...] = (
    drop_one,
    move_an_edge,
    end_late,
    end_late,
    give_a_number_out_of_bounds,
)


@st.composite
def calls(draw: Draw, endpoint: Endpoint) -> Arguments:
    names = parameters_by_argument(endpoint)
    possible = [change for name in CHANGES if name in names for change in CHANGES[name]]
    arguments = right_call(draw, endpoint)
    for change in draw(st.lists(st.sampled_from([*possible, *EVERYWHERE]), max_size=3)):
        change(draw, endpoint, arguments)
    return {name: value for name, value in arguments.items() if name in names}


@pytest.mark.hypothesis
@pytest.mark.parametrize("name", ANALYTICS)
def test_the_rules_refuse_what_the_sandbox_refuses_and_nothing_else(ask: Asker, name: str) -> None:
    refused: Counter[bool] = Counter()

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(calls(ENDPOINTS[name]), st.booleans())
    def agree(arguments: Arguments, intraday: bool) -> None:
        assert not disagreement(ask, name, arguments, intraday=intraday)
        refused[refused_by_the_rules(ENDPOINTS[name], arguments, intraday) is not None] += 1

    agree()
    assert min(refused[True], refused[False]) > FEW


# --- Every limit from both sides, and a rule that is switched off

CONTRACT: Arguments = {
    "market_id": MARKET,
    "sequence_id": SEQUENCE,
    "sequence_item_id": ITEMS[0],
    "contract_type": "SinglePeriod",
}
RANGE: Arguments = {"from_": DAYS[0], "until": DAYS[0] + DAY}
HOURLY: Arguments = {"interval": 1, "interval_unit": "hour"}
NEEDED: Mapping[str, Arguments] = {
    "get_trades": {**CONTRACT, **RANGE},
    "get_private_trades": {**CONTRACT, **RANGE},
    "get_ohlcv": {**CONTRACT, **RANGE, **HOURLY},
    "get_last_trade": {**CONTRACT},
    "get_activity": {**RANGE},
    "get_order_book_top": {**CONTRACT, **RANGE, **HOURLY},
    "get_order_book": {**CONTRACT, **RANGE, **HOURLY},
    "get_snapshots": {**CONTRACT},
}
LONGEST = [
    (name, limit, unit, over)
    for name in ANALYTICS
    for limit in ENDPOINTS[name].limits.ranges
    for unit in limit.units or ("hour",)
    for over in (0, 1)
]


def days_of(name: str, days: int, unit: str, over: int) -> Arguments:
    """A range of so many days, or one bar more; without an interval, one minute more."""
    has_interval = "interval" in NEEDED[name]
    bar = Interval(1, IntervalUnit(unit if has_interval else "minute"))
    start = DAYS[0] if ENDPOINTS[name].limits.earliest_from is not None else LONG_AGO
    until = floored(start + days * DAY, bar)
    if over:
        until = months_after(until, 1) if bar.length is None else until + bar.length
    chosen = {"interval": 1, "interval_unit": unit} if has_interval else {}
    return {**NEEDED[name], **chosen, "from_": start, "until": until}


@pytest.mark.parametrize(("name", "limit", "unit", "over"), LONGEST)
def test_the_longest_range_is_asked_for_and_one_bar_more_is_not(
    ask: Asker, name: str, limit: Any, unit: str, over: int
) -> None:
    arguments = days_of(name, limit.max_days, unit, over)
    assert not disagreement(ask, name, arguments)
    refused = refused_by_the_rules(ENDPOINTS[name], arguments, False)
    assert refused == ("until" if over else None)


@pytest.mark.parametrize(
    ("name", "seconds", "over"),
    [
        (name, seconds, over)
        for name in ANALYTICS
        if ENDPOINTS[name].limits.max_points is not None
        for seconds, over in product((1, 7), (0, 1))
    ],
)
def test_a_book_has_its_most_points_and_not_one_more(
    ask: Asker, name: str, seconds: int, over: int
) -> None:
    most = ENDPOINTS[name].limits.max_points or 0
    until = DAYS[0] + most * seconds * SECOND + over * SECOND
    chosen = {"until": until, "interval": seconds, "interval_unit": "second"}
    arguments = {**NEEDED[name], **chosen}
    assert not disagreement(ask, name, arguments)
    refused = refused_by_the_rules(ENDPOINTS[name], arguments, False)
    assert refused == ("until" if over else None)


MANY = tuple(ITEMS[:51])
NO_CONTRACT: Arguments = dict.fromkeys(CONTRACT)
LATE = {"from_": instant("2026-06-14", "x"), "until": instant("2026-06-15T00:00:01", "x")}


def with_limits(**changes: Any) -> Callable[[Endpoint], Endpoint]:
    return lambda endpoint: attrs.evolve(endpoint, limits=attrs.evolve(endpoint.limits, **changes))


def without_bounds(*names: str) -> Callable[[Endpoint], Endpoint]:
    """The operation with parameters that take any value and need not be given."""

    def free(parameter: Parameter) -> Parameter:
        if parameter.python_name not in names:
            return parameter
        return attrs.evolve(
            parameter, required=False, enum=(), max_items=None, minimum=None, maximum=None
        )

    return lambda endpoint: attrs.evolve(
        endpoint, parameters=tuple(map(free, endpoint.parameters)), batch=Batch()
    )


@pytest.mark.parametrize(
    ("name", "call", "switched_off"),
    [
        ("get_trades", {"market_id": None}, with_limits(contract=None)),
        ("get_trades", {"instrument_id": INSTRUMENT}, with_limits(contract=None)),
        ("get_last_trade", {"contract_type": "Spread"}, with_limits(contract="subset")),
        ("get_trades", {"sequence_id": None}, without_bounds("sequence_id")),
        ("get_trades", {"sequence_item_id": MANY}, without_bounds("sequence_item_id")),
        (
            "get_snapshots",
            {"sequence_item_id": None, "trading_items": 51},
            without_bounds("trading_items"),
        ),
        ("get_trades", {"until": DAYS[0] + 33 * DAY}, with_limits(ranges=())),
        ("get_ohlcv", {"from_": DAYS[0] - MINUTE}, with_limits(aligned=())),
        ("get_ohlcv", {"interval": 2}, with_limits(intervals=(IntervalLimit("hour"),), aligned=())),
        ("get_order_book", {"interval_unit": "second", "until": DAYS[0] + 2 * DAY},
         with_limits(max_points=None)),
        ("get_order_book", {"depth": 0}, without_bounds("depth")),
        ("get_order_book_top", {"optional_fields": ("vwap",)}, without_bounds("optional_fields")),
        ("get_activity", {"from_": DAYS[0] - MINUTE}, with_limits(earliest_from=None)),
        ("get_activity", {"until": DAYS[0] + SECOND}, with_limits(resolution="second")),
        ("get_trades", LATE, with_limits(cutoff=None)),
    ],
)  # fmt: skip
def test_a_rule_that_is_switched_off_is_found_out(
    ask: Asker, name: str, call: Arguments, switched_off: Callable[[Endpoint], Endpoint]
) -> None:
    arguments = {n: v for n, v in {**NEEDED[name], **call}.items() if v is not None}
    assert not disagreement(ask, name, arguments)
    table = {name: switched_off(ENDPOINTS[name])}
    assert "the rules let it through" in disagreement(ask, name, arguments, table=table)


def test_a_rule_that_is_too_strict_is_found_out(ask: Asker) -> None:
    table = {"get_trades": with_limits(resolution="minute")(ENDPOINTS["get_trades"])}
    arguments = {**NEEDED["get_trades"], "until": DAYS[0] + SECOND}
    assert "the sandbox answers" in disagreement(ask, "get_trades", arguments, table=table)


def test_a_complaint_about_another_parameter_is_found_out(ask: Asker) -> None:
    strict = Limits(contract="many", earliest_from=(NOW - timedelta(1)).date())
    table = {"get_trades": attrs.evolve(ENDPOINTS["get_trades"], limits=strict)}
    arguments = {**NEEDED["get_trades"], "until": DAYS[0] + 33 * DAY}
    assert "is refused for" in disagreement(ask, "get_trades", arguments, table=table)


# --- What only the catalogue knows


@pytest.mark.anyio
async def test_an_unknown_route_is_the_servers_to_refuse_and_the_error_names_it() -> None:
    contract = f"{MARKET}*#Single#{SEQUENCE}#244#0"
    async with TrayportClient.sandbox() as client:
        with pytest.raises(TrayportAPIError) as refused:
            await client.trades.get_trades(contract, "2024-03-04", "2024-03-05", routes="Nowhere")
    assert refused.value.status_code == 400
    assert refused.value.errors.keys() == {"routes"}


def test_rolling_items_cannot_be_counted_which_only_the_server_knows(ask: Asker) -> None:
    rolling = {"sequence_id": 10_000_302, "sequence_item_id": None, "trading_items": 2}
    call = {**NEEDED["get_trades"], **rolling}
    arguments = {name: value for name, value in call.items() if value is not None}
    assert refused_by_the_rules(ENDPOINTS["get_trades"], arguments, False) is None
    refused = refused_by_the_sandbox(ask, ENDPOINTS["get_trades"], arguments, False)
    assert refused == (400, {"trading_items"})

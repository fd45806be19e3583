"""Names as people write them, into contracts; and contracts into names."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trayport_sdk import (
    ContractSpec,
    Settings,
    TrayportAmbiguityWarning,
    TrayportClient,
    TrayportLookupError,
    TrayportValidationError,
    sync,
)
from trayport_sdk.sandbox import Sandbox
from trayport_sdk.sandbox.catalogue import Instrument, Item, Sequence, catalogue

TTF, EEX, ICE = "TTF Hi Cal 51.6*", "TTF Hi Cal 51.6 EEX", "TTF Hi Cal 51.6 ICE ENDEX"
AT = "2024-03-15"


@pytest.fixture(scope="module")
def client() -> Iterator[sync.TrayportClient]:
    with sync.TrayportClient.sandbox(settings=Settings(_env_file=None)) as one:
        yield one


# The printed name of a contract, and others that mean it at AT.
NAMES = {
    f"{TTF} Apr-24": (
        "ttf hi cal 51.6* apr-24", "TTF HI CAL 51.6* APR-24", " TTF Hi  Cal 51.6 *  Apr-24 ",
        "TTF Hi Cal 51.6*Apr-24", "ttfhical51.6*apr-24", "TTF Hi Cal 51,6* Apr-24",
        "TTF Hi Cal 51.6* apr 24", "TTF Hi Cal 51.6* April 2024", "TTF Hi Cal 51.6* april-24",
        "TTF Hi Cal 51.6* 2024-04", "TTF Hi Cal 51.6* 04/2024", "TTF Hi Cal 51.6* Apr24",
        "TTF Hi Cal 51.6* APR 2024", "TTF Hi Cal 51.6* Apr_24", "TTF Hi Cal 51.6* 2024 Apr",
        "TTF Hi Cal 51.6* M+1", "ttf hi cal 51.6* m+1", "TTF Hi Cal 51.6* month ahead",
        "TTF Hi Cal 51.6* front month", "TTF Hi Cal 51.6* Front Month",
        "TTF Hi Cal 51.6* prompt month", "10000065*#Single#10000305#244#0",
        "10000065*#single#10000305#244#0", "ttf hi cal 51,6*april'24",
    ),
    f"{TTF} May-24": ("ttf hi cal 51.6* M+2", "TTF Hi Cal 51.6* may 24", "ttfhical51.6*2024-05"),
    "NBP* Q2-24": ("NBP* Q2/24", "nbp*q2/24"),
    "NBP* Apr-24/May-24": ("NBP* Apr 24 - May 24", "NBP* Apr-24 vs May-24", "NBP* J24/K24"),
    f"{TTF} Jan-25": ("TTF Hi Cal 51.6* January 2025", "TTF Hi Cal 51.6* M+10"),
    f"{TTF} Apr-23": ("TTF Hi Cal 51.6* April 23", "ttf hi cal 51.6* 2023-04"),
    f"{TTF} Jan-05": ("TTF Hi Cal 51.6* January 2005",),
    f"{TTF} Q2-24": (
        "TTF Hi Cal 51.6* q2 24", "TTF Hi Cal 51.6* Q2 2024", "TTF Hi Cal 51.6* 2Q24",
        "TTF Hi Cal 51.6* 2024-Q2", "TTF Hi Cal 51.6* Q+1", "ttfhical51.6*q2-24",
        "TTF Hi Cal 51.6* front quarter",
    ),
    f"{TTF} Sum-24": (
        "TTF Hi Cal 51.6* summer 24", "TTF Hi Cal 51.6* Summer 2024", "TTF Hi Cal 51.6* S+1",
        "TTF Hi Cal 51.6* sum24", "TTF Hi Cal 51.6* S24", "TTF Hi Cal 51.6* front season",
    ),
    f"{TTF} Win-24": (
        "TTF Hi Cal 51.6* winter 24", "TTF Hi Cal 51.6* Win 24/25", "TTF Hi Cal 51.6* S+2",
        "TTF Hi Cal 51.6* Winter 2024/25",
    ),
    f"{TTF} Cal-25": (
        "TTF Hi Cal 51.6* cal 25", "TTF Hi Cal 51.6* CAL25", "TTF Hi Cal 51.6* 2025",
        "TTF Hi Cal 51.6* Year 2025", "TTF Hi Cal 51.6* Y+1", "TTF Hi Cal 51.6* Cal+1",
        "TTF Hi Cal 51.6* calendar 2025", "TTF Hi Cal 51.6* Y25",
    ),
    f"{TTF} GY-24": ("TTF Hi Cal 51.6* gas year 2024", "TTF Hi Cal 51.6* gy24"),
    f"{TTF} 01-Apr-24": (
        "TTF Hi Cal 51.6* 1 Apr 24", "TTF Hi Cal 51.6* 2024-04-01",
        "TTF Hi Cal 51.6* 1 April 2024", "TTF Hi Cal 51.6* 01 apr 2024",
    ),
    f"{TTF} 16-Mar-24": ("TTF Hi Cal 51.6* D+1",),
    f"{TTF} Day Ahead": (
        "TTF Hi Cal 51.6* DA", "TTF Hi Cal 51.6* day ahead", "TTF Hi Cal 51.6* dayahead",
        "TTF Hi Cal 51.6* Day-Ahead",
    ),
    f"{TTF} Within Day": ("TTF Hi Cal 51.6* WD", "TTF Hi Cal 51.6* within day"),
    f"{TTF} BOM": ("TTF Hi Cal 51.6* bom", "TTF Hi Cal 51.6* balmo",
                   "TTF Hi Cal 51.6* Balance of Month"),
    f"{TTF} Weekend": ("TTF Hi Cal 51.6* WE", "TTF Hi Cal 51.6* w/e"),
    f"{TTF} Sat": ("TTF Hi Cal 51.6* sat",),
    f"{TTF} Apr-24/May-24": (
        "TTF Hi Cal 51.6* Apr-24 / May-24", "ttf hi cal 51.6* apr/may-24",
        "TTF Hi Cal 51.6* Apr 24/May 24", "TTF Hi Cal 51.6* April/May 2024",
        "TTF Hi Cal 51.6* 2024-04/2024-05", "TTF Hi Cal 51.6* M+1/M+2", "ttfhical51.6*apr/may24",
        "10000065*#Spread#10000305#244#245",
    ),
    f"{TTF} Dec-24/Jan-25": ("TTF Hi Cal 51.6* Dec/Jan-25", "TTF Hi Cal 51.6* dec/jan 25"),
    f"{TTF} Q2-24/Q3-24": ("TTF Hi Cal 51.6* Q2/Q3-24", "TTF Hi Cal 51.6* 2Q24/3Q24"),
    f"{TTF} Sum-24/Win-24": ("TTF Hi Cal 51.6* Sum/Win 24", "TTF Hi Cal 51.6* summer/winter 24"),
    f"{TTF} Cal-25/Cal-26": ("TTF Hi Cal 51.6* 2025/2026", "TTF Hi Cal 51.6* Cal 25/26"),
    f"{TTF} Sat/Sun": ("TTF Hi Cal 51.6* sat / sun",),
    f"{EEX} Apr-24": (
        "ttf hi cal 51.6 eex apr-24", "TTF Hi Cal 51,6 EEX April 2024", "ttfhical51.6eexapr-24",
        "ttf hi cal 51.6 eex m+1", "TTF  HI CAL 51.6  EEX 2024-04",
        "ttf hi cal 51.6 eex front month", "10002806#Single#10000305#244#0",
    ),
    f"{EEX} Apr-24/May-24": ("ttf hi cal 51.6 eex apr/may 24", "TTF Hi Cal 51.6 EEX M+1/M+2"),
    f"{ICE} Q3-24": ("ttf hi cal 51.6 ice endex q3 24", "TTF Hi Cal 51.6 ICE ENDEX 3Q24"),
    "NBP* Apr-24": ("nbp* m+1", "NBP* april 24", "nbp*apr24", "NBP* front month",
                    "NBP* 04/24", "NBP* J24", "nbp*j24", "NBP* m1"),
    "NBP ICE Apr-24": ("nbp ice m+1", "NBP ICE 2024-04"),
    "EUA* Dec-24": ("eua* dec 24", "EUA* December 2024", "EUA* dec24", "EUA* Z24",
                    "EUA* front month"),
    "EUA ICE ENDEX Dec-24": ("eua ice endex dec24", "EUA ICE ENDEX December 24"),
    "Germany Baseload* Cal-25": ("germany baseload* 2025", "GERMANY BASELOAD* CAL 25"),
    "Germany Baseload* Q2-24": ("germany baseload* q+1", "germanybaseload*2q24"),
    "Germany Baseload* WK14-24": ("Germany Baseload* week 14 2024", "Germany Baseload* W14-24"),
    "Germany Baseload* WE14-24": ("Germany Baseload* weekend 14 24", "germany baseload* we14-24"),
    "Germany Baseload EEX Apr-24": ("germany baseload eex apr 24",),
    "API2 CIF ARA* Cal-25": ("api2 cif ara* cal 25", "API2CIFARA*2025"),
    "Gasoil 0.1%* Apr-24": ("gasoil 0,1%* apr 24", "Gasoil 0.1 %* 2024-04"),
    "THE H-Gas EEX May-24": ("the h-gas eex may 24",),
}  # fmt: skip


def test_they_are_as_many_as_promised() -> None:
    assert sum(1 + len(others) for others in NAMES.values()) >= 150


@pytest.mark.parametrize("name", NAMES)
def test_what_people_write_is_what_is_printed(client: sync.TrayportClient, name: str) -> None:
    contract = client.resolve_contract(name)
    assert contract.name == name
    assert contract.period == name.partition("* ")[2] or "*" not in name
    found = {each: client.resolve_contract(each, at=AT) for each in NAMES[name]}
    assert found == dict.fromkeys(NAMES[name], contract)
    assert {each.name for each in found.values()} == {name}


# --- Every name of the sandbox

INSTRUMENTS = list(catalogue().instruments.values())


@st.composite
def listed(draw: st.DrawFn) -> tuple[Instrument, Sequence, Item]:
    instrument = draw(st.sampled_from(INSTRUMENTS))
    sequence = catalogue().sequences[draw(st.sampled_from(instrument.commodity.sequence_ids))]
    return instrument, sequence, draw(st.sampled_from(sequence.items))


@st.composite
def rewritten(draw: st.DrawFn, text: str) -> str:
    """A text in any case, with white space added anywhere between words, or taken away."""
    gaps = draw(st.lists(st.sampled_from([" ", "  ", "\t", ""]), min_size=len(text)))
    cases = draw(st.lists(st.booleans(), min_size=len(text), max_size=len(text)))
    letters = [gap if c == " " else c for c, gap in zip(text, gaps, strict=False)]
    return "".join(c.swapcase() if swap else c for c, swap in zip(letters, cases, strict=True))


@settings(deadline=None)  # the first look-up of a sequence takes longer
@given(listed(), st.data())
def test_every_instrument_and_item_is_found_by_its_printed_name_in_any_case_and_spacing(
    client: sync.TrayportClient, drawn: tuple[Instrument, Sequence, Item], data: st.DataObject
) -> None:
    instrument, sequence, item = drawn
    expected = ContractSpec(
        instrument_id=instrument.id, sequence_id=sequence.id, sequence_item_id=item.id
    )
    name = f"{instrument.name} {item.name}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TrayportAmbiguityWarning)
        assert client.resolve_contract(name) == expected
        assert client.resolve_contract(data.draw(rewritten(name))) == expected


# --- Parts


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        ({"market": "TTF Hi Cal 51.6*", "item": "Apr-24"}, f"{TTF} Apr-24"),
        ({"market": "ttf hi cal 51,6", "item": "april 2024"}, f"{TTF} Apr-24"),
        ({"market": "TTF Hi Cal 51.6", "sequence": "gas - ng months", "item": "M+1"},
         f"{TTF} Apr-24"),
        ({"instrument": "NBP", "item": "Apr-24"}, "NBP Apr-24"),
        ({"market": "NBP", "item": "Apr-24", "second_item": "May-24"}, "NBP* Apr-24/May-24"),
    ],
)  # fmt: skip
def test_parts_name_a_contract_without_a_warning(
    client: sync.TrayportClient, parts: dict[str, Any], name: str
) -> None:
    assert client.resolve_contract(**parts, at=AT).name == name


def test_two_periods_may_be_a_range(client: sync.TrayportClient) -> None:
    parts = {"market": "NBP", "item": "Apr-24", "second_item": "Jun-24"}
    spec = client.resolve_contract(**parts, contract_type="Range")
    assert str(spec) == "10000001*#Range#10000305#244#246"


@pytest.mark.parametrize(
    ("parts", "parameter"),
    [
        ({"item": "Apr-24"}, "market"),
        ({"market": "NBP"}, "item"),
        ({"market": "NBP", "instrument": "NBP", "item": "Apr-24"}, "instrument"),
        ({"market": 5, "item": "Apr-24"}, "market"),
        ({"market": "NBP", "item": "Apr-24", "colour": "red"}, "colour"),
        ({"symbol_or_name": "NBP* Apr-24", "item": "Apr-24"}, "item"),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    client: sync.TrayportClient, parts: dict[str, Any], parameter: str
) -> None:
    with pytest.raises(TrayportValidationError) as refused:
        client.resolve_contract(**parts)
    assert refused.value.parameter == parameter


# --- What is missing or ambiguous

WRONG = {
    "TTF Apr-24": f"{TTF} Apr-24",
    "TTF* Apr-24": f"{TTF} Apr-24",
    "apr-24 ttf hi cal": f"{TTF} Apr-24",
    "TTF Hi Cal* Apr-24": f"{TTF} Apr-24",
    "TTF Hi Cal 51.7* Apr-24": f"{TTF} Apr-24",
    "tff hi cal 51.6* apr-24": f"{TTF} Apr-24",
    f"{TTF}": f"{TTF} Apr-24",
    f"{TTF} Arp-24": f"{TTF} Apr-24",
    f"{TTF} W+1": f"{TTF} Apr-24",
    "NBP* Apr-24 to Jun-24": "NBP* Apr-24/Jun-24",
    "NBP* foo bar": "NBP* Apr-24",
    "NBP* Apr": "NBP* Apr-24",
    "EUA* foo": "EUA* Dec-24",
    f"{TTF} May/Apr-24": f"{TTF} Apr-24/May-24",
    f"{TTF} May-24/Apr-24": f"{TTF} Apr-24/May-24",
    f"{TTF} M+2/M+1": f"{TTF} Apr-24/May-24",
    f"{TTF} Apr-24/2024-04": f"{TTF} Apr-24",
    f"{TTF}/NBP* Apr-24": f"{TTF} Apr-24",
    "NBP/TTF Hi Cal 51.6 Apr-24": "NBP* Apr-24",
    "Germany Intraday Apr-24": "Germany Intraday* Apr-24",
    "EUA EEX M+1": "EUA EEX Dec-24",
    "EUA ICE ENDEX Nov-24": "EUA ICE ENDEX Nov-24",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_name_that_is_wrong_lists_names_that_are_right(
    client: sync.TrayportClient, text: str
) -> None:
    with pytest.raises(TrayportLookupError) as refused:
        client.resolve_contract(text, at=AT)
    candidates = refused.value.candidates
    if text != WRONG[text]:
        assert candidates[0] == WRONG[text]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TrayportAmbiguityWarning)
        assert [client.resolve_contract(each).name for each in candidates] == [*candidates]


@pytest.mark.parametrize(
    ("product", "message", "candidate"),
    [
        ("TTF", "no product is named 'TTF'", TTF),
        ("ttf hi cal 51.7", "no product is named 'ttf hi cal 51.7'", TTF),
        ("TTF*", r"no market is named 'TTF\*'", TTF),
    ],
)
def test_an_unknown_product_lists_markets_first(
    client: sync.TrayportClient, product: str, message: str, candidate: str
) -> None:
    for call in (
        lambda: client.curve(product, "months", at=AT),
        lambda: client.continuous(f"{product} months", 1, "2024-03-04", "2024-03-05"),
    ):
        with pytest.raises(TrayportLookupError, match=message) as refused:
            call()
        assert refused.value.candidates[0] == candidate


def test_a_forgotten_star_is_warned_of_every_time(client: sync.TrayportClient) -> None:
    for name in ("NBP Apr-24", "nbp apr-24", "NBP Apr-24"):
        with pytest.warns(TrayportAmbiguityWarning) as warned:
            contract = client.resolve_contract(name)
        assert "'NBP* Apr-24' for the market" in str(warned[0].message)
        assert repr(str(contract)) in str(warned[0].message)
        client.resolve_contract(str(contract))  # without a warning


# --- Contracts into names


def test_a_contract_is_described(client: sync.TrayportClient) -> None:
    spread = client.describe("10000065*#Spread#10000305#244#245")
    assert (spread.name, spread.period) == (f"{TTF} Apr-24/May-24", "Apr-24/May-24")
    assert (spread.product_name, spread.sequence_name) == (TTF, "Gas - NG Months")
    assert [item.id for item in spread.items] == [244, 245]
    assert repr(spread).startswith(f"ContractDescription(name='{TTF} Apr-24/May-24', contract='100")
    assert spread.period_start == datetime(2024, 4, 1, tzinfo=UTC)
    assert spread.period_end == datetime(2024, 6, 1, tzinfo=UTC)
    assert spread.trading_end == datetime(2024, 3, 28, tzinfo=UTC)
    assert spread.trading_start == datetime(2019, 5, 1, tzinfo=UTC)
    rolling = client.describe("TTF Hi Cal 51.6* Day Ahead")
    assert (rolling.period_start, rolling.period_end, rolling.trading_end) == (None,) * 3


@pytest.mark.parametrize(
    ("symbol", "message"),
    [
        ("77*#Single#10000305#244#0", "no market has the id 77"),
        ("77#Single#10000305#244#0", "no instrument has the id 77"),
        (
            "10000065*#Single#10000100#244#0",
            r"no sequence of TTF Hi Cal 51.6\* has the id 10000100",
        ),
        ("10000065*#Single#10000305#9999#0", "no item of Gas - NG Months has the id 9999"),
    ],
)
def test_what_does_not_exist_has_no_description_and_no_name(
    client: sync.TrayportClient, symbol: str, message: str
) -> None:
    with pytest.raises(TrayportLookupError, match=message):
        client.describe(symbol)
    assert (client.resolve_contract(symbol).name, str(client.resolve_contract(symbol))) == (
        None,
        symbol,
    )


def test_names_do_not_matter_to_equality() -> None:
    bare = ContractSpec.parse("10000065*#Single#10000305#244#0")
    named = ContractSpec(
        market_id=10000065, sequence_id=10000305, sequence_item_id=244, name="a", period="b"
    )
    assert (bare, hash(bare), repr(bare)) == (named, hash(named), repr(named))
    assert not bare < named
    assert not bare > named


# --- Time


@pytest.mark.parametrize(
    ("name", "at", "period"),
    [
        (f"{TTF} M+1", "2024-03-31T21:59", "Apr-24"),
        (f"{TTF} M+1", "2024-03-31T22:00", "May-24"),  # midnight in Amsterdam
        ("NBP* M+1", "2024-03-31T22:00", "Apr-24"),
        ("NBP* M+1", "2024-03-31T23:00", "May-24"),  # midnight in London
        (f"{TTF} front month", "2024-03-27T23:59:59", "Apr-24"),
        (f"{TTF} front month", "2024-03-28", "May-24"),  # Apr-24 is no longer traded
        (f"{TTF} M+1/M+2", "2024-12-15", "Jan-25/Feb-25"),
    ],
)
def test_relative_periods_depend_on_the_time_where_a_product_is_traded(
    client: sync.TrayportClient, name: str, at: str, period: str
) -> None:
    assert client.resolve_contract(name, at=at).period == period


# --- Requests


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("names", "requests"),
    [
        ([f"{TTF} {month}-24" for month in ("Apr", "May", "Jun", "Jul")], 3),
        ([f"{TTF} Apr-24", "NBP* Apr-24", "PEG* Apr-24"], 1 + 3 + 1),
        ([f"{TTF} Apr-24", f"{TTF} Q2-24", f"{TTF} Apr/May-24"], 1 + 1 + 2),
        ([f"{EEX} Apr-24", f"{ICE} Apr-24"], 1 + 2 + 1 + 1),  # and the markets, for a star
        (["10000065*#Single#10000305#244#0"] * 3, 0),
    ],
)
@pytest.mark.parametrize("cache", ["memory", "off"])
async def test_names_in_bulk_take_the_fewest_requests(
    names: list[str], requests: int, cache: str
) -> None:
    sandbox = Sandbox(limits=False)
    settings = Settings(_env_file=None, cache=cache)
    async with TrayportClient.sandbox(sandbox, settings=settings) as client:
        found = await client._resolver.resolve_all(names)
        assert [each.name for each in found if each.name] == [
            name.replace("Apr/", "Apr-24/") for name in names if "#" not in name
        ]
        assert len(sandbox.requests) == requests
        await client._resolver.resolve_all(names)
        assert len(sandbox.requests) == requests * (2 if cache == "off" else 1)


@pytest.mark.anyio
async def test_what_was_resolved_is_looked_up_again_after_a_refresh() -> None:
    sandbox = Sandbox(limits=False)
    async with TrayportClient.sandbox(sandbox) as client:
        for _ in range(2):
            await asyncio.gather(*(client.resolve_contract(f"{TTF} Apr-24") for _ in range(3)))
        assert len(sandbox.requests) == 3
        await client.reference.refresh()
        await client.resolve_contract(f"{TTF} Apr-24")
        assert len(sandbox.requests) == 6

"""Search of names: in any order, begun, misspelt."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trayport_sdk import ContractMatch, ContractSpec, TrayportValidationError, sync
from trayport_sdk.resources.search import without_period, words_of
from trayport_sdk.sandbox.catalogue import catalogue


@pytest.fixture(scope="module")
def client() -> Iterator[sync.TrayportClient]:
    with sync.TrayportClient.sandbox() as one:
        yield one


MARKETS = {
    "TTF Hi Cal 51.6*": ["ttf hi cal 51.6*", "ttf", "cal hi ttf", "ttf 51,6", "tff hi cal",
                         "TTFHICAL51.6", "Ttf hi c", "ttf hi cal 51.7"],
    "Germany Baseload*": ["germany base", "base germany", "germany", "germny baseload"],
    "EUA*": ["eua", "EUA*"],
    "API2 CIF ARA*": ["api2", "cif api2"],
    "Gasoil 0.1%*": ["gasoil 0,1", "gasoil"],
    "THE H-Gas*": ["the h gas", "h-gas the"],
    "Capesize 5TC*": ["capesize", "cape 5tc", "capsize 5tc"],
    "TTF Index*": ["ttf index", "index ttf"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "patterns"), MARKETS.items())
def test_a_market_is_found_first(
    client: sync.TrayportClient, name: str, patterns: list[str]
) -> None:
    found = {pattern: client.search_markets(pattern)[0].name for pattern in patterns}
    assert found == dict.fromkeys(patterns, name)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("eex ttf hi cal 51,6", "TTF Hi Cal 51.6 EEX"),
        ("ttf hi cal 51.6", "TTF Hi Cal 51.6"),
        ("germany base eex", "Germany Baseload EEX"),
        ("nbp ice", "NBP ICE"),
    ],
)
def test_an_instrument_is_found_first(client: sync.TrayportClient, pattern: str, name: str) -> None:
    assert client.search_instruments(pattern)[0].name == name


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("ttf apr 24", ["TTF Hi Cal 51.6* Apr-24"]),
        ("apr 24 ttf hi", ["TTF Hi Cal 51.6* Apr-24"]),
        ("nbp m+1", ["NBP* Apr-24", "NBP Apr-24"]),
        ("q2 2024 germany base", ["Germany Baseload* Q2-24", "Germany Baseload Q2-24"]),
        ("eua dec-24", ["EUA* Dec-24", "EUA Dec-24"]),
        ("ttf 51.6 eex 2024-04/2024-05", ["TTF Hi Cal 51.6 EEX Apr-24/May-24"]),
        ("nbp", ["NBP* Apr-24", "NBP* Q2-24", "NBP* Sum-24", "NBP* Cal-25"]),
        ("eua", ["EUA* Dec-24"]),
        ("EUA Dec 24", ["EUA* Dec-24", "EUA Dec-24", "EUA EEX Dec-24", "EUA ICE ENDEX Dec-24"]),
        ("NBP* day ahead", ["NBP* Day Ahead"]),
        ("NBP day ahead", ["NBP* Day Ahead", "NBP Day Ahead"]),
        ("NBP* DA", ["NBP* Day Ahead"]),
        ("ttf day-ahead", ["TTF Hi Cal 51.6* Day Ahead"]),
        ("NBP within day", ["NBP* Within Day", "NBP Within Day"]),
        ("nbp Weekend", ["NBP* Weekend", "NBP Weekend"]),
        ("NBP BOM", ["NBP* BOM", "NBP BOM"]),
        ("NBP* Sat", ["NBP* Sat"]),
        ("NBP* May/Apr-24", ["NBP* Apr-24/May-24"]),
        ("10000001*#Single#10000305#244#0", ["NBP* Apr-24"]),
    ],
)
def test_contracts_are_found_with_markets_first(
    client: sync.TrayportClient, pattern: str, names: list[str]
) -> None:
    found: list[ContractMatch] = client.search_contracts(pattern, at="2024-03-15")
    contracts: list[ContractSpec] = [match.contract for match in found]  # never None
    assert [contract.label for contract in contracts] == [match.name for match in found]
    assert [match.name for match in found][: len(names)] == names
    assert all(match.contract and match.contract.name == match.name for match in found)


@pytest.mark.parametrize("limit", [1, 3])
def test_the_limit_is_kept_and_scores_fall(client: sync.TrayportClient, limit: int) -> None:
    for search in (client.search_markets, client.search_instruments, client.search_contracts):
        found = search("ttf apr-24" if search == client.search_contracts else "ttf", limit)
        assert len(found) == limit
        scores = [match.score for match in found]
        assert sorted(scores, reverse=True) == scores
        assert all(0 < score <= 100 for score in scores)


@pytest.mark.parametrize("pattern", ["", "  ", "*", "zzzzzz"])
def test_what_is_like_nothing_finds_nothing(client: sync.TrayportClient, pattern: str) -> None:
    assert client.search_markets(pattern) == client.search_contracts(pattern) == []


@pytest.mark.parametrize(("pattern", "limit"), [("ttf", 0), ("ttf", True), ("ttf", 1.5), (5, 1)])
def test_a_bad_argument_is_refused(client: sync.TrayportClient, pattern: str, limit: int) -> None:
    with pytest.raises(TrayportValidationError):
        client.search_contracts(pattern, limit)


@given(st.sampled_from(list(catalogue().instruments.values())), st.randoms())
def test_every_instrument_is_found_by_its_words_in_any_order(
    client: sync.TrayportClient, instrument: object, random: object
) -> None:
    words = words_of(instrument.name)  # type: ignore[attr-defined]
    random.shuffle(words)  # type: ignore[attr-defined]
    found = client.search_instruments(" ".join(words).upper(), 3)
    assert instrument.id in [match.id for match in found]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("ttf apr 24", ("ttf", "apr 24")),
        ("1 apr 24 ttf", ("ttf", "1 apr 24")),
        ("TTF Hi Cal 51.6*Apr-24", ("TTF Hi Cal 51.6*", "Apr-24")),
        ("ttf front month", ("ttf", "front month")),
        ("ttf hi cal 51.6", ("ttf hi cal 51.6", "")),
        ("apr-24", ("", "apr-24")),
        ("nbp day ahead", ("nbp", "day ahead")),
        ("weekend peaks nbp", ("weekend peaks nbp", "")),
        ("", ("", "")),
    ],
)
def test_the_period_of_a_pattern_may_stand_anywhere(text: str, parts: tuple[str, str]) -> None:
    assert without_period(text) == parts

"""The long tail of the catalogue: instruments that are listed and hardly ever trade."""

from collections.abc import Iterator

from attrs import frozen

from trayport_sdk.sandbox.listings import (
    COAL,
    FREIGHT,
    GAS,
    METALS,
    OIL,
    POWER,
    Commodity,
)


@frozen
class ListedProduct:
    """A product nobody quotes, and the places that list it (suffix of the name, venue)."""

    name: str
    commodity: Commodity
    currency: str
    places: tuple[tuple[str, str], ...]
    has_market: bool


_BROKERS = (
    ("", "SPEC"),
    ("GFI", "GFI"),
    ("ICAP", "ICAP"),
    ("Tullett", "PREB"),
    ("Tradition", "TFS"),
    ("Griffin", "GRFN"),
    ("BGC", "BGC"),
    ("OTCex", "OTCX"),
    ("42 Financial", "42FS"),
    ("MAKE", "MAKE"),
)
_POWER_PLACES = (*_BROKERS, ("EEX", "EEX7"), ("NASDAQ", "NDAQ"), ("ICE ENDEX", "ICE"))
_GAS_PLACES = (*_BROKERS, ("EEX", "EEX7"), ("ICE ENDEX", "ICE"))
_FREIGHT_PLACES = (("", "FIS"), ("Clarksons", "CLKS"), ("Marex", "MXFR"), ("EEX", "EEX7"))
_BULK_PLACES = (("", "SPEC"), ("FIS", "FIS"), ("GFI", "GFI"), ("ICE", "ICE"))

_GAS_HUBS = (
    "TTF",
    "NBP",
    "THE",
    "PEG",
    "PSV",
    "PVB",
    "CEGH VTP",
    "ZTP",
    "Zeebrugge Beach",
    "ETF",
    "CZ VTP",
    "SK VTP",
    "MGP",
    "VTP Ukraine",
    "VTP Romania",
    "Bulgarian VTP",
    "HTP Greece",
    "TGE Poland",
    "Finnish BZ",
    "Latvia-Estonia BZ",
    "IBP Ireland",
    "AVB Spain",
    "TVB Spain",
    "UDN Turkey",
)
_GAS_FORMS = (
    "Hi Cal Physical 1MW",
    "Financial",
    "Lo Cal 35.17",
    "Capacity",
    "Index",
    "Swap vs TTF",
    "Option Strip",
)
_POWER_ZONES = (
    "Germany",
    "France",
    "Italy",
    "Italy North",
    "Italy Centre-South",
    "Sardinia",
    "Sicily",
    "Spain",
    "Portugal",
    "Great Britain",
    "Ireland SEM",
    "Netherlands",
    "Belgium",
    "Luxembourg",
    "Austria",
    "Switzerland",
    "Czech",
    "Slovakia",
    "Hungary",
    "Slovenia",
    "Croatia",
    "Bosnia",
    "Serbia",
    "Montenegro",
    "North Macedonia",
    "Albania",
    "Kosovo",
    "Romania",
    "Bulgaria",
    "Greece",
    "Turkey",
    "Poland",
    "Lithuania",
    "Latvia",
    "Estonia",
    "Finland",
    "Sweden SE1",
    "Sweden SE2",
    "Sweden SE3",
    "Sweden SE4",
    "Norway NO1",
    "Norway NO2",
    "Norway NO5",
    "Denmark DK1",
    "Denmark DK2",
)
_POWER_SHAPES = (
    "Offpeak",
    "Weekend Base",
    "Evening Peak",
    "Solar Profile",
    "Wind Profile",
    "Baseload Financial",
    *(f"Hour {hour:02d}" for hour in range(1, 25)),
)
_FREIGHT_ROUTES = tuple(
    f"Route {name}" for name in ("C3", "C5", "C7", "P1A", "P2A", "P3A", "S10", "TC2", "TC6", "TD20")
)
_OIL_PRODUCTS = (
    "Dated Brent CFD",
    "Naphtha CIF NWE",
    "Jet CIF NWE",
    "ULSD 10ppm Med",
    "Eurobob Oxy",
    "Propane ARA",
    "WTI Swap",
    "Dubai Swap",
)
_BULK_PRODUCTS = (
    ("Indo Sub-bit FOB", COAL),
    ("Coking Coal Australia", COAL),
    ("API5", COAL),
    ("Iron Ore 58% Fe", METALS),
    ("Iron Ore 65% Fe", METALS),
    ("Scrap CFR Turkey", METALS),
    ("Rebar FOB Turkey", METALS),
)


def listed_products() -> Iterator[ListedProduct]:
    """More products than anyone needs, in a fixed order."""
    for hub in _GAS_HUBS:
        for form in _GAS_FORMS:
            yield ListedProduct(f"{hub} {form}", GAS, "EUR", _GAS_PLACES, has_market=True)
    for route in _FREIGHT_ROUTES:
        yield ListedProduct(route, FREIGHT, "USD", _FREIGHT_PLACES, has_market=True)
    for product in _OIL_PRODUCTS:
        yield ListedProduct(product, OIL, "USD", _BULK_PLACES, has_market=True)
    for product, commodity in _BULK_PRODUCTS:
        yield ListedProduct(product, commodity, "USD", _BULK_PLACES, has_market=True)
    for shape in _POWER_SHAPES:
        for zone in _POWER_ZONES:
            yield ListedProduct(f"{zone} {shape}", POWER, "EUR", _POWER_PLACES, has_market=False)

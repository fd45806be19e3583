"""The markets of the sandbox: what they deliver, where they trade, and how much."""

from attrs import frozen

from trayport_sdk.sandbox.calendar import EUROPE, LONDON, NEW_YORK, SINGAPORE, TOKYO, Session

_ID_BASE = 10_000_000


@frozen
class TradingSpecification:
    """Units in which prices and quantities are meant."""

    price_currency: str
    quantity_unit: str
    notional_currency: str
    notional_quantity_unit: str


@frozen
class Commodity:
    """What the markets of one kind have in common."""

    name: str
    sequence_ids: tuple[int, ...]
    quantity_unit: str
    notional_quantity_unit: str
    # usual sizes of a trade, and the step of odd ones, in thousandths of the quantity unit
    sizes: tuple[int, ...]
    odd_step: int
    # winter-summer swing of the forward curve, as a share of the level
    season: float
    # share by which a far delivery costs more, per year
    carry: float


@frozen
class Listing:
    """One instrument of a market: where it trades, and its share of the trades."""

    suffix: str
    venues: tuple[str, ...]
    share: float
    instrument_id: int | None = None


@frozen(eq=False)
class Family:
    """A market and its instruments."""

    name: str
    commodity: Commodity
    driver: str
    factor: float
    # trades per day, relative to the most traded market of the commodity
    scale: float
    currency: str
    # ticks are counted in 1 / price_scale
    price_scale: int
    tick: int
    session: Session
    listings: tuple[Listing, ...]
    market_id: int | None = None
    first_year: int = 2005
    last_year: int = 9999
    # whether the sandbox's user trades here
    own: bool = False


def _ids(*numbers: int) -> tuple[int, ...]:
    return tuple(_ID_BASE + number for number in numbers)


_MW = (1, 1, 1, 2, 5, 5, 5, 10, 10, 10, 15, 20, 25, 30, 30, 60)
_SMALL = (1, 1, 1, 1, 2, 2, 3, 5, 5, 5, 5, 10, 10, 10, 15, 25)
_LOTS = (1, 1, 2, 3, 4, 5, 5, 5, 7, 10, 10, 10, 15, 20, 25, 50)


def _commodity(
    name: str,
    sequences: tuple[int, ...],
    unit: str,
    notional: str,
    sizes: tuple[int, ...],
    odd_step: int,
    season: float = 0.0,
    carry: float = 0.0,
) -> Commodity:
    thousandths = tuple(size * 1000 for size in sizes)
    return Commodity(name, sequences, unit, notional, thousandths, odd_step, season, carry)


GAS = _commodity(
    "Gas", _ids(302, 303, 304, 305, 306, 307, 308, 309), "MW", "MWh", _MW, 25, season=0.03
)
POWER = _commodity(
    "Power", _ids(107, 100, 101, 102, 104, 105, 106), "MW", "MWh", _SMALL, 100, season=0.08
)
EMISSIONS = _commodity("Emissions", _ids(400), "kt", "t", _LOTS, 1, carry=0.022)
CERTIFICATES = _commodity("Certificates", _ids(404), "GWh", "MWh", _SMALL, 5, carry=0.03)
COAL = _commodity("Coal", _ids(204, 205, 206), "kt", "t", _LOTS, 500, carry=0.01)
OIL = _commodity("Oil", _ids(504, 505, 506), "kbbl", "bbl", _LOTS, 100, carry=-0.015)
FREIGHT = _commodity("Freight", _ids(604, 605, 606), "day", "day", _SMALL, 250, carry=-0.02)
LNG = _commodity("LNG", _ids(704, 705, 706), "lot", "MMBtu", _LOTS, 50, season=0.05)
METALS = _commodity("Metals", _ids(804, 805, 806), "kt", "t", _LOTS, 50, carry=-0.02)

_GAS_BROKERS = ("SPEC", "ICAP", "PREB", "TFS", "GRFN", "MAKE", "42FS", "GFI", "BGC", "FINA", "VELT")
_POWER_BROKERS = ("TFS", "GFI", "SPEC", "ICAP", "OTCX", "42FS", "PREB", "GRFN", "BGC", "SHRD")
_OIL_BROKERS = ("PVM", "OILB", "GFIO", "SPEC", "STAR", "PFL", "BGH", "TSEC")
_FREIGHT_BROKERS = ("FIS", "CLKS", "MXFR", "BPIF", "BTON", "VIKI", "ATLA")
_EEX = ("EEX", "EEX7")


def _otc(*venues: str, share: float = 1.0, instrument_id: int | None = None) -> Listing:
    return Listing("", venues, share, instrument_id)


def _on(suffix: str, *venues: str, share: float = 1.0, instrument_id: int | None = None) -> Listing:
    return Listing(suffix, venues, share, instrument_id)


def _gas(
    name: str, factor: float, scale: float, *listings: Listing, last_year: int = 9999
) -> Family:
    return Family(
        name, GAS, "ttf", factor, scale, "EUR", 1000, 5, EUROPE, listings, last_year=last_year
    )


def _power(
    name: str,
    factor: float,
    scale: float,
    *listings: Listing,
    session: Session = EUROPE,
    currency: str = "EUR",
    driver: str = "german power",
    market_id: int | None = None,
    own: bool = False,
) -> Family:
    return Family(
        name,
        POWER,
        driver,
        factor,
        scale,
        currency,
        100,
        1 if currency == "JPY" else 5,
        session,
        listings,
        market_id=market_id,
        own=own,
    )


def _dollar(
    name: str,
    commodity: Commodity,
    driver: str,
    factor: float,
    scale: float,
    *listings: Listing,
    session: Session = LONDON,
    tick: int = 5,
    first_year: int = 2005,
) -> Family:
    return Family(
        name,
        commodity,
        driver,
        factor,
        scale,
        "USD",
        100,
        tick,
        session,
        listings,
        first_year=first_year,
    )


_TTF = Family(
    "TTF Hi Cal 51.6",
    GAS,
    "ttf",
    1.0,
    1.0,
    "EUR",
    1000,
    5,
    EUROPE,
    (
        _otc(*_GAS_BROKERS, share=0.4, instrument_id=10_002_096),
        _on("EEX", *_EEX, share=0.24, instrument_id=10_002_806),
        _on("ICE ENDEX", "ICE", share=0.36),
    ),
    market_id=10_000_065,
    own=True,
)
_NBP = Family(
    "NBP",
    GAS,
    "ttf",
    2.56,
    0.22,
    "GBX",
    1000,
    5,
    LONDON,
    (_otc(*_GAS_BROKERS, "ACGM", "EBI", share=0.45), _on("ICE", "ICE", share=0.55)),
    own=True,
)
_GAS_FAMILIES = (
    _TTF,
    _NBP,
    _gas("THE H-Gas", 1.018, 0.2, _otc(*_GAS_BROKERS, share=0.6), _on("EEX", *_EEX, share=0.4)),
    _gas("NCG H-Gas", 1.014, 0.14, _otc(*_GAS_BROKERS), last_year=2021),
    _gas("Gaspool H-Gas", 1.01, 0.08, _otc(*_GAS_BROKERS, "CEGE"), last_year=2021),
    _gas("PEG", 1.006, 0.12, _otc(*_GAS_BROKERS, share=0.6), _on("EEX", *_EEX, share=0.4)),
    _gas("PSV", 1.055, 0.12, _otc(*_GAS_BROKERS, share=0.7), _on("GME", "GMEG", share=0.3)),
    _gas("PVB", 1.03, 0.07, _otc("CIMD", "TFS", "IBGH", share=0.5), _on("MIBGAS", "MIBG")),
    _gas("CEGH VTP", 1.025, 0.08, _otc(*_GAS_BROKERS, share=0.6), _on("CEGH", "CEGE", "EEX7")),
    _gas("ZTP", 1.004, 0.05, _otc(*_GAS_BROKERS), _on("ICE ENDEX Spot", "IENX", share=0.3)),
    _gas("CZ VTP", 1.032, 0.03, _otc("SPEC", "GFI", "BALK"), _on("PXE", "PXE", *_EEX)),
    _gas("MGP", 1.04, 0.02, _otc("SPEC", "42FS"), _on("CEEGEX", "HXCX")),
    _gas("ETF", 1.01, 0.02, _on("EEX Spot", "EEXS")),
    _gas("TTF Spot", 1.0, 0.06, _on("ICE ENDEX Spot", "IENX"), _on("EEX Spot", "EEXS")),
)
_POWER_FAMILIES = (
    _power(
        "Germany Baseload",
        1.0,
        1.0,
        _otc(*_POWER_BROKERS, share=0.5, instrument_id=10_001_126),
        _on("EEX", *_EEX, share=0.46),
        _on("NASDAQ", "NDAQ", share=0.04),
        own=True,
    ),
    _power("Germany Peaks", 1.22, 0.15, _otc(*_POWER_BROKERS), _on("EEX", *_EEX)),
    _power("Germany Intraday", 0.97, 0.1, _on("EPEX", "EPEX"), _on("EEX Spot", "EEXS", share=0.1)),
    _power("France Baseload", 1.05, 0.35, _otc(*_POWER_BROKERS), _on("EEX", *_EEX)),
    _power("Italy Baseload", 1.3, 0.2, _otc(*_POWER_BROKERS), _on("GME", "GMEP", "IDEX"),
           _on("EEX", *_EEX)),
    _power("Spain Baseload", 0.86, 0.15, _otc("CIMD", "TFS", "GFI", "OTCX"), _on("OMIP", "OMIP")),
    _power("UK Baseload", 1.02, 0.15, _otc(*_POWER_BROKERS), _on("ICE", "ICE", share=0.2),
           session=LONDON, currency="GBP"),
    _power("Ireland Baseload", 1.25, 0.03, _otc("EBI", "SPEC"), session=LONDON),
    _power("Nordic Baseload", 0.55, 0.15, _otc("SKM", "ICAP", "SPEC"), _on("NASDAQ", "NDAQ")),
    _power("Netherlands Baseload", 1.01, 0.12, _otc(*_POWER_BROKERS), _on("ICE ENDEX", "ICE")),
    _power("Belgium Baseload", 1.03, 0.06, _otc(*_POWER_BROKERS)),
    _power("Austria Baseload", 1.07, 0.05, _otc(*_POWER_BROKERS), _on("EEX", *_EEX)),
    _power("Switzerland Baseload", 1.09, 0.05, _otc(*_POWER_BROKERS), _on("EPEX", "EPEX")),
    _power("Czech Baseload", 1.04, 0.06, _otc("SPEC", "GFI", "TFS"), _on("PXE", "PXE", *_EEX)),
    _power("Hungary Baseload", 1.2, 0.15, _otc("SPEC", "GFI", "BETP"), _on("HUDEX", "HXCX"),
           _on("EEX", *_EEX)),
    _power("Romania Baseload", 1.19, 0.03, _otc("SPEC", "BALK"), _on("OPCOM", "OPCO")),
    _power("Bulgaria Baseload", 1.15, 0.03, _otc("BALK", "BETP"), _on("IBEX", "IBEX")),
    _power("Serbia Baseload", 1.18, 0.02, _otc("BALK", "SPEC")),
    _power("Greece Baseload", 1.21, 0.02, _otc("BETP", "SPEC"), _on("EEX", *_EEX)),
    _power("Poland Baseload", 1.1, 0.04, _otc("GFI", "TFS"), _on("EEX", *_EEX)),
    _power("Turkey Baseload", 0.8, 0.03, _otc("LNKE", "BETP", "MAKE")),
    _power("Japan Tokyo Baseload", 1.0, 0.05, _otc("ENEC", "TFSE"), _on("EEX", *_EEX),
           session=TOKYO, currency="JPY", driver="japanese power"),
    _power("PJM Western Hub Peak", 1.0, 0.12, _otc("EEB", "ICAP", "TFS"), _on("Nodal", "NODX"),
           session=NEW_YORK, currency="USD", driver="us power"),
)  # fmt: skip
_EUA = Family(
    "EUA",
    EMISSIONS,
    "eua",
    1.0,
    1.0,
    "EUR",
    100,
    1,
    EUROPE,
    (
        _on("ICE ENDEX", "ICE", share=0.72, instrument_id=10_003_007),
        _on("EEX", *_EEX, share=0.2, instrument_id=10_003_008),
        _otc("SPEC", "EVOL", "ICAP", "TFS", "VGM", "ACGM", share=0.08),
    ),
    market_id=10_000_016,
    own=True,
)
_OTHER_FAMILIES = (
    _EUA,
    Family("UKA", EMISSIONS, "eua", 0.72, 0.1, "GBP", 100, 1, LONDON,
           (_on("ICE", "ICE"), _otc("VGM", "EVOL", share=0.1)), first_year=2021),
    _dollar("CORSIA Eligible", EMISSIONS, "eua", 0.21, 0.01, _on("ACX", "ACX"), _otc("VGM"),
            first_year=2019),
    Family("EU GO Hydro", CERTIFICATES, "certificates", 1.0, 1.0, "EUR", 100, 1, EUROPE,
           (_otc("EVOL", "GFI", "ZARK", "VGM"), _on("EEX", *_EEX, share=0.2))),
    _dollar("API2 CIF ARA", COAL, "coal", 1.0, 1.0, _otc("GLOB", "GFI", "ICAP", "PREB", "GRFN"),
            _on("ICE", "ICE")),
    _dollar("API4 FOB Richards Bay", COAL, "coal", 0.93, 0.3, _otc("GLOB", "GFI", "SPEC")),
    _dollar("gC Newcastle", COAL, "coal", 1.12, 0.3, _otc("GLOB", "TFSE"), session=SINGAPORE),
    _dollar("Brent Swap", OIL, "brent", 1.0, 1.0, _otc(*_OIL_BROKERS), _on("ICE", "ICE"), tick=1),
    _dollar("Gasoil 0.1%", OIL, "brent", 8.4, 0.4, _otc(*_OIL_BROKERS), tick=25),
    _dollar("Fuel Oil 3.5% Rotterdam", OIL, "brent", 5.6, 0.2, _otc(*_OIL_BROKERS), tick=25),
    _dollar("Fuel Oil 380 Singapore", OIL, "brent", 5.8, 0.2, _otc("TFSE", "GNGA", "BGH", "PVM"),
            session=SINGAPORE, tick=25),
    _dollar("Capesize 5TC", FREIGHT, "freight", 1.0, 1.0, _otc(*_FREIGHT_BROKERS),
            _on("EEX", *_EEX), tick=2500),
    _dollar("Panamax 4TC", FREIGHT, "freight", 0.78, 0.8, _otc(*_FREIGHT_BROKERS), tick=2500),
    _dollar("TD3C Tanker", FREIGHT, "freight", 0.0009, 0.3, _otc("MCQL", "CLKS", "ATLA"), tick=1),
    _dollar("JKM LNG", LNG, "lng", 1.0, 1.0, _otc("GNGA", "TFSE", "TFS", "ICAP"), _on("ICE", "ICE"),
            session=SINGAPORE, tick=1),
    _dollar("Iron Ore 62% Fe", METALS, "iron ore", 1.0, 1.0, _otc("FIS", "GORE", "MYST", "CLKS"),
            session=SINGAPORE),
    _dollar("HRC Steel North China", METALS, "iron ore", 5.1, 0.1, _otc("MYST", "FIS"),
            session=SINGAPORE, tick=50),
    _dollar("Wood Pellets CIF ARA", COAL, "coal", 1.6, 0.05, _otc("AGR", "SPEC", "TFS")),
)  # fmt: skip

FAMILIES: tuple[Family, ...] = _GAS_FAMILIES + _POWER_FAMILIES + _OTHER_FAMILIES

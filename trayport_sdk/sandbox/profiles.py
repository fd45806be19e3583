"""Which contracts of a market trade, and how often: a small table around the nearest items."""

from collections.abc import Mapping

from attrs import frozen

from trayport_sdk.sandbox.contract import ContractKind
from trayport_sdk.sandbox.listings import Family

# Trades per day in a commodity's most traded market, by position from the nearest item.
_MONTHS = (2900.0, 1300.0, 750.0, 500.0, 380.0, 300.0, 240.0, 190.0, 150.0, 120.0, 100.0, 80.0)
_QUARTERS = (620.0, 340.0, 180.0, 90.0, 40.0, 15.0, 6.0)
_SEASONS = (900.0, 480.0, 190.0, 70.0, 25.0, 8.0)
_YEARS = (760.0, 330.0, 120.0, 40.0, 10.0, 2.0)
_POWER_YEARS = (1000.0, 420.0, 150.0, 45.0, 12.0, 4.0)
_PROMPT = (420.0, 700.0, 40.0, 40.0, 260.0, 60.0, 60.0, 90.0)
_DAYS = (160.0, 60.0, 20.0, 8.0, 3.0)
_OUTRIGHTS: Mapping[str, Mapping[int, tuple[float, ...]]] = {
    "Gas": {
        302: _PROMPT,
        303: _DAYS,
        304: (60.0, 10.0),
        305: _MONTHS,
        306: _QUARTERS,
        307: _SEASONS,
        308: (20.0, 8.0, 2.0),
        309: _YEARS,
    },
    "Power": {
        107: (300.0, 120.0, 40.0, 20.0, 30.0),
        100: _DAYS,
        101: (90.0, 20.0),
        102: (260.0, 80.0, 25.0, 8.0),
        104: (1000.0, 380.0, 150.0, 70.0, 35.0, 15.0, 6.0, 3.0),
        105: (520.0, 230.0, 90.0, 30.0, 8.0),
        106: _POWER_YEARS,
    },
    "Emissions": {400: (3000.0, 420.0, 130.0, 45.0, 14.0, 5.0)},
    "Certificates": {404: (14.0, 9.0, 4.0)},
    "Coal": {
        204: (40.0, 25.0, 12.0, 6.0, 3.0),
        205: (45.0, 22.0, 9.0, 4.0),
        206: (50.0, 16.0, 4.0, 1.0),
    },
    "Oil": {
        504: (240.0, 140.0, 80.0, 45.0, 25.0, 12.0),
        505: (30.0, 15.0, 6.0),
        506: (12.0, 4.0),
    },
    "Freight": {604: (60.0, 38.0, 18.0, 8.0, 4.0), 605: (55.0, 26.0, 10.0), 606: (18.0, 5.0)},
    "LNG": {704: (45.0, 60.0, 30.0, 15.0, 8.0), 705: (14.0, 6.0), 706: (5.0, 2.0)},
    "Metals": {804: (130.0, 90.0, 40.0, 20.0, 10.0), 805: (40.0, 16.0), 806: (12.0, 3.0)},
}
_ID_BASE = 10_000_000
_SPREAD_SHARE = 0.06
_WIDE_SPREAD_SHARE = 0.012
_RANGE_SHARE = 0.006
_SPREADS_AHEAD = 6
# rolling and daily sequences have no spreads
_UNSPREADABLE = frozenset(_ID_BASE + number for number in (107, 100, 101, 302, 303, 304))
_LEAST = 0.01


@frozen
class Profile:
    """Mean trades per day of a contract, by its position from the nearest item."""

    sequence_id: int
    kind: ContractKind
    first: int
    second: int | None
    per_day: float


def _of_sequence(sequence_id: int, means: tuple[float, ...], scale: float) -> list[Profile]:
    rows = [Profile(sequence_id, "SinglePeriod", n, None, m) for n, m in enumerate(means)]
    if sequence_id not in _UNSPREADABLE:
        for n, mean in enumerate(means[:_SPREADS_AHEAD]):
            rows.append(Profile(sequence_id, "Spread", n, n + 1, mean * _SPREAD_SHARE))
            rows.append(Profile(sequence_id, "Spread", n, n + 2, mean * _WIDE_SPREAD_SHARE))
            rows.append(Profile(sequence_id, "Range", n, n + 1, mean * _RANGE_SHARE))
            rows.append(Profile(sequence_id, "Range", n, n + 2, mean * _RANGE_SHARE))
    scaled = (
        Profile(row.sequence_id, row.kind, row.first, row.second, row.per_day * scale)
        for row in rows
    )
    return [row for row in scaled if row.per_day >= _LEAST]


def profiles_of(family: Family) -> tuple[Profile, ...]:
    """What trades in a market at all."""
    outrights = _OUTRIGHTS[family.commodity.name]
    return tuple(
        profile
        for number, means in outrights.items()
        for profile in _of_sequence(_ID_BASE + number, means, family.scale)
    )

"""The venues, by code.

Generated from openapi/. Do not edit: run ./codegen.sh.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from types import MappingProxyType

from .types import Provenance, Venue

# fmt: off
VENUES: Mapping[str, Venue] = MappingProxyType({
    '42FS': Venue('42FS', '42 Financial', 8, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'ACGM': Venue('ACGM', 'Arraco Global Markets', 54, False, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'ACX': Venue('ACX', 'Air Carbon', 2175, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'AGR': Venue('AGR', 'Agrodity', 2172, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'ATLA': Venue('ATLA', 'Braemar Securities Ltd', 9, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'BALK': Venue('BALK', 'Balkaner', 87, False, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'BETP': Venue('BETP', 'BETP', 1593, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'BGC': Venue('BGC', 'BGC', 10, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'BGH': Venue('BGH', 'BGH', 1028, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'BPIF': Venue('BPIF', 'Bright Point International Financial (SG) Pte Ltd', 1432, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'BTON': Venue('BTON', 'Brassington FFA', 86, False, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'CEGE': Venue('CEGE', 'CEGH', 16, False, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'CIMD': Venue('CIMD', 'CIMD', 13, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'CLKS': Venue('CLKS', 'Clarksons', 21, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'EBI': Venue('EBI', 'Energy Brokers Ireland', 51, False, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'EEB': Venue('EEB', 'Eagle Energy Brokers', 1392, False, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'EEX': Venue('EEX', 'EEX (Legacy)', 27, False, 'exchange', datetime.date(2020, 2, 1), True, True, provenance=Provenance('assumed', assumptions=('history-starts-with-month',))),
    'EEX7': Venue('EEX7', 'EEX7', 1441, True, 'exchange', datetime.date(2020, 2, 1), True, True, provenance=Provenance('assumed', assumptions=('eex7-history-as-eex',))),
    'EEXS': Venue('EEXS', 'EEX Spot', 20, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'ENEC': Venue('ENEC', 'enechain Corporation', 1298, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'EPEX': Venue('EPEX', 'EPEX Spot', 29, True, 'exchange', datetime.date(2021, 2, 1), False, True, provenance=Provenance('assumed', assumptions=('history-starts-with-month',))),
    'EVOL': Venue('EVOL', 'Evolution Markets', 11, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'FINA': Venue('FINA', 'Finacor', 1565, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'FIS': Venue('FIS', 'Freight Investor Services Pte Ltd', 774, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'GFI': Venue('GFI', 'GFI', 2, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'GFIO': Venue('GFIO', 'GFI Oil', 1052, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'GLOB': Venue('GLOB', 'GlobalCoal', 12, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'GMEG': Venue('GMEG', 'GME Gas', 480, True, 'exchange', datetime.date(2021, 2, 1), True, True, provenance=Provenance('assumed', assumptions=('history-starts-with-month',))),
    'GMEP': Venue('GMEP', 'GME Power', 134, True, 'exchange', datetime.date(2021, 2, 1), True, True, provenance=Provenance('assumed', assumptions=('history-starts-with-month',))),
    'GNGA': Venue('GNGA', 'Ginga', 22, False, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'GORE': Venue('GORE', 'GlobalOre Broker', 23, False, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'GRFN': Venue('GRFN', 'Griffin Markets Europe SAS', 3, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'HXCX': Venue('HXCX', 'HUDEX/CEEGEX', 17, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'IBEX': Venue('IBEX', 'Independent Bulgarian Energy Exchange', 460, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'IBGH': Venue('IBGH', 'Iberian Gas Hub', 34, False, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'ICAP': Venue('ICAP', 'ICAP', 4, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'ICE': Venue('ICE', 'Intercontinental Exchange', 30, True, 'exchange', datetime.date(2020, 2, 1), True, True, provenance=Provenance('assumed', assumptions=('history-starts-with-month',))),
    'IDEX': Venue('IDEX', 'IDEX', 135, False, 'exchange', datetime.date(2021, 2, 1), True, True, provenance=Provenance('assumed', assumptions=('history-starts-with-month',))),
    'IENX': Venue('IENX', 'ICE ENDEX Spot', 148, True, 'exchange', datetime.date(2020, 2, 1), True, True, provenance=Provenance('assumed', assumptions=('history-starts-with-month',))),
    'LNKE': Venue('LNKE', 'Link Brokerage Enerji', 142, False, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'MAKE': Venue('MAKE', 'MAKE Brokerage', 52, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'MCQL': Venue('MCQL', 'McQuilling Brokerage Partners', 265, False, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'MIBG': Venue('MIBG', 'MIBGAS S.A.', 827, True, 'exchange', datetime.date(2021, 2, 1), True, True, provenance=Provenance('assumed', assumptions=('history-starts-with-month',))),
    'MXFR': Venue('MXFR', 'Marex Freight', 14, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'MYST': Venue('MYST', 'MySteel Singapore', 75, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'NDAQ': Venue('NDAQ', 'NASDAQ', 28, True, 'exchange', datetime.date(2021, 2, 1), True, True, provenance=Provenance('assumed', assumptions=('history-starts-with-month',))),
    'NODX': Venue('NODX', 'Nodal', 946, True, 'exchange', datetime.date(2021, 2, 1), True, True, provenance=Provenance('assumed', assumptions=('history-starts-with-month',))),
    'OILB': Venue('OILB', 'Oil Brokerage', 89, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'OMIP': Venue('OMIP', 'OMIP', 19, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'OPCO': Venue('OPCO', 'OPCOM', 25, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'OTCX': Venue('OTCX', 'OTCex', 15, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'PFL': Venue('PFL', 'PFL Futures Limited', 879, False, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'PREB': Venue('PREB', 'Tullett Prebon', 6, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'PVM': Venue('PVM', 'PVM', 35, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'PXE': Venue('PXE', 'PXE', 32, False, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'SHRD': Venue('SHRD', 'Shard', 47, False, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'SKM': Venue('SKM', 'Svensk Kraftmakling AB', 331, False, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'SPEC': Venue('SPEC', 'Marex Spectron', 5, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'STAR': Venue('STAR', 'Starfuels', 26, False, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'TFS': Venue('TFS', 'Tradition', 7, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'TFSE': Venue('TFSE', 'Tradition Singapore Pte Ltd', 707, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'TSEC': Venue('TSEC', 'Tavira', 123, False, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'VELT': Venue('VELT', 'Velocity Trade Alternative Products', 1874, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'VGM': Venue('VGM', 'Vanir Global Markets', 1950, True, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'VIKI': Venue('VIKI', 'Viking Investor Services', 1048, False, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
    'ZARK': Venue('ZARK', 'Zark Capital', 186, False, 'broker', datetime.date(2020, 1, 31), False, False, provenance=Provenance('assumed', assumptions=('unlisted-venue-is-broker',))),
})

"""How often a trade or an order is answered: over which routes, and over which of two feeds."""

import numpy as np
import numpy.typing as npt
from trayport_spec import VENUES

from trayport_sdk.sandbox.engine import VENUE_CODES
from trayport_sdk.sandbox.noise import I64
from trayport_sdk.sandbox.questions import Routes
from trayport_sdk.sandbox.tape import U8, Bools

SEPARATE_FEEDS = np.array([VENUES[code].separate_feeds for code in VENUE_CODES])


def over_routes(masks: U8, routes: Routes) -> tuple[I64, I64]:
    """Which rows come over the routes, and over which of them each record does."""
    seen = np.stack([(masks >> np.uint8(n - 1)) & 1 for n in routes.ids], axis=1) > 0
    if routes.are_apart:
        index, position = np.nonzero(seen)
    else:
        index = np.flatnonzero(seen.any(axis=1))
        position = seen[index].argmax(axis=1) if len(index) else index
    return index, np.array(routes.ids, np.int64)[position]


def with_private(own: Bools, venue: npt.NDArray[np.int16]) -> tuple[I64, Bools]:
    """Every row, own ones twice where feeds are separate; and which of them are private."""
    twice = own & SEPARATE_FEEDS[venue]
    copies = np.repeat(np.arange(len(own)), 1 + twice)
    second = np.zeros(len(copies), np.bool_)
    second[1:] = copies[1:] == copies[:-1]
    return copies, own[copies] & (second | ~twice[copies])

# Generated from openapi/. Do not edit: run ./codegen.sh.

from . import (
    get_instrument,
    get_instrument_sequences,
    get_instruments,
    get_market,
    get_market_sequences,
    get_markets,
    get_sequence_item,
    get_sequence_items,
    get_sequences,
)

__all__ = [
    "get_instrument",
    "get_instrument_sequences",
    "get_instruments",
    "get_market",
    "get_market_sequences",
    "get_markets",
    "get_sequence_item",
    "get_sequence_items",
    "get_sequences",
]

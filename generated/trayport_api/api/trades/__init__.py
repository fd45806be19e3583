# Generated from openapi/. Do not edit: run ./codegen.sh.

from . import get_activity, get_last_trade, get_ohlcv, get_private_trades, get_trades

__all__ = ["get_activity", "get_last_trade", "get_ohlcv", "get_private_trades", "get_trades"]

# Generated from openapi/. Do not edit: run ./codegen.sh.

from . import get_order_book, get_order_book_top

__all__ = ["get_order_book", "get_order_book_top"]

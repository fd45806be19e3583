# Generated from openapi/. Do not edit: run ./codegen.sh.

from enum import StrEnum


class OrderSide(StrEnum):
    ASK = "ask"
    BID = "bid"

    def __str__(self) -> str:
        return str(self.value)

# Generated from openapi/. Do not edit: run ./codegen.sh.

from enum import StrEnum


class CandleOptionalField(StrEnum):
    CLOSETIMESTAMP = "closeTimestamp"
    OPENTIMESTAMP = "openTimestamp"
    VWAP = "vwap"

    def __str__(self) -> str:
        return str(self.value)

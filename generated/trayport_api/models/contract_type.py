# Generated from openapi/. Do not edit: run ./codegen.sh.

from enum import StrEnum


class ContractType(StrEnum):
    RANGE = "Range"
    SINGLE_PERIOD = "SinglePeriod"
    SPREAD = "Spread"

    def __str__(self) -> str:
        return str(self.value)

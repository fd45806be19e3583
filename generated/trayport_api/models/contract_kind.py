# Generated from openapi/. Do not edit: run ./codegen.sh.

from enum import StrEnum


class ContractKind(StrEnum):
    PERIOD_RANGE = "PeriodRange"
    PERIOD_SPREAD = "PeriodSpread"
    SINGLE_PERIOD = "SinglePeriod"

    def __str__(self) -> str:
        return str(self.value)

# Generated from openapi/. Do not edit: run ./codegen.sh.

from enum import StrEnum


class ContractKind(StrEnum):
    PERIODRANGE = "PeriodRange"
    PERIODSPREAD = "PeriodSpread"
    SINGLEPERIOD = "SinglePeriod"

    def __str__(self) -> str:
        return str(self.value)

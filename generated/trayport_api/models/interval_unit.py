# Generated from openapi/. Do not edit: run ./codegen.sh.

from enum import StrEnum


class IntervalUnit(StrEnum):
    DAY = "day"
    HOUR = "hour"
    MINUTE = "minute"
    MONTH = "month"
    SECOND = "second"

    def __str__(self) -> str:
        return str(self.value)

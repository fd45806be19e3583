# Generated from openapi/. Do not edit: run ./codegen.sh.

from enum import StrEnum


class OrderStatus(StrEnum):
    FIRM = "Firm"
    WITHHELD = "Withheld"

    def __str__(self) -> str:
        return str(self.value)

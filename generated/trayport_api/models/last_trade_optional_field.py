# Generated from openapi/. Do not edit: run ./codegen.sh.

from enum import StrEnum


class LastTradeOptionalField(StrEnum):
    CONTRACT = "contract"

    def __str__(self) -> str:
        return str(self.value)

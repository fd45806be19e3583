# Generated from openapi/. Do not edit: run ./codegen.sh.

from enum import StrEnum


class ActivityOptionalField(StrEnum):
    DELETECOUNT = "deleteCount"
    MARKETID = "marketId"
    ROUTE = "route"
    ROUTEID = "routeId"
    UPDATECOUNT = "updateCount"

    def __str__(self) -> str:
        return str(self.value)

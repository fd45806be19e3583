# Generated from openapi/. Do not edit: run ./codegen.sh.

from enum import StrEnum


class BookOptionalField(StrEnum):
    ROUTE = "route"
    ROUTEID = "routeId"
    VENUECODE = "venueCode"

    def __str__(self) -> str:
        return str(self.value)

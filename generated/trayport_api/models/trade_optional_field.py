# Generated from openapi/. Do not edit: run ./codegen.sh.

from enum import StrEnum


class TradeOptionalField(StrEnum):
    AGGRESSOROWNEDSPREAD = "aggressorOwnedSpread"
    AGGRESSORSLEEVE = "aggressorSleeve"
    CONTRACT = "contract"
    FROMBROKENSPREAD = "fromBrokenSpread"
    INITIATOROWNEDSPREAD = "initiatorOwnedSpread"
    INITIATORSLEEVE = "initiatorSleeve"
    ROUTE = "route"
    ROUTEID = "routeId"

    def __str__(self) -> str:
        return str(self.value)

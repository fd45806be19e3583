"""Checks each argument: whether it is a value of its parameter in the generated table."""

from __future__ import annotations

import keyword
import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from numbers import Integral, Real
from typing import Any

from trayport_spec import Endpoint, Parameter

from ..errors import TrayportValidationError, empty, invalid, unknown_parameter, unknown_value
from .times import FRACTION, SECOND, to_text

# Two parameters of the API that are one argument here.
_SHOWN = {"interval_unit": "interval"}


def parameters_by_argument(endpoint: Endpoint) -> dict[str, Parameter]:
    """The parameters of an operation, under the names of the generated request builder."""
    return {
        name + "_" if keyword.iskeyword(name := parameter.python_name) else name: parameter
        for parameter in endpoint.parameters
    }


def listed_values(value: Any) -> tuple[Any, ...]:
    """The values of an argument that takes one or several."""
    if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
        return (value,)
    return tuple(value)


def check_known(endpoint: Endpoint, names: Iterable[str]) -> None:
    """Refuses what the API would silently ignore [documented].

    Raises:
        TrayportValidationError: The operation has no parameter of one of the names.
    """
    known = parameters_by_argument(endpoint)
    for name in names:
        if name not in known:
            reason = f"is not a parameter of {endpoint.path}"
            raise unknown_parameter(name, reason, known, "it takes")


def checked_values(
    endpoint: Endpoint, given: Mapping[str, object], *, bound_lists: bool
) -> dict[str, Any]:
    """The arguments as plain values: ids and instants as int, lists as tuples.

    Raises:
        TrayportValidationError: The operation has no such parameter, one that it needs is missing,
            or a value is of the wrong type or out of bounds.
    """
    check_known(endpoint, given)
    known = parameters_by_argument(endpoint)
    for name, parameter in known.items():
        if parameter.required and name not in given:
            reason = f"{endpoint.path} needs {name}, which was not given"
            raise TrayportValidationError(reason, parameter=_SHOWN.get(name, name))
    return {
        name: checked_value(known[name], name, value, bound_lists=bound_lists)
        for name, value in given.items()
    }


def checked_value(
    parameter: Parameter, name: str, value: object, *, bound_lists: bool = True
) -> Any:
    """One argument as a plain value.

    Raises:
        TrayportValidationError: It is of the wrong type or out of bounds.
    """
    shown = _SHOWN.get(name, name)
    if not parameter.repeated:
        return _single(parameter, shown, value)
    values = listed_values(value)
    if not values:
        raise empty(shown, "give at least one, or leave it out")
    if bound_lists and parameter.max_items is not None and len(values) > parameter.max_items:
        raise too_many(shown, len(values), parameter.max_items)
    return tuple(_single(parameter, shown, item) for item in values)


def too_many(name: str, count: int, most: int) -> TrayportValidationError:
    """The error for a list that is too long."""
    return TrayportValidationError(
        f"{count} values of {name} exceed the maximum of {most} in one request",
        parameter=name,
        limit=str(most),
        suggestion="ask for fewer at a time",
    )


def _single(parameter: Parameter, name: str, value: object) -> Any:
    match parameter.type:
        case "integer":
            return _bounded(parameter, name, _whole(name, value))
        case "number":
            return _bounded(parameter, name, _number(name, value))
        case "boolean":
            if not isinstance(value, bool):
                raise invalid(name, value, "is not a truth value", "give True or False")
            return value
        case "instant":
            return _instant(name, value)
        case "string":
            return _text(parameter, name, value)


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise invalid(name, value, "is not a whole number", "give an int")
    return int(value)


def _number(name: str, value: object) -> float:
    if not isinstance(value, bool) and isinstance(value, Real):
        with suppress(OverflowError):
            number = float(value)
            if math.isfinite(number):
                return number
    raise invalid(name, value, "is not a finite number", "give an int or a float")


def _bounded(parameter: Parameter, name: str, value: float) -> float:
    least, above, most = parameter.minimum, parameter.exclusive_minimum, parameter.maximum
    if least is not None and value < least:
        raise invalid(name, value, f"is below {least}", f"give at least {least}", str(least))
    if above is not None and value <= above:
        raise invalid(name, value, f"is not above {above}", f"give more than {above}", str(above))
    if most is not None and value > most:
        raise invalid(name, value, f"exceeds {most}", f"give at most {most}", str(most))
    return value


def _instant(name: str, value: object) -> int:
    nanoseconds = _whole(name, value)
    if nanoseconds < 0:
        raise invalid(name, value, "lies before 1970", "give a later time")
    if nanoseconds % SECOND:
        raise invalid(name, value, FRACTION, "round it")
    try:
        to_text(nanoseconds)
    except OverflowError:
        raise invalid(name, value, "lies after the year 9999", "give an earlier time") from None
    return nanoseconds


def _text(parameter: Parameter, name: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise invalid(name, value, "is not usable text", "give a name")
    if parameter.enum and value not in parameter.enum:
        raise unknown_value(name, value, parameter.enum)
    return value

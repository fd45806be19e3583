"""From a raw query string to typed values, by the table of parameters alone."""

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote_to_bytes

from trayport_spec import CONTRACT_TYPE_ALIASES, Endpoint, Parameter

from .calendar import SECOND
from .problems import ValidationErrors
from .query import Value, Values

RawQuery = dict[str, list[str | None]]

_INT64 = range(-(2**63), 2**63)
_INTEGER = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_INSTANT = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d))?)?(Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)
_STARTS = (1, 1, 1, 0, 0, 0)
_EPOCH = dt.datetime(1970, 1, 1)
_LARGEST_QUERY_PARTS = 1000
_SHOWN = 60


class _Unusable(Exception):  # noqa: N818
    """A text that is no value of its parameter; the message says why."""


def read_query(raw: bytes) -> RawQuery:
    """Texts by lower-case name in the order given; None stands for what is not text at all."""
    query: RawQuery = {}
    for part in filter(None, raw.split(b"&")):
        name, _, value = part.partition(b"=")
        query.setdefault((_text(name) or "").lower(), []).append(_text(value))
    return query


def _text(raw: bytes) -> str | None:
    try:
        text = unquote_to_bytes(raw.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def parameter_values(
    endpoint: Endpoint,
    segments: Mapping[str, str],
    query: RawQuery,
    errors: ValidationErrors,
    whole_texts: Mapping[str, object],
    *,
    bound_lists: bool,
) -> Values:
    """The values of the known parameters, those in the path first; unknown ones are ignored.

    `whole_texts` are single values of lists although they may hold a comma, in lower case.
    """
    values: Values = {}
    for parameter in endpoint.parameters:
        if parameter.location == "path":
            _put(values, parameter, [segments[parameter.name]], errors)
    if sum(map(len, query.values())) > _LARGEST_QUERY_PARTS:
        most = max(query, key=lambda name: len(query[name]))
        known = {p.name.lower(): p.name for p in endpoint.parameters}
        errors.add(known.get(most, most), "The query has too many parts.")
        return values
    if "" in query:
        errors.add("query", "The query holds a name that is not text.")
    for parameter in endpoint.parameters:
        given = query.get(parameter.name.lower())
        if parameter.location == "path":
            continue
        if given is None:
            if parameter.required:
                errors.add(parameter.name, f"The {parameter.name} field is required.")
            elif parameter.default is not None:
                values[parameter.name] = parameter.default
        elif parameter.repeated:
            _put_list(values, parameter, _pieces(given, whole_texts), errors, bounded=bound_lists)
        else:
            _put(values, parameter, given, errors)
    return values


def _put(
    values: Values, parameter: Parameter, texts: Sequence[str | None], errors: ValidationErrors
) -> None:
    if len(texts) > 1:
        errors.add(parameter.name, f"The {parameter.name} field takes exactly one value.")
        return
    try:
        values[parameter.name] = _typed(parameter, texts[0])
    except _Unusable as reason:
        errors.add(parameter.name, str(reason))


def _pieces(texts: Sequence[str | None], whole_texts: Mapping[str, object]) -> list[str | None]:
    pieces: list[str | None] = []
    for text in texts:
        if text is None or text.strip().lower() in whole_texts:
            pieces.append(text and text.strip())
        else:
            pieces += [piece.strip() for piece in text.split(",")]
    return pieces


def _put_list(
    values: Values,
    parameter: Parameter,
    texts: Sequence[str | None],
    errors: ValidationErrors,
    *,
    bounded: bool,
) -> None:
    elements: list[Value] = []
    for text in texts:
        try:
            elements.append(_typed(parameter, text))
        except _Unusable as reason:
            errors.add(parameter.name, str(reason))
    values[parameter.name] = tuple(dict.fromkeys(elements))
    if bounded and parameter.max_items is not None and len(elements) > parameter.max_items:
        errors.add(parameter.name, too_many(parameter.name, parameter.max_items))


def too_many(name: str, maximum: int) -> str:
    return f"Maximum number of {name} values is {maximum}."


def _typed(parameter: Parameter, text: str | None) -> Value:
    """The value that a text stands for; raises when it stands for none."""
    if text is None:
        raise _Unusable("The value is not valid UTF-8 text.")
    if text == "":
        raise _Unusable(f"The {parameter.name} field must not be empty.")
    value = _value(parameter, text)
    has_pattern = parameter.pattern is not None and parameter.type in ("instant", "string")
    if value is None or (has_pattern and not re.search(parameter.pattern or "", text)):
        raise _Unusable(f"The value '{text[:_SHOWN]}' is not valid.")
    if parameter.type in ("integer", "number"):
        _check_bounds(parameter, float(value))
    return value


def _value(parameter: Parameter, text: str) -> Value | None:
    """The value of the parameter's type and enumeration."""
    match parameter.type:
        case "integer":
            number = int(text) if _INTEGER.fullmatch(text) else None
            return number if number is not None and number in _INT64 else None
        case "number":
            amount = float(text) if _NUMBER.fullmatch(text) else math.inf
            return amount if math.isfinite(amount) else None
        case "boolean":
            return {"true": True, "false": False}.get(text.lower())
        case "instant":
            return _instant(text)
        case "string" if parameter.enum:
            aliases = {a: m for a, m in CONTRACT_TYPE_ALIASES.items() if m in parameter.enum}
            choices = dict(zip(parameter.enum, parameter.enum, strict=True)) | aliases
            return {name.lower(): meaning for name, meaning in choices.items()}.get(text.lower())
        case "string":
            return text


def _check_bounds(parameter: Parameter, number: float) -> None:
    if parameter.minimum is not None and number < parameter.minimum:
        raise _Unusable(f"The value must not be below {parameter.minimum}.")
    if parameter.exclusive_minimum is not None and number <= parameter.exclusive_minimum:
        raise _Unusable(f"The value must be above {parameter.exclusive_minimum}.")
    if parameter.maximum is not None and number > parameter.maximum:
        raise _Unusable(f"The value must not be above {parameter.maximum}.")


def _instant(text: str) -> int | None:
    """Nanoseconds since 1970 of an ISO-8601 text of whole seconds or lower precision."""
    match = _INSTANT.fullmatch(text)
    if match is None:
        return None
    *parts, zone = match.groups()
    numbers = [int(part) if part else default for part, default in zip(parts, _STARTS, strict=True)]
    try:
        since = dt.datetime(*numbers) - _EPOCH  # type: ignore[arg-type]  # six integers
    except ValueError:
        return None
    ahead = 0 if zone in (None, "Z") else int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
    seconds = since.days * 86_400 + since.seconds
    return (seconds + ahead if zone and zone[0] == "-" else seconds - ahead) * SECOND

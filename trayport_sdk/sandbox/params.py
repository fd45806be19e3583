"""From a raw query string to typed values, by the table of parameters alone."""

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote_to_bytes

from trayport_spec import CONTRACT_TYPE_ALIASES, Endpoint, Parameter

from .problems import ValidationErrors
from .query import Value, Values

_INT64 = range(-(2**63), 2**63)
_INTEGER = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_INSTANT = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d))?)?(Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)
_EPOCH = dt.datetime(1970, 1, 1)
_LARGEST_QUERY_PARTS = 1000
_SHOWN = 60


class _Unusable(Exception):  # noqa: N818
    """A text that is no value of its parameter; the message says why."""


RawQuery = dict[str, list[str | None]]


def read_query(raw: bytes) -> RawQuery:
    """Texts by lower-case name in the order given; None stands for what is not text at all."""
    query: RawQuery = {}
    for part in raw.split(b"&"):
        if not part:
            continue
        name, _, value = part.partition(b"=")
        key = _text(name)
        query.setdefault(key.lower() if key else "", []).append(_text(value))
    return query


def _text(raw: bytes) -> str | None:
    try:
        text = unquote_to_bytes(raw.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def path_values(
    endpoint: Endpoint, segments: Mapping[str, str], errors: ValidationErrors
) -> Values:
    """The values of the parameters that stand in the path."""
    values: Values = {}
    for parameter in endpoint.parameters:
        if parameter.location == "path":
            _put(values, parameter, [segments[parameter.name]], errors)
    return values


def query_values(
    endpoint: Endpoint,
    query: RawQuery,
    errors: ValidationErrors,
    whole_texts: frozenset[str],
    *,
    bound_lists: bool = True,
) -> Values:
    """The values of the known parameters; unknown ones are ignored.

    `whole_texts` are single values of lists although they may hold a comma, in lower case.
    """
    values: Values = {}
    if sum(len(texts) for texts in query.values()) > _LARGEST_QUERY_PARTS:
        most = max(query, key=lambda name: len(query[name]))
        known = {p.name.lower(): p.name for p in endpoint.parameters}
        errors.add(known.get(most, most), "The query has too many parts.")
        return values
    if "" in query:
        errors.add("query", "The query holds a name that is not text.")
    for parameter in endpoint.parameters:
        if parameter.location != "query":
            continue
        given = query.get(parameter.name.lower())
        if given is None:
            _put_default(values, parameter, errors)
        elif parameter.repeated:
            most_items = parameter.max_items if bound_lists else None
            _put_list(values, parameter, given, errors, whole_texts, most_items)
        else:
            _put(values, parameter, given, errors)
    return values


def _put_default(values: Values, parameter: Parameter, errors: ValidationErrors) -> None:
    if parameter.required:
        errors.add(parameter.name, f"The {parameter.name} field is required.")
    elif parameter.default is not None:
        values[parameter.name] = parameter.default


def _put(
    values: Values, parameter: Parameter, texts: Sequence[str | None], errors: ValidationErrors
) -> None:
    if len(texts) > 1:
        errors.add(parameter.name, f"The {parameter.name} field takes exactly one value.")
        return
    try:
        values[parameter.name] = typed(parameter, texts[0])
    except _Unusable as reason:
        errors.add(parameter.name, str(reason))


def _put_list(
    values: Values,
    parameter: Parameter,
    texts: Sequence[str | None],
    errors: ValidationErrors,
    whole_texts: frozenset[str],
    most_items: int | None,
) -> None:
    found: list[Value] = []
    for text in texts:
        is_whole = text is None or text.strip().lower() in whole_texts
        for piece in [text] if text is None or is_whole else text.split(","):
            try:
                found.append(typed(parameter, piece if piece is None else piece.strip()))
            except _Unusable as reason:
                errors.add(parameter.name, str(reason))
    values[parameter.name] = tuple(dict.fromkeys(found))
    if most_items is not None and len(found) > most_items:
        errors.add(parameter.name, too_many(parameter.name, most_items))


def too_many(name: str, maximum: int) -> str:
    return f"Maximum number of {name} values is {maximum}."


def typed(parameter: Parameter, text: str | None) -> Value:
    """The value that a text stands for; raises when it stands for none."""
    if text is None:
        raise _Unusable("The value is not valid UTF-8 text.")
    if text == "":
        raise _Unusable(f"The {parameter.name} field must not be empty.")
    match parameter.type:
        case "integer":
            return _bounded(parameter, _integer(text))
        case "number":
            return _bounded(parameter, _number(text))
        case "boolean":
            if text.lower() not in ("true", "false"):
                raise _invalid(text)
            return text.lower() == "true"
        case "instant":
            if parameter.pattern is not None and not re.search(parameter.pattern, text):
                raise _invalid(text)
            return instant(text)
        case "string":
            return _string(parameter, text)


def _invalid(text: str) -> _Unusable:
    return _Unusable(f"The value '{text[:_SHOWN]}' is not valid.")


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text) or int(text) not in _INT64:
        raise _invalid(text)
    return int(text)


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise _invalid(text)
    return float(text)


def _bounded(parameter: Parameter, number: float) -> float:
    if parameter.minimum is not None and number < parameter.minimum:
        raise _Unusable(f"The value must not be below {parameter.minimum}.")
    if parameter.exclusive_minimum is not None and number <= parameter.exclusive_minimum:
        raise _Unusable(f"The value must be above {parameter.exclusive_minimum}.")
    if parameter.maximum is not None and number > parameter.maximum:
        raise _Unusable(f"The value must not be above {parameter.maximum}.")
    return number


def _string(parameter: Parameter, text: str) -> str:
    if parameter.enum:
        choices = {choice.lower(): choice for choice in parameter.enum}
        for alias, meaning in CONTRACT_TYPE_ALIASES.items():
            if meaning in parameter.enum:
                choices[alias.lower()] = meaning
        if text.lower() not in choices:
            raise _invalid(text)
        return choices[text.lower()]
    if parameter.pattern is not None and not re.search(parameter.pattern, text):
        raise _invalid(text)
    return text


def instant(text: str) -> int:
    """Nanoseconds since 1970 of an ISO-8601 text of whole seconds or lower precision."""
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise _invalid(text)
    *parts, zone = match.groups()
    numbers = [int(part) if part else default for part, default in zip(parts, _STARTS, strict=True)]
    try:
        since = dt.datetime(*numbers) - _EPOCH  # type: ignore[arg-type]  # six integers
    except ValueError:
        raise _invalid(text) from None
    seconds = since.days * 86_400 + since.seconds - _zone_seconds(zone)
    return seconds * 1_000_000_000


_STARTS = (1, 1, 1, 0, 0, 0)


def _zone_seconds(zone: str | None) -> int:
    if zone is None or zone == "Z":
        return 0
    seconds = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
    return -seconds if zone[0] == "-" else seconds

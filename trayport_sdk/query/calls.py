"""Calls that do not fit a method: an error that says how to call it, instead of a `TypeError`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import TrayportValidationError, missing

if TYPE_CHECKING:
    import inspect

Class = TypeVar("Class", bound=type)

COROUTINE = 0x80
"""`inspect.CO_COROUTINE`. `inspect` takes long to import, and only a misfit needs it."""


def checked_calls(kind: Class) -> Class:
    """Explains calls of the public methods of a class that do not fit their parameters."""
    for name, member in list(vars(kind).items()):
        if isinstance(member, FunctionType) and not name.startswith("_"):
            setattr(kind, name, _checked(member))
    return kind


def _checked(method: FunctionType) -> Callable[..., Any]:
    if method.__code__.co_flags & COROUTINE:

        @wraps(method)
        async def wait(*args: Any, **options: Any) -> Any:
            return await called(method, args, options)

        return wait

    @wraps(method)
    def call(*args: Any, **options: Any) -> Any:
        return called(method, args, options)

    return call


def called(
    method: Callable[..., Any], args: Sequence[Any], options: Mapping[str, Any], name: str = ""
) -> Any:
    """What a method returns; the first of the arguments is the object that it belongs to.

    Raises:
        TrayportValidationError: The arguments do not fit; `name` is how it is called.
    """
    try:
        return method(*args, **options)
    except TypeError:
        import inspect

        signature = inspect.signature(method)
        try:
            signature.bind(*args, **options)
        except TypeError as misfit:
            _, *parameters = signature.parameters.values()
            wrong = _explained(name or method.__name__, parameters, args[1:], options)
            raise wrong or misfit from None
        raise


def _explained(
    method: str,
    parameters: Sequence[inspect.Parameter],
    args: Sequence[Any],
    options: Mapping[str, Any],
) -> TrayportValidationError | None:
    """What is wrong with a call, if anything is."""
    from difflib import get_close_matches

    known = [parameter.name for parameter in parameters]
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    in_order = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    given = known[: len(args)]
    call = f"call it as {method}({', '.join(map(_shown, parameters))})"
    if len(args) > len(in_order):
        return TrayportValidationError(
            f"{method} takes at most {len(in_order)} by position, not {len(args)}",
            parameter=method,
            limit=f"{len(in_order)}",
            suggestion=f"write options as name=value; {call}",
        )
    for name in options:
        if name not in known and not takes_any:
            near = get_close_matches(name, known, 1)
            meant = f"did you mean {near[0]}? " if near else ""
            return TrayportValidationError(
                f"{method} takes no {name}",
                parameter=name,
                limit=", ".join(known),
                suggestion=f"{meant}{call}",
            )
        if name in given:
            return TrayportValidationError(
                f"{name} is given twice", parameter=name, suggestion=f"give it once; {call}"
            )
    for parameter in parameters:
        name, is_needed = parameter.name, parameter.default is parameter.empty
        if (
            is_needed
            and parameter.kind is not parameter.VAR_KEYWORD
            and name not in given
            and name not in options
        ):
            return missing(name, f"{method} needs it", call)
    return None


def _shown(parameter: inspect.Parameter) -> str:
    """A parameter without its type, as a call shows it."""
    by_name = parameter.kind is parameter.KEYWORD_ONLY or parameter.default is not parameter.empty
    return (
        f"{parameter.name}=..." if by_name else str(parameter.replace(annotation=parameter.empty))
    )

# Generated from openapi/. Do not edit: run ./codegen.sh.

from collections.abc import MutableMapping
from http import HTTPStatus
from typing import Generic, Literal, TypeVar

from attrs import define


class Unset:
    """A field that did not come, or is not sent. It is false."""

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"

    def __reduce__(self) -> str:
        return "UNSET"  # there is only one, also after a copy or a pickle


UNSET = Unset()

T = TypeVar("T")


@define
class Response(Generic[T]):
    """The answer to a call, with what was made of its body."""

    status_code: HTTPStatus
    content: bytes
    headers: MutableMapping[str, str]
    parsed: T | None


__all__ = ["UNSET", "Response", "Unset"]

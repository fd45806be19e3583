# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from attrs import define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.problem_errors import ProblemErrors


@define
class Problem:
    """A problem document. Of a 400, `errors` lists what is wrong with each parameter."""

    title: str
    """The problem in a few words."""
    status: int
    """The HTTP status."""
    type_: str | Unset = UNSET
    """What kind of problem it is."""
    detail: str | Unset = UNSET
    """The problem in a sentence."""
    errors: ProblemErrors | Unset = UNSET
    """What is wrong, by parameter."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON object; fields that are unset are absent."""
        result: dict[str, Any] = {}
        title = self.title
        result["title"] = title
        status = self.status
        result["status"] = status
        type_ = self.type_
        if not isinstance(type_, Unset):
            result["type"] = type_
        detail = self.detail
        if not isinstance(detail, Unset):
            result["detail"] = detail
        errors: dict[str, Any] | Unset = UNSET
        if not isinstance(self.errors, Unset):
            errors = self.errors.to_dict()
        if not isinstance(errors, Unset):
            result["errors"] = errors
        return result

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """The model of a JSON object. Types are not checked; a missing field is a KeyError."""
        from ..models.problem_errors import ProblemErrors

        d = dict(src_dict)
        title = d.pop("title")
        status = d.pop("status")
        type_ = d.pop("type", UNSET)
        detail = d.pop("detail", UNSET)
        _errors = d.pop("errors", UNSET)
        errors: ProblemErrors | Unset
        if isinstance(_errors, Unset):
            errors = UNSET
        else:
            errors = ProblemErrors.from_dict(_errors)

        made = cls(
            title=title,
            status=status,
            type_=type_,
            detail=detail,
            errors=errors,
        )
        return made

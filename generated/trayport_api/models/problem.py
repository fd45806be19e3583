# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from ..types import Model

if TYPE_CHECKING:
    from ..models.problem_errors import ProblemErrors


@define
class Problem(Model):
    """A problem document. Of a 400, `errors` lists what is wrong with each parameter."""

    title: str
    """The problem in a few words."""
    status: int
    """The HTTP status."""
    type_: str | None = None
    """What kind of problem it is."""
    detail: str | None = None
    """The problem in a sentence."""
    errors: ProblemErrors | None = None
    """What is wrong, by parameter."""

# Generated from openapi/. Do not edit: run ./codegen.sh.

from __future__ import annotations

from attrs import define, field

from ..types import Model


@define
class ProblemErrors(Model):
    """What is wrong, by parameter."""

    additional_properties: dict[str, list[str]] = field(init=False, factory=dict[str, list[str]])

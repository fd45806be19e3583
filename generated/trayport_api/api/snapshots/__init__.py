# Generated from openapi/. Do not edit: run ./codegen.sh.

from . import get_snapshots

__all__ = ["get_snapshots"]

"""Queries of any size: `Runner` checks, plans and runs them, and hands out what came."""

from .runner import Runner

__all__ = ["Runner"]

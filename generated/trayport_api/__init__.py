# Generated from openapi/. Do not edit: run ./codegen.sh.

"""The low-level client of both APIs: typed requests and models, without limits or retries."""

from .client import AuthenticatedClient, Client
from .errors import UnexpectedStatus

__all__ = ("AuthenticatedClient", "Client", "UnexpectedStatus")

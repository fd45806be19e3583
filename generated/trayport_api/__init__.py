# Generated from openapi/. Do not edit: run ./codegen.sh.


"""A client library for accessing Trayport Data Analytics and Reference Data"""

from .client import AuthenticatedClient, Client

__all__ = (
    "AuthenticatedClient",
    "Client",
)

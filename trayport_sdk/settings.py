"""Settings, from arguments, `TRAYPORT_*` variables and a `.env` file, in this order."""

from __future__ import annotations

from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from trayport_spec import ANALYTICS_URL, REFERENCE_URL

from .errors import TrayportConfigurationError

PREFIX = "TRAYPORT_"


class Settings(BaseSettings):
    """How to reach the two APIs.

    Every field can be given as an argument, as an environment variable `TRAYPORT_<NAME>`, or in a
    file named `.env` in the working directory; earlier ones win.

    Raises:
        TrayportConfigurationError: A value cannot work; the message names its variable.

    Example:
        >>> Settings(timeout=30).timeout
        30.0
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    api_key: SecretStr | None = Field(
        default=None, description="The personal key, sent to both APIs and to nobody else."
    )
    analytics_url: str = Field(
        default=ANALYTICS_URL,
        description="The address of the Data Analytics API, or of a local gateway.",
    )
    reference_url: str = Field(
        default=REFERENCE_URL, description="The address of the Reference Data API."
    )
    timeout: float = Field(
        default=60.0, gt=0, description="Seconds to wait for the next part of an answer."
    )
    connect_timeout: float = Field(
        default=10.0, gt=0, description="Seconds to wait for a connection."
    )
    http2: bool = Field(
        default=False,
        description="Whether to speak HTTP/2. HTTP/1.1 carries large answers several times faster.",
    )
    max_concurrency: int = Field(
        default=6, ge=1, description="How many requests of one call are under way at once."
    )

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise TrayportConfigurationError(_explained(error)) from None
        except (OSError, UnicodeDecodeError) as error:
            raise TrayportConfigurationError(f".env cannot be read: {error}") from error

    @field_validator("api_key")
    @classmethod
    def _key_fits_a_header(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        key = value.get_secret_value().strip()
        if not (key.isascii() and key.isprintable()):
            raise ValueError("contains characters that no key has")
        return SecretStr(key) if key else None

    @field_validator("analytics_url", "reference_url")
    @classmethod
    def _is_a_url(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError as error:
            raise ValueError(f"is not an address ({error})") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("is not an http or https address")
        if parts.username is not None or parts.password is not None:
            raise ValueError("holds a user name or password, which would show in messages")
        if parts.query or parts.fragment or any(letter.isspace() for letter in value):
            raise ValueError("may have a host, a port and a path, and nothing else")
        return value.rstrip("/")

    def replace(self, **values: Any) -> Self:
        """The same settings with some values replaced; `None` leaves a value as it is."""
        given = {name: value for name, value in values.items() if value is not None}
        return type(self)(**(self.model_dump() | given))


def _explained(error: ValidationError) -> str:
    reasons: list[str] = []
    for detail in error.errors(include_input=False, include_url=False):
        name = ".".join(map(str, detail["loc"]))
        reason = detail["msg"].removeprefix("Value error, ")
        reasons.append(f"{name} (variable {PREFIX}{name.upper()}): {reason}")
    return f"settings cannot be used: {'; '.join(reasons)}"

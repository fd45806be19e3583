"""Settings, from arguments, `TRAYPORT_*` variables, files, the keyring and profiles."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import PrivateAttr, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from .addresses import without_password
from .errors import TrayportConfigurationError
from .setting_fields import SettingFields
from .setting_sources import PLACES, PREFIX, Findings, Found, Origin, gather, replaced, variable

__all__ = ["PREFIX", "Origin", "Settings"]


class Settings(SettingFields):
    """How to reach the two APIs, and how to behave on the way.

    Every field can be given as an argument, as an environment variable `TRAYPORT_<NAME>`, in a file
    named `.env` in the working directory, or by a profile; earlier ones win. The key can also come
    from a file, from a directory of secrets or from the system keyring, which rank with the setting
    that names them.

    Settings are values: they are read once, and do not change. What is secret shows in no
    representation, and does not travel: a pickle has no key, and no password of `limiter_store`.

    Raises:
        TrayportConfigurationError: A value cannot work; the message names its variable. An argument
            that is no setting is refused, too.

    Example:
        >>> Settings(timeout=30).timeout
        30.0
        >>> Settings(profile="production").log_level
        'warning'
    """

    _env_file: Path | None = PrivateAttr(default=None)
    _origins: dict[str, Origin] = PrivateAttr(default_factory=dict[str, Origin])

    def __init__(self, *, _env_file: str | Path | None = ".env", **values: Any) -> None:
        self._take(gather(type(self), values, _env_file), _env_file)

    def _take(self, found: Findings, env_file: str | Path | None) -> None:
        try:
            super().__init__(**{name: each.value for name, each in found.items()})
        except ValidationError as error:
            message = _explained(error, found)
        else:
            self._env_file = None if env_file is None else Path(env_file)
            self._origins = {name: each.origin for name, each in found.items()}
            return
        # Not inside the handler: that exception holds the values, and so the key.
        raise TrayportConfigurationError(message)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Takes the values as they are: they were gathered before, with their origins."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    def origin(self, name: str) -> Origin:
        """Where the value of a setting came from.

        Example:
            >>> str(Settings(timeout=30).origin("timeout"))
            'argument'
        """
        return self._origins.get(name, Origin.DEFAULT)

    def replace(self, **values: Any) -> Self:
        """The same settings with some values replaced; `None` leaves a value as it is.

        Nothing is read again, unless a new value names a place of secrets, `api_key_file`,
        `secrets_dir` or `keyring_service`: then everything is, as by `reread`.
        """
        given = {name: value for name, value in values.items() if value is not None}
        if given.keys() & PLACES.values():
            return self._read_again(given)
        found = {name: Found(getattr(self, name), self._origins[name]) for name in self._origins}
        settings = type(self).__new__(type(self))
        settings._take(replaced(found, given, type(self).model_fields), self._env_file)
        return settings

    def reread(self) -> Self:
        """The settings as they would be read now; values given as arguments stay.

        Raises:
            TrayportConfigurationError: What is there now cannot work.
        """
        return self._read_again({})

    def _read_again(self, given: Mapping[str, Any]) -> Self:
        arguments = {
            name: getattr(self, name)
            for name, origin in self._origins.items()
            if origin is Origin.ARGUMENT
        }
        return type(self)(_env_file=self._env_file, **{**arguments, **given})

    def files(self) -> list[Path]:
        """The files and directories that settings are read from, whether they exist or not."""
        return [
            path
            for path in (self._env_file, self.api_key_file, self.secrets_dir)
            if path is not None
        ]

    def differences(self, other: Settings) -> frozenset[str]:
        """The names of the settings that are not the same in both."""
        mine, theirs = self.model_dump(), other.model_dump()
        return frozenset(name for name, value in mine.items() if theirs[name] != value)

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        store = without_password(self.limiter_store.get_secret_value())
        values: Mapping[str, Any] = {"api_key": None, "limiter_store": SecretStr(store)}
        private = state["__pydantic_private__"]
        origins = {name: each for name, each in self._origins.items() if name != "api_key"}
        return {
            **state,
            "__dict__": {**state["__dict__"], **values},
            "__pydantic_private__": {**private, "_origins": origins},
        }


def _explained(error: ValidationError, found: Findings) -> str:
    reasons: list[str] = []
    for detail in error.errors(include_input=False, include_url=False, include_context=False):
        name = str(detail["loc"][0])
        reason = detail["msg"].removeprefix("Value error, ")
        origin = found[name].origin if name in found else Origin.DEFAULT
        reasons.append(f"{name} ({_given_by(origin)} {variable(name)}): {reason}")
    return f"settings cannot be used: {'; '.join(reasons)}"


def _given_by(origin: Origin) -> str:
    match origin:
        case Origin.ARGUMENT:
            return "the argument, or variable"
        case Origin.VARIABLE | Origin.DEFAULT:
            return "variable"
        case _:
            return f"{origin}, variable"

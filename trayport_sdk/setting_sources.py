"""Where settings come from, in the order of precedence."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Set
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any

from attrs import field, frozen
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource

from .errors import TrayportConfigurationError
from .extras import needs

PREFIX = "TRAYPORT_"
KEYRING_USER = "api_key"
# Where `trayport sandbox` serves, and the key it accepts.
SANDBOX = "http://127.0.0.1:8383"
PROFILES: Mapping[str, Mapping[str, Any]] = {
    "development": {"log_format": "console", "log_level": "debug"},
    "staging": {"log_format": "json", "log_level": "info"},
    "production": {"log_format": "json", "log_level": "warning"},
    "sandbox": {
        "api_key": "sandbox",
        "analytics_url": f"{SANDBOX}/analytics/api",
        "reference_url": f"{SANDBOX}/reference",
    },
}


class Origin(StrEnum):
    """Where a value came from; earlier ones win."""

    ARGUMENT = "argument"
    VARIABLE = "variable"
    ENV_FILE = ".env"
    KEY_FILE = "key file"
    SECRETS = "secrets directory"
    KEYRING = "keyring"
    PROFILE = "profile"
    DEFAULT = "default"


@frozen
class Found:
    """A value as it was found, and where. It may be the key in clear, and is never kept."""

    value: Any = field(repr=False)
    origin: Origin


Findings = dict[str, Found]


def variable(name: str) -> str:
    """The variable of a setting."""
    return f"{PREFIX}{name.upper()}"


def gather(
    kind: type[BaseSettings], arguments: Mapping[str, Any], env_file: str | Path | None
) -> Findings:
    """All values that were given anywhere.

    Raises:
        TrayportConfigurationError: An argument names no setting, or a file cannot be read.
    """
    names = kind.model_fields.keys()
    for name in arguments.keys() - names:
        raise TrayportConfigurationError(
            f"{name} is no setting", suggestion=_did_you_mean(name, names)
        )
    environment = EnvSettingsSource(kind)
    try:
        file = DotEnvSettingsSource(kind, env_file=env_file)
    except OSError as error:
        raise TrayportConfigurationError(f"{env_file} cannot be read: {error}") from error
    except UnicodeDecodeError:
        file = None
    if file is None:
        # Not inside the handler: that exception holds the file, and so the key.
        raise TrayportConfigurationError(f"{env_file} cannot be read: it is not UTF-8 text")
    _warn_of_typos([*environment.env_vars, *file.env_vars], names)
    found = {name: Found(value, Origin.ARGUMENT) for name, value in arguments.items()}
    _add(found, Origin.VARIABLE, environment(), names)
    _add(found, Origin.ENV_FILE, file(), names)
    return _with_what_is_named(found, names)


def replaced(
    kind: type[BaseSettings], found: Mapping[str, Found], arguments: Mapping[str, Any]
) -> Findings:
    """What was found, with some values replaced; only what the new ones name is read."""
    given = {name: Found(value, Origin.ARGUMENT) for name, value in arguments.items()}
    if not arguments.keys() & NAMED_BY.values():
        return {**found, **given}
    kept = {name: value for name, value in found.items() if value.origin not in NAMED_BY}
    return _with_what_is_named({**kept, **given}, kind.model_fields.keys())


def _with_what_is_named(found: Findings, names: Iterable[str]) -> Findings:
    """Adds what the settings found so far point to: files, the keyring and the profile."""
    for origin, read in READERS.items():
        named = found.get(NAMED_BY[origin])
        if named is not None and named.value is not None:
            _add(found, origin, read(str(named.value), set(names) - found.keys()), names)
    return found


def _add(found: Findings, origin: Origin, values: Mapping[str, Any], names: Iterable[str]) -> None:
    for name in names:
        value = values.get(name)
        # An empty variable counts as one that is not set, as in a shell's ${NAME:-default}.
        if name not in found and value is not None and str(value).strip():
            found[name] = Found(value, origin)


def _key_file(path: str, missing: Set[str]) -> dict[str, str]:
    return {"api_key": _text(path, "api_key_file")} if "api_key" in missing else {}


def _secrets_directory(path: str, missing: Set[str]) -> dict[str, str]:
    try:
        files = {file.name.upper(): file for file in Path(path).expanduser().iterdir()}
    except (OSError, ValueError, RuntimeError) as error:
        raise _unreadable("secrets_dir", path, error) from error
    # A key file has had its turn.
    wanted = missing - {"api_key_file", "secrets_dir"}
    return {
        name: _text(files[variable(name)], "secrets_dir")
        for name in wanted
        if variable(name) in files
    }


def _keyring(service: str, missing: Set[str]) -> dict[str, str]:
    if "api_key" not in missing:
        return {}
    needs("keyring", "keyring", what=variable("keyring_service"))
    import keyring
    from keyring.errors import KeyringError

    try:
        key = keyring.get_password(service, KEYRING_USER)
    except KeyringError as error:
        raise TrayportConfigurationError(
            f"{variable('keyring_service')}: the keyring cannot be read: {error}"
        ) from error
    return {} if key is None else {"api_key": key}


def _profile(name: str, _: Set[str]) -> Mapping[str, Any]:
    return PROFILES.get(name.strip().lower(), {})


READERS: Mapping[Origin, Callable[[str, Set[str]], Mapping[str, Any]]] = {
    Origin.KEY_FILE: _key_file,
    Origin.SECRETS: _secrets_directory,
    Origin.KEYRING: _keyring,
    Origin.PROFILE: _profile,
}
NAMED_BY = {
    Origin.KEY_FILE: "api_key_file",
    Origin.SECRETS: "secrets_dir",
    Origin.KEYRING: "keyring_service",
    Origin.PROFILE: "profile",
}


def _text(path: str | Path, name: str) -> str:
    try:
        data = Path(path).expanduser().read_bytes()
    except (OSError, ValueError, RuntimeError) as error:
        raise _unreadable(name, path, error) from error
    # What is not UTF-8 becomes a letter that no key has, and is refused as such. A file written by
    # an editor of Windows may begin with a byte order mark.
    return data.decode("utf-8-sig", errors="replace").strip()


def _unreadable(name: str, path: str | Path, error: Exception) -> TrayportConfigurationError:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return TrayportConfigurationError(f"{variable(name)}: {path} cannot be read: {reason}")


def _did_you_mean(name: str, names: Iterable[str], cutoff: float = 0.6) -> str:
    nearest = get_close_matches(name, names, n=1, cutoff=cutoff)
    return f"did you mean {nearest[0]}?" if nearest else ""


def _warn_of_typos(given: Iterable[str], names: Iterable[str]) -> None:
    """Warns of a variable that is nearly one of ours; others may belong to other programs."""
    known = [variable(name) for name in names]
    for name in dict.fromkeys(name.upper() for name in given):
        if name.startswith(PREFIX) and name not in known:
            suggestion = _did_you_mean(name, known, cutoff=0.85)
            if suggestion:
                # Of the caller of Settings().
                warnings.warn(f"the variable {name} sets nothing: {suggestion}", stacklevel=4)

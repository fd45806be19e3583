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

from .addresses import SANDBOX_KEY, SANDBOX_PORT
from .errors import TrayportConfigurationError, require_extra

PREFIX = "TRAYPORT_"
KEYRING_USER = "api_key"
SANDBOX = f"http://127.0.0.1:{SANDBOX_PORT}"
PROFILES: Mapping[str, Mapping[str, Any]] = {
    "development": {"log_format": "console", "log_level": "debug"},
    "staging": {"log_format": "json", "log_level": "info"},
    "production": {"log_format": "json", "log_level": "warning"},
    "sandbox": {
        "api_key": SANDBOX_KEY,
        "analytics_url": f"{SANDBOX}/analytics/api",
        "reference_url": f"{SANDBOX}/reference",
    },
}


class Origin(StrEnum):
    """Where a value came from; earlier ones win.

    But what a file of the key, a directory of secrets or the keyring holds ranks with the argument,
    the variable or the line of `.env` that names it, and right after what is given there itself.
    """

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
    _add_what_is_named(found, found.keys(), names)
    for origin, source in ((Origin.VARIABLE, environment), (Origin.ENV_FILE, file)):
        before = frozenset(found)
        _add(found, origin, source(), names)
        _add_what_is_named(found, found.keys() - before, names)
    return _with_profile(found, names)


def replaced(found: Findings, arguments: Mapping[str, Any], names: Iterable[str]) -> Findings:
    """What was found, with some values replaced; a new profile takes the place of the old one.

    No new value may name a place of secrets: what is in it could win over what was found, or lose
    to what was not kept.
    """
    given = {name: Found(value, Origin.ARGUMENT) for name, value in arguments.items()}
    if "profile" not in given:
        return {**found, **given}
    kept = {name: each for name, each in found.items() if each.origin is not Origin.PROFILE}
    return _with_profile({**kept, **given}, names)


def _add_what_is_named(found: Findings, here: Set[str], names: Iterable[str]) -> None:
    """Adds what is in the places of secrets that settings of one rank name.

    Args:
        found: What was found in this rank and in those above.
        here: The names of what was found in this rank.
        names: The names of all settings.
    """
    here = set(here)
    for origin, read in READERS.items():
        place = PLACES[origin]
        if place in here and found[place].value is not None:
            before = frozenset(found)
            _add(found, origin, read(str(found[place].value), set(names) - before), names)
            here |= found.keys() - before  # a secret may be the name of the service


def _with_profile(found: Findings, names: Iterable[str]) -> Findings:
    """Adds what the profile sets, if one is chosen and nothing else has set it."""
    profile = found.get("profile")
    if profile is not None and profile.value is not None:
        values = PROFILES.get(str(profile.value).strip().lower(), {})
        _add(found, Origin.PROFILE, values, names)
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
    # A key file has had its turn, and a directory does not lead to another.
    wanted = missing - {"api_key_file", "secrets_dir"}
    return {
        name: _text(files[variable(name)], "secrets_dir")
        for name in wanted
        if variable(name) in files
    }


def _keyring(service: str, missing: Set[str]) -> dict[str, str]:
    if "api_key" not in missing:
        return {}
    require_extra("keyring", "keyring", what=variable("keyring_service"))
    import keyring
    from keyring.errors import KeyringError

    try:
        key = keyring.get_password(service, KEYRING_USER)
    except KeyringError as error:
        raise TrayportConfigurationError(
            f"{variable('keyring_service')}: the keyring cannot be read: {error}"
        ) from error
    return {} if key is None else {"api_key": key}


# The places of secrets in the order in which they are looked at, and the settings that name them.
READERS: Mapping[Origin, Callable[[str, Set[str]], Mapping[str, str]]] = {
    Origin.KEY_FILE: _key_file,
    Origin.SECRETS: _secrets_directory,
    Origin.KEYRING: _keyring,
}
PLACES: Mapping[Origin, str] = {
    Origin.KEY_FILE: "api_key_file",
    Origin.SECRETS: "secrets_dir",
    Origin.KEYRING: "keyring_service",
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

"""Settings, from arguments, `TRAYPORT_*` variables, files, the keyring and profiles."""

from __future__ import annotations

import re
import warnings
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    Secret,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    SettingsConfigDict,
)
from trayport_spec import ANALYTICS_URL, REFERENCE_URL, REQUEST_LIMITS

from .errors import MAX_DEPTH, TrayportConfigurationError, require_extra

__all__ = ["PREFIX", "PROFILES", "Origin", "Settings", "masked_key", "variable"]

PREFIX = "TRAYPORT_"
KEYRING_USER = "api_key"
# The part of the documented limits that is used by default; the rest is for other programs that
# use the same key.
SHARE = 0.75
# The longest time that can be set: far longer ones are too much for a date or a timer.
DAY = 24 * 60 * 60
# Twice what 32 days of the busiest contract were measured with: six million trades.
GIB = 1 << 30
MEMORY = "memory"
SQLITE = "sqlite:///"
REDIS = ("redis", "rediss")
# Parameters of a Redis address that are not shown.
SECRET_PARAMETERS = ("username", "password", "ssl_password")
QUOTES = "\"'"
# Byte order mark and zero-width space, which come along when a key is copied.
INVISIBLE = "\ufeff\u200b"
# What stands before a key where it was copied from.
KEY_PREFIX = re.compile(
    r"(authorization|bearer|token|(?:x[-_])?api[-_ ]?key|(?:export )?trayport_api_key)(?:\s|[:=])",
    re.IGNORECASE,
)

# Where `trayport sandbox` serves by default, and the key that it accepts.
SANDBOX_PORT = 8383
SANDBOX_KEY = "sandbox"
SANDBOX = f"http://127.0.0.1:{SANDBOX_PORT}"
PROFILES: Mapping[str, Mapping[str, str]] = {
    "development": {"log_format": "console", "log_level": "debug"},
    "staging": {"log_format": "json", "log_level": "info"},
    "production": {"log_format": "json", "log_level": "warning"},
    "sandbox": {
        "api_key": SANDBOX_KEY,
        "analytics_url": f"{SANDBOX}/analytics/api",
        "reference_url": f"{SANDBOX}/reference",
    },
}


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"{PREFIX}{name.upper()}"


# --- Addresses


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        # The message of urlsplit may quote a password.
        raise ValueError("is not an address") from None
    return parts


def checked_address(text: str) -> str:
    """The address of an API without a slash at its end.

    Raises:
        ValueError: It is not one; the reason quotes nothing of it.
    """
    parts = _split(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is not an http or https address")
    if parts.username is not None or parts.password is not None:
        raise ValueError("holds a user name or password, which would show in messages")
    if parts.query or parts.fragment or any(letter.isspace() for letter in text):
        raise ValueError("may have a host, a port and a path, and nothing else")
    return text.rstrip("/")


def checked_key(text: str) -> str:
    """A key without the white space, the byte order mark and the quotes around it.

    Raises:
        ValueError: There is more than a key, or less; the reason quotes nothing of it.
    """
    key = bare(text)
    if match := KEY_PREFIX.match(key):
        raise ValueError(f"begins with {match[1]}, which is no part of a key")
    if key and (key[0] in QUOTES or key[-1] in QUOTES):
        raise ValueError("has a quote at one end only, which no key has")
    if any(letter.isspace() for letter in key):
        raise ValueError("contains white space, which no key has")
    if not (key.isascii() and key.isprintable()):
        raise ValueError("contains characters that no key has")
    return key


def bare(text: str) -> str:
    """A text without the white space, the byte order mark and the quotes around it."""
    before = None
    while text != before:
        before, text = text, text.strip().strip(INVISIBLE)
        if len(text) > 1 and text[0] == text[-1] in QUOTES:
            text = text[1:-1]
    return text


def checked_store(text: str) -> str:
    """The place where the requests of a key are counted; `~` in its path is replaced.

    Raises:
        ValueError: It is not one; the reason quotes nothing of it.
    """
    store = text.strip()
    if store == MEMORY:
        return store
    if store.startswith(SQLITE) and len(store) > len(SQLITE):
        return SQLITE + _at_home(store.removeprefix(SQLITE))
    parts = _split(store)
    if parts.scheme not in REDIS or not parts.hostname:
        raise ValueError("is not memory, sqlite:///path, redis://host or rediss://host")
    if "@" in parts.path + parts.query or parts.fragment:
        raise ValueError("holds a password with letters that must be percent-encoded")
    if not re.fullmatch(r"/?|/[0-9]{1,9}", parts.path):
        raise ValueError("is not followed by the number of a database, as in redis://host:6379/0")
    if "~" not in parts.query:
        return store
    options = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode([(n, _at_home(v) if n.startswith("ssl_") else v) for n, v in options])
    return parts._replace(query=query).geturl()


def _at_home(path: str) -> str:
    try:
        return str(Path(path).expanduser()) if path.startswith("~") else path
    except RuntimeError:
        raise ValueError("names the home of a user that is not known") from None


def ip_of(host: str) -> IPv4Address | IPv6Address | None:
    """The IP address that a host is written as; an IPv4 address that IPv6 wraps is unwrapped."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def stays_here(address: str) -> bool:
    """Whether requests to an address never reach the live service.

    True for this machine (`localhost`, `127.0.0.0/8`, `::1`), and for names under `.invalid`, which
    no network has: the sandbox in the same process has one.
    """
    host = (urlsplit(address).hostname or "").rstrip(".")
    if ip := ip_of(host):
        return ip.is_loopback
    return f".{host}".endswith((".localhost", ".invalid"))


def user_directory(kind: Literal["cache", "data"]) -> Path:
    """The directory of the system for files of this package and this user."""
    import platformdirs

    of_kind = {"cache": platformdirs.user_cache_path, "data": platformdirs.user_data_path}
    return of_kind[kind]("trayport-sdk", appauthor=False)


def without_password(store: str, mask: str = "") -> str:
    """A store's address with a mask, or nothing, in the place of user name and password.

    Example:
        >>> without_password("redis://:hunter2@cache.example:6379/0", mask="***")
        'redis://***@cache.example:6379/0'
    """
    parts = urlsplit(store)
    if parts.scheme not in REDIS:
        return store
    user, _, host = parts.netloc.rpartition("@")
    query = parse_qsl(parts.query, keep_blank_values=True)
    shown = [(name, value) for name, value in query if name.lower() not in SECRET_PARAMETERS]
    netloc = f"{mask}@{host}" if user and mask else host
    return parts._replace(netloc=netloc, query=urlencode(shown)).geturl()


# --- Where values come from


class Origin(StrEnum):
    """Where a value came from; earlier ones win.

    But the values of a key file, a secrets directory or the keyring rank with the argument, the
    variable or the line of `.env` that names it, right after the values given there.
    """

    ARGUMENT = "argument"
    VARIABLE = "variable"
    ENV_FILE = ".env"
    KEY_FILE = "key file"
    SECRETS = "secrets directory"
    KEYRING = "keyring"
    PROFILE = "profile"
    DEFAULT = "default"


Value: TypeAlias = SecretStr | Secret[Any]
"""A value on its way into the settings. It may be a key, in its own place or in a wrong one, and a
traceback may show it: so it is masked."""

Gathered: TypeAlias = dict[str, tuple[Value, Origin]]
"""The values of settings, and where they came from."""


def masked_key(key: str | SecretStr | None) -> SecretStr | None:
    """A key as no traceback shows it."""
    return key if key is None or isinstance(key, SecretStr) else SecretStr(key)


def _masked(values: Mapping[str, Any]) -> dict[str, Value]:
    return {
        name: value if isinstance(value, SecretStr | Secret) else Secret[Any](value)
        for name, value in values.items()
        if value is not None
    }


def _add(gathered: Gathered, origin: Origin, values: Mapping[str, Value]) -> None:
    for name in Settings.model_fields:
        # An empty variable counts as one that is not set, as in a shell's ${NAME:-default}.
        if name not in gathered and name in values and bare(str(values[name].get_secret_value())):
            gathered[name] = values[name], origin


def _gather(arguments: Mapping[str, Value], env_file: str | Path | None) -> Gathered:
    """The values that were given anywhere.

    Raises:
        TrayportConfigurationError: An argument is not a setting, or a file cannot be read.
    """
    _check_names(arguments)
    environment, file = EnvSettingsSource(Settings), _env_file_source(env_file)
    _warn_of_typos([*environment.env_vars, *file.env_vars])
    gathered: Gathered = {}
    for origin, values in (
        (Origin.ARGUMENT, arguments),
        (Origin.VARIABLE, _masked(environment())),
        (Origin.ENV_FILE, _masked(file())),
    ):
        before = frozenset(gathered)
        _add(gathered, origin, values)
        # A secret may name the service of the keyring, which is the last place.
        for (place, name), read in PLACES.items():
            if name in gathered and name not in before:
                named = str(gathered[name][0].get_secret_value())
                _add(gathered, place, read(named, Settings.model_fields.keys() - gathered))
    return _with_profile(gathered)


def _with_profile(gathered: Gathered) -> Gathered:
    profile, _ = gathered.get("profile", (SecretStr(""), None))
    name = str(profile.get_secret_value()).strip().lower()
    _add(gathered, Origin.PROFILE, _masked(PROFILES.get(name, {})))
    return gathered


def _env_file_source(path: str | Path | None) -> DotEnvSettingsSource:
    try:
        return DotEnvSettingsSource(Settings, env_file=path, env_file_encoding="utf-8-sig")
    except (OSError, RuntimeError) as error:
        raise TrayportConfigurationError(f"{path} cannot be read: {error}") from error
    except UnicodeDecodeError:
        pass
    # Not inside the handler: that exception holds the file, and so the key.
    raise TrayportConfigurationError(f"{path} cannot be read: it is not UTF-8 text")


def _check_names(arguments: Iterable[str]) -> None:
    for name in arguments:
        if name not in Settings.model_fields:
            suggestion = _did_you_mean(name, Settings.model_fields)
            raise TrayportConfigurationError(f"{name} is no setting", suggestion=suggestion)


def _warn_of_typos(given: Iterable[str]) -> None:
    """Warns of a variable that is nearly one of ours; others may belong to other programs."""
    known = [variable(name) for name in Settings.model_fields]
    for name in dict.fromkeys(name.upper() for name in given):
        if name.startswith(PREFIX) and name not in known:
            suggestion = _did_you_mean(name, known, cutoff=0.85)
            if suggestion:
                # At the line that calls Settings().
                warnings.warn(f"the variable {name} sets nothing: {suggestion}", stacklevel=4)


def _did_you_mean(name: str, names: Iterable[str], cutoff: float = 0.6) -> str:
    nearest = get_close_matches(name, names, n=1, cutoff=cutoff)
    return f"did you mean {nearest[0]}?" if nearest else ""


def _key_file(path: str, missing: set[str]) -> dict[str, Value]:
    return {"api_key": _text(Path(path), "api_key_file")} if "api_key" in missing else {}


def _secrets_directory(path: str, missing: set[str]) -> dict[str, Value]:
    try:
        files = {file.name.upper(): file for file in Path(path).expanduser().iterdir()}
    except (OSError, ValueError, RuntimeError) as error:
        raise _unreadable("secrets_dir", path, error) from error
    # A key file has been read before, and a directory does not lead to another.
    wanted = missing - {"api_key_file", "secrets_dir"}
    return {
        name: _text(files[variable(name)], "secrets_dir")
        for name in wanted
        if variable(name) in files
    }


def _keyring(service: str, missing: set[str]) -> dict[str, Value]:
    if "api_key" not in missing:
        return {}
    require_extra("keyring", "keyring", what=variable("keyring_service"))
    import keyring
    from keyring.errors import KeyringError

    try:
        return _masked({"api_key": keyring.get_password(service, KEYRING_USER)})
    except KeyringError as error:
        message = f"{variable('keyring_service')}: the keyring cannot be read: {error}"
        raise TrayportConfigurationError(message) from error


# The places of secrets and the settings that name them, in the order in which they are read.
PLACES: Mapping[tuple[Origin, str], Callable[[str, set[str]], Mapping[str, Value]]] = {
    (Origin.KEY_FILE, "api_key_file"): _key_file,
    (Origin.SECRETS, "secrets_dir"): _secrets_directory,
    (Origin.KEYRING, "keyring_service"): _keyring,
}


def _text(path: Path, name: str) -> SecretStr:
    try:
        data = path.expanduser().read_bytes()
    except (OSError, ValueError, RuntimeError) as error:
        raise _unreadable(name, path, error) from error
    # What is no text becomes a letter that no key has, and is refused as such. A file written on
    # Windows may begin with a byte order mark.
    encoding = "utf-16" if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig"
    return SecretStr(data.decode(encoding, errors="replace").strip())


def _unreadable(name: str, path: str | Path, error: Exception) -> TrayportConfigurationError:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return TrayportConfigurationError(f"{variable(name)}: {path} cannot be read: {reason}")


# --- Types of values


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _cache_place(value: object) -> object:
    """Where the cache is; true and false mean as well whether there is one."""
    word = str(value).strip().lower()
    return {"true": "disk", "1": "disk", "false": "off", "0": "off"}.get(word, word)


def _at_most_a_day(value: float) -> float:
    if value > DAY:
        raise ValueError(f"is longer than a day, {DAY} seconds")
    return value


def _in_a_home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError(f"{path} begins in the home of a user that is not known") from None


Seconds = Annotated[
    float,
    Field(gt=0, allow_inf_nan=False, json_schema_extra={"maximum": DAY}),
    AfterValidator(_at_most_a_day),
]
File = Annotated[Path, AfterValidator(_in_a_home)]
Url = Annotated[str, AfterValidator(checked_address)]
Profile = Annotated[
    Literal["development", "staging", "production", "sandbox"], BeforeValidator(_lower)
]
StoreFallback = Annotated[Literal["error", "slow"], BeforeValidator(_lower)]
Cache = Annotated[Literal["disk", "memory", "off"], BeforeValidator(_cache_place)]
LogFormat = Annotated[Literal["none", "json", "console"], BeforeValidator(_lower)]
LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)]


class Settings(BaseSettings):
    """How to reach the two APIs, and how requests are sent.

    Every field can be given as an argument, as an environment variable `TRAYPORT_<NAME>`, in a file
    named `.env` in the working directory, or by a profile; earlier ones win. The key can also come
    from a file, from a directory of secrets or from the system keyring, which rank with the setting
    that names them.

    Settings are values: they are read once, and do not change. No representation shows a secret,
    and a pickle has no key, and no password of `limiter_store`.

    Raises:
        TrayportConfigurationError: A value cannot work; the message names its variable. An argument
            that is not a setting is refused, too.

    Example:
        >>> Settings(timeout=30).timeout
        30.0
        >>> Settings(profile="production").log_level
        'warning'
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True
    )
    _env_file: Path | None = PrivateAttr(default=None)
    _origins: dict[str, Origin] = PrivateAttr(default_factory=dict[str, Origin])

    api_key: SecretStr | None = Field(
        None,
        examples=["your-personal-key"],
        description="The personal key, sent to the hosts of both APIs only.",
    )
    api_key_file: File | None = Field(
        None,
        examples=["/run/secrets/trayport-key"],
        description="A file that holds the key and nothing else.",
    )
    secrets_dir: File | None = Field(
        None,
        examples=["/run/secrets"],
        description="A directory of files named like variables in lower case, such as "
        "trayport_api_key, each holding one value.",
    )
    keyring_service: str | None = Field(
        None,
        examples=["trayport"],
        description="The service under which the system keyring holds the key, for the user "
        "api_key. Needs the extra keyring.",
    )
    profile: Profile | None = Field(
        None,
        examples=["production"],
        description="A set of defaults: development logs everything to the console; staging logs "
        "JSON, production too, from warnings on; sandbox uses a local `trayport sandbox` and the "
        "key that it accepts.",
    )

    allow_insecure_http: bool = Field(
        False,
        description="Whether the key may go over plain http to hosts other than this machine, so "
        "that anyone on the way, such as a proxy, can read it.",
    )
    analytics_url: Url = Field(
        ANALYTICS_URL, description="The address of the Data Analytics API, or of a local gateway."
    )
    reference_url: Url = Field(REFERENCE_URL, description="The address of the Reference Data API.")
    intraday: bool = Field(
        False,
        description="Whether the key, or the gateway, is entitled to the data of the current day "
        "in UTC, so that ranges may reach into it.",
    )
    decode_mode: Literal["strict", "lenient"] = Field(
        "strict",
        description="What becomes of a value that is not of its documented type: strict makes an "
        "error of it, lenient a null, which is counted in the response's metadata.",
    )
    max_decoded_bytes: int = Field(
        2 * GIB,
        ge=1,
        description="Bytes that a response may have without compression. Streams and download_raw "
        "take responses of any size.",
    )
    max_depth: int = Field(
        MAX_DEPTH,
        ge=8,
        le=500,
        description="How deeply the JSON of a response may be nested. Responses of the API have "
        "five levels.",
    )
    timeout: Seconds = Field(60.0, description="Seconds to wait for the next part of a response.")
    connect_timeout: Seconds = Field(10.0, description="Seconds to wait for a connection.")
    http2: bool = Field(
        False,
        description="Whether to speak HTTP/2. HTTP/1.1 carries large responses several times "
        "faster.",
    )
    max_connections: int = Field(
        100, ge=1, description="How many connections a client opens at most."
    )
    keepalive: Seconds = Field(
        60.0, description="Seconds after which an idle connection is closed."
    )
    max_concurrency: int = Field(
        6, ge=1, description="How many requests of one call are under way at once."
    )

    requests_per_second: int = Field(
        max(1, int(REQUEST_LIMITS.per_second * SHARE)),
        ge=1,
        description="Requests of the key in any second, at most; half of them in any half second. "
        f"The documented limit is {REQUEST_LIMITS.per_second}; only hosts on this machine may "
        "get more.",
    )
    requests_per_minute: int = Field(
        max(1, int(REQUEST_LIMITS.per_minute * SHARE)),
        ge=1,
        description="Requests of the key in any minute, at most. The documented limit is "
        f"{REQUEST_LIMITS.per_minute}.",
    )
    evenly_spaced: bool = Field(
        True, description="Whether requests are spread over the second instead of sent in bursts."
    )
    adaptive_throttling: bool = Field(
        True,
        description="Whether a response that means too fast halves the rate for a while. It "
        "pauses every request of the key in any case.",
    )
    emergency_throttling: bool = Field(
        True,
        description="Whether requests slow down as soon as the documented limits are nearly used "
        "up, by this or other programs. The default rate never gets there.",
    )
    limiter_store: SecretStr = Field(
        SecretStr(MEMORY),
        description="Where requests of the key are counted: memory for this process, "
        "sqlite:///path for this machine, redis://host:6379/0 or rediss:// for many machines "
        "(needs the extra redis).",
    )
    limiter_fallback: StoreFallback = Field(
        "error",
        description="What happens when the store of counts cannot be reached: an error, or slow "
        "requests counted in this process.",
    )

    max_retries: int = Field(4, ge=0, description="How often a request that failed is sent again.")
    retry_base: Seconds = Field(
        0.5,
        description="Seconds that the first wait before a retry lasts at most; every further one "
        "may last twice as long.",
    )
    retry_cap: Seconds = Field(
        30.0, description="Seconds that a wait before a retry lasts at most."
    )
    retry_budget: Seconds = Field(
        600.0,
        description="Seconds that a request may take over all its attempts and the waits between "
        "them; the time in the queue does not count.",
    )
    forbidden_retries: int = Field(
        2,
        ge=0,
        description="How many of the retries may follow a 403, by which the service may mean that "
        "the request came too fast.",
    )
    forbidden_wait: Seconds = Field(
        10.0, description="Seconds to wait at least after the first 403; then twice as long."
    )
    dead_letter_file: File | None = Field(
        None,
        examples=["failed.jsonl"],
        description="A file to which requests that failed for good are added, one JSON object per "
        "line, for `trayport retry-failed`.",
    )
    keep_versions: int | None = Field(
        None,
        ge=0,
        examples=["5"],
        description="How many old versions of each file of a data set are kept, for "
        "open_dataset(as_of=...), when a refresh finds that rows have changed; all of them when it "
        "is not set.",
    )

    circuit_breakers: bool = Field(
        True, description="Whether no requests go to an endpoint that keeps failing, for a while."
    )
    breaker_threshold: int = Field(
        10, ge=1, description="Failures in a row after which an endpoint gets no requests."
    )
    breaker_recovery: Seconds = Field(
        30.0, description="Seconds until such an endpoint is tried again."
    )

    cache: Cache = Field(
        "disk",
        description="Where reference data is kept, to be read once and to be returned, marked as "
        "stale, while the service fails: in files of this user and in memory, in the memory of the "
        "client alone, or nowhere. Data of hosts on this machine is kept in memory, unless "
        "cache_dir is set.",
    )
    cache_dir: File | None = Field(
        None,
        examples=["~/.cache/trayport-sdk"],
        description="The directory of these files; that of the system for caches of this user "
        "when it is not set.",
    )
    dataset_dir: File | None = Field(
        None,
        examples=["~/.local/share/trayport-sdk"],
        description="The directory for the manifests of data sets that lie on other machines, such "
        "as in S3; that of the system for data of this user when it is not set.",
    )
    products_ttl: Seconds = Field(
        86_400.0, description="Seconds after which instruments and markets are read again."
    )
    sequences_ttl: Seconds = Field(
        86_400.0, description="Seconds after which sequences are read again."
    )
    items_ttl: Seconds = Field(
        21_600.0,
        description="Seconds after which delivery periods are read again.",
    )
    metrics: bool = Field(True, description="Whether requests are counted and timed.")
    log_format: LogFormat = Field(
        "none", description="How events are logged to standard error, if at all."
    )
    log_level: LogLevel = Field("info", description="The least important events that are logged.")
    opentelemetry: bool = Field(
        False, description="Whether requests are reported to OpenTelemetry. Needs the extra otel."
    )

    @field_validator("api_key")
    @classmethod
    def _is_a_key(cls, value: SecretStr | None) -> SecretStr | None:
        key = "" if value is None else checked_key(value.get_secret_value())
        return SecretStr(key) if key else None

    @field_validator("analytics_url", "reference_url")
    @classmethod
    def _hides_the_key(cls, value: str, info: ValidationInfo) -> str:
        allowed = info.data.get("allow_insecure_http", True)
        if not allowed and urlsplit(value).scheme == "http" and not stays_here(value):
            raise ValueError(
                "is plain http, over which anyone on the way can read the key: use https, or set "
                f"allow_insecure_http (variable {variable('allow_insecure_http')})"
            )
        return value

    @field_validator("limiter_store")
    @classmethod
    def _is_a_store(cls, value: SecretStr) -> SecretStr:
        return SecretStr(checked_store(value.get_secret_value()))

    @field_validator("requests_per_second", "requests_per_minute")
    @classmethod
    def _keeps_the_documented_limit(cls, value: int, info: ValidationInfo) -> int:
        limit = getattr(REQUEST_LIMITS, str(info.field_name).removeprefix("requests_"))
        # An address that was refused is missing here, and has a reason of its own.
        hosts = {info.data.get(name, "") for name in ("analytics_url", "reference_url")}
        if value > limit and "" not in hosts and not all(map(stays_here, hosts)):
            raise ValueError(
                f"exceeds the documented limit of {limit}; "
                "only hosts on this machine may get more requests"
            )
        return value

    def __init__(self, *, _env_file: str | Path | None = ".env", **values: Any) -> None:
        values = _masked(values)
        self._take(_gather(values, _env_file), _env_file)

    def _take(self, gathered: Gathered, env_file: str | Path | None) -> None:
        try:
            # Not that of BaseSettings, which would read the sources again, without origins.
            super(BaseSettings, self).__init__(
                **{name: value.get_secret_value() for name, (value, _) in gathered.items()}
            )
        except ValidationError as error:
            message = _explained(error, gathered)
        else:
            self._env_file = None if env_file is None else Path(env_file)
            self._origins = {name: origin for name, (_, origin) in gathered.items()}
            return
        # Not inside the handler: that exception holds the values, and so the key.
        raise TrayportConfigurationError(message)

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
        `secrets_dir` or `keyring_service`: then everything is, as by `reread`. A new profile takes
        the place of the old one.
        """
        given = values = _masked(values)
        if any(name in given for _, name in PLACES):
            return self._read_again(given)
        mine = _masked({name: getattr(self, name) for name in self._origins})
        gathered: Gathered = {
            name: (mine[name], origin)
            for name, origin in self._origins.items()
            if name in mine and not (origin is Origin.PROFILE and "profile" in given)
        }
        gathered |= {name: (value, Origin.ARGUMENT) for name, value in given.items()}
        settings = type(self).__new__(type(self))
        settings._take(_with_profile(gathered) if "profile" in given else gathered, self._env_file)
        return settings

    def reread(self) -> Self:
        """The settings as they would be read now; values given as arguments stay.

        Raises:
            TrayportConfigurationError: A value that is there now cannot work.
        """
        return self._read_again({})

    def _read_again(self, given: Mapping[str, Value]) -> Self:
        arguments = {
            name: getattr(self, name)
            for name, origin in self._origins.items()
            if origin is Origin.ARGUMENT
        }
        return type(self)(_env_file=self._env_file, **{**arguments, **given})

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


def _explained(error: ValidationError, gathered: Gathered) -> str:
    reasons: list[str] = []
    for detail in error.errors(include_input=False, include_url=False, include_context=False):
        name = str(detail["loc"][0])
        reason = detail["msg"].removeprefix("Value error, ")
        _, origin = gathered.get(name, (None, Origin.DEFAULT))
        given_by = {Origin.ARGUMENT: "the argument, or ", Origin.VARIABLE: "", Origin.DEFAULT: ""}
        prefix = given_by.get(origin, f"{origin}, ")
        reasons.append(f"{name} ({prefix}variable {variable(name)}): {reason}")
    return f"settings cannot be used: {'; '.join(reasons)}"

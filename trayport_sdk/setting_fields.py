"""What there is to set: types, bounds, defaults and meanings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict
from trayport_spec import ANALYTICS_URL, REFERENCE_URL, REQUEST_LIMITS

from .addresses import MEMORY, checked_address, checked_store, stays_here
from .setting_sources import PREFIX

# The part of the documented limits that is used unless a setting says more: the rest is for
# programs of the same key that this process knows nothing of.
SHARE = 0.75
# The longest time that can be set. Nothing here waits longer on purpose, and what is far longer is
# too much for a date or a timer.
DAY = 24 * 60 * 60


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


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
LogFormat = Annotated[Literal["none", "json", "console"], BeforeValidator(_lower)]
LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)]


class SettingFields(BaseSettings):
    """The fields of `Settings`. A description gives the meaning and the unit."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    api_key: SecretStr | None = Field(
        default=None,
        description="The personal key, sent to both APIs and to nobody else.",
        examples=["your-personal-key"],
    )
    api_key_file: File | None = Field(
        default=None,
        description="A file that holds the key and nothing else.",
        examples=["/run/secrets/trayport-key"],
    )
    secrets_dir: File | None = Field(
        default=None,
        description="A directory of files named like variables in lower case, such as "
        "trayport_api_key, each holding one value.",
        examples=["/run/secrets"],
    )
    keyring_service: str | None = Field(
        default=None,
        description="The service under which the system keyring holds the key, for the user "
        "api_key. Needs the extra keyring.",
        examples=["trayport"],
    )
    profile: Profile | None = Field(
        default=None,
        description="A set of defaults: development logs everything to the console; staging logs "
        "JSON, production too, from warnings on; sandbox asks a local `trayport sandbox` with the "
        "key it accepts.",
        examples=["production"],
    )

    analytics_url: Url = Field(
        default=ANALYTICS_URL,
        description="The address of the Data Analytics API, or of a local gateway.",
    )
    reference_url: Url = Field(
        default=REFERENCE_URL, description="The address of the Reference Data API."
    )
    intraday: bool = Field(
        default=False,
        description="Whether the key, or the gateway, is entitled to the data of the current day "
        "in UTC, so that ranges may reach into it.",
    )
    decode_mode: Literal["strict", "lenient"] = Field(
        default="strict",
        description="What becomes of a value that is not of its documented type: strict makes an "
        "error of it, lenient a null, which is counted in the response's metadata.",
    )
    timeout: Seconds = Field(
        default=60.0, description="Seconds to wait for the next part of an answer."
    )
    connect_timeout: Seconds = Field(default=10.0, description="Seconds to wait for a connection.")
    http2: bool = Field(
        default=False,
        description="Whether to speak HTTP/2. HTTP/1.1 carries large answers several times faster.",
    )
    max_connections: int = Field(
        default=100, ge=1, description="How many connections a client opens at most."
    )
    keepalive: Seconds = Field(
        default=60.0, description="Seconds after which an idle connection is closed."
    )
    max_concurrency: int = Field(
        default=6, ge=1, description="How many requests of one call are under way at once."
    )

    requests_per_second: int = Field(
        default=max(1, int(REQUEST_LIMITS.per_second * SHARE)),
        ge=1,
        description="Requests of the key in any second, at most; half of them in any half second. "
        f"The documented limit is {REQUEST_LIMITS.per_second}; only hosts on this machine may be "
        "asked more often.",
    )
    requests_per_minute: int = Field(
        default=max(1, int(REQUEST_LIMITS.per_minute * SHARE)),
        ge=1,
        description="Requests of the key in any minute, at most. The documented limit is "
        f"{REQUEST_LIMITS.per_minute}.",
    )
    evenly_spaced: bool = Field(
        default=True,
        description="Whether requests are spread over the second instead of sent in bursts.",
    )
    adaptive_throttling: bool = Field(
        default=True,
        description="Whether an answer that means too fast halves the rate for a while. It pauses "
        "every request of the key in any case.",
    )
    emergency_throttling: bool = Field(
        default=True,
        description="Whether requests slow down as soon as the documented limits are nearly used "
        "up, whoever used them. The default rate never gets there.",
    )
    limiter_store: SecretStr = Field(
        default=SecretStr(MEMORY),
        description="Where requests of the key are counted: memory for this process, "
        "sqlite:///path for this machine, redis://host:6379/0 or rediss:// for many machines "
        "(needs the extra redis).",
    )
    limiter_fallback: StoreFallback = Field(
        default="error",
        description="What happens when the store of counts cannot be reached: an error, or slow "
        "requests counted in this process.",
    )

    max_retries: int = Field(
        default=4, ge=0, description="How often a request that failed is sent again."
    )
    retry_base: Seconds = Field(
        default=0.5,
        description="Seconds that the first wait before a retry lasts at most; every further one "
        "may last twice as long.",
    )
    retry_cap: Seconds = Field(
        default=30.0, description="Seconds that a wait before a retry lasts at most."
    )
    retry_budget: Seconds = Field(
        default=600.0,
        description="Seconds that a request may take over all its attempts and the waits between "
        "them; the time in line does not count.",
    )
    forbidden_retries: int = Field(
        default=2,
        ge=0,
        description="How many of the retries may follow a 403, by which the service may mean that "
        "the request came too fast.",
    )
    forbidden_wait: Seconds = Field(
        default=10.0,
        description="Seconds to wait at least after the first 403; then twice as long.",
    )
    dead_letter_file: File | None = Field(
        default=None,
        description="A file to which requests that failed for good are added, one JSON object per "
        "line, for `trayport retry-failed`.",
        examples=["failed.jsonl"],
    )

    circuit_breakers: bool = Field(
        default=True,
        description="Whether an endpoint that keeps failing is left alone for a while.",
    )
    breaker_threshold: int = Field(
        default=10, ge=1, description="Failures in a row after which an endpoint is left alone."
    )
    breaker_recovery: Seconds = Field(
        default=30.0, description="Seconds until an endpoint left alone is tried again."
    )

    cache: bool = Field(
        default=True,
        description="Whether reference data is kept in memory, to be served, marked as stale, "
        "while its endpoint is left alone.",
    )
    prefetch: bool = Field(
        default=False,
        description="Whether to fetch the next window ahead for whoever asks for one window after "
        "the other. What nobody comes for costs a request.",
    )
    metrics: bool = Field(default=True, description="Whether requests are counted and timed.")
    log_format: LogFormat = Field(
        default="none", description="How events are logged to standard error, if at all."
    )
    log_level: LogLevel = Field(
        default="info", description="The least important events that are logged."
    )
    opentelemetry: bool = Field(
        default=False,
        description="Whether requests are reported to OpenTelemetry. Needs the extra otel.",
    )
    settings_watch_interval: Seconds | None = Field(
        default=None,
        description="Seconds between two looks at the files that settings come from; changes take "
        "effect while the client runs. Without it nobody looks.",
        examples=["5"],
    )

    @field_validator("api_key")
    @classmethod
    def _key_fits_a_header(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        key = value.get_secret_value().strip()
        if not (key.isascii() and key.isprintable()):
            raise ValueError("contains characters that no key has")
        return SecretStr(key) if key else None

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
                "only hosts on this machine may be asked more often"
            )
        return value

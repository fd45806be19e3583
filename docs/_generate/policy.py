"""The SDK's own numbers for the pages: the settings, and how it keeps a key's limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trayport_spec import REQUEST_LIMITS

from docs._generate.spec import codes, rows
from trayport_sdk.cli.config import allowed_values, default_of
from trayport_sdk.http import retry, status_errors
from trayport_sdk.http.limiter import Limits, base, limiter, limits, queue
from trayport_sdk.http.limiter.limits import Quota
from trayport_sdk.http.session import FIXED, limits_of
from trayport_sdk.settings import SHARE, Settings, variable
from trayport_sdk.telemetry import metrics

if TYPE_CHECKING:
    from collections.abc import Callable


def default(name: str) -> str:
    setting = Settings.model_fields[name]
    return "nothing" if setting.default is None else f"`{default_of(setting)}`"


def meaning(name: str) -> str:
    return f"{Settings.model_fields[name].description} {allowed_values()[name].capitalize()}"


def all_settings() -> str:
    return rows(
        ["Setting", "Variable", "Without it", "Meaning"],
        (
            [f"`{name}`", f"`{variable(name)}`", default(name), meaning(name).strip()]
            for name in Settings.model_fields
        ),
    )


def settings_of(names: list[str]) -> str:
    """The settings that a guide is about."""
    return rows(
        ["Setting", "Without it", "Meaning"],
        ([f"`{name}`", default(name), meaning(name).strip()] for name in names),
    )


def default_limits() -> Limits:
    # Nothing is read: pages are the same wherever they are made.
    return limits_of(Settings.model_construct())


def windows() -> str:
    """What is promised and what is enforced, by default and at the documented limits."""
    usual = default_limits()
    most = Limits(REQUEST_LIMITS.per_second, REQUEST_LIMITS.per_minute)
    enforced = {each: dict(map(_pair, each.quotas())) for each in (usual, most)}

    def cell(allowed: Limits, quota: Quota) -> str:
        return f"{quota.limit} in {enforced[allowed][quota.limit] / 1000:g} s"

    return rows(
        ["Window", "Requests by default", "Kept as", "At the documented limits", "Kept as"],
        (
            [
                f"{quota.milliseconds / 1000:g} s",
                str(quota.limit),
                cell(usual, quota),
                str(wide.limit),
                cell(most, wide),
            ]
            for quota, wide in zip(usual.windows, most.windows, strict=True)
        ),
    )


def _pair(quota: Quota) -> tuple[int, int]:
    return quota.limit, quota.milliseconds


def spacing() -> str:
    gap, *_ = default_limits().quotas()
    return f"{gap.milliseconds} ms"


def jitter(allowed: Limits) -> str:
    """How much the delays of requests may differ before more arrive than is documented."""
    granted: list[int] = []
    room: list[int] = []
    quotas = allowed.quotas()
    most = (REQUEST_LIMITS.per_second, limits.SECOND), (REQUEST_LIMITS.per_minute, limits.MINUTE)
    for _ in range(REQUEST_LIMITS.per_minute + 1):
        earliest = [granted[-q.limit] + q.milliseconds for q in quotas if len(granted) >= q.limit]
        granted.append(max([0, *granted[-1:], *earliest]))
    for number, length in most:
        spans = zip(granted, granted[number:], strict=False)
        room.append(min(last - first for first, last in spans) - length)
    return f"{min(room)} ms"


def percent(share: float) -> str:
    return f"{100 * share:g} %"


NUMBERS: dict[str, Callable[[], str]] = {
    "settings": all_settings,
    "windows": windows,
    "spacing": spacing,
    "jitter": lambda: jitter(default_limits()),
    "jitter-at-most": lambda: jitter(Limits(REQUEST_LIMITS.per_second, REQUEST_LIMITS.per_minute)),
    "ahead": lambda: f"{limiter.AHEAD_MILLISECONDS} ms",
    "sending": lambda: f"{base.SENDING_MILLISECONDS / 1000:g} seconds",
    "new-store": lambda: f"{base.NEW_MILLISECONDS / 1000:g} seconds",
    "share": lambda: percent(SHARE),
    "emergency-from": lambda: percent(limits.EMERGENCY_FROM),
    "recovery-step": lambda: percent(limits.STEP_SHARE),
    "recovery-seconds": lambda: f"{limits.STEP_MILLISECONDS / 1000:g} seconds",
    "slowest-share": lambda: percent(limits.SLOWEST_SHARE),
    "first-pause": lambda: f"{status_errors.FIRST_PAUSE:g} second",
    "longest-pause": lambda: f"{status_errors.LONGEST_PAUSE:g} seconds",
    "fallback-share": lambda: percent(limiter.FALLBACK_SHARE),
    "try-again": lambda: f"{limiter.TRY_AGAIN_SECONDS:g} seconds",
    "passed-over": lambda: str(queue.PASSED_OVER),
    "malformed-retries": lambda: str(retry.MALFORMED_RETRIES),
    "quantile-error": lambda: percent(metrics.RELATIVE_ERROR),
    "fixed-settings": lambda: codes(FIXED),
}

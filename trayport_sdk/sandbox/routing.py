"""Which operation a path means."""

from collections.abc import Mapping

from attrs import frozen
from trayport_spec import ENDPOINTS, Endpoint

ANALYTICS_PATH = "/analytics/api"
REFERENCE_PATH = "/reference"
_BASES = {"analytics": ANALYTICS_PATH, "reference": REFERENCE_PATH}


@frozen
class Target:
    """An operation, and the parts of the path that are its parameters."""

    endpoint: Endpoint
    segments: Mapping[str, str]


def find_target(path: str) -> Target | None:
    """The operation of a path; fixed words win over parameters."""
    for endpoint in _BY_PRECISION:
        segments = _matched(_BASES[endpoint.api] + endpoint.path, path)
        if segments is not None:
            return Target(endpoint, segments)
    return None


def _matched(template: str, path: str) -> dict[str, str] | None:
    wanted, given = template.split("/"), path.split("/")
    if len(wanted) != len(given):
        return None
    segments: dict[str, str] = {}
    for pattern, text in zip(wanted, given, strict=True):
        if pattern.startswith("{"):
            segments[pattern[1:-1]] = text
        elif pattern != text:
            return None
    return segments


_BY_PRECISION = sorted(ENDPOINTS.values(), key=lambda endpoint: endpoint.path.count("{"))

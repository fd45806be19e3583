"""The table of the generated request builders, which the client's generator does not write."""

from __future__ import annotations

from document import Api

HEADER = '''"""The request builders, by operation id.

Generated from openapi/. Do not edit: run ./codegen.sh.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

'''


def modules(api: Api) -> dict[str, str]:
    """The text of the module, by its path in the repository."""
    modules_by_tag: dict[str, list[str]] = {}
    for endpoint in api.endpoints.values():
        modules_by_tag.setdefault(endpoint.tag.lower(), []).append(endpoint.operation_id)
    imports = "".join(
        f"from .api.{tag} import {', '.join(names)}\n" for tag, names in modules_by_tag.items()
    )
    entries = "".join(f"    {name!r}: {name}.get_kwargs,\n" for name in api.endpoints)
    table = "BUILDERS: Mapping[str, Callable[..., dict[str, Any]]] = MappingProxyType({\n"
    return {"generated/trayport_api/builders.py": f"{HEADER}{imports}\n{table}{entries}}})\n"}

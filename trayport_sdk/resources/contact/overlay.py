"""What differs, as an OpenAPI Overlay that edits the document of this package.

Its targets are JSONPaths into `openapi/trayport.yaml`; `./codegen.sh --overlay FILE` applies it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from trayport_spec import ASSUMPTIONS, SPEC_HASH, SPEC_VERSION

from .compare import SpecDifference
from .findings import Finding

VERSION = "1.0.0"
DOCUMENT = "trayport.yaml"
# All that says of a field what its values are.
OF_A_TYPE = (
    "type", "format", "minimum", "maximum", "enum", "oneOf", "$ref", "x-provenance", "x-assumes",
)  # fmt: skip

Action = Mapping[str, Any]
_COUNT = "$.paths['/sequences/{id}/sequenceItems'].get.parameters[?@.name == 'count'].schema"
_DEPTH = "$.paths['/orders/book'].get.parameters[?@.name == 'depth'].schema"
# What the document says in place of a refuted assumption, where the refutation tells it.
REMEDIES: Mapping[str, Callable[[str], tuple[str, Mapping[str, Any]]]] = {
    "item-count-minimum": lambda _: (_COUNT, {"minimum": 0}),
    "depth-minimum": lambda _: (_DEPTH, {"minimum": 0}),
    "every-item-at-once": lambda seen: (_COUNT, _largest(seen)),
}


def _largest(seen: str) -> Mapping[str, Any]:
    """The maximum that a refusal names, if it does."""
    numbers = [int(word) for word in seen.rstrip(".").split() if word.isdecimal()]
    return {"maximum": numbers[-1]} if "refused" in seen and numbers else {}


def overlay(
    findings: Mapping[str, Finding], differences: Sequence[SpecDifference], day: str
) -> Mapping[str, Any]:
    """The overlay; without actions when nothing differs."""
    actions: list[Action] = []
    for name, finding in findings.items():
        if finding.verdict == "refuted":
            text = f"{ASSUMPTIONS[name]} Refuted on {day}: {finding.seen.rstrip('.')}."
            about = f"Refuted: {name}"
            actions.append(_action("$['x-trayport-assumptions']", about, update={name: text}))
            if name in REMEDIES and (remedy := REMEDIES[name](finding.seen))[1]:
                actions.append(_action(remedy[0], about, update=remedy[1]))
    for difference in differences:
        actions += (action for action in _of(difference) if action not in actions)
    return {
        "overlay": VERSION,
        "info": {
            "title": "In what responses differ from the document",
            "version": f"{SPEC_VERSION}+{day}",
        },
        "extends": DOCUMENT,
        "x-trayport-spec": SPEC_HASH,
        "actions": actions,
    }


def _of(difference: SpecDifference) -> Iterator[Action]:
    """The actions for a difference; what no field says is noted at the operation."""
    kind, path, seen = difference.kind, difference.path, difference.seen
    about = f"{difference.operation_id}: {kind} {path}: {seen}, where it says {difference.expected}"
    if kind == "missing" and difference.change:
        yield _action(difference.place, about, remove=True)
    elif kind in ("type", "null") and difference.change:
        named = ", ".join(f"'{name}'" for name in OF_A_TYPE)
        yield _action(f"{difference.place}[{named}]", about, remove=True)
        assumes = {"x-assumes": [*difference.assumptions]} if difference.assumptions else {}
        yield _action(difference.place, about, update={**difference.change, **assumes})
    elif kind in ("unknown", "limit") and difference.change:
        yield _action(difference.place, about, update=difference.change)
    else:
        note = {f"{kind} {path}".strip(): seen}
        place = difference.operation_place
        yield _action(place, about, update={"x-trayport-observed": note})


def _action(target: str, description: str, **change: Any) -> Action:
    return {"target": target, "description": description, **change}

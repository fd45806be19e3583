"""Applies an OpenAPI Overlay to the document, in place: comments, order and layout stay.

    python openapi/overlay.py FILE [--spec FILE]

Run `./codegen.sh --overlay FILE` rather than this: it makes all generated files again as well, and
leaves everything as it was when the result contradicts itself.

An edit within an object that several places share by an anchor is one for all of them.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import jsonpath
import yaml
from document import LOADER

HERE = Path(__file__).resolve().parent
VERSIONS = ("1.0.0", "1.0.1", "1.1.0")
ALIAS = re.compile(r":\s+(\*[\w-]+)")
ANCHOR = re.compile(r"&[\w-]+\s+")

Parts = tuple[int | str, ...]


class OverlayError(Exception):
    """The overlay cannot be applied; the message says why."""


class _Dumper(yaml.SafeDumper):
    """Objects over several lines, lists on one."""

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> Any:
        del flow_style
        return super().represent_sequence(tag, sequence, flow_style=True)

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def applied(text: str, overlay: Mapping[str, Any]) -> str:
    """The text of a document after the actions of an overlay.

    Raises:
        OverlayError: The overlay is none, or an action fits no place of the document.
    """
    if overlay.get("overlay") not in VERSIONS:
        raise OverlayError(f"it is no OpenAPI Overlay of {', '.join(VERSIONS)}")
    for number, action in enumerate(overlay.get("actions", [])):
        try:
            text = _acted(text, action)
        except (KeyError, jsonpath.JSONPathError) as error:
            raise OverlayError(f"action {number}: {error}") from error
    return text


def _acted(text: str, action: Mapping[str, Any]) -> str:
    """The text after one action. What is removed goes from the end on, so that places stay."""
    data: Any = yaml.load(text, LOADER)  # noqa: S506  (it is a safe one)
    found: list[Parts] = [match.parts for match in jsonpath.finditer(action["target"], data)]
    if action.get("remove"):
        for parts in reversed(found):
            text = _removed(text, parts)
        return text
    if not found:
        raise OverlayError(f"the document has no {action['target']}")
    for parts in found:
        text = _merged(text, parts, action["update"])
    return text


def _node(text: str, parts: Parts) -> yaml.Node:
    node = yaml.compose(text, LOADER)
    for part in parts:
        node = _children(node)[part][1]
    return cast("yaml.Node", node)


def _children(node: yaml.Node | None) -> dict[int | str, tuple[yaml.Node | None, yaml.Node]]:
    """The members of an object or list: where each begins, and its value."""
    if isinstance(node, yaml.MappingNode):
        return {key.value: (key, value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return {number: (None, value) for number, value in enumerate(node.value)}
    return {}


def _span(text: str, key: yaml.Node | None, value: yaml.Node) -> tuple[int, int]:
    """Where a value stands: its alias, or itself without the anchor."""
    if key is not None and (alias := ALIAS.match(text, key.end_mark.index)):
        return alias.span(1)
    start, end = value.start_mark.index, value.end_mark.index
    if anchor := ANCHOR.match(text, start):
        start = anchor.end()
    is_flow = isinstance(value, yaml.CollectionNode) and value.flow_style
    if is_flow or (isinstance(value, yaml.ScalarNode) and value.style not in ("|", ">")):
        return start, end
    # A block ends where the next token begins; blank lines and comments are not part of it.
    lines = text[start:end].splitlines(keepends=True)
    while lines and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
        lines.pop()
    return start, start + len("".join(lines).rstrip())


def _removed(text: str, parts: Parts) -> str:
    """The text without a member of an object or list."""
    parent = _node(text, parts[:-1])
    children = list(_children(parent).items())
    place = next(n for n, (name, _) in enumerate(children) if name == parts[-1])
    spans = [_extent(text, key, value) for _, (key, value) in children]
    start, end = spans[place]
    if len(spans) == 1:
        start, end = _span(text, None, parent)
        return text[:start] + ("{}" if isinstance(parent, yaml.MappingNode) else "[]") + text[end:]
    if cast("yaml.CollectionNode", parent).flow_style:
        if place + 1 < len(spans):
            return text[:start] + text[spans[place + 1][0] :]
        return text[: spans[place - 1][1]] + text[end:]
    if place == 0 and text[text.rfind("\n", 0, start) + 1 : start].strip():
        return text[:start] + text[spans[1][0] :]  # the first member of an element of a list
    if isinstance(parent, yaml.SequenceNode):
        start = text.rfind("-", 0, start)
    return text[: text.rfind("\n", 0, start) + 1] + text[text.find("\n", end) + 1 :]


def _extent(text: str, key: yaml.Node | None, value: yaml.Node) -> tuple[int, int]:
    """Where a member begins and ends, with its name."""
    start, end = _span(text, key, value)
    return (start if key is None else key.start_mark.index), end


def _merged(text: str, parts: Parts, update: Any) -> str:
    """The text after an update was merged into an object, or appended to a list."""
    node = _node(text, parts)
    if isinstance(node, yaml.SequenceNode):
        return _appended(text, node, update if isinstance(update, list) else [update])
    if not isinstance(node, yaml.MappingNode) or not isinstance(update, dict):
        raise OverlayError(f"{'.'.join(map(str, parts))} cannot be merged with {update!r}")
    for name, value in cast("dict[str, Any]", update).items():
        node = _node(text, parts)
        if name not in _children(node):
            text = _added(text, cast("yaml.MappingNode", node), name, value)
            continue
        key, old = _children(node)[name]
        is_deep = isinstance(old, yaml.MappingNode) and isinstance(value, dict)
        if is_deep or (isinstance(old, yaml.SequenceNode) and isinstance(value, list)):
            text = _merged(text, (*parts, name), value)
        else:
            text = _replaced(text, _span(text, key, old), _in_flow(value))
    return text


def _replaced(text: str, span: tuple[int, int], new: str) -> str:
    """The text with another value; its anchor goes to the first that shares the old one."""
    start, end = span
    old, rest = text[start:end], text[end:]
    if anchor := re.search(r"(&([\w-]+)\s+)\Z", text[:start]):
        start = anchor.start()
        rest = re.sub(rf"\*{anchor[2]}\b", lambda _: anchor[1] + old, rest, count=1)
    return text[:start] + new + rest


def _dumped(value: object) -> str:
    text: str = yaml.dump(value, Dumper=_Dumper, width=10**6, sort_keys=False)
    return text


def _in_flow(value: object) -> str:
    return _dumped([value]).strip()[1:-1]


def _added(text: str, node: yaml.MappingNode, name: str, value: object) -> str:
    """The text with another member of an object, after the others."""
    start, end = _span(text, None, node)
    if node.flow_style or not node.value:
        before = text[start : end - 1].rstrip()
        comma = "" if before.endswith("{") else ", "
        return text[:start] + before + comma + f"{name}: {_in_flow(value)}" + text[end - 1 :]
    indent: str = "\n" + " " * node.value[0][0].start_mark.column
    return text[:end] + indent + indent.join(_dumped({name: value}).splitlines()) + text[end:]


def _appended(text: str, node: yaml.SequenceNode, values: Sequence[object]) -> str:
    """The text with further elements of a list."""
    start, end = _span(text, None, node)
    if node.flow_style or not node.value:
        before = text[start : end - 1].rstrip()
        more = [before] if before.strip() != "[" else []
        listed = ", ".join([*more, *map(_in_flow, values)])
        return text[:start] + (listed if more else f"[{listed}") + text[end - 1 :]
    indent = "\n" + " " * (node.value[0].start_mark.column - 2)
    return text[:end] + "".join(f"{indent}- {_in_flow(value)}" for value in values) + text[end:]


def _problems(text: str, overlay: Mapping[str, Any], venues: str) -> Iterator[str]:
    """What a maintainer should know before reading the diff."""
    from document import Api

    made_for = overlay.get("x-trayport-spec")
    if made_for is not None and made_for != Api.read(text, venues).digest:
        yield "the overlay was made for another state of the document: read the diff with care"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Applies an OpenAPI Overlay to the document.")
    parser.add_argument("overlay", type=Path)
    parser.add_argument("--spec", type=Path, default=HERE / "trayport.yaml")
    options = parser.parse_args(arguments)
    text = options.spec.read_text()
    try:
        overlay: Any = yaml.load(options.overlay.read_text(), LOADER)  # noqa: S506
        if not isinstance(overlay, dict):
            raise OverlayError("it is no object")
        found = cast("dict[str, Any]", overlay)
        for problem in _problems(text, found, HERE.joinpath("venues.csv").read_text()):
            print(f"openapi: {problem}", file=sys.stderr)
        options.spec.write_text(applied(text, found))
    except (OSError, yaml.YAMLError, json.JSONDecodeError, OverlayError) as error:
        print(f"openapi: {options.overlay}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

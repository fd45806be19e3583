"""The module of `trayport_spec` that says where the document declares the fields of rows.

What finds that a response differs from the document names the place to edit by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from document import JSON, Api, Document, Node
from write_tables import FOLDER, HEADER, MAPPING

REFERENCE = "#/components/schemas/"
SCHEMAS = "$.components.schemas."
ABOUT = '''"""By the schema of a row, or the operation whose response holds rows: the JSONPath of
each schema that declares fields, with their paths. A path that ends in a dot, or is empty, is that
of an object whose further fields would be declared there."""
'''


def declared(
    document: Document, schema: Node, place: str, path: str = ""
) -> Iterator[tuple[str, str]]:
    """The place and the path of each field of a row, and of each object in it."""
    if "$ref" in schema:
        place = SCHEMAS + str(schema["$ref"]).removeprefix(REFERENCE)
        schema, _ = document.resolve({"$ref": schema["$ref"]})
    parts: list[Node] = schema.get("allOf", [])
    for number, part in enumerate(parts):
        is_last = number == len(parts) - 1  # another field would be declared in that one
        inner = declared(document, part, f"{place}.allOf[{number}]", path)
        yield from ((where, name) for where, name in inner if is_last or name != path)
    if "properties" in schema:
        yield place, path
    for name, node in schema.get("properties", {}).items():
        yield place, path + name
        below: Node = next((o for o in node.get("oneOf", ()) if o.get("type") != "null"), node)
        inside = f"{place}.properties.{name}"
        value, _ = document.resolve(below)
        if value.get("type") == "array":
            below, inside = value["items"], f"{inside}.items"
            value, _ = document.resolve(below)
        if "properties" in value or "allOf" in value:
            yield from declared(document, below, inside, f"{path}{name}.")


def modules(api: Api) -> dict[str, str]:
    """The text of the module, by its path in the repository."""
    found: dict[str, dict[str, list[str]]] = {}

    def add(name: str, schema: Any, place: str = "") -> None:
        if name not in found:
            found[name] = {}
            for where, path in declared(api.document, schema, place):
                found[name].setdefault(where, []).append(path)

    for path, operation in api.document.operations():
        row = operation["x-trayport-row"]
        add(row["schema"], {"$ref": REFERENCE + row["schema"]})
        if "at" in row:
            body = operation["responses"]["200"]["content"][JSON]["schema"]
            place = f"$.paths['{path}'].get.responses['200'].content['{JSON}'].schema"
            add(operation["operationId"], body, place)
    entries = "".join(
        f"{name!r}: {{{', '.join(f'{where!r}: {tuple(paths)!r}' for where, paths in of.items())}}},"
        for name, of in found.items()
    )
    text = HEADER.format(title="Where the document declares the fields of rows.") + MAPPING
    kind = "Mapping[str, Mapping[str, tuple[str, ...]]]"
    text += f"DECLARED: {kind} = MappingProxyType({{{entries}}})\n{ABOUT}"
    return {f"{FOLDER}/places.py": text}

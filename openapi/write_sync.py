"""Writes the synchronous client from the asynchronous one: the same names and types, no `await`.

Every public method of the asynchronous classes becomes one that runs it on the loop of the client's
own thread. What a class inherits from generated methods is part of it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import define, field
from write_methods import GENERATED, RESOURCES, WRAPPER

Function = ast.FunctionDef | ast.AsyncFunctionDef

CLIENT = ("client", "TrayportClient")
STREAM = ("bulk.stream", "TableStream")
PLANNER = ("resources.planner", "Planner")
MODELS = "trayport_api.models"
GROUPS = "resources.generated.groups"
HEAD = f'''"""The synchronous client: the names of the asynchronous one, without `await`.

    from trayport_sdk.sync import TrayportClient

It works in scripts, in threads, and in notebooks whose loop is running already. A thread of the
client's own has the loop, on which also the functions are called that you hand over, such as
`on_progress`.

{GENERATED}
"""
'''
SPECIAL = {
    "TrayportClient": '''
    @classmethod
    def _around(cls, client: async_.TrayportClient, portal: Portal) -> Self:
        self = cls.__new__(cls)
        self._async, self._portal = client, portal
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes every connection. Clients made by `with_options` are closed as well."""
        self._portal.close(self._async.aclose())
''',
    "TableStream": '''
    def __iter__(self) -> Iterator[TradesBatch]:
        """The rows of one contract in one window at a time; leaving the loop ends the requests."""
        return self._portal.iterate(self._async)

    def close(self) -> None:
        """Ends the requests of a stream that is not iterated to its end."""
        self._portal.run(self._async.aclose())
''',
}
HIDDEN = {"aclose"}


@define
class Module:
    """A module of the wrapper: its classes, and where its names come from."""

    name: str
    text: str
    tree: ast.Module = field(init=False)
    homes: dict[str, tuple[str, str]] = field(init=False, factory=dict[str, tuple[str, str]])
    packages: dict[str, str] = field(init=False, factory=dict[str, str])

    def __attrs_post_init__(self) -> None:
        self.tree = ast.parse(self.text)
        package = self.name.split(".")[:-1]
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                self.packages.update({n.asname or n.name: n.name for n in node.names})
            elif isinstance(node, ast.ImportFrom):
                base = package[: len(package) - node.level + 1] if node.level else []
                own = "." if node.level else ""
                module = ".".join([*base, *([node.module] if node.module else [])])
                for alias in node.names:
                    self.homes[alias.asname or alias.name] = (own + module, alias.name)
        for node in self.tree.body:
            names: list[str] = []
            if isinstance(node, ast.ClassDef):
                names = [node.name]
            elif isinstance(node, ast.Assign):
                names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                names = [node.target.id]
            self.homes.update({name: (f".{self.name}", name) for name in names})

    def class_named(self, name: str) -> ast.ClassDef:
        return next(
            node for node in self.tree.body if isinstance(node, ast.ClassDef) and node.name == name
        )


@define
class Writer:
    """Collects the classes and the names that their signatures need."""

    wrapper: Path
    found: Mapping[str, str]
    classes: dict[str, tuple[str, str]] = field(factory=dict[str, tuple[str, str]])
    imports: dict[str, tuple[str, str]] = field(factory=dict[str, tuple[str, str]])
    packages: dict[str, str] = field(factory=dict[str, str])
    needed_at_run_time: set[str] = field(factory=set[str])

    def module(self, name: str) -> Module:
        path = f"{name.replace('.', '/')}.py"
        text = self.found.get(path) or (self.wrapper / path).read_text()
        return Module(name, text)

    def members(self, module: Module, node: ast.ClassDef) -> Iterator[tuple[Module, ast.stmt]]:
        """The members of a class, those of its bases in this package first."""
        for base in node.bases:
            if isinstance(base, ast.Name) and base.id in module.homes:
                home, name = module.homes[base.id]
                if home.startswith("."):
                    above = self.module(home[1:])
                    yield from self.members(above, above.class_named(name))
        for member in node.body:
            yield module, member

    def use(self, module: Module, node: ast.AST | None, *, at_run_time: bool = False) -> None:
        """Notes the names that a part of a signature needs."""
        for part in ast.walk(node) if node is not None else ():
            if not isinstance(part, ast.Name):
                continue
            if part.id in module.packages:
                self.packages[part.id] = module.packages[part.id]
            elif part.id in module.homes:
                home = module.homes[part.id]
                if home[0] == MODELS:
                    # One of them is called Sequence.
                    part.id = f"models.{home[1]}"
                    continue
                self.imports[part.id] = home
                if at_run_time:
                    self.needed_at_run_time.add(part.id)

    def annotation(self, module: Module, node: ast.expr | None) -> str:
        self.use(module, node)
        text = "None" if node is None else ast.unparse(node)
        return re.sub(r"\bAsync(?:Generator|Iterator)\b", "Iterator", text)

    def class_of(self, module_name: str, name: str) -> str:
        """The source of the synchronous class of an asynchronous one."""
        module = self.module(module_name)
        node = module.class_named(name)
        lines = [
            "@checked_calls",
            f"class {name}:",
            documented(ast.get_docstring(node), "    "),
            *([] if name == "TrayportClient" else [self.beginning(module_name, name)]),
        ]
        members: dict[str, list[str]] = {}
        for home, member in self.members(module, node):
            if isinstance(member, Function):
                text = self.method(home, member, name)
                if not text:
                    continue
                known = members.setdefault(member.name, [])
                if not (known and is_overload(member)) and home is not module:
                    known.clear()
                if known and "@overload" not in known[-1]:
                    known.clear()
                known.append(text)
            elif isinstance(member, ast.AnnAssign):
                attribute = ast.unparse(member.target)
                if not attribute.startswith("_"):
                    kind = self.annotation(home, member.annotation)
                    members[attribute] = [
                        f"    @property\n    def {attribute}(self) -> {kind}:\n"
                        f"        return self._async.{attribute}\n"
                    ]
        for texts in members.values():
            lines += texts
        return "\n".join([*lines, SPECIAL.get(name, "")])

    def beginning(self, module_name: str, name: str) -> str:
        self.imports[f"Async{name}"] = (f".{module_name}", name)
        return (
            f"    def __init__(self, async_: Async{name}, portal: Portal) -> None:\n"
            "        self._async, self._portal = async_, portal\n"
        )

    def method(self, module: Module, node: Function, owner: str) -> str:
        """The source of one method; nothing for those that only the other client has."""
        if node.name == "__init__" and owner == "TrayportClient":
            return self.constructor(module, node)
        if node.name.startswith("_") or node.name in HIDDEN:
            return ""
        given = self.parameters(module, node.args)
        kind = self.annotation(module, node.returns)
        decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
        call = f"self._async.{node.name}({passed(node.args)})"
        head = "    def"
        if decorators & {"property", "cached_property"}:
            head, call = "    @property\n    def", f"self._async.{node.name}"
        elif "classmethod" in decorators:
            if owner != "TrayportClient":
                return ""
            head = "    @classmethod\n    def"
            call = f"async_.{owner}.{node.name}({passed(node.args)})"
        elif "overload" in decorators:
            head = "    @overload\n    def"
        if kind == "Self":
            self_or_class = "cls" if "classmethod" in decorators else "self"
            portal = "Portal()" if "classmethod" in decorators else "self._portal"
            call = f"{self_or_class}._around({call}, {portal})"
        elif isinstance(node, ast.AsyncFunctionDef):
            call = f"self._portal.run({call})"
        elif kind.startswith("Iterator["):
            call = f"self._portal.iterate({call})"
        elif kind in self.classes:
            call = f"{kind}({call}, self._portal)"
        body = "        ..." if "overload" in decorators else f"        return {call}"
        text = documented(ast.get_docstring(node), " " * 8)
        return f"{head} {node.name}({given}) -> {kind}:\n{text}{body}\n"

    def constructor(self, module: Module, node: Function) -> str:
        given = self.parameters(module, node.args)
        return (
            f"    def __init__({given}) -> None:\n"
            "        from .settings import masked_key\n\n"
            "        api_key = masked_key(api_key)\n"
            f"        self._async = async_.TrayportClient({passed(node.args)})\n"
            "        self._portal = Portal()\n"
        )

    def parameters(self, module: Module, given: ast.arguments) -> str:
        for argument in [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg]:
            if argument is not None:
                self.use(module, argument.annotation)
        if given.kwarg is not None:
            self.use(module, given.kwarg.annotation)
        for default in [*given.defaults, *given.kw_defaults]:
            self.use(module, default, at_run_time=True)
        return ast.unparse(given)


def is_overload(node: Function) -> bool:
    return any(ast.unparse(decorator) == "overload" for decorator in node.decorator_list)


def passed(given: ast.arguments) -> str:
    """The arguments as they are handed on."""
    names = [argument.arg for argument in [*given.posonlyargs, *given.args]][1:]
    if given.vararg is not None:
        names.append(f"*{given.vararg.arg}")
    names += [f"{argument.arg}={argument.arg}" for argument in given.kwonlyargs]
    if given.kwarg is not None:
        names.append(f"**{given.kwarg.arg}")
    return ", ".join(names)


def documented(text: str | None, indent: str) -> str:
    """A docstring whose examples do not wait."""
    if text is None:
        return ""
    shown = re.sub(r"\basync (with|for)\b", r"\1", text)
    # Parentheses around what was awaited stay where an attribute follows them.
    shown = re.sub(r"\bawait (?=[\w(])", "", shown)
    shown = shown.replace("asynchronous context manager", "context manager")
    shown = re.sub(r"\baclose\b", "close", shown)
    lines = [f"{indent}{line}".rstrip() for line in f'"""{shown}'.splitlines()]
    if len(lines) == 1:
        return f'{lines[0]}"""\n'
    return "\n".join([*lines, f'{indent}"""']) + "\n"


def modules(found: Mapping[str, str]) -> dict[str, str]:
    """The text of the module of the synchronous client, by its path in the repository.

    Args:
        found: The other generated modules.
    """
    prefix = RESOURCES.removesuffix("resources")
    own = {path.removeprefix(prefix): text for path, text in found.items()}
    writer = Writer(WRAPPER, own)
    groups = writer.module(GROUPS)
    kinds = [
        ast.unparse(member.returns)
        for member in groups.class_named("Groups").body
        if isinstance(member, ast.FunctionDef) and member.returns is not None
    ]
    homes = {kind: groups.homes[kind] for kind in kinds}
    writer.classes = {
        name: (home.removeprefix("."), original) for name, (home, original) in homes.items()
    }
    for module, name in (STREAM, PLANNER):
        writer.classes[name] = (module, name)
    bodies = [writer.class_of(module, name) for module, name in writer.classes.values()]
    bodies.append(writer.class_of(*CLIENT))
    typing = {"Self", "TYPE_CHECKING", "Any", "overload"}
    for name in writer.classes:
        writer.imports.pop(name, None)
    for name, (home, _) in [*writer.imports.items()]:
        if home == "typing":
            typing.add(name)
    at_run_time: list[str] = []
    for_types = ["    from types import TracebackType", "    from .tables import TradesBatch"]
    for name, (home, original) in sorted(writer.imports.items()):
        if home in ("typing", "__future__"):
            continue
        line = f"from {home} import {original}" + (f" as {name}" if name != original else "")
        if name in writer.needed_at_run_time:
            at_run_time.append(line)
        else:
            for_types.append(f"    {line}")
    for_types += [
        f"    import {full}" + ("" if full == name else f" as {name}")
        for name, full in writer.packages.items()
    ]
    for_types.append("    from trayport_api import models")
    head = [
        HEAD,
        "from __future__ import annotations\n",
        "from collections.abc import Iterator",
        f"from typing import {', '.join(sorted(typing))}\n",
        *at_run_time,
        "from . import client as async_",
        "from .query.calls import checked_calls",
        "from .resources.portal import Portal\n",
        "if TYPE_CHECKING:",
        *for_types,
        '\n__all__ = ["TrayportClient"]\n',
    ]
    return {f"{prefix}sync.py": "\n".join(head) + "\n" + "\n\n".join(bodies)}

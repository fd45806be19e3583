"""The mutants of a module: the same code with one small change in one function.

The changes are those of mutmut, which are its operators on the tree of libcst.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from textwrap import dedent, indent
from types import CodeType

import libcst as cst
from attrs import frozen
from libcst.metadata import CodeRange, MetadataWrapper, WhitespaceInclusivePositionProvider
from mutmut.mutation.mutators import mutation_operators

from tests.perf.process import ROOT

SENTENCE = re.compile(r"[a-z,:;]+ [a-z]+", re.IGNORECASE)
"""Texts of several words are not changed: they are for people, or for a database."""
SKIPPED = cst.Annotation | cst.Decorator | cst.Param
"""What is no part of the code of a function, or nothing that it does."""


@frozen
class Mutant:
    """A module with one change."""

    module: str
    """Its path in the repository."""
    function: str
    """The qualified name of the function that is changed."""
    was: str
    """The lines that are changed, as one."""
    becomes: str
    code: str
    """The function, changed."""
    begin: int
    """The first line of the function, counted from 0; `end` is the first one after it."""
    end: int
    lines: range
    """Those that are changed, as a traceback counts them."""

    def compiled(self) -> CodeType:
        """The whole module."""
        lines = source(self.module).splitlines()
        before, after = lines[self.begin : self.end], self.code.splitlines()
        if "super()" in "".join(before) and "super()" not in self.code:
            # Code can be replaced by such as refers to the same variables of its surroundings.
            after.append(f"{before[-1][: len(before[-1]) - len(before[-1].lstrip())]}__class__")
        lines[self.begin : self.end] = after
        return compile("\n".join(lines), str(ROOT / self.module), "exec", dont_inherit=True)

    @property
    def key(self) -> str:
        """What tells it from others; two changes that read the same share it."""
        return f"{self.module} {self.function}: {self.was} → {self.becomes}"


@cache
def source(module: str) -> str:
    return (ROOT / module).read_text()


def mutants(module: str, function: str | None = None) -> list[Mutant]:
    """All mutants of a module, or those of one of its functions."""
    found = functions(ast.parse(source(module)))
    return [
        mutant
        for name, node in found
        if function in (None, name)
        for mutant in _of_function(module, name, node)
    ]


def functions(
    tree: ast.Module | ast.ClassDef, prefix: str = ""
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """The functions and methods; those within another function belong to that one."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from functions(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{prefix}{node.name}", node


def _of_function(
    module: str, name: str, node: ast.FunctionDef | ast.AsyncFunctionDef
) -> Iterator[Mutant]:
    begin = min([node.lineno, *(each.lineno for each in node.decorator_list)]) - 1
    lines = source(module).splitlines()[begin : node.end_lineno]
    margin = " " * (len(lines[0]) - len(lines[0].lstrip()))
    tree = MetadataWrapper(cst.parse_module(dedent("\n".join(lines)) + "\n"), unsafe_skip_copy=True)
    places = tree.resolve(WhitespaceInclusivePositionProvider)
    changes = _Changes()
    tree.module.visit(changes)
    for old, new in changes.found:
        code = indent(_put(tree.module, places[old], old, new), margin).rstrip("\n")
        after = code.split("\n")
        first = _shared(lines, after)
        shorter = min(len(lines), len(after)) - first
        last = min(_shared(lines[::-1], after[::-1]), shorter)
        yield Mutant(
            module,
            name,
            _line(lines[first : len(lines) - last]),
            _line(after[first : len(after) - last]),
            code,
            begin,
            begin + len(lines),
            range(begin + first + 1, begin + max(first + 1, len(lines) - last) + 1),
        )


def _put(tree: cst.Module, place: CodeRange, old: cst.CSTNode, new: cst.CSTNode) -> str:
    """The code with another node in a place; its text suffices where no lines are indented."""
    if isinstance(old, cst.BaseCompoundStatement):
        changed = tree.deep_replace(old, new)
        assert isinstance(changed, cst.Module)
        return changed.code
    lines = tree.code.split("\n")
    start, end = place.start, place.end
    before, after = lines[start.line - 1][: start.column], lines[end.line - 1][end.column :]
    lines[start.line - 1 : end.line] = [before + tree.code_for_node(new) + after]
    return "\n".join(lines)


def _shared(lines: list[str], others: list[str]) -> int:
    """How many lines are the same at the beginning."""
    pairs = enumerate(zip(lines, others, strict=False))
    different = (i for i, (line, other) in pairs if line.strip() != other.strip())
    return next(different, min(len(lines), len(others)))


def _line(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines)


class _Changes(cst.CSTVisitor):
    """Collects what may be put in place of what."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[cst.CSTNode, cst.CSTNode]] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, SKIPPED) or _is_fixed(node):
            return False
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                self.found += [(node, new) for new in operator(node)]
        return True


def _is_fixed(node: cst.CSTNode) -> bool:
    """Texts for people; and calls whose arguments only types can be, as mutmut leaves them out."""
    if isinstance(node, cst.SimpleString):
        return SENTENCE.search(node.value) is not None
    return (
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Name)
        and node.func.value in {"isinstance", "len", "cast"}
    )

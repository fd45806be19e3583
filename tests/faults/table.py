"""The table of the documentation: written by `make faults`, and read by the tests."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeAlias, TypeVar

from tests.faults.kinds import FAULTS
from tests.faults.matrix import MODES, Mode

Outcomes: TypeAlias = Mapping[tuple[str, str, Mode], frozenset[str]]
"""What came of a method, a fault and a mode, wherever the fault hit."""

ARROW, OR = " → ", " or "
NO_ERROR = "none"
Name = TypeVar("Name", bound=Hashable)


def written(outcomes: Outcomes) -> str:
    """The table as Markdown: methods of the same outcomes share a column, faults a line."""
    methods = list(dict.fromkeys(method for method, _, _ in outcomes))
    faults = list(dict.fromkeys(fault for _, fault, _ in outcomes))
    columns = _alike(methods, lambda method: [_cell(outcomes, method, f) for f in faults])
    lines = _alike(faults, lambda f: [error_of(f), *(_cell(outcomes, m[0], f) for m in columns)])
    letters = [chr(ord("A") + number) for number in range(len(columns))]
    listed = [
        f"- **{letter}**: {', '.join(f'`{method}`' for method in column)}"
        for letter, column in zip(letters, columns, strict=True)
    ]
    table = [
        f"| Fault | Error | {' | '.join(letters)} |",
        f"| --- | --- |{' --- |' * len(letters)}",
        *(
            f"| {'; '.join(line)} | {error_of(line[0])} | "
            f"{' | '.join(_cell(outcomes, column[0], line[0]) for column in columns)} |"
            for line in lines
        ),
    ]
    return "\n".join([*listed, "", *table])


def read(text: str) -> tuple[Outcomes, Mapping[str, str]]:
    """The outcomes that a table shows, and the error of each fault."""
    columns = {
        letter: re.findall(r"`([^`]+)`", methods)
        for letter, methods in re.findall(r"^- \*\*(\w)\*\*: (.+)$", text, re.MULTILINE)
    }
    outcomes: dict[tuple[str, str, Mode], frozenset[str]] = {}
    errors: dict[str, str] = {}
    for line in re.findall(r"^\| (.+) \|$", text, re.MULTILINE):
        faults, error, *cells = line.split(" | ")
        if faults in ("Fault", "---"):
            continue
        for fault in faults.split("; "):
            errors[fault] = error
            for methods, cell in zip(columns.values(), cells, strict=True):
                texts = cell.split(ARROW)
                for mode, words in zip(MODES, (texts[0], texts[-1]), strict=True):
                    for method in methods:
                        outcomes[method, fault, mode] = frozenset(words.split(OR))
    return outcomes, errors


def _alike(names: Sequence[Name], line: Callable[[Name], Sequence[str]]) -> list[list[Name]]:
    """The names in groups whose lines are the same."""
    groups: dict[Hashable, list[Name]] = {}
    for name in names:
        groups.setdefault(tuple(line(name)), []).append(name)
    return list(groups.values())


def _cell(outcomes: Outcomes, method: str, fault: str) -> str:
    words = [OR.join(sorted(outcomes[method, fault, mode])) for mode in MODES]
    return ARROW.join(dict.fromkeys(words))


def error_of(fault: str) -> str:
    """The error that a fault ends in, as the table shows it."""
    error = FAULTS[fault].error
    return NO_ERROR if error is None else f"`{error.__name__}`"

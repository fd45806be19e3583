"""The drawings on the page about the architecture, made of the rooms that a test knows.

`python -m tests.docs` writes them, for light and for dark pages.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from attrs import frozen

from tests.test_imports import ARROWS, PACKAGE

ASSETS = Path(__file__).resolve().parents[2] / "docs" / "assets" / "drawings"
WIDTH, GAP, ROOM, STEP = 760, 14, 58, 46
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"
MONO = "ui-monospace, SFMono-Regular, Menlo, 'DejaVu Sans Mono', monospace"

DOES = {
    "cli": "the command trayport",
    "sync": "the same without async",
    "client": "what users open",
    "resources": "methods, planner, names, health",
    "bulk": "queries of any size, streams, data sets",
    "tables": "bytes into typed columns",
    "http": "retry, breaker, limiter, connection",
    "query": "contracts, times, rules, plans",
    "telemetry": "logs, metrics, traces",
    "settings": "what may be set",
    "errors": "what may go wrong",
}
# What happens, where; those within an attempt are repeated with each.
CALL = (
    ("client.trades.get_trades(...)", "resources/generated/trades.py", False),
    ("refuse what the API would refuse", "query/rules.py", False),
    ("plan the fewest requests", "query/planner.py", False),
    ("send them, split what is too large", "bulk/executor.py", False),
    ("the breaker admits", "http/breaker.py", True),
    ("the limiter grants", "http/limiter/limiter.py", True),
    ("the request leaves, bytes come back", "http/transport.py", True),
    ("bytes become typed columns", "tables/decode/decoder.py", True),
    ("one table; models when it is iterated", "tables/base.py", False),
)


@frozen
class Theme:
    text: str
    quiet: str
    fill: str
    line: str
    strong: str


THEMES = {
    "light": Theme("#1b2733", "#5b6b79", "#f4f7f9", "#c9d5dd", "#c25400"),
    "dark": Theme("#e6edf3", "#9fb0bd", "#15252f", "#33495a", "#ffb545"),
}


def drawings() -> dict[str, str]:
    """The text of each drawing, by the name of its file."""
    drawn = {"rooms": rooms, "call": call}
    return {f"{name}-{t}.svg": draw(THEMES[t]) for name, draw in drawn.items() for t in THEMES}


def rows() -> list[list[str]]:
    """The rooms, those that import nothing last."""
    depth: dict[str, int] = {}
    for room in sorted(ARROWS, key=lambda room: len(ARROWS[room])):
        known = [depth[below] for below in ARROWS[room] if below in depth]
        depth[room] = max(known, default=-1) + 1
    levels = sorted({depth[room] for room in DOES}, reverse=True)
    return [[room for room in DOES if depth[room] == level] for level in levels]


def rooms(theme: Theme) -> str:
    parts: list[str] = []
    above = rows()
    for number, row in enumerate(above):
        top = number * (ROOM + 2 * GAP)
        width = (WIDTH - GAP * (len(row) - 1)) / len(row)
        for place, room in enumerate(row):
            left = place * (width + GAP)
            parts.append(_box(left, top, width, ROOM, theme))
            middle = left + width / 2
            parts.append(_text(middle, top + 25, room, theme.text, 15, "bold", MONO))
            parts.append(_text(middle, top + 44, DOES[room], theme.quiet, 12))
        if number:
            parts.append(_arrow(WIDTH / 2, top - 2 * GAP, top, theme))
    return _svg(parts, len(above) * (ROOM + 2 * GAP) - 2 * GAP)


def call(theme: Theme) -> str:
    parts: list[str] = []
    tops = [number * (STEP + GAP) for number in range(len(CALL))]
    within = [top for top, (_, _, repeated) in zip(tops, CALL, strict=True) if repeated]
    height = within[-1] - within[0] + STEP + GAP
    left, wide = 20.0, WIDTH - 130.0
    parts.append(
        f'<rect x="{left - 12:g}" y="{within[0] - GAP / 2:g}" width="{wide + 24:g}" '
        f'height="{height:g}" rx="10" fill="none" stroke="{theme.strong}" stroke-dasharray="5 4"/>'
    )
    beside = left + wide + 60
    middle = within[0] + height / 2
    parts.append(_text(beside, middle - 16, "per attempt,", theme.strong, 12))
    parts.append(_text(beside, middle, "again after", theme.strong, 12))
    parts.append(_text(beside, middle + 16, "a failure", theme.strong, 12))
    for top, (what, where, _) in zip(tops, CALL, strict=True):
        if top:
            parts.append(_arrow(left + wide / 2, top - GAP, top, theme))
        parts.append(_box(left, top, wide, STEP, theme))
        parts.append(_text(left + 16, top + 28, what, theme.text, 14, anchor="start"))
        shown = _text(left + wide - 16, top + 28, where, theme.quiet, 12, "normal", MONO, "end")
        parts.append(shown)
    return _svg(parts, tops[-1] + STEP)


def _box(left: float, top: float, width: float, height: float, theme: Theme) -> str:
    return (
        f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" rx="7" '
        f'fill="{theme.fill}" stroke="{theme.line}"/>'
    )


def _text(
    x: float, y: float, text: str, colour: str, size: int, weight: str = "normal",
    family: str = FONT, anchor: str = "middle",
) -> str:  # fmt: skip
    return (
        f'<text x="{x:g}" y="{y:g}" fill="{colour}" font-size="{size}" font-weight="{weight}" '
        f'font-family="{family}" text-anchor="{anchor}">{escape(text)}</text>'
    )


def _arrow(x: float, start: float, end: float, theme: Theme) -> str:
    return (
        f'<path d="M{x:g} {start:g}V{end - 2:g}m-4 -5l4 5l4 -5" fill="none" '
        f'stroke="{theme.quiet}" stroke-width="1.5"/>'
    )


def _svg(parts: list[str], height: float) -> str:
    inner = "\n".join(f"  {part}" for part in parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 {WIDTH + 2} {height + 2:g}" '
        f'width="{WIDTH + 2}" height="{height + 2:g}">\n{inner}\n</svg>\n'
    )


def missing() -> list[str]:
    """The places on the way of a call that are no files of the package."""
    return [where for _, where, _ in CALL if not (PACKAGE / where).is_file()]


def write() -> list[str]:
    """Writes the drawings that are not what they should be; their names."""
    ASSETS.mkdir(parents=True, exist_ok=True)
    old = {name: text for name, text in drawings().items() if not _is(name, text)}
    for name, text in old.items():
        (ASSETS / name).write_text(text)
    return list(old)


def _is(name: str, text: str) -> bool:
    return (ASSETS / name).exists() and (ASSETS / name).read_text() == text

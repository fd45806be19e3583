"""The charts on pages: each drawn twice, for light and for dark pages.

A drawing differs a little between versions of the renderer, so it carries the digest of what it
shows, and that is what tests compare.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import vl_convert as vlc

ASSETS = Path(__file__).resolve().parents[2] / "docs" / "assets" / "charts"
SHOWN = re.compile(r"assets/charts/([\w-]+)-light\.svg")
DIGEST = re.compile(r"<!-- of ([0-9a-f]+) -->")
THEMES = {"light": ("#1b2733", "#4d5b69", "#dfe5ea"), "dark": ("#e6edf3", "#a5b3c0", "#33404d")}
# Those that are kept as PNG as well, for readers of the README.
PICTURES = ("april",)
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"


def charts_of(page: Path) -> list[str]:
    """The names of the charts that a page shows."""
    return sorted(set(SHOWN.findall(page.read_text())))


def digest(spec: dict[str, Any]) -> str:
    """Of what a chart shows; versions of the language and defaults do not count."""
    shown = {key: value for key, value in spec.items() if key not in ("$schema", "config")}
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:16]


def is_drawn(name: str, spec: dict[str, Any]) -> bool:
    """Whether both drawings of a chart are there and show this."""
    files = [ASSETS / f"{name}-{theme}.svg" for theme in THEMES]
    drawn = [DIGEST.findall(file.read_text()) if file.exists() else [] for file in files]
    has_picture = name not in PICTURES or (ASSETS / f"{name}.png").exists()
    return has_picture and all(found == [digest(spec)] for found in drawn)


def draw(name: str, spec: dict[str, Any]) -> bool:
    """Draws a chart, unless that has been done."""
    if is_drawn(name, spec):
        return False
    ASSETS.mkdir(parents=True, exist_ok=True)
    for theme, (strong, quiet, faint) in THEMES.items():
        axis = {"labelColor": quiet, "titleColor": quiet, "domainColor": faint, "tickColor": faint}
        config = {
            "background": None,
            "font": FONT,
            "axis": axis | {"gridColor": faint, "titleFontWeight": "normal"},
            "legend": {"labelColor": quiet, "titleColor": quiet},
            "title": {"color": strong, "subtitleColor": quiet},
            "view": {"stroke": None},
        }
        dressed = spec | {"config": spec.get("config", {}) | config}
        svg = vlc.vegalite_to_svg(dressed, allowed_base_urls=[])
        if name in PICTURES and theme == "light":
            white = dressed | {"config": dressed["config"] | {"background": "white", "padding": 12}}
            (ASSETS / f"{name}.png").write_bytes(vlc.vegalite_to_png(white, scale=1.5))
        (ASSETS / f"{name}-{theme}.svg").write_text(f"{svg}\n<!-- of {digest(spec)} -->\n")
    return True

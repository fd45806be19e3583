"""A chart that shows itself in notebooks and writes itself into files, without a network."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import unknown_value
from ..output import check_writable, replaced, user_path

if TYPE_CHECKING:
    import altair as alt

ENDINGS = (".html", ".svg", ".png", ".json")
_SCALE = 2
_OPTIONS = {"mode": "vega-lite", "actions": {"export": True, "source": False, "editor": False}}
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="UTF-8"><title>{title}</title></head>
<body>
<div id="chart"></div>
<script>{library}</script>
<script>vegaEmbed("#chart", {spec}, {options}).catch(console.error)</script>
</body>
</html>
"""


def check_chart_file(path: str | Path, parameter: str = "path") -> Path:
    """Checks that a chart can be written into a file.

    Raises:
        TrayportValidationError: There is no such kind of file, or it cannot be written.
    """
    if user_path(path, parameter).suffix.lower() not in ENDINGS:
        raise unknown_value(parameter, str(path), ENDINGS, "ends in no kind of chart")
    return check_writable(path, parameter)


class Chart:
    """A chart of a table. A notebook shows it as a picture; `save` writes it into a file.

    Attributes:
        altair: The chart of Altair, to change or to combine with others.
        title: What it is of.

    Example:
        >>> async with TrayportClient.sandbox() as client:
        ...     trades = await client.trades.get_trades(
        ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05"
        ...     )
        >>> chart = trades.plot("EUR/MWh", tz="Europe/Amsterdam")
        >>> chart
        Chart('TTF Hi Cal 51.6* Apr-24')
        >>> chart.save("trades.svg")
    """

    def __init__(self, altair: alt.LayerChart | alt.VConcatChart, title: str) -> None:
        self.altair = altair
        self.title = title

    def to_dict(self) -> dict[str, Any]:
        """The chart as a specification of Vega-Lite, with its data."""
        return self.altair.to_dict()

    def save(self, path: str | Path) -> None:
        """Writes the chart; the file appears when it is whole.

        Args:
            path: The file, whose ending says what it is: `.html`, a page with values under the
                pointer, which loads nothing from elsewhere; `.svg` or `.png`, a picture; `.json`,
                the specification of Vega-Lite.

        Raises:
            TrayportValidationError: There is no such kind of file, or it cannot be written.
            OSError: The disk is full, or the like.
        """
        target = check_chart_file(path)
        kinds = {".html": self._html, ".svg": self._svg, ".png": self._png, ".json": self._json}
        content = kinds[target.suffix.lower()]()
        with replaced(target) as file:
            file.write(content)

    def _json(self) -> bytes:
        return json.dumps(self.to_dict()).encode()

    def _svg(self) -> bytes:
        import vl_convert as vlc

        return vlc.vegalite_to_svg(self.to_dict(), allowed_base_urls=[]).encode()

    def _png(self) -> bytes:
        import vl_convert as vlc

        return vlc.vegalite_to_png(self.to_dict(), scale=_SCALE, allowed_base_urls=[])

    def _html(self) -> bytes:
        import vl_convert as vlc

        page = _PAGE.format(
            title=escape(self.title),
            library=vlc.javascript_bundle("window.vegaEmbed = vegaEmbed"),
            # Names in the data must not end the script.
            spec=json.dumps(self.to_dict()).replace("<", "\\u003c"),
            options=json.dumps(_OPTIONS),
        )
        return page.encode()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.title!r})"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        del include, exclude
        return {"image/svg+xml": self._svg().decode(), "text/plain": repr(self)}

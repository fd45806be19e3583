"""The site is built strictly and loads nothing from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from trayport_spec import ASSUMPTIONS, ENDPOINTS, VENUES

from tests.test_imports import ARROWS

from . import drawings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
LOADING = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
FOREIGN = re.compile(r"(https?:)?//", re.IGNORECASE)
IN_STYLES = re.compile(r"""(?:url\(\s*["']?|@import\s+["'])((?:https?:)?//[^"')]+)""")


class Assets(HTMLParser):
    """The addresses that a page makes a browser load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get(LOADING.get(tag, ""))
        if address:
            self.found.append(address)


def pages(site: Path) -> Iterator[Path]:
    yield from site.rglob("*.html")


def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    for page in pages(site):
        assets = Assets()
        assets.feed(page.read_text())
        assert [a for a in assets.found if FOREIGN.match(a)] == [], page


def test_no_style_sheet_loads_anything_from_another_host(site: Path) -> None:
    for sheet in site.rglob("*.css"):
        assert IN_STYLES.findall(sheet.read_text()) == [], sheet


def test_every_asset_of_a_page_is_part_of_the_site(site: Path) -> None:
    for page in pages(site):
        assets = Assets()
        assets.feed(page.read_text())
        for address in assets.found:
            path = address.partition("#")[0].partition("?")[0]
            base = site if path.startswith("/") else page.parent
            assert (base / path.lstrip("/")).exists(), f"{page}: {address}"


def test_swagger_asks_no_validator_and_offers_the_sandbox_first(site: Path) -> None:
    assert 'validatorUrl: "none"' in (site / "api" / "swagger.js").read_text()
    document = yaml.safe_load((site / "api" / "trayport.yaml").read_text())
    for item in document["paths"].values():
        assert item["servers"][0]["url"].startswith("http://127.0.0.1:")


def test_the_tables_name_every_operation_assumption_and_venue(site: Path) -> None:
    endpoints = (site / "api" / "endpoints" / "index.html").read_text()
    assumptions = (site / "api" / "assumptions" / "index.html").read_text()
    venues = (site / "api" / "venues" / "index.html").read_text()
    assert [name for name in ENDPOINTS if f'id="{name}"' not in endpoints] == []
    assert [name for name in ASSUMPTIONS if f'id="{name}"' not in assumptions] == []
    assert [code for code in VENUES if f"<code>{code}</code>" not in venues] == []


def test_the_drawings_show_the_rooms_and_the_way_of_a_call_as_they_are() -> None:
    assert drawings.missing() == []
    assert ARROWS.keys() - drawings.DOES.keys() == {"__main__"}
    kept = {file.name: file.read_text() for file in drawings.ASSETS.iterdir()}
    assert kept == drawings.drawings(), "python -m tests.docs draws them"


def test_the_index_for_agents_leads_to_pages(site: Path) -> None:
    index = (site / "llms.txt").read_text()
    leads = re.findall(r"\]\((\S+)\)", index)
    assert len(leads) > 40
    assert [lead for lead in leads if not (site / lead / "index.html").is_file()] == []
    whole = (site / "llms-full.txt").read_text()
    assert "client.get_trades_bulk(" in whole
    assert "<!--" not in whole


def test_the_site_is_built_without_code_of_this_repository() -> None:
    config = (ROOT / "mkdocs.yml").read_text()
    assert "\nhooks:" not in config

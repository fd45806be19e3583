"""The documentation in a real browser: every page, the search, and every operation tried out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.document import DOCUMENT
from trayport_sdk.sandbox import Sandbox
from trayport_sdk.sandbox.server import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-component-update"]
WIDE, NARROW = 1400, 390
# Elements that reach beyond the page, unless something around them scrolls or hides that.
TOO_WIDE = """() => {
    const end = document.documentElement.clientWidth + 1;
    const holds = node => node && node !== document.body
        && (getComputedStyle(node).overflowX !== "visible"
            || getComputedStyle(node).position === "fixed" || holds(node.parentElement));
    return [...document.body.querySelectorAll("*")]
        .filter(node => {
            const box = node.getBoundingClientRect();
            return box.width && box.height && box.right > end && !holds(node.parentElement)
                && !holds(node);
        })
        .map(node => node.tagName + "." + node.className)
        .slice(0, 5);
}"""

# Where everything must run, as in .ci/run, a missing browser is a failure.
pytestmark = [
    pytest.mark.site,
    pytest.mark.skipif(
        CHROMIUM is None and "TRAYPORT_TESTS_SKIP_NOTHING" not in os.environ,
        reason="needs Chromium: apt-get install chromium",
    ),
]


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Where the pages and a sandbox are served together."""
    with serving(Sandbox(limits=False), "127.0.0.1", 0, docs=site) as server:
        yield server.url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Watched:
    """A page of a browser, and all that goes wrong on it."""

    def __init__(self, browser: Browser, address: str, **options: Any) -> None:
        self.address = address
        self.wrong: list[str] = []
        context = browser.new_context(**options)
        context.set_default_timeout(20_000)
        self.page: Page = context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._response)

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.wrong.append(message.text)

    def _failed(self, request: Any) -> None:
        if request.failure != "net::ERR_ABORTED":  # as when the next page is opened meanwhile
            self.wrong.append(f"failed {request.url}: {request.failure}")

    def _response(self, response: Any) -> None:
        if response.status >= 400 or not response.url.startswith((self.address, "data:", "blob:")):
            self.wrong.append(f"{response.status} {response.url}")


def paths(site: Path) -> list[str]:
    found = (page.parent.relative_to(site).as_posix() for page in site.rglob("index.html"))
    return sorted("" if path == "." else f"{path}/" for path in found)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_page_appears_whole_at_any_width(
    site: Path, address: str, browser: Browser, mode: str
) -> None:
    watched = Watched(browser, address, color_scheme=mode)
    found: dict[str, list[str]] = {}
    for path in paths(site):
        watched.wrong.clear()
        watched.page.set_viewport_size({"width": WIDE, "height": 900})
        watched.page.goto(f"{address}/{path}")
        scheme = watched.page.locator("body").get_attribute("data-md-color-scheme")
        assert scheme == {"light": "default", "dark": "slate"}[mode]
        for width in (WIDE, NARROW):
            watched.page.set_viewport_size({"width": width, "height": 900})
            wide = watched.page.evaluate(TOO_WIDE)
            watched.wrong.extend(f"beyond {width} px: {element}" for element in wide)
        if watched.wrong:
            found[path] = list(watched.wrong)
    assert found == {}


def test_the_search_finds_a_method(address: str, browser: Browser) -> None:
    watched = Watched(browser, address, viewport={"width": WIDE, "height": 900})
    watched.page.goto(address)
    watched.page.locator(".md-search__input").click()
    watched.page.keyboard.type("get_trades_bulk")
    watched.page.locator(".md-search-result__link").first.wait_for()
    links = watched.page.locator(".md-search-result__link").evaluate_all(
        "nodes => nodes.map(node => node.href)"
    )
    assert any("/reference/client/" in link for link in links)
    assert watched.wrong == []


def test_every_operation_can_be_tried_out_as_it_stands(address: str, browser: Browser) -> None:
    watched = Watched(browser, address, viewport={"width": WIDE, "height": 900})
    watched.page.goto(f"{address}/api/openapi/")
    frame = watched.page.frame_locator("iframe.swagger")
    frame.locator(".opblock").first.wait_for()
    operations = frame.locator(".opblock")
    assert operations.count() == len(DOCUMENT["paths"])
    for number in range(operations.count()):
        operation = operations.nth(number)
        operation.locator(".opblock-summary-control").click()
        operation.locator("button.execute").click()
        status = operation.locator(".live-responses-table .response-col_status").last
        status.wait_for()
        path = operation.locator(".opblock-summary-path").get_attribute("data-path")
        assert status.inner_text().startswith("200"), path
        # What a page colours must be little, or the browser stands still.
        body = operation.locator(".live-responses-table .highlight-code").first
        assert len(body.inner_text()) < 100_000, path
    assert watched.wrong == []


def test_the_operations_are_dark_where_the_page_is(address: str, browser: Browser) -> None:
    watched = Watched(browser, address, color_scheme="dark")
    watched.page.goto(f"{address}/api/openapi/")
    frame = watched.page.frame_locator("iframe.swagger")
    frame.locator(".opblock").first.wait_for()
    is_dark = "node => node.classList.contains('dark-mode')"
    assert frame.locator("html").evaluate(is_dark)
    watched.page.locator("label[title=Light]").click()
    assert not frame.locator("html").evaluate(is_dark)


def test_a_page_from_elsewhere_may_call_the_sandbox_with_a_key(
    site: Path, browser: Browser, address: str
) -> None:
    page = browser.new_page()
    with serving(Sandbox(), "127.0.0.1", 0, docs=site) as elsewhere:
        page.goto(f"{elsewhere.url}/404.html")
        name = page.evaluate(
            f"""fetch("{address}/reference/markets/10000065", {{headers: {{"X-API-KEY": "sandbox"}}}})
                .then(response => response.json()).then(market => market.name)"""
        )
    assert name == "TTF Hi Cal 51.6"

"""The documentation in a real browser: the page of the API appears, and its calls get through."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from trayport_sdk.sandbox import Sandbox

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--virtual-time-budget=20000", "--dump-dom",
)  # fmt: skip

# Where everything must run, as in .ci/run, a missing browser is a failure.
pytestmark = pytest.mark.skipif(
    CHROMIUM is None and "TRAYPORT_TESTS_SKIP_NOTHING" not in os.environ,
    reason="needs Chromium: apt-get install chromium",
)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def page(url: str, profile: Path) -> str:
    """The document as it stands once its scripts have run."""
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_of_the_document_shows_its_operations(site: Path, tmp_path: Path) -> None:
    (frame,) = (site / "api" / "openapi").glob("swagger-*.html")
    with served(site) as address:
        shown = page(f"{address}/api/openapi/{frame.name}", tmp_path / "profile")
    assert "/trades/ohlcv" in shown.replace("\u200b", "").replace("<wbr>", "")
    assert "Authorize" in shown
    assert "Failed to load" not in shown


def test_a_page_from_elsewhere_may_call_the_sandbox_with_a_key(tmp_path: Path) -> None:
    with Sandbox().serve() as sandbox:
        (tmp_path / "index.html").write_text(
            f"""<!doctype html><pre id="said">nothing</pre><script>
            const headers = {{"X-API-KEY": "sandbox"}};
            fetch("{sandbox.reference_url}/markets/10000065", {{headers}})
              .then(answer => answer.json())
              .then(market => {{ document.getElementById("said").textContent = market.name }})
              .catch(error => {{ document.getElementById("said").textContent = error }})
            </script>"""
        )
        with served(tmp_path) as address:
            shown = page(f"{address}/index.html", tmp_path / "profile")
    assert '<pre id="said">TTF Hi Cal 51.6</pre>' in shown

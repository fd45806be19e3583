"""Pages beside the APIs, on one address."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import httpx
import pytest
from click import ClickException, UsageError

from trayport_sdk.cli.docs import built_docs
from trayport_sdk.sandbox import Sandbox
from trayport_sdk.sandbox.docs import WithDocs

KEY = {"X-API-KEY": "sandbox"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A built site, beside something that is none of it."""
    (tmp_path / "secret").write_text("secret")
    site = tmp_path / "site"
    for name, text in {
        "index.html": "home",
        "404.html": "nothing here",
        "reference/trades/index.html": "trades",
        "assets/site.css": "body {}",
        "api/trayport.yaml": "url: http://127.0.0.1:8383/reference",
    }.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    return site


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("path", "status", "kind", "text"),
    [
        ("/", 200, "text/html", "home"),
        ("/reference/trades/", 200, "text/html", "trades"),
        ("/assets/site.css", 200, "text/css", "body {}"),
        ("/api/trayport.yaml", 200, None, "url: /reference"),
        ("/reference", 301, None, ""),
        ("/none/", 404, "text/html", "nothing here"),
        ("/%2e%2e/secret", 404, "text/html", "nothing here"),
        ("/reference/markets/10000065", 200, "application/json", None),
        ("/analytics/api/none", 404, "application/problem+json", None),
    ],
)
async def test_a_path_is_a_page_unless_it_is_an_operation(
    folder: Path, path: str, status: int, kind: str | None, text: str | None
) -> None:
    transport = httpx.ASGITransport(WithDocs(Sandbox(), folder))  # type: ignore[arg-type,unused-ignore]
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.invalid") as client:
        response = await client.get(path, headers=KEY)
        head = await client.head(path, headers=KEY)
    assert response.status_code == status
    if kind is not None:
        assert response.headers["content-type"] == kind
    if text is not None:
        assert response.text == text
        assert head.content == b""


def test_documentation_is_found_or_the_way_to_it_told(folder: Path, tmp_path: Path) -> None:
    assert built_docs(str(folder)) == folder
    with pytest.raises(UsageError, match=r"it has no index\.html"):
        built_docs(str(tmp_path))
    with pytest.raises(UsageError, match="not part of the installed package: run make docs"):
        built_docs("", checkout=tmp_path)


def test_a_checkout_that_is_built_is_served_as_it_is(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mkdocs.yml").touch()
    (folder / "index.html").touch()
    assert built_docs("", checkout=tmp_path) == folder


def test_a_checkout_that_is_not_built_is_built_or_says_how(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mkdocs.yml").touch()
    with monkeypatch.context() as without:
        without.setattr(importlib.util, "find_spec", lambda _: None)
        with pytest.raises(UsageError, match="not built: run make docs first"):
            built_docs("", checkout=tmp_path)
    builder = tmp_path / "mkdocs.py"  # found before the one that is installed
    monkeypatch.syspath_prepend(tmp_path)
    builder.write_text("raise SystemExit(1)")
    with pytest.raises(ClickException, match="the documentation cannot be built"):
        built_docs("", checkout=tmp_path)
    builder.write_text("import sys; open('site', 'w').write(' '.join(sys.argv[1:]))")
    assert built_docs("", checkout=tmp_path).read_text() == "build --quiet"
    assert capsys.readouterr().err.count("building the documentation") == 2

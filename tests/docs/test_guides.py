"""The guides and the reference leave out nothing that a user can set or import."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from trayport_spec import ENDPOINTS

import trayport_sdk
from trayport_sdk.client import TrayportClient
from trayport_sdk.resources.orders import OrdersGroup
from trayport_sdk.resources.planner import Planner
from trayport_sdk.resources.snapshots import SnapshotsGroup
from trayport_sdk.resources.trades import TradesGroup
from trayport_sdk.settings import Settings, variable

from .pages import blocks

DOCS = Path(__file__).resolve().parents[2] / "docs"
REFERENCE = DOCS / "reference"
GUIDES = {page: page.read_text() for page in DOCS.rglob("*.md") if page.parent != REFERENCE}
MADE = re.compile(r"(<!-- policy: [^\n]+ -->\n).*?<!-- /policy -->", re.DOTALL)
SHOWN = re.compile(r"<!-- policy: settings((?: \w+)+) -->")
# Where the settings that belong together are explained together, all of them.
EXPLAINED = {
    "reliability.md": r"retr|forbidden|breaker|dead_letter|^cache|_ttl$",
    "rate-limits.md": r"requests_per|evenly|throttling|limiter",
    "connections.md": r"http|connect|keepalive|^timeout$|concurrency",
    "backfill.md": r"^keep_versions$|^dataset_dir$",
    "observability.md": r"^log_|metrics|opentelemetry",
}


def shown(text: str) -> set[str]:
    return {name for match in SHOWN.finditer(text) for name in match[1].split()}


@pytest.mark.parametrize("page", EXPLAINED)
def test_a_guide_shows_every_setting_of_its_subject(page: str) -> None:
    wanted = {name for name in Settings.model_fields if re.search(EXPLAINED[page], name)}
    assert shown(GUIDES[DOCS / page]) == wanted


def test_a_setting_without_a_guide_is_one_of_those_that_the_page_about_settings_explains() -> None:
    elsewhere = Settings.model_fields.keys() - {n for text in GUIDES.values() for n in shown(text)}
    text = GUIDES[DOCS / "settings.md"] + GUIDES[DOCS / "cli.md"]
    assert [name for name in elsewhere if variable(name) not in text] == []


def test_no_guide_types_the_default_of_a_setting() -> None:
    rows = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)
    texts = [MADE.sub("", text) for text in GUIDES.values()]
    typed = {name for text in texts for name in rows.findall(text)}
    assert typed & Settings.model_fields.keys() == set()


def methods(group: type) -> list[str]:
    return [name for name in vars(group) if name.startswith(("get_", "stream_", "plan_"))]


@pytest.mark.parametrize("group", [TradesGroup, OrdersGroup, SnapshotsGroup])
def test_the_data_model_names_every_call_of_a_group(group: type) -> None:
    text = GUIDES[DOCS / "concepts.md"]
    name = group.__name__.removesuffix("Group").lower()
    assert [call for call in methods(group) if f"`client.{name}.{call}`" not in text] == []


def test_the_reference_has_an_example_of_every_operation_and_what_it_gives() -> None:
    shown = "".join(
        block.text for page in REFERENCE.glob("*.md") for block in blocks(page) if block.output
    )
    wanted = [f"client.{e.group}.{e.method}(" for e in ENDPOINTS.values()]
    assert [call for call in wanted if call not in shown] == []


def test_the_guide_to_many_contracts_names_every_call_about_them() -> None:
    text = GUIDES[DOCS / "bulk.md"]
    single = {"get_trades", "get_ohlcv", "get_metrics", "get_status"}
    wanted = {*methods(TrayportClient), *methods(Planner)} - single
    assert [call for call in wanted if not re.search(rf"\b{call}\b", text)] == []


def test_every_public_name_has_a_place_in_the_pages() -> None:
    pages = "".join(page.read_text() for page in DOCS.rglob("*.md"))
    targets = set(re.findall(r"^ *::: (\S+)$", pages, re.MULTILINE))
    described = {target.rpartition(".")[2] for target in targets}

    def has_a_place(name: str) -> bool:
        home = getattr(getattr(trayport_sdk, name), "__module__", "")
        return name in described or home in targets or f"`{name}`" in pages

    assert [name for name in trayport_sdk.__all__ if not has_a_place(name)] == []

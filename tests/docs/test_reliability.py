"""The page on reliability says what the settings say."""

import re
from pathlib import Path

from trayport_sdk.settings import Settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
ROW = re.compile(r"^\| `(\w+)` \| `([^`]+)` \|", re.MULTILINE)


def test_its_tables_give_the_defaults_that_are_in_force() -> None:
    said = dict(ROW.findall(PAGE.read_text()))
    assert said == {name: str(Settings.model_fields[name].default) for name in said}


def test_it_names_every_setting_of_retries_and_breakers() -> None:
    page = PAGE.read_text()
    for name in Settings.model_fields:
        if re.search("retr|forbidden|breaker|dead_letter", name):
            assert f"`{name}`" in page, name

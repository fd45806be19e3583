"""The changelog begins with the version under way, and its days and versions go down."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

import trayport_sdk
from tests.release.changelog import may_break, sections


def test_its_first_section_is_this_version() -> None:
    assert sections()[0].version == trayport_sdk.__version__


def test_versions_and_days_go_down() -> None:
    found = sections()
    assert all(newer.numbers > older.numbers for newer, older in pairwise(found))
    days = [section.released for section in found if section.released]
    assert all(newer >= older for newer, older in pairwise(days))
    assert [section.version for section in found[1:] if section.state == "unreleased"] == []


def test_a_section_is_read() -> None:
    text = (
        "# Changelog\n\n## 0.3.0 (unreleased)\n\n- `get_it`\n\n## 0.2.0 (7 May 2026)\n\n- `to-do`\n"
    )
    newer, older = sections(text)
    assert (newer.version, newer.released, older.released) == ("0.3.0", None, date(2026, 5, 7))
    assert newer.names("get_it")
    assert not newer.names("get")
    assert not older.names("do")
    with pytest.raises(ValueError, match="'soon'"):
        _ = sections("## 0.3.0 (soon)\n")[0].released


@pytest.mark.parametrize(
    ("old", "new", "allowed"),
    [
        ("0.2.0", "0.2.1", False),
        ("0.2.0", "0.3.0", True),
        ("0.9.0", "1.0.0", True),
        ("1.2.0", "1.3.0", False),
        ("1.2.0", "2.0.0", True),
    ],
)
def test_what_a_version_may_break(old: str, new: str, allowed: bool) -> None:
    assert may_break(old, new) is allowed

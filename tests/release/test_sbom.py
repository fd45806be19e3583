"""The bill of materials names what the package installs. `make lock` makes it again."""

from __future__ import annotations

import json
import re
import tomllib

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

import trayport_sdk
from tests.release.sbom import ROOT, SBOM, pins

TEXT = SBOM.read_text()
BILL = json.loads(TEXT)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NAMES = {item["bom-ref"]: item["name"] for item in BILL["components"]}
ROOT_COMPONENT = BILL["metadata"]["component"]
DEPENDENCIES = {item["ref"]: item.get("dependsOn", []) for item in BILL["dependencies"]}


def name_of(requirement: str) -> str:
    return re.split(r"[\[<>=~; ]", requirement)[0]


def test_it_is_cyclonedx() -> None:
    assert JsonStrictValidator(SchemaVersion.V1_5).validate_str(TEXT) is None


def test_it_is_of_this_version_and_tells_neither_time_nor_address() -> None:
    assert ROOT_COMPONENT["purl"] == f"pkg:pypi/trayport-sdk@{trayport_sdk.__version__}"
    assert "serialNumber" not in BILL
    assert "timestamp" not in BILL["metadata"]
    assert "://" not in TEXT


def test_it_has_every_dependency_at_the_locked_version() -> None:
    asked = [*PROJECT["dependencies"]]
    for extra in PROJECT["optional-dependencies"].values():
        asked += [text for text in extra if not text.startswith(PROJECT["name"])]
    assert {NAMES[ref] for ref in DEPENDENCIES[ROOT_COMPONENT["bom-ref"]]} == set(
        map(name_of, asked)
    )
    locked = {pin.split(" ")[0] for pin in pins()}
    assert {f"{item['name']}=={item['version']}" for item in BILL["components"]} <= locked


def test_what_only_an_extra_installs_is_optional() -> None:
    required = {item["bom-ref"] for item in BILL["components"] if item["scope"] == "required"}
    direct = set(map(name_of, PROJECT["dependencies"]))
    assert direct <= {NAMES[ref] for ref in required}
    for ref in required:
        assert required.issuperset(DEPENDENCIES[ref])
    assert "pandas" not in {NAMES[ref] for ref in required}

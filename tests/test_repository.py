"""Rules that the repository as a whole keeps."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from trayport_sdk.cli.config import example
from trayport_sdk.settings import PREFIX, Settings, variable

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
# Written in pieces, so that this file does not hold what it looks for.
REGISTRIES = [
    "py" + "pi.org",
    "python" + "hosted.org",
    "registry.npm" + "js",
    "npm" + "js.com",
    "deb." + "debian.org",
    "security." + "debian.org",
    "proxy." + "golang.org",
    "conda." + "anaconda.org",
]
LOCKS = {"uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock"}


def tracked() -> list[Path]:
    """The files of the repository, those not yet committed included."""
    process = subprocess.run(
        [
            "git",
            "-c",
            "safe.directory=*",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        assert "CI" not in os.environ, process.stderr
        pytest.skip("this is no git checkout")
    names = [ROOT / name for name in process.stdout.split("\0") if name]
    return [path for path in names if path.is_file()]


def test_no_file_names_the_host_of_a_package_registry() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {host}"
        for path in tracked()
        for host in REGISTRIES
        if host.encode() in path.read_bytes()
    ]
    assert found == []


def test_no_lock_that_names_hosts_is_committed() -> None:
    assert [path for path in tracked() if path.name in LOCKS] == []


def locks() -> str:
    return "\n".join(path.read_text() for path in sorted((ROOT / "requirements").glob("*.txt")))


def test_every_locked_dependency_has_hashes_and_comes_from_no_named_place() -> None:
    lock = locks()
    entries = re.split(r"\n(?=\S)", lock.strip())
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert not re.search(r"https?:|file:|--find-links|--index|--extra-index| @ ", lock)


def test_the_lock_covers_every_dependency() -> None:
    lock = locks()
    locked = {re.split(r"[ =]", line)[0] for line in lock.splitlines() if line[:1].isalnum()}
    project = PROJECT["project"]
    asked = [*project["dependencies"], *PROJECT["build-system"]["requires"]]
    for extra in project["optional-dependencies"].values():
        asked += [text for text in extra if not text.startswith(project["name"])]
    for group in PROJECT["dependency-groups"].values():
        asked += [text for text in group if isinstance(text, str)]
    names = {re.split(r"[\[<>=~ ]", text)[0].lower().replace("_", "-") for text in asked}
    assert names <= locked


def test_the_example_of_a_settings_file_is_made_from_the_settings() -> None:
    assert (ROOT / ".env.example").read_text() == example(), (
        "trayport config example > .env.example"
    )


def test_the_example_of_a_settings_file_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)
    copy = tmp_path / ".env"
    copy.write_text((ROOT / ".env.example").read_text())
    assert not Settings(_env_file=copy).differences(Settings(_env_file=None))
    defaults = re.sub(r"# Not set; for example:\n.*\n", "", copy.read_text())
    copy.write_text(defaults.replace(f"# {PREFIX}", PREFIX))
    settings = Settings(_env_file=copy)
    assert {settings.origin(name) for name in Settings.model_fields} == {".env", "default"}
    assert not settings.differences(Settings(_env_file=None))


def test_the_readme_says_that_the_project_is_unofficial() -> None:
    assert "not affiliated with Trayport" in (ROOT / "README.md").read_text()

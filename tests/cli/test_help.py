"""The help of every command: a line, an example that runs, and the same options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from attrs import evolve
from click.testing import CliRunner
from trayport_spec import ENDPOINTS

from trayport_sdk.cli import run, trayport
from trayport_sdk.cli.connection import ApiCommand, Command
from trayport_sdk.cli.operations import command

APRIL = "TTF Hi Cal 51.6* Apr-24"
FILL = ["backfill", APRIL, "--from", "2024-03-04", "--until", "2024-03-05", "--out", "ttf"]
SERVES = {"sandbox"}
"""What ends only when it is told to, and is tested elsewhere."""


def commands(group: click.Group = trayport, path: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        one = group.get_command(context, name)
        assert one is not None
        if isinstance(one, click.Group):
            yield from commands(one, f"{path}{name} ")
        else:
            yield f"{path}{name}", one


COMMANDS = dict(commands())


def example_in(text: str) -> list[str]:
    """The arguments of the example that a help shows, without where its output goes."""
    _, _, example = text.partition("Example:")
    words = shlex.split(example.replace("\\\n", " "))
    assert words[0] == "trayport"
    ends = [place for place, word in enumerate(words) if word in (">", ">>")]
    return words[1 : ends[0] if ends else None]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_an_example_that_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert isinstance(COMMANDS[name], Command)
    assert run([*name.split(), "--help"]) == 0
    example = example_in(capsys.readouterr().out)
    assert example[: len(name.split())] == name.split()
    if "ttf" in example and "backfill" not in example:
        assert run([*FILL, "--sandbox"]) == 0
    if name == "retry-failed":
        Path("failed.jsonl").touch()
    if name == "demo" or name in SERVES:
        with pytest.raises(click.exceptions.Exit):  # as far as its options are right
            COMMANDS[name].make_context(name, [*example[1:], "--help"])
        return
    capsys.readouterr()
    assert run(example) == 0, capsys.readouterr().err
    assert capsys.readouterr().out


@pytest.mark.parametrize("width", [60, 80, 100])
def test_the_help_fits_and_every_command_has_a_line_of_its_own(width: int) -> None:
    text = CliRunner().invoke(trayport, ["--help"], terminal_width=width).output
    for name in trayport.list_commands(click.Context(trayport)):
        assert re.search(rf"^  {name} ", text, re.MULTILINE)
    assert max(map(len, text.splitlines())) <= width
    assert "Exit codes:" in text


def test_a_new_operation_has_a_command() -> None:
    """Nothing but the table of operations knows it."""
    new = evolve(ENDPOINTS["get_trades"], command="new-trades", summary="New ones.")
    made = command(new)
    assert isinstance(made, ApiCommand)
    text = CliRunner().invoke(made, ["--help"], prog_name="trayport new-trades").output
    assert "New ones." in text
    assert example_in(text)[:2] == ["new-trades", APRIL]


def test_every_command_with_a_client_has_the_same_options() -> None:
    for name, one in COMMANDS.items():
        options = {option for parameter in one.params for option in parameter.opts}
        if isinstance(one, ApiCommand):
            expected = {"--sandbox", "--profile", "--verbose", "-v", "--quiet", "-q"}
            assert options >= expected | {"--log-format", "--metrics"}, name
        assert len(options) == sum(len(parameter.opts) for parameter in one.params), name

"""Every example in a docstring runs, as in a notebook: one may await at the top level."""

import ast
import asyncio
import contextlib
import doctest
import importlib
import inspect
import io
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

import trayport_sdk

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def examples() -> Iterator[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for module in pkgutil.walk_packages(trayport_sdk.__path__, "trayport_sdk."):
        if not module.name.endswith("__main__"):
            yield from (t for t in finder.find(importlib.import_module(module.name)) if t.examples)


async def run(test: doctest.DocTest) -> None:
    names: dict[str, Any] = {
        **{n: getattr(trayport_sdk, n) for n in trayport_sdk.__all__},
        **test.globs,  # the synchronous client has the name of the other one
    }
    for example in test.examples:
        written = io.StringIO()
        code: CodeType = compile(
            example.source, test.name, "single", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        )
        with contextlib.redirect_stdout(written):
            result = eval(code, names)  # noqa: S307
            if inspect.isawaitable(result):
                await result
        same = doctest.OutputChecker().check_output(example.want, written.getvalue(), FLAGS)
        assert same, f"{example.source}gave {written.getvalue()!r}, not {example.want!r}"


@pytest.mark.parametrize("test", list(examples()), ids=lambda test: test.name)
def test_the_example_runs_and_gives_what_it_says(
    test: doctest.DocTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asyncio.run(run(test))


def test_the_calls_users_make_first_have_an_example() -> None:
    shown = {test.name.removeprefix("trayport_sdk.") for test in examples()}
    assert {
        "client.TrayportClient",
        "client.TrayportClient.resolve_contract",
        "query.contracts.ContractSpec",
        "resources.reference.ReferenceGroup.get_instruments",
        "resources.generated.trades.TradesMethods.get_trades",
        "sync.TradesGroup.get_trades",
        "settings.Settings",
    } <= shown

"""`python -m tests.recipes`: runs the recipes of docs/scaling.md, each where its library lives.

Each has an environment of its own, with the package as it is installed from here, and asks a
sandbox over a socket. What it leaves must be what one process writes.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import frozen

from trayport_sdk import Settings, open_dataset
from trayport_sdk.sandbox import Sandbox
from trayport_sdk.sync import TrayportClient

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "scaling.md"
PLACE = "/data/trades"
CONTRACTS = ["TTF Hi Cal 51.6* Apr-24", "TTF Hi Cal 51.6* May-24"]
RANGE = ("2024-02-01", "2024-04-05")


@frozen
class Recipe:
    """A recipe, and how it is run.

    Attributes:
        name: The word that the page has in its comment.
        package: What is installed.
        file: What the recipe is called.
        commands: The commands, with the programs of the environment.
    """

    name: str
    package: str
    file: str
    commands: Sequence[Sequence[str]]

    @property
    def text(self) -> str:
        """The code of the page."""
        block = rf"an environment with {self.name} -->\n```python\n(.*?)```"
        found = re.search(block, PAGE.read_text(), re.DOTALL)
        if found is None:
            raise LookupError(f"{PAGE} has no recipe for {self.name}")
        return found[1]


RECIPES = (
    Recipe(
        "Airflow",
        "apache-airflow>=3,<4",
        "dags/trayport_dag.py",
        [["airflow", "db", "migrate"], ["airflow", "dags", "test", "trayport"]],
    ),
    Recipe(
        "Dagster",
        "dagster>=1.9,<2",
        "trayport_job.py",
        [["dagster", "job", "execute", "-f", "trayport_job.py", "-j", "trayport"]],
    ),
)


def run(recipe: Recipe, directory: Path, environments: Path) -> None:
    """Runs a recipe and checks what it leaves.

    Raises:
        RuntimeError: A command fails, or the rows are not those of one process.
    """
    environment = environments / recipe.name.lower()
    if not (environment / "bin" / "python").exists():
        _call([sys.executable, "-m", "venv", str(environment)], directory)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    _call([*pip, recipe.package, str(ROOT)], directory)
    sandbox, data = Sandbox(limits=True), directory / "trades"
    file = directory / recipe.file
    file.parent.mkdir(exist_ok=True)
    file.write_text(recipe.text.replace(PLACE, str(data)))
    with sandbox.serve() as server:
        values = {
            "TRAYPORT_API_KEY": "sandbox",
            "TRAYPORT_ANALYTICS_URL": server.analytics_url,
            "TRAYPORT_REFERENCE_URL": server.reference_url,
            "TRAYPORT_LIMITER_STORE": f"sqlite:///{directory}/allowance.sqlite",
            "AIRFLOW_HOME": str(directory),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "DAGSTER_HOME": str(directory),
        }
        for command in recipe.commands:
            program = environment / "bin" / command[0]
            _call([str(program), *command[1:]], directory, values)
    with TrayportClient.sandbox(settings=Settings(_env_file=None)) as client:
        client.backfill(CONTRACTS, *RANGE, directory / "alone")
    rows = open_dataset(data).collect()
    if not rows.height or not rows.equals(open_dataset(directory / "alone").collect()):
        raise RuntimeError(
            f"{recipe.name} wrote {rows.height:,} rows, and not those of one process"
        )
    if any(request.status == 429 for request in sandbox.requests):
        raise RuntimeError(f"{recipe.name} was faster than the allowance")
    if [*data.rglob(".trayport/parts/*.parquet")]:
        raise RuntimeError(f"{recipe.name} left rows of parts behind")
    print(f"{recipe.name}: {rows.height:,} rows, as one process writes them", flush=True)


def _call(command: Sequence[str], directory: Path, values: Mapping[str, str] | None = None) -> None:
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command,
        cwd=directory,
        env=environment | {**(values or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.recipes", description=__doc__)
    parser.add_argument("names", nargs="*", default=[recipe.name for recipe in RECIPES])
    parser.add_argument("--environments", type=Path, default=ROOT / ".cache" / "recipes")
    options = parser.parse_args()
    failed = 0
    for recipe in RECIPES:
        if recipe.name in options.names:
            with tempfile.TemporaryDirectory() as directory:
                try:
                    run(recipe, Path(directory), options.environments)
                except RuntimeError as error:
                    failed += 1
                    print(f"{recipe.name}: {error}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""The settings in force, and the example of a file that sets them."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Mapping
from typing import Any

import click
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from ..settings import PROFILES, Origin, Settings, variable, without_password
from .connection import Command

MASK = "********"
WIDTH = 98
# The first setting of each group.
HEADINGS = {
    "api_key": "The key",
    "profile": "Profile",
    "allow_insecure_http": "Addresses and connections",
    "requests_per_second": "Request limits",
    "max_retries": "Retries",
    "circuit_breakers": "Circuit breakers",
    "cache": "Cache, metrics and logs",
}
PREAMBLE = (
    'Copy this file to .env; a line takes effect when it loses its "#". Only the key is needed. '
    "The values are those used without the line, or examples where the line above says so. "
    "Variables of the environment win over this file. `trayport config example` prints it."
)


@click.group()
def config() -> None:
    """Show the settings, and how to set them."""


@config.command(cls=Command, example="config show --profile production")
@click.option("--profile", type=click.Choice(list(PROFILES)), help="As if this profile were set.")
def show(profile: str | None) -> None:
    """Print every setting, with secrets masked, and where its value comes from."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        settings = Settings() if profile is None else Settings(profile=profile)
    for warning in caught:
        click.echo(f"trayport: {warning.message}", err=True)
    shown = [
        (name, _shown(settings, name), settings.origin(name)) for name in Settings.model_fields
    ]
    names, values = (max(len(row[column]) for row in shown) for column in (0, 1))
    for name, value, origin in shown:
        came_from = variable(name) if origin is Origin.VARIABLE else origin.value
        click.echo(f"{name:<{names}}  {value:<{values}}  {came_from}")


@config.command("example", cls=Command, example="config example > .env")
def print_example() -> None:
    """Print an example of a file .env that names every setting."""
    click.echo(example(), nl=False)


def example() -> str:
    """The text of .env.example."""
    lines = [f"# {line}" for line in textwrap.wrap(PREAMBLE, WIDTH)]
    values = allowed_values()
    for name, field in Settings.model_fields.items():
        if name in HEADINGS:
            lines += ["", f"# --- {HEADINGS[name]} ---"]
        meaning = f"{field.description} {values[name].capitalize()}".strip()
        lines += ["", *(f"# {line}" for line in textwrap.wrap(meaning, WIDTH))]
        for instance in field.examples or []:
            lines += ["# Not set; for example:", f"# {variable(name)}={instance}"]
        if field.default is not None:
            lines += [f"# {variable(name)}={default_of(field)}"]
    return "\n".join(lines) + "\n"


def default_of(field: FieldInfo) -> str:
    """What holds unless it is set, as a variable would hold it; nothing if there is none."""
    default: object = field.default
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    return "" if default is None else written(default)


def allowed_values() -> dict[str, str]:
    """Which values each setting takes, in words; nothing where the meaning says it all."""
    schema = Settings.model_json_schema()["properties"]
    return {name: _in_words(field.get("anyOf", [field])[0]) for name, field in schema.items()}


def _in_words(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return f"one of {', '.join(schema['enum'])}."
    if schema["type"] == "boolean":
        return "one of true, false."
    if schema["type"] == "integer":
        return f"a whole number from {schema['minimum']} on."
    if schema["type"] == "number":
        return f"a number above {schema['exclusiveMinimum']}, up to {schema['maximum']}."
    return ""


def written(value: object) -> str:
    """A value as a variable would hold it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _shown(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    if value is None:
        return "(not set)"
    if name == "limiter_store":
        return without_password(value.get_secret_value(), MASK)
    return MASK if isinstance(value, SecretStr) else written(value)


COMMANDS = {"config": config}

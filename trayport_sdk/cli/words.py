"""What the library says, in the words of the command line: options instead of arguments."""

from __future__ import annotations

import re

import click
from trayport_spec import ENDPOINTS

from ..query.rules import parameters_by_argument
from ..tables.formats import FileOptions

SHORT = {"from_": "--from", "routes": "--route", "optional_fields": "--field"}
POSITIONAL = {"contracts": "CONTRACTS", "contract": "CONTRACT", "file": "FILE", "path": "FILE"}
ARGUMENTS = {
    "contract",
    "from_",
    *(name for e in ENDPOINTS.values() for name in parameters_by_argument(e)),
    *FileOptions.__optional_keys__,
}
# Where a name that is an English word as well is an argument.
AMID_ENGLISH = r"^NAME(?= and )|(?<=leave )NAME(?= out)|(?<=later )NAME$|(?<=as )NAME$|NAME(?=\)|=)"
IN_CODE = re.compile(r",? \(in code: [^()]*\)")


def option_name(argument: str) -> str:
    """The option that an argument of a method is on the command line.

    Example:
        >>> option_name("from_"), option_name("include_private")
        ('--from', '--include-private')
    """
    return SHORT.get(argument, f"--{argument.strip('_').replace('_', '-')}")


def spoken(message: str, command: click.Command | None, parameter: str = "") -> str:
    """A message of the library as a command says it.

    Args:
        message: What the library says.
        command: The command, if one was run.
        parameter: The argument that the message is about, if it is about one.
    """
    message = IN_CODE.sub("", message).replace("TrayportClient.sandbox()", "--sandbox")
    if parameter:
        positional = (
            {p.name for p in command.params if isinstance(p, click.Argument)} if command else ()
        )
        in_place = parameter.upper() if parameter in positional else option_name(parameter)
        own = POSITIONAL.get(parameter) or in_place
        message = message.replace(parameter, own, 1)
    taken = {option for p in (command.params if command else ()) for option in p.opts}
    options = {name: option_name(name) for name in ARGUMENTS if option_name(name) in taken}
    message = re.sub(r"\b\w+(?:, \w+)+$", lambda listed: _listed(listed[0], options), message)
    for name, option in options.items():
        place = name if "_" in name else AMID_ENGLISH.replace("NAME", name)
        message = re.sub(rf"(?<![\w&?-])(?:{place})(?!\w)", option, message)
    message = re.sub(r"(--[a-z-]+) True\b", r"\1", message).replace(
        "leave it out (None)", "leave it out"
    )
    return re.sub(r"(--[a-z-]+)=", r"\1 ", message)


def _listed(listed: str, options: dict[str, str]) -> str:
    """A list of arguments at the end of a message, as the options that a command has."""
    names = listed.split(", ")
    if not ARGUMENTS.issuperset(names):
        return listed
    return ", ".join(options[name] for name in names if name in options)

"""How tables are written: the format of a file, and the options that go with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias, TypedDict, get_args

from attrs import fields, frozen

from ..errors import invalid, unknown_parameter, unknown_value
from .output import user_path
from .time_units import OnLoss, TimeUnit, check_time_unit

Compression: TypeAlias = Literal["zstd", "lz4", "none"]
"""How the columns of a Parquet or an Arrow file are compressed."""
Separator: TypeAlias = Literal[",", ";", "\t", "|"]
"""What stands between the cells of a CSV file."""

FORMATS = (".parquet", ".csv", ".jsonl", ".arrow")
COMPRESSED = (".parquet", ".arrow")
CODECS = get_args(Compression)
SEPARATORS = get_args(Separator)
_GOES_WITH = {"compression": COMPRESSED} | dict.fromkeys(
    ("separator", "decimal_comma", "bom", "guard_formulas"), (".csv",)
)


class TimeOptions(TypedDict, total=False):
    """Options of every file.

    Attributes:
        time_unit: The unit of all times, nested ones too: `"ns"`, the default, `"us"` or `"ms"`.
        on_loss: What is done about times with a part below the unit: `"raise"`, the default, an
            error that names the first, or `"extra_column"`, which keeps it in `<column>_ns`, as
            `with_time_unit` does.
    """

    time_unit: TimeUnit
    on_loss: OnLoss


class ColumnarOptions(TimeOptions, total=False):
    """Options of Parquet and Arrow files, beside those of times.

    Attributes:
        compression: `"zstd"`, the default, `"lz4"` or `"none"`.
    """

    compression: Compression | None


class CsvOptions(TimeOptions, total=False):
    """Options of CSV files, beside those of times.

    Attributes:
        separator: What stands between cells: `","`, the default, `";"`, a tab or `"|"`.
        decimal_comma: Whether numbers have a comma for their point; needs another separator.
        bom: Whether the file begins with the byte order mark by which Excel knows UTF-8.
        guard_formulas: Whether text that a spreadsheet would run, because it begins with `=`, `+`,
            `-`, `@`, a tab or the end of a line, gets an apostrophe in front. When left out, it
            does where `bom` or `decimal_comma` say that the file is for a spreadsheet.
    """

    separator: Separator
    decimal_comma: bool
    bom: bool
    guard_formulas: bool | None


class FileOptions(ColumnarOptions, CsvOptions, total=False):
    """Options of a file of any format."""


@frozen
class FileFormat:
    """The format of a file and its options, which are those of `FileOptions`, checked.

    Attributes:
        kind: The format, as the ending of its files.
    """

    kind: str
    compression: Compression | None = None
    time_unit: TimeUnit = "ns"
    on_loss: OnLoss = "raise"
    separator: Separator = ","
    decimal_comma: bool = False
    bom: bool = False
    guard_formulas: bool | None = None

    @classmethod
    def of(cls, kind: str, options: Mapping[str, Any]) -> Self:
        """The format with options by name.

        Raises:
            TrayportValidationError: An option is unknown, its value is, or it does not go with
                the format or with another one.
        """
        known = [field.name for field in fields(cls)][1:]
        for name in options:
            if name not in known:
                raise unknown_parameter(name, "is no option of files", known, "use one of")
        return cls(kind, **options)

    @classmethod
    def of_path(
        cls, path: str | Path, options: Mapping[str, Any] | None = None, *, parameter: str = "path"
    ) -> Self:
        """The format that a file's name ends in, with options by name.

        Args:
            path: The file.
            options: The options.
            parameter: What messages call the path.

        Raises:
            TrayportValidationError: As `of`, or the ending is not one that can be written.
        """
        kind = user_path(path, parameter).suffix.lower()
        if kind not in FORMATS:
            raise unknown_value(parameter, str(path), FORMATS, "has no known ending")
        return cls.of(kind, options or {})

    def __attrs_post_init__(self) -> None:
        check_time_unit(self.time_unit, self.on_loss)
        if self.compression not in (None, *CODECS):
            raise unknown_value("compression", self.compression, CODECS)
        if self.separator not in SEPARATORS:
            raise unknown_value("separator", self.separator, map(repr, SEPARATORS))
        for field in fields(type(self)):
            kinds = _GOES_WITH.get(field.name, FORMATS)
            value = getattr(self, field.name)
            if self.kind not in kinds and value not in (field.default, "none", False):
                reason = f"does not go with {self.kind} files"
                way_out = f"leave it out, or write {' or '.join(kinds)}"
                raise invalid(field.name, value, reason, way_out, ", ".join(kinds))
        if self.decimal_comma and self.separator == ",":
            reason = "cannot stand between cells with decimal_comma, where numbers have it"
            way_out = 'give separator=";" or another one'
            raise invalid("separator", ",", reason, way_out, ", ".join(map(repr, SEPARATORS[1:])))

    @property
    def codec(self) -> str:
        """How the file is compressed."""
        return self.compression or ("zstd" if self.kind in COMPRESSED else "none")

    @property
    def guards_formulas(self) -> bool:
        """Whether text cells that a spreadsheet would run are made harmless."""
        if self.guard_formulas is None:
            return self.bom or self.decimal_comma
        return self.guard_formulas

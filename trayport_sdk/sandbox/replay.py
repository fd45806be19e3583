"""Replays the responses in a cassette, which `trayport doctor --live` writes."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlencode

from .http import (
    ANALYTICS_PATH,
    REFERENCE_PATH,
    Encoding,
    Head,
    ReceivedRequest,
    Request,
    accepts,
    encoded,
)
from .problems import Problem

VERSION = 1
_BASES = {"analytics": ANALYTICS_PATH, "reference": REFERENCE_PATH}


class Cassette:
    """The responses of a cassette, by their requests.

    Args:
        path: The file.

    Raises:
        ValueError: It is no cassette.
        OSError: It cannot be read.
    """

    def __init__(self, path: str | Path) -> None:
        try:
            document: Any = json.loads(Path(path).read_bytes())
            if document["version"] != VERSION:
                raise ValueError("its version is another")
            self._entries: dict[tuple[str, str], Mapping[str, Any]] = {
                (
                    _BASES[entry["api"]] + entry["path"],
                    urlencode(sorted((name, text) for name, text in entry["query"])),
                ): entry
                for entry in document["responses"]
            }
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is no cassette of `trayport doctor --live`.") from error

    def __len__(self) -> int:
        return len(self._entries)

    def response(self, request: Request, record: ReceivedRequest) -> tuple[Head, bytes]:
        """The response to a request; raises a problem when there is none."""
        entry = self._entries.get((request.path, record.query))
        if entry is None:
            raise Problem(HTTPStatus.NOT_FOUND, detail="The cassette has no such request.")
        headers: dict[str, str] = dict(entry["headers"])
        body = (
            json.dumps(entry["json"], separators=(",", ":")) if "json" in entry else entry["text"]
        ).encode()
        encoding = headers.get("content-encoding", "identity")
        if encoding not in get_args(Encoding) or not accepts(request, encoding):
            encoding = "identity"
        if encoding == "identity":
            headers.pop("content-encoding", None)
        body = b"".join(encoded([body], encoding))  # type: ignore[arg-type]  # one of them
        return Head(entry["status"], tuple(headers.items())), body

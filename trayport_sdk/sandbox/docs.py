"""The built documentation beside the APIs, on the same address."""

import mimetypes
import re
from http import HTTPStatus
from pathlib import Path

from . import Sandbox
from .http import Receive, Scope, Send, find_endpoint

_CONTROL = "/control/"
# The document names the address where a sandbox listens by default; without one it means its own.
_DOCUMENT, _ADDRESS = "api/trayport.yaml", re.compile(rb"http://127\.0\.0\.1:\d+")


class WithDocs:
    """A sandbox, and the files of a folder wherever it has no operation."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self._sandbox = sandbox
        self._folder = folder.resolve()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_api(scope["path"]):
            await self._sandbox(scope, receive, send)
            return
        path = scope["path"]
        file = (self._folder / path.lstrip("/")).resolve()
        headers = [(b"cache-control", b"no-cache")]
        status, body = HTTPStatus.OK, b""
        if not file.is_relative_to(self._folder) or not file.exists():
            status, file = HTTPStatus.NOT_FOUND, self._folder / "404.html"
        elif file.is_dir() and not path.endswith("/"):
            status = HTTPStatus.MOVED_PERMANENTLY
            headers.append((b"location", f"{path}/".encode()))
        elif file.is_dir():
            file /= "index.html"
        if file.is_file():
            body = file.read_bytes()
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            headers.append((b"content-type", kind.encode()))
            if file == self._folder / _DOCUMENT:
                body = _ADDRESS.sub(b"", body)
        headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": int(status), "headers": headers})
        await send({"type": "http.response.body", "body": b"" if _is_head(scope) else body})

    def _is_api(self, path: str) -> bool:
        # Pages and operations both begin with /reference, and no page is called like an operation.
        in_analytics = path.startswith(Sandbox.ANALYTICS_PATH)
        return in_analytics or path.startswith(_CONTROL) or find_endpoint(path) is not None


def _is_head(scope: Scope) -> bool:
    return bool(scope["method"] == "HEAD")

"""The sandbox's own paths: faults on demand, and the log of requests."""

import json
from collections import deque
from http import HTTPStatus
from typing import cast

from attrs import frozen

from trayport_sdk.sandbox.faults import Fault, Faults
from trayport_sdk.sandbox.problems import Problem
from trayport_sdk.sandbox.received import Received

CONTROL_PATH = "/control"
_FAULTS, _REQUESTS = f"{CONTROL_PATH}/faults", f"{CONTROL_PATH}/requests"
_ALLOWED = {_FAULTS: "GET, POST, DELETE", _REQUESTS: "GET, DELETE"}


@frozen
class Control:
    """What the control calls act on."""

    faults: Faults
    requests: deque[Received]

    def act(self, method: str, path: str, body: bytes) -> tuple[int, object]:
        """The status and the JSON document that answer a control call."""
        match method, path:
            case "GET", "/control/faults":
                return HTTPStatus.OK, self.faults.documents()
            case "POST", "/control/faults":
                self.faults.add(*_faults(body))
                return HTTPStatus.CREATED, self.faults.documents()
            case "DELETE", "/control/faults":
                self.faults.clear()
                return HTTPStatus.OK, []
            case "GET", "/control/requests":
                return HTTPStatus.OK, [request.document() for request in tuple(self.requests)]
            case "DELETE", "/control/requests":
                self.requests.clear()
                return HTTPStatus.OK, []
            case _:
                raise _refusal(path)


def _refusal(path: str) -> Problem:
    if path in _ALLOWED:
        return Problem(HTTPStatus.METHOD_NOT_ALLOWED, headers={"allow": _ALLOWED[path]})
    return Problem(HTTPStatus.NOT_FOUND)


def _faults(body: bytes) -> list[Fault]:
    """One fault, or a list of them."""
    try:
        document: object = json.loads(body)
        if not isinstance(document, list):
            return [Fault.from_document(document)]
        return [Fault.from_document(one) for one in cast("list[object]", document)]
    except (ValueError, TypeError) as error:
        raise Problem(HTTPStatus.BAD_REQUEST, detail=str(error.args[0])) from error

"""Refusals, and the problem documents that say what was wrong."""

import json
from collections.abc import Mapping
from http import HTTPStatus

PROBLEM_JSON = "application/problem+json"
INVALID_TITLE = "One or more validation errors occurred."


class Problem(Exception):  # noqa: N818  (it is a response, not a failure of the program)
    """A request that is refused: a status, a title, and what is wrong with which parameter."""

    def __init__(
        self,
        status: int,
        title: str | None = None,
        *,
        detail: str | None = None,
        errors: Mapping[str, list[str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.title = title or _phrase(status)
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}
        super().__init__(f"{status} {self.title}")

    def body(self) -> bytes:
        document = {"type": "about:blank", "title": self.title, "status": self.status}
        if self.detail is not None:
            document["detail"] = self.detail
        errors = {"errors": dict(self.errors)} if self.errors else {}
        return json.dumps({**document, **errors}).encode()


class ValidationErrors:
    """Everything that is wrong with one request, by parameter."""

    def __init__(self) -> None:
        self._errors: dict[str, list[str]] = {}

    def add(self, parameter: str, message: str) -> None:
        messages = self._errors.setdefault(parameter, [])
        if message not in messages:
            messages.append(message)

    def about(self, parameter: str) -> bool:
        return parameter in self._errors

    def raise_any(self) -> None:
        if self._errors:
            raise Problem(HTTPStatus.BAD_REQUEST, INVALID_TITLE, errors=self._errors)


def not_found(what: str, number: int) -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, detail=f"There is no {what} {number}.")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"

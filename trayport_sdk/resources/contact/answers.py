"""The responses of a first contact as they came, before anything is made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self, cast

import msgspec
from attrs import define, field, frozen

from ...http.body import BodyLimitError, DecompressionError, decompressed

if TYPE_CHECKING:
    import httpx
    from trayport_spec import Endpoint

    from ...http.messages import ApiRequest

Row = Mapping[str, Any]
QUOTED = 200


def members(value: object) -> Row:
    """The members of an object; none of what is no object."""
    return cast("Row", value) if isinstance(value, dict) else {}


def elements(value: object) -> list[object]:
    """The elements of a list; none of what is no list."""
    return cast("list[object]", value) if isinstance(value, list) else []


def objects(value: object) -> list[Row]:
    """The objects in a list."""
    return [cast("Row", element) for element in elements(value) if isinstance(element, dict)]


def inside(values: Iterable[object]) -> list[Row]:
    """The objects among values, and those in the lists among them."""
    found: list[Row] = []
    for value in values:
        if isinstance(value, dict):
            found.append(cast("Row", value))
        elif isinstance(value, list):
            found += objects(cast("list[object]", value))
    return found


# What comes of data that nobody has foreseen. No response may end a first contact.
UNFORESEEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class NotReachableError(Exception):
    """What a question or a probe needs cannot be had with this key; the message says why."""

    @classmethod
    def of(cls, error: Exception) -> Self:
        """The same, for data that nobody has foreseen; their values are not told."""
        if isinstance(error, cls):
            return error
        return cls(f"what came cannot be judged ({type(error).__name__})")


@frozen
class Answer:
    """A response, without compression.

    Attributes:
        name: The name of the question.
        headers: By name in lower case.
        body: The body, without the key.
        document: The decoded JSON; None when it is none.
        damage: What is wrong with the body, when it could not be read.
    """

    name: str
    request: ApiRequest
    status: int
    headers: Mapping[str, str]
    body: str
    document: Any = None
    damage: str = ""

    @classmethod
    def of(
        cls,
        name: str,
        request: ApiRequest,
        response: httpx.Response,
        chunks: Sequence[bytes],
        redact: Callable[[str], str],
        limit: int | None = None,
    ) -> Answer:
        """The answer in a response, whose body came in chunks.

        Args:
            name: The name of the question.
            request: What was sent.
            response: The response.
            chunks: The body, as it came over the network.
            redact: Takes the key out of a text.
            limit: How large the body may be without compression.
        """
        headers = {key.lower(): value for key, value in response.headers.items()}
        document, damage, text = None, "", ""
        try:
            encoding = headers.get("content-encoding", "")
            text = redact(b"".join(decompressed(chunks, encoding, limit=limit)).decode())
            document = msgspec.json.decode(text)
        except (DecompressionError, BodyLimitError) as error:
            damage = str(error)
        except (UnicodeDecodeError, RecursionError, msgspec.DecodeError) as error:
            damage = f"it is no JSON: {error}"
        return cls(name, request, response.status_code, headers, text, document, damage)

    @property
    def endpoint(self) -> Endpoint:
        """The operation."""
        return self.request.endpoint

    @property
    def ok(self) -> bool:
        """Whether it has status 200 and JSON."""
        return self.status == HTTPStatus.OK and self.document is not None

    @property
    def was_refused(self) -> bool:
        """Whether the request breaks a rule, as the service says."""
        return self.status == HTTPStatus.BAD_REQUEST

    @cached_property
    def rows(self) -> list[Row]:
        """The rows, as far as they are where they should be."""
        if self.endpoint.rows_at is not None:
            return objects(members(self.document).get(self.endpoint.rows_at))
        return objects(self.document if self.endpoint.root == "array" else [self.document])

    @property
    def message(self) -> str:
        """What a refusal says, on one line."""
        errors = members(members(self.document).get("errors"))
        if errors:
            texts = (f"{n}: {' '.join(map(str, elements(m))) or m}" for n, m in errors.items())
            return "; ".join(texts)[:QUOTED]
        return " ".join(self.body[:QUOTED].split())


@define
class Answers:
    """What was asked, and what came of it.

    Attributes:
        now: The time of day in nanoseconds, which the questions count from.
        by_name: The responses, by the name of their question.
        reasons: Why a question has no response.
        failed: The responses to requests that were sent again.
        requests: How many requests were sent.
    """

    now: int
    by_name: dict[str, Answer] = field(factory=dict[str, Answer])
    reasons: dict[str, str] = field(factory=dict[str, str])
    failed: list[Answer] = field(factory=list["Answer"])
    requests: int = 0

    def get(self, name: str) -> Answer:
        """The response to a question.

        Raises:
            NotReachableError: There is none.
        """
        if name not in self.by_name:
            raise NotReachableError(self.reasons.get(name, "time or requests ran out"))
        return self.by_name[name]

    def data(self, name: str) -> Answer:
        """The response to a question, which is no error.

        Raises:
            NotReachableError: There is none, or it is one.
        """
        answer = self.get(name)
        if not answer.ok:
            raise NotReachableError(f"{answer.endpoint.path} gave {answer.status}")
        return answer

    def rows(self, name: str) -> list[Row]:
        """The rows in the response to a question, of which there is one at least.

        Raises:
            NotReachableError: There are none.
        """
        answer = self.data(name)
        if not answer.rows:
            raise NotReachableError(f"{answer.endpoint.path} gave no rows")
        return answer.rows

    @property
    def all(self) -> list[Answer]:
        """Every response by name, and those to requests that were sent again."""
        return [*(self.by_name[name] for name in sorted(self.by_name)), *self.failed]

"""First contact with the live service: what responses confirm and refute of the document."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING

import httpx
from trayport_spec import ASSUMPTIONS

from ..errors import TrayportAPIError, TrayportError
from .contact.answers import UNFORESEEN, Answer, Answers, NotReachableError
from .contact.compare import compare
from .contact.findings import Evidence
from .contact.known import Known, nanoseconds
from .contact.probes import settle
from .contact.questions import QUESTIONS, Question
from .contact.report import FirstContact

if TYPE_CHECKING:
    from ..http.messages import ApiRequest, ApiResponse
    from ..http.session import Session

MOST_REQUESTS = 40
MOST_SECONDS = 60.0
LONGEST_WAIT = 10.0
"""Seconds to wait at most before a request that failed is sent a second time."""


async def first_contact(
    session: Session, now: datetime, *, most: int = MOST_REQUESTS, within: float = MOST_SECONDS
) -> FirstContact:
    """Sends requests to every operation, and settles each assumption of the OpenAPI document.

    Args:
        session: Sends the requests, within the limits of the key.
        now: The time of day.
        most: How many requests are sent at most.
        within: Seconds after which no more are waited for.
    """
    answers = Answers(nanoseconds(now))
    known = Known(answers)
    asker = _Asker(session, known, most)
    try:
        async with asyncio.timeout(within):
            for group in QUESTIONS:
                await asyncio.gather(*map(asker.ask, group))
                if not any(answer.ok for answer in answers.all):
                    break  # the key is refused, or nothing is there
    except TimeoutError:
        pass  # what has not come is not reachable
    return await asyncio.to_thread(judged, answers, known)


def judged(answers: Answers, known: Known) -> FirstContact:
    """The report on some responses."""
    differences = compare(answers.all)
    evidence = Evidence(answers, known, differences)
    findings = {name: settle(name, evidence) for name in ASSUMPTIONS}
    return FirstContact.of(answers, findings, differences)


class _Asker:
    """Sends questions once, or a second time where that may help and the allowance is there."""

    def __init__(self, session: Session, known: Known, most: int) -> None:
        self._session = session.once()
        self._known = known
        self._answers = known.answers
        self._most = most
        planned = sum(q.instead_of is None for group in QUESTIONS for q in group)
        self._spare = most - planned

    async def ask(self, question: Question) -> None:
        answers = self._answers
        try:
            request = question.request(self._known)
        except (NotReachableError, *UNFORESEEN) as error:
            answers.reasons[question.name] = str(NotReachableError.of(error))
            self._spare += question.instead_of is None
            return
        failure = await self._send(question.name, request)
        if failure is not None and failure.retryable and self._spare > 0:
            self._spare -= 1
            wait = failure.retry_after if isinstance(failure, TrayportAPIError) else None
            await asyncio.sleep(min(LONGEST_WAIT, 1.0 if wait is None else wait))
            if (failed := answers.by_name.pop(question.name, None)) is not None:
                answers.failed.append(failed)
            await self._send(question.name, request)

    async def _send(self, name: str, request: ApiRequest) -> TrayportError | None:
        """Sends a request once; returns its failure, which is no event: many are expected."""
        answers, redact = self._answers, self._session.transport.redact
        limit = self._session.policy.max_decoded_bytes
        if answers.requests >= self._most:
            answers.reasons[name] = "the requests ran out"
            return None
        answers.requests += 1

        async def keep(response: httpx.Response) -> None:
            chunks = [chunk async for chunk in response.aiter_raw()]
            answers.by_name[name] = await asyncio.to_thread(
                Answer.of, name, request, response, chunks, redact, limit
            )

        session = self._session.watched(keep)
        failure = await session.fetch(request, _drain, instead=lambda error: error)
        if failure is not None and name not in answers.by_name:
            answers.reasons[name] = f"no response: {failure.args[0]}"
        return failure


def _drain(response: ApiResponse) -> TrayportError | None:
    """Reads a response to its end; what it says is looked at elsewhere."""
    deque(response.chunks(), maxlen=0)
    return None

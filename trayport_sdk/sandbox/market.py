"""What sandboxes of one seed share: the engine, and what was rendered for any of them."""

from collections.abc import Iterator
from functools import lru_cache

from trayport_sdk.sandbox.answers import Answers
from trayport_sdk.sandbox.bodies import Bodies, Chunks, encoded
from trayport_sdk.sandbox.engine import Engine
from trayport_sdk.sandbox.negotiation import Encoding
from trayport_sdk.sandbox.questions import Question
from trayport_sdk.sandbox.render import Media
from trayport_sdk.sandbox.spans import day_start


class Market:
    """Answers of one seed as bytes; safe to use from several threads."""

    def __init__(self, seed: int) -> None:
        self.engine = Engine(seed=seed)
        self._answers = Answers(self.engine)
        self._bodies = Bodies()

    def kept(self, question: Question, media: Media, encoding: Encoding) -> Chunks | None:
        return self._bodies.find(_key(question, media, encoding))

    def body(self, question: Question, media: Media, encoding: Encoding) -> Iterator[bytes]:
        """The body in chunks, remembered when it was taken to its end."""
        chunks: list[bytes] = []
        for chunk in encoded(self._answers.answer(question, media).parts(), encoding):
            chunks.append(chunk)
            yield chunk
        # Rendered trades are kept by the day already.
        if encoding != "identity" or question.endpoint.operation_id != "get_trades":
            self._bodies.keep(_key(question, media, encoding), tuple(chunks))

    def plain_body(self, question: Question, media: Media) -> bytes:
        return b"".join(self._answers.answer(question, media).parts())


def _key(question: Question, media: Media, encoding: Encoding) -> object:
    return (
        question.endpoint.operation_id,
        tuple(sorted((name, str(value)) for name, value in question.values.items())),
        question.contracts,
        question.shape,
        (question.start, question.until, question.end, question.at, day_start(question.data_end)),
        media,
        encoding,
    )


@lru_cache(maxsize=4)
def market(seed: int) -> Market:
    """The market of a seed, one for the whole process."""
    return Market(seed)

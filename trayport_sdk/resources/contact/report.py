"""The report of a first contact: in words, as values, and as files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from attrs import asdict, evolve, field, frozen
from trayport_spec import ASSUMPTIONS, ENDPOINTS, SPEC_HASH, SPEC_VERSION

from ... import __version__
from ...bulk.raw import check_directory
from ...query.times import to_text
from ...tables.output import replaced
from .answers import Answer, Answers
from .cassette import Redaction, cassette, private_texts
from .compare import SpecDifference
from .findings import Finding, Verdict
from .known import integer, moment_of, nanoseconds
from .overlay import overlay

SIGNS: Mapping[Verdict, str] = {"confirmed": "ok", "refuted": "REFUTED", "not reachable": "-"}
HIDDEN = "[name]"
FILES = ("report.md", "report.json", "overlay.json", "cassette.json")


@frozen(slots=False)
class FirstContact:
    """What the responses of a service say about the OpenAPI document. Its text is a few lines.

    Neither the key nor names of people, companies or routes are in it or in its files. Look at them
    before you send them: a field that nobody knows may hold anything.

    Attributes:
        findings: What came of each assumption, by its name.
        differences: In what responses differ from the document.
        observed: What the document leaves open, such as whether rows at `until` are sent.
        operations: For each operation the statuses of its responses and how often they came.
        day: The day in UTC.
        requests: How many requests were sent.
    """

    findings: Mapping[str, Finding]
    differences: Sequence[SpecDifference]
    observed: Mapping[str, str]
    operations: Mapping[str, Mapping[int, int]]
    day: str
    requests: int
    _answers: Answers = field(repr=False)

    @classmethod
    def of(
        cls,
        answers: Answers,
        findings: Mapping[str, Finding],
        differences: Sequence[SpecDifference],
    ) -> FirstContact:
        """The report on some responses."""
        private = sorted(private_texts(answers.all), key=len, reverse=True)

        def clean(text: str) -> str:
            """The text without what only the responses may say, such as names of routes."""
            for each in private:
                text = text.replace(each, HIDDEN)
            return text

        statuses: dict[str, Counter[int]] = {name: Counter() for name in ENDPOINTS}
        for answer in answers.all:
            statuses[answer.endpoint.operation_id][answer.status] += 1
        return cls(
            {name: evolve(f, seen=clean(f.seen)) for name, f in findings.items()},
            tuple(evolve(d, seen=clean(d.seen)) for d in differences),
            dict(_observed(answers)),
            {name: dict(counts) for name, counts in statuses.items()},
            to_text(answers.now)[: len("2024-03-05")],
            answers.requests,
            answers,
        )

    @property
    def ok(self) -> bool:
        """Whether something responded, nothing is refuted and nothing differs."""
        return any(200 in s for s in self.operations.values()) and not (
            self.differences or self.refuted
        )

    @property
    def refuted(self) -> tuple[str, ...]:
        """The assumptions that responses contradict."""
        return self._with("refuted")

    def _with(self, verdict: Verdict) -> tuple[str, ...]:
        return tuple(name for name, f in self.findings.items() if f.verdict == verdict)

    def __str__(self) -> str:
        responding = sum(200 in statuses for statuses in self.operations.values())
        counts = Counter(finding.verdict for finding in self.findings.values())
        lines = [
            f"{self.requests} requests, "
            f"{responding} of {len(self.operations)} operations responded",
            "assumptions: " + ", ".join(f"{counts[verdict]} {verdict}" for verdict in SIGNS),
            f"differences from the document: {len(self.differences)}",
            *([] if responding else [f"NOTHING  {self._silence}"]),
            *(f"{SIGNS['refuted']}  {name}: {self.findings[name].seen}" for name in self.refuted),
            *(f"DIFFERS  {_in_words(difference)}" for difference in self.differences),
        ]
        return "\n".join(lines)

    @property
    def _silence(self) -> str:
        """Why no operation has responded."""
        statuses = {answer.status for answer in self._answers.all}
        if statuses:
            advice = ": check the key" if statuses <= {401, 403} else ""
            return f"every response was {' or '.join(map(str, sorted(statuses)))}{advice}"
        return next(iter(self._answers.reasons.values()), "no response came in time")

    def to_dict(self) -> dict[str, Any]:
        """The report as values for JSON."""
        return {
            "day": self.day,
            "sdk": __version__,
            "spec": {"version": SPEC_VERSION, "hash": SPEC_HASH},
            "requests": self.requests,
            "operations": self.operations,
            "assumptions": {name: asdict(finding) for name, finding in self.findings.items()},
            "differences": [asdict(difference) for difference in self.differences],
            "observed": self.observed,
        }

    def to_markdown(self) -> str:
        """The report as Markdown."""
        return "\n".join(_markdown(self)) + "\n"

    @cached_property
    def overlay(self) -> Mapping[str, Any]:
        """An OpenAPI Overlay with what differs, for `./codegen.sh --overlay`."""
        return overlay(self.findings, self.differences, self.day)

    def write(self, directory: str | Path, *, round_prices: int | None = None) -> list[Path]:
        """Writes the report in Markdown and JSON, the overlay, and a cassette for the sandbox.

        Args:
            directory: Where they go; made when it is missing. Files of these names are replaced.
            round_prices: How many decimals prices in the cassette keep; all when it is None.

        Returns:
            The files.

        Raises:
            TrayportValidationError: The directory cannot be made or written to.
            OSError: A file cannot be written.
        """
        place = check_directory(directory)
        texts = (
            self.to_markdown(),
            json.dumps(self.to_dict(), indent=2) + "\n",
            json.dumps(self.overlay, indent=2) + "\n",
            cassette(self._answers.by_name.values(), Redaction(round_prices)),
        )
        paths = [place / name for name in FILES]
        for path, text in zip(paths, texts, strict=True):
            with replaced(path) as file:
                file.write(text.encode())
        return paths


def _in_words(difference: SpecDifference) -> str:
    path = ENDPOINTS[difference.operation_id].path
    what = f"{difference.kind} {difference.path}".strip()
    times = f" ({difference.count:,} times)" if difference.count > 1 else ""
    return f"{path}: {what}: {difference.seen}, expected {difference.expected}{times}"


def _markdown(report: FirstContact) -> Iterator[str]:
    yield from (
        "# First contact",
        "",
        f"{report.day} (UTC), {report.requests} requests, trayport-sdk {__version__}, document "
        f"{SPEC_VERSION} `{SPEC_HASH[:12]}`.",
        "",
        "## Assumptions",
        "",
        "| | Assumption | What was seen |",
        "| --- | --- | --- |",
    )
    for name, finding in report.findings.items():
        seen = finding.seen.replace("|", "\\|")
        yield f"| {finding.verdict} | `{name}`: {ASSUMPTIONS[name]} | {seen} |"
    yield from ("", "## Differences from the document", "")
    yield from [f"- {_in_words(d)}" for d in report.differences] or ["None."]
    yield from ("", "## What the document leaves open", "")
    yield from [f"- {name}: {text}" for name, text in report.observed.items()] or ["Nothing seen."]
    yield from ("", "## Operations", "", "| Operation | Responses |", "| --- | --- |")
    for name, statuses in report.operations.items():
        counts = ", ".join(f"{count} with {status}" for status, count in sorted(statuses.items()))
        yield f"| `{ENDPOINTS[name].path}` | {counts or 'none'} |"


def _observed(answers: Answers) -> Iterator[tuple[str, str]]:
    """What the document says nothing about."""
    for what, name in (("trade", "between_stamps"), ("candle", "candles"), ("book", "book")):
        answer = answers.by_name.get(name)
        if answer is not None and answer.ok and (is_sent := _has_last(answer, answers)) is not None:
            yield f"a {what} stamped at `until`", "is sent" if is_sent else "is not sent"
    limits = {
        name for a in answers.all for name in a.headers if "ratelimit" in name.replace("-", "")
    }
    if limits:
        yield "headers about the allowance", ", ".join(sorted(limits))
    encodings = {a.headers.get("content-encoding", "none") for a in answers.all if a.ok}
    if encodings:
        yield "compression", ", ".join(sorted(encodings))


def _has_last(answer: Answer, answers: Answers) -> bool | None:
    """Whether a row at the end of the range came; None where nothing tells."""
    end = moment_of(answer.request.parameters["until"])
    last = 0 if end is None else nanoseconds(end)
    has = any(integer(row, answer.endpoint.time_column or "") == last for row in answer.rows)
    # A candle past the end of the data, and the book of a night, are left out in any case.
    if not has and (answer.name != "between_stamps" or last >= answers.now):
        return None
    return has

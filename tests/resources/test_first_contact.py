"""First contact: every planted deviation is found, and nothing else is."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from trayport_spec import ASSUMPTIONS, ENDPOINTS

from tests.drawn import examples
from tests.openapi.edited import Copy
from trayport_sdk import FirstContact, Settings, TrayportClient
from trayport_sdk.cli import run
from trayport_sdk.resources import first_contact as engine
from trayport_sdk.resources.contact.answers import (
    UNFORESEEN,
    Answer,
    Answers,
    NotReachableError,
)
from trayport_sdk.resources.contact.cassette import Redaction, cassette
from trayport_sdk.resources.contact.known import Known
from trayport_sdk.resources.contact.probes import PROBES
from trayport_sdk.resources.contact.questions import BY_NAME, QUESTIONS
from trayport_sdk.resources.first_contact import MOST_REQUESTS, first_contact, judged
from trayport_sdk.sandbox import Fault, Sandbox
from trayport_sdk.sandbox.deviations import ASSUMPTIONS_BROKEN, OTHERS
from trayport_sdk.sandbox.rows import YOUR_COMPANY_ID, YOUR_COMPANY_NAME, YOUR_TRADERS
from trayport_sdk.sandbox.rules import ROUTES

pytestmark = pytest.mark.anyio

NOW = datetime(2024, 1, 3, 8, tzinfo=UTC)
KEY = "a-key-of-somebody"
# No request within the limits of the service tells.
UNREACHABLE = {"reference-shares-rate-limit", "price-per-notional-unit"}
# The sandbox has nothing that tells; with something planted it has.
UNSEEN = {"retry-after-forms", "eex7-history-as-eex"}
EVERYWHERE = {name for name, endpoint in ENDPOINTS.items()}

# For each deviation from what is documented: the kind and the field of the differences, and the
# operations that have them; or the assumption that it refutes as well.
TRADES, ACTIVITY, BOOK = {"get_trades"}, {"get_activity"}, {"get_order_book"}
FOUND: dict[str, tuple[set[str], set[str]] | str] = {
    "renamed-field": ({"unknown buyAggressor", "missing aggressorBuy"}, TRADES),
    "null-quantity": ({"null quantity"}, TRADES),
    "shorter-ranges": ({"limit maxDays"}, {*TRADES, *ACTIVITY, "get_ohlcv"}),
    "one-route-only": "list-separators",
    "newest-first": ({"order dealDate"}, TRADES),
    "worst-first": ({"order bids", "order asks"}, BOOK),
    "unknown-field": ({"unknown currency"}, {"get_snapshots"}),
    "missing-field": ({"missing secondSequenceItemId"}, ACTIVITY),
    "price-as-text": ({"type price"}, TRADES),
    "time-in-milliseconds": ({"range dealDate"}, TRADES),
    "unknown-kind": ({"value contractType"}, ACTIVITY),
    "in-an-object": ({"type"}, {"get_markets"}),
    "items-cut-short": "every-item-at-once",
    "not-compressed": ({"header Content-Encoding"}, EVERYWHERE),
    "no-content-type": ({"header Content-Type"}, EVERYWHERE),
    "gone-instead-of-not-found": ({"status"}, {"get_instrument"}),
}


ODD = st.sampled_from(
    [None, True, -1, 2**70, 1e300, 0.5, "", "x", "2024-13-01", [], [1], {}, {"a": [None]}]
)
AGAIN = f"""
import asyncio
from datetime import datetime
from trayport_sdk import TrayportClient
from trayport_sdk.resources.first_contact import first_contact

async def contact():
    async with TrayportClient() as client:
        print(await first_contact(client._session, datetime.fromisoformat("{NOW.isoformat()}")))

asyncio.run(contact())
"""


def sandbox_of(*deviations: str, **options: Any) -> Sandbox:
    now = int(NOW.timestamp()) * 10**9
    given: dict[str, Any] = {"limits": False, "clock": lambda: now, **options}
    return Sandbox(deviations=deviations, **given)


async def contact(sandbox: Sandbox, **options: Any) -> FirstContact:
    async with TrayportClient.sandbox(sandbox) as client:
        return await first_contact(client._session, NOW, **options)


def verdicts(report: FirstContact, verdict: str) -> set[str]:
    return {name for name, finding in report.findings.items() if finding.verdict == verdict}


def test_every_assumption_has_its_probe_and_its_switch() -> None:
    assert PROBES.keys() == ASSUMPTIONS.keys() == ASSUMPTIONS_BROKEN.keys()
    assert FOUND.keys() == OTHERS.keys()


def test_every_operation_is_asked() -> None:
    asked = [question.operation_id for group in QUESTIONS for question in group]
    assert set(asked) == ENDPOINTS.keys()


async def test_nothing_is_found_where_nothing_is_planted() -> None:
    sandbox = sandbox_of()
    report = await contact(sandbox)
    assert report.ok
    assert report.differences == ()
    assert verdicts(report, "refuted") == set()
    assert verdicts(report, "not reachable") == UNREACHABLE | UNSEEN
    assert all(200 in statuses for statuses in report.operations.values())
    assert len(sandbox.requests) == report.requests <= MOST_REQUESTS
    assert {request.method for request in sandbox.requests} == {"GET"}
    assert report.observed["a trade stamped at `until`"] == "is not sent"
    assert report.overlay["actions"] == []


@pytest.mark.parametrize("name", ASSUMPTIONS_BROKEN)
async def test_an_assumption_that_is_false_is_refuted_and_no_other(name: str) -> None:
    sandbox = sandbox_of(name)
    if name == "retry-after-forms":
        sandbox.faults.add(Fault("status", retry_after=0, operation_id="get_market_sequences"))
    report = await contact(sandbox)
    assert verdicts(report, "refuted") == {name} - UNREACHABLE, str(report)
    assert all(name in difference.assumptions for difference in report.differences), str(report)
    assert report.ok is (name in UNREACHABLE)


@pytest.mark.parametrize("name", OTHERS)
async def test_a_deviation_from_what_is_documented_is_found_and_no_other(name: str) -> None:
    report = await contact(sandbox_of(name))
    expected = FOUND[name]
    found = {f"{d.kind} {d.path}".strip() for d in report.differences}
    operations = {d.operation_id for d in report.differences}
    if isinstance(expected, str):
        assert report.refuted == (expected,)
        assert not found
    else:
        assert report.refuted == ()
        assert found == expected[0]
        # Short responses are not compressed.
        assert operations == expected[1] or (operations < expected[1] == EVERYWHERE)


async def test_rows_at_the_end_of_a_range_are_told_apart() -> None:
    report = await contact(sandbox_of(until_inclusive=True))
    assert report.ok, str(report)
    assert report.observed["a trade stamped at `until`"] == "is sent"


async def test_a_failed_request_is_sent_again_and_its_wait_is_judged() -> None:
    sandbox = sandbox_of()
    sandbox.faults.add(Fault("status", retry_after=0, operation_id="get_market_sequences"))
    report = await contact(sandbox)
    assert report.ok, str(report)
    assert report.findings["retry-after-forms"].verdict == "confirmed"
    assert report.operations["get_market_sequences"] == {503: 1, 200: 1}
    assert report.requests <= MOST_REQUESTS


async def test_requests_are_bounded_and_within_the_allowance() -> None:
    sandbox = sandbox_of(limits=True)
    async with TrayportClient.sandbox(sandbox) as client:
        report = await first_contact(client._session, NOW, most=6)
        limiter = client.get_status().limiter
    assert limiter is not None
    assert max(window.used for window in limiter.windows) == len(sandbox.requests) == 6
    assert "requests ran out" in report.findings["snapshot-time-is-at"].seen


@pytest.fixture(scope="module")
def few_rows() -> Answers:
    """The responses of a first contact, with few rows of each."""

    def shorter(answer: Answer) -> Answer:
        document = answer.document
        return evolve(answer, document=document[:40] if isinstance(document, list) else document)

    report = asyncio.run(contact(sandbox_of()))
    answers = report._answers
    answers.by_name = {name: shorter(answer) for name, answer in answers.by_name.items()}
    return answers


@given(st.lists(st.tuples(st.integers(0, 10**6), ODD), min_size=1, max_size=30))
@settings(max_examples=examples(200))
def test_no_response_ends_a_first_contact(
    few_rows: Answers, changes: list[tuple[int, object]]
) -> None:
    answers = copy.deepcopy(few_rows)
    places = [place for answer in answers.all for place in holders(answer.document)]
    for number, value in changes:
        holder, name = places[number % len(places)]
        holder[name] = value
    report = judged(answers, Known(answers))
    json.dumps(report.to_dict())
    report.to_markdown()
    cassette(answers.all, Redaction(2))
    for question in BY_NAME.values():
        with contextlib.suppress(NotReachableError, *UNFORESEEN):
            question.request(Known(answers))


def holders(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every member and element within a document, with what holds it."""
    if isinstance(value, dict | list):
        for name in value if isinstance(value, dict) else range(len(value)):
            yield value, name
            yield from holders(value[name])


async def test_it_works_over_a_network_and_no_file_has_the_key(tmp_path: Path) -> None:
    sandbox = sandbox_of("no-content-type", keys=[KEY])
    with sandbox.serve() as server:
        settings = Settings(
            _env_file=None,
            api_key=KEY,
            analytics_url=server.analytics_url,
            reference_url=server.reference_url,
            # A host on this machine may be sent more than the service allows.
            requests_per_second=500,
            requests_per_minute=5000,
        )
        async with TrayportClient(settings=settings) as client:
            report = await first_contact(client._session, NOW)
            status = client.get_status()
    assert report.refuted == ()
    assert {d.path for d in report.differences} == {"Content-Type"}
    assert status.connections.requests == report.requests == len(sandbox.requests)
    for path in report.write(tmp_path):
        assert KEY not in path.read_text()


async def test_headers_about_the_allowance_are_reported() -> None:
    async def tell(response: httpx.Response) -> None:
        response.headers["X-RateLimit-Remaining"] = "7"

    hooks = {"response": [tell]}
    async with TrayportClient.sandbox(sandbox_of(), event_hooks=hooks) as client:
        report = await first_contact(client._session, NOW, most=6)
    assert report.observed["headers about the allowance"] == "x-ratelimit-remaining"


async def test_what_does_not_come_in_time_is_not_reachable() -> None:
    report = await contact(sandbox_of(), within=0.0)
    assert verdicts(report, "not reachable") == ASSUMPTIONS.keys()
    assert not report.ok


async def test_a_refused_key_costs_few_requests_and_settles_nothing() -> None:
    sandbox = sandbox_of(keys=["another"])
    report = await contact(sandbox)
    assert verdicts(report, "refuted") == set()
    assert report.differences == ()
    assert len(sandbox.requests) == len(QUESTIONS[0])
    assert not report.ok
    assert "0 of 17 operations responded" in str(report)
    assert "every response was 401: check the key" in str(report)


async def test_the_files_have_no_names_and_no_key(tmp_path: Path) -> None:
    report = await contact(sandbox_of("ids-are-integers", "unknown-field"))
    texts = [path.read_text() for path in report.write(tmp_path / "out", round_prices=0)]
    secret = [YOUR_COMPANY_NAME, *YOUR_TRADERS.values(), *ROUTES.values(), "X-API-KEY"]
    secret += [f'"{n}"' for n in (YOUR_COMPANY_ID, *YOUR_TRADERS)]
    for word in secret:
        # One route is called as the service is.
        assert not any(word in text.replace("trayport", "") for text in texts), word
    _, as_json, overlay, _ = texts
    assert json.loads(as_json)["assumptions"]["ids-are-integers"]["verdict"] == "refuted"
    assert json.loads(overlay)["overlay"] == "1.0.0"
    trades = next(e for e in json.loads(texts[3])["responses"] if e["path"] == "/trades")
    assert all(row["price"] == round(row["price"]) for row in trades["json"])


async def test_a_cassette_replays_to_the_same_report(tmp_path: Path) -> None:
    first = await contact(sandbox_of("renamed-field", "ids-are-integers", "errors-are-problems"))
    *_, tape = first.write(tmp_path / "first")
    second = await contact(sandbox_of(replay=tape))
    *_, again = second.write(tmp_path / "second")
    assert second.to_dict() == first.to_dict()
    assert again.read_bytes() == tape.read_bytes()


async def test_what_differs_can_be_applied_to_the_document(tmp_path: Path) -> None:
    planted = ["renamed-field", "null-quantity", "unknown-field", "missing-field"]
    planted += ("shorter-ranges", "ids-are-integers", "every-item-at-once", "newest-first")
    report = await contact(sandbox_of(*planted))
    repository = Copy(tmp_path, only=("openapi", "trayport_sdk"))
    applied = repository.run_in(
        tmp_path, sys.executable, "openapi/overlay.py", repository.written(report.overlay)
    )
    assert (applied.returncode, applied.stderr) == (0, "")
    made = repository.generate()
    assert made.returncode == 0, made.stderr
    columns = (tmp_path / "generated" / "trayport_spec" / "columns.py").read_text()
    for new in ("buyAggressor", "currency"):
        assert new in columns
    endpoints = (tmp_path / "generated" / "trayport_spec" / "endpoints.py").read_text()
    for new in ("max_days=30", "max_days=90", "max_days=5", "maximum=1000"):
        assert new in endpoints
    document = yaml.safe_load((tmp_path / "openapi" / "trayport.yaml").read_text())
    assert document["paths"]["/trades"]["get"]["x-trayport-observed"] == {
        "order dealDate": "not ascending"
    }
    assert "Refuted on 2024-01-03" in document["x-trayport-assumptions"]["ids-are-integers"]


@pytest.mark.slow
async def test_the_package_made_with_the_overlay_finds_no_difference(tmp_path: Path) -> None:
    planted = ["renamed-field", "null-quantity", "unknown-field", "missing-field"]
    planted += ["shorter-ranges", "ids-are-integers"]
    sandbox = sandbox_of(*planted)
    report = await contact(sandbox)
    assert len(report.differences) > len(planted)
    repository = Copy(tmp_path)
    made = repository.codegen("--overlay", repository.written(report.overlay))
    assert made.returncode == 0, made.stderr
    with sandbox.serve() as server:
        again = repository.run_in(
            tmp_path,
            sys.executable,
            "-c",
            AGAIN,
            PYTHONPATH=os.pathsep.join([str(tmp_path / "generated"), str(tmp_path)]),
            TRAYPORT_ANALYTICS_URL=server.analytics_url,
            TRAYPORT_REFERENCE_URL=server.reference_url,
            TRAYPORT_API_KEY="sandbox",
        )
    assert "differences from the document: 0" in again.stdout, again.stdout + again.stderr


def test_the_command_writes_what_it_finds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    planted: list[str] = []

    async def on_that_day(_: object, __: datetime) -> FirstContact:
        return await contact(sandbox_of(*planted))

    monkeypatch.setattr(engine, "first_contact", on_that_day)
    out = tmp_path / "out"
    assert run(["doctor", "--sandbox", "--live", "--report", str(out)]) == 0
    said = capsys.readouterr()
    assert "differences from the document: 0" in said.out
    assert f"wrote {out / 'report.md'}" in said.err
    assert "## Differences from the document\n\nNone." in (out / "report.md").read_text()

    planted.append("in-an-object")
    assert run(["doctor", "--sandbox", "--live", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["differences"][0]["operation_id"] == "get_markets"


@pytest.mark.parametrize(
    "arguments",
    [["--report", "x"], ["--round-prices", "2"], ["--live", "--round-prices", "2"]],
    ids=" ".join,
)
def test_options_that_do_nothing_are_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["doctor", "--sandbox", *arguments]) == 2
    assert "goes with --" in capsys.readouterr().err.replace("go with", "goes with")

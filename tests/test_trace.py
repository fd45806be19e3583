"""How many files of the package one call goes through, imports warm: its way can be read."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import trayport_sdk
from trayport_sdk import ContractSpec, Settings, TrayportClient
from trayport_sdk.sandbox import Fault, Sandbox

pytestmark = pytest.mark.anyio
PACKAGE = Path(trayport_sdk.__file__).parent
PAGE = PACKAGE.parent / "docs" / "architecture.md"
APRIL = ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=244)
DAY = ("2024-03-04", "2024-03-05")
MOST, MOST_MORE = 25, 10


class Trace:
    """The files of the wrapper whose code runs, in any thread, while it records."""

    def __init__(self) -> None:
        self.files: set[str] | None = None

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        if self.files is None or event != "call":
            return
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(PACKAGE) and "sandbox" not in path.parts[len(PACKAGE.parts) :]:
            self.files.add(str(path.relative_to(PACKAGE)))


@contextmanager
def tracing() -> Iterator[Trace]:
    trace = Trace()
    before = sys.getprofile()
    threading.setprofile(trace)
    sys.setprofile(trace)
    try:
        yield trace
    finally:
        sys.setprofile(before)
        threading.setprofile(None)


async def traced() -> tuple[set[str], set[str]]:
    """The files of a call that goes well, and of one whose first response is a 429."""
    settings = Settings(_env_file=None, evenly_spaced=False)
    sandbox = Sandbox()
    with sandbox.serve() as server, tracing() as trace:
        async with TrayportClient(
            "sandbox",
            settings=settings,
            analytics_url=server.analytics_url,
            reference_url=server.reference_url,
        ) as client:
            await client.trades.get_trades(APRIL, *DAY)
            trace.files = well = set[str]()
            await client.trades.get_trades(APRIL, *DAY)
            trace.files = None
            sandbox.faults.add(Fault("status", status=429, retry_after=0.1))
            trace.files = refused = set[str]()
            await client.trades.get_trades(APRIL, *DAY)
            trace.files = None
    return well, refused


async def test_a_call_goes_through_few_files_and_the_page_says_how_many() -> None:
    well, refused = await traced()
    assert {"resources/generated/trades.py", "http/session.py", "tables/decode/decoder.py"} <= well
    assert len(well) <= MOST, sorted(well)
    more = refused - well
    assert len(more) <= MOST_MORE, sorted(more)
    page = " ".join(PAGE.read_text().split())
    assert re.search(rf"executes code of {len(well)} files of the wrapper", page), len(well)
    assert re.search(rf"response that is a 429 adds {len(more)}", page), len(more)

"""A sandbox in a process of its own, so that it takes no time from whoever is measured."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from trayport_sdk.sandbox import Sandbox


def serve(limits: bool, ready: Any, done: Any) -> None:
    """Serves until it is told to end."""
    with Sandbox(limits=limits).serve() as server:
        ready.put((server.url, server.analytics_url, server.reference_url))
        done.wait()


@contextmanager
def served(*, limits: bool) -> Iterator[tuple[str, str, str]]:
    """The addresses of the sandbox, of its analytics and of its reference data."""
    context = multiprocessing.get_context("spawn")
    ready, done = context.Queue(), context.Event()
    process = context.Process(target=serve, args=(limits, ready, done))
    process.start()
    try:
        yield ready.get(timeout=60)
    finally:
        done.set()
        process.join(30)

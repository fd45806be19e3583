"""Each sentence that a call is refused with, whole: `refusals.txt`, as doctest reads it."""

from __future__ import annotations

import doctest
from collections.abc import Callable

import pandas as pd
import pytest

from tests.query.test_rules import ask
from trayport_sdk import TrayportValidationError
from trayport_sdk.query.plan import QueryPlan
from trayport_sdk.query.times import (
    SECOND,
    Interval,
    TimeRange,
    Window,
    duration_of,
    exact_instant,
    instant,
    interval_of,
)


def refused(call: Callable[..., object]) -> Callable[..., None]:
    """The call, which prints the parameter, the limit and the sentence of its error."""

    def printed(*arguments: object, **named: object) -> None:
        with pytest.raises(TrayportValidationError) as caught:
            call(*arguments, **named)
        error = caught.value
        print(f"[{error.parameter}]", *([error.limit] if error.limit is not None else []))
        print(error)

    return printed


def test_every_refusal_names_parameter_value_limit_and_the_way_out() -> None:
    calls: dict[str, Callable[..., object]] = {
        "instant": instant,
        "exact_instant": exact_instant,
        "window": Window.between,
        "time_range": TimeRange.between,
        "interval": Interval,
        "interval_of": interval_of,
        "duration_of": duration_of,
        "ask": ask,
        "plan": QueryPlan.from_dict,
    }
    names = {name: refused(call) for name, call in calls.items()} | {
        "SECOND": SECOND,
        "NaT": pd.NaT,
    }
    failed, tried = doctest.testfile("refusals.txt", globs=names)
    assert tried > 50
    assert not failed

"""Quantiles from a histogram, against those of all values."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trayport_sdk.telemetry.metrics import RELATIVE_ERROR, SHORTEST, Histogram


@given(
    values=st.lists(st.floats(0, 1e5), min_size=1),
    share=st.sampled_from([0.0, 0.01, 0.5, 0.9, 0.99, 1.0]),
)
def test_a_quantile_is_as_near_to_the_exact_one_as_is_promised(
    values: list[float], share: float
) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    exact = sorted(values)[max(1, math.ceil(share * len(values))) - 1]
    # A rank at the very edge of a bucket may round either way.
    allowed = RELATIVE_ERROR * 1.01
    assert histogram.quantile(share) == pytest.approx(exact, rel=allowed, abs=SHORTEST)


def test_a_histogram_without_values_is_all_zeros() -> None:
    assert Histogram().quantile(0.99) == Histogram().longest == 0.0


def test_a_million_different_durations_need_no_more_room_than_a_thousand_buckets() -> None:
    histogram = Histogram()
    for exponent in range(-2000, 2000):
        histogram.add(10.0 ** (exponent / 10))
    assert len(vars(histogram)["_buckets"]) < 1000
    assert histogram.count == 4000

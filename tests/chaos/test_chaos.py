"""A short share of `make chaos`."""

from tests.chaos.rounds import SMALL, chaos


def test_data_sets_whose_programs_are_killed_equal_undisturbed_ones() -> None:
    figures = chaos(4, SMALL, seed=14)
    assert figures.kills >= 4
    assert figures.corrections > 0

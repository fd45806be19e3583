"""The simulation of workers: what it says must follow from what it is given."""

from tests.perf.scaling import Costs, requests_per_minute
from trayport_sdk import Settings

FREE = Costs(0.0, 0.0, 0.0, 0.0)
ALLOWANCE = Settings(_env_file=None).requests_per_minute


def test_nothing_is_faster_than_the_allowance_and_workers_help_only_where_one_is_busy() -> None:
    for processes in (1, 4):
        assert 0.95 * ALLOWANCE < requests_per_minute(FREE, 1000, processes) <= ALLOWANCE
    # Half a second of decoding for each response: one process makes two of them in a second.
    slow = Costs(decode=5e-4, hand_over=0.0, take=0.0, record=0.0)
    alone, four = (requests_per_minute(slow, 1000, processes) for processes in (1, 4))
    assert 0.95 * 120 < alone <= 120
    assert four > 0.95 * ALLOWANCE
    # More keys are more allowances, until the caller cannot record what comes.
    assert requests_per_minute(FREE, 1000, 1, keys=4) > 3.8 * ALLOWANCE
    recording = Costs(decode=0.0, hand_over=0.0, take=0.0, record=1e-4)
    assert requests_per_minute(recording, 1000, 4, keys=4) <= 600

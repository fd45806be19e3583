"""How many examples a property is tried with."""

import os

FACTOR = float(os.environ.get("TRAYPORT_TESTS_EXAMPLES", "0.05"))


def examples(count: int) -> int:
    """So many where `TRAYPORT_TESTS_EXAMPLES` is 1, as in `make fuzz`; by default a twentieth."""
    return max(3, round(count * FACTOR))

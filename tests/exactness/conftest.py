from collections.abc import Iterator

import pytest

from tests.exactness.world import World, opened


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    with opened() as found:
        yield found

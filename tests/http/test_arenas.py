import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
THREADS = """
import asyncio, re, resource, sys, threading
from pathlib import Path
from trayport_sdk import TrayportClient

def reserved():
    return int(re.search(r"VmSize:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024

if sys.argv[1] == "limited":
    resource.setrlimit(resource.RLIMIT_AS, (8 * 2**30, 8 * 2**30))
client = TrayportClient.sandbox()
before = reserved()
ready = threading.Barrier(7)

def work():
    kept = [bytes(100_000) for _ in range(10)]
    ready.wait()

threads = [threading.Thread(target=work) for _ in range(6)]
for thread in threads:
    thread.start()
ready.wait()
print(reserved() - before)
"""


def reserved_by_threads(how: str) -> int:
    """Megabytes of addresses that six threads take."""
    process = subprocess.run(
        [sys.executable, "-c", THREADS, how], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return int(process.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells, and only glibc has arenas")
def test_where_addresses_are_limited_threads_take_none_for_heaps_of_their_own() -> None:
    limited, unlimited = map(reserved_by_threads, ("limited", "unlimited"))
    assert limited < unlimited - 200

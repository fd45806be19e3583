"""The native reader takes only what is right, keeps to its memory, and agrees with Python."""

from __future__ import annotations

import ctypes
import json
import math
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trayport_spec import ENDPOINTS, Column

from tests.decoding import reference
from tests.decoding.documents import Layout, chunked, damaged, document, spoiled
from tests.document import ROOT
from tests.drawn import FACTOR
from trayport_sdk import TrayportDecodeError
from trayport_sdk.tables.decode.decoder import Decoder
from trayport_sdk.tables.decode.native import reader as native_reader
from trayport_sdk.tables.decode.native.reader import (
    LIBRARY,
    POWERS,
    PYTHON,
    READ_BYTES,
    ROUNDED_UP_FROM,
    VARIABLE,
    Library,
    RowReader,
    described,
)
from trayport_sdk.tables.decode.schema import ColumnFilter, RequestedColumns

ARRAYS = [name for name, endpoint in ENDPOINTS.items() if endpoint.root == "array"]
SOURCE = ROOT / "trayport_sdk/tables/decode/native/rows.c"
DOCUMENTS = 4000 if FACTOR >= 1 else 60
"""Of each operation, that both readers decode."""
MANY_DOCUMENTS = 160_000 if FACTOR >= 1 else round(8000 * FACTOR)
"""Of each operation, that the native reader and `json` read."""
VARIANTS = 20
"""Documents that are made of one."""

GAPS = ((), (), (" ",), ("\n    ", "", "\t", "\r"))
NANOSECONDS: Mapping[Any, Any] = {pl.Datetime("ns", "UTC"): pl.Int64}
NUMBER = (Column("number", "number", "float64", ""),)
TRADES = b"[" + b",".join(
    b'{"tradeId":"Eurex T7/%d","venueCode":"EEX7","dealDate":%d,"price":27.3125,"quantity":5,'
    b'"aggressorBuy":true,"route":"a route with a long name","unheardOf":{"a":[1,"\\u00e9"]}}'
    % (10**9 + number, number)
    for number in range(40)
) + b"]"  # fmt: skip


def build(path: Path, *options: str) -> Path:
    """Another build of the reader."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        if "TRAYPORT_TESTS_SKIP_NOTHING" in os.environ:
            pytest.fail("there is no C compiler")
        pytest.skip("there is no C compiler")
    command = [compiler, "-O1", "-g", "-fPIC", "-shared", "-fvisibility=hidden", *options]
    subprocess.run([*command, "-o", str(path), str(SOURCE)], check=True)
    return path


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if sys.platform == "win32":
        pytest.skip("Windows has other guard pages")
    header = Path(__file__).with_name("guarded.h")
    return build(tmp_path_factory.mktemp("guarded") / "rows.so", "-include", str(header))


def decoded(
    operation_id: str, wanted: ColumnFilter, chunks: list[bytes]
) -> tuple[pl.DataFrame | None, object]:
    """The rows, and what else came of it."""
    decoder = Decoder(operation_id, wanted)
    frames = []
    try:
        frames += list(decoder.frames(iter(chunks)))
    except TrayportDecodeError as error:
        error.body = ""  # of the response or of a piece of it, as far as the reader knows
        return None, (str(error), error.row, error.field, error.offset)
    return pl.concat(frames), decoder.unexpected


@pytest.mark.hypothesis
@pytest.mark.usefixtures("native")
@pytest.mark.parametrize("operation_id", ARRAYS)
def test_both_readers_come_to_the_same(operation_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = Random().getrandbits(32)
    likes = Random(seed)
    everything = RequestedColumns(
        ENDPOINTS[operation_id].optional_fields, ("routes", "includePrivate")
    )
    for number in range(DOCUMENTS):
        wanted = likes.choice((everything, everything, RequestedColumns()))
        drawn = document(operation_id, likes)
        layout = Layout(likes.choice(GAPS), likes.getrandbits(32))
        body = layout.text(drawn)
        match number % 4:
            case 0:
                body = damaged(body, likes)
            case 1:
                body = layout.text(spoiled(drawn, likes))
        chunks = chunked(body, likes)
        monkeypatch.delenv(VARIABLE, raising=False)
        rows, rest = decoded(operation_id, wanted, chunks)
        monkeypatch.setenv(VARIABLE, PYTHON)
        expected, expected_rest = decoded(operation_id, wanted, chunks)
        same = rest == expected_rest and (rows is None) == (expected is None)
        if same and rows is not None and expected is not None:
            same = rows.schema == expected.schema and rows.equals(expected)
        assert same, (seed, number, b"".join(chunks), rest, expected_rest, rows, expected)


@pytest.mark.hypothesis
@pytest.mark.parametrize("operation_id", ARRAYS)
def test_what_the_native_reader_takes_is_what_json_reads(
    operation_id: str, native: Library, record_property: Callable[[str, object], None]
) -> None:
    seed = Random().getrandbits(32)
    likes = Random(seed)
    columns = ENDPOINTS[operation_id].row
    wanted = RequestedColumns(ENDPOINTS[operation_id].optional_fields, ("routes", "includePrivate"))
    compared = whole = 0
    for number in range(MANY_DOCUMENTS // VARIANTS):
        layout = Layout(likes.choice(GAPS), likes.getrandbits(32))
        body = layout.text(document(operation_id, likes))
        for text in (body, *(damaged(body, likes) for _ in range(VARIANTS - 1))):
            reader = RowReader(native, described(columns, wanted), 64, 1 << 20)
            is_whole = reader.read(text, 0) and reader.has_ended
            if not (reader.rows or is_whole):
                continue
            compared, whole = compared + 1, whole + is_whole
            expected = reference.decoded(
                operation_id, text if is_whole else taken(reader, text), wanted
            )
            rows = reader.take().cast(NANOSECONDS).to_dicts()
            assert rows == expected.rows, (seed, number, text)
    record_property("documents", compared)
    assert compared > whole > MANY_DOCUMENTS / VARIANTS / 10


def taken(reader: RowReader, text: bytes) -> bytes:
    """The array of the rows that a reader has taken before it stopped."""
    # The rest begins with the last of them. Letters do not matter to where it ends.
    _, end = json.JSONDecoder(strict=False).raw_decode(text[reader.offset :].decode("latin-1"))
    return text[: reader.offset + end] + b"]"


def numbers() -> st.SearchStrategy[str]:
    digits = st.integers(0, 10**19 - 1).map(str)
    powers = st.integers(-345, 310)
    bits = st.integers(0, 2**64 - 1).map(lambda n: struct.unpack("d", n.to_bytes(8, "little"))[0])
    return (
        bits.filter(math.isfinite).map(repr)
        | st.builds("{}e{}".format, digits, powers)
        | st.builds("{}.{}".format, st.integers(0, 10**9), st.integers(0, 10**9))
        | st.builds(lambda zeros, rest: "0." + "0" * zeros + rest, st.integers(0, 40), digits)
        | st.integers(2**53, 2**63).map(lambda n: str(2 * n + 1))
    )


def test_powers_of_five_are_the_nearest_below_or_above() -> None:
    halves = native_reader._powers()
    for power, high, low in zip(POWERS, halves, halves, strict=True):
        found = (high << 64) + low
        exact = Fraction(5) ** power
        while not 1 << 127 <= exact < 1 << 128:
            exact *= Fraction(2) ** (128 - int(exact).bit_length() if exact >= 1 else 64)
        assert abs(found - exact) < 1
        assert (found > exact) == (ROUNDED_UP_FROM <= power < 0)


@pytest.mark.usefixtures("native")
def test_a_library_that_is_loaded_tells_its_rows_and_their_end() -> None:
    library = Library(Path(native_reader.__file__).with_name(LIBRARY))
    reader = RowReader(library, described(NUMBER, RequestedColumns()), 64, 1 << 20)
    assert reader.read(b'[{"number":1.5},', 0)
    assert (reader.rows, reader.has_ended) == (1, False)
    assert reader.read(b'{"number":-2}]', 0)
    assert (reader.rows, reader.has_ended) == (2, True)
    assert reader.take()["number"].to_list() == [1.5, -2.0]
    assert reader.rest() == b'{"number":-2}]'


def test_a_chunk_larger_than_what_is_read_at_once_is_read_whole(native: Library) -> None:
    body = b"[" + b",".join(b'{"number":%d}' % number for number in range(60_000)) + b"]"
    assert len(body) > 3 * READ_BYTES
    reader = RowReader(native, described(NUMBER, RequestedColumns()), 64, 1 << 20)
    assert all(reader.read(body, start) for start in range(0, len(body), READ_BYTES))
    assert reader.has_ended
    assert reader.take()["number"].to_list() == [*map(float, range(60_000))]


@given(texts=st.lists(numbers(), min_size=100, max_size=100))
def test_a_number_becomes_the_double_nearest_to_it(native: Library, texts: list[str]) -> None:
    texts = [text for text in texts if math.isfinite(float(text))]
    reader = RowReader(native, described(NUMBER, RequestedColumns()), 64, 1 << 20)
    body = "[" + ",".join(f'{{"number":{text}}}' for text in texts) + "]"
    assert reader.read(body.encode(), 0)
    assert reader.has_ended
    found = reader.take()["number"].to_list()
    assert [struct.pack("d", one) for one in found] == [struct.pack("d", float(t)) for t in texts]


@given(
    lower=st.floats(1e-290, 1e290),
    size=st.integers(18, 60),
    more=st.sampled_from(["", "0", "1", "9"]),
)
def test_halfway_between_two_doubles_a_number_is_right_or_left_to_python(
    native: Library, lower: float, size: int, more: str
) -> None:
    with localcontext(prec=2000):
        middle = (Decimal(lower) + Decimal(math.nextafter(lower, math.inf))) / 2
    digits, power = middle.as_tuple().digits, int(middle.as_tuple().exponent)
    text = "".join(map(str, digits[:size])) + more
    text += f"e{power + len(digits) - len(text)}"
    reader = RowReader(native, described(NUMBER, RequestedColumns()), 64, 1 << 20)
    if reader.read(f'[{{"number":{text}}}]'.encode(), 0):
        assert reader.take()["number"].to_list() == [float(text)]


def test_no_memory_is_an_error_and_loses_nothing(guarded: Path) -> None:
    functions = Library(guarded)
    left = ctypes.c_int64.in_dll(ctypes.CDLL(str(guarded)), "allocations_left")
    columns = described(ENDPOINTS["get_trades"].row, RequestedColumns())
    came = failed = 0
    for allocations in range(400):
        left.value = allocations
        try:
            reader = RowReader(functions, columns, 64, 1 << 20)
            assert reader.read(TRADES, 0)
            frame = reader.take()
        except MemoryError:
            failed += 1
            continue
        finally:
            left.value = 2**62
        came += 1
        assert frame["deal_date"].to_physical().to_list() == list(range(40))
    assert failed > 50
    assert came > 50


def differential(library: Path, chosen: str, **environment: str) -> None:
    """Runs the tests that hold the native reader against the reference, with another build."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("-k", f"native and ({chosen})", "tests/decoding/test_differential.py"),
            f"{__file__}::{test_what_the_native_reader_takes_is_what_json_reads.__name__}",
        ],
        cwd=ROOT, env={**os.environ, "TRAYPORT_TESTS_LIBRARY": str(library), **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert " passed" in done.stdout


def test_no_byte_outside_of_its_memory_is_touched(guarded: Path) -> None:
    differential(guarded, "(every_byte and get_trades) or at_every_place")


@pytest.mark.slow
def test_no_byte_outside_of_its_memory_is_touched_by_any_document(guarded: Path) -> None:
    differential(guarded, "document or json_reads")


@pytest.mark.slow
def test_sanitizers_find_nothing(tmp_path: Path) -> None:
    sanitized = build(
        tmp_path / "rows.so", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"
    )
    found = subprocess.run(
        [os.environ.get("CC", "cc"), "-print-file-name=libasan.so"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    differential(
        sanitized,
        "document or every or json_reads",
        LD_PRELOAD=found.stdout.strip(),
        ASAN_OPTIONS="detect_leaks=0",  # of the interpreter
        TRAYPORT_TESTS_EXAMPLES="0.3",
    )

"""Answers drawn from the tables: right ones in any layout, and others that are broken somewhere."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import TypeAlias

from attrs import define, frozen
from hypothesis import strategies as st
from trayport_spec import ENDPOINTS, Column

from trayport_sdk.tables.decode.schema import ColumnFilter, RequestedColumns


@define
class Object:
    """A JSON object: names and values as they are written."""

    members: list[tuple[str, Node]]


Node: TypeAlias = "Object | list[Node] | str"
"""A JSON value: an object, an array, or anything else as its text."""


@frozen
class Layout:
    """How a value is written.

    Attributes:
        gaps: What may stand between tokens.
        seed: Decides which of the gaps stands where.
    """

    gaps: tuple[str, ...]
    seed: int

    def text(self, node: Node) -> bytes:
        draw = Random(self.seed)
        return "".join(
            token + (draw.choice(self.gaps) if self.gaps else "") for token in _tokens(node)
        ).encode("utf-8", "surrogatepass")


PLAIN = Layout((), 0)


def _tokens(node: Node) -> Iterator[str]:
    match node:
        case str():
            yield node
        case list():
            yield "["
            for number, one in enumerate(node):
                yield from "," if number else ""
                yield from _tokens(one)
            yield "]"
        case _:
            yield "{"
            for number, (name, one) in enumerate(node.members):
                yield from "," if number else ""
                yield name
                yield ":"
                yield from _tokens(one)
            yield "}"


layouts = st.builds(
    Layout,
    st.sampled_from(
        [(), (" ",), ("\n    ",), ("\r\n\t",), ("", "", "", " ", "\n", "\t", "\r", " \n \t" * 20)]
    ),
    st.integers(0, 2**32),
)

_WHOLE = ("0", "1", "10000065", "9007199254740993", "9223372036854775807", "1709546523123456789")
_FLOATS = (
    "0", "26.475", "-1.5", "-0", "-0.0", "0e0", "1E+5", "1e5", "1e-5", "5e-324", "1e-400", "1e308",
    "1.7976931348623157e308", "-2.2250738585072011e-308", "9007199254740993", "0.1", "0.3e0",
    "9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551616",
    "0.1000000000000000055511151231257827021181583404541015625", "123456789012345678901234567890",
    "9007199254740993.0", "1.00000000000000011102230246251565", "179769313486231570" + "0" * 291,
    "0." + "0" * 330 + "1", "7.3177701707893310e+15", "6.631e-320", "8.98846567431158e307",
)  # fmt: skip
_TEXTS = (
    '""', '"EEX7"', '"Eurex T7/G3/1 Public"', '"Größe €"', '"😀"', r'"\ud83d\ude00"', r'"\u0000"',
    r'"\/\b\f\n\r\t\\"', r'"\""', r'"\"\""', r'"},{\"tradeId\":"', '"}]"', '"],["', r'"\\"',
    '"\x7f"',
    '"\u2028"', r'"\u00e9\u0301"', '"' + "long " * 300 + '"', r'"\\\""', '"1"', '"null"',
)  # fmt: skip
_LETTERS = (*range(0xD800), *range(0xE000, 0x10FFFF, 64))
_NAMES = ('"unheardOf"', '""', '"Price"', '" price"', '"}],[{"', r'"\""', '"ü"', r'"\u0022\\"')
_UNKNOWN = (
    "null", "-0", "1e999", "-12345678901234567890123", "[]", "{}", "true", '"x"', r'"\u0022"',
    '[[[[{"a":[{},[]]}]]]]', '{"price":"no","contract":null}', '"' + "y" * 1500 + '"',
    "[" + ",".join(map(str, range(400))) + "]", '{"a":1,"a":2}', "[" * 60 + "]" * 60, '"},{"',
)  # fmt: skip
WRONG = (
    "null", "-1", "9223372036854775808", "-9223372036854775809", "18446744073709551617", "1.0",
    "1.5", "1e3", "-0", "0.0", "1e400", "-1e400", "123456789012345678901234567890", '"1"', '"1.5"',
    '""', '"x"', "true", "false", "[]", "{}", "[{}]", "[null]", "[[]]", '{"price":1}', r'"\ud800"',
    r'"\udc00\ud800"', r'"\ud800x"', r'"\x"', r'"\u12"', r'"\u 123"', "NaN", "Infinity", "1" * 5000,
    "-Infinity", "nan", "01", "-01", "1.", ".5", "+1", "--1", "-", "1e", "1e+", "0x10", "tru",
    "True", "nulll", '"a\nb"', '"a\x00"', "'a'", "", ",", "1 1", '"a" "b"', "1,1", "\ufeff1",
    "\ud800", '"\ud800"', '"\udfff"', "1_000", "\uff11", "/*a*/1", "1//a", '"open', "]", "}",
    "[1,]",
    '{"a":1,}', '{"a"}', "{1:2}", "[1 2]", '{"a":1 "b":2}', '"a\x1f"', '"a\tb"', "1\x0b", "\xa01",
)  # fmt: skip
GARBAGE = (
    b",", b",,", b"{", b"}", b"[", b"]", b'"', b"\\", b":", b"\xff", b"\xed\xa0\x80", b"\x00", b"x",
    b"\xef\xbb\xbf", b"\xc0\x80", b"\xc2\xa0", b"\x0b", b"\x1a", b"null", b" ", b"\n", b"0", b"-",
    b"e", b".", b"/", b"{}", b"[]", b"\xf0\x9f\x98", b"},{", b"],[", b'":', b"\xe2\x80\xa8", b"1",
)  # fmt: skip
_OTHERS = (
    b"", b" ", b"null", b"{}", b"[]", b"[[]]", b"0", b'"[]"', b'{"message":"busy"}', b"[null]",
    b"[{}]", b"<html>busy</html>", b"[{}", b"[", b"]", b"[,]",
)  # fmt: skip


def columns_wanted(operation_id: str) -> st.SearchStrategy[ColumnFilter]:
    """What a request may ask for."""
    endpoint = ENDPOINTS[operation_id]
    bringing = ("routes", "includePrivate")
    everything = RequestedColumns(endpoint.optional_fields, bringing)
    named = endpoint.optional_fields
    fields = st.lists(st.sampled_from(named)).map(tuple) if named else st.just(())
    some = st.builds(RequestedColumns, fields, st.lists(st.sampled_from(bringing)).map(tuple))
    return st.just(everything) | some


@st.composite
def documents(draw: st.DrawFn, operation_id: str) -> Node:
    """A response with all of its types right."""
    endpoint = ENDPOINTS[operation_id]
    likes = Random(draw(st.integers(0, 2**32)))
    maker = _Maker(likes, draw(st.booleans()), draw(st.booleans()), endpoint.row[0].name)
    if endpoint.rows_at is None and endpoint.root == "object":
        return maker.object(endpoint.row)
    # Rows are alike in most answers, and only then many of them are cheap to draw.
    kinds = [maker.object(endpoint.row) for _ in range(draw(st.integers(0, 3)))]
    rows: list[Node] = list(kinds)
    if kinds and draw(st.integers(0, 9)) == 9:
        rows += [likes.choice(kinds) for _ in range(likes.randrange(40))]
    if endpoint.rows_at is None:
        return rows
    envelope = maker.object(endpoint.envelope)
    envelope.members.insert(likes.randrange(2), (json.dumps(endpoint.rows_at), rows))
    return envelope


def document(operation_id: str, likes: Random) -> Node:
    """An array of rows with all of their types right."""
    endpoint = ENDPOINTS[operation_id]
    maker = _Maker(likes, likes.random() < 0.5, likes.random() < 0.5, endpoint.row[0].name)
    return [maker.object(endpoint.row) for _ in range(likes.randrange(5))]


@define
class _Maker:
    """Makes values of columns.

    Attributes:
        likes: Decides everything.
        plain: Whether answers look as the API writes them: the order of the tables, no escapes.
        strange: Whether fields may come that the tables do not know, or twice.
        first: The name that rows begin with.
    """

    likes: Random
    plain: bool
    strange: bool
    first: str

    def object(self, columns: Sequence[Column]) -> Object:
        members: list[tuple[str, Node]] = [
            (self._name(column.name), self._value(column))
            for column in columns
            if column.required or self.likes.random() < 0.7
        ]
        if self.strange:
            unknown = range(self.likes.choice((0, 0, 1, 2)))
            members += [(self.likes.choice(_NAMES), self._unknown()) for _ in unknown]
            if members and self.likes.random() < 0.3:
                self._repeat(columns, members)
        if not self.plain and self.likes.random() < 0.5:
            self.likes.shuffle(members)
        return Object(members)

    def _repeat(self, columns: Sequence[Column], members: list[tuple[str, Node]]) -> None:
        column = self.likes.choice(columns)
        again: tuple[str, Node] = (json.dumps(column.name), self._value(column))
        members.insert(self.likes.randrange(len(members)), again)

    def _name(self, name: str) -> str:
        if self.plain or self.likes.random() < 0.95:
            return json.dumps(name)
        place = self.likes.randrange(len(name))
        return f'"{name[:place]}\\u{ord(name[place]):04x}{name[place + 1 :]}"'

    def _unknown(self) -> Node:
        if self.likes.random() < 0.5:
            return self.likes.choice(_UNKNOWN)
        inner: list[Node] = [Object([(json.dumps(self.first), number)]) for number in "123"]
        return inner if self.likes.random() < 0.5 else Object([('"inner"', inner)])

    def _value(self, column: Column) -> Node:
        if column.nullable and self.likes.random() < 0.3:
            return "null"
        match column.type:
            case "int64" | "timestamp":
                return self._whole()
            case "float64":
                return self._float()
            case "bool":
                return self.likes.choice(("true", "false"))
            case "string":
                return json.dumps(self.likes.choice(column.enum)) if column.enum else self._text()
            case "struct":
                return self.object(column.fields)
            case "list":
                return [self.object(column.fields) for _ in range(self.likes.choice((0, 1, 1, 3)))]

    def _whole(self) -> str:
        if self.likes.random() < 0.5:
            return self.likes.choice(_WHOLE)
        return str(self.likes.getrandbits(self.likes.randrange(1, 64)))

    def _float(self) -> str:
        chance = self.likes.random()
        if chance < 0.4:
            return self.likes.choice(_FLOATS)
        if chance < 0.7:
            return f"{self.likes.uniform(-100, 400):.{self.likes.randrange(20)}f}"
        sign, power = self.likes.choice(("", "-")), self.likes.randrange(-320, 285)
        digits = self.likes.randrange(10 ** self.likes.randrange(1, 22))
        return f"{sign}{digits}.{digits}e{power}"

    def _text(self) -> str:
        if self.plain and self.likes.random() < 0.8:
            return self.likes.choice(('"EEX7"', '"Größe €"', '""', '"a longer name of something"'))
        if self.likes.random() < 0.7:
            return self.likes.choice(_TEXTS)
        text = "".join(chr(self.likes.choice(_LETTERS)) for _ in "abc")
        return json.dumps(text, ensure_ascii=self.likes.random() < 0.5)


def spoiled(node: Node, likes: Random) -> Node:
    """A response with one value changed, left out, or put in; it may still be right."""
    node = copy.deepcopy(node)
    holders = [one for one in _inside(node) if isinstance(one, list) or one.members]
    holder = likes.choice([one for one in holders if one] or [[node]])
    places = holder if isinstance(holder, list) else holder.members
    at = likes.randrange(len(places))
    match holder, likes.randrange(8):
        case _, 0:
            del places[at]
        case list(), 1:
            holder.insert(at, likes.choice(WRONG))
        case list(), _:
            holder[at] = likes.choice(WRONG)
        case Object(), 1:
            names = (holder.members[at][0], '"x"', '""', "1", r'"\ud800"', '"a', '"\n"', "null")
            again: tuple[str, Node] = (likes.choice(names), likes.choice(WRONG))
            holder.members.insert(at, again)
        case Object(), _:
            holder.members[at] = (holder.members[at][0], likes.choice(WRONG))
    return node


def _inside(node: Node) -> Iterator[Object | list[Node]]:
    match node:
        case str():
            return
        case list():
            yield node
            for one in node:
                yield from _inside(one)
        case _:
            yield node
            for _, one in node.members:
                yield from _inside(one)


def damaged(body: bytes, likes: Random) -> bytes:
    """A body that something happened to; it may still be right."""
    return likes.choice(_DAMAGES)(body, likes)


def _cut(body: bytes, likes: Random) -> bytes:
    return body[: likes.randrange(len(body) + 1)]


def _beheaded(body: bytes, likes: Random) -> bytes:
    return body[likes.randrange(len(body) + 1) :]


def _holed(body: bytes, likes: Random) -> bytes:
    start = likes.randrange(len(body) + 1)
    return body[:start] + body[start + likes.choice((1, 1, 1, 2, 5, 100)) :]


def _filled(body: bytes, likes: Random) -> bytes:
    start = likes.randrange(len(body) + 1)
    return body[:start] + likes.choice(GARBAGE) + body[start:]


def _flipped(body: bytes, likes: Random) -> bytes:
    start = likes.randrange(len(body) + 1)
    return body[:start] + bytes([likes.randrange(256)]) + body[start + 1 :]


def _beside(body: bytes, likes: Random) -> bytes:
    """A sign put in, left out or replaced where a sign stands."""
    signs = [place for place, letter in enumerate(body) if letter in b'{}[],:"'] or [0]
    place = likes.choice((*signs[:2], *signs[-3:], *signs))
    return body[:place] + likes.choice((b"", *GARBAGE)) + body[place + likes.choice((0, 1)) :]


def _glued(body: bytes, likes: Random) -> bytes:
    return body + likes.choice((b"", b" ", b"\n", b",")) + body


def _followed(body: bytes, likes: Random) -> bytes:
    return body + likes.choice(GARBAGE)


def _wrapped(body: bytes, likes: Random) -> bytes:
    kinds: tuple[tuple[bytes, bytes], ...] = (
        (b"[", b"]"), (b'{"message":', b"}"), (b"", b"\x00"), (b"\xef\xbb\xbf", b""), (b",", b""),
        (b"[", b",]"), (b'"', b'"'), (b")]}',\n", b""), (b'{"snapshots":', b"}"),
        (b" \n", b"\r\n "),
    )  # fmt: skip
    before, after = likes.choice(kinds)
    return before + body + after


def _otherwise(_body: bytes, likes: Random) -> bytes:
    return likes.choice(_OTHERS)


_DAMAGES: Sequence[Callable[[bytes, Random], bytes]] = (
    _cut, _beheaded, _holed, _filled, _flipped, _beside, _beside, _beside, _glued, _followed,
    _wrapped, _otherwise,
)  # fmt: skip


def chunked(body: bytes, likes: Random) -> list[bytes]:
    """The body in chunks, some of which may be empty."""
    size = likes.choice((1, 2, 7, 64, 1000, 10**9)) if len(body) < 4000 else 10**9
    if size < 10**9:
        return [body[start : start + size] for start in range(0, len(body), size)]
    ends = sorted(likes.randrange(len(body) + 1) for _ in range(likes.choice((0, 0, 1, 2, 9))))
    return [body[a:b] for a, b in zip([0, *ends], [*ends, len(body)], strict=True)]

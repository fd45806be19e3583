"""Delivery periods as people write them: `Apr-24`, `April 2024`, `2024-04`, `Q2 24`, `M+1`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Literal, TypeAlias
from unicodedata import combining, normalize
from zoneinfo import ZoneInfo

from attrs import evolve, frozen

Kind: TypeAlias = Literal[
    "day", "weekend", "week", "month", "quarter", "season", "gas year", "year"
]

# Where most trading in a currency is done: the reference data names no time zone of a product.
_ZONES = {
    "EUR": "Europe/Amsterdam",
    "GBP": "Europe/London",
    "GBX": "Europe/London",
    "USD": "America/New_York",
    "JPY": "Asia/Tokyo",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAME = (
    r"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_YEAR, _LONG = r"(?P<year>(?:20|19)\d\d|\d\d)", r"(?P<year>(?:20|19)\d\d)"
# What 04/24 and M24 end in, unlike 04/05, which may be a day, and M12, which may be M+12.
_NO_MONTH, _NO_COUNT = r"(?P<year>1[3-9]|[2-9]\d)", r"(?P<year>20\d\d|[2-9]\d)"
_CODES = "fghjkmnquvxz"  # of the months, on exchanges
_BETWEEN = re.compile(r"\s+(?:[-\u2013\u2014]|vs\.?|versus)\s+", re.IGNORECASE)
_ENDING_YEAR = re.compile(r"(\d{4}|\d\d)\s*$")
_SEASON = r"(?P<season>sum(?:mer)?|win(?:ter)?)"
_NEXT_YEAR = r"(?:/(?P<next>\d{4}|\d\d))?"
_FORMS: Mapping[Kind, tuple[str, ...]] = {
    "day": (rf"(?P<day>\d\d?){_NAME}{_YEAR}", rf"{_LONG}-(?P<number>\d\d)-(?P<day>\d\d)"),
    "weekend": (rf"(?:we|w/e|weekend)-?(?P<number>\d\d?)-{_YEAR}",),
    "week": (
        rf"(?:wk|week|w)-?(?P<number>\d\d?)-{_YEAR}",
        rf"{_LONG}-?(?:wk|week|w)-?(?P<number>\d\d?)",
    ),
    "month": (
        rf"{_NAME}/?{_YEAR}",
        rf"{_LONG}{_NAME}",
        rf"{_LONG}-(?P<number>\d\d?)",
        rf"(?P<number>\d\d?)/{_LONG}",
        rf"(?P<number>\d\d?)/{_NO_MONTH}",
        rf"(?P<code>[fghjknuvxz]){_YEAR}",
        rf"(?P<code>m){_NO_COUNT}",
        r"(?P<code>q)(?P<year>\d\d)",
    ),
    "quarter": (
        rf"q(?P<number>[1-4])[-/]?{_YEAR}",
        rf"(?P<number>[1-4])q-?{_YEAR}",
        rf"{_LONG}-?q(?P<number>[1-4])",
    ),
    "season": (
        rf"{_SEASON}{_YEAR}{_NEXT_YEAR}",
        rf"{_LONG}{_SEASON}",
        rf"(?P<season>[sw]){_YEAR}",
    ),
    "gas year": (rf"(?:gy|gasyear){_YEAR}{_NEXT_YEAR}",),
    "year": (rf"(?:cal|calendar|year|yr|y|cy)-?{_YEAR}", _LONG),
}
_PATTERNS: Sequence[tuple[Kind, re.Pattern[str]]] = [
    (kind, re.compile(form)) for kind, forms in _FORMS.items() for form in forms
]
_PROMPT = {
    "da": "dayahead",
    "wd": "withinday",
    "we": "weekend",
    "w/e": "weekend",
    "balanceofmonth": "bom",
    "balmo": "bom",
    "balanceofweek": "bow",
}
_LETTERS: Mapping[str, Kind] = {
    "d": "day", "w": "week", "m": "month", "q": "quarter", "s": "season", "y": "year",
    "cal": "year", "year": "year", "gy": "gas year", "month": "month", "quarter": "quarter",
    "season": "season", "week": "week", "day": "day",
}  # fmt: skip
_AHEAD = re.compile(rf"(?P<kind>{'|'.join(_LETTERS)})\+(?P<count>\d\d?)")
# Neither Q1 nor W1, which are a quarter and a week.
_SHORT = re.compile(r"(?P<kind>[dmsy])(?P<count>[1-9])")
_FRONT = re.compile(r"(?:front|prompt|nearest|next)-?(?P<kind>day|week|month|quarter|season|year)")
_NEXT = re.compile(r"(?P<kind>week|month|quarter|season|year)ahead")


@frozen(order=True)
class Period:
    """A delivery period of a kind, counted from the year 0; the next one has the next number."""

    kind: Kind
    number: int

    def after(self, count: int) -> Period:
        """The period so many further on."""
        return evolve(self, number=self.number + count)


@frozen
class Ahead:
    """A period that depends on the time: so many after the current one.

    `count` is None for the first one that is still traded.
    """

    kind: Kind
    count: int | None

    def at(self, day: date) -> Period:
        """The period that it is on a day.

        Example:
            >>> Ahead("month", 1).at(date(2024, 12, 31)) == parse("Jan-25")
            True
        """
        return Period(self.kind, _NUMBERS[self.kind](day)).after(self.count or 0)


def days_at(moment: datetime) -> Mapping[str, date]:
    """The day that it is where the products of each currency are traded, and in UTC.

    Example:
        >>> days_at(datetime(2024, 3, 31, 22, 30, tzinfo=ZoneInfo("UTC")))["EUR"]
        datetime.date(2024, 4, 1)
    """
    zones = {"UTC": "UTC", **_ZONES}
    return {currency: moment.astimezone(ZoneInfo(zone)).date() for currency, zone in zones.items()}


def plain(text: str) -> str:
    """A text without regard to case, accents, and to the comma of decimals.

    Example:
        >>> plain("Zürich 51,6") == plain("ZURICH 51.6")
        True
    """
    if not text.isascii():
        text = "".join(c for c in normalize("NFKD", text) if not combining(c))
    text = text.casefold()
    return _COMMA.sub(".", text) if "," in text else text


def squeezed(text: str) -> str:
    """The name of an item without case and white space; rolling ones have several names.

    Hyphens between words count as white space.

    Example:
        >>> squeezed("DA") == squeezed("Day Ahead")
        True
    """
    tight = _HYPHEN.sub("", "".join(plain(text).split()))
    return _PROMPT.get(tight, tight)


def is_prompt(text: str) -> bool:
    """Whether a text names a delivery that rolls: day ahead, weekend, balance of month.

    Example:
        >>> is_prompt("DA"), is_prompt("Apr-24")
        (True, False)
    """
    return squeezed(text) in _ROLLING


_ROLLING = frozenset(_PROMPT.values())
_HYPHEN = re.compile(r"(?<=[a-z])-(?=[a-z])")
_COMMA = re.compile(r"(?<=\d),(?=\d)")
# With the typographic apostrophe and dashes.
_GAPS = re.compile(r"[\s'\u2019.,_\u2013\u2014-]+")


def parse(text: str) -> Period | Ahead | None:
    """The delivery period that a text names, or None when it names none.

    Example:
        >>> parse("Apr-24") == parse("april 2024") == parse("2024-04")
        True
        >>> parse("front month")
        Ahead(kind='month', count=None)
    """
    words = _GAPS.sub("-", text.casefold().strip())
    tight = words.replace("-", "")
    if match := _AHEAD.fullmatch(tight) or _SHORT.fullmatch(tight):
        return Ahead(_LETTERS[match["kind"]], int(match["count"]))
    if match := _FRONT.fullmatch(tight):
        return Ahead(_LETTERS[match["kind"]], None)
    for kind, pattern in _PATTERNS:
        match = pattern.fullmatch(words) or pattern.fullmatch(tight)
        if match and (period := _period(kind, match)):
            return period
    if match := _NEXT.fullmatch(tight):
        return Ahead(_LETTERS[match["kind"]], 1)
    return None


def parse_two(text: str) -> tuple[Period | Ahead, Period | Ahead] | None:
    """The two periods of a spread; what they share may be written once.

    A first one without a year has that of the second, unless the turn of the year makes it nearer.

    Example:
        >>> parse_two("Apr/May-24") == parse_two("Apr-24 / May-24")
        True
        >>> parse_two("Cal 25/26") == parse_two("Cal-25/Cal-26")
        True
    """
    first, last = halves(text) or ("", "")
    near, far = parse(first), parse(last)
    if near is None and far and (year := _ENDING_YEAR.search(last)):
        near = parse(f"{first} {year[1]}")
        before = parse(f"{first} {_whole(year[1]) - 1}")
        if isinstance(near, Period) and isinstance(before, Period) and isinstance(far, Period):
            is_nearer = far.number - before.number <= near.number - far.number
            near = before if near.kind == far.kind and is_nearer else near
    elif "/" in text and near and far is None and _ENDING_YEAR.fullmatch(last.strip()):
        far = parse(_ENDING_YEAR.sub(last.strip(), first))
    return (near, far) if near and far else None


def halves(text: str) -> tuple[str, str] | None:
    """What stands for each period of a spread, with a slash, a dash or "vs" between them.

    Example:
        >>> halves("Apr 24 - May 24") == halves("Apr 24/May 24") == ("Apr 24", "May 24")
        True
    """
    first, slash, last = text.partition("/")
    if not slash:
        first, *rest = _BETWEEN.split(text, 1)
        last = "".join(rest)
    return (first.strip(), last.strip()) if first and last else None


def _whole(year: str) -> int:
    return int(year) + (2000 if len(year) == 2 else 0)


def _period(kind: Kind, match: re.Match[str]) -> Period | None:
    """The period of a match, or None where the calendar has none."""
    parts = match.groupdict()
    year, number = _whole(parts["year"]), int(parts.get("number") or 0)
    if parts.get("code"):
        number = _CODES.index(parts["code"]) + 1
    if parts.get("name"):
        number = _MONTHS.index(parts["name"][:3]) + 1
    is_winter = (parts.get("season") or "")[:1] == "w"
    if parts.get("next") and (
        (kind == "season" and not is_winter) or _whole(parts["next"]) != year + 1
    ):
        return None
    try:
        if kind in ("week", "weekend"):
            start = date.fromisocalendar(year, number, 1)
        elif kind == "day":
            start = date(year, number, int(parts["day"]))
        else:
            month = {
                "month": number,
                "quarter": 3 * number - 2,
                "gas year": 10,
                "year": 1,
                "season": 10 if is_winter else 4,
            }[kind]
            start = date(year, month, 1)
    except ValueError:
        return None
    return Period(kind, _NUMBERS[kind](start))


def _week(day: date) -> int:
    return (day.toordinal() - 1) // 7


_NUMBERS: Mapping[Kind, Callable[[date], int]] = {
    "day": date.toordinal,
    "weekend": _week,
    "week": _week,
    "month": lambda day: day.year * 12 + day.month - 1,
    "quarter": lambda day: day.year * 4 + (day.month - 1) // 3,
    # Summer from April, winter from October.
    "season": lambda day: day.year * 2 + (day.month - 4) // 6,
    "gas year": lambda day: day.year - (day.month < 10),
    "year": lambda day: day.year,
}

"""Fuzzy search of the names of products: in any case and word order, with words that are begun."""

from __future__ import annotations

import heapq
import re
from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeVar

from attrs import field, frozen

from ..query.periods import is_prompt, parse, parse_two, plain

if TYPE_CHECKING:
    from ..query.contracts import ContractSpec

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

LEAST_SCORE = 35.0
"""What is less alike is no match. Equal names have 100."""
LEAST_WORD = 65.0
WORDS_TRIED = 24
RANKED = 200
"""How many names with the most words in common are looked at closely, and all like the last."""
BEGUN = 85.0
"""The score of a word of which hardly anything is written."""
SPECIAL = frozenset(
    [
        "capacity",
        "cfd",
        "financial",
        "hour",
        "index",
        "intraday",
        "offpeak",
        "option",
        "peak",
        "peaks",
        "spot",
        "strip",
        "swap",
        "weekend",
    ]
)
"""Who means a product that is a special one of its kind says so."""
LESS_LIKELY = 10.0
LONGEST_PERIOD = 5

_WORDS = re.compile(r"[^\W_]+(?:\.\d+)?")


class Product(Protocol):
    """An instrument or a market."""

    id: int
    name: str


@frozen
class Match:
    """A name that a search has found.

    Attributes:
        name: The name as every call takes it; that of a market ends in `*`.
        score: How well it matches, up to 100.
        id: The id of the instrument or market; None for a contract.
        contract: The contract, where contracts were searched.
    """

    name: str
    score: float
    id: int | None = None
    contract: ContractSpec | None = None


@frozen
class ContractMatch(Match):
    """A contract that a search has found.

    Attributes:
        contract: The contract, as every call takes it.
    """

    contract: ContractSpec = field(kw_only=True)


class ProductNames:
    """The names of all instruments or of all markets, ready to be looked up and searched."""

    def __init__(self, products: Iterable[Product]) -> None:
        self.by_id = {product.id: product.name for product in products}
        self._exact = grouped((name, id_) for id_, name in self.by_id.items())

    def find(self, name: str) -> list[int]:
        """The ids of a name; without regard to case and white space if none is written so."""
        return self._exact.get(name) or self._squeezed.get(squeezed(name), [])

    def search(self, pattern: str, limit: int) -> list[tuple[float, int]]:
        """The scores and ids of the names most like a pattern, best first."""
        wanted = list(dict.fromkeys(words_of(pattern)))
        whole = squeezed(pattern)
        totals: dict[int, float] = {}
        for word in wanted:
            best: dict[int, float] = {}
            for like, score in self._alike(word):
                for id_ in self._postings[like]:
                    if score > best.get(id_, 0.0):
                        best[id_] = score
            for id_, score in best.items():
                totals[id_] = totals.get(id_, 0.0) + score
        if len(totals) > RANKED:
            least = sorted(totals.values())[-RANKED]
            totals = {id_: total for id_, total in totals.items() if total >= least}
        count, unasked = len(wanted), SPECIAL.difference(wanted)
        scores = {
            # Names with few other words stand before those with many.
            id_: total / count * (0.75 + 0.25 * min(1.0, count / self._lengths[id_]))
            - (0.0 if unasked.isdisjoint(self._special.get(id_, ())) else LESS_LIKELY)
            for id_, total in totals.items()
        }
        if whole and max(scores.values(), default=0.0) < 75.0:
            scores |= {i: max(s, scores.get(i, 0.0)) for i, s in self._alike_as_a_whole(whole)}
        scores |= dict.fromkeys(self._squeezed.get(whole, ()), 100.0)
        found = ((s, id_) for id_, s in scores.items() if s >= LEAST_SCORE)
        return heapq.nsmallest(limit, found, key=self._rank)

    def _rank(self, match: tuple[float, int]) -> tuple[float, int, str]:
        score, id_ = match
        name = self.by_id[id_]
        return -round(score, 3), len(name), name

    def _alike(self, word: str) -> Iterator[tuple[str, float]]:
        """The words of names that may be meant by a word, and how much they are alike."""
        from rapidfuzz import fuzz, process

        for like, score, _ in process.extract(
            word, self._vocabulary, scorer=fuzz.ratio, score_cutoff=LEAST_WORD, limit=WORDS_TRIED
        ):
            yield like, score * score / 100.0
        for place in range(bisect_left(self._vocabulary, word), len(self._vocabulary)):
            like = self._vocabulary[place]
            if not like.startswith(word):
                break
            yield like, BEGUN + (100.0 - BEGUN) * len(word) / len(like)

    def _alike_as_a_whole(self, whole: str) -> Iterator[tuple[int, float]]:
        """The names that are alike when white space does not count."""
        from rapidfuzz import fuzz, process

        for name, score, _ in process.extract(
            whole, list(self._squeezed), scorer=fuzz.ratio, score_cutoff=LEAST_SCORE, limit=50
        ):
            for id_ in self._squeezed[name]:
                yield id_, score

    @cached_property
    def _squeezed(self) -> Mapping[str, list[int]]:
        return grouped((squeezed(name), id_) for id_, name in self.by_id.items())

    @cached_property
    def _postings(self) -> Mapping[str, list[int]]:
        """The ids of the names that have a word."""
        return grouped(
            (word, id_) for id_, name in self.by_id.items() for word in set(words_of(name))
        )

    @cached_property
    def _special(self) -> Mapping[int, list[str]]:
        """The words that make names special."""
        return grouped((id_, word) for word in SPECIAL for id_ in self._postings.get(word, ()))

    @cached_property
    def _vocabulary(self) -> list[str]:
        return sorted(self._postings)

    @cached_property
    def _lengths(self) -> Mapping[int, int]:
        return {id_: len(set(words_of(name))) or 1 for id_, name in self.by_id.items()}


def grouped(pairs: Iterable[tuple[Key, Value]]) -> dict[Key, list[Value]]:
    """The values of each name: names need not be unique."""
    values: dict[Key, list[Value]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def words_of(text: str) -> list[str]:
    """The words of a name, without regard to case, accents and the comma of decimals.

    Example:
        >>> words_of("TTF Hi Cal 51,6*")
        ['ttf', 'hi', 'cal', '51.6']
    """
    return _WORDS.findall(plain(text))


def squeezed(name: str) -> str:
    """The name of a product without what people leave out or add: white space, case and stars."""
    return "".join(plain(name).replace("*", "").split())


def nearest(name: str, names: Iterable[str], limit: int) -> list[str]:
    """The names with the fewest typing errors in comparison, without regard to case."""
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    known = {plain(each): each for each in names}
    alike = OSA.normalized_similarity
    found = process.extract(plain(name), list(known), scorer=alike, limit=limit)
    return [known[like] for like, score, _ in found if 100 * score >= LEAST_SCORE]


def without_period(text: str) -> tuple[str, str]:
    """What a text says about a product, and what about a delivery period; either may be empty.

    Example:
        >>> without_period("apr 24 ttf"), without_period("TTF Hi Cal 51.6* M+1")
        (('ttf', 'apr 24'), ('TTF Hi Cal 51.6*', 'M+1'))
    """
    words = re.sub(r"\*(?=\w)", "* ", text).split()
    for length in range(min(LONGEST_PERIOD, len(words)), 0, -1):
        for start in range(len(words) - length, -1, -1):
            period = " ".join(words[start : start + length])
            is_last = start + length == len(words)
            if parse(period) or parse_two(period) or (is_last and is_prompt(period)):
                return " ".join([*words[:start], *words[start + length :]]), period
    return " ".join(words), ""

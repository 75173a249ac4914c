"""What a person types, as an FTS5 expression over texts stored as `normalise(text)`; and snippets.        [pure]

Words are joined by AND. "Quoted phrases", AND, OR, NOT in capitals, -word, word*, NEAR(a b, 5). Anything else is text:
no input gives a syntax error. The query is expanded, never the text: proclitics, the article, spelling variants and
inflections of a word match without being asked for.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice, product
from math import prod
from typing import Literal, NamedTuple

from archive.arabic.normalise import normalise, normalise_map, source_span
from archive.arabic.tokens import ARTICLE, DEFINITE, PROCLITICS, WORD, is_known, stripped, variants

MOST = 256  # literal phrases one quoted phrase or NEAR may expand to; FTS5 knows no OR inside them
READ, USUAL = 10_000, 200  # characters of a text that are weighed; words of a usual one
MOST_WORDS = 32  # words, phrases and operators read of one query
SEARCHED = 200  # articles a search ranks, the newest; the cost of ranking all grows with the archive

_PIECE = re.compile(
    r"NEAR\s*\((?P<near>[^()]*?)(?:,\s*(?P<within>\d{1,3})\s*)?\)"
    r'|(?P<minus>(?<!\S)-)?(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))'
)
_FTS_WORD = re.compile(r"[^\W_]+")  # where unicode61 splits


class Query(NamedTuple):
    """An FTS5 expression, empty when nothing in the query can be searched, and a note when it says less than asked."""

    expression: str
    note: str | None


def ar_query(text: str) -> str:
    """The FTS5 expression for a query; "" when there is nothing to search for."""
    return read_query(text).expression


def in_title(expression: str) -> str:
    """The expression that finds what says it all in the title; what is excluded must not stand in the text either."""
    titles = f"{{title}} : ({expression})"
    return f"({expression}) AND {titles}" if " NOT " in expression else titles


def read_query(text: str) -> Query:
    """The FTS5 expression for a query, and what had to be left out of it."""
    notes: list[str] = []
    alternatives: list[tuple[list[str], list[str]]] = [([], [])]  # what OR separates: wanted all, unwanted any
    pieces = list(islice(_pieces(text), MOST_WORDS + 1))
    if len(pieces) > MOST_WORDS:
        notes.append(f"only the first {MOST_WORDS} words were searched for")
    for piece in pieces[:MOST_WORDS]:
        if piece.kind == "or":
            alternatives.append(([], []))
        else:
            alternatives[-1][piece.unwanted].append(_literal(piece, notes))
    parts = []
    for wanted, unwanted in alternatives:
        if wanted:
            joined = " AND ".join(wanted)
            parts.append(f"(({joined}) NOT {_any(unwanted)})" if unwanted else f"({joined})")
        elif unwanted:
            notes.append("what is only excluded cannot be searched for")
    if not parts and not notes:
        notes.append("there is no word in it to search for")
    return Query(" OR ".join(parts), "; ".join(dict.fromkeys(notes)) or None)


class _Piece(NamedTuple):
    kind: Literal["or", "prefix", "near", "words"]  # words: one, or several in a row
    words: list[str]
    within: int = 0
    unwanted: bool = False


def _pieces(query: str) -> Iterator[_Piece]:
    """What a query says, in order; pieces without a letter say nothing."""
    negate = False
    for found in _PIECE.finditer(query):
        if found["word"] in ("AND", "OR", "NOT"):
            negate = found["word"] == "NOT"
            if found["word"] == "OR":
                yield _Piece("or", [])
            continue
        words = _FTS_WORD.findall(normalise(found["near"] or found["phrase"] or found["word"] or ""))
        kind: Literal["prefix", "near", "words"] = "words"
        if found["near"] and len(words) > 1:
            kind = "near"
        elif found["word"] and found["word"].endswith("*") and len(words) == 1:
            kind = "prefix"
        if words:
            yield _Piece(kind, words, int(found["within"] or 10), negate or bool(found["minus"]))
        negate = False


def _literal(piece: _Piece, notes: list[str]) -> str:
    """An OR of literals: FTS5 knows none inside a phrase or NEAR."""
    first, *later = piece.words
    if piece.kind == "prefix":
        return _any(f"{_quoted(form)}*" for form in _joined(first, {first}))
    if not later:
        return _any(map(_quoted, forms_of(first)))
    combinations = _combine([forms_of(first), *map(_later, later)], notes)
    if piece.kind == "near":
        return _any(f"NEAR({' '.join(map(_quoted, forms))}, {piece.within})" for forms in combinations)
    return _any(_quoted(" ".join(forms)) for forms in combinations)


def _quoted(words: str) -> str:
    return f'"{words}"'


def _any(literals: Iterable[str]) -> str:
    return f"({' OR '.join(literals)})"


def _combine(choices: list[list[str]], notes: list[str]) -> list[tuple[str, ...]]:
    """All combinations, or as many as are allowed: then each word keeps its commonest forms, which stand first."""
    limits = [len(some) for some in choices]
    while prod(limits) > MOST:
        widest = max(range(len(limits)), key=limits.__getitem__)
        limits[widest] -= 1
        note = "a long phrase was searched in fewer forms of its words"
        if note not in notes:
            notes.append(note)
    return list(product(*(some[:limit] for some, limit in zip(choices, limits, strict=True))))


def forms_of(word: str) -> list[str]:
    """A normalised word, and every form a text may have it in: as typed first."""
    return _joined(word, _same(word))


def _joined(word: str, same: set[str]) -> list[str]:
    """Words with everything that may stand joined in front of them, also before Latin letters and digits: first all of
    the word itself, then of the others, the commonest first."""
    out = []
    for whole in ([word], sorted(same - {word})):
        bare = [form[2:] if form.startswith(ARTICLE) and len(form) > 4 else form for form in whole]
        out += [*whole, *(f"{ARTICLE}{form}" for form in bare)]
        for front in PROCLITICS:
            out += [f"{front}{form}" for form in (bare if front.endswith("لل") else whole)]
        out += [f"{front}{form}" for front in DEFINITE for form in bare]
    return list(dict.fromkeys(out))


def _later(word: str) -> list[str]:
    """Forms of a later word of a phrase: it may have the article, nothing else joined."""
    forms = [word, *sorted(_same(word) - {word})]
    forms += [f"{ARTICLE}{form}" for form in forms if not form.startswith(ARTICLE)]
    return list(dict.fromkeys(forms))


def _same(word: str) -> set[str]:
    """Spelling variants and inflections, of what follows the article, too: a search for الاتفاقات also finds اتفاق,
    but one for الهول does not find هول."""
    known = variants(word)
    if word.startswith(ARTICLE):
        bare = variants(word[2:])
        if len(bare) > 1 or len(word) > 5:
            known = known | bare
    elif not is_known(word) and known == {word}:  # perhaps typed with what is joined in front: وقسد, للمعتقلين
        for base in stripped(word):
            if is_known(base) or (base.startswith(ARTICLE) and len(base) > 4):
                return known | _same(base)
    return known


def highlight(text: str, query: str, width: int = 160, marks: tuple[str, str] = ("[", "]")) -> str:
    """About `width` letters of the original text around the place with most of the words asked for, each between
    `marks`; the beginning of the text when none is there."""
    spans = places(text, query)
    starts = [first for first, _ in spans]
    start = at = 0
    if spans:
        best = max(range(len(spans)), key=lambda one: bisect_left(starts, starts[one] + width) - one)
        start = at = text.rfind(" ", 0, max(0, starts[best] - width // 4)) + 1
    end = start + width + width // 4
    while end < len(text) and not text[end].isspace():
        end += 1
    out = []
    for first, last in spans:
        if at <= first and last <= end:
            out += [text[at:first], marks[0], text[first:last], marks[1]]
            at = last
    return ("… " if start else "") + "".join(out) + text[at:end] + (" …" if end < len(text) else "")


def places(text: str, query: str) -> list[tuple[int, int]]:
    """Where the words asked for stand in the original text, as half-open code points."""
    forms, prefixes, _ = _asked(query)
    starts = tuple(start for start, _ in prefixes)
    folded, offsets = normalise_map(text)
    found = (word for word in WORD.finditer(folded) if word[0] in forms or word[0].startswith(starts))
    return [source_span(text, offsets, *word.span()) for word in found]


def relevance(title: str, text: str, query: str) -> float:
    """How much an article, its words normalised, is about what was typed: words asked for, those in the title fourfold,
    each further one counting less, and less in a long text. Unlike bm25 it looks at nothing but this article."""
    forms, prefixes, number = _asked(query)
    counts, length = [0.0] * number, 0
    for field, weight in ((title, 4.0), (text[:READ], 1.0)):
        words = _FTS_WORD.findall(field)
        length += len(words)
        for piece in [forms[word] for word in words if word in forms]:
            counts[piece] += weight
        for start, piece in prefixes:
            counts[piece] += weight * sum(word.startswith(start) for word in words)
    long = 0.3 + 0.9 * length / USUAL
    return sum(count / (count + long) for count in counts)


@lru_cache(maxsize=32)
def _asked(query: str) -> tuple[dict[str, int], list[tuple[str, int]], int]:
    """Forms of the words asked for, and beginnings of words, each with the number of its word; how many there are."""
    forms: dict[str, int] = {}
    prefixes = []
    number = 0
    for piece in islice(_pieces(query), MOST_WORDS):
        for word in () if piece.unwanted else piece.words:
            if piece.kind == "prefix":
                prefixes += [(form, number) for form in _joined(word, {word})]
            else:
                forms |= {form: number for form in forms_of(word) if form not in forms}
            number += 1
    return forms, prefixes, number

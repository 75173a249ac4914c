"""What a person types, as an FTS5 expression over texts stored as `normalise(text)`; and snippets.        [pure]

Words are joined by AND. "Quoted phrases", AND, OR, NOT in capitals, -word, word*, NEAR(a b, 5). Anything else is text:
no input gives a syntax error. The query is expanded, never the text: proclitics, the article, spelling variants and
inflections of a word match without being asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice, product
from typing import NamedTuple

from archive.arabic.normalise import normalise, normalise_map, source_span
from archive.arabic.tokens import ARTICLE, DEFINITE, PROCLITICS, WORD, variants

ar_norm = normalise
MOST = 256  # literal phrases one quoted phrase or NEAR may expand to; FTS5 knows no OR inside them
MOST_WORDS = 32  # words, phrases and operators read of one query

_PIECE = re.compile(
    r"""NEAR\s*\((?P<near>[^()]*?)(?:,\s*(?P<within>\d{1,3})\s*)?\)|(?P<minus>(?<!\S)-)?(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))"""
)
_FTS_WORD = re.compile(r"[^\W_]+")  # where unicode61 splits


class Query(NamedTuple):
    """An FTS5 expression, empty when nothing in the query can be searched, and a note when it says less than asked."""

    expression: str
    note: str | None


def ar_query(text: str) -> str:
    """The FTS5 expression for a query; "" when there is nothing to search for."""
    return read_query(text).expression


def read_query(text: str) -> Query:
    """The FTS5 expression for a query, and what had to be left out of it."""
    notes: list[str] = []
    alternatives: list[list[str]] = [[]]  # OR of ANDs
    excluded: list[list[str]] = [[]]
    negate = False
    pieces = list(islice(_PIECE.finditer(text), MOST_WORDS + 1))
    if len(pieces) > MOST_WORDS:
        notes.append(f"only the first {MOST_WORDS} words were searched for")
    for piece in pieces[:MOST_WORDS]:
        word = piece["word"]
        if word == "OR":
            alternatives.append([])
            excluded.append([])
        elif word == "NOT":
            negate = True
        elif word != "AND":
            literal = _literal(piece, notes)
            if literal:
                (excluded if negate or piece["minus"] else alternatives)[-1].append(literal)
            negate = False
    parts = []
    for wanted, unwanted in zip(alternatives, excluded, strict=True):
        if wanted:
            joined = " AND ".join(wanted)
            parts.append(f"(({joined}) NOT ({' OR '.join(unwanted)}))" if unwanted else f"({joined})")
        elif unwanted:
            notes.append("what is only excluded cannot be searched for")
    return Query(" OR ".join(parts), "; ".join(dict.fromkeys(notes)) or None)


def _literal(piece: re.Match[str], notes: list[str]) -> str:
    if piece["near"] is not None:
        near = _FTS_WORD.findall(normalise(piece["near"]))
        return _near(near, int(piece["within"] or 10), notes) if len(near) > 1 else _words(near, notes)
    if piece["phrase"] is not None:
        return _words(_FTS_WORD.findall(normalise(piece["phrase"])), notes)
    found = _FTS_WORD.findall(normalise(piece["word"]))
    if piece["word"].endswith("*") and len(found) == 1:
        return _any(f"{_quoted(form)}*" for form in _joined(found[0], {found[0]}))
    return _words(found, notes)


def _words(found: list[str], notes: list[str]) -> str:
    """One word, or several in a row: an OR of literal phrases."""
    if not found:
        return ""
    if len(found) == 1:
        return _any(map(_quoted, forms_of(found[0])))
    phrases = _combine([forms_of(found[0]), *map(_later, found[1:])], notes)
    return _any(_quoted(" ".join(phrase)) for phrase in phrases)


def _near(found: list[str], within: int, notes: list[str]) -> str:
    sets = _combine([_later(word) for word in found], notes)
    return _any(f"NEAR({' '.join(map(_quoted, some))}, {within})" for some in sets)


def _quoted(words: str) -> str:
    return f'"{words}"'


def _any(literals: Iterable[str]) -> str:
    return f"({' OR '.join(literals)})"


def _combine(choices: list[list[str]], notes: list[str]) -> list[tuple[str, ...]]:
    """All combinations, or as many as are allowed: then each word keeps its commonest forms, which stand first."""
    limits = [len(some) for some in choices]
    while _product(limits) > MOST:
        widest = max(range(len(limits)), key=limits.__getitem__)
        limits[widest] -= 1
        note = "a long phrase was searched in fewer forms of its words"
        if note not in notes:
            notes.append(note)
    return list(product(*(some[:limit] for some, limit in zip(choices, limits, strict=True))))


def _product(numbers: list[int]) -> int:
    out = 1
    for number in numbers:
        out *= number
    return out


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
    return known


def highlight(text: str, query: str, width: int = 160, marks: tuple[str, str] = ("[", "]")) -> str:
    """About `width` letters of the original text around the place with most of the words asked for, each between
    `marks`; the beginning of the text when none is there."""
    wanted, prefixes = _wanted(query)
    folded, offsets = normalise_map(text)
    spans = [
        source_span(text, offsets, *m.span())
        for m in WORD.finditer(folded)
        if m[0] in wanted or any(m[0].startswith(prefix) for prefix in prefixes)
    ]
    if not spans:
        return _cut(text, 0, width)
    best = max(spans, key=lambda span: sum(span[0] <= other[0] < span[0] + width for other in spans))
    start = max(0, best[0] - width // 4)
    end = min(len(text), max(start + width, best[1]))
    start = text.rfind(" ", 0, start) + 1 if start else 0
    out, at = [], start
    for first, last in spans:
        if max(start, at) <= first and last <= end:
            out += [text[at:first], marks[0], text[first:last], marks[1]]
            at = last
    out.append(text[at : _word_end(text, end)])
    return ("… " if start else "") + "".join(out) + (" …" if _word_end(text, end) < len(text) else "")


def _cut(text: str, start: int, width: int) -> str:
    end = _word_end(text, min(len(text), start + width))
    return text[start:end] + (" …" if end < len(text) else "")


def _word_end(text: str, at: int) -> int:
    while at < len(text) and not text[at].isspace():
        at += 1
    return at


def _wanted(query: str) -> tuple[set[str], tuple[str, ...]]:
    """Forms to mark, and prefixes of words to mark; nothing that was excluded."""
    wanted: set[str] = set()
    prefixes: set[str] = set()
    negate = False
    for piece in _PIECE.finditer(query):
        if piece["word"] in ("AND", "OR", "NOT"):
            negate = piece["word"] == "NOT"
            continue
        found = _FTS_WORD.findall(normalise(piece["near"] or piece["phrase"] or piece["word"] or ""))
        if not (negate or piece["minus"]):
            if (piece["word"] or "").endswith("*") and len(found) == 1:
                prefixes.update(_joined(found[0], {found[0]}))
            else:
                wanted.update(form for word in found for form in forms_of(word))
        negate = False
    return wanted, tuple(prefixes)

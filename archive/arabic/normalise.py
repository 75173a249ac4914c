"""One form for all spellings of an Arabic text, for matching and searching.                          [pure]

Texts are stored as they were written; this form is derived and never shown. It is made letter by letter, so that
every letter of it knows where it came from.

>>> normalise("إعادةُ «مُعتقلي» الهـول إلى سوريّة، ٢٠٢٦")
'اعاده  معتقلي  الهول الي سوريه، 2026'
"""

from __future__ import annotations

import unicodedata
from array import array

# What compatibility decomposition leaves: letters of other keyboards and languages, and letters whose
# difference nobody keeps in writing. Hamza carriers and madda lose their sign by decomposition alone.
_FOLD = {
    "ٱ": "ا", "ى": "ي", "ی": "ي", "ې": "ي", "ێ": "ي", "ے": "ي", "ة": "ه", "ە": "ه", "ہ": "ه", "ھ": "ه", "ک": "ك",
    "گ": "ك", "ڪ": "ك", "ڕ": "ر", "ڵ": "ل", "ۆ": "و", "ڤ": "ف", "چ": "ج", "ژ": "ج",
    "پ": "ب", "ı": "i", "٫": ".", "٬": ",",
}  # fmt: skip
_TATWEEL = "\u0640"
_BLANK = frozenset({"Ps", "Pe", "Pi", "Pf", "Zs"})  # brackets, directed quotation marks, every kind of space
_GONE = frozenset({"Mn", "Me", "Cf"})  # tashkeel and other marks; zero-width and direction marks


def _letter(char: str) -> str:
    """What one code point becomes: nothing, or one or more code points."""
    out = []
    for part in unicodedata.normalize("NFKD", char):
        kind = unicodedata.category(part)
        if kind in _GONE or part == _TATWEEL:
            continue
        if kind in _BLANK or part in "\"'`":
            part = " "
        elif kind == "Pd":
            part = "-"
        elif kind == "Nd":
            part = str(unicodedata.digit(part))
        out.append(_FOLD.get(part) or part.lower())
    return "".join(out)


class _Table(dict[int, str]):
    """`str.translate` table that learns a code point when it first meets it."""

    def __missing__(self, code: int) -> str:
        value = self[code] = _letter(chr(code))
        return value


_TABLE = _Table()


def normalise(text: str) -> str:
    """The form in which texts, terms and queries are compared. Idempotent."""
    return text.translate(_TABLE)


def normalise_map(text: str) -> tuple[str, array[int]]:
    """The normalised text, and for each of its letters the offset in `text` it came from; one more entry at the
    end holds `len(text)`."""
    offsets = array("l", [at for at, char in enumerate(text) for _ in _TABLE[ord(char)]])
    offsets.append(len(text))
    return text.translate(_TABLE), offsets


def source_span(text: str, offsets: array[int], start: int, end: int) -> tuple[int, int]:
    """Half-open offsets in `text` of letters `start:end` of its normalised form; marks on the last letter belong to
    it."""
    first, last = offsets[start], offsets[end - 1] + 1
    while last < len(text) and (text[last] == _TATWEEL or unicodedata.category(text[last]) == "Mn"):
        last += 1
    return first, last

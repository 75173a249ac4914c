"""One form for all spellings of an Arabic text, for matching and searching.                          [pure]

Texts are stored as they were written; this form is derived and never shown. It is made letter by letter, so that
every letter of it knows where it came from.

>>> normalise("إعادةُ «مُعتقلي» الهـول إلى سوريّة، ٢٠٢٦")
'اعاده  معتقلي  الهول الي سوريه، 2026'
"""

from __future__ import annotations

import re
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
    offsets, at = array("l"), 0
    uneven = "".join(char for char in set(text) if len(_TABLE[ord(char)]) != 1)
    for odd in re.finditer(f"[{re.escape(uneven)}]", text) if uneven else ():
        offsets.extend(range(at, odd.start()))
        offsets.extend([odd.start()] * len(_TABLE[ord(odd[0])]))
        at = odd.end()
    offsets.extend(range(at, len(text) + 1))
    return text.translate(_TABLE), offsets


def source_span(text: str, offsets: array[int], start: int, end: int) -> tuple[int, int]:
    """Half-open offsets in `text` of letters `start:end` of its normalised form; marks on the last letter belong to
    it."""
    first, last = offsets[start], offsets[end - 1] + 1
    while last < len(text) and (text[last] == _TATWEEL or unicodedata.category(text[last]) == "Mn"):
        last += 1
    return first, last

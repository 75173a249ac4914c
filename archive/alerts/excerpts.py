"""Bounded, harmless pieces of an article's text: what matched, and what an edit changed.                  [pure]"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import groupby

from archive.diffs import diff
from archive.materiality import Edit

Segments = tuple[tuple[str, bool], ...]
"""Text in pieces, each with whether it is to be marked."""

_SENTENCE_END = re.compile(r"(?<!\b[^\W\d])[.!?؟؛…]+[\s\"»”)]+")  # a letter alone ends none: "د. أحمد"
_LONG = 1_000  # characters shown of an edit


def clean(text: str, limit: int = 300) -> str:
    """One line of at most `limit` characters, without control, bidi-override and other invisible characters.

    >>> clean("ok" + chr(0x202E) + "gnp" + chr(13) + chr(10) + "Bcc: x")
    'okgnp Bcc: x'
    """
    kept = (_visible(char) for char in text[: limit * 4])
    line = re.sub(r"\s+", " ", "".join(kept))
    return line if len(line) <= limit and len(text) <= limit * 4 else line[: limit - 1].rstrip() + "…"


def _visible(char: str) -> str:
    """`char`, a space for what would break the line, nothing for what would not be seen."""
    category = unicodedata.category(char)
    if category in ("Cc", "Zl", "Zp"):
        return " "
    joiner = char in "\u200c\u200d"  # Persian spelling, compound emoji
    return "" if category in ("Cf", "Cs", "Co", "Cn") and not joiner else char


def mark(text: str, start: int, end: int, hits: Iterable[tuple[int, int]]) -> Segments:
    """`text[start:end]` with the parts covered by `hits` (half-open offsets into `text`) marked."""
    pieces: list[tuple[str, bool]] = []
    at = start
    for low, high in sorted(hits):
        low, high = max(low, at), min(high, end)
        if low < high:
            if pieces and pieces[-1][1] and not text[at:low].strip():  # neighbours are one
                pieces[-1] = (pieces[-1][0] + text[at:high], True)
            else:
                pieces += [(text[at:low], False), (text[low:high], True)]
            at = high
    pieces.append((text[at:end], False))
    return tuple((clean(piece), marked) for piece, marked in pieces if piece)


def excerpts(text: str, hits: Sequence[tuple[int, int]], *, limit: int = 6, words: int = 40) -> tuple[Segments, ...]:
    """At most `limit` passages of at most `words` words around `hits`, in reading order, and never more than half of
    the text; earlier hits come first when there is not room for all of them.
    """
    windows: dict[tuple[int, int], tuple[bool, bool]] = {}
    room = max(1, len(text.split()) // 2)
    for start, _ in hits:
        if len(windows) == limit or (windows and room < 12):  # fewer words would tell nothing
            break
        if text[start : start + 1].strip() and not any(low <= start < high for low, high in windows):
            low, high, *cut = _window(text, start, min(words, room))
            low = max(low, *(end for _, end in windows if end <= start), 0)
            high = min(high, *(begin for begin, _ in windows if begin > start), len(text))
            windows[low, high] = (cut[0], cut[1])
            room -= len(text[low:high].split())
    return tuple(
        ((("… ", False),) if before else ()) + mark(text, low, high, hits) + (((" …", False),) if after else ())
        for (low, high), (before, after) in sorted(windows.items())
    )


def _window(text: str, at: int, words: int) -> tuple[int, int, bool, bool]:
    """The sentence around offset `at`, or its even share of a long one; and whether its paragraph goes on."""
    line_start = text.rfind("\n", 0, at) + 1
    line_end = text.find("\n", at)
    line = text[line_start : line_end if line_end >= 0 else len(text)]
    ends = [found.end() for found in _SENTENCE_END.finditer(line)]
    at -= line_start
    low = max((end for end in ends if end <= at), default=0)
    high = min((end for end in ends if end > at), default=len(line))
    spans = [found.span() for found in re.finditer(r"\S+", line[low:high])]
    size = -(-len(spans) // -(-len(spans) // words))
    first = max(i for i, span in enumerate(spans) if i == 0 or span[0] <= at - low) // size * size
    share = spans[first : first + size]
    start, end = low + share[0][0], low + share[-1][1]
    return line_start + start, line_start + end, bool(line[:start].strip()), bool(line[end:].strip())


def shown(edit: Edit, text: str, *, around: int = 6) -> tuple[Segments, Segments]:
    """An edit as it was and as it is, the words that differ marked, with `around` words of the later `text` beside."""
    before = text[max(0, edit.start - 300) : edit.start].rpartition("\n")[2].split()
    after = text[edit.end : edit.end + 300].partition("\n")[0].split()
    left = [(word, False) for word in ["…"] * (len(before) > around) + before[-around:]]
    right = [(word, False) for word in after[:around] + ["…"] * (len(after) > around)]
    was, now = edit.before[:_LONG], edit.after[:_LONG]
    pieces = diff(was, now, headline=edit.field == "title")
    moved = edit.op == "moved"
    return (
        _joined([*left, *((word, moved or p.op != "equal") for p in pieces for word in p.was(was).split()), *right]),
        _joined([*left, *((word, moved or p.op != "equal") for p in pieces for word in p.now(now).split()), *right]),
    )


def _joined(words: list[tuple[str, bool]], limit: int = 60) -> Segments:
    """Words with their marks as segments, at most `limit` words."""
    pieces: list[tuple[str, bool]] = []
    for marked, run in groupby(words[:limit], key=lambda word: word[1]):
        pieces += [(" ", False), (clean(" ".join(word for word, _ in run)), marked)]
    return (*pieces[1:], (" …", False)) if len(words) > limit else tuple(pieces[1:])

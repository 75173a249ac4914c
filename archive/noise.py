"""Lines around a text that change from look to look and are no word of it.                               [pure]

A net under the extractor's: only lines that one of two texts has and the other has not are looked at, and each is
judged by its own words. Vocabulary: noise.toml.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from archive.arabic.dates import read_line
from archive.arabic.normalise import normalise
from archive.diffs import Piece, diff
from archive.folding import fold

_LONGEST = 90  # characters of a line that may be noise
_SENTENCE = re.compile(r"[.!?؟…][\s\"»”)]*$")
_WORD = re.compile(r"[^\W\d_]+")
_FILE = tomllib.loads(Path(__file__).with_name("noise.toml").read_text("utf-8"))
_DATA = {name: [" ".join(_WORD.findall(normalise(phrase))) for phrase in phrases] for name, phrases in _FILE.items()}
_BEGINS = re.compile(rf"\W*(?:{'|'.join(sorted(_DATA['begins'], key=len, reverse=True))})(?!\w)")
_LABEL = re.compile(rf"\W*(?:{'|'.join(_DATA['labels'])})\s*:")
_TAGS = re.compile(r"(?:#\S+[\s،,|]*)+|https?:\S+")
_ONLY, _MARKERS = (frozenset(_DATA[name]) for name in ("only", "markers"))
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)


def is_sentence(line: str) -> bool:
    """Whether a line ends as a sentence does."""
    return bool(_SENTENCE.search(line))


def is_noise(line: str) -> bool:
    """Whether a line is a counter, a clock, a link to elsewhere, a credit of a photo, and no sentence.

    >>> [is_noise(line) for line in ("المشاهدات: 120", "آخر تحديث: 12:30", "قال شاهد عيان.", "منذ 5 دقائق")]
    [True, True, False, True]
    """
    if not line.strip() or len(line) > _LONGEST or _SENTENCE.search(line):
        return False
    plain = normalise(line)
    words = _WORD.findall(plain)
    said = read_line(line, _NEVER)
    return bool(
        (said.alone and (said.published or said.updated))
        or _BEGINS.match(plain)
        or _LABEL.match(plain)
        or _TAGS.fullmatch(line.strip())
        or _ONLY.issuperset(words)
    )


def changes(
    old: tuple[str, str], new: tuple[str, str], known: Collection[str] = ()
) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """The diffs of titles and of texts, given as (title, text), without what is noise; `known` are folded lines that
    are none of the text, whatever they say."""
    heads = diff(old[0], new[0], headline=True)
    return (
        tuple(_quiet(piece, old[0], new[0]) for piece in heads),
        diff(old[1], new[1], ignored=_ignored(old, new, known)),
    )


def _ignored(old: tuple[str, str], new: tuple[str, str], known: Collection[str]) -> tuple[set[int], set[int]]:
    """Numbers of lines of either text that are no part of the comparison."""
    sides = [[fold(line) for line in text.split("\n")] for _, text in (old, new)]
    counts = [Counter(side) for side in sides]
    out: tuple[set[int], set[int]] = (set(), set())
    for lines, folded, mine, others, (title, _), gone in zip(
        [old[1].split("\n"), new[1].split("\n")], sides, counts, reversed(counts), (old, new), out, strict=True
    ):
        last = max((n for n, line in enumerate(lines) if _SENTENCE.search(line) or len(line) > _LONGEST), default=-1)
        seen = Counter[str]()
        for number, key in enumerate(folded):
            seen[key] += 1
            if (
                not key
                or key in known
                or (
                    mine[key] > others[key]
                    and (
                        (seen[key] > max(1, others[key]))  # told twice
                        or key == fold(title)
                        or is_noise(lines[number])
                        or (
                            -1 < last < number
                            and not others[key]
                            and number - 1 in gone
                            and is_noise(lines[number - 1])
                        )  # a link under its heading
                    )
                )
            ):
                gone.add(number)
    return out


def _quiet(piece: Piece, was: str, now: str) -> Piece:
    """A marker that a headline lost or gained at its ends ("عاجل") is no edit of it."""
    words = _WORD.findall(normalise(piece.was(was) + " " + piece.now(now)))
    ends = piece.start == 0 or piece.end == len(now.rstrip()) or piece.from_start == 0
    if piece.op in ("inserted", "removed") and ends and " ".join(words) in _MARKERS:
        return Piece("equal", piece.from_start, piece.from_end, piece.start, piece.end)
    return piece

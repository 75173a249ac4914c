"""What differs between two texts, word by word, and what only stands elsewhere now.                       [pure]

Words are compared as `archive.folding` leaves them, so that spacing, tashkeel or quotation marks never differ.
Sentences are aligned before words: that keeps the work bounded, and tells one that moved from one rewritten.

>>> [(p.op, p.was("قتل ثلاثة جنود"), p.now("قتل خمسة جنود")) for p in diff("قتل ثلاثة جنود", "قتل خمسة جنود")]
[('equal', 'قتل', 'قتل'), ('replaced', 'ثلاثة', 'خمسة'), ('equal', 'جنود', 'جنود')]
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Literal

from archive.folding import fold

Op = Literal["equal", "inserted", "removed", "replaced", "moved"]

MOVED = 3  # words; a shorter sentence at another place was removed here and written there
_STEPS = 1_000_000  # what one alignment may cost; beyond it the whole stretch was replaced
_ENDS = re.compile(r"[.!?؟؛…][\s\"»”)]*$")
_TOKEN = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of two texts, in the order of the second. Half-open code points into each; what is not there is an
    empty stretch where it stood or would stand."""

    op: Op
    from_start: int
    from_end: int
    start: int
    end: int

    def was(self, before: str) -> str:
        """The words in the first text."""
        return before[self.from_start : self.from_end]

    def now(self, after: str) -> str:
        """The words in the second text."""
        return after[self.start : self.end]


@dataclass(slots=True)
class _Words:
    """A text's words: keys, where they stand, and where sentences end (as numbers of words)."""

    keys: list[str]
    spans: list[tuple[int, int]]
    ends: list[int]

    def sentences(self) -> list[tuple[int, int]]:
        return [(a, b) for a, b in zip([0, *self.ends], [*self.ends, len(self.keys)], strict=True) if a < b]


def diff(
    before: str, after: str, *, headline: bool = False, ignored: tuple[Collection[int], Collection[int]] = ((), ())
) -> tuple[Piece, ...]:
    """The pieces that make `after` of `before`. In a `headline` a question mark counts; `ignored` are numbers of lines
    in either text that are left out."""
    old, new = _read(before, headline, ignored[0]), _read(after, headline, ignored[1])
    pairs, here, gone = _pairs(old, new)
    pieces: list[Piece] = []
    at, to = 0, 0
    for i, j in [*pairs, (len(old.keys), len(new.keys))]:
        if at < i or to < j:
            pieces += _between(old, new, range(at, i), range(to, j), here, gone)
        if i < len(old.keys):
            pieces.append(Piece("equal", *old.spans[i], *new.spans[j]))
        at, to = i + 1, j + 1
    return tuple(_joined(pieces, before, after, headline))


def _read(text: str, headline: bool, ignored: Collection[int]) -> _Words:
    words, start = _Words([], [], []), 0
    for number, line in enumerate(text.split("\n")):
        for found in _TOKEN.finditer(line) if number not in ignored else ():
            word = found.group()
            key = _key(word) + ("?" if headline and re.search("[?؟⸮？]", word) else "")
            if key:
                words.keys.append(key)
                words.spans.append((start + found.start(), start + found.end()))
            if _ENDS.search(word[-4:]):
                words.ends.append(len(words.keys))
        words.ends.append(len(words.keys))
        start += len(line) + 1
    return words


_key = lru_cache(1 << 15)(fold)


def _pairs(old: _Words, new: _Words) -> tuple[list[tuple[int, int]], dict[int, int], set[int]]:
    """Pairs of words that stayed; the first words of moved sentences, to the first word of where they were; and all
    words of the first text that moved away."""
    ours, theirs = old.sentences(), new.sentences()
    mine, yours = ([tuple(w.keys[a:b]) for a, b in s] for w, s in ((old, ours), (new, theirs)))
    matched = _align(mine, yours)
    left, right = {i for i, _ in matched}, {j for _, j in matched}
    waiting: dict[Hashable, list[int]] = defaultdict(list)
    for i in reversed(range(len(ours))):
        if i not in left and len(mine[i]) >= MOVED:
            waiting[mine[i]].append(i)
    here, gone = dict[int, int](), set[int]()
    for j in range(len(theirs)):
        if j not in right and waiting.get(yours[j]):
            low, high = ours[waiting[yours[j]].pop()]
            here |= dict(zip(range(*theirs[j]), range(low, high), strict=True))
            gone.update(range(low, high))
    pairs, at, to = list[tuple[int, int]](), 0, 0
    for i, j in [*matched, (len(ours), len(theirs))]:
        until, upto = (ours[i][0], theirs[j][0]) if i < len(ours) else (len(old.keys), len(new.keys))
        a, b = [k for k in range(at, until) if k not in gone], [k for k in range(to, upto) if k not in here]
        pairs += [(a[x], b[y]) for x, y in _align([old.keys[k] for k in a], [new.keys[k] for k in b])]
        if i < len(ours):
            pairs += zip(range(*ours[i]), range(*theirs[j]), strict=True)
            at, to = ours[i][1], theirs[j][1]
    return pairs, here, gone


def _align(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Pairs of equal members in the order of both; only those at the ends where more would cost too much."""
    shorter = min(len(a), len(b))
    head = next((i for i in range(shorter) if a[i] != b[i]), shorter)
    tail = next((i for i in range(shorter - head) if a[-1 - i] != b[-1 - i]), shorter - head)
    found = [(i, i) for i in range(head)] + [(len(a) - i, len(b) - i) for i in range(tail, 0, -1)]
    inner = a[head : len(a) - tail], b[head : len(b) - tail]
    if len(inner[0]) * len(inner[1]) > _STEPS:
        return found
    blocks = SequenceMatcher(None, *inner, autojunk=False).get_matching_blocks()
    return sorted([*found, *((head + i + n, head + j + n) for i, j, size in blocks for n in range(size))])


def _between(
    old: _Words, new: _Words, left: range, right: range, here: dict[int, int], gone: set[int]
) -> Iterator[Piece]:
    """What became of the words between two that stayed: what was written for what, what came from elsewhere."""
    before = old.spans[left.start - 1][1] if left.start else 0
    after = new.spans[right.start - 1][1] if right.start else 0
    removed = _runs([(k, k) for k in left if k not in gone])
    for run in _runs([(k, here.get(k, -1)) for k in right]):
        start, end = new.spans[run[0][0]][0], new.spans[run[-1][0]][1]
        if run[0][1] >= 0:
            yield Piece("moved", old.spans[run[0][1]][0], old.spans[run[-1][1]][1], start, end)
        elif removed:
            was = removed.pop(0)
            yield Piece("replaced", old.spans[was[0][0]][0], old.spans[was[-1][0]][1], start, end)
        else:
            yield Piece("inserted", before, before, start, end)
        after = end
    for was in removed:
        yield Piece("removed", old.spans[was[0][0]][0], old.spans[was[-1][0]][1], after, after)


def _runs(words: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Cut where either number does not follow the one before, but for -1, which follows itself."""
    runs: list[list[tuple[int, int]]] = []
    for word in words:
        last = runs[-1][-1] if runs else None
        if last and word == (last[0] + 1, last[1] + 1 if last[1] >= 0 else -1):
            runs[-1].append(word)
        else:
            runs.append([word])
    return runs


def _joined(pieces: Iterable[Piece], before: str, after: str, headline: bool) -> Iterator[Piece]:
    """Neighbours that stayed, as one; words that were only parted or joined otherwise ("دير الزور", "ديرالزور") did."""
    last: Piece | None = None
    for piece in pieces:
        was, now = piece.was(before), piece.now(after)
        yeh = "ى" if "ی" in was + now else "ي"  # that of other languages stands for both
        same = piece.op == "replaced" and fold(was).replace(yeh, "ي") == fold(now).replace(yeh, "ي")
        if same and not (headline and ("؟" in was) != ("؟" in now)):
            piece = replace(piece, op="equal")
        if last and last.op == piece.op == "equal":
            last = Piece("equal", last.from_start, piece.from_end, last.start, piece.end)
            continue
        yield from filter(None, [last])
        last = piece
    yield from filter(None, [last])

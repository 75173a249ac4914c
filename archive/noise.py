"""Lines around a text that change from look to look and are no word of it.                               [pure]

A net under the extractor's: only lines that one of two texts has and the other has not are looked at, and each is
judged by its own words: furniture.toml, and noise.toml for what of them matters here alone.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from archive.arabic.dates import read_line
from archive.arabic.normalise import normalise
from archive.diffs import Piece, diff
from archive.folding import fold
from archive.furniture import AGENCIES, DATA, EDGE, STOP, either, family_of, read_more

_LONGEST = 90  # characters of a line that may be noise by its form
_LINKED = 130  # and of one under a heading over links
_TAIL = 4  # words of a site's name
_SENTENCE = re.compile(r"[.!?؟…][\s\"»”)\u200b-\u200f\u202a-\u202e\u2066-\u2069]*$")
_WORD = re.compile(r"[^\W\d_]+")
_FILE = tomllib.loads(Path(__file__).with_name("noise.toml").read_text("utf-8"))
_LABEL = re.compile(rf"\W*(?:{either(_FILE['labels'])})\s*:(?:\W*\w+){{0,6}}\W*$")
_BEGINS = re.compile(rf"\W*(?:{either(_FILE['begins'])}){STOP}|عاجل\s*[|:]")
_CHANNEL = re.compile(rf"(?<!\w)(?:{either(_FILE['channels'])}){STOP}")
_LINK = re.compile(r"(?:(?:#|@)\S+[\s،,|]*)+|.*(?:https?:|www\.|\b(?:t|wa|fb)\.(?:me|com)/)\S+")
_CREDIT = [*DATA["credit"]["agencies"], *DATA["credit"]["through"], *_FILE["pictures"]]
_CREDITS, _ONLY = (
    re.compile(rf"(?:[\W\d]*(?:{either(names)}){STOP})+[\W\d]*")
    for names in (_CREDIT, [*_CREDIT, *_FILE["only"], *_FILE["outlets"]])
)
_SIGNED = re.compile(r".*(?:[(\[]([^()\[\]]{2,40})[)\]]|\s[-–—|/]\s*([^-–—|/()]{2,30}))\W*")
_PARTS = re.compile(r"\s*[|•·]\s*")
_MARKERS, _OUTLETS, _TOLD = (
    frozenset(" ".join(_WORD.findall(normalise(phrase))) for phrase in _FILE[name])
    for name in ("markers", "outlets", "told")
)
_CUT = re.compile(r"(?:\.\.\.|…)\s*$")
_HEADINGS = frozenset({"author_box", "poll", "comments", "tags", "breadcrumb"})
_SITES = frozenset({"disclaimer", "rights", "comments", "notice", "desk", "author_box"})  # nobody else speaks so
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)


def is_sentence(line: str) -> bool:
    """Whether a line ends as a sentence does."""
    return bool(_SENTENCE.search(line))


def is_noise(line: str, *, edge: bool = True) -> bool:
    """Whether a line is a counter, a clock, a link to elsewhere, a credit of a photo, a call to follow. A sentence is
    one only where it begins like furniture; `edge` is whether the line stands before or after the text, not within.

    >>> [is_noise(line) for line in ("المشاهدات: 120", "آخر تحديث: 12:30", "قال شاهد عيان.", "منذ 5 دقائق")]
    [True, True, False, True]
    """
    family, plain = family_of(line), normalise(line).strip()
    if family and (edge or not family[1]):
        begins = family_of(" ".join(_WORD.findall(plain)[:3])) is not None
        asks = family[0] != "follow" or _CHANNEL.search(plain) is not None
        return not is_sentence(line) or family[0] in _SITES or (begins and asks)
    if read_more(line) is not None:
        return True
    if not plain or len(line) > _LONGEST or is_sentence(line):
        return False
    said, signed = read_line(line, _NEVER), _SIGNED.fullmatch(line)
    return bool(
        (said.alone and (said.published or said.updated))
        or _LABEL.match(plain)
        or _BEGINS.match(plain)
        or (len(parts := _PARTS.split(line)) > 1 and all(is_noise(part, edge=edge) for part in parts))
        or _LINK.fullmatch(line.strip())
        or (edge and (_ONLY.fullmatch(plain) or AGENCIES.fullmatch(plain)))
        or (edge and signed and (_ONLY if signed[1] else _CREDITS).fullmatch(normalise(signed[1] or signed[2])))
    )


def changes(
    old: tuple[str, str], new: tuple[str, str], known: Collection[str] = ()
) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """The diffs of titles and of texts, given as (title, text), without what is noise; `known` are folded lines that
    are none of the text, whatever they say."""
    heads = diff(old[0], new[0], headline=True)
    if any(piece.op != "equal" for piece in heads):
        told = frozenset(_WORD.findall(normalise(f"{old[1]} {new[1]}")))
        heads = tuple(_quiet(piece, old[0], new[0], told) for piece in heads)
    return heads, diff(old[1], new[1], ignored=_ignored(old, new, known))


def _ignored(old: tuple[str, str], new: tuple[str, str], known: Collection[str]) -> tuple[set[int], set[int]]:
    """Numbers of lines of either text that are no part of the comparison."""
    texts = [text.split("\n") for _, text in (old, new)]
    sides = [[fold(line) for line in lines] for lines in texts]
    counts = [Counter(side) for side in sides]
    both = counts[0].keys() & counts[1].keys()
    spoken = {  # sentences that both have: what they stand around is the text
        key
        for lines, side in zip(texts, sides, strict=True)
        for line, key in zip(lines, side, strict=True)
        if key in both and (is_sentence(line) or len(line) > _LONGEST)
    }
    told = [[at for at, key in enumerate(side) if key in spoken] for side in sides]
    places = [{key: bisect(mine, at) for at, key in enumerate(side)} for mine, side in zip(told, sides, strict=True)]
    out: tuple[set[int], set[int]] = (set(), set())
    for lines, folded, mine, others, ours, (title, _), gone in zip(
        texts, sides, counts, reversed(counts), told, (old, new), out, strict=True
    ):
        first, last = (ours[0], ours[-1]) if ours else (len(lines), -1)
        seen, block = Counter[str](), ""
        for number, (line, key) in enumerate(zip(lines, folded, strict=True)):
            seen[key] += 1
            block = "" if number in ours else _block(line, block)
            if (
                not key
                or key in known
                or (
                    mine[key] > others[key]
                    and (
                        (seen[key] > max(1, others[key]))  # told twice
                        or key == fold(title)
                        or is_noise(line, edge=not first < number < last)
                        or (block and (block == "more" or number > last))
                    )
                )
                or (mine[key] == others[key] == 1 and key not in spoken and places[0][key] != places[1][key])
            ):  # the last is a caption that stands elsewhere now
                gone.add(number)
    return out


def _block(line: str, block: str) -> str:
    """The kind of heading that a line is or stands under, "" for none: links to elsewhere end with the next sentence,
    who the writer is does not."""
    heading = "more" if read_more(line) == "" else (family_of(line) or ("",))[0]
    if heading == "more" or heading in _HEADINGS:
        return heading
    within = block == "author_box" or (
        len(line) <= _LINKED and (line[:1] in "-•*▪◾●" or not line.rstrip().endswith("."))
    )
    return block if within else ""


def _quiet(piece: Piece, was: str, now: str, told: Collection[str]) -> Piece:
    """A marker ("عاجل") or the name of a site that a headline lost or gained at its ends is no edit of it."""
    sides = ((was, piece.from_start, piece.from_end), (now, piece.start, piece.end))
    if any(
        _CUT.search(side) and other[start:].strip() and not side[end:].strip(" .…")
        for (side, _, end), (other, start, _) in (sides, sides[::-1])
    ):
        return Piece("equal", piece.from_start, piece.from_end, piece.start, piece.end)  # one was cut short there
    if piece.op in ("equal", "moved") or not all(
        start == end or _is_label(*side, told) for side in sides for _, start, end in [side]
    ):
        return piece
    return Piece("equal", piece.from_start, piece.from_end, piece.start, piece.end)


def _is_label(title: str, start: int, end: int, told: Collection[str]) -> bool:
    """Whether words of a headline stand beside it and are a marker, an outlet, or what nothing in the text says."""
    before, said, after = title[:start], title[start:end], title[end:]
    words = _WORD.findall(normalise(said))
    if before.strip(EDGE) and after.strip(EDGE):
        return False
    parted = before.rstrip()[-1:] in tuple("|-–—•»:") or after.lstrip()[:1] in tuple("|-–—•«:")
    if " ".join(words) in _MARKERS or (parted and " ".join(words) in _OUTLETS):
        return True
    own = not any(word in told or word in _TOLD for word in words) and not re.search(r"[\d؟?:]", said)
    return before.rstrip().endswith(("|", "-", "–", "—", "•", "»", "::")) and 0 < len(words) <= _TAIL and own

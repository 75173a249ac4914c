"""Lines around a text that change from look to look and are no word of it.                               [pure]

A net under the extractor's: only what one of two texts has and the other has not is looked at, and each line is judged
by its own words: by the phrases of furniture.toml, and by the kinds of words in noise.toml. A line that holds nothing
but what a site says of itself and to its readers is none of the text, however it is put together.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from archive.arabic.dates import read_line
from archive.arabic.normalise import normalise
from archive.arabic.tokens import stripped
from archive.diffs import Piece, diff
from archive.folding import fold
from archive.furniture import DATA, STOP, either, family_of, read_more
from archive.vocabulary import VOCABULARY

_LONGEST, _LINKED, _TAIL = 90, 130, 4  # characters of a line told by its form, of one that links; words of a name
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)
_HEADINGS = frozenset({"list", "author_box", "poll", "comments", "tags", "breadcrumb"})
_SITES = frozenset({"disclaimer", "rights", "comments", "notice", "desk", "author_box"})  # nobody else speaks so
_ARABIC, _WORD = re.compile(r"[\u0620-\u064a]"), re.compile(r"[^\W\d_]+")
_SENTENCE = re.compile(r"[.!?؟…][\s\"»”)\u200b-\u200f\u202a-\u202e\u2066-\u2069]*$")
_CUT = re.compile(r"(?:\.\.|…)\W*$")
_TOKEN = re.compile(r"[\w.+-]+@[\w.]+|[@¤][\w.]*|\d[\d.,:/]*|[^\W\d_]+")

# ---- words, by kind ------------------------------------------------------------------------------------------------

_FILE = tomllib.loads(Path(__file__).with_name("noise.toml").read_text("utf-8"))
_OF = {name: frozenset(_WORD.findall(normalise(words))) for name, words in _FILE["words"].items()}
_EXACT = {"n": "not", "t": "stamps", "y": "you", "c": "elsewhere", "r": "rights"}
_CALENDAR = tomllib.loads((Path(__file__).parent / "arabic/dates.toml").read_text("utf-8"))
_DATES = {
    word
    for names in (*_CALENDAR["months"], _CALENDAR["weekdays"])
    for word in _WORD.findall(normalise(" ".join(names)))
}
_PHRASES = VOCABULARY["phrases"]
_GIVEN = frozenset(map(normalise, _PHRASES["name"]["given"]))
_ACTORS = [name for key, names in _PHRASES["actor"].items() if key not in _FILE["houses"] for name in names]
_PLACES = [*DATA["credit"]["cities"], *_PHRASES["place"]["each"], *_PHRASES["place"]["syria"]]
_HOUSES = [*_FILE["outlets"], *DATA["credit"]["agencies"], "وكالات"]


def _any(name: str, ends: str = "") -> str:
    """A pattern for the words of a list, or those that end so, without that end."""
    words = sorted(_OF[name], key=len, reverse=True)
    return "|".join(word.removesuffix(ends) for word in words if word.endswith(ends))


def _nouns(name: str) -> str:
    """A pattern for nouns with their endings; one with ه keeps it, or what it becomes."""
    return rf"(?:(?:{_any(name)})(?:ا|ات|ون|ين|ان|ي|يه|ه)?|(?:{_any(name, 'ه')})(?:ات|ت(?=نا|كم|ك|ها|هم|ه)))"


_PRONOUN = r"(?P<own>نا|كم|ك)?(?:هم?|ها)?"
_SITE = re.compile(rf"(?:(?P<named>{_nouns('named')})|{_nouns('site')}){_PRONOUN}")
_CALL = re.compile(rf"و?(?:{_any('call')})(?:وا|ي)?(?:و?نا|و?ها?)?")
_NEWS = re.compile(rf"(?<!\w)(?:\w{{0,3}}{_nouns('news')}{_PRONOUN}|{either(_ACTORS)}){STOP}")
_KNOWN = frozenset().union(*_OF.values())
_NAMES = re.compile(
    rf"(?<!\w)(?:[وبلف]|لل)?(?:(?P<place>{either(_PLACES)})"
    rf"|{either(name for name in _HOUSES if normalise(name).removeprefix('ال') not in _KNOWN)}"
    rf"|(?:{_any('press')})\s+\w+(?:\s+(?:{_any('adjectives')}))?|\w+\s+(?:{_any('tails')}|24)){STOP}"
)


@lru_cache(1 << 12)
def _kind(word: str) -> str:
    """What a word of a line is, as `shapes` in noise.toml call it."""
    if word[0] in "@¤" or "@" in word or word[0].isdigit():
        return "d" if word[0].isdigit() else "l" if word == "¤" else "o" if word == "@" else "c"
    forms = (word, *stripped(word))
    if word in _GIVEN:
        return "g"
    for kind, name in _EXACT.items():
        if not _OF[name].isdisjoint(forms):
            return kind
    if _CALL.fullmatch(word):
        return "v"
    if found := next(filter(None, map(_SITE.fullmatch, forms)), None):
        return "y" if found["own"] else "h" if found["named"] else "s"
    bare = {*forms, *(form[:-1] for form in forms if form[-1] in "ها")}
    known = next((kind for kind, name in (("z", "sections"), ("p", "between")) if not _OF[name].isdisjoint(bare)), "")
    return known or ("d" if word in _DATES else "?")


def _code(text: str) -> str:
    """The kinds of the words of a text, a letter each."""
    named = _NAMES.sub(lambda name: " ¤ " if name["place"] else " @ ", normalise(text))
    return "".join(map(_kind, _TOKEN.findall(named)))


# ---- lines ---------------------------------------------------------------------------------------------------------

_SHAPES = {name: re.compile("|".join(shapes)) for name, shapes in _FILE["shapes"].items()}
_HEAD = re.compile(r"(.{3,60}?)\s*(?:[:|؟?»>›؛←]+|\.\.+|…)\s*(?=\S)")
_LABELS = either(_FILE["labels"])
_LABEL = re.compile(rf"\W*(?:{_LABELS})(?:\s+و?(?:{_LABELS}))?\s*:((?:\W*\w+){{0,8}})\W*$")
_FORM = re.compile(
    rf"\W*(?:{either(_FILE['begins'])}){STOP}|عاجل\s*[|:]|\W*(?:{either(_FILE['captions'])}){STOP}"
    r"|\W*(?:صوره|لقطه|مشهد|منظر|خريطه|رسم)\s+ل\w|(?:(?:#|@)\S+[\s،,|]*)+$|.*(?<!\w)@\w+"
    r"|.*(?:https?:|www\.|\b(?:t|wa|fb|twitter)\.(?:me|com)/)\S|(?:\W*[^\W\d_](?!\w)){2,5}[\W\d]*$"
)
_CORRECTION = re.compile(rf"\W*(?:{either(_FILE['corrections'])}){STOP}")
_ONLY = re.compile(
    rf"(?:[\W\d]*(?:{either([*_FILE['only'], *DATA['credit']['through'], *_FILE['outlets']])}){STOP})+[\W\d]*"
)
_SIGNED = re.compile(r"(.*?)\s*(?:[(\[]([^()\[\]]{2,40})[)\]]|\s[-–—|/]\s*([^-–—|/()]{2,30}))\W*")
_PARTS = re.compile(r"\s*[|•·/]\s*|\s[-–—]\s")
_DASH = re.compile(r"[-–—ـ/|()]")


def is_sentence(line: str) -> bool:
    """Whether a line ends as a sentence does."""
    return bool(_SENTENCE.search(line))


def is_noise(line: str, *, before: bool = True, after: bool = True) -> bool:
    """Whether a line is a counter, a clock, a link to elsewhere, a credit of a photo, a call to follow. A sentence is
    one only where nobody else speaks so; `before` and `after` are whether it stands there, not within the text.

    >>> [is_noise(line) for line in ("المشاهدات: 120", "آخر تحديث: 12:30", "قال شاهد عيان.", "منذ 5 دقائق")]
    [True, True, False, True]
    """
    family, plain, edge = family_of(line), normalise(line).strip(), before or after
    sentence = is_sentence(line) and not _CUT.search(line)
    if family and (edge or not family[1]) and (not sentence or family[0] in _SITES):
        return True
    if read_more(line) is not None:
        return True
    if not plain or len(line) > 2 * _LONGEST:
        return False
    code = _code(line)
    if _links(plain) or _SHAPES["sentence" if sentence else "line"].fullmatch(code):
        return True
    if sentence or len(line) > _LINKED:
        return False
    if len(line) > _LONGEST or _FORM.match(plain):
        return _FORM.match(plain) is not None
    said, signed, label = read_line(line, _NEVER), _SIGNED.fullmatch(line), _LABEL.match(plain)
    credit = normalise(signed[2] or signed[3]) if signed and not is_sentence(signed[1]) else ""
    parts = [part for part in _PARTS.split(line) if part.strip()]
    named = [(plain, code, "edge"), (credit, _code(credit), "credit")]
    return bool(
        (said.alone and (said.published or said.updated))
        or (label and not _tells(label[1]))
        or (":" in plain and _SHAPES["clock"].fullmatch(code))
        or (edge and _ONLY.fullmatch(plain))
        or (edge and any(_SHAPES[shape].fullmatch(kinds) and not _NEWS.search(words) for words, kinds, shape in named))
        or (len(parts) > 1 and all(is_noise(part, before=before, after=after) for part in parts))
        or (before and _is_dateline(line, code))
    )


def _links(plain: str) -> bool:
    """Whether a line leads to another article: by an arrow, by words of reading before a mark."""
    head, words = _HEAD.match(plain), _WORD.findall(plain)
    piece = len(words) > 3 and _kind(words[0]) == "s" and words[1] in _OF["read"] and words[2][0] != "ب"
    if piece or plain.startswith((">>", "←", "◀")):
        return True
    reads = head is not None and not _OF["read"].isdisjoint(_WORD.findall(head[1]))
    return bool(head and reads and _SHAPES["link"].fullmatch(_code(head[1])))


def is_told(line: str) -> bool:
    """Whether a line is told, not printed around a text: a sentence, long, of what happened, or a correction."""
    plain = normalise(line)
    return is_sentence(line) or len(line) > _LONGEST or bool(_CORRECTION.match(plain) or _NEWS.search(plain))


def _tells(text: str) -> bool:
    """Whether words tell something, which no name of a site does."""
    plain = normalise(text)
    return _NEWS.search(plain) is not None or not _OF["told"].isdisjoint(_WORD.findall(plain))


def _is_dateline(line: str, code: str) -> bool:
    """Whether words say where, when and by whom a text was written: "دمشق - سانا", a name before a text."""
    shaped = _SHAPES["byline"].fullmatch(code) or (_DASH.search(line) and _SHAPES["dateline"].fullmatch(code))
    return bool(shaped) and len(code) < 10 and not _NEWS.search(normalise(line))


def changes(
    old: tuple[str, str], new: tuple[str, str], known: Collection[str] = ()
) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """The diffs of titles and of texts, given as (title, text), without what is noise; `known` are folded lines that
    are none of the text, whatever they say."""
    heads = diff(old[0], new[0], headline=True)
    if any(piece.op != "equal" for piece in heads):
        told = frozenset(_WORD.findall(normalise(f"{old[1]} {new[1]}")))
        heads = tuple(_quiet(piece, old[0], new[0], told) for piece in heads)
    texts = diff(old[1], new[1], ignored=_ignored(old, new, known))
    return heads, tuple(_apart(piece, old[1], new[1]) for piece in texts)


def _ignored(old: tuple[str, str], new: tuple[str, str], known: Collection[str]) -> tuple[set[int], set[int]]:
    """Numbers of lines of either text that are no part of the comparison."""
    sides = [[(line, fold(line)) for line in text.split("\n")] for _, text in (old, new)]
    counts = [Counter(key for _, key in side) for side in sides]
    both = counts[0].keys() & counts[1].keys()  # sentences that both have: what they stand around is the text
    spoken = {key for line, key in sides[0] + sides[1] if key in both and (is_sentence(line) or len(line) > _LONGEST)}
    told = [[at for at, (_, key) in enumerate(side) if key in spoken] for side in sides]
    places = [
        {key: bisect(ours, at) for at, (_, key) in enumerate(side)} for ours, side in zip(told, sides, strict=True)
    ]
    out = set[int](), set[int]()
    for n, (title, _) in enumerate((old, new)):
        mine, others, ours = counts[n], counts[1 - n], told[n]
        first, last = (ours[0], ours[-1]) if ours else (len(sides[n]), -1)
        seen, block = Counter[str](), ""
        for number, (line, key) in enumerate(sides[n]):
            seen[key] += 1
            block = "" if number in ours else _block(line, block)
            more = mine[key] > others[key] and (
                seen[key] > max(1, others[key])  # told twice
                or key == fold(title)
                or (_ARABIC.search(title) and not _ARABIC.search(line))
                or is_noise(line, before=number < first, after=number > last)
                or (block and (block == "more" or number > last))
            )
            caption = mine[key] == others[key] == 1 and key not in spoken and places[0][key] != places[1][key]
            if not key or key in known or more or caption:  # one that stands elsewhere now
                out[n].add(number)
    return out


def _block(line: str, block: str) -> str:
    """The kind of heading that a line is or stands under, "" for none: links to elsewhere end with the next sentence,
    who the writer is does not."""
    heading = "more" if read_more(line) == "" else (family_of(line) or ("",))[0]
    if not heading and not _OF["lists"].isdisjoint(_WORD.findall(normalise(line))) and is_noise(line, before=False):
        heading = "list"
    if heading == "more" or heading in _HEADINGS:
        return heading
    linked = len(line) <= _LINKED and (line[:1] in "-•*▪◾●" or not line.rstrip().endswith("."))
    return block if linked or block == "author_box" else ""


# ---- what stands beside a paragraph or a headline ------------------------------------------------------------------

_SEGMENTS = re.compile(r"[|\-–—•·»«‹›:/\\()\[\]{}.…+#،]+")


def _apart(piece: Piece, was: str, now: str) -> Piece:
    """What one text alone has at the ends of a paragraph, set apart from it: a dateline, a signature, a number."""
    text, start, end = (
        (was, piece.from_start, piece.from_end) if piece.op == "removed" else (now, piece.start, piece.end)
    )
    said, bare = text[start:end].strip(), text[start:end].strip(" ()[]-–—/|")
    if piece.op not in ("inserted", "removed") or len(said) > _LINKED:
        return piece
    left = text[max(0, start - _LINKED) : start].rpartition("\n")[2].strip()
    right = text[end : end + _LINKED].partition("\n")[0].strip()
    closed, ends = said[:1] in "([" and said.rstrip(".")[-1:] in ")]", not right.strip(" .-–—/|")
    alone = (
        closed or (is_sentence(left) and (is_sentence(said) or ends)) or (ends and f"{left[-1:]}{said}"[0] in "-–—/|")
    )
    noise = alone and is_noise(bare, before=False, after=ends)
    if not left and not noise:
        stop = said[-1:] if said[-1:] in ":-–—)/|" else right[:1]
        marker = _OF["marks"].issuperset(_WORD.findall(normalise(said)))
        noise = re.fullmatch(r"\W*\d{1,2}[.)\-–/]+", said) is not None or (
            stop in [*":-–—/)|ـ"] and (marker or _is_dateline(said + stop, _code(said)))
        )
    return replace(piece, op="equal") if noise else piece


def _quiet(piece: Piece, was: str, now: str, told: frozenset[str]) -> Piece:
    """A marker ("عاجل") or the name of a site that a headline lost or gained at its ends is no edit of it."""
    sides = ((was, piece.from_start, piece.from_end), (now, piece.start, piece.end))
    cut = any(
        _CUT.search(side) and other[start:].strip() and not side[end:].strip(" .…")
        for (side, _, end), (other, start, _) in (sides, sides[::-1])
    )
    beside = all(start == end or _is_label(side, start, end, told) for side, start, end in sides)
    return replace(piece, op="equal") if cut or (beside and piece.op != "moved") else piece


def _is_label(title: str, start: int, end: int, told: frozenset[str]) -> bool:
    """Whether words of a headline stand beside it and are markers, a section, an outlet, or what names a site."""
    before, said, after = title[:start], title[start:end], title[end:]
    words, ends = _WORD.findall(normalise(said)), _WORD.search(before) is not None
    if ends and _WORD.search(after):
        return False
    marks = f"{before.rstrip()[-1:]} {said} {after.lstrip()[:1]}"
    piped = re.search(r"[|•·»«‹›\[\]]|::|//", marks) is not None
    parts = [part for part in _SEGMENTS.split(said) if _WORD.search(part)]
    return _OF["markers"].issuperset(words) or (
        _SEGMENTS.search(marks) is not None
        and all(_beside(part, piped or (ends and told.isdisjoint(words))) for part in parts)
    )


def _beside(part: str, own: bool) -> bool:
    """Whether a part of a headline says what it is or where it stands: "تقرير مصور", "محليات", or names a site, which
    it does if its words are its `own` and tell nothing."""
    words, filed = _WORD.findall(normalise(part)), _OF["marks"] | _OF["sections"]
    if set(_code(part)) == {"o"} or not any(filed.isdisjoint((word, word[:-1], *stripped(word))) for word in words):
        return True
    if _tells(part) or len(words) > _TAIL or re.search(r"[?؟]|\d", part.replace("24", "")):
        return False
    if not _OF["names"].isdisjoint(words):
        return len(words) > 1
    return own and not any(re.match("[يت]...", word) for word in words)

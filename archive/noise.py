"""Lines around a text that change from look to look and are no word of it.                               [pure]

A net under the extractor's: only what one of two texts has and the other has not is looked at, and each line is judged
by its own words: by the phrases of furniture.toml, and by the kinds of words in noise.toml. A line that holds nothing
but what a site says of itself and to its readers is none of the text, however it is put together.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from html import unescape

from archive.arabic.dates import read_line
from archive.arabic.normalise import normalise
from archive.arabic.tokens import stripped
from archive.diffs import Piece, diff
from archive.folding import fold
from archive.furniture import DATA, STOP, either, family_of, read_more
from archive.linewords import FILE, NEWS, OF, PLACES, READERS, SPEAKS, TELLS, TOLD, TOLL, WHO, WORD, any_of, code_of

# characters of a line told by its form, of one that links, of a headline, of what a site says of itself
_LONGEST, _LINKED, _TITLE, _SAYING = 90, 130, 25, 360
_SAID = 200  # paragraphs that are looked for in one that may join them
_TAIL = 4  # words of a name
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)
_ANYWHERE = frozenset({"more", "poll", "comments", "readers", "tags"})
_HEADINGS = _ANYWHERE | {"list", "author_box", "breadcrumb"}
_ARABIC = re.compile(r"[\u0620-\u064a]")
_SENTENCE = re.compile(r"[.!?؟…][\s\"»”)\u200b-\u200f\u202a-\u202e\u2066-\u2069]*$")
_CUT = re.compile(r"(?:\.\.|…)\W*$")

# ---- lines ---------------------------------------------------------------------------------------------------------

_HAPPENS = re.compile(r"(?:ا(?:ن\w\wا\w|\wت\wا\w|ت\wا\w|ست\w{1,2}ا\w)|ت\w\wي\w)(?:ه|ات)?")  # انسحاب، تهديدات
_LEGAL = re.compile("المصدر|با(?:لا)?تفاق|دون اتفاق|[يت]حظر|زياره الطبيب")  # in notices these are no news
_THIS = re.compile(rf"(?<!\w)هذ[اه]\s+(?:ال)?(?:{any_of('this')}){STOP}")
_SHAPES = {name: re.compile("|".join(shapes)) for name, shapes in FILE["shapes"].items()}
_LINES = {name: re.compile("|".join(forms)) for name, forms in FILE["lines"].items()}
_HEAD = re.compile(r"(?!شاهد (?:عيان|من (?!هنا))|قراءه (?:في|ثانيه) )(.{3,60}?)\s*(?:[:|؟?»>›؛←]+|\.\.+|…)\s*(?=\S)")
_LABELS = either(FILE["labels"])
_LABEL = re.compile(rf"\W*(?:{_LABELS})(?:\s+و?(?:{_LABELS}))?\s*:((?:\W*\w+){{0,8}})\W*$")
_FORM = re.compile("|".join([rf"\W*(?:{either(FILE['begins'] + FILE['captions'])}){STOP}", *FILE["forms"]]))
_CORRECTION = re.compile(rf"\W*(?:{either(FILE['corrections'])}){STOP}")
_DECK = re.compile(rf"(?:(?:{any_of('openers')}){STOP}|(?!و)).*(?:\.\.|…)\W*$")
_POLICY = re.compile(rf"(?<!\w)[وبل]?(?:{either(FILE['policy'])}){STOP}")
_NO_CLAUSE = (
    rf"(?=.*[،,|/•-]|(?!.*(?<!\w)(?:{_HAPPENS.pattern}){STOP}))(?:\W*+(?!(?:{any_of('clauses')}){STOP})\w++)+\W*"
)
_AREAS = rf"(?:\W*+و?(?:{either([*PLACES, *FILE['areas']])}){STOP})+\W*"
_FILED_AS = re.compile(
    rf"\W*(?:{either(FILE['files'])})\s*:{_NO_CLAUSE}|\W*(?:{either(FILE['regions'])})(?:\s*/\s*\w+)?\s*:{_AREAS}"
)
_ONLY = re.compile(
    rf"(?:[\W\d]*(?:{either(FILE['only'] + DATA['credit']['through'] + FILE['outlets'])}){STOP})+[\W\d]*"
)
_SIGNED = re.compile(r"(.*?)\s*(?:[(\[]([^()\[\]]{2,40})[)\]]|\s[-–—|/]\s*([^-–—|/()]{2,30}))\W*")
_BOARD = re.compile(
    rf"(?=.*%|(?:\D+\d[\d.,]*){{3}})\W*(?:(?:[^\W\d]+[\s/]+){{1,3}}\d[\d.,:]*+(?:\s?[%°])?+"
    rf"(?:\s+(?:{any_of('weather')}))*+(?=\W*(?:[·|•/،–-]|$))\W*+){{2,}}"
)
_VOTES = re.compile(r".*[?؟:]\s*(?=.*(?:%|نعم))(?:(?:[^\W\d]+\s+){1,3}\d[\d.,]*+(?:\s?%)?+\W*+){2,}")
_SIGNS, _PARTS = re.compile("[»›‹]"), re.compile(r"\s*[|•·/]\s*|\s[-–—]\s")
_DASH, _MARK = re.compile(r"[-–—ـ/|()]"), re.compile(r"[-–—ـ/|()\[\]:،_]")


def is_sentence(line: str) -> bool:
    """Whether a line ends as a sentence does."""
    return bool(_SENTENCE.search(line))


@lru_cache(1 << 10)
def is_noise(line: str, *, before: bool = True, after: bool = True) -> bool:
    """Whether a line is a counter, a clock, a link to elsewhere, a credit of a photo, a call to follow. A sentence is
    one only where nobody else speaks so; `before` and `after` are whether it stands there, not within the text.

    >>> [is_noise(line) for line in ("المشاهدات: 120", "آخر تحديث: 12:30", "قال شاهد عيان.", "منذ 5 دقائق")]
    [True, True, False, True]
    """
    family, plain, edge = family_of(line), normalise(line).strip(), before or after
    if len(line) <= _SAYING and _LINES["says"].search(normalise(_SIGNS.sub(">", line)).strip()):
        return True
    if TOLL.search(plain) and not READERS.search(plain):
        return False
    sentence = is_sentence(line) and not _CUT.search(line)
    if read_more(line) is not None or (family and (edge or not family[1]) and not sentence):
        return not (family and family[0] == "author_box" and TELLS.search(plain))
    if not plain or len(line) > _SAYING:
        return False
    code = code_of(line)
    signed = _SIGNED.fullmatch(line)
    credit = (signed[2] or signed[3]) if signed and WORD.search(signed[1]) and not is_sentence(signed[1]) else ""
    shaped = _SHAPES["sentence" if sentence else "line"].fullmatch(code) and not SPEAKS.search(plain)
    if shaped or _links(plain) or code_of(credit)[:1] in ("s", "b") or _tells_readers(plain, code, edge):
        return True
    asked = code[:1] in "svypb" and _VOTES.fullmatch(plain)
    calls = [code_of(plain.partition(":")[0]), code_of(plain.rpartition("؟")[2])] if edge and "؟" in plain else []
    board = _FILED_AS.fullmatch(plain) or (_BOARD.fullmatch(plain) and not NEWS.search(plain))
    source = _SHAPES["credit"].fullmatch(code_of(credit)) is not None and not NEWS.search(normalise(credit))
    around = edge and (board or _is_note(plain, code) or _is_biography(plain))
    if asked or any(map(_SHAPES["asks"].fullmatch, calls)) or around or _is_caption(plain, sentence, before, source):
        return True
    formed = not sentence and len(line) <= _LINKED and _FORM.match(plain) is not None
    parts = [part for part in _PARTS.split(line) if part.strip()] if edge or len(line) <= _LONGEST else []
    parted = len(parts) > 1 and not sentence and all(is_noise(part, before=before, after=after) for part in parts)
    if formed or parted or sentence or len(line) > _LONGEST:
        return formed or parted
    said, label = read_line(line, _NEVER), _LABEL.match(plain)
    past = any(not verb.start() or verb[0][0] not in "يتن" for verb in TELLS.finditer(plain))  # no picture shows it
    named = _SHAPES["edge"].fullmatch(code) is not None and not NEWS.search(plain)
    return bool(
        (said.alone and (said.published or said.updated))
        or (label and not _tells(label[1]))
        or (edge and ":" in plain and _SHAPES["clock"].fullmatch(code))
        or (edge and _ONLY.fullmatch(plain))
        or (edge and (named or (source and not past)))
        or (before and _is_dateline(line, code))
    )


def _links(plain: str) -> bool:
    """Whether a line leads to another article: by words of reading before a mark."""
    head = _HEAD.match(plain)
    return bool(head and OF["read"] & {*WORD.findall(head[1])} and _SHAPES["link"].fullmatch(code_of(head[1])))


def _is_caption(plain: str, sentence: bool, before: bool, signed: bool) -> bool:
    """Whether a line says what a picture shows, and tells nothing: an event, or who stands where."""
    placed = (before and len(plain) <= _LONGEST) or signed or _LINES["archived"].match(plain)
    shown = _LINES["events"].match(plain) or (
        _LINES["scenes"].match(plain) and placed and _LINES["where"].search(plain)
    )
    return bool(shown and not sentence and not TELLS.search(plain))


def _is_biography(plain: str) -> bool:
    """Whether a line says who the writer is: his name, what he is, what writers do; no sentence of one deed."""
    if not (writer := _LINES["writers"].match(plain)) or TELLS.search(plain) or NEWS.search(writer["name"]):
        return False
    return len(_LINES["wrote"].findall(plain, writer.end())) > (writer["name"].strip()[-1:] not in tuple(":،,|–-"))


def _tells_readers(plain: str, code: str, edge: bool) -> bool:
    """Whether a site tells its readers of itself what nobody else would, if in whole sentences."""
    if plain.startswith("و") or SPEAKS.search(plain) or WHO.search(plain):
        return False
    known, own = 3 * code.count("?") <= len(code), "y" in code and sum(map(code.count, "svyhcr")) > 3
    return (own and known and code[0] != "v") or ((edge or known) and _POLICY.search(plain) is not None)


def _is_note(plain: str, code: str) -> bool:
    """Whether a site says of a text what it is good for, how it came about, what may be made of it; not what was put
    right in it."""
    forms = [{word, *stripped(word)} for word in WORD.findall(plain)]
    notes = sum(not OF["notes"].isdisjoint(form) for form in forms)
    itself = notes > 2 and not OF["itself"].isdisjoint(set().union(*forms))
    sold = code.count("s") > 2 and "l" not in code and any(not OF["clients"].isdisjoint(form) for form in forms)
    enough = itself or sold or (notes > 1 and (_THIS.search(plain) or "y" in code))
    known = enough and 3 * (len(code) - code.count("?") + notes) > 2 * len(code) and not plain.startswith("و")
    news = NEWS.search(_LEGAL.sub("", plain)) or not OF["mended"].isdisjoint(WORD.findall(plain))
    return bool(known and not news)


def is_told(line: str) -> bool:
    """Whether a line is told, not printed around a text: a sentence, long, of what happened, or a correction."""
    plain = normalise(line)
    return is_sentence(line) or len(line) > _LONGEST or bool(_CORRECTION.match(plain) or NEWS.search(plain))


def _is_prose(line: str) -> bool:
    """Whether a line is a sentence that no site says, or long."""
    return not is_noise(line) if is_sentence(line) else len(line) > _LONGEST


def _tells(text: str) -> bool:
    """Whether words tell something, which no name of a site does."""
    return not TOLD.isdisjoint(WORD.findall(normalise(text))) or NEWS.search(normalise(text)) is not None


def _is_dateline(line: str, code: str) -> bool:
    """Whether words say where, when and by whom a text was written: "دمشق - سانا", a name before a text."""
    shape = _SHAPES["dateline" if _DASH.search(line) else "place"]
    shaped = _SHAPES["byline"].fullmatch(code) or (_MARK.search(line) and shape.fullmatch(code))
    plain = normalise(line)
    return bool(shaped) and len(code) < 10 and not (NEWS.search(plain) or SPEAKS.search(plain))


def changes(
    old: tuple[str, str], new: tuple[str, str], known: Collection[str] = ()
) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """The diffs of titles and of texts, given as (title, text), without what is noise; `known` are folded lines that
    are none of the text, whatever they say."""
    heads, texts = diff(old[0], new[0], headline=True), diff(old[1], new[1], ignored=_ignored(old, new, known))
    cut = any(_CUT.search(a[0]) and fold(b[0]).startswith(fold(a[0])) for a, b in ((old, new), (new, old)))
    beside = partial(_is_label, told=f"{old[1]} {new[1]}")
    return (() if cut else _without(heads, old[0], new[0], beside)), _without(texts, old[1], new[1], _is_apart)


def _without(pieces: Iterable[Piece], was: str, now: str, beside: Callable[[str, int, int], bool]) -> tuple[Piece, ...]:
    """Pieces without what only stands beside a headline or a paragraph on every side that has it."""

    def quiet(piece: Piece) -> bool:
        sides = ((was, piece.from_start, piece.from_end), (now, piece.start, piece.end))
        return piece.op not in ("equal", "moved") and all(side[1] == side[2] or beside(*side) for side in sides)

    return tuple(replace(piece, op="equal") if quiet(piece) else piece for piece in pieces)


def _ignored(old: tuple[str, str], new: tuple[str, str], known: Collection[str]) -> tuple[set[int], set[int]]:
    """Numbers of lines of either text that are no part of the comparison."""
    sides = [[(unescape(line), fold(line)) for line in text.split("\n")] for _, text in (old, new)]
    counts = [Counter(key for _, key in side) for side in sides]
    told = [[key if _is_prose(line) else "" for line, key in side] for side in sides]
    # What both tell is the text, and so are paragraphs that one of them joins, or parts; the rest stands around it.
    spoken = {*told[0], *told[1]} & counts[0].keys() & counts[1].keys()
    ours = list[list[int]]()
    for n, side in enumerate(sides):
        whole, said = " ".join(counts[1 - n]), [key for key in told[1 - n] if key][:_SAID]
        parts = {key for key in told[n] if key in whole or any(other in key for other in said)} | spoken
        ours.append([at for at, (_, key) in enumerate(side) if key and key in parts] or [len(side), -1])
    around = [{key for _, key in side[: at[0]] + side[at[-1] + 1 :]} for side, at in zip(sides, ours, strict=True)]
    known = {*known, *(around[0] & around[1])}  # wherever they stand
    out = set[int](), set[int]()
    for n, (title, _) in enumerate((old, new)):
        mine, others, first, last = counts[n], counts[1 - n], ours[n][0], ours[n][-1]
        seen, block, kinds = Counter[str](), "", ""
        for number, (line, key) in enumerate(sides[n]):
            seen[key] += 1
            block = "" if number in ours[n] else _block(line, block)
            more = mine[key] > others[key]
            noise = number not in ours[n] and (
                _repeats(line, title)
                or (1 < len(line.split()) < _TAIL and any(other.startswith(key) for other in around[n] - {key}))
                or (more and _ARABIC.search(title) and not _ARABIC.search(line))
                or (
                    is_noise(line, before=number < first, after=number > last)
                    and (block or not _is_urgent(line, title))
                )
                or (block and (block == "more" or number > last or (number > first and block in _ANYWHERE)))
            )
            if not key or key in known or noise or (more and seen[key] > max(1, others[key])):  # or told twice
                out[n].add(number)
            plain = "A" if block == "author_box" else _kind(line) if more else "n"
            kinds += "t" if number in ours[n] else plain if noise else _length(line) if more else "?"
        for run in _LINES["blocks"].finditer(kinds):
            out[n].update(range(*run.span()))
        for people in re.finditer("PP+", kinds):  # one may be the writer, several are told
            out[n].difference_update(range(*people.span()))
    return out


def _kind(line: str) -> str:
    """Of what kind a line is that is no text: a name, it leads elsewhere, dates what is above it, or any other."""
    dates = re.match(r"\d\d?\s+[^\W\d]|منذ", line) and len(line) <= _TITLE
    named, leads = _SHAPES["person"].fullmatch(code_of(line)), OF["read"] & {*WORD.findall(normalise(line))}
    return "P" if named else "D" if dates else "M" if leads else "N"


def _is_urgent(line: str, title: str) -> bool:
    """Whether a line is urgent news of what a headline tells, no ticker's of something else."""
    words = WORD.findall(normalise(line))
    told = {form for word in WORD.findall(normalise(title)) for form in (word, *stripped(word)) if len(form) > 2}
    return "عاجل" in words and any(not told.isdisjoint((word, *stripped(word))) for word in words if word != "عاجل")


def _repeats(line: str, title: str) -> bool:
    """Whether a line is the headline, with hardly anything beside it."""
    before, found, after = normalise(line).partition(normalise(title).strip() or "\n")
    brief = len(found) > _TITLE and len(f"{before} {after}".split()) <= _TAIL
    return fold(line) == fold(title) or (brief and not NEWS.search(f"{before} {after}"))


def _length(line: str) -> str:
    """Of what length a line is, by words, as `blocks` in noise.toml call it."""
    words, digits = len(WORD.findall(normalise(line))), re.search(r"\d", line)
    if _DECK.match(normalise(line)) and len(line) > _TITLE:
        return "k"
    if is_told(line.rstrip(" ؟?")) or not words or code_of(line)[:1] == "g":
        return "e" if NEWS.search(normalise(line)) and not is_sentence(line) and len(line) <= _LONGEST else "?"
    return ("d" if digits else "w" if words == 1 else "s") if words < _TAIL - (digits is not None) else "b"


def _block(line: str, block: str) -> str:
    """The kind of heading that a line is or stands under, "" for none: links to elsewhere end with the next sentence,
    who the writer is and what readers say does not."""
    heading = "more" if read_more(line) == "" else (family_of(line) or ("",))[0]
    words = WORD.findall(normalise(line))
    if _SHAPES["readers"].fullmatch(code_of(line)) and not OF["readers"].isdisjoint(words):
        heading = "readers"
    elif heading not in _HEADINGS and not OF["lists"].isdisjoint(words) and is_noise(line, before=False):
        heading = "list"
    if heading in _HEADINGS:
        return heading if heading != "author_box" or is_noise(line, before=False) else ""
    linked = len(line) <= _LINKED and (line[:1] in "-•*▪◾●" or not re.search(r"(?<!\.)\.\s*$", line))
    return block if linked or block in ("author_box", "readers") else ""


# ---- what stands beside a paragraph or a headline ------------------------------------------------------------------

_NO_NAME = re.compile(r"[يت]...|[بلكف]ال|لل|\w{2,}[وي]ن$")  # verbs, what is joined to another word, people
_PARTING = " |-–—•·»«‹›<>:/\\()[]{}.…+#،"
_SEGMENTS = re.compile(r"[|\-–—•·»«‹›<>:/\\()\[\]{}.…+#،]+")


def _is_apart(text: str, start: int, end: int) -> bool:
    """Whether words at an end of a paragraph are none of it."""
    said, bare = text[start:end].strip(), text[start:end].strip(" ()[]-–—/|")
    left = text[max(0, start - _LINKED) : start].rpartition("\n")[2].strip()
    right = text[end : end + _LINKED].partition("\n")[0].strip()
    closed, ends = said[:1] in "([" and said.rstrip(".")[-1:] in ")]", not WORD.search(right)
    alone = (
        closed or (is_sentence(left) and (is_sentence(said) or ends)) or (ends and f"{left[-1:]}{said}"[0] in "-–—/|")
    )
    if alone and (closed or WORD.search(bare)) and is_noise(bare, before=False, after=ends):
        return True
    stop, head = said[-1:] if said[-1:] in ":-–—)]/|_." else right[:1], f"{left} {said}".strip()
    marker = re.fullmatch(r"\W*\d{1,2}[.)\-–/]+", said) or OF["marks"].issuperset(WORD.findall(normalise(said)))
    apart = stop in [*":-–—)]/|ـ_."] or _DASH.search(said) is not None
    dated = WORD.search(said) is not None or re.search(r"\d[-/]\d", said) is not None
    told = ends and (re.search(r":\s*[^\W\d]+\s+[^\W\d]", said) or TELLS.search(normalise(said)))
    return apart and (bool(marker and not left) or (dated and not told and _is_dateline(head + stop, code_of(head))))


def _is_label(title: str, start: int, end: int, told: str) -> bool:
    """Whether words of a headline stand beside it and are markers, a section, an outlet, or what names a site."""
    before, said, after = map(unescape, (title[:start], title[start:end], title[end:]))
    words, ends = WORD.findall(normalise(said)), WORD.search(before) is not None
    if not words:  # a number is part of what is told, wherever it stands
        return False
    marks = f"{before.rstrip()[-1:]} {said} {after.lstrip()[:1]}"
    parted = _parting(before, said) if ends else _parting(said, after)
    if ":" in parted and "::" not in parted:  # who says it is told, unlike what kind of text it is
        return not (ends and WORD.search(after)) and all(_is_filed(word) for word in words)
    piped = re.search(r"[|•·»«‹›\[\]]|::|//", marks) is not None
    parts = [part for part in _SEGMENTS.split(said) if WORD.search(part)]
    told_too = set(words) & set(WORD.findall(normalise(told)))
    own = len(told_too) < len(set(words)) if piped else ends and not told_too
    own = own and not re.search(r"\.\.|[…(\[]", parted) and (piped or len(words) > 1 or words[0][:2] == "ال")
    kinds = [code_of(WHO.sub(" ¤ ", part)) for part in parts]
    path = len(parts) > 1 and (not ends or "o" in kinds) and all(kind and not kind.strip("zlshop") for kind in kinds)
    apart = path or (_SEGMENTS.search(marks) is not None and all(_beside(part, own) for part in parts))
    return (apart or OF["markers"].issuperset(words)) and not (ends and WORD.search(after))


def _beside(part: str, own: bool) -> bool:
    """Whether a part of a headline says what it is or where it stands: "تقرير مصور", "محليات", or names a site, which
    it does if its words are its `own` and tell nothing."""
    words = WORD.findall(normalise(part))
    if set(code_of(part)) == {"o"} or all(map(_is_filed, words)):
        return True
    if _tells(part) or len(words) > _TAIL or re.search(r"[?؟]|\d|اً", part) or any(map(_HAPPENS.fullmatch, words)):
        return False
    if not OF["names"].isdisjoint(words):
        return len(words) > 1
    return own and not any(_NO_NAME.match(word) for word in words)


def _is_filed(word: str) -> bool:
    """Whether a word says of what kind a text is, or in which section it stands."""
    return not (OF["marks"] | OF["sections"]).isdisjoint((word, word[:-1], *stripped(word)))


def _parting(before: str, after: str) -> str:
    """The marks between two parts of a headline."""
    return f"{before[len(before.rstrip(_PARTING)) :]}{after[: len(after) - len(after.lstrip(_PARTING))]}"

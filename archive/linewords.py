"""What the words of a line around a text are, a letter each, as noise.toml lists them.                        [pure]"""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path

from archive.arabic.normalise import normalise
from archive.arabic.tokens import stripped
from archive.furniture import DATA, STOP, either
from archive.vocabulary import GIVEN, VOCABULARY

WORD = re.compile(r"[^\W\d_]+")
_TOKEN = re.compile(r"[\w.+-]+@[\w.]+|[@¤][\w.]*|\d[\d.,:/]*|[^\W\d_]+")
FILE = tomllib.loads(Path(__file__).with_name("noise.toml").read_text("utf-8"))
OF = {name: frozenset(WORD.findall(normalise(words))) for name, words in FILE["words"].items()}
_EXACT = {"n": "not", "t": "stamps", "y": "you", "c": "elsewhere", "r": "rights", "b": "double"}
_CALENDAR = tomllib.loads((Path(__file__).parent / "arabic/dates.toml").read_text("utf-8"))
_DATES = frozenset(WORD.findall(normalise(f"{_CALENDAR['months']} {_CALENDAR['weekdays']}")))
_PHRASES = VOCABULARY["phrases"]
_ACTORS = [name for key, names in _PHRASES["actor"].items() if key not in FILE["houses"] for name in names]
PLACES = [*DATA["credit"]["cities"], *_PHRASES["place"]["each"], *_PHRASES["place"]["syria"]]
_KNOWN = frozenset().union(*OF.values())
_HOUSES = [*FILE["outlets"], *DATA["credit"]["agencies"], "وكالات"]
_HOUSES = [name for name in _HOUSES if normalise(name).removeprefix("ال") not in _KNOWN]


def any_of(name: str, ends: str = "") -> str:
    """A pattern for the words of a list, or those that end so, without that end."""
    words = sorted(OF[name], key=len, reverse=True)
    return "|".join(word.removesuffix(ends) for word in words if word.endswith(ends))


def _nouns(name: str) -> str:
    """A pattern for nouns with their endings; one with ه keeps it, or what it becomes."""
    return rf"(?:(?:{any_of(name)})(?:ا|ات|ون|ين|ان|ي|يه|ه)?|(?:{any_of(name, 'ه')})(?:ات|ت(?=نا|كم|ك|ها|هم|ه|ي)))"


_PRONOUN = r"(?P<own>نا|كم|ك|(?<=ت)ي)?(?:هم?|ها)?"
_SITE = re.compile(rf"(?:(?P<named>{_nouns('named')})|{_nouns('site')}){_PRONOUN}")
_CALL = re.compile(rf"و?(?:{any_of('call')})(?:وا|ي)?(?:و?نا|و?ها?)?")
NEWS = re.compile(rf"(?<!\w)(?:\w{{0,3}}{_nouns('news')}{_PRONOUN}|{either(_ACTORS)}){STOP}")
TOLD = OF["told"] | {normalise(name) + end for name in VOCABULARY["nations"]["names"] for end in ("", "ه")}
# How many of whom, or how many: a toll, even alone on a line; not of those who read, watch or like. What is true,
# and of which place or year a picture is.
TOLL = re.compile(
    rf"(?<!\w)(?:\d+\s+{_nouns('counted')}|(?:ال)?{_nouns('counted')}\W+(?:الي\s+)?\d+|(?:{any_of('truth')})){STOP}"
    rf"|^ال(?:صور|فيديو|مقطع|تسجيل)(?:ه|ات)?\s+من\s+(?:عام\s+)?(?:\d{{4}}|{either(PLACES)})\W*$"
)
WHO = re.compile(rf"(?<!\w)\w{{0,2}}(?:{either(_ACTORS)}){STOP}")
SPEAKS = re.compile(rf"(?<!\w)و?(?:{any_of('speech')}){STOP}")
TELLS = re.compile(rf"(?<!\w)(?:{FILE['past']}|[وف]?س?[ايتن]?(?:{any_of('verbs')})(?:ت?ه[ام]?|تا?|ان?|و?ن)?){STOP}")
READERS = re.compile(rf"(?<!\w)\w{{0,2}}(?:{any_of('reads')})(?:و[ان]?|ين|ه[ام]?)?{STOP}")
_NAMES = re.compile(
    rf"(?<!\w)(?:[وبلف]|لل)?(?:(?P<place>{either(PLACES)})"
    rf"|(?:(?:{any_of('press')})\s+)?(?:{either(_HOUSES)})"
    rf"|(?:(?:{any_of('press')})\s+)+\w+(?:\s+(?:{any_of('adjectives')}))?"
    rf"|(?:{any_of('named')})\s+\w+(?:\s+\w+)?\s+(?:{any_of('adjectives')})|\w+\s+(?:{any_of('tails')}|24)){STOP}"
)


@lru_cache(1 << 12)
def _kind(word: str) -> str:
    """What a word of a line is, as `shapes` in noise.toml call it."""
    if word[0] in "@¤" or "@" in word or word[0].isdigit():
        return "d" if word[0].isdigit() else "l" if word == "¤" else "o" if word == "@" else "c"
    forms = (word, *stripped(word))
    if word in GIVEN:
        return "g"
    for kind, name in _EXACT.items():
        if not OF[name].isdisjoint(forms):
            return kind
    if _CALL.fullmatch(word):
        return "v"
    if found := next(filter(None, map(_SITE.fullmatch, forms)), None):
        return "y" if found["own"] else "h" if found["named"] else "s"
    bare = {*forms, *(form[:-1] for form in forms if form[-1] in "ها")}
    known = next((kind for kind, name in (("z", "sections"), ("p", "between")) if not OF[name].isdisjoint(bare)), "")
    return known or ("d" if word in _DATES else "o" if len(word) > 2 and word.isascii() else "?")


@lru_cache(1 << 10)
def code_of(text: str) -> str:
    """The kinds of the words of a text, a letter each."""
    named = _NAMES.sub(lambda name: " ¤ " if name["place"] else " @ ", normalise(text))
    return "".join(map(_kind, _TOKEN.findall(named)))

"""Words of a normalised text, and what Arabic writes onto them: conjunctions, prepositions, the article, endings.
                                                                                                      [pure]
Nothing here stems: معتقل (a person) and اعتقال (an act) stay apart, and what is taken off is a closed list.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from archive.arabic.normalise import normalise

WORD = re.compile(r"[^\W\d_a-z]+|[a-z]+|\d+")  # Arabic next to Latin (لـSDF) is two words

ARTICLE = "ال"
# One conjunction, then one preposition, then the article; ل and ال are written لل. The commonest first.
PROCLITICS = ("و", "ل", "لل", "ب", "ف", "ول", "ولل", "وب", "ك", "فل", "فلل", "فب", "وك", "فك")
DEFINITE = tuple(f"{joined}{ARTICLE}" for joined in ("و", "ب", "وب", "ف", "ك", "فب", "وك", "فك"))
ENCLITICS = ("ه", "ها", "هم", "هن", "هما", "نا")

# Endings of a noun with sound plurals, after folding: معتقل معتقلا معتقلون معتقلين معتقلو معتقلي معتقله معتقلات ...
_SOUND = ("", "ا", "ون", "ين", "و", "ي", "ان", "ه", "ات", "تان", "تين")
_BEFORE_ENCLITIC = ("", "و", "ي", "ات")
_PERSONAL = re.compile(r"(م\w{3,}?)(?:ون|ين|ات)")  # a participle with a sound plural: معتقلين, محتجزات


def stripped(word: str) -> Iterator[str]:
    """A normalised word without what may be joined in front of it, longest remainder first, the word itself left out.

    >>> list(stripped("وللمعتقلين"))
    ['للمعتقلين', 'لمعتقلين', 'المعتقلين', 'معتقلين']
    """
    rest = word
    for letters in ("وف", "بكل"):
        if len(rest) > 2 and rest[0] in letters:
            after = rest[1:]
            yield after
            if rest[0] == "ل" and after[0] == "ل":
                yield f"{ARTICLE}{after[1:]}"
                yield after[1:]
            rest = after
    if rest.startswith(ARTICLE) and len(rest) > 3:
        yield rest[2:]


def endings(noun: str) -> set[str]:
    """All endings of a normalised noun with sound plurals, with pronouns too.

    >>> endings("معتقل") >= {"معتقلا", "معتقلون", "معتقلي", "معتقلات", "معتقليهم"}
    True
    """
    stem = noun[:-1] if noun.endswith("ه") else noun
    return {stem + end for end in _SOUND} | with_pronouns(stem)


def with_pronouns(noun: str) -> set[str]:
    """A normalised noun with the pronouns joined behind it, in the forms it takes before them (سجونهم, عائلاتهم)."""
    bases = {noun[:-1] + "ت"} if noun.endswith("ه") else {noun + base for base in _BEFORE_ENCLITIC}
    return {base + pronoun for base in bases for pronoun in ENCLITICS}


def variants(word: str) -> set[str]:
    """Spellings and inflections that mean the same to a searcher, the normalised word itself among them, without
    article or proclitics."""
    known = _families().get(word)
    if known:
        return set(known)
    personal = _PERSONAL.fullmatch(word)
    if personal:
        return {personal[1] + end for end in _SOUND} | {word}
    return {word}


def is_known(word: str) -> bool:
    """Whether a normalised word stands in families.toml, in any form."""
    return word in _families()


@cache
def _families() -> dict[str, frozenset[str]]:
    """Word -> every spelling and inflection of it, from families.toml."""
    data = tomllib.loads(Path(__file__).with_name("families.toml").read_text("utf-8"))
    families = [frozenset([normalise(form)]) for form in data["alone"]]
    families += [frozenset(normalise(form) for form in family) for family in data["family"]]
    families += [frozenset(stem + end for stem in [normalise(noun)] for end in _SOUND) for noun in data["sound"]]
    out: dict[str, frozenset[str]] = {}
    for family in families:
        for form in family:
            out[form] = out.get(form, frozenset()) | family
    return out

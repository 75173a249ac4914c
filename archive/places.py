"""The places a text names, read from places.toml and found as the terms of topics are.                  [pure]"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from archive.arabic.normalise import normalise
from archive.arabic.tokens import WORD, stripped
from archive.matching import Hit, scan
from archive.models import Passage
from archive.rules import RuleSet, compile_rules
from archive.topics import Original

GAZETTEER = Path(__file__).with_name("places.toml")
_PART = re.compile(r"[^\w\s]|\n")  # parts of a sentence
_LIKE = 0.7  # how alike a name that was meant must be
_NEAR = 80  # letters around a name that say what it is the name of


@dataclass(frozen=True, slots=True)
class Place:
    """A place that news names. `lat` and `lon` are degrees, None where not certain; `lies_in` is another place."""

    id: str
    name_ar: str
    name_en: str
    kind: str
    lat: float | None
    lon: float | None
    lies_in: str | None
    names: tuple[str, ...]  # every way it is written
    bare: frozenset[str]  # those of them, folded, that do not say themselves that it is a place, as مدينة الباب does
    doubtful: frozenset[str]  # those of the bare ones that are words, too


@cache
def places() -> dict[str, Place]:
    """Every place, by id."""
    found = {}
    for raw in _data()["place"]:
        names = (raw["name_ar"], *raw.get("spellings", ()), *raw.get("sure", ()))
        shown = (raw["id"], raw["name_ar"], raw["name_en"], raw["kind"], raw.get("lat"), raw.get("lon"))
        bare = frozenset(name for name in map(normalise, names) if name.split()[0] not in _kinds())
        doubtful = bare.difference(map(normalise, raw.get("sure", ()))) if "needs" in raw else frozenset[str]()
        found[raw["id"]] = Place(*shown, raw.get("in"), names, bare, doubtful)
    return found


def read_places(title: str, text: str) -> list[Passage]:
    """The places an article names, in the order of its words; `term` is the id. Takes any text and never raises.

    >>> [(p.term, p.start, p.end) for p in read_places("", "وصلوا إلى القامشلي عبر مدينة الباب")]
    [('qamishli', 10, 18), ('al-bab', 23, 34)]
    """
    rules = _rules()
    original, folded = Original(rules, title, text), {"title": normalise(title), "text": normalise(text)}
    hits = (hit for hit in scan(rules, title, text).hits if rules.terms[hit.term].group == "place")
    return [original.passage(hit) for hit in hits if not _other(rules.terms[hit.term].id, hit, folded[hit.field])]


def _other(place_id: str, hit: Hit, text: str) -> bool:
    """Whether a name is here that of a street or a club (شارع بغداد), of a person (الناشط محمد حمص), or a noun beside
    its adjective (الميادين السياسية, الخلاف القائم)."""
    place, words, name = places()[place_id], _around(), " ".join(text[hit.start : hit.end].split())
    before = _PART.split(text[max(0, hit.start - _NEAR) : hit.start])[-1].split()
    after = (_PART.split(text[hit.end : hit.end + _NEAR])[0].split() or [""])[0]
    first, last = ["", "", *before][-2:]
    visited = not words["visits"].isdisjoint(before[-6:])
    bears = {f"{first} {last}", last, last.lstrip("وف"), re.sub("^[وف]?[بكل]", "", last)} & words["named"]
    local = bears <= words["local"] and place_id in named("syria") | named("iraq")
    called = bears and not local and after not in words["civic"]
    titled, given = last in words["titles"], last in words["given"] and first not in words["given"]
    person = (titled and after in words["given"]) or (not visited and (titled or given))
    noun = any(form in place.doubtful and form.startswith("ال") for form in (name, *stripped(name)))
    described = re.fullmatch(r"ال\w+[يه]", after) and after not in words["describes"]
    describes = re.match(r"[وف]?ال\w{3}", last) and not visited and last not in words["describes"]
    return bool((name in place.bare and (called or person or (noun and describes))) or (noun and described))


@cache
def named(name: str) -> frozenset[str]:
    """Ids of the places meant by an id, an Arabic spelling or an English name, with article and kind (مخيم الهول, Homs
    city) or without, and of all that lies in them. Raises ValueError, which tells the nearest."""
    exact, loose = dict[str, set[str]](), dict[str, set[str]]()
    for place in places().values():
        for spelling in (*place.names, place.name_en, place.id):
            exact.setdefault(_plain(spelling), set()).add(place.id)
            loose.setdefault(_core(spelling), set()).add(place.id)
    kinds = [_kinds()[word] for word in _plain(name).split() if word in _kinds()]
    likely = {place for place in loose.get(_core(name), ()) if all(places()[place].kind in known for known in kinds)}
    found = exact.get(_plain(name), likely)
    if not found:
        near = [places()[min(loose[core])] for core in get_close_matches(_core(name), loose, 1, _LIKE)]
        meant = f" (did you mean {near[0].name_ar!r}, {near[0].name_en!r}?)" if near else ""
        raise ValueError(f"places: there is no place {name!r}{meant}; the archive's table `places` lists them")
    while more := {place.id for place in places().values() if place.lies_in in found} - found:
        found |= more
    return frozenset(found)


def _plain(name: str) -> str:
    return " ".join(WORD.findall(normalise(name)))


def _core(name: str) -> str:
    """A name without articles and what tells its kind, if more is left."""
    words = [word.removeprefix("ال") for word in _plain(name).split() if word not in ("al", *_kinds())]
    return " ".join(words) or _plain(name)


@cache
def _kinds() -> dict[str, set[str]]:
    """The kinds of places that a word before or behind a name may mean."""
    found: dict[str, set[str]] = {}
    for kind, heads in _data()["heads"].items():
        for head in (*map(normalise, heads), kind):
            found.setdefault(head, set()).add(kind)
    return found


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(GAZETTEER.read_text("utf-8"))


@cache
def _around() -> dict[str, frozenset[str]]:
    """The lists of words beside a name."""
    return {name: frozenset(map(normalise, forms)) for name, forms in _data()["around"].items()}


@cache
def _rules() -> RuleSet:
    """The gazetteer as a rule set: each place is a term of the group `place`, each list of words one of its own."""
    data = _data()
    known = {place.id for place in places().values()}
    areas: dict[str, list[str]] = {}
    for place in places().values():
        if place.lies_in:
            areas.setdefault(f"area {place.lies_in}", [place.lies_in]).append(place.id)
    terms = {f"words {name}": {"forms": forms} for name, forms in data["words"].items()}
    for raw in data["place"]:
        names, sure = [raw["name_ar"], *raw.get("spellings", ())], raw.get("sure", [])
        term = {"group": "place", "forms": names, "mask": raw.get("not", ())}
        if "needs" in raw:
            term["forms"] = [*sure, f"{{{'|'.join(data['heads'][raw['kind']])}}} {{{'|'.join(names)}}}"]
            company = [f"area {raw['in']}" if need == "area" else need if need in known else f"words {need}"
                       for need in raw["needs"]]  # fmt: skip
            if company:
                term |= {"short": names, "company": company, "within": raw.get("near", "sentence")}
        terms[raw["id"]] = term
    everywhere = {"places": {"mention": ["place"], "threshold": 1}}
    return compile_rules({"term": terms, "groups": areas, "topic": everywhere}, str(GAZETTEER))

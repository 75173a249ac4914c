"""The places a text names, read from places.toml and found as the terms of topics are.                  [pure]"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from archive.arabic.normalise import normalise
from archive.errors import meant
from archive.matching import scan
from archive.models import Passage
from archive.rules import RuleSet, compile_rules
from archive.topics import Original

GAZETTEER = Path(__file__).with_name("places.toml")


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


@cache
def places() -> dict[str, Place]:
    """Every place, by id."""
    found = {}
    for raw in _data()["place"]:
        names = (raw["name_ar"], *raw.get("spellings", ()), *raw.get("sure", ()))
        shown = (raw["id"], raw["name_ar"], raw["name_en"], raw["kind"], raw.get("lat"), raw.get("lon"))
        found[raw["id"]] = Place(*shown, raw.get("in"), names)
    return found


def read_places(title: str, text: str) -> list[Passage]:
    """The places an article names, in the order of its words; `term` is the id. Takes any text and never raises.

    >>> [(p.term, p.start, p.end) for p in read_places("", "وصلوا إلى القامشلي عبر مدينة الباب")]
    [('qamishli', 10, 18), ('al-bab', 23, 34)]
    """
    rules = _rules()
    original = Original(rules, title, text)
    return [original.passage(hit) for hit in scan(rules, title, text).hits if rules.terms[hit.term].group == "place"]


@cache
def named(name: str) -> frozenset[str]:
    """Ids of the places meant by an id, an Arabic spelling or an English name, with all that lies in them. Raises
    ValueError, which tells the nearest."""
    known: dict[str, set[str]] = {}
    for place in places().values():
        for spelling in (place.id, place.name_en, *place.names):
            known.setdefault(_plain(spelling), set()).add(place.id)
    if _plain(name) not in known:
        raise ValueError(f"places: there is no place {name!r}{meant(_plain(name), known)}")
    found = known[_plain(name)]
    while more := {place.id for place in places().values() if place.lies_in in found} - found:
        found |= more
    return frozenset(found)


def _plain(name: str) -> str:
    return " ".join(normalise(name).split())


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(GAZETTEER.read_text("utf-8"))


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

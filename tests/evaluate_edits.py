"""How well edits are told: from none, and those that matter from the rest. Labels in edits.toml, edit_families.toml."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from archive.materiality import Edit, edits
from archive.noise import changes
from archive.topics import shipped_rules
from archive.versions import same_words

LABELLED = Path(__file__).parent / "edits.toml"
REST = ("typo", "wording", *(f"wording_{again}" for again in ("again", "passage", "reports", "more")))
FAMILIES = tomllib.loads(LABELLED.with_name("edit_families.toml").read_text("utf-8"))


def pairs() -> Iterator[tuple[dict[str, Any], tuple[str, str], tuple[str, str]]]:
    """Each labelled edit as (its entry, (title, text) before, (title, text) after)."""
    data = tomllib.loads(LABELLED.read_text("utf-8"))
    for entry in data["edit"]:
        sides = []
        for text in (entry["before"], entry["after"]):
            field = entry.get("field", "paragraph")
            title = text if field == "title" else data["title"]
            body = text if field == "text" else data["frame"].format("" if field == "title" else text)
            sides.append((title, "\n".join(line for line in body.split("\n") if line)))
        yield entry, sides[0], sides[1]


def judged(old: tuple[str, str], new: tuple[str, str]) -> list[Edit]:
    """Every edit of title and text."""
    rules = shipped_rules()
    return [edit for a, b, pieces in zip(old, new, changes(old, new), strict=True)
            for edit in edits("text", a, b, pieces, rules)]  # fmt: skip


def evaluate(*, verbose: bool = False) -> dict[str, float]:
    """F1 of what is material; the share of non-edits that would make a version, and of edits that would make none."""
    right = wrong = missed = versions = silent = none = real = reasons = 0
    for entry, old, new in pairs():
        found = judged(old, new)
        said = {reason for edit in found for reason in edit.reasons}
        material = entry["label"] == "material"
        right, wrong = right + (material and bool(said)), wrong + (not material and bool(said))
        missed += material and not said
        reasons += material and entry["why"] in said
        none, versions = none + (entry["label"] == "none"), versions + (entry["label"] == "none" and bool(found))
        real, silent = real + (entry["label"] != "none"), silent + (entry["label"] != "none" and not found)
        if verbose and (material != bool(said) or (entry["label"] == "none") == bool(found)):
            print(entry["label"], entry.get("why", ""), "->", [(e.op, e.kind, e.reasons, e.passage) for e in found])
            print("  ", entry["before"], "\n  ", entry["after"])
    scores = families(verbose=verbose) | {
        "material_f1": 2 * right / (2 * right + wrong + missed),
        "reason": reasons / (right + missed),
        "versions_of_none": versions / none,
        "no_version": silent / real,
    }
    print("edits:", ", ".join(f"{name} {score:.3f}" for name, score in scores.items()))
    return scores


def families(*, verbose: bool = False) -> dict[str, float]:
    """The share of what sites change that makes a version, of what outlets change that makes none, by turns the one
    way round and the other; F1 of what is material among pairs of sentences."""
    title, text = FAMILIES["title"], FAMILIES["text"].strip()
    wrong, all_ = Counter[object](), Counter[object]()
    for what in ("noise", "news"):
        forms = [(place, form) for family in FAMILIES[what].values() for place, few in family.items() for form in few]
        for number, (place, form) in enumerate(forms):
            changed = put(title, text, place, filled(form, number))
            sides = [(title, text), changed][:: 1 if number % 2 else -1]
            failed = same_words(sides[0], sides[1]) == (what == "news")
            all_[what], wrong[what] = all_[what] + 1, wrong[what] + failed
            if verbose and failed:
                print(what, place, form)
    for why, pairs in FAMILIES["pairs"].items():
        for before, after in pairs:
            sides = [(title, f"{text}\n{sentence}") for sentence in (before, after)]
            said = any(edit.reasons for edit in judged(sides[0], sides[1]))
            all_["material", said] += why not in REST
            all_["rest", said] += why in REST
            if verbose and said == (why in REST):
                print(why, before, after)
    right, missed, false = all_["material", True], all_["material", False], all_["rest", True]
    return {
        "families_versioned": wrong["noise"] / all_["noise"],
        "families_silent": wrong["news"] / all_["news"],
        "families_material_f1": 2 * right / (2 * right + missed + false),
    }


def filled(form: str, number: int) -> str:
    """A form with names of its own."""
    names = {
        "C": [FAMILIES["city"]],
        "X": [FAMILIES["section"]],
        "T": [FAMILIES["title"]],
        "S": FAMILIES["sites"],
        "N": FAMILIES["writers"],
    }
    names |= {"O": FAMILIES["others"], "P": FAMILIES["others"][::-1]}
    for mark, among in names.items():
        form = form.replace(f"{{{mark}}}", among[number % len(among)])
    return form


def put(title: str, text: str, place: str, form: str) -> tuple[str, str]:
    """A title and a text with a form at its place."""
    lines = text.split("\n")
    places = {
        "title_start": (form + title, text), "title_end": (title + form, text), "first": (title, f"{form}\n{text}"),
        "last": (title, f"{text}\n{form}"), "within": (title, "\n".join([*lines[:2], form, *lines[2:]])),
        "start": (title, form + text), "end": (title, text + form),
        "middle": (title, "\n".join([lines[0], lines[1] + form, *lines[2:]])),
    }  # fmt: skip
    return places[place]


if __name__ == "__main__":
    evaluate(verbose=True)

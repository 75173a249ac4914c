"""How well edits are told: from none, and those that matter from the rest. Labels in edits.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from archive.materiality import Edit, edits
from archive.noise import changes
from archive.topics import shipped_rules

LABELLED = Path(__file__).parent / "edits.toml"


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
    scores = {
        "material_f1": 2 * right / (2 * right + wrong + missed),
        "reason": reasons / (right + missed),
        "versions_of_none": versions / none,
        "no_version": silent / real,
    }
    print("edits:", ", ".join(f"{name} {score:.3f}" for name, score in scores.items()))
    return scores


if __name__ == "__main__":
    evaluate(verbose=True)

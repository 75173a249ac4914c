"""Scores of the shipped topic rules on labelled articles: precision, recall, F1 per topic, with 95 % intervals.

`python -m tests.evaluate_topics [FILE] [--errors]`; FILE holds one `{id, title, text, <topic>: bool ..., hard}` a line.
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path
from typing import Any

from archive.rules import RuleSet
from archive.topics import explain, judge, shipped_rules

DEV = Path(__file__).resolve().parents[2] / "shared" / "eval" / "topics-dev.jsonl"
_RESAMPLES = 1000


def evaluate(path: Path = DEV) -> dict[str, float]:
    """Prints the table; returns what floors are set for: `macro_f1`, `macro_f1_easy` (without the articles two editors
    could differ on), `false_per_100`, and `<topic>_precision`, `_recall`, `_f1`."""
    scores = measure(path)
    print(table(scores))
    flat = {
        "macro_f1": scores["macro"]["f1"],
        "macro_f1_easy": scores["macro"]["easy_f1"],
        "false_per_100": scores["false_per_100"],
    }
    for name, one in scores["topics"].items():
        flat |= {f"{name}_{kind}": one[kind] for kind in ("precision", "recall", "f1")}
    return flat


def measure(path: Path = DEV, rules: RuleSet | None = None) -> dict[str, Any]:
    """`{"topics": {name: {precision, recall, f1, low, high, tp, fp, fn}}, "macro": {f1, low, high, easy_f1},
    "false_per_100", "articles", "hard", "kb_per_s", "wrong": [...]}`; `low` and `high` bound F1 by bootstrap.
    `false_per_100`: articles on no topic that are judged substantive on any, in a hundred such articles."""
    rules = rules or shipped_rules()
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    start = time.perf_counter()
    found = [
        {match.topic for match in judge(rules, row["title"], row["text"]).matches if match.strength == "substantive"}
        for row in rows
    ]
    seconds = time.perf_counter() - start
    random_source = random.Random(1)  # resampling, no secret
    samples = [random_source.choices(range(len(rows)), k=len(rows)) for _ in range(_RESAMPLES)]
    easy = [at for at, row in enumerate(rows) if not row["hard"]]
    topics: dict[str, Any] = {}
    draws = []
    for topic in rules.topics:
        pairs = [(bool(row[topic]), topic in got) for row, got in zip(rows, found, strict=True)]
        drawn = [_f1([pairs[at] for at in sample]) for sample in samples]
        draws.append(drawn)
        tp, fp, fn = _counts(pairs)
        topics[topic] = {
            "precision": tp / (tp + fp) if tp + fp else 0.0,
            "recall": tp / (tp + fn) if tp + fn else 0.0,
            "f1": _f1(pairs),
            "easy_f1": _f1([pairs[at] for at in easy]),
            **_interval(drawn),
            "tp": tp,
            "fp": fp,
            "fn": fn,
        }
    off = [at for at, row in enumerate(rows) if not any(row[topic] for topic in rules.topics)]
    return {
        "topics": topics,
        "macro": {
            "f1": sum(one["f1"] for one in topics.values()) / len(topics),
            "easy_f1": sum(one["easy_f1"] for one in topics.values()) / len(topics),
            **_interval([sum(f1s) / len(f1s) for f1s in zip(*draws, strict=True)]),
        },
        "false_per_100": 100 * sum(bool(found[at]) for at in off) / len(off) if off else 0.0,
        "articles": len(rows),
        "hard": len(rows) - len(easy),
        "kb_per_s": sum(len((row["title"] + row["text"]).encode()) for row in rows) / 1024 / seconds,
        "wrong": [
            {"id": row["id"], "topic": topic, "expected": bool(row[topic]), "hard": row["hard"], "title": row["title"]}
            for row, got in zip(rows, found, strict=True)
            for topic in rules.topics
            if bool(row[topic]) != (topic in got)
        ],
    }


def _counts(pairs: list[tuple[bool, bool]]) -> tuple[int, int, int]:
    """True positives, false positives, false negatives of (expected, found) pairs."""
    return pairs.count((True, True)), pairs.count((False, True)), pairs.count((True, False))


def _f1(pairs: list[tuple[bool, bool]]) -> float:
    tp, fp, fn = _counts(pairs)
    return 2 * tp / (2 * tp + fp + fn) if tp else 0.0


def _interval(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {"low": ordered[int(0.025 * len(ordered))], "high": ordered[int(0.975 * len(ordered))]}


def table(scores: dict[str, Any]) -> str:
    """The scores as lines for a terminal."""
    lines = [f"{'topic':16} precision recall   F1    95 %         without hard"]
    for name, one in scores["topics"].items():
        lines.append(
            f"{name:16}   {one['precision']:.3f}   {one['recall']:.3f}  {one['f1']:.3f}  "
            f"{one['low']:.2f} to {one['high']:.2f}  {one['easy_f1']:.3f}   "
            f"({one['tp']} right, {one['fp']} false, {one['fn']} missed)"
        )
    macro = scores["macro"]
    lines.append(
        f"{'macro':16}                    {macro['f1']:.3f}  {macro['low']:.2f} to {macro['high']:.2f}  "
        f"{macro['easy_f1']:.3f}"
    )
    lines.append(
        f"{scores['articles']} articles, {scores['hard']} hard; false on off-topic articles: "
        f"{scores['false_per_100']:.1f} in 100; {scores['kb_per_s']:.0f} KB/s"
    )
    return "\n".join(lines)


def main() -> None:
    """Prints the table, and with --errors every wrong verdict with its reasons."""
    paths = [Path(one) for one in sys.argv[1:] if not one.startswith("-")]
    path = paths[0] if paths else DEV
    scores = measure(path)
    print(table(scores))
    if "--errors" in sys.argv:
        rows = {row["id"]: row for row in map(json.loads, path.read_text("utf-8").splitlines())}
        for wrong in scores["wrong"]:
            row = rows[wrong["id"]]
            print(f"\n## {wrong}\n{row['text'][:300]}")
            why = explain(shipped_rules(), row["title"], row["text"])
            for one in why.topics:
                if one.topic == wrong["topic"]:
                    print(one.verdict)
                    for reason in one.reasons:
                        print("   ", reason.points, reason.why, [p.surface for p in reason.passages][:12])


if __name__ == "__main__":
    main()

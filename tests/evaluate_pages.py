"""Scores of extraction on labelled pages: body, furniture left, headline, date, author, articles told from others.

`python -m tests.evaluate_pages [DIR]`; DIR holds `<id>.html.gz` and `expected.jsonl`. Bytes are fed, not decoded text.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from archive.errors import ExtractionError
from archive.models import Article, Page
from archive.topics import judge, shipped_rules
from crawler.extract import extract

DEV = Path(__file__).resolve().parents[2] / "shared" / "eval" / "pages"
_AT = "2026-11-22T00:00:00Z"


def evaluate(path: Path = DEV) -> dict[str, float]:
    """Prints the table; returns shares between 0 and 1: `body_mean`, `body_worst` (F1 of words), `leak` (pages with a
    furniture line left in), `title`, `day`, `minute`, `author` (of the pages that label it), `accepted` (non-articles
    taken for articles or not told apart), `refused` (articles not taken); `ms` and `judging_ms` for a page."""
    rows = [json.loads(line) for line in (path / "expected.jsonl").read_text("utf-8").splitlines()]
    rules, results = shipped_rules(), []
    extract(_page(path, rows[0]))  # what is loaded once is no page's cost
    start = time.perf_counter()
    for row in rows:
        try:
            results.append((row, extract(_page(path, row))))
        except ExtractionError:
            results.append((row, None))
    read = time.perf_counter()
    for _, article in results:
        if article:
            judge(rules, article.title, article.text)
    scores = _scores(results)
    scores["ms"] = 1000 * (read - start) / len(rows)
    scores["judging_ms"] = 1000 * (time.perf_counter() - read) / len(rows)
    print(f"{len(rows)} pages, {sum(row['is_article'] for row in rows)} of them articles")
    for name, score in scores.items():
        print(f"  {name:12} {score:8.3f}")
    return scores


def _page(path: Path, row: dict[str, Any]) -> Page:
    body = gzip.decompress((path / f"{row['id']}.html.gz").read_bytes())
    return Page(row["url"], row["url"], _AT, 200, (("Content-Type", "text/html"),), body)


def _scores(results: list[tuple[dict[str, Any], Article | None]]) -> dict[str, float]:
    told = [(row, article) for row, article in results if row["is_article"]]
    bodies, found = [], Counter[str]()
    asked = Counter({"leak": len(told), "title": len(told), "refused": len(told)})
    for row, article in told:
        name, text = row["id"], article.text if article else ""
        bodies.append(_f1(text, "\n".join(row["paragraphs"])))
        left = [line for line in row["must_not_contain"] if line in text.split("\n")]
        found["leak"] += bool(left)
        found["refused"] += not article or article.is_article is not True
        found["title"] += bool(article) and article.title == row["title"]
        date = (article.published_at if article else None) or ""
        wanted = row.get("date")
        for key, length in (("day", 10), ("minute", 16)):
            if wanted and len(wanted) >= length:
                asked[key] += 1
                found[key] += date[:length] == wanted[:length]
        if "author" in row:
            asked["author"] += 1
            found["author"] += bool(article) and article.author == row["author"]
        if left or bodies[-1] < 0.97:
            print(f"  {name}: body {bodies[-1]:.3f}, left: {left}")
    others = [article for row, article in results if not row["is_article"]]
    asked["accepted"], found["accepted"] = len(others), sum(bool(one and one.is_article is not False) for one in others)
    shares = {key: found[key] / asked[key] for key in asked if asked[key]}
    return {"body_mean": sum(bodies) / len(bodies), "body_worst": min(bodies), **shares}


def _f1(got: str, wanted: str) -> float:
    """F1 over the words of both texts, each as often as it occurs."""
    have, want = Counter(re.findall(r"\w+", got)), Counter(re.findall(r"\w+", wanted))
    both = 2 * sum((have & want).values())
    return both / (sum(have.values()) + sum(want.values())) if both else 0.0


if __name__ == "__main__":
    evaluate(Path(sys.argv[1]) if len(sys.argv) > 1 else DEV)

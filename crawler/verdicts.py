"""`rasid topics test`: what the rules say of a text, a page, many of them, or of what editors labelled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from archive.errors import UsageError
from archive.labels import labelled
from archive.reading import open_archive
from archive.rules import RuleSet
from archive.times import stamp, utc_now
from archive.topics import Explanation, explain, judge
from crawler.config import Config
from crawler.imports import MEDIA, page_of, read


def one(rules: RuleSet, source: str, piped: bytes | None) -> Explanation:
    """Explain the judgement of `piped` text in UTF-8, or of the file `source`. Title: the first line."""
    if piped is not None:
        title, _, text = piped.decode("utf-8-sig", "replace").strip().partition("\n")
        return explain(rules, title, text.strip())
    path = Path(source)
    if not path.is_file():
        raise UsageError(f"{source}: is no file; name a text or HTML file, or - for standard input")
    if path.suffix.lower() not in MEDIA:
        return one(rules, "-", path.read_bytes())
    from crawler.worker import Worker

    with closing(Worker(rules)) as worker:
        article, _ = read(worker, page_of(path, stamp(utc_now())), path)
    return explain(rules, article.title, article.text)


def many(rules: RuleSet, file: Path) -> Iterator[dict[str, Any]]:
    """Judge each {id, title, text} line; yields {id, topics: {name: {strength, score, passages}}}."""
    with file.open(encoding="utf-8-sig", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                title, text = row.get("title") or "", row["text"]
                if not (isinstance(title, str) and isinstance(text, str)):
                    raise ValueError
            except (ValueError, KeyError, AttributeError, RecursionError) as error:
                mend = "write {id, title, text}"
                raise UsageError(f"{file}:{number}: not a JSON object with a text; {mend}") from error
            topics = {
                match.topic: {"strength": match.strength, "score": round(match.score, 4), "passages": match.passages}
                for match in judge(rules, title, text).matches
            }
            yield {"id": row.get("id"), "topics": topics}


def differing(config: Config) -> dict[str, Any]:
    """{labels: how many there are, differing: those the rules of `config` judge otherwise} of its archive."""
    with open_archive(config.archive) as archive:
        found = list(labelled(archive, config.rules))
    return {"labels": len(found), "differing": [one for one in found if not one.agrees]}

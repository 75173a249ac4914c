"""Story links on the labelled articles of tests/stories.toml and the five seeds, saved into an archive one by one."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from archive.frontier import OutletRow, sync_outlets
from archive.models import Article, Page
from archive.store import save
from crawler.process import process
from tests.archive_kit import RULES, Kit, page, shot

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Labelled:
    """An article, and the happening it tells."""

    id: str
    story: str
    half: str
    outlet: str | None
    at: str
    title: str
    text: str
    published_at: str | None = None
    credit: str | None = None


def labelled(*halves: str) -> list[Labelled]:
    """The articles of tests/stories.toml, of these halves or of both."""
    found = []
    for affair in tomllib.loads((HERE / "stories.toml").read_text("utf-8"))["affair"]:
        known: dict[str, Labelled] = {}
        for entry in affair["article"]:
            base = known.get(entry.get("like", ""))
            title, text = (base.title, base.text) if base else (entry["title"], entry["text"].strip())
            kept = [line for at, line in enumerate(text.split("\n")) if at not in entry.get("drop", ())]
            text = "\n".join(kept)
            for old, new in entry.get("swap", ()):
                title, text = title.replace(old, new), text.replace(old, new)
            lines = [entry.get("before"), text, entry.get("after")]
            one = Labelled(
                entry["id"], entry["story"], affair["half"], entry["outlet"], entry["at"], entry.get("title", title),
                "\n".join(filter(None, lines)),
            )  # fmt: skip
            known[one.id] = one
            found.append(one)
    return [one for one in found if not halves or one.half in halves]


def seeds() -> list[Labelled]:
    """The five documents: 000 and 001 are one story."""
    found = []
    for number, file in enumerate(sorted((HERE.parent / "seeds").glob("*.txt"))):
        source = Page(f"urn:{number}", f"urn:{number}", "2026-02-10T08:00:00Z", 200, (), file.read_bytes())
        read = process(replace(source, headers=(("Content-Type", "text/plain"),)), RULES)[0]
        told = f"seed{max(1, number)}"
        found.append(
            Labelled(f"seed{number}", told, "seeds", None, source.at, read.title, read.text, read.published_at)
        )
    return found


def keep(kit: Kit, articles: Iterable[Labelled]) -> dict[int, Labelled]:
    """Save articles as an import does, in the order given; by the ids they got."""
    articles = list(articles)
    outlets = sorted({one.outlet for one in articles if one.outlet})
    rows = [OutletRow(id_, id_, id_, "website", "SY", f"https://{id_}.example", "UTC") for id_ in outlets]
    kit.do(lambda tx: sync_outlets(tx, rows))
    kit.clock.at = "2026-04-01T00:00:00Z"
    ids = {}
    for one in articles:
        article = Article(one.title, one.text, published_at=one.published_at, credit=one.credit, extractor="test 1")
        look = page(f"https://{one.outlet or 'seed'}.example/{one.id}", one.at, one.id)
        snapshot = shot(article, look, outlet_id=one.outlet, keep=True)
        ids[kit.do(lambda tx, snapshot=snapshot: save(tx, snapshot)).article_id] = one
    return ids


def pairs(kit: Kit, ids: dict[int, Labelled]) -> tuple[set[frozenset[str]], set[frozenset[str]]]:
    """Pairs of articles in one story: as found, and as labelled."""
    stories = dict(kit.rows("SELECT article_id, story_id FROM story_articles"))
    both = list(combinations(ids, 2))
    found = {frozenset((ids[a].id, ids[b].id)) for a, b in both if a in stories and stories[a] == stories.get(b)}
    return found, {frozenset((ids[a].id, ids[b].id)) for a, b in both if ids[a].story == ids[b].story}


def evaluate() -> dict[str, float]:
    """Pairwise precision and recall: of "tune" and "fresh", which the rules were tuned on, of the held half, of all."""
    scores = {}
    for name, halves in {"tune": ("tune",), "fresh": ("fresh",), "held": ("held",), "all": ()}.items():
        with tempfile.TemporaryDirectory() as directory:
            kit = Kit(Path(directory))
            ids = keep(kit, [*labelled(*halves), *seeds()])
            found, true = pairs(kit, ids)
            kit.writer.close()
        scores[f"{name}_precision"] = len(found & true) / max(1, len(found))
        scores[f"{name}_recall"] = len(found & true) / len(true)
        for pair in sorted(map(sorted, found ^ true)):
            print(f"{name}: {' and '.join(pair)} {'are linked' if frozenset(pair) in found else 'are not linked'}")
    return scores

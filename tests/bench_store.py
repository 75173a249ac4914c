"""How the archive holds up as it grows: the same work on a small archive and on one of a million versions.

    python -m tests.bench_store [VERSIONS] [--small 10000] [--dir DIR] [--keep]

Both archives are made here by plain inserts: Arabic words in the frequencies of a language, 70 outlets, seven articles
in ten versions, an event, a ledger row, a judgement, matches and passages for each version, and a real index. What is
timed is the product's own code: saves through the writer, then every read a user waits for, each after one warm run.
Prints a table in Markdown (docs/benchmarks.md) and ends with 1 when a bound is not kept. Ratios hold from machine to
machine, milliseconds do not.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from archive import open_archive
from archive.arabic.normalise import normalise
from archive.desk.server import open_desk
from archive.migrations import migrate
from archive.models import Article
from archive.sqlite import Connection, connect_write
from archive.store import save
from archive.times import later, moment
from archive.topics import shipped_rules
from archive.transaction import Policy
from archive.writer import Writer
from tests.archive_kit import ON_TOPIC, page, shot

SAVES = 200
SAVE_RATIO = 2.0  # a save may take so many times what it takes in the small archive
READ_MS = 100.0
UNBOUND = ("desk: edited", "bytes per version")  # fifty diffs, made when asked for
OUTLETS = 70
START = "2023-01-01T00:00:00Z"
TOPICS = (("syria", 1), ("sdf", 4), ("isis_detainees", 11))  # and which of the versions are on them: every ...
COMMON, RARE = "سوريا", "الهول"


def sentences(chance: random.Random, how_many: int = 20_000) -> list[str]:
    """Sentences of words as frequent as words are; one in four names Syria, one in two hundred a camp."""
    letters = "ابتثجحخدذرزسشصضطظعغفقكلمنهويةى"
    words = ["".join(chance.choices(letters, k=chance.randint(3, 8))) for _ in range(60_000)]
    weights = [1 / (rank + 2) for rank in range(len(words))]
    drawn = iter(chance.choices(words, weights, k=how_many * 14))
    made = []
    for _ in range(how_many):
        some = [next(drawn) for _ in range(14)]
        some += chance.choices(["", COMMON, "لسوريا", RARE], [150, 40, 10, 1])
        made.append(" ".join(word for word in some if word) + ".")
    return made


def build(archive: Path, versions: int, seed: int = 1) -> None:
    """An archive of so many versions, as years of service would leave it; its WARC files alone are missing."""
    chance = random.Random(seed)
    told = sentences(chance)
    folded = [normalise(one) for one in told]
    db = connect_write(archive)
    migrate(db, archive)
    db.execute("PRAGMA synchronous=OFF")
    db.execute("PRAGMA cache_size=-400000")
    many = db.conn.executemany
    db.execute("BEGIN IMMEDIATE")
    rules = shipped_rules()
    db.execute("INSERT INTO rule_sets VALUES (1, ?, ?, ?)", (rules.sha256, rules.toml, START))
    many("INSERT INTO outlets (id, name_ar, name_en, kind) VALUES (?, ?, ?, 'agency')",
         [(f"o{n}", f"منبر {n}", f"Outlet {n}") for n in range(OUTLETS)])  # fmt: skip
    many("INSERT INTO sources (outlet_id, kind, url, next_at, first_read_at) VALUES (?, 'feed', ?, ?, ?)",
         [(f"o{n}", f"https://o{n}.example/feed", START, START) for n in range(OUTLETS)])  # fmt: skip
    articles, step = versions * 7 // 10, 3 * 365 * 86400 / versions
    for first in range(1, versions + 1, 50_000):
        rows = range(first, min(first + 50_000, versions + 1))
        kept = [n for n in rows if n <= articles]
        at = {n: later(START, n * step) for n in rows}
        many("INSERT INTO articles (id, outlet_id, url, first_seen_at, last_checked_at, next_check_at, status, gone_at)"
             " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
             [(n, f"o{n % OUTLETS}", f"https://o{n % OUTLETS}.example/{n}", at[n], at[n], None if n % 20 else "2027",
               *(("gone", at[n]) if n % 500 == 0 else ("live", None))) for n in kept])  # fmt: skip
        many("INSERT INTO addresses VALUES (?, ?, 'canonical')",
             [(f"https://o{n % OUTLETS}.example/{n}", n) for n in kept])  # fmt: skip
        texts = {n: chance.choices(range(len(told)), k=chance.randint(4, 16)) for n in rows}
        article = {n: n if n <= articles else chance.randint(1, articles) for n in rows}
        many("INSERT INTO captures (id, article_id, url, at, http_status, series, file, offset, length, record_sha256, "
             "payload_sha256) VALUES (?, ?, ?, ?, 200, 'kept', ?, ?, 9000, ?, ?)",
             [(n, article[n], f"https://o{n % OUTLETS}.example/{n}", at[n], f"kept-{at[n][:10]}-00.warc.gz", n * 9000,
               "0" * 64, "0" * 64) for n in rows])  # fmt: skip
        many("INSERT INTO versions (id, article_id, capture_id, captured_at, title, text, published_at, language, "
             "extractor, text_sha256) VALUES (?, ?, ?, ?, ?, ?, ?, 'ar', 'bench 1', ?)",
             [(n, article[n], n, at[n], told[texts[n][0]], "\n".join(told[i] for i in texts[n]),
               at[n][:10] if n % 3 else None, hashlib.sha256(b"%d" % n).hexdigest()) for n in rows])  # fmt: skip
        many("INSERT INTO ledger VALUES (?, ?, ?, ?)", [(n, n, "0" * 64, "0" * 64) for n in rows])
        many("INSERT INTO judgements VALUES (?, 1, ?)", [(n, at[n]) for n in rows])
        topics = [(n, topic, "substantive" if n % 2 else "passing")
                  for n in rows for topic, every in TOPICS if n % every == 0]  # fmt: skip
        many("INSERT INTO matches VALUES (?, ?, 1, ?, 4.0)", topics)
        many("INSERT INTO passages VALUES (?, ?, 'text', 0, 4, 'term', 'كلمة')", [(n, topic) for n, topic, _ in topics])
        many("INSERT INTO events (at, kind, article_id, version_id, backlog) VALUES (?, ?, ?, ?, 0)",
             [(at[n], "new" if n <= articles else "edited", article[n], n) for n in rows])  # fmt: skip
        many("INSERT INTO fetches (outlet_id, article_id, url, at, status, outcome) VALUES (?, ?, ?, ?, 200, ?)",
             [(f"o{n % OUTLETS}", article[n], f"https://o{n % OUTLETS}.example/{n}", at[n],
               "outage" if n % 50 == 0 else "ok") for n in rows])  # fmt: skip
        many("INSERT INTO crawls (outlet_id, started_at, finished_at, outcome) VALUES (?, ?, ?, 'ok')",
             [(f"o{n % OUTLETS}", at[n], at[n]) for n in rows])  # fmt: skip
        many("UPDATE articles SET latest_version_id = ? WHERE id = ?", [(n, article[n]) for n in rows])
        many("INSERT OR REPLACE INTO articles_fts (rowid, title, text) VALUES (?, ?, ?)",
             [(article[n], folded[texts[n][0]], "\n".join(folded[i] for i in texts[n])) for n in rows])  # fmt: skip
        link(db, chance, {n: at[n] for n in kept})
        many("INSERT OR IGNORE INTO coverage (outlet_id, hour, looks, ok) VALUES (?, ?, 1, 1)",
             [(f"o{n % OUTLETS}", f"{at[n][:13]}:00:00Z") for n in rows])  # fmt: skip
        db.execute("COMMIT")
        db.execute("BEGIN IMMEDIATE")
        print(f"\r{rows[-1]} versions", end="", file=sys.stderr, flush=True)
    db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    print(file=sys.stderr)


def link(db: Connection, chance: random.Random, articles: dict[int, str]) -> None:
    """What stories are found by: as many numbers as an article has, by chance, the words as frequent as words."""
    rows = [(chance.getrandbits(32), n) for n in articles for _ in range(16)]
    db.conn.executemany("INSERT OR IGNORE INTO story_bands VALUES (?, ?)", sorted(rows))
    drawn = iter(chance.choices(range(60_000), [1 / (rank + 50) for rank in range(60_000)], k=40 * len(articles)))
    days = {n: moment(at).toordinal() - 719163 for n, at in articles.items()}
    rows = [(day, next(drawn), n) for n, day in days.items() for _ in range(40)]
    db.conn.executemany("INSERT OR IGNORE INTO story_terms VALUES (?, ?, ?)", sorted(rows))


def milliseconds(work: Callable[[], object], times: int = 9) -> float:
    """Processor time of a run, the least of a few, after one that warms up: a busy machine makes no difference."""
    work()
    spent = []
    for _ in range(times):
        begun = time.process_time()
        work()
        spent.append((time.process_time() - begun) * 1000)
    return min(spent)


def saves(archive: Path) -> dict[str, float]:
    """The median of saves, new articles and edits by turns, in milliseconds: waited for, and processor time."""
    policy, spent, run = Policy((3600.0, 86400.0), 3600.0, shipped_rules()), [], time.time_ns()
    told = sentences(random.Random(run), 2 * SAVES)
    with Writer(archive, policy) as writer:
        crawl = writer.submit(
            lambda tx: tx.db.execute("INSERT INTO crawls (outlet_id, started_at) VALUES ('o1', ?)", (START,)).lastrowid
        ).result()
        for number in range(SAVES):
            text = f"{ON_TOPIC.text}\n{told[number]}\n{told[-1 - number // 2]}"
            look = page(f"https://o1.example/{run}/{number // 2}", f"2027-01-01T{number // 60:02}:{number % 60:02}:00Z")
            snapshot = shot(Article(ON_TOPIC.title, text, extractor="bench 1"), look, outlet_id="o1", crawl_id=crawl)
            begun = time.perf_counter(), time.process_time()
            became = writer.submit(lambda tx, shot=snapshot: save(tx, shot)).result()
            assert became.kind != "unchanged", (number, became)
            spent.append((time.perf_counter() - begun[0], time.process_time() - begun[1]))
    waited, worked = (1000 * median(times) for times in zip(*spent[SAVES // 10 :], strict=True))
    return {"save, waited for": waited, "save, processor": worked}


def reads(archive: Path) -> Iterator[tuple[str, float]]:
    """Everything a user waits for, and how long that is, in milliseconds."""
    yield "open", milliseconds(lambda: open_archive(archive).close())
    with open_archive(archive) as opened:
        known = opened.query("SELECT max(id) AS id FROM articles")[0]["id"]
        kinds: dict[str, Callable[[], Any]] = {
            "search, a word in most articles": lambda: opened.search(COMMON),
            "search, a rare word": lambda: opened.search(RARE),
            "search, two words": lambda: opened.search(f"{COMMON} {RARE}"),
            "search, a word since a day": lambda: opened.search(COMMON, since="2025-12-20"),
            "latest, one page": lambda: opened.query("SELECT * FROM latest ORDER BY article_id DESC LIMIT 100"),
            "latest, one page, as it comes": lambda: opened.query("SELECT * FROM latest LIMIT 100"),
            "latest, one outlet": lambda: opened.query("SELECT * FROM latest WHERE outlet_id = 'o7' "
                                                       "ORDER BY first_seen_at DESC LIMIT 100"),
            "articles(), newest": lambda: opened.articles(),
            "articles(topic)": lambda: opened.articles(topic="isis_detainees"),
            "article and versions": lambda: (opened.article(known), opened.versions(known)),
            "events()": lambda: opened.events(),
            "counts()": lambda: opened.counts(),
            "health()": lambda: opened.health("2027-01-01T00:00:00Z"),
            "coverage(), a day": lambda: opened.coverage("2025-12-30T00:00:00Z"),
        }  # fmt: skip
        for name, work in kinds.items():
            yield name, milliseconds(work)
    desk = open_desk(archive)
    paths = {"home": "/", "search": f"/archive/search?q={COMMON}", "newest": "/archive/newest", "newest, a topic":
             "/archive/newest?topic=isis_detainees", "edited": "/archive/edited?days=9999", "withdrawn":
             "/archive/withdrawn", "coverage": "/archive/coverage", "latest": "/archive/latest",
             "article": f"/-/article/{known}"}  # fmt: skip

    async def visit() -> list[tuple[str, float]]:
        spent = []
        for name, path in paths.items():
            runs = []
            for _ in range(8):
                begun = time.process_time()
                answer = await desk.client.get(path)
                runs.append((time.process_time() - begun) * 1000)
                if answer.status_code != 200:
                    runs.append(float("inf"))
            spent.append((f"desk: {name}", min(runs[1:])))
        return spent

    yield from asyncio.run(visit())


def main() -> int:
    """Build, measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("versions", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--dir", type=Path)
    parser.add_argument("--keep", action="store_true", help="leave the archives, and use those that are there")
    asked = parser.parse_args()
    directory = asked.dir or Path(tempfile.mkdtemp(prefix="rasid-bench-"))
    results: list[dict[str, float]] = []
    try:
        for versions in (asked.small, asked.versions):
            path = directory / str(versions) / "archive.db"
            if not path.exists():
                path.parent.mkdir(parents=True)
                build(path, versions)
            results.append({**saves(path), **dict(reads(path))})
            results[-1]["bytes per version"] = path.stat().st_size / versions
    finally:
        if not asked.keep:
            shutil.rmtree(directory)
    small, large = results
    print(f"| ms | {asked.small:,} versions | {asked.versions:,} versions | bound |\n|---|---|---|---|")
    slow = []
    for name in large:
        bound = SAVE_RATIO * small[name] if name.startswith("save") else READ_MS
        bounded = name not in UNBOUND
        print(f"| {name} | {small[name]:.1f} | {large[name]:.1f} | {f'{bound:.1f}' if bounded else ''} |")
        slow += [name] if bounded and large[name] > bound else []
    if slow:
        print(f"\ntoo slow: {', '.join(slow)}", file=sys.stderr)
    return bool(slow)


if __name__ == "__main__":
    sys.exit(main())

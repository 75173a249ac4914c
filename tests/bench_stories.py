"""`python -m tests.bench_stories [ARTICLES]`: processor time to link an article into its story in an archive so large.

The last 3,000 articles are real rows made of the labelled articles' words, as often as news uses words, 500 a day from
40 outlets: a fifth are copies with another headline and end, a twentieth bulletins of one form. What came before them
stands in the indexes alone, where it costs what it costs in a real archive.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from zlib import crc32

from archive import stories
from archive.arabic.stems import stem
from archive.migrations import migrate
from archive.similarity import BINS, ROWS, TERMS, bands, read_telling, terms
from archive.sqlite import Connection, connect_write
from archive.times import stamp
from tests.evaluate_stories import labelled

A_DAY, OUTLETS, REAL = 500, 40, 3_000
START = datetime(2026, 1, 1, tzinfo=UTC)
ENDS = ["", "", "", "ي", "ات", "ون", "ية", "ان"]


class Words:
    """20,000 words, each used as often as its rank says."""

    def __init__(self, rng: random.Random) -> None:
        letters = "ابتجحدرسشصطعفقكلمنهوي"
        known = list(dict.fromkeys(word for one in labelled() for word in one.text.split()))
        made = ["".join(rng.choices(letters, k=rng.randint(3, 5))) + rng.choice(ENDS) for _ in range(20_000)]
        self.rng, self.words = rng, (known + made)[:20_000]
        self.sums = list(accumulate(1 / (rank + 8) for rank in range(20_000)))

    def some(self, count: int) -> list[str]:
        return self.rng.choices(self.words, cum_weights=self.sums, k=count)

    def article(self, recent: list[tuple[str, str]]) -> tuple[str, str]:
        """Title and text of the next article."""
        chance = self.rng.random()
        if chance < 0.2 and recent:
            _, text = self.rng.choice(recent)
            return " ".join(self.some(8)), "\n".join([*text.split("\n")[:-1], "متابعة الموقع"])
        if chance < 0.25:
            rates = (f"سجل سعر الليرة في المحافظة {n} للشراء {self.rng.randint(9000, 12000)} ليرة" for n in range(9))
            return "سعر الصرف اليوم", "\n".join(rates)
        return " ".join(self.some(9)), "\n".join(" ".join(self.some(38)) for _ in range(4))


def main(count: int) -> None:
    """Fill the indexes, link the last articles, print the times."""
    rng = random.Random(7)
    words = Words(rng)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "archive.db"
        db = connect_write(path)
        migrate(db, path)
        for number in range(OUTLETS):
            db.execute(
                "INSERT INTO outlets (id, name_ar, name_en, kind) VALUES (?1, ?1, ?1, 'website')", (str(number),)
            )
        old = max(0, count - REAL)
        fill(db, old, words)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = path.stat().st_size
        took, recent = list[float](), list[tuple[str, str]]()
        for number in range(old, count):
            if number % 50 == 0 or number == old:
                db.execute("COMMIT") if db.conn.in_transaction else None
                db.execute("BEGIN IMMEDIATE")
            recent = [*recent[-1500:], words.article(recent)]
            article_id = insert(db, number, *recent[-1], str(rng.randrange(OUTLETS)))
            before = time.process_time()
            stories.link(db, article_id)
            took.append(1000 * (time.process_time() - before))
        db.execute("COMMIT")
        took = sorted(took[len(took) // 2 :])
        print(f"{count:,} articles: median {took[len(took) // 2]:.2f} ms, 95 % {took[-len(took) // 20]:.2f} ms")
        linked = db.execute("SELECT count(*), count(DISTINCT story_id) FROM story_articles").fetchone()
        print(f"indexes: {size / max(1, old):,.0f} bytes an article; {linked[0]:,} articles in {linked[1]:,} stories")
        once = time.process_time()
        for title, text in recent[:200]:
            telling = read_telling(title, text)
            bands(telling), terms(telling)
        print(f"of the time, reading the article: {5 * (time.process_time() - once):.2f} ms")
        db.close()


def fill(db: Connection, count: int, words: Words) -> None:
    """Index rows of articles that came before."""
    numbers = {word: crc32(stem(word).encode()) for word in words.words}
    db.execute("PRAGMA foreign_keys=OFF")
    db.execute("BEGIN IMMEDIATE")
    for number in range(count):
        day = START.toordinal() - 719163 - 10 + number // A_DAY  # no candidates: they have no text
        rows = [(day, numbers[word], number + 1) for word in words.some(TERMS)]
        db.conn.executemany("INSERT OR IGNORE INTO story_terms VALUES (?, ?, ?)", rows)
        rows = [(words.rng.getrandbits(32), number + 1) for _ in range(BINS // ROWS)]
        db.conn.executemany("INSERT OR IGNORE INTO story_bands VALUES (?, ?)", rows)
    db.execute("COMMIT")


def insert(db: Connection, number: int, title: str, text: str, outlet: str) -> int:
    """An article with one version; returns its id."""
    at = stamp(START + timedelta(days=number / A_DAY))
    row = {"id": number + 1, "outlet_id": outlet, "url": f"https://{outlet}.example/{number}", "first_seen_at": at,
           "last_checked_at": at}  # fmt: skip
    db.table("articles").insert(row)
    version = {"article_id": number + 1, "captured_at": at, "title": title, "text": text, "extractor": "bench",
               "text_sha256": str(number)}  # fmt: skip
    version_id = db.table("versions").insert(version).last_pk
    db.execute("UPDATE articles SET latest_version_id = ? WHERE id = ?", (version_id, number + 1))
    return number + 1


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)

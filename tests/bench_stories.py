"""`python -m tests.bench_stories [ARTICLES]`: processor time to link an article into its story, as an archive grows.

Articles are made of the labelled ones' words as often as news uses words, 500 a day from 40 outlets; a fifth are copies
with other headlines, dropped lines and a line of their own, a twentieth bulletins of one form.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from archive import stories
from archive.migrations import migrate
from archive.similarity import bands, read_telling, terms
from archive.sqlite import Connection, connect_write
from archive.times import stamp
from tests.evaluate_stories import labelled

A_DAY, OUTLETS, SAMPLE = 500, 40, 500
ENDS = ["", "", "", "ي", "ات", "ون", "ية", "ان"]


def vocabulary(rng: random.Random) -> tuple[list[str], list[float]]:
    """20,000 words, and how often each is used."""
    letters = "ابتجحدرسشصطعفقكلمنهوي"
    known = list(dict.fromkeys(word for one in labelled() for word in one.text.split()))
    made = ["".join(rng.choices(letters, k=rng.randint(3, 5))) + rng.choice(ENDS) for _ in range(20_000 - len(known))]
    return known + made, [1 / (rank + 8) for rank in range(20_000)]


def main(count: int) -> None:
    """Fill an archive, and print the time per article whenever it is ten times as large."""
    rng = random.Random(7)
    words, weights = vocabulary(rng)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "archive.db"
        db = connect_write(path)
        migrate(db, path)
        for number in range(OUTLETS):
            db.execute(
                "INSERT INTO outlets (id, name_ar, name_en, kind) VALUES (?1, ?1, ?1, 'website')", (str(number),)
            )
        recent: list[tuple[str, str]] = []
        start, took = datetime(2026, 1, 1, tzinfo=UTC), list[float]()
        db.execute("BEGIN IMMEDIATE")
        for number in range(count):
            at = stamp(start + timedelta(days=number / A_DAY))
            chance = rng.random()
            if chance < 0.2 and recent:
                title, text = rng.choice(recent)
                lines = text.split("\n")
                title, text = " ".join(rng.choices(words, weights, k=8)), "\n".join([*lines[:-1], "متابعة الموقع"])
            elif chance < 0.25:
                title, text = (
                    "سعر الصرف اليوم",
                    "\n".join(
                        f"سجل سعر صرف الليرة في المحافظة رقم {line} للشراء {rng.randint(9000, 12000)} ليرة"
                        for line in range(9)
                    ),
                )
            else:
                title = " ".join(rng.choices(words, weights, k=9))
                text = "\n".join(" ".join(rng.choices(words, weights, k=38)) for _ in range(4))
            recent = [*recent[-1500:], (title, text)]
            article_id = insert(db, number, at, title, text, str(rng.randrange(OUTLETS)))
            before = time.process_time()
            stories.link(db, article_id)
            took.append(1000 * (time.process_time() - before))
            if number % 50 == 49:
                db.execute("COMMIT")
                db.execute("BEGIN IMMEDIATE")
            if number + 1 in (1_000, 10_000, 100_000, count):
                last = sorted(took[-SAMPLE:])
                median, slow, size = last[len(last) // 2], last[-len(last) // 20], path.stat().st_size / (number + 1)
                print(f"{number + 1:>8,} articles: median {median:.2f} ms, 95 % {slow:.2f} ms; {size:,.0f} bytes each")
        db.execute("COMMIT")
        linked = db.execute("SELECT count(*), count(DISTINCT story_id) FROM story_articles").fetchone()
        print(f"{linked[0]:,} articles in {linked[1]:,} stories")
        once = time.process_time()
        for title, text in recent[:200]:
            telling = read_telling(title, text)
            bands(telling), terms(telling)
        print(f"of this, reading an article anew: {5 * (time.process_time() - once):.2f} ms")
        db.close()


def insert(db: Connection, number: int, at: str, title: str, text: str, outlet: str) -> int:
    """An article with one version; returns its id."""
    row = {"outlet_id": outlet, "url": f"https://{outlet}.example/{number}", "first_seen_at": at, "last_checked_at": at}
    article_id = int(db.table("articles").insert(row).last_pk)
    version = {"article_id": article_id, "captured_at": at, "title": title, "text": text, "extractor": "bench",
               "text_sha256": str(number)}  # fmt: skip
    version_id = db.table("versions").insert(version).last_pk
    db.execute("UPDATE articles SET latest_version_id = ? WHERE id = ?", (version_id, article_id))
    return article_id


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)

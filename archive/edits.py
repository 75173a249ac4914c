"""What became of an article between two versions: compared, judged, and stored with the later one.

What many articles of an outlet gained or lost alike within a day is drift: a banner, a redesign. It makes no version,
is told to the operator alone, and hides no edit beside it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

from archive.errors import ConfigError
from archive.folding import fold
from archive.materiality import Edit, edits
from archive.models import Article
from archive.noise import changes, is_noise, is_sentence, is_told
from archive.rules import RuleSet, load_rules
from archive.sqlite import Connection, statement
from archive.times import later
from archive.transaction import Transaction
from archive.versions import FEED, same_date, same_text, same_version

ALIKE, ALIKE_TOLD = 3, 8  # articles of an outlet that differ alike within a day: drift; so many if in what is told
DAY = 86400.0
MOST = 300  # edits stored of one version; lines looked at for drift
LONGEST = 1_000  # characters of an edit stored beside its offsets


class Telling(Protocol):
    """What of a version is compared; an Article, or a row of `versions`."""

    @property
    def title(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def author(self) -> str | None: ...
    @property
    def published_at(self) -> str | None: ...


def compare(old: Telling, new: Telling, rules: RuleSet | None, known: Collection[str] = ()) -> list[Edit]:
    """All edits from one version to another, title first. What is unknown now was not taken out."""
    heads, texts = changes((old.title, old.text), (new.title, new.text), known)
    found = edits("title", old.title, new.title, heads, rules) + edits("text", old.text, new.text, texts, rules)
    if new.author is not None and not same_text(old.author or "", new.author):
        found.append(_whole("author", old.author, new.author, ()))
    if new.published_at is not None and not same_date(old.published_at, new.published_at):
        day_moved = old.published_at is not None and old.published_at[:10] != new.published_at[:10]
        found.append(_whole("published_at", old.published_at, new.published_at, ("date",) if day_moved else ()))
    return found


def _whole(field: str, old: str | None, new: str, reasons: tuple[str, ...]) -> Edit:
    kind, op = ("material" if reasons else "wording"), ("replaced" if old else "inserted")
    return Edit(field, op, kind, reasons, new if reasons else None, old or "", new, 0, len(old or ""), 0, len(new))  # type: ignore[arg-type]


def record(
    db: Connection,
    before: tuple[int, Telling],
    after: tuple[int, Telling],
    rules: RuleSet | None,
    known: Collection[str] = (),
) -> bool:
    """Store what a version changed of the one before it, in place of what was said before; whether it matters."""
    found = compare(before[1], after[1], rules, known)
    db.execute("DELETE FROM edits WHERE version_id = ?", (after[0],))
    db.conn.executemany(
        'INSERT INTO edits (version_id, from_version_id, field, op, kind, material, reasons, passage, before, after, '
        'from_start, from_end, start, "end") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        [
            (after[0], before[0], e.field, e.op, e.kind, e.kind == "material", ", ".join(e.reasons), e.passage,
             e.before[:LONGEST], e.after[:LONGEST], e.from_start, e.from_end, e.start, e.end)
            for e in sorted(found, key=lambda edit: edit.kind != "material")[:MOST]
        ],
    )  # fmt: skip
    return any(edit.kind == "material" for edit in found)


def read_edit(row: Sequence[Any]) -> Edit:
    """An edit from a row of the query `edits.stored`."""
    return Edit(*(*row[:3], tuple(filter(None, row[3].split(", "))), *row[4:]))


def stored(db: Connection, version_id: int, from_version_id: int) -> list[Edit]:
    """What a version changed of the one before it, in the order of the text, what matters first."""
    pair = {"version": version_id, "older": from_version_id}
    return [read_edit(row) for row in db.execute(statement("edits.stored"), pair)]


def doubtful(db: Connection, article_id: int | None, article: Article) -> tuple[int, str, int, int] | None:
    """The newest version of an article and where its capture lies (file, offset, length), if this is in other words."""
    if (row := db.execute(statement("edits.newest"), (article_id,)).fetchone()) is None:
        return None
    was = replace(Article(*row[4:9]), extractor=row[9])
    return None if was.extractor.startswith(FEED) or same_version(was, article) else tuple(row[:4])


# ---- drift -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Drift:
    """The lines of an outlet that drift, folded; and signatures of all by which two versions differ."""

    known: frozenset[str] = frozenset()
    lines: tuple[str, ...] = ()


def drift(tx: Transaction, outlet_id: str | None, article_id: int, old: Article, new: Article) -> Drift:
    """What an outlet's drift leaves of a change. A line that others of its articles gained, or lost, within a day
    becomes drift here, and what was to be told of it alone and still waits is told no more."""
    lines, found, db, now = _differing(old.text, new.text), known(tx.db, outlet_id), tx.db, tx.now()
    if outlet_id is None or not lines:
        return Drift(found)
    rows = db.execute(statement("edits.lately"), (later(now, -DAY), outlet_id, article_id)).fetchall()
    seen = [(event, article, set(json.loads(detail or "{}").get("lines", ()))) for event, article, detail in rows]
    for signature, line in lines.items():
        others = {article for _, article, theirs in seen if signature in theirs}
        if fold(line) in found or len(others) + 1 >= (ALIKE_TOLD if is_told(line) else ALIKE):
            _hold(tx, outlet_id, signature, line, {*others, article_id})
    drifting = {row[0] for row in db.execute("SELECT signature FROM drift WHERE outlet_id = ?", (outlet_id,))}
    for event, _, theirs in seen:
        if theirs and theirs <= drifting:
            _take_back(tx, event)
    return Drift(known(db, outlet_id), tuple(lines))


def known(db: Connection, outlet_id: str | None) -> frozenset[str]:
    """The lines of an outlet that drift, folded."""
    rows = db.execute("SELECT coalesce(inserted, removed) FROM drift WHERE outlet_id = ?", (outlet_id,)).fetchall()
    return frozenset(fold(line) for (line,) in rows)


def _hold(tx: Transaction, outlet_id: str, signature: str, line: str, articles: Collection[int]) -> None:
    (number,) = tx.db.execute(statement("edits.drifts"), (outlet_id, signature, line, tx.now())).fetchone()
    tx.db.conn.executemany("INSERT OR IGNORE INTO drift_articles VALUES (?, ?)", [(number, id_) for id_ in articles])
    tx.db.execute(statement("edits.counted"), (number,))


def _differing(old: str, new: str) -> dict[str, str]:
    """Lines that only one of two texts has: signature, which begins with "+" or "-", to the line as it stands.

    Not a sentence between lines that both have, nor a line in the place of one of much the same words: several stories
    may be corrected alike.
    """
    sides = [{fold(line): line for line in text.split("\n")} for text in (old, new)]
    both, alone = sides[0].keys() & sides[1].keys(), list[list[tuple[str, str, set[str]]]]()
    for side in sides:
        common = [at for at, key in enumerate(side) if key in both]
        spoken = range(common[0], common[-1]) if common else range(0)
        rest = [(at, key, line) for at, (key, line) in enumerate(side.items()) if key and key not in both]
        left = [
            (key, line) for at, key, line in rest if not (at in spoken and is_sentence(line)) and not is_noise(line)
        ]
        alone.append([(key, line, set(line.split())) for key, line in left[:MOST]])
    return {
        sign + hashlib.sha256(key.encode()).hexdigest()[:24]: line
        for sign, mine, others in zip("-+", alone, alone[::-1], strict=True)
        for key, line, words in mine
        if not any(2 * len(words & theirs) >= max(len(words), len(theirs)) for *_, theirs in others)
    }


def _take_back(tx: Transaction, event: int) -> None:
    """Tell nobody of an event who was not told yet."""
    tx.db.execute(statement("edits.untold"), (event,))
    tx.db.execute(statement("edits.emptied"))


def backfill(db: Connection) -> None:
    """Say of every version kept so far what it changed, in the light of the newest rules."""
    row, rules = db.execute("SELECT toml FROM rule_sets ORDER BY id DESC LIMIT 1").fetchone(), None
    with suppress(ConfigError):  # rules in an older language name no terms
        rules = load_rules(row[0], "rules") if row else None
    telling = "SELECT title, text, author, published_at FROM versions WHERE id = ?"
    for older, newer in db.execute("SELECT from_version_id, version_id FROM changes").fetchall():
        sides = [(id_, Article(*db.execute(telling, (id_,)).fetchone())) for id_ in (older, newer)]
        record(db, sides[0], sides[1], rules)

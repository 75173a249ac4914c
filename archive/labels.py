"""An editor's corrections: kept with the archive, compared with the rules, never mixed with what the rules say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from archive.errors import ArchiveError
from archive.reading import Archive
from archive.rules import RuleSet
from archive.sqlite import statement
from archive.titles import heading
from archive.topics import judge
from archive.transaction import Transaction

Verdict = Literal["yes", "no"]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A label beside what a rule set says: `strength` is None where it sees nothing of the topic."""

    article_id: int
    version_id: int
    title: str
    topic: str
    verdict: Verdict
    strength: str | None

    @property
    def agrees(self) -> bool:
        """An editor's yes means a substantive subject."""
        return (self.strength == "substantive") == (self.verdict == "yes")


def label(tx: Transaction, article_id: int, topic: str, verdict: Verdict) -> int:
    """Store a verdict on an article's newest version, replacing the one before; returns the version's id."""
    row = tx.db.execute("SELECT latest_version_id FROM articles WHERE id = ?", (article_id,)).fetchone()
    if row is None or row[0] is None:
        raise ArchiveError(f"article {article_id} was never kept, so there is no text to label")
    tx.db.execute("INSERT OR REPLACE INTO labels VALUES (?, ?, ?, ?)", (row[0], topic, verdict, tx.now()))
    return int(row[0])


def labelled(archive: Archive, rules: RuleSet) -> Iterator[Labelled]:
    """Every label with today's judgement of the text it was given on, oldest article first."""
    for row in archive.query(statement("labels")):
        found = {match.topic: match.strength for match in judge(rules, row["title"], row["text"]).matches}
        title, text = row.pop("title"), row.pop("text")
        yield Labelled(**row, title=heading(title, text), strength=found.get(row["topic"]))

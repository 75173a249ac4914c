"""The archive's schema, step by step. A step runs in one transaction; one that fails stays pending."""

from __future__ import annotations

from pathlib import Path

from sqlite_utils import Migrations

from archive.edits import backfill
from archive.errors import ArchiveError
from archive.sqlite import Connection

STEPS = Migrations("rasid")
_FILES = {file.stem: file for file in sorted(Path(__file__).with_name("schema").glob("*.sql"))}
_AFTER = {"0006_edits": backfill}  # what a step does beside its file


def _step(name: str) -> None:
    """Register a file of `schema/` as a step of the same name."""

    @STEPS(name=name)
    def run(db: Connection) -> None:
        db.executescript(_FILES[name].read_text(encoding="utf-8"))
        if name in _AFTER:
            _AFTER[name](db)


for _name in _FILES:
    _step(_name)


def migrate(db: Connection, archive: Path) -> None:
    """Bring the schema up to date. Raises ArchiveError, changing nothing, when a newer Rasid made it."""
    if pending(db, archive):
        STEPS.apply(db)


def pending(db: Connection, archive: Path) -> bool:
    """Whether steps are still to be run. Raises ArchiveError when a newer Rasid made the schema."""
    newer = {step.name for step in STEPS.applied(db)} - _FILES.keys()
    if newer:
        raise ArchiveError(f"{archive} was made by a newer Rasid (schema {max(newer)}); update this one to open it")
    return bool(STEPS.pending(db))

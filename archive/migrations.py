"""The archive's schema, step by step. A step runs in one transaction; one that fails stays pending."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from sqlite_utils import Migrations

from archive.errors import ArchiveError
from archive.sqlite import Connection

STEPS = Migrations("rasid")


@STEPS(name="0001_first")
def first(db: Connection) -> None:
    """The tables of the first release."""
    db.executescript(files("archive").joinpath("schema/0001_first.sql").read_text(encoding="utf-8"))


_KNOWN = {"0001_first"}


def migrate(db: Connection, archive: Path) -> None:
    """Bring the schema up to date. Raises ArchiveError, changing nothing, when a newer Rasid made it."""
    if pending(db, archive):
        STEPS.apply(db)


def pending(db: Connection, archive: Path) -> bool:
    """Whether steps are still to be run. Raises ArchiveError when a newer Rasid made the schema."""
    newer = {step.name for step in STEPS.applied(db)} - _KNOWN
    if newer:
        raise ArchiveError(f"{archive} was made by a newer Rasid (schema {max(newer)}); update this one to open it")
    return bool(STEPS.pending(db))

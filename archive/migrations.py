"""The archive's schema, step by step. A step runs in one transaction; one that fails stays pending."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from sqlite_utils import Migrations

from archive.edits import backfill
from archive.errors import ArchiveError
from archive.sqlite import Connection

STEPS = Migrations("rasid")
_AFTER = {"0006_edits.sql": backfill}  # what a step does beside its file


def _step(file: str) -> None:
    """Register a file of `schema/` as a step of the same name."""

    @STEPS(name=file.removesuffix(".sql"))
    def run(db: Connection) -> None:
        db.executescript(files("archive").joinpath(f"schema/{file}").read_text(encoding="utf-8"))
        if file in _AFTER:
            _AFTER[file](db)


_STEP_FILES = (
    "0001_first.sql",
    "0002_learned.sql",
    "0003_feed_content.sql",
    "0004_discovery.sql",
    "0006_edits.sql",
    "0007_stories.sql",
    "0008_evidence.sql",
    "0009_alerts.sql",
    "0010_scale.sql",
    "0011_hosts.sql",
    "0012_requests.sql",
    "0013_figures.sql",
)
for _file in _STEP_FILES:
    _step(_file)
_KNOWN = {file.removesuffix(".sql") for file in _STEP_FILES}


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

"""Every error Rasid raises on purpose, drawn once.

RasidError
├── UsageError            exit code 2: the command or its configuration is wrong
│   └── ConfigError       names the file, the key and the mend
└── WorkError             exit code 1: the work could not be done
    ├── ArchiveError      the archive cannot be opened, read or written
    │   ├── ArchiveBusy   another process writes to it
    │   └── StorageFull   no room left on disk; nothing half-written stays
    ├── ExtractionError   a page cannot be read
    └── DeliveryError     a mail cannot be sent (temporary or permanent)

Messages are one sentence: what, where, and the mend.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class RasidError(Exception):
    """Root of the tree; `exit_code` is what the command line returns for it."""

    exit_code = 1


class UsageError(RasidError):
    """The command was called in a way that cannot be meant."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration file says something that cannot be meant."""

    def __init__(self, file: object, key: str, mend: str) -> None:
        """`file` is the path read, `key` the dotted key in it, `mend` what to write instead."""
        super().__init__(f"{file}: {key}: {mend}" if key else f"{file}: {mend}")
        self.file, self.key, self.mend = str(file), key, mend


class WorkError(RasidError):
    """The work could not be done."""


class ArchiveError(WorkError):
    """The archive cannot be opened, read or written."""


class ArchiveBusy(ArchiveError):
    """Another process holds the archive for writing."""


class StorageFull(ArchiveError):
    """No room left on disk; what was being written was undone."""


class ExtractionError(WorkError):
    """A page cannot be read: the reader failed, or was stopped at its limit."""


class DeliveryError(WorkError):
    """A mail was not accepted. `permanent` tells whether trying again is pointless."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        """`message` carries the server's words, without secrets."""
        super().__init__(message)
        self.permanent = permanent


def meant(word: str, known: Iterable[str]) -> str:
    """A question that names the nearest known word, if one is near; the end of a message."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""

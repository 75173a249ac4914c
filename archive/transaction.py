"""What an operation on the archive works with: the connection, the capture files, the policy and the clock."""

from __future__ import annotations

from dataclasses import dataclass

from archive.alerts.rules import AlertRule
from archive.captures import CaptureFiles
from archive.rules import RuleSet
from archive.sqlite import Connection
from archive.times import Clock, stamp


@dataclass(frozen=True)
class Policy:
    """What the store must know of the configuration. Times are seconds."""

    ladder: tuple[float, ...]  # when a kept article is looked at again, after it was first seen
    confirm_after: float  # between the two looks of a withdrawal
    rules: RuleSet
    alerts: tuple[AlertRule, ...] = ()
    old_after: float = 48 * 3600  # published longer ago than this: backlog
    digest_after: float = 3600  # how long a digest gathers
    mails_per_hour: int = 60  # instant ones to one reader, from all rules; what is more goes into a digest
    mail_domain: str = "rasid.invalid"  # right side of a Message-ID
    revisit_all: bool = False  # look again at articles that matched nothing, too


@dataclass(frozen=True, slots=True)
class Transaction:
    """What an operation works with; alive only while it runs, in the writer's thread."""

    db: Connection
    policy: Policy
    captures: CaptureFiles
    clock: Clock

    def now(self) -> str:
        """The present moment, as a stamp."""
        return stamp(self.clock())

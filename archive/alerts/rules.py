"""Alert rules: who is told of which events, and at what hours.                                             [pure]"""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from archive.acts import ACTS, COUNTED
from archive.errors import meant
from archive.models import EventKind, Strength
from archive.places import named
from archive.search import ar_query
from archive.times import later, moment, stamp

Language = Literal["ar", "en"]
Backlog = Literal["digest", "each", "none"]
RuleKind = Literal["events", "operator"]
When = Literal["instant", "hourly", "daily"]
Edits = Literal["any", "material"]
Channel = Literal["email", "apprise"]
Reader = tuple[Channel, str]
"""Where a mail goes: to a mail address, or to a channel of the configuration by its name."""

_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_LOCAL}(?:\.{_LOCAL})*@{_LABEL}(?:\.{_LABEL})*")
_CLOCK = r"([01]\d|2[0-3]):([0-5]\d)"


def check_address(address: str) -> str:
    """Return `address` if a mail can be sent to it, else raise ValueError with the mend.

    Plain ASCII only: the mail library encodes a non-ASCII local part wrongly without a word.
    """
    if not _ADDRESS.fullmatch(address) or len(address) > 254:
        raise ValueError(
            f"{address[:80]!r} is no mail address; write name@host in plain ASCII letters, without a display name "
            "(an Arabic domain in its xn-- form)"
        )
    return address


class Figures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Figures a rule asks for: of one act, of some people, of at least so many for certain; each None for any."""

    act: str | None = None
    counted: str | None = None
    least: Annotated[int, msgspec.Meta(ge=1)] | None = None


class AlertRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is told of which events: an [[alert]] of the configuration. Raises ValueError (field, what is wrong, the
    mend) at construction.

    A rule of kind "operator" is told of the service's own troubles and of no article, see `archive.alerts.plan`.
    """

    name: str
    topics: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()  # names; their addresses are secrets, which only delivery knows
    kind: RuleKind = "events"
    strength: Strength = "substantive"  # "passing" accepts either strength
    outlets: tuple[str, ...] = ()  # ids; none: every outlet
    query: str = ""  # as in a search, over title and text of the version
    places: tuple[str, ...] = ()  # as `archive.places.named` knows them; one of them, or of what lies in it
    figures: Figures | tuple[Figures, ...] = ()  # one of them
    on: tuple[EventKind, ...] = ("new", "edited", "withdrawn")
    edits: Edits = "any"
    when: When = "instant"
    at: str = "08:00"  # of a daily digest
    timezone: str = "UTC"  # of `at`, of `quiet`, and of the times a mail names
    quiet: str = ""  # "22:00-07:00"
    most_per_hour: int = 30  # instant mails to one reader; what is more goes into a digest
    language: Language = "ar"
    backlog: Backlog = "digest"

    def __post_init__(self) -> None:
        """Refuse what cannot be meant while somebody is looking, not when the first mail is due."""
        if not self.name.strip() or not self.name.isprintable() or len(self.name) > 80:
            raise ValueError("name: must be a word or two on one line, of at most 80 letters")
        if not self.readers:
            raise ValueError("to: is empty; name at least one address, or a channel in channels, or take the rule out")
        if not self.on:
            raise ValueError("on: is empty; name at least one, or take the rule out")
        asks = self.topics or self.query or self.places or self.figures
        if self.kind == "operator" and (asks or self.outlets):
            raise ValueError(
                'kind: "operator" is told of the service; take topics, outlets and query out, places and figures, too'
            )
        if self.kind == "events" and not asks:
            raise ValueError("topics: is empty; name at least one, or write a query, places or figures")
        for field, known in (("act", ACTS), ("counted", COUNTED)):
            for value in filter(None, (getattr(one, field) for one in self.counts)):
                if value not in known:
                    mend = f"{meant(value, known)}; known: {', '.join(sorted(known))}"
                    raise ValueError(f"figures.{field}: {value!r} is unknown{mend}")
        for place in self.places:
            named(place)
        if self.query and not ar_query(self.query):
            raise ValueError(f"query: {self.query!r} has no word that can be searched for; write one")
        for address in self.to:
            try:
                check_address(address)
            except ValueError as error:
                raise ValueError(f"to: {error}") from None
        if not re.fullmatch(_CLOCK, self.at):
            raise ValueError(f'at: {self.at!r} is no time of day; write one such as "08:00"')
        if self.quiet and not (re.fullmatch(f"{_CLOCK}-{_CLOCK}", self.quiet) and self.quiet[:5] != self.quiet[6:]):
            raise ValueError(f'quiet: {self.quiet!r} are no hours; write such as "22:00-07:00"')
        if self.most_per_hour < 1:
            raise ValueError(f"most_per_hour: {self.most_per_hour} is out of range; write 1 or more")
        try:
            ZoneInfo(self.timezone)
        except (OSError, ValueError, KeyError) as error:
            mend = f'{self.timezone!r} is no time zone; write one such as "Asia/Damascus"'
            raise ValueError(f"timezone: {mend}") from error

    @property
    def counts(self) -> tuple[Figures, ...]:
        """The figures asked for."""
        return (self.figures,) if isinstance(self.figures, Figures) else self.figures

    @property
    def readers(self) -> tuple[Reader, ...]:
        """All whom the rule tells, each once."""
        named: list[Reader] = [("email", address) for address in self.to]
        return tuple(dict.fromkeys([*named, *(("apprise", name) for name in self.channels)]))

    def wants(self, topic: str, strength: str) -> bool:
        """Whether a match on `topic` of this strength is one the rule is about."""
        named = topic in self.topics or not self.topics  # a query alone is about every topic
        return named and (strength == "substantive" or self.strength == "passing")

    def awake(self, at: str) -> str:
        """The stamp `at`, or the end of the quiet hours it falls into."""
        if not self.quiet:
            return at
        begin, end = self.quiet.split("-")
        clock = moment(at).astimezone(ZoneInfo(self.timezone)).strftime("%H:%M")
        within = begin <= clock < end if begin < end else clock >= begin or clock < end
        return self._next(at, end, folds=(0, 1)) if within else at

    def digest_due(self, now: str, gather: float) -> str:
        """When a digest that something goes into at `now` is sent; one beside instant mails gathers `gather` seconds,
        or as long as it is quiet."""
        if self.when == "hourly":
            return self.awake(later(f"{now[:13]}:00:00Z", 3600))
        if self.when == "daily":
            return self.awake(self._next(now, self.at))
        awake = self.awake(now)
        return awake if awake != now else self.awake(later(now, gather))

    def _next(self, at: str, clock: str, folds: tuple[int, ...] = (0,)) -> str:
        """The first moment after `at` at which a clock of the rule's zone shows `clock`; of an hour that a day has
        twice, in these `folds` of it."""
        zone, shown = ZoneInfo(self.timezone), time.fromisoformat(clock)
        day = moment(at).astimezone(zone).date()
        days = [datetime.combine(day + timedelta(days=n), shown, zone) for n in (0, 1)]
        return next(due for day in days for fold in folds if (due := stamp(day.replace(fold=fold))) > at)

"""A mail's values into the mail itself: text and HTML, right to left where the reader's language is.      [pure]

Nothing from a page may become a header, markup, a script or an image: the templates escape, `clean` takes out what
is invisible or breaks a line, links carry only http(s), and nothing is loaded from anywhere.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from archive.alerts.excerpts import Segments, clean, excerpts, mark, shown
from archive.alerts.rules import Language
from archive.edits import compare
from archive.materiality import Edit
from archive.models import EventKind, Match
from archive.times import moment
from archive.titles import heading

_TEMPLATES = Path(__file__).parent / "templates"
_WORDS = tomllib.loads((_TEMPLATES / "labels.toml").read_text("utf-8"))
_CHANGES = 8  # places of an edit that a mail shows
_NAMED = 10  # places and figures among the reasons
_POLICY = SMTP.clone(max_line_length=998)  # folding a long Arabic subject loses a space in some Python versions


@dataclass(frozen=True, slots=True)
class Told:
    """A version as far as a mail tells of it."""

    title: str
    text: str
    author: str | None
    published_at: str | None
    seen_at: str
    matches: tuple[Match, ...] = ()  # those the rule is about, best first
    said: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)  # field -> what the rule searches for
    named: tuple[str, ...] = ()  # places and figures that the rule asks for, as written

    @property
    def heading(self) -> str:
        """The title, or the first words of an untitled text."""
        return heading(self.title, self.text)


class Copy(NamedTuple):
    """An article that tells the same in the same words."""

    article_id: int
    title: str
    outlet: str | None


@dataclass(frozen=True, slots=True)
class Story:
    """One event: what happened to which article."""

    kind: EventKind
    at: str
    article_id: int
    url: str
    outlet: str | None
    version: Told
    before: Told | None = None  # for an edit: the version before it
    edits: tuple[Edit, ...] | None = None  # what is stored of it; None: to be worked out
    silent: bool = False  # the page tells no new time of modification
    last_seen_at: str | None = None  # for a withdrawal
    copies: tuple[Copy, ...] = ()  # for what is new


@dataclass(frozen=True, slots=True)
class MailContext:
    """Everything a mail says. A digest may stand for more articles (`total`) than it lists."""

    id: int
    message_id: str
    kind: Literal["instant", "digest", "notice"]
    rules: tuple[str, ...]  # their names
    recipient: str
    language: Language
    at: str
    stories: tuple[Story, ...]
    total: int
    queries: tuple[str, ...] = ()  # what the rules search for
    topics: Mapping[str, str] = field(default_factory=dict)  # id -> what readers call it
    zone: str = "UTC"  # of the times
    notice: str | None = None  # a trouble of the service, told in a notice
    head: str | None = None  # of the ledger's chain, to which a digest's readers become witnesses


class Written(NamedTuple):
    """A mail in words, for any channel."""

    subject: str
    text: str
    html: str


def envelope(mail: MailContext, words: Written, sender: str, contact: str) -> EmailMessage:
    """A mail in words as a message. `sender` is a plain address, `contact` one or a web page."""
    message = EmailMessage(policy=_POLICY)
    message["Subject"] = words.subject
    message["From"] = Address(_WORDS[mail.language]["product"], addr_spec=sender)
    message["To"] = Address(addr_spec=mail.recipient)
    message["Date"] = format_datetime(moment(mail.at))
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"
    mailto = f"mailto:{quote(contact, safe='@')}?subject=unsubscribe%20{quote(', '.join(mail.rules))}"
    message["List-Unsubscribe"] = f"<{web_link(contact) or mailto}>"
    message.set_content(words.text, cte="base64")
    message.add_alternative(words.html, subtype="html", cte="base64")
    return message


def write(mail: MailContext, *, contact: str, desk_url: str) -> Written:
    """What a mail says: its subject, as text, as HTML. `contact` is an address or a web page, `desk_url` what links
    point to."""
    words = _WORDS[mail.language]
    desk = desk_url.rstrip("/")
    rules = "، ".join(mail.rules) if mail.language == "ar" else ", ".join(mail.rules)
    if mail.kind == "notice":
        subject = f"{words['notice']}: {clean(mail.notice or '', 150).strip()}"
    elif mail.kind == "digest":
        subject = f"{words['digest']} ({mail.total}): {rules}"
    else:
        subject = f"{words[mail.stories[0].kind]}: {clean(mail.stories[0].version.heading, 150).strip()}"
    values = {
        "words": words, "language": mail.language, "subject": subject, "rules": rules, "contact": contact,
        "desk": desk, "kind": mail.kind, "stories": [_shown(story, mail, desk) for story in mail.stories],
        "total": mail.total, "queries": [clean(query, 200) for query in mail.queries],
        "notice": clean(mail.notice or "", 2_000), "head": mail.head,
    }  # fmt: skip
    return Written(subject, *(_jinja.get_template(name).render(values) for name in ("mail.txt", "mail.html")))


def _shown(story: Story, mail: MailContext, desk: str) -> dict[str, Any]:
    """A story as the templates need it: cleaned, bounded, every time as it is read."""
    words, version, before = _WORDS[mail.language], story.version, story.before
    left = before and ((before.matches and not version.matches) or (before.named and not version.named))
    source = before if before and left else version
    hits: dict[str, list[tuple[int, int]]] = {}
    for field_ in ("title", "text"):  # the first passage of every topic, the strongest first, before the second of any
        of_topic = [[(p.start, p.end) for p in match.passages if p.field == field_] for match in source.matches]
        hits[field_] = [hit for turn in zip_longest(source.said.get(field_, ()), *of_topic) for hit in turn if hit]
    seen: dict[EventKind, dict[str, str | None]] = {
        "new": {"seen": version.seen_at},
        "edited": {"seen_before": before.seen_at if before else None, "edit_seen": version.seen_at},
        "withdrawn": {"last_seen": story.last_seen_at, "missing": story.at},
        "restored": {"restored_at": story.at},
    }
    times = {"published": version.published_at} | seen[story.kind]
    return {
        "kind": story.kind,
        "title": clean(version.heading).strip(),
        "marked_title": mark(version.heading, 0, min(len(version.heading), 300), hits["title"] * (source is version)),
        "outlet": _outlet(story.outlet, words),
        "times": {name: _time(at, mail.zone) or words["unknown"] for name, at in times.items()},
        "why": "why" if source is version else "why_before",
        "topics": [(mail.topics.get(match.topic, match.topic), match.strength) for match in source.matches],
        "named": [clean(name, 80) for name in source.named[:_NAMED]],
        "excerpts": excerpts(source.text, hits["text"]),
        "changes": _changed(story, words, mail.zone) if before else [],
        "silent": story.silent,
        "copies": [
            (f"{desk}/-/article/{copy.article_id}", clean(copy.title, 120).strip(), _outlet(copy.outlet, words))
            for copy in story.copies
        ],
        "desk": f"{desk}/-/article/{story.article_id}",
        "original": web_link(story.url),
    }


def _outlet(name: str | None, words: dict[str, str]) -> str:
    return clean(name or "", 80).strip() or words["unknown"]


def _changed(story: Story, words: dict[str, str], zone: str) -> list[tuple[str, str, Segments, Segments]]:
    """(field, what kind of edit, as it was, as it is) for the first places that an edit touched, what matters first."""
    version, found = story.version, list(story.edits or ())
    if story.edits is None and story.before:
        found = compare(story.before, version, None)
    told = []
    for edit in sorted(found, key=lambda edit: edit.kind != "material")[:_CHANGES]:
        kind = words[edit.kind] + "".join(f" · {words[reason]}" for reason in edit.reasons)
        if edit.field in ("title", "text"):
            was, now = shown(edit, version.title if edit.field == "title" else version.text)
        else:
            values = [_time(v, zone) if edit.field == "published_at" else v for v in (edit.before, edit.after)]
            was, now = (((clean(value or words["unknown"]), True),) for value in values)
        told.append((edit.field.removesuffix("_at"), kind, was, now))
    return told


def _time(text: str | None, zone: str = "UTC") -> str | None:
    """A time as precise as it is known, for reading; what is known to the second in a reader's zone.

    >>> _time("2026-01-21T09:05:00Z"), _time("2019-11-14T01:27"), _time("2026-01-21")
    ('2026-01-21 09:05 UTC', '2019-11-14 01:27', '2026-01-21')
    >>> _time("2026-01-21T09:05:00Z", "Asia/Damascus")
    '2026-01-21 12:05 +03:00'
    """
    if not text:
        return None
    day, _, rest = clean(text, 40).partition("T")
    if rest.endswith("Z") and zone != "UTC":
        with suppress(ValueError):
            day, _, rest = datetime.fromisoformat(text).astimezone(ZoneInfo(zone)).isoformat().partition("T")
    offset = " UTC" if rest.endswith("Z") else f" {rest[-6:]}" if rest[-6:-5] in ("+", "-") else ""
    return f"{day} {rest[:5]}{offset}".strip()


def web_link(url: str) -> str | None:
    """`url` in ASCII when it is a web address one can follow, else None."""
    safe = quote(url, safe="%/:?#[]@!$&'()*+,;=~", errors="replace")
    return safe if re.match(r"https?://[^/?#\[\]]", safe) and len(safe) <= 4_000 else None


_jinja = Environment(
    loader=FileSystemLoader(_TEMPLATES), autoescape=select_autoescape(["html"]), undefined=StrictUndefined,
    trim_blocks=True, lstrip_blocks=True,
)  # fmt: skip
_jinja.filters["isolate"] = lambda text: f"\u2068{text}\u2069"  # keeps mixed directions apart in plain text

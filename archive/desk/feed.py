"""A topic's newest articles as an Atom feed, for readers who take no mail.                                [pure]

Articles are hostile: what they say is cleaned here and escaped by the template.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from archive.alerts.excerpts import clean
from archive.alerts.render import web_link
from archive.titles import heading

_EPOCH = "1970-01-01T00:00:00Z"
_WORDS = 40  # of a text that its summary tells


def feed(address: str, desk: str, title: str, rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What the template shows of rows of `desk.feed`; `address` is the feed's own, `desk` the desk's."""
    entries = [_entry(row, desk.rstrip("/")) for row in rows]
    updated = max((entry["updated"] for entry in entries), default=_EPOCH)
    return {"address": address, "title": clean(title, 100), "updated": updated, "entries": entries}


def _entry(row: Mapping[str, Any], desk: str) -> dict[str, Any]:
    said, link = row["published_at"] or "", web_link(row["url"])
    words = row["text"][:2_000].split()
    summary = " ".join(words[: min(_WORDS, len(words) // 2 + 1)]) + " …"
    return {
        "id": link or quote(row["url"], safe=":"),
        "title": clean(heading(row["title"], row["text"])).strip() or "…",
        "desk": f"{desk}/-/article/{row['article_id']}",
        "original": link,
        "updated": row["updated"],
        "published": said if len(said) > 16 and (said.endswith("Z") or said[-6] in "+-") else None,  # else not whole
        "author": clean(row["author"] or "", 100).strip() or None,
        "summary": clean(": ".join(filter(None, (row["outlet"], summary))), 600),
    }


def topic_title(toml: str | None, topic: str) -> str | None:
    """What a rule set calls a topic; its id where it says nothing else, None where it knows no such topic."""
    named = tomllib.loads(toml or "").get("topic", {}).get(topic)
    return None if named is None else str(named.get("name_ar") or topic)

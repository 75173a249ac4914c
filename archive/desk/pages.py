"""What the desk's pages are made of: canned queries, descriptions, marked texts, a topic's feed.           [pure]"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup, escape

from archive.alerts.excerpts import Segments, clean, shown
from archive.alerts.render import web_link as safe_link
from archive.diffs import diff
from archive.edits import compare
from archive.materiality import Edit
from archive.models import Article
from archive.titles import heading

HERE = Path(__file__).parent
_HEADER = re.compile(r"^-- (\w+): (.*)\n", re.MULTILINE)
_WEB = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_EPOCH = "1970-01-01T00:00:00Z"
_WORDS = 40  # of a text that its summary in a feed tells


def read_query(text: str) -> dict[str, Any]:
    """One .sql file as Datasette's description of a query: header lines, then the statement.

    Header lines are `-- title: ...`, `-- description: ...` and, for each parameter in the order of the form,
    `-- name: what it is when left empty`.
    """
    end = 0
    header: dict[str, str] = {}
    while line := _HEADER.match(text, end):
        header[line[1]] = line[2]
        end = line.end()
    title, description = header.pop("title", ""), header.pop("description", "")
    return {"sql": text[end:].strip(), "title": title, "description": description, "params": list(header),
            "hints": header, "hide_sql": True}  # fmt: skip


def canned_queries() -> dict[str, dict[str, Any]]:
    """The queries an analyst starts from, by name, in the order they are shown."""
    order = ("search", "newest", "stories", "first", "edited", "withdrawn", "figures", "coverage")
    return {name: read_query((HERE / "queries" / f"{name}.sql").read_text("utf-8")) for name in order}


def descriptions() -> dict[str, Any]:
    """Datasette's metadata: title, and what every table, view and column holds."""
    return tomllib.loads((HERE / "metadata.toml").read_text("utf-8"))


def segments(text: str, passages: Iterable[tuple[int, int, str]]) -> list[tuple[str, str]]:
    """Cut a text where passages (start, end, topic) begin and end: pieces with the topics they stand for.

    Offsets are half-open code points; what lies outside the text is ignored, overlaps keep both topics. The pieces
    joined are the text.

    >>> segments("قال قسد", [(4, 7, "sdf")])
    [('قال ', ''), ('قسد', 'sdf')]
    """
    inside = [(start, end, topic) for start, end, topic in passages if 0 <= start < end <= len(text)]
    cuts = sorted({0, len(text)}.union(*((start, end) for start, end, _ in inside)))
    return [
        (text[a:b], " ".join(sorted({topic for start, end, topic in inside if start <= a and b <= end})))
        for a, b in pairwise(cuts)
    ]


def changed(text: str, other: str, context: int = 40, width: int = 400) -> str:
    """The words of `text` that `other` has not, each stretch in [brackets] with `context` characters around it.

    At most about `width` characters; "" when both say the same.

    >>> changed("عدد القتلى ثلاثة جنود", "عدد القتلى خمسة جنود")
    'عدد القتلى [ثلاثة] جنود'
    """
    out, end = "", 0
    for piece in diff(other, text, headline=True):
        if piece.op != "equal" and len(out) < width:
            start = max(end, piece.start - context)
            words = text[start : piece.start] if start == end else "…" + text[start : piece.start].partition(" ")[2]
            out, end = f"{out}{words}[{piece.now(text)[:width]}]", piece.end
    rest = text[end : end + context]
    return (out + (rest if end + context >= len(text) else rest.rpartition(" ")[0] + "…")) if out else ""


def otherwise(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Edit]:
    """What the other of two versions words otherwise, what matters first; both as their rows."""
    found = compare(Article(one["title"], one["text"]), Article(other["title"], other["text"]), None)
    return sorted(found, key=lambda edit: edit.kind != "material")


def missed(mine: Mapping[str, Any], base: Mapping[str, Any], now: Mapping[str, Any]) -> list[Edit]:
    """What the newest version of what `mine` is based on says otherwise, but for what `mine` had worded anew itself."""
    own = {(edit.field, edit.after, edit.before) for edit in otherwise(base, mine)}
    return [edit for edit in otherwise(mine, now) if (edit.field, edit.before, edit.after) not in own]


def edits(found: Iterable[Edit], version: Mapping[str, Any]) -> list[tuple[Edit, Segments, Segments]]:
    """What a version changed, for showing: each edit with the words before and after."""
    return [(edit, *shown(edit, version[edit.field] or "")) for edit in found]


def web_link(url: str, label: str | None = None) -> Markup | None:
    """A link out of the archive, which tells the other side nothing; None unless it is http or https."""
    if not _WEB.fullmatch(url):
        return None
    return Markup('<a href="{}" rel="noopener noreferrer nofollow" dir="ltr">{}</a>').format(url, label or url)


def marked(snippet: str) -> Markup:
    """A snippet whose hits stand in [brackets], the hits marked."""
    return Markup(re.sub(r"\[([^\[\]]*)\]", r"<mark>\1</mark>", str(escape(snippet))))  # noqa: S704 (escaped above)


def feed(address: str, desk: str, title: str, rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """A topic's newest articles as an Atom feed, for readers who take no mail: what the template shows of rows of
    `desk.feed`, cleaned; `address` is the feed's own, `desk` the desk's."""
    entries = [_entry(row, desk.rstrip("/")) for row in rows]
    updated = max((entry["updated"] for entry in entries), default=_EPOCH)
    return {"address": address, "title": clean(title, 100), "updated": updated, "entries": entries}


def _entry(row: Mapping[str, Any], desk: str) -> dict[str, Any]:
    said, link = row["published_at"] or "", safe_link(row["url"])
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

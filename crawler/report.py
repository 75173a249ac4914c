"""How the commands print for people: an article, its versions, search hits.                                   [pure]"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from archive.alerts.excerpts import shown
from archive.reading import Archive, Difference, Hit
from archive.sqlite import statement
from archive.titles import heading
from crawler.terminal import plain


def article_text(values: Mapping[str, Any]) -> str:
    """What `rasid extract` prints of one page."""
    names = ("path", "title", "is_article", "published_at", "published_source", "modified_at", "author", "credit",
             "section", "language", "extractor")  # fmt: skip
    is_article = {True: "yes", False: "no", None: "cannot tell"}[values["is_article"]]
    lines = [f"{name + ':':18}{plain({**values, 'is_article': is_article}[name])}" for name in names]
    lines += ["", *_lines(values["text"])]
    for number, other in enumerate(values["related"], 1):
        lines += ["", f"related {number}: {plain(other)[:200]}"]
    if values["removed"]:
        lines += ["", "taken out:", *(f"  {rule}: {plain(line)[:160]}" for rule, line in values["removed"])]
    return "\n".join(lines)


def _lines(text: str) -> list[str]:
    return [line and plain(line) for line in text.split("\n")]


def diff_text(found: Difference, redaction: Mapping[str, Any] | None = None) -> str:
    """`rasid diff` for people: each edit as it was and as it is, the words that differ in [brackets]; what is Arabic
    keeps its own direction."""
    silent = " (silent: the page tells no new time of modification)" if found.silent else ""
    sides = [f"version {version.number}, {version.captured_at}" for version in (found.before, found.after)]
    lines = [f"{', to '.join(sides)}{silent}"]
    lines += ["", _redacted(redaction)] if redaction else []
    for edit in found.edits:
        why = f": {', '.join(edit.reasons)} ({_isolated(edit.passage or '')})" if edit.reasons else ""
        lines += ["", f"{edit.field}  {edit.op}  {edit.kind}{why}"]
        for sign, side in zip("-+", shown(edit, getattr(found.after, edit.field) or ""), strict=True):
            lines.append(f"  {sign} " + _isolated("".join(f"[{text}]" if hit else text for text, hit in side)))
    return "\n".join(lines if found.edits or redaction else [*lines, "", "Nothing that a reader would call a change."])


def _redacted(told: Mapping[str, Any]) -> str:
    return f"{'redacted:' if told['done_at'] else 'being redacted:':18}{told['at']}  {_isolated(told['reason'])}"


def _isolated(text: str) -> str:
    return f"\u2068{plain(text)}\u2069"


def hits_text(hits: Sequence[Hit]) -> str:
    """Search hits, two lines each."""
    return "\n".join(
        f"{hit.article_id:>6}  {plain(hit.title)}{copies(hit.copies)}\n        "
        f"{plain(hit.outlet_id)}  {plain(hit.published_at)}  {hit.status}  {plain(hit.snippet)}"
        for hit in hits
    )


def copies(count: int) -> str:
    """What stands behind a title whose copies are left out.

    >>> copies(0), copies(1), copies(3)
    ('', '  +1 copy', '  +3 copies')
    """
    return f"  +{count} {'copy' if count == 1 else 'copies'}" if count else ""


def shown_values(archive: Archive, article_id: int) -> dict[str, Any]:
    """Everything `rasid show` prints, as plain values."""
    article = archive.article(article_id)
    matches = archive.matches(article.version_id) if article.version_id else []
    story = archive.story(article_id)
    told = archive.query(statement("desk.told"), {"version": article.version_id})
    return {
        "article": asdict(article),
        "redaction": archive.redaction(article_id),
        "versions": [asdict(version) for version in archive.versions(article_id)],
        "matches": [asdict(match) for match in matches],
        "labels": archive.query(statement("reading.labels"), (article_id,)),
        "story": asdict(story) if story else None,
        **{kind: [row["words"] for row in told if row["what"] == kind] for kind in ("places", "figures")},
    }


def shown_text(values: Mapping[str, Any]) -> str:
    """`rasid show` for people."""
    article, versions = values["article"], values["versions"]
    lines = [f"{name + ':':18}{plain(value)}" for name, value in article.items() if name not in ("text",)]
    lines += [_redacted(values["redaction"])] if values["redaction"] else []
    for match in values["matches"]:
        words = ", ".join(dict.fromkeys(p["surface"] for p in match["passages"]))
        lines.append(f"{match['topic'] + ':':18}{match['strength']} {match['score']:.2f}  {plain(words)}")
    lines += [f"{'label:':18}{plain(row['topic'])} {row['verdict']}  {row['at']}" for row in values["labels"]]
    lines += [f"{kind + ':':18}{plain(', '.join(values[kind]))}" for kind in ("places", "figures") if values[kind]]
    if values["story"]:
        lines += ["", f"story {values['story']['id']}, told by:", *map(_told, values["story"]["articles"])]
    lines += ["", "history:"]
    lines += [f"  {v['number']}  {v['captured_at']}  {plain(heading(v['title'], v['text']))}" for v in versions]
    if versions:
        lines += ["", *_lines(versions[-1]["text"])]
    return "\n".join(lines)


def _told(member: Mapping[str, Any]) -> str:
    like = "" if member["similarity"] is None else f" {member['similarity']:.2f}"
    base = f" of {member['based_on_article_id']}" if member["based_on_article_id"] else ""
    credit = f", credits {plain(member['credited_outlet_id'])}" if member["credited_outlet_id"] else ""
    lacks = ", lacks a later edit" if member["lacks_correction"] else ""
    said = f", printed {plain(member['published_at'])}" if member["published_at"] else ""
    return (
        f"  {member['article_id']:>6}  {member['first_seen_at']}  {plain(member['outlet_id'])}  "
        f"{member['kind'].replace('_', ' ')}{base}{like}{credit}{lacks}{said}  {plain(member['title'])}"
    )

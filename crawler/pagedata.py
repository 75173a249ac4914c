"""The article that a page holds only as data for its own scripts (Next, Nuxt, any state written as JSON).      [pure]

No script is run: what is JSON is read, what has the page's title and a long text is the article. All of it is hostile:
what is too deep, too much or no JSON is passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import escape, unescape
from typing import Any

from lxml.html import HtmlElement

from archive.furniture import fold, is_prose
from crawler.clean import DATA

_STATE = re.compile(
    r"""\s*(?:(?:var|let|const)\s+|(?:window|self|globalThis)\s*(?:\.|\[["']))?[\w$]{3,40}(?:["']\])?\s*=\s*(?=[\[{])"""
)
_TITLES, _TEXTS, _PART = (DATA["scripts"][names] for names in ("titles", "texts", "parts"))
_MOST = 100_000  # values looked at in a page
_TAG = re.compile(r"<[^<>]*>")
_BREAK = re.compile(r"<(?:br|/p|/div|/h\d|/li)[^<>]*>|\n")


def article_in_data(tree: HtmlElement, title: str) -> tuple[str, str] | None:
    """Headline and HTML of the longest text that the page's data hold under its title, or None. The page's title may
    go on with the name of the site."""
    wanted, found, headline = fold(title), "", ""
    for root in _states(tree):
        waiting, seen = [root], 0
        while waiting and (seen := seen + 1) < _MOST:
            value = waiting.pop()
            if isinstance(value, list):
                waiting.extend(item for item in value if isinstance(item, dict | list))
            elif isinstance(value, dict):
                waiting.extend(item for item in value.values() if isinstance(item, dict | list))
                names = (unescape(_TAG.sub("", _text(value.get(key), root))) for key in _TITLES)
                name = next((name for name in names if wanted.startswith(fold(name) or "\n")), "")
                text = max((_text(value.get(key), root) for key in _TEXTS), key=len) if len(name) >= 8 else ""
                if len(text) > len(found) and 2 * len(name) > len(title):
                    headline, found = " ".join(name.split()), text
    lines = [_TAG.sub("", line).strip() for line in _BREAK.split(found)]
    if not any(map(is_prose, lines)):
        return None
    return headline, found if "<" in found else "".join(f"<p>{escape(line)}</p>" for line in lines if line)


def _states(tree: HtmlElement) -> Iterator[Any]:
    """Every JSON value that a script of the page holds or assigns."""
    for script in tree.iter("script"):
        text, kind = script.text or "", script.get("type") or ""
        start = _STATE.match(text)
        if "json" not in kind and not start:
            continue
        try:
            yield json.JSONDecoder(strict=False).raw_decode(text[start.end() :] if start else text.strip())[0]
        except (ValueError, RecursionError):
            continue


def _text(value: Any, root: Any, depth: int = 0) -> str:
    """The text a value is, points at (Nuxt numbers its values) or holds in parts."""
    if isinstance(value, int) and not isinstance(value, bool) and isinstance(root, list) and 0 <= value < len(root):
        value = root[value] if isinstance(root[value], str) else None
    if isinstance(value, str) or depth > 3:
        return value if isinstance(value, str) else ""
    if isinstance(value, list):
        parts = (_text(part, root, depth + 1) for part in value[:500])
        return "".join(part if "<" in part else f"<p>{escape(part)}</p>" for part in parts if part)
    if isinstance(value, dict):
        return next(filter(None, (_text(value.get(key), root, depth + 1) for key in _PART)), "")
    return ""

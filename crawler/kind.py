"""What kind of page it is: one story, or a home, section, search, login or error page.                        [pure]"""

from __future__ import annotations

import re
from collections import Counter
from urllib.parse import unquote, urlsplit

from lxml.html import HtmlElement

from archive.furniture import either, fold, is_prose
from archive.models import Page
from crawler.addresses import LISTING
from crawler.clean import DATA, ENDED, SECTIONS, Clean
from crawler.metadata import Metadata, text_of

_KIND = DATA["page"]
ERROR, _SORRY, OTHER, _ABOUT = (
    re.compile(rf"(?:{either(_KIND[kind])})(?!\w)") for kind in ("error", "sorry", "other", "about")
)
_LISTED, _SINGLE, _NOTICE, _SITE = (re.compile(_KIND[kind]) for kind in ("classes", "single", "notice", "site"))


def is_article(page: Page, tree: HtmlElement, meta: Metadata, tidy: Clean) -> bool | None:
    """Whether the page tells one story; None where it cannot be told. Home, section, login and error pages have no
    prose or have it in cards, or their title, address, words or CMS say what they are."""
    prose = [line for line in tidy.lines if is_prose(line)]
    title, url = fold(meta.title), urlsplit(page.final_url)
    if page.status >= 400 or _is_notice(title, prose, meta):
        return False
    # A news flash is short, and often neither signed nor dated.
    claimed = meta.claimed and meta.headline is not None and url.path not in ("", "/")
    note = meta.claimed and (meta.published or meta.author) and len(tidy.lines) <= 2 and title not in meta.site
    note = note and url.path not in ("", "/") and any(map(ENDED.fullmatch, tidy.lines))
    flash = None if claimed or note else False
    lines = [line for line in tidy.lines if len(line) >= 20 and line != meta.title]
    if not prose and not (claimed and any(meta.published or line.endswith(".") for line in lines)):
        return flash
    cards = _in_cards(tree, prose)
    if meta.stated:
        return cards < 0.8
    classes = tree.body.get("class") or ""
    if cards >= 0.5 or (_LISTED.search(classes) and not _SINGLE.search(classes)):
        return False
    if LISTING.search(unquote(url.path)) and page.url == page.final_url and not (meta.published or meta.author):
        return False
    if meta.published or meta.author or tidy.author or tidy.published or tidy.credit:
        return True if meta.headline is not None or note or len(prose) >= 2 else None
    if claimed and len(title.split()) >= 3:
        return True
    if meta.headline is None or len(title.split()) < 4:
        return None if len(prose) >= 3 and meta.headline is not None else flash
    return len(prose) >= 3 or len(title.split()) >= 6 or flash


def _is_notice(title: str, prose: list[str], meta: Metadata) -> bool:
    """Whether the site speaks of itself: an error, a login, a page about it."""
    parts = [part for part in re.split(_KIND["parts"], title) if part and part not in meta.site]
    about = _ABOUT.match(title)
    if about and title[about.end() :].strip() in meta.site:
        return True
    if len(parts) == 1 and (OTHER.fullmatch(parts[0]) or parts[0] in SECTIONS):
        return True
    if len(prose) >= 4 or (meta.stated and prose):
        return False
    if ERROR.match(title):  # "Sorry, ..." may be told, too
        return not _SORRY.match(title) or len(title.split()) < 4 or bool(_SITE.search(fold(" ".join([title, *prose]))))
    return not (meta.author or meta.claimed) and bool(_NOTICE.search(fold(" ".join([title, *prose[:1]]))))


def _in_cards(tree: HtmlElement, prose: list[str]) -> float:
    """The share of prose that stands in cards: in a link, or alone in its block with another story's link."""
    told, starts = fold(" ".join(prose)), {fold(line)[:50] for line in prose}
    spots, linked = [], 0
    for tag in tree.iter("p", "div", "span", "li", "td", "dd", "h3", "h4", "font", "section", "article", "a"):
        for text in (tag.text, *(child.tail for child in tag)):
            piece = " ".join(text.split()) if text else ""
            if len(piece) <= 40 or (start := fold(piece)[:50]) not in told:
                continue
            if tag.tag == "a" or next(tag.iterancestors("a"), None) is not None:
                linked += start in starts
            else:
                spots.append((tag, piece))
    if len(spots) + linked < 2:
        return 0.0
    held = Counter(up for tag, _ in spots for up in (tag, *tag.iterancestors()))
    cards = linked + sum(_is_card(tag, piece, held) for tag, piece in spots)
    return cards / (len(spots) + linked) if cards > 1 else 0.0


def _is_card(tag: HtmlElement, piece: str, held: Counter[HtmlElement]) -> bool:
    block = tag
    while block.getparent() is not None and held[block.getparent()] == 1:
        block = block.getparent()
    before = block.getprevious()
    above = list(before.iter("a")) if before is not None and not held[before] else []
    within = set(tag.iter("a")) if (tag.text or "").strip() else set()  # links in a sentence
    links = [*(link for link in block.iter("a") if link not in within), *(above if len(above) == 1 else ())]
    return any(len(said := text_of(link)) >= 15 and said not in piece for link in links)

"""From the bytes of a page to an article. The only import of trafilatura.

The body is trafilatura's; headline, dates and byline are read from the same tree by `crawler.metadata`, furniture is
taken out by `crawler.clean`. Where trafilatura finds nothing or a stump, JSON-LD's articleBody is taken, or the text
that the page's data for its own scripts hold; `extractor` says which way was taken.
"""

from __future__ import annotations

import re
from collections import Counter
from copy import deepcopy
from dataclasses import replace
from html import escape
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import trafilatura
from lxml import html
from lxml.html import HtmlElement
from trafilatura.settings import DEFAULT_CONFIG

from archive.errors import ExtractionError
from archive.furniture import either, family_of, fold, is_prose, read_more
from archive.models import Article, Page
from archive.times import moment
from crawler.addresses import read_addresses
from crawler.charset import ARABIC, charset_of, decode, printable
from crawler.clean import DATA, Clean, clean
from crawler.kind import is_article
from crawler.metadata import FURNITURE, Metadata, in_aside, names_of, read_metadata, text_of
from crawler.pagedata import article_in_data
from crawler.telegram import posts_on, read_post

TRAFILATURA = f"trafilatura/{version('trafilatura')}"
_STUMP = 250  # letters of text below which another way is tried
_INLINE = {"a", "b", "strong", "i", "em", "u", "span", "font", "sup", "sub", "mark", "q", "abbr", "cite"}
_HEADINGS = {"h1", "h2", "h3", "h4", "h5"}
_AROUND = {"related", "comments", "caption", "author_box", "advert"}
_SHORT = deepcopy(DEFAULT_CONFIG)
_SHORT.set("DEFAULT", "min_extracted_size", "40")
_STEM = re.compile(r"(?<!\w)[وفبلك]?(?:ال|لل)?([^\W\d_]{4})")
_BOARD = re.compile(DATA["place"]["board"])
_AMP = "|".join(f"//amp-{name}[not(.//h1)]" for name in DATA["place"]["amp"])
_DATA_FRAME = "<html><body><article><h1>{}</h1><div>{}</div></article></body></html>"
_GZIP = b"\x1f\x8b\x08"
_COMMENTS = re.compile(rf"[\W\d]*(?:{either(DATA['family']['comments']['labels'])})[\W\d]*")


def extract(page: Page) -> Article:
    """Read an HTML page. Raises ExtractionError where there is no HTML to read."""
    tree = tree_of(page)
    if (post := posts_on(tree).get(urlsplit(page.final_url).path[1:].lower())) is not None:
        told = read_post(post, page.outlet_name)
        return replace(told, language=_language(told.text, None))
    way, now, addresses = _mend(tree), moment(page.at), read_addresses(tree, page)
    meta = read_metadata(tree, now, page.timezone, page.outlet_name)
    for script in tree.xpath("//script[contains(@type, 'ld+json')]"):
        script.drop_tree()  # read already; trafilatura would take its text without paragraphs
    _frame(tree, meta.headline)
    lines, from_data = _body(tree, meta)
    shown = sum(map(len, lines))
    held = article_in_data(tree, meta.title) if shown < _STUMP else None
    if held and len(held[1]) > 1.5 * shown:
        meta.title, way = printable(held[0]), "page-data"
        tree = html.document_fromstring(_DATA_FRAME.format(escape(meta.title), printable(held[1])))
        _mend(tree)
        meta.headline, meta.claimed = tree.find(".//h1"), True
        _frame(tree, meta.headline)
        lines, from_data = _body(tree, meta)
    links = frozenset(fold(text_of(link)) for link in tree.xpath("//a[not(starts-with(@href, '#')) or @href = '#']"))
    tidy = clean(
        lines, meta.title, now=now, zone=page.timezone, outlet=page.outlet_name, known=_furniture(tree, meta),
        links=links, published=meta.published.value if meta.published else None,
    )  # fmt: skip
    tidy.lines[:0] = _lead(meta, tidy)
    if not tidy.lines and is_article(page, tree, meta, tidy) is None:  # a photo's story is its caption, a flash a title
        told_below = [row for rule, row in tidy.removed if rule == "caption" and len(row) >= 45]
        tidy.lines, way = (told_below, f"{way}+caption") if told_below else ([meta.title], f"{way}+headline")
    told = _article(meta.title, tidy, "json-ld" if from_data else way, meta.language)
    if meta.published:
        told = replace(told, published_at=meta.published.value, published_source=meta.source)
    return replace(
        told,
        author=meta.author or (tidy.author if fold(tidy.author or "") not in meta.site else None),
        modified_at=meta.modified.value if meta.modified else None,
        section=meta.section,
        is_article=is_article(page, tree, meta, tidy),
        addresses=addresses,
    )


def tree_of(page: Page) -> HtmlElement:
    """The parsed HTML of a page, control characters taken out. Raises ExtractionError where there is none."""
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    if page.body.startswith(_GZIP):
        raise ExtractionError(f"{page.final_url}: is compressed, though its headers say nothing of it")
    try:
        tree = html.document_fromstring(printable(decode(page.body, charset_of(page))).encode(), parser=parser)
    except (html.etree.ParserError, ValueError) as error:
        raise ExtractionError(f"{page.final_url}: there is no HTML to read ({error})") from error
    if tree.body is None:
        raise ExtractionError(f"{page.final_url}: there is no HTML to read (it has no body)")
    return tree


def extract_text(text: str, *, at: str, timezone: str | None = None, outlet: str | None = None) -> Article:
    """Read a plain text: the first line that is no furniture is the title. `at` is the stamp of reading."""
    rows = [row for row in (" ".join(line.split()) for line in text.splitlines()) if row]
    first = next((number for number, row in enumerate(rows) if not family_of(row)), None)
    if first is None:
        raise ExtractionError("the text holds no line to read")
    tidy = clean(rows[first + 1 :], rows[first], now=moment(at), zone=timezone, outlet=outlet)
    told = _article(rows[first], tidy, "text")
    removed = (*(("breadcrumb", row) for row in rows[:first]), *told.removed)
    return replace(told, is_article=True if any(map(is_prose, tidy.lines)) else None, removed=removed)


def _article(title: str, tidy: Clean, extractor: str, language: str | None = None) -> Article:
    """What the cleaned lines alone say."""
    text = "\n".join(tidy.lines)
    return Article(
        title=title,
        text=text,
        author=tidy.author,
        published_at=tidy.published.value if tidy.published else None,
        published_source=tidy.source,
        credit=tidy.credit,
        language=_language(text, language),
        extractor=extractor,
        related=("\n".join(tidy.related),) if tidy.related else (),
        removed=tuple(tidy.removed),
    )


def _mend(tree: HtmlElement) -> str:
    """Undo markup that trafilatura would lose text over, and take reader comments out; says which way was taken."""
    way, whole = TRAFILATURA, len(text_of(tree))
    for tag in tree.xpath(_AMP):
        tag.drop_tree()
        way = f"{TRAFILATURA}+amp"
    for form in tree.xpath("//form[.//p or .//h1]"):
        if len(text_of(form)) > 0.5 * whole:  # the whole page, not a form in it
            form.tag, way = "div", f"{TRAFILATURA}+form"
    for table in tree.xpath(
        "//table[.//h1 or .//p or .//table or .//td[string-length(normalize-space()) > 400]"
        " or not(.//tr[count(td|th) > 1])]"
    ):
        for tag in [*table.iter("tbody", "tr", "td"), table]:  # laid out in a table, no table of figures
            if tag is table or next(tag.iterancestors("table"), table) is table:
                tag.tag, way = "div", f"{TRAFILATURA}+table"
    for block in tree.xpath(
        "//*[self::div or self::td or self::section or self::article or self::font or self::span]"
        "[br or ((p or h1) and text()[string-length(normalize-space()) > 40])][not(ancestor-or-self::p)]"
    ):
        _paragraphs(block)
    for tag in tree.xpath(
        "//body//*[contains(concat(' ', @class), ' comment') or starts-with(@id, 'comment')][not(.//h1)]"
    ):
        if tag.getparent() is not None and tag.tag not in ("body", "article", "main"):
            tag.drop_tree()
    for tag in tree.iter("figcaption"):
        tag.tag, tag.attrib["class"] = "p", "caption"
    _drop_cards(tree)
    _drop_foreign_tables(tree)
    return way


def _frame(tree: HtmlElement, headline: HtmlElement | None) -> None:
    """Name the block that holds the page's prose, as markup may: without a name trafilatura takes every paragraph and
    table of the page, and no heading or list. Tables outside that block are the site's."""
    for heading in tree.xpath("//article//*[self::h2 or self::h3 or self::h4][.//a or ancestor::a]"):
        card = next(heading.iterancestors("article"), None)
        if card is not None and headline is not None and card not in headline.iterancestors():
            teaser = 0 <= text_of(card).find(text_of(heading)) < 30  # trafilatura would take the first for the article
            card.tag = "aside" if teaser else "article"
    own = next(headline.iterancestors("article"), None) if headline is not None else None
    for heading in own.xpath("following::article//h1") if own is not None else ():
        next(heading.iterancestors("article")).tag = "aside"  # the next story of an endless page
    held: Counter[HtmlElement] = Counter()
    shapes, before, told = set(), Counter[HtmlElement](), list[tuple[HtmlElement, int]]()
    for tag in tree.body.iter("p", "div", "section", "article", "blockquote"):
        parts = [tag.text or "", *(text_of(child) + (child.tail or "") for child in tag if child.tag in _INLINE)]
        if is_prose(text := " ".join(" ".join(parts).split())) and not (in_aside(tag) or tag.xpath("ancestor::a")):
            parent = tag.getparent()
            if _is_leaf(tag):
                shapes |= {(tag.get("class"), parent.get("class")), (None, parent.get("class"))}
            before[parent] += 1
            if before[parent] == 2:  # between two paragraphs stands a third
                shapes |= {(twin.get("class"), parent.get("class")) for twin in parent if _is_leaf(twin)}
            told.append((tag, len(text)))
            for up in tag.iterancestors():
                held[up] += len(text)
    _drop_teasers(told, held, headline)
    block = min((up for up in held if held[up] > 0.9 * held[tree.body]), key=held.__getitem__, default=tree.body)
    if block.get("class") and any(twin.get("class") == block.get("class") for twin in block.itersiblings()):
        block = block.getparent()
    for tag in list(tree.body.iter("div", "section", "article")):
        if not "".join([tag.text or "", *(child.tail or "" for child in tag)]).strip():
            pieces = tag.xpath("self::*[*/@class]/*[self::span or self::time or self::small]")
            for piece in pieces if len(pieces) > 1 else ():  # set apart by style alone
                piece.tag = "p"
        shape = tag.get("class"), tag.getparent().get("class")
        if shape in shapes and _is_leaf(tag) and block in tag.iterancestors():
            tag.tag = "p"
    if block.tag in ("div", "main", "section", "article"):
        block.set("itemprop", "articleBody")
        for table in tree.xpath("//table[not(ancestor::*[@itemprop='articleBody'])]"):
            if table.getparent() is not None and block not in table.iterdescendants():
                table.drop_tree()


def _drop_teasers(
    told: list[tuple[HtmlElement, int]], held: Counter[HtmlElement], headline: HtmlElement | None
) -> None:
    """Take out a paragraph alone in its block under the linked headline of another story, where more is told beside."""
    cards, own = list[tuple[HtmlElement, int]](), fold(text_of(headline)) if headline is not None else ""
    for tag, size in told:
        card = tag
        while (up := card.getparent()) is not None and held[up] == size and up.tag != "body":
            card = up
        over = [piece for piece in card.iter() if piece.tag == "a" or piece is tag]
        names = [text_of(link) for link in over[: over.index(tag)]]
        if any(len(name) >= 15 and fold(name) not in own for name in names) and headline not in card.iter():
            cards.append((card, size))
    gone = sum(size for _, size in cards)
    for card, size in cards if 2 * gone < sum(size for _, size in told) else ():
        for up in card.iterancestors():
            held[up] -= size
        card.drop_tree()


def _is_leaf(tag: HtmlElement) -> bool:
    """Whether a division is a paragraph by another name."""
    return tag.tag in ("div", "section", "article") and all(child.tag in _INLINE for child in tag)


def _drop_foreign_tables(tree: HtmlElement) -> None:
    """Take out boards of exchange rates, weather or prayer times, unless the story speaks of what they list."""
    tables = tree.xpath("//table[not(ancestor::table)]")
    prose = [text_of(tag) for tag in tree.iter("p") if tables and next(tag.iterancestors("table"), None) is None]
    told = set(_STEM.findall(fold(" ".join(filter(is_prose, prose)))))
    for table in tables:
        text = fold(" ".join(table.itertext()))
        if told and _BOARD.search(text) and told.isdisjoint(_STEM.findall(text)):
            table.drop_tree()


def _drop_cards(tree: HtmlElement) -> None:
    """Take out the cards under a heading like "related articles": they hold teasers that read like the article."""
    for tag in list(tree.iter("h2", "h3", "h4", "h5", "strong", "b", "span", "div", "p")):
        if len(tag) > 2 or len(said := text_of(tag)) > 60:
            continue
        comments = tag.tag in _HEADINGS and bool(_COMMENTS.fullmatch(fold(said)))
        if not comments and read_more(said) != "":
            continue
        while (up := tag.getparent()) is not None and text_of(up) == text_of(tag):
            tag = up
        for card in list(tag.itersiblings()):
            if comments and card.tag not in _HEADINGS and card.find(".//h1") is None:
                card.drop_tree()
                continue
            if card.tag in _INLINE or comments:
                break
            text = text_of(card)
            links = sum(len(name) for link in card.iter("a") if len(name := text_of(link)) >= 15 and not _in_told(link))
            told = Counter(piece.getparent() for piece in card.iter("p") if is_prose(text_of(piece)))
            story = max(told.values(), default=0) > 1 or (card.tag == "p" and links < 0.6 * len(text))
            if story or (text and not links):
                break
            card.drop_tree()


def _in_told(link: HtmlElement) -> bool:
    """Whether a link is a part of a sentence, not the headline of one."""
    told, name = text_of(next(up for up in link.iterancestors() if up.tag not in _INLINE)), text_of(link)
    return is_prose(told) and len(name) < 0.6 * len(told) and not told.startswith(name)


def _paragraphs(block: HtmlElement) -> None:
    """Lines parted by <br> become paragraphs: trafilatura prefers those, wherever they stand."""
    lines: list[HtmlElement] = []
    line = html.Element("p")
    line.text, block.text = block.text, None
    for child in list(block):
        if child.tag in _INLINE:
            line.append(child)
        else:
            lines.append(line)
            line = html.Element("p")
            line.text, child.tail = child.tail, None
            if child.tag == "br":
                block.remove(child)
            else:
                lines.append(child)
    block[:] = [*lines, line]


def _body(tree: HtmlElement, meta: Metadata) -> tuple[list[str], bool]:
    """Lines of the body, and whether they are JSON-LD's."""
    text = ""
    for config in (_SHORT, DEFAULT_CONFIG):  # the default would pour the whole page over a short article
        found: Any = trafilatura.bare_extraction(tree, include_comments=False, config=config)
        text = (found.text or "") if found else ""
        if any(map(is_prose, text.split("\n"))):
            break
    if len(meta.body) > len(text) and len(text) < max(_STUMP, 0.4 * len(meta.body)):
        return meta.body.split("\n"), True
    return text.split("\n"), False


def _furniture(tree: HtmlElement, meta: Metadata) -> dict[str, str]:
    """Folded lines that the markup marks as furniture, with the name of their rule."""
    known: dict[str, str] = {}
    most = 0.25 * len(text_of(tree))
    for tag in tree.body.xpath(".//*[@class or @id]|.//figcaption"):
        names = names_of(tag) if tag.tag != "figcaption" else "caption"
        rule = next((rule for rule, pattern in FURNITURE.items() if pattern.search(names)), None)
        if rule and len(text_of(tag)) < (most if rule in ("related", "comments") else 400):
            lines = {text_of(piece) for piece in tag.iter() if isinstance(piece.tag, str)}
            if rule in _AROUND or not any(map(is_prose, lines)):  # else a class that says little, of the body itself
                known |= {fold(line): rule for line in lines if len(line) < 250 and not is_prose(line)}
    known |= {fold(alt): "caption" for alt in tree.xpath("//img/@alt") if len(alt) >= 15}
    known |= {fold(name or ""): rule for name, rule in ((meta.author, "byline"), (meta.section, "section"))}
    known |= dict.fromkeys(meta.site, "site")
    if meta.headline is not None:  # a label over the headline
        over = meta.headline.xpath("preceding::*[self::h2 or self::h3 or self::h4 or self::h5][position() <= 2]")
        known |= {fold(line): "section" for line in map(text_of, over) if len(line) < 40}
    known.pop("", None)
    return known


def _lead(meta: Metadata, tidy: Clean) -> list[str]:
    """Paragraphs printed between the headline and the body that the body does not hold."""
    if meta.headline is None or not tidy.lines:
        return []
    inside, first = fold(" ".join([meta.title, *tidy.lines])), fold(tidy.lines[0])[:40]
    dropped, leads = {row for _, row in tidy.removed}, list[str]()
    for piece in meta.headline.xpath("following::*[self::p or self::div or self::h2 or self::h3 or self::span]")[:60]:
        line = text_of(piece)
        if fold(line).startswith(first):
            return leads
        whole = is_prose(line) and not piece.xpath(".//a|.//p|.//div|.//br|ancestor::figure") and not in_aside(piece)
        whole = whole and not FURNITURE["caption"].search(names_of(piece))
        if whole and fold(line) not in inside and line not in dropped and not family_of(line):
            inside += fold(line)
            leads.append(line)
    return []


def _language(text: str, stated: str | None) -> str | None:
    """The language the letters allow, as the page states it where it can be that one."""
    letters = len(re.findall(r"[^\W\d_]", text[:2000]))
    if 2 * len(ARABIC.findall(text[:2000])) > letters:
        return stated if stated in ("fa", "ur", "ku", "ps") else "ar"
    return None if stated == "ar" and letters else stated

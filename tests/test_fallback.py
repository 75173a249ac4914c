"""A page without text is told by its feed; a wall, a missing page or another page never is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.models import Article, Link, Page
from archive.versions import FEED
from crawler.extract import extract
from crawler.listings.feeds import CONTENT_MAX, links_from_feed
from crawler.process import from_feed
from tests.crawl_kit import OFF_TOPIC, TEXT, Desk, one_article
from tests.servers import Site, article

URL = "https://example.org/2026/01/dayr-hafir"
TITLE = "وصول قافلة من نازحي دير حافر إلى حلب"
LINES = [
    "وصلت إلى مدينة حلب صباحَ اليوم قافلةٌ تُقلّ مئتي عائلةٍ نزحت من دير حافر، بحسب ما قاله مسؤول في المحافظة.",
    "وأضاف المسؤول أن مراكز الإيواء استقبلت العائلات، وأن فرق الهلال الأحمر وزّعت عليها سلالاً غذائية وأغطية.",
    "ومن المنتظر أن تصل قافلة ثانية مساء الغد إذا بقيت الطريق آمنة.",
]
CONTENT = "".join(f"<p>{line}</p>" for line in LINES)
LINK = Link(URL, TITLE, "2026-01-21T09:00:00+00:00", content=CONTENT)


def page(html: str, link: Link | None = LINK, **more: object) -> Page:
    given = Page(URL, URL, "2026-01-21T10:00:00Z", 200, (("Content-Type", "text/html"),), html.encode(), link=link)
    return replace(given, **more)  # type: ignore[arg-type]


def read(html: str, link: Link | None = LINK, **more: object) -> Article:
    asked = page(html, link, **more)
    return from_feed(asked, extract(asked))


def shell(title: str = "موقع الأخبار", head: str = "", body: str = "") -> str:
    return (
        f"<html><head><title>{title}</title>{head}</head><body><noscript>Enable JavaScript</noscript>"
        f"<div id=root></div>{body}<script>start()</script></body></html>"
    )


def item(content: str, tag: str = "content:encoded") -> str:
    return (
        '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><item>'
        f"<title>{TITLE}</title><link>{URL}</link><description>مقتطف</description><{tag}>{content}</{tag}>"
        "</item></channel></rss>"
    )


def listed(content: str, **more: str) -> str | None:
    return links_from_feed(item(content, **more).encode(), "application/rss+xml", URL + "/feed").links[0].content


def test_an_empty_page_has_the_text_of_its_feed_and_says_so():
    found = read(shell())
    assert (found.title, found.text) == (TITLE, "\n".join(LINES))
    assert found.extractor.startswith("feed content; trafilatura/")
    assert found.is_article is not False
    assert found.published_at is None  # dates are the page's, or what the listing says beside the text


def test_a_teaser_under_the_articles_title_gives_way_and_its_data_stay():
    head = (
        '<meta property="article:published_time" content="2026-01-21T08:30:00Z"><meta name=author content="سلمى نور">'
    )
    found = read(shell(f"{TITLE} - موقع الأخبار", head, f"<main><h1>{TITLE}</h1><p>{LINES[2]}</p></main>"))
    assert found.text == "\n".join(LINES)
    assert (found.author, found.published_at[:16], found.published_source) == ("سلمى نور", "2026-01-21T08:30", "meta")


def test_a_page_that_tells_its_story_is_read_as_it_is():
    told = read(shell(TITLE, "", f"<article><h1>{TITLE}</h1><p>{LINES[0]}</p><p>{LINES[1]}</p></article>"))
    assert told.text == "\n".join(LINES[:2])
    assert told.extractor.startswith("trafilatura/")


WALLS = {
    "soft 404": shell("موقع الأخبار", "", "<h1>عذراً، الصفحة التي تبحث عنها غير موجودة</h1>"),
    "soft 404 under the article's title": shell(f"{TITLE} | الموقع", "", "<div>عذراً، تم حذف هذا الخبر</div>"),
    "login": shell("تسجيل الدخول - موقع الأخبار", "", "<form><input name=u><input type=password></form>"),
    "login without words": shell("", "", "<form><input name=u><input type=password></form>"),
    "login under the article's title": shell(TITLE, "", "<form>اشترك<input type=password name=p></form>"),
    "challenge": shell("Just a moment...", "", ""),
    "challenge without a name": shell("", '<META NAME="robots" CONTENT="noindex,nofollow">'),
    "challenge in words": shell("example.org", "", "<h1>جارٍ التحقق من أنك لست روبوتاً</h1>"),
    "unavailable": shell("503 Service Unavailable"),
    "home": shell("الرئيسية - موقع الأخبار"),
    "another story": shell("افتتاح معرض الزهور", "", "<h1>افتتاح معرض الزهور في دمشق اليوم</h1>"),
}


@pytest.mark.parametrize("name", WALLS)
def test_what_is_not_the_articles_page_is_never_filled_in(name):
    found = read(WALLS[name])
    assert FEED not in found.extractor
    assert not any(line in found.text for line in LINES)


def test_a_blank_page_at_another_address_is_not_the_articles():
    assert FEED not in read(shell(), final_url="https://example.org/").extractor
    assert FEED in read(shell(), final_url="https://www.example.org/2026/01/dayr-hafir/").extractor


def test_without_its_feed_the_page_is_read_alone():
    assert FEED not in read(shell(), None).extractor
    assert read(shell(), None).is_article is False


def test_content_that_tells_nothing_is_no_text():
    for content in ("<img src=a.jpg>", "<p>صور</p>", "<p></p>"):
        assert FEED not in read(shell(), replace(LINK, content=content)).extractor


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"]), max_size=60))
def test_whatever_a_feed_carries_the_article_around_it_is_read(odd):
    """Markup or not: never an error, and the sentences beside it are all there."""
    for content in (f"{CONTENT}<p>{escape(odd)}</p>", f"<div>{odd}</div>{CONTENT}"):
        found = read(shell(), replace(LINK, content=content))
        if found.extractor.startswith(FEED) and not {"<", "&"} & set(odd):
            assert all(line in found.text for line in LINES)


def test_cdata_escaped_markup_and_character_references_come_out_the_same():
    numbered = "".join(f"<p>{''.join(f'&#{ord(c)};' for c in line)}</p>" for line in LINES)
    wanted = "\n".join(LINES)
    for content in (f"<![CDATA[{CONTENT}]]>", f"<![CDATA[{numbered}]]>", escape(CONTENT), escape(numbered)):
        assert read(shell(), replace(LINK, content=listed(content))).text == wanted


def test_atom_content_counts_and_a_summary_does_not():
    atom = (
        f'<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>{TITLE}</title><link href="{URL}"/>%s</entry></feed>'
    )
    for entry, whole in (
        (f'<summary>مقتطف</summary><content type="html">{escape(CONTENT)}</content>', True),
        (f'<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">{CONTENT}</div></content>', True),
        (f'<content type="text">{LINES[0]}</content>', False),
        (f'<summary type="html">{escape(CONTENT)}</summary>', False),
        (f'<content type="text/html" src="{URL}"/>', False),
    ):
        links = links_from_feed((atom % entry).encode(), "application/atom+xml", URL + "/feed").links
        assert (links[0].content is not None) is whole, entry
        if whole:
            assert read(shell(), links[0]).text == "\n".join(LINES)
    assert listed(f"<![CDATA[{CONTENT}]]>", tag="x") is None  # RSS: a description is no text


@pytest.mark.parametrize(
    "end",
    [
        "<p>وقال المسؤول إن [&#8230;]</p>",
        "<p>وقال المسؤول إن [...]</p>",
        "<p>وقال المسؤول…</p>",
        '<p>وقال <a class="more-link" href="/x">Continue reading <span>وصول قافلة</span> &rarr;</a></p>',
        '<p><a href="/x">متابعة القراءة «وصول قافلة من نازحي دير حافر»</a></p>',
        '<a href="/x">اقرأ المزيد</a>',
        '<p>[&hellip;]</p><p>The post <a href="/x">وصول</a> appeared first on <a href="/">موقع</a>.</p>',
    ],
)
def test_an_excerpt_is_not_the_whole_text(end):
    assert listed(f"<![CDATA[{CONTENT}{end}]]>") is None


@pytest.mark.parametrize(
    "end",
    [
        '<p>The post <a href="/x">وصول قافلة</a> appeared first on <a href="/">موقع الأخبار</a>.</p>',
        '<p>ظهرت المقالة <a href="/x">وصول قافلة</a> أولاً على <a href="/">موقع الأخبار</a>.</p>',
        '\n<p>التدوينة <a rel="nofollow" href="/x">وصول قافلة</a> ظهرت أولاً على <a href="/">موقع</a>.</p>\n',
    ],
)
def test_what_the_publishing_system_appends_is_no_text(end):
    assert read(shell(), replace(LINK, content=listed(f"<![CDATA[{CONTENT}{end}]]>"))).text == "\n".join(LINES)


def test_a_text_too_long_to_hold_is_left_to_its_page():
    long = CONTENT * (CONTENT_MAX // len(CONTENT.encode()))
    assert listed(f"<![CDATA[{long}]]>") == long
    assert listed(f"<![CDATA[{long}{CONTENT}]]>") is None


# --- against real servers


MARKED = TEXT.replace("نقلت دفعة", "نَقَلَتْ دُفعةً").replace("قسد", "&#1602;&#1587;&#1583;")
WHOLE = "".join(f"<p>{line}</p>" for line in MARKED.splitlines())


def told_by_feed(desk: Desk, site: Site, content: str = WHOLE) -> None:
    """A desk with one outlet whose feed carries the whole text of /a, crawled once."""
    site.page(
        "/feed",
        '<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>'
        f"<item><title>نقل دفعة من معتقلي داعش</title><link>{site.url}/a</link>"
        "<description>مقتطف [&#8230;]</description>"
        f"<content:encoded><![CDATA[{content}]]></content:encoded></item></channel></rss>",
        content_type="application/rss+xml",
    )
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.open().crawl()


def revisit(desk: Desk) -> str:
    """Look at every kept article again; the outcome of the last look."""
    due = "UPDATE articles SET next_check_at = '2020-01-01T00:00:00Z' WHERE latest_version_id IS NOT NULL"
    desk.writer.submit(lambda tx: tx.db.execute(due)).result()
    desk.crawl()
    return str(desk.rows("SELECT outcome FROM fetches WHERE source_id IS NULL ORDER BY id DESC")[0][0])


@pytest.mark.parametrize("teaser", [False, True])
def test_a_page_without_text_is_kept_by_its_feed_and_never_edited_by_having_none(
    desk: Desk, site: Site, teaser: bool
) -> None:
    title, short = "نقل دفعة من معتقلي داعش", "أعلنت قوات سوريا الديمقراطية نقل دفعة من المعتقلين من سجن الصناعة."
    site.page("/a", article(title, short) if teaser else shell())
    told_by_feed(desk, site)
    text, extractor = desk.rows("SELECT text, extractor FROM versions")[0]
    assert extractor.startswith("feed content; trafilatura/")
    assert "نَقَلَتْ دُفعةً" in text
    assert text.count("\n") == TEXT.count("\n")
    assert "قسد" in text
    assert desk.rows("SELECT count(*) FROM frontier") == [(0,)]
    assert [revisit(desk), revisit(desk)] == ["unchanged", "unchanged"]
    site.page("/a", "<html><head><title>تسجيل الدخول</title></head><body><input type=password></body></html>")
    assert revisit(desk) in ("unreadable", "blocked")  # neither an edit nor a withdrawal
    site.article("/a", f"{title} (صور)", TEXT)  # its own body at last, in the feed's words
    assert revisit(desk) == "unchanged"
    assert desk.rows("SELECT kind FROM events") == [("new",)]
    assert desk.rows("SELECT count(*) FROM versions") == [(1,)]
    site.article("/a", title, TEXT.replace("مئة وخمسين", "مئتين"))
    assert revisit(desk) == "ok"
    site.page("/a", shell())
    revisit(desk)
    assert desk.rows("SELECT kind FROM events") == [("new",), ("edited",)]
    assert desk.rows("SELECT text FROM latest") == [(TEXT.replace("مئة وخمسين", "مئتين"),)]


def test_a_missing_page_is_missing_whatever_its_feed_carries(desk: Desk, site: Site) -> None:
    site.page("/a", "<html><body><h1>عذراً، الصفحة التي تبحث عنها غير موجودة</h1></body></html>")
    told_by_feed(desk, site)
    assert desk.titles() == []
    assert desk.rows("SELECT count(*) FROM versions") == [(0,)]


def test_what_a_feed_carried_goes_when_its_address_is_given_up(desk: Desk, site: Site) -> None:
    site.route("/a", lambda visit: visit.answer("حذف", 410))
    told_by_feed(desk, site)
    assert desk.rows("SELECT next_at, content FROM frontier") == [(None, None)]


def test_the_amp_twin_tells_what_the_page_does_not(desk: Desk, site: Site) -> None:
    head = '<link rel="canonical" href="/news/71"><link rel="amphtml" href="/news/71/amp">'
    shell = article("نقل دفعة من معتقلي داعش", "اقرأ الخبر كاملاً في التطبيق.").replace("</head>", f"{head}</head>")
    site.page("/news/71", shell)
    amp = article("نقل دفعة من معتقلي داعش", TEXT).replace("<html ", "<html amp ")
    site.page("/news/71/amp", amp.replace("</head>", '<link rel="canonical" href="/news/71"></head>'))
    assert one_article(desk, site, "/news/71") == "ok"
    assert desk.rows("SELECT url, text FROM latest") == [(f"{site.url}/news/71", TEXT)]
    assert desk.rows("SELECT extractor FROM versions")[0][0].startswith("amp twin; ")
    assert desk.rows("SELECT url FROM captures") == [(f"{site.url}/news/71/amp",)]
    desk.ahead = timedelta(hours=2)
    desk.crawl()
    assert desk.rows("SELECT count(*) FROM versions") == [(1,)]
    assert site.hits("/news/71") == 2
    # Another story there, or one no longer, changes nothing.
    site.page("/news/71/amp", article("فوز الفريق الأخضر", OFF_TOPIC))
    desk.ahead = timedelta(hours=4)
    desk.crawl()
    assert desk.rows("SELECT count(*), min(status) FROM versions JOIN articles USING (id)") == [(1, "live")]

"""Links out of feeds and section pages: what is listed is found, what is furniture is not."""

from __future__ import annotations

import doctest
import gzip
import json
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

import crawler.listings
import crawler.listings.wordpress
from archive.models import Link
from crawler.listings import LINKS_MAX, Listing, Scope
from crawler.listings.feeds import links_from_feed
from crawler.listings.sections import links_from_section
from crawler.listings.sitemaps import UNPACKED_MAX, links_from_sitemap
from crawler.listings.wordpress import links_from_posts, posts_address

BASE = "https://example.org/feed"


def feed(text: str | bytes, content_type: str = "application/xml") -> tuple[Link, ...]:
    listing = links_from_feed(text.encode() if isinstance(text, str) else text, content_type, BASE)
    assert listing.problem is None
    return listing.links


@pytest.mark.parametrize("module", [crawler.listings, crawler.listings.wordpress])
def test_examples_in_docstrings(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0


def test_rss_with_relative_links_dates_and_doubly_escaped_titles() -> None:
    links = feed(
        """<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>
        <link>https://example.org/</link>
        <item><title><![CDATA[&#1602;&#1587;&#1583; &amp;quot;تنفي&amp;quot; <b>الأنباء</b>]]></title>
          <link>/أخبار/1?utm_source=rss</link><pubDate>Wed, 21 Jan 2026 10:00:00 +0300</pubDate>
          <dc:creator>ليلى حداد</dc:creator></item>
        <item><title>ثانٍ</title><guid isPermaLink="true">https://example.org/2</guid>
          <pubDate>غير معروف</pubDate></item>
        <item><title>بلا عنوان ويب</title></item>
        <item><title>مكرر</title><link>https://example.org/%D8%A3%D8%AE%D8%A8%D8%A7%D8%B1/1</link></item>
        <item><title>خبيث</title><link>javascript:alert(1)</link></item>
        </channel></rss>"""
    )
    assert [link.url for link in links] == [
        "https://example.org/%D8%A3%D8%AE%D8%A8%D8%A7%D8%B1/1",
        "https://example.org/2",
    ]
    assert links[0].title == 'قسد "تنفي" الأنباء'
    assert links[0].published_at == "2026-01-21T10:00:00+03:00"
    assert links[0].author == "ليلى حداد"
    assert links[1].published_at is None


def test_atom_gives_the_publication_date_and_the_update_as_a_hint_alone() -> None:
    links = feed(
        """<feed xmlns="http://www.w3.org/2005/Atom"><title>أخبار</title>
        <entry><title>أول</title><link rel="alternate" href="https://example.org/a"/><id>tag:example.org,2026:1</id>
          <published>2026-01-21T08:00:00Z</published><updated>2026-01-22T09:00:00Z</updated></entry>
        <entry><title>ثانٍ</title><link href="b"/><id>2</id><updated>2026-01-22T09:00:00Z</updated></entry></feed>"""
    )
    assert links == (
        Link("https://example.org/a", "أول", "2026-01-21T08:00:00+00:00", None, "2026-01-22T09:00:00+00:00"),
        Link("https://example.org/b", "ثانٍ", None, None, "2026-01-22T09:00:00+00:00"),
    )


def test_rdf_takes_the_item_date() -> None:
    links = feed(
        """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
        xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="https://example.org/"><title>أخبار</title></channel>
        <item rdf:about="https://example.org/r"><title>خبر</title><link>https://example.org/r</link>
        <dc:date>2026-01-21</dc:date></item></rdf:RDF>"""
    )
    assert links == (Link("https://example.org/r", "خبر", "2026-01-21"),)


@pytest.mark.parametrize("declared", ["windows-1256", "utf-8"])
def test_feeds_are_read_in_the_charset_they_are_in(declared: str) -> None:
    text = f"""<?xml version="1.0" encoding="{declared}"?><rss version="2.0"><channel><item>
        <title>الحسكة</title><link>https://example.org/1</link></item></channel></rss>"""
    assert feed(text.encode(declared))[0].title == "الحسكة"


def test_a_page_in_place_of_a_feed_is_a_problem_and_an_empty_feed_is_none() -> None:
    assert links_from_feed(b"<html><body>404</body></html>", "text/html", BASE).problem
    assert links_from_feed(b"", "", BASE).problem
    assert feed('<rss version="2.0"><channel><title>x</title></channel></rss>') == ()


def test_entity_bomb_ends_at_once_and_small() -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a0 "ها">' + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)
    )
    text = bomb + (
        ']><rss version="2.0"><channel><item><title>&a11;</title><link>https://example.org/1</link></item></channel></rss>'
    )
    listing = links_from_feed(text.encode(), "application/xml", BASE)
    assert sum(len(link.title or "") for link in listing.links) < 5000


def test_a_dump_of_links_is_cut() -> None:
    items = "".join(f"<item><link>https://example.org/{n}</link></item>" for n in range(LINKS_MAX + 50))
    assert len(feed(f'<rss version="2.0"><channel>{items}</channel></rss>')) == LINKS_MAX


SNIPPETS = st.sampled_from(
    ["<rss>", "<item>", "<link>/1</link>", "<urlset>", "<url>", "<loc>", "/1", "</loc>", "</url>", "<lastmod>2026-99",
     "<sitemapindex>", "<sitemap>", "&x;", "]]>", "http://[::1", '{"version": "https://jsonfeed.org/version/1.1"',
     ', "items": [', '{"url": 1, "authors": {}}', "null", "]}", '[{"link": "/1", "modified_gmt": 5', "}]", "\x1f\x8b"]
)  # fmt: skip


@given(st.binary(max_size=300) | st.lists(SNIPPETS, max_size=12).map(lambda parts: "".join(parts).encode()))
def test_no_bytes_break_the_readers(body: bytes) -> None:
    media = "text/html; charset=nonsense"
    for listing in (
        links_from_feed(body, media, BASE),
        links_from_section(body, media, BASE),
        links_from_sitemap(body, media, BASE, "2026-01-21"),
        links_from_posts(body, {"x-wp-totalpages": "9" * 5000}, BASE, BASE, "2026-01-21T10:00:00Z"),
    ):
        assert listing.problem is None or listing.links == ()


SECTION = """<html><head><meta charset="utf-8"><base href="/news/"></head><body>
<nav><a href="/politics">كل أخبار السياسة العربية والدولية اليوم</a></nav>
<div class="menu"><a href="/syria">سوريا</a> <a href="/tag/isis">كل الأخبار عن تنظيم داعش هنا</a></div>
<main>
  <article><a href="81234"><img src="/x.jpg"></a><h2><a href="81234?utm_source=home">قسد تعلن إحباط محاولة فرار من سجن
    الصناعة</a></h2></article>
  <article><a href="/2026/01/21/اجتماع-في-دمشق-حول-ملف-المخيمات">اجتماع دمشق</a></article>
  <a href="https://www.example.org/?p=555123"></a>
  <a href="https://other.example/a">خبر من موقع آخر لا علاقة له بهذا الموقع</a>
  <a href="/files/report-2026-01.pdf">تقرير مفصل عن أوضاع المحتجزين في المخيمات</a>
  <a href="#top">العودة إلى أعلى هذه الصفحة من جديد</a> <a href="javascript:x()">شارك هذا الخبر مع كل أصدقائك</a>
</main>
<footer><a href="/about">من نحن وكيف نعمل في غرفة الأخبار</a></footer></body></html>"""


def test_section_page_tells_articles_from_furniture() -> None:
    listing = links_from_section(SECTION.encode(), "text/html", "https://example.org/syria")
    assert [link.url for link in listing.links] == [
        "https://example.org/news/81234",
        "https://example.org/2026/01/21/%D8%A7%D8%AC%D8%AA%D9%85%D8%A7%D8%B9-%D9%81%D9%8A-%D8%AF%D9%85%D8%B4%D9%82-"
        "%D8%AD%D9%88%D9%84-%D9%85%D9%84%D9%81-%D8%A7%D9%84%D9%85%D8%AE%D9%8A%D9%85%D8%A7%D8%AA",
        "https://www.example.org/?p=555123",
    ]
    assert listing.links[0].title == "قسد تعلن إحباط محاولة فرار من سجن الصناعة"


def test_section_page_in_windows_1256() -> None:
    page = '<html><head><meta charset="windows-1256"></head><a href="/1234">اجتماع جديد حول ملف المخيمات</a></html>'
    listing = links_from_section(page.encode("windows-1256"), "text/html", "https://example.org/")
    assert listing.links == (Link("https://example.org/1234", "اجتماع جديد حول ملف المخيمات"),)


def test_an_emoji_spelled_as_two_halves_does_not_lose_the_feed() -> None:
    items = "<item><title>قسد &#55357;&#56832; &#xD83D; تنقل</title><link>https://example.org/1</link></item>"
    links = feed(f'<?xml version="1.0"?><rss version="2.0"><channel>{items}</channel></rss>')
    assert [(link.url, link.title) for link in links] == [("https://example.org/1", "قسد تنقل")]


def test_a_tag_made_to_take_hours_is_left_alone() -> None:
    attributes = " ".join(f"a{n}='1'" for n in range(100_000))
    assert "64 KB" in (links_from_feed(f"<rss {attributes}></rss>".encode(), "", BASE).problem or "")
    long = "ا" * 100_000
    assert len(feed(f"<rss version='2.0'><channel><item><link>https://example.org/1</link><description><![CDATA[{long}]]>"
                    "</description></item></channel></rss>")) == 1  # fmt: skip


def test_a_section_page_is_read_as_the_operator_says() -> None:
    page = b"""<a href="/n/1">x</a> <a href="/n/81234">y</a> <a href="/sport/99999">z</a> <a href="/2026/55555">w</a>"""
    listing = links_from_section(page, "text/html", "https://example.org/", Scope(("^/n/", "^/sport/"), ("^/sport/",)))
    assert [link.url for link in listing.links] == ["https://example.org/n/1", "https://example.org/n/81234"]


def test_half_a_character_in_json_costs_no_listing() -> None:
    """A title cut in the middle of an emoji; neither SQLite nor UTF-8 can hold the half that is left."""
    said = {"version": "https://jsonfeed.org/version/1.1", "items": []}
    said["items"] = [{"url": "/a", "title": "خبر \ud83d", "content_html": "<p>نص \ud83d</p>"}, {"title": "بلا عنوان"}]
    read = links_from_feed(json.dumps(said).encode(), "application/feed+json", BASE)
    assert read.links == (Link("https://example.org/a", "خبر ?", content="<p>نص ?</p>"),)
    rows = [{"link": "/a", "title": {"rendered": "خبر \ud83d"}}, {"title": {"rendered": "بلا رابط"}}]
    read = links_from_posts(json.dumps(rows).encode(), {}, f"{API}wp/v2/posts", API, None)
    assert read.links == (Link("https://example.org/a", "خبر ?"),)
    refused = links_from_posts(b'{"code": "\\ud83d"}', {}, f"{API}wp/v2/posts", API, None)
    assert refused.problem is not None
    assert refused.problem.encode()


def test_json_that_would_fill_the_memory_is_left_alone() -> None:
    for body in (b"[" + b",".join([b"{}"] * 300_000) + b"]", b"[" * 150_000):
        assert links_from_posts(body, {}, f"{API}wp/v2/posts", API, None).problem
        assert links_from_feed(b'{"items":' + body + b"}", "application/json", BASE).problem


def test_a_json_feed() -> None:
    items = [
        {"id": "1", "url": "/خبر?utm_source=json", "title": "قسد &amp; التحالف",
         "date_published": "2026-01-21T08:00:00Z", "date_modified": "2026-01-21T09:00:00Z",
         "authors": [{"name": "ليلى حداد"}, {}]},
        {"id": "https://example.org/2", "author": {"name": "سامر"}}, {"id": "tag:3"}, "x",
    ]  # fmt: skip
    feed = {"version": "https://jsonfeed.org/version/1.1", "items": items, "next_url": "/feed.json?page=2"}
    listing = links_from_feed(b"\xef\xbb\xbf" + json.dumps(feed).encode(), "application/feed+json", BASE)
    assert listing.links == (
        Link("https://example.org/%D8%AE%D8%A8%D8%B1", "قسد & التحالف", "2026-01-21T08:00:00+00:00", "ليلى حداد",
             "2026-01-21T09:00:00+00:00"),
        Link("https://example.org/2", None, None, "سامر"),
    )  # fmt: skip
    assert listing.more == ("https://example.org/feed.json?page=2",)
    assert "JSON" in (links_from_feed(b'{"items": []}', "", BASE).problem or "")


def test_a_feed_leads_to_older_entries_where_it_or_wordpress_pages_them() -> None:
    item = "<item><link>https://example.org/1</link></item>"

    def more(head: str, url: str = BASE, items: str = item) -> tuple[str, ...]:
        text = f'<rss version="2.0" xmlns:a="http://www.w3.org/2005/Atom"><channel>{head}{items}</channel></rss>'
        return links_from_feed(text.encode(), "application/rss+xml", url).more

    wordpress = "<generator>https://wordpress.org/?v=6.1</generator>"
    assert more(wordpress, "https://example.org/?feed=rss2") == ("https://example.org/?feed=rss2&paged=2",)
    assert more(wordpress, "https://example.org/feed/?paged=9") == ("https://example.org/feed/?paged=10",)
    assert more('<a:link rel="next" href="/feed?p=2"/>' + wordpress) == ("https://example.org/feed?p=2",)
    assert more(wordpress, items="") == more("") == more('<a:link rel="next" href="http://[x"/>') == ()


NEWS = """<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"
  xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url><loc>https://example.org/</loc></url> <url><loc>https://example.org/tag/syria</loc></url>
<url><loc>https://example.org/a</loc><lastmod>2026-01-20T10:00:00+03:00</lastmod></url>
<url><loc><![CDATA[ https://example.org/خبر?utm_source=x&id=7 ]]></loc><lastmod>2026-01-21</lastmod>
  <image:image><image:loc>https://example.org/x.jpg</image:loc><image:title>صورة</image:title></image:image>
  <news:news><news:publication><news:name>موقع</news:name><news:language>ar</news:language></news:publication>
  <news:publication_date>2026-01-21T09:00:00+03:00</news:publication_date>
  <news:title>قسد تنقل معتقلين &amp;quot;خطرين&amp;quot;</news:title></news:news></url>
</urlset>"""


def sitemap(body: str | bytes, url: str = "https://example.org/sitemap.xml", **more: object) -> Listing:
    return links_from_sitemap(body.encode() if isinstance(body, str) else body, "", url, **more)  # type: ignore[arg-type]


def test_a_news_sitemap_gives_titles_and_dates_and_its_lastmod_as_a_hint() -> None:
    expected = (
        Link("https://example.org/%D8%AE%D8%A8%D8%B1?id=7", 'قسد تنقل معتقلين "خطرين"', "2026-01-21T09:00:00+03:00",
             None, "2026-01-21"),
        Link("https://example.org/a", None, None, None, "2026-01-20T10:00:00+03:00"),
    )  # fmt: skip
    assert sitemap(NEWS) == Listing(expected)
    assert sitemap(gzip.compress(NEWS.encode())).links == expected
    wrong = NEWS.encode("windows-1256")  # and says that it is UTF-8
    assert [link.title for link in sitemap(wrong).links] == ['قسد تنقل معتقلين "خطرين"', None]
    only = sitemap(NEWS, scope=Scope(include=("^/(tag|a)",), exclude=("^/a",)))
    assert [link.url for link in only.links] == ["https://example.org/tag/syria"]


AT = "2026-01-20T12:00:00+00:00"


def index(*children: tuple[str, str]) -> str:
    entries = (f"<sitemap><loc>{name}</loc><lastmod>{lastmod}</lastmod></sitemap>" for name, lastmod in children)
    return f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{"".join(entries)}</sitemapindex>'


def children(listing: Listing) -> list[str]:
    return [address.removeprefix("https://example.org/") for address in listing.more]


def test_an_index_leads_to_its_newest_children_first_and_later_to_those_that_moved() -> None:
    dated = index(
        ("post-1.xml", "2026-01-19"), ("post-2.xml", AT), ("page-1.xml", "2026-01-20T15:00:00+03:00"),
        ("category-1.xml", "2026-01-22"), ("post-3.xml", "2026-01-18"),
    )  # fmt: skip
    first = sitemap(dated)
    assert (children(first), first.mark) == (["post-2.xml", "page-1.xml", "post-1.xml", "post-3.xml"], AT)
    later = sitemap(dated, mark="2026-01-20T13:00:00+01:00")  # as new as the mark, or the last of its series
    assert children(later) == ["post-2.xml", "page-1.xml", "post-3.xml"]
    undated = index(*((f"sitemap-2026-{month:02}.xml", "") for month in range(1, 13)), ("news.xml", ""))
    first = sitemap(undated)
    assert children(first)[:2] == ["sitemap-2026-12.xml", "sitemap-2026-11.xml"]
    assert (len(first.more), first.mark) == (13, "")
    assert children(sitemap(undated, mark="")) == ["sitemap-2026-12.xml", "news.xml"]


def test_a_sitemap_may_be_text_or_a_feed_in_its_place() -> None:
    text = sitemap("\ufeffhttps://example.org/1\r\nhttps://example.org/2\r\n")
    assert [link.url for link in text.links] == ["https://example.org/1", "https://example.org/2"]
    rss = '<?xml version="1.0"?><rss version="2.0"><channel><item><link>https://example.org/1</link></item></channel></rss>'
    assert sitemap(rss).links == (Link("https://example.org/1"),)
    for page in ("<html><body>404</body></html>", "", "لا شيء", "<", "\x1f\x8b"):
        assert sitemap(page).problem


def test_a_sitemap_made_to_harm_is_read_within_bounds() -> None:
    secret = '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd"><!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    entry = "<url><loc>https://example.org/&f;&b;1</loc></url>"
    assert [link.url for link in sitemap(f'<?xml version="1.0"?>{secret}<urlset>{entry}</urlset>').links] in (
        [], ["https://example.org/"], ["https://example.org/1"],
    )  # fmt: skip
    assert "25 MB" in (sitemap(gzip.compress(bytes(UNPACKED_MAX + 1))).problem or "")
    assert "64 KB" in (sitemap("<urlset " + " ".join(f"a{n}='1'" for n in range(20_000)) + "/>").problem or "")
    assert sitemap("<urlset>" + "<a>" * 100_000).links == ()
    long = "".join(f"<url><loc>https://example.org/n/{n}</loc></url>" for n in range(3000))
    found = [link.url for link in sitemap(f"<urlset>{long}</urlset>").links]
    assert (len(found), found[0], found[-1]) == (LINKS_MAX, "https://example.org/n/0", "https://example.org/n/2999")


API = "https://example.org/wp-json/"


def post(number: int, modified: str, **more: object) -> dict[str, object]:
    return {"id": number, "link": f"https://example.org/{number}/", "date_gmt": "2026-01-20T08:00:00",
            "modified_gmt": modified, "title": {"rendered": "قسد &#8211; خبر"}} | more  # fmt: skip


def posts(*rows: dict[str, object], mark: str | None = None, url: str | None = None, **headers: str) -> Listing:
    asked = posts_address(API, mark) if url is None else url
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return links_from_posts(json.dumps(rows).encode(), named, asked, API, mark)


def test_wordpress_lists_posts_with_their_dates_in_utc() -> None:
    listing = posts(post(1, "2026-01-21T10:00:00"), post(2, "0000-00-00T00:00:00"), post(3, "", link="mailto:x"))
    assert listing.links == (
        Link("https://example.org/1/", "قسد – خبر", "2026-01-20T08:00:00+00:00", None, "2026-01-21T10:00:00+00:00"),
        Link("https://example.org/2/", "قسد – خبر", "2026-01-20T08:00:00+00:00"),
    )
    assert (listing.mark, listing.more) == ("2026-01-21T10:00:00Z", ())
    assert "list of posts" in (links_from_posts(b'{"code": "rest_no_route"}', {}, API, API, None).problem or "")


def test_wordpress_is_asked_from_a_minute_before_the_mark_and_page_by_page() -> None:
    mark = "2026-01-21T10:00:00Z"
    first = posts(post(1, "2026-01-21T10:30:00"), post(2, "2026-01-21T09:59:00"), mark=mark, x_wp_totalpages="3")
    assert "modified_after=2026-01-21T09:59:00Z" in posts_address(API, mark)
    assert first.more[0] == posts_address(API, mark) + "&page=2"
    assert "orderby=date" in first.more[1]  # what was scheduled appears without being modified
    assert first.mark == "2026-01-21T10:30:00Z"
    assert posts(post(1, mark[:-1]), mark=mark, url=first.more[0], x_wp_totalpages="2").more == ()
    assert posts(post(9, "2025-01-01T00:00:00"), mark=mark, url=first.more[1], x_wp_totalpages="9").more == ()
    assert posts(post(1, mark[:-1]), x_wp_totalpages="2").more == (posts_address(API, None) + "&page=2",)
    assert "?rest_route=/wp/v2/posts&per_page" in posts_address("https://example.org/?rest_route=/", None)


def test_wordpress_that_knows_no_modified_after_is_read_as_far_as_the_mark() -> None:
    mark = "2026-01-21T10:00:00Z"
    listing = posts(post(1, "2026-01-21T10:30:00"), post(2, "2025-12-01T00:00:00"), mark=mark, x_wp_totalpages="80")
    assert [link.url for link in listing.links] == ["https://example.org/1/"]
    assert not any("&page=2" in address for address in listing.more)


def test_a_post_modified_next_year_does_not_hide_this_years() -> None:
    listing = posts(post(1, "2027-05-01T00:00:00"), date="Wed, 21 Jan 2026 10:00:00 GMT")
    assert listing.mark == "2026-01-21T10:00:00Z"
    assert posts(mark="2026-01-21T09:00:00Z").mark == "2026-01-21T09:00:00Z"

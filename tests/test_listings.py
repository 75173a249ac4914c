"""Links out of feeds and section pages: what is listed is found, what is furniture is not."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

import crawler.listings
from archive.models import Link
from crawler.listings import LINKS_MAX
from crawler.listings.feeds import links_from_feed
from crawler.listings.sections import links_from_section

BASE = "https://example.org/feed"


def feed(text: str | bytes, content_type: str = "application/xml") -> tuple[Link, ...]:
    listing = links_from_feed(text.encode() if isinstance(text, str) else text, content_type, BASE)
    assert listing.problem is None
    return listing.links


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(crawler.listings).failed == 0


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


def test_atom_gives_the_publication_date_and_never_the_update() -> None:
    links = feed(
        """<feed xmlns="http://www.w3.org/2005/Atom"><title>أخبار</title>
        <entry><title>أول</title><link rel="alternate" href="https://example.org/a"/><id>tag:example.org,2026:1</id>
          <published>2026-01-21T08:00:00Z</published><updated>2026-01-22T09:00:00Z</updated></entry>
        <entry><title>ثانٍ</title><link href="b"/><id>2</id><updated>2026-01-22T09:00:00Z</updated></entry></feed>"""
    )
    assert links == (
        Link("https://example.org/a", "أول", "2026-01-21T08:00:00+00:00"),
        Link("https://example.org/b", "ثانٍ", None),
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


@given(st.binary(max_size=300) | st.text(alphabet='<>/&;![]rsschannelitemlinktitle "=', max_size=300).map(str.encode))
def test_no_bytes_break_the_readers(body: bytes) -> None:
    for read in (links_from_feed, links_from_section):
        listing = read(body, "text/html; charset=nonsense", BASE)
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

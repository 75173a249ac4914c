"""What a mail says and how it looks, and that nothing in a page can turn it into something else."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes, policy
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.alerts.excerpts import clean, excerpts, mark, shown
from archive.alerts.render import MailContext, Story, Told
from archive.diffs import diff
from archive.materiality import edits
from archive.models import Match, Passage
from tests import pictures
from tests.delivery_kit import render

TITLE = "قسد تنقل دفعة من معتقلي داعش من سجون الحسكة"
LINES = [
    "نقلت قوات سوريا الديمقراطية دفعة من معتقلي تنظيم داعش من سجن في الحسكة إلى مكان لم يُعلن.",
    "وقال شهود إن قافلة من عشرين سيارة عبرت الطريق الدولي عند الفجر.",
    "ولم يصدر عن التحالف تعليق رسمي حتى ساعة إعداد هذا الخبر.",
    "ويقبع في سجون المنطقة آلاف المحتجزين منذ سنوات دون محاكمة.",
    "وكانت منظمات حقوقية قد طالبت مراراً بكشف مصيرهم وبنقل الأطفال من المخيمات.",
    "وتبقى الطريق بين المدينتين مقطوعة أمام الحركة التجارية حتى إشعار آخر.",
]
TEXT = "\n".join(LINES)


def passage(surface, text=TEXT, field="text"):
    start = text.index(surface)
    return Passage(field, start, start + len(surface), "term", surface)


DETAINEES = Match("isis_detainees", "substantive", 9.0, (passage("معتقلي", TITLE, "title"), passage("معتقلي"), passage("المحتجزين")))  # fmt: skip  # noqa: E501
SYRIA = Match("syria", "passing", 2.0, (passage("الحسكة"),))
NEW = Told(TITLE, TEXT, "ليلى حداد", "2026-01-21", "2026-01-21T10:00:00Z", (DETAINEES, SYRIA))


def story(version=NEW, **more):
    values = {"kind": "new", "at": "2026-01-21T11:00:00Z", "article_id": 7, "url": "https://sana.example/7"}
    return Story(**(values | {"outlet": "سانا", "version": version} | more))


def mail(*stories, **more):
    values = {"id": 1, "message_id": "<abc@rasid.invalid>", "kind": "instant", "rules": ("desk",)}
    values |= {"recipient": "desk@example.org", "language": "ar", "at": "2026-01-21T11:00:05Z"}
    return MailContext(**(values | {"stories": stories or (story(),), "total": len(stories) or 1} | more))


def sent(context, **more):
    """The message as its reader's program sees it, from the bytes that travel."""
    values = {"sender": "rasid@example.org", "contact": "editor@example.org", "desk_url": "https://desk.example/"}
    return message_from_bytes(render(context, **(values | more)).as_bytes(), policy=policy.default)


def parts(message):
    return message.get_body(("plain",)).get_content(), message.get_body(("html",)).get_content()


class Page(HTMLParser):
    """The HTML as a strict reader takes it: every element closed in turn, nothing that acts or loads."""

    VOID = frozenset({"meta"})
    KNOWN = frozenset(
        {"html", "head", "meta", "title", "style", "body", "table", "tr", "td", "div", "span", "h1", "h2", "p"}
        | {"a", "ul", "li", "mark", "del", "ins", "bdi"}
    )

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.links, self.words, self.marked = [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []
        assert html.startswith("<!doctype html>")

    def handle_starttag(self, tag, attrs):
        assert tag in self.KNOWN
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names))
        assert not [name for name in names if name.startswith("on") or name in ("src", "background", "id")]
        self.links += [value for name, value in attrs if name == "href"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)
        if self.open and self.open[-1] in ("mark", "del", "ins"):
            self.marked.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("kind", ["new", "edited", "withdrawn", "restored"])
def test_every_kind_of_mail_says_title_outlet_times_why_and_where(kind, language):
    before = replace(NEW, text=TEXT.replace("عشرين", "ثلاثين"), seen_at="2026-01-21T09:00:00Z")
    told = story(kind=kind, before=before if kind == "edited" else None, last_seen_at="2026-01-21T10:30:00Z")
    message = sent(mail(told, language=language))
    plain, html = parts(message)
    page = Page(html)
    for words in (plain, page.text):
        for said in ("سانا", "2026-01-21", "isis_detainees", "syria", "desk", "editor@example.org"):
            assert said in words
        assert "معتقلي" in words
        assert "UTC" in words
    assert TITLE in plain
    assert TITLE in message["subject"]
    assert page.links == ["https://desk.example/-/article/7", "https://sana.example/7"]
    assert all(link in plain for link in page.links)
    assert f'lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}"' in html
    assert "معتقلي" in page.marked
    assert "[معتقلي]" in plain


def test_headers_make_it_recognisable_as_automatic_and_stoppable():
    message = sent(mail(rules=("معتقلون",)))
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert (message["from"], message["to"]) == ("راصد <rasid@example.org>", "desk@example.org")
    assert message["message-id"] == "<abc@rasid.invalid>" == sent(mail(at="2026-02-01T00:00:00Z"))["message-id"]
    assert message["auto-submitted"] == "auto-generated"
    assert message["date"].datetime.isoformat() == "2026-01-21T11:00:05+00:00"
    assert message["list-unsubscribe"].startswith("<mailto:editor@example.org?subject=unsubscribe%20%D9%85")
    assert sent(mail(), contact="https://example.org/about")["list-unsubscribe"] == "<https://example.org/about>"


@pytest.mark.parametrize("title", [TITLE, "خبر " * 60, "سجن", "IS detainees نقل معتقلين " * 5])
def test_an_arabic_subject_survives_with_its_spaces(title):
    subject = sent(mail(story(replace(NEW, title=title, matches=()))))["subject"]
    assert subject.startswith("خبر جديد: ")
    said = subject.removeprefix("خبر جديد: ")
    assert said == title.strip() or (said.endswith("…") and title.startswith(said[:-1]) and len(said) > 100)


HOSTILE = [
    '<script>alert(1)</script><img src=x onerror="alert(1)">',
    '"><a href="javascript:alert(1)">اضغط</a>',
    "{{ 7 * 7 }}{% raw %}",
    "\u202eجانقم\u202c \u2066x\u2069 \u200f\u061c",
    "سطر\r\nBcc: victim@example.org\r\n\r\nنص",
    "صفر\x00وسط\x1b[31m\x07\x85\u2028\u2029",
    "ع" * 10_000,
    "كلمة " * 3_000,
    "😀" * 400 + "👨‍👩‍👧 🇸🇾",
    "ا" + "\u0651" * 5_000,
    "\udc80\ud800",
    "",
    " \n ",
]


def check_harmless(message):
    plain, html = parts(message)
    page = Page(html)
    for link in page.links:
        assert link.startswith(("https://", "http://"))
    for text in (plain.replace("\u2068", "").replace("\u2069", ""), html, message["subject"]):
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]", text)
    assert message["bcc"] is None
    assert message.keys() == sent(mail()).keys()
    assert not message.defects
    assert len(message["subject"]) < 250
    assert not re.search(r"url\(|@import", html)
    assert all(len(line) <= 998 for line in message.as_bytes().split(b"\n"))
    assert all(line.count("\u2068") == line.count("\u2069") for line in plain.splitlines())
    return plain, html


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda text: ascii(text[:20]))
@pytest.mark.parametrize("kind", ["new", "edited", "digest"])
def test_nothing_a_page_says_becomes_header_markup_or_flood(hostile, kind):
    found = (Match("syria", "substantive", 1.0, (Passage("title", 0, len(hostile), "t", hostile),)),)
    version = Told(hostile, hostile, hostile, hostile, "2026-01-21T10:00:00Z", found)
    told = story(version, kind="new" if kind == "digest" else kind, outlet=hostile, url=hostile,
                 before=NEW if kind == "edited" else None)  # fmt: skip
    message = sent(mail(told, kind="digest" if kind == "digest" else "instant"))
    plain, _ = check_harmless(message)
    assert len(plain) < 12_000
    assert "49" not in message["subject"]


@given(st.text(max_size=300), st.text(max_size=600), st.text(max_size=600), st.data())
def test_any_text_makes_a_sound_mail(title, was, now, data):
    spots = data.draw(st.lists(st.tuples(st.integers(0, len(now)), st.integers(0, 20)), max_size=8))
    hits = tuple(Passage("text", at, min(len(now), at + size), "t", now[at : at + size]) for at, size in spots)
    version = Told(title, now, title, None, "2026-01-21T10:00:00Z", (Match("syria", "substantive", 1.0, hits),))
    before = Told(was[:80], was, None, None, "2026-01-21T09:00:00Z")
    check_harmless(sent(mail(story(version, kind="edited", before=before, outlet=title, url=f"https://x/{title}"))))


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://sana.example/خبر 1", "https://sana.example/%D8%AE%D8%A8%D8%B1%201"),
        ("http://x.example/?a=1&b=2#c", "http://x.example/?a=1&b=2#c"),
        ("https://x.example/%D8%AE", "https://x.example/%D8%AE"),
        ('https://x.example/"onclick="x', "https://x.example/%22onclick=%22x"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("urn:sha256:" + "0" * 64, None),
        ("file:///etc/passwd", None),
        ("https://[", None),
        ("https://x.example/" + "a" * 5_000, None),
    ],
)
def test_links_lead_to_web_pages_only(url, link):
    plain, html = parts(sent(mail(story(url=url))))
    assert Page(html).links[1:] == ([link] if link else [])
    assert ("الصفحة الأصلية" in plain) == bool(link)


@pytest.mark.parametrize("text", [TEXT, "\n".join(LINES * 30), LINES[0], " ".join(LINES), LINES[0] + "\n" + LINES[3]])
@pytest.mark.parametrize("kind", ["new", "withdrawn"])
def test_never_the_whole_article(text, kind):
    hits = tuple(Passage("text", m.start(), m.end(), "t", m.group()) for m in re.finditer(r"\w+", text))
    version = replace(NEW, text=text, matches=(Match("syria", "substantive", 1.0, hits),))
    plain, html = parts(sent(mail(story(version, kind=kind))))
    shown = re.sub(r"[\[\]\u2068\u2069]", "", plain.split("مقاطع من النص")[1].split("النسخة المحفوظة")[0])
    words = [word for word in shown.split() if word not in ("-", "…")]
    assert words
    assert len(words) <= min(6 * 40, max(len(text.split()) // 2, 1))
    assert len(Page(html).text) < len(plain) + 600


def test_passages_show_the_sentence_around_each_match_marked_and_each_topic_gets_its_turn():
    far = "\n".join(["حضر الاجتماع ممثلون عن جهات عدة."] * 8 + [LINES[3]])
    many = Match("syria", "substantive", 5.0, tuple(
        Passage("text", m.start(), m.end(), "t", m.group()) for m in re.finditer("ممثلون", far)
    ))  # fmt: skip
    one = Match("isis_detainees", "substantive", 4.0, (passage("المحتجزين", far),))
    plain, _ = parts(sent(mail(story(replace(NEW, text=far, matches=(many, one))))))
    assert "آلاف [المحتجزين] منذ" in plain


def test_an_edit_shows_what_was_and_what_is():
    before = replace(
        NEW, title=TITLE.replace("دفعة", "دفعتين"), text=TEXT.replace("عشرين", "ثلاثين"), author=None,
        published_at="2026-01-20T22:15", seen_at="2026-01-21T09:00:00Z",
    )  # fmt: skip
    plain, html = parts(sent(mail(story(kind="edited", before=before))))
    marked = Page(html).marked
    for was, now in (
        ("دفعتين", "دفعة"),
        ("ثلاثين", "عشرين"),
        ("غير معروف", "ليلى حداد"),
        ("2026-01-20 22:15", "2026-01-21"),
    ):
        assert plain.index(f"[{was}]") < plain.index(f"[{now}]")
        assert {was, now} <= set(marked)
    assert "2026-01-21 09:00 UTC" in plain
    assert "2026-01-21 10:00 UTC" in plain


def test_an_edit_away_from_the_topic_says_why_it_is_told():
    after = replace(NEW, title="موسم الزيتون", text="بدأ القطاف اليوم في الريف الغربي.", matches=())
    plain, html = parts(sent(mail(story(after, kind="edited", before=NEW))))
    for words in (plain, Page(html).text):
        assert "النسخة السابقة كانت تطابق القاعدة" in words
        assert "isis_detainees" in words
    assert "[معتقلي]" in plain


def test_a_withdrawal_says_when_it_was_last_seen_and_missed():
    told = story(kind="withdrawn", last_seen_at="2026-01-21T10:30:00Z")
    for words in parts(sent(mail(told))):
        assert "آخر ظهور له" in words
        assert "2026-01-21 10:30 UTC" in words
        assert "2026-01-21 11:00 UTC" in words
    assert "غير معروف" in parts(sent(mail(replace(told, last_seen_at=None))))[0]


def test_times_stay_as_precise_as_they_are_known():
    for given_, read in (
        ("2026-01-21", "2026-01-21"), ("2019-11-14T01:27", "2019-11-14 01:27"),
        ("2026-01-21T10:00:00+03:00", "2026-01-21 10:00 +03:00"), (None, "غير معروف"),
    ):  # fmt: skip
        plain, _ = parts(sent(mail(story(replace(NEW, published_at=given_)))))
        assert f"تاريخ النشر: \u2068{read}\u2069" in plain


@pytest.mark.parametrize("language", ["ar", "en"])
def test_a_digest_lists_a_hundred_and_says_how_many_more(language):
    stories = [story(replace(NEW, title=f"{TITLE} {n}"), article_id=n) for n in range(100)]
    message = sent(mail(*stories, kind="digest", total=137, language=language))
    plain, html = parts(message)
    assert "137" in message["subject"]
    page = Page(html)
    assert page.links == [*(f"https://desk.example/-/article/{n}" for n in range(100)), "https://desk.example"]
    for words in (plain, page.text):
        assert "37" in words.replace("137", "")
        assert f"{TITLE} 99" in words
    assert "معتقلي تنظيم" not in plain  # titles only
    whole = parts(sent(mail(*stories[:3], kind="digest", total=3, language=language)))[0]
    assert {"ar": "أخبار أخرى", "en": "More articles"}[language] not in whole


@given(st.text(max_size=400), st.integers(1, 50))
def test_clean_gives_one_bounded_visible_line(text, limit):
    line = clean(text, limit)
    assert len(line) <= limit
    assert line.isprintable() or "\u200c" in line or "\u200d" in line
    assert clean(line, limit) == line or line.endswith("…")


@given(st.text(alphabet="اب ت\n.!", max_size=200), st.lists(st.tuples(st.integers(0, 210), st.integers(0, 210))))
def test_marking_loses_and_adds_nothing(text, hits):
    assert "".join(piece for piece, _ in mark(text, 0, len(text), hits)) == "".join(
        re.sub(r"\s+", " ", piece) for piece, _ in mark(text, 0, len(text), hits)
    )
    flat = re.sub(r"\s+", "", text)
    assert re.sub(r"\s+", "", "".join(piece for piece, _ in mark(text, 0, len(text), hits))) == flat
    inside = [(low, high) for low, high in hits if low < high <= len(text)]
    for segments in excerpts(text, inside):
        assert re.sub(r"[\s…]+", "", "".join(piece for piece, _ in segments)) in flat


def changes(before, after, field="text"):
    pieces = diff(before, after, headline=field == "title")
    return [shown(edit, after) for edit in edits(field, before, after, pieces)]


def test_what_is_cut_beside_an_edit_says_so():
    ((was, now),) = changes(TEXT, TEXT.replace("شهود", "ناجون"))
    assert ["".join(piece for piece, _ in side) for side in (was, now)] == [
        f"وقال {who} إن قافلة من عشرين سيارة عبرت …" for who in ("شهود", "ناجون")
    ]


@pytest.mark.slow
def test_every_kind_of_mail_has_its_picture(tmp_path):
    assert pictures.mails(tmp_path, "ar").keys() == pictures.HEIGHTS.keys()


@given(st.lists(st.sampled_from(["سوريا", "قسد", "سجن", "دمشق", "نقل"]), max_size=40), st.data())
def test_what_is_marked_as_changed_differs_and_the_rest_does_not(words, data):
    other = list(words)
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(other)))
        other[at : at + data.draw(st.integers(0, 2))] = data.draw(st.lists(st.sampled_from(["حلب", "سجن"]), max_size=2))
    found = changes(" ".join(words), " ".join(other))
    assert bool(found) == (words != other)
    for was, now in found:
        assert any(marked for _, marked in (*was, *now))
        kept = ["".join(piece for piece, marked in side if not marked).split() for side in (was, now)]
        assert kept[0] == kept[1]


def test_only_words_count_as_a_change():
    assert changes("قال: «نُقِلوا» اليوم", "قال نقلوا  اليـوم.") == []


def test_a_title_that_becomes_a_question_is_a_change():
    ((was, now),) = changes("قسد تنسحب من الحسكة", "قسد تنسحب من الحسكة؟", "title")
    assert (was[-1], now[-1]) == (("الحسكة", True), ("الحسكة؟", True))


def test_english_mail_keeps_arabic_in_its_own_direction():
    _, html = parts(sent(mail(language="en")))
    assert '<h1 dir="auto"' in html
    assert html.count('<p class="line" dir="auto"') == 2
    assert "<td><bdi>2026-01-21</bdi></td>" in html


def test_in_a_short_article_the_strongest_topic_keeps_its_sentence():
    weak = Match("syria", "passing", 1.0, (passage("الطريق"), passage("مقطوعة")))
    strong = Match("isis_detainees", "substantive", 9.0, (passage("المحتجزين"),))
    short = replace(NEW, matches=(strong, weak))
    plain, _ = parts(sent(mail(story(short))))
    assert "- \u2068ويقبع في سجون المنطقة آلاف [المحتجزين] منذ سنوات دون محاكمة.\u2069" in plain


@given(st.text(alphabet="اب ت\n.", min_size=1, max_size=900), st.lists(st.integers(0, 899), max_size=12))
def test_passages_never_overlap_and_stay_within_half_of_the_text(text, at):
    found = excerpts(text, [(n, n + 1) for n in at])
    shown = [re.sub(r"[…\s]+", " ", "".join(piece for piece, _ in one)).split() for one in found]
    assert len(found) <= 6
    assert sum(map(len, shown)) <= max(1, len(text.split()) // 2)
    assert all(0 < len(words) <= 40 for words in shown)

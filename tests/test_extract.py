"""Pages of several templates, written for these tests, and what each must yield; bytes in whatever charset they say."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import ExtractionError
from archive.models import Link, Page
from archive.topics import shipped_rules
from crawler.charset import decode
from crawler.extract import extract, extract_text
from crawler.process import process

PAGES = Path(__file__).parent / "pages"
EXPECTED = tomllib.loads((PAGES / "expected.toml").read_text("utf-8"))
ARTICLES = [name for name, expected in EXPECTED.items() if expected.get("is_article", True)]
OTHERS = [name for name in EXPECTED if name not in ARTICLES]
AT = "2026-01-21T11:00:00Z"


def page(body, name="a-1", **more):
    url = f"https://news.example/2026/{name}"
    base = Page(
        url, url, AT, 200, (("Content-Type", "text/html"),), body, timezone="Asia/Damascus", outlet_name="صوت الجزيرة"
    )
    return replace(base, **more)


def golden(name, **more):
    zone = EXPECTED[name].get("timezone", "Asia/Damascus")
    return page((PAGES / f"{name}.html").read_bytes(), name, timezone=zone, **more)


@pytest.fixture(scope="module", params=ARTICLES)
def read(request):
    return EXPECTED[request.param], extract(golden(request.param))


def test_it_is_an_article_in_arabic(read):
    assert (read[1].is_article, read[1].language) == (True, "ar")


def test_headline_as_printed(read):
    assert read[1].title == read[0]["title"]


def test_publication_date_and_where_it_is_from(read):
    assert [read[1].published_at, read[1].published_source] == read[0]["published"]


@pytest.mark.parametrize(
    ("field", "key"), [("author", "author"), ("credit", "credit"), ("section", "section"), ("modified_at", "modified")]
)
def test_field(read, field, key):
    assert getattr(read[1], field) == read[0].get(key)


def test_text_is_whole_and_nothing_else(read):
    expected, article = read
    assert not [words for words in expected["has"] if words not in article.text]
    assert not [words for words in expected["has_not"] if words in f"{article.text}\n"]


def test_way_is_named(read):
    assert read[1].extractor.startswith(read[0].get("extractor", "trafilatura/"))


@pytest.mark.parametrize("name", OTHERS)
def test_home_section_login_and_error_pages_are_no_articles(name):
    assert extract(golden(name)).is_article is False


def test_an_error_status_is_no_article():
    assert extract(golden("wordpress", status=404)).is_article is False


TEXT = (PAGES / "table.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("body", "header"),
    [
        (TEXT.encode("utf-8"), "text/html"),
        (TEXT.encode("utf-8"), "text/html; charset=windows-1256"),
        (b"\xef\xbb\xbf" + TEXT.encode("utf-8"), "text/html"),
        (TEXT.encode("cp1256"), "text/html; charset=utf-8"),  # the page's own meta says utf-8, too
        (TEXT.encode("cp1256"), "text/html; charset=windows-1256"),
        (TEXT.encode("cp1256"), "text/html; charset=nonsense"),
        (TEXT.encode("iso-8859-6", "replace"), "text/html; charset=iso-8859-6"),
        (TEXT.encode("utf-16"), "text/html"),
        (TEXT.encode("utf-8").replace("الحبوب".encode(), "الحبوب".encode()[:-1]), "text/html"),  # a letter cut in two
    ],
)
def test_charset_of_the_bytes_beats_the_one_declared(body, header):
    article = extract(page(body, headers=(("content-type", header),)))
    assert article.title == "تراجع أسعار القمح في أسواق دير الزور مع بدء الحصاد"
    assert "وقال تجار إن سعر الطن انخفض" in article.text


def test_a_template_time_tag_gives_way_to_what_it_prints():
    body = TEXT.replace(
        "<div>الثلاثاء 12 فيفري 2025 الساعة 02:05 م</div>", '<time datetime="2008-02-14 20:00">12/02/2025</time>'
    )
    article = extract(page(body.encode()))
    assert (article.published_at, article.published_source) == ("2025-02-12", "text")


def test_an_honest_utc_time_stays_utc():
    body = (PAGES / "local_z.html").read_text("utf-8").replace("09:15 م", "11:15 م")
    assert extract(page(body.encode(), timezone="Africa/Cairo")).published_at == "2026-01-20T21:15:40+00:00"


def test_dates_of_updates_and_copyright_are_no_publication():
    body = TEXT.replace("الثلاثاء 12 فيفري 2025 الساعة 02:05 م", "آخر تحديث: 12 فيفري 2025")
    assert extract(page(body.encode())).published_at is None


def test_the_feed_fills_only_what_the_page_leaves_silent():
    hint = Link(
        "https://news.example/2026/a-1", title="عنوان التغذية", published_at="2025-02-12T11:05:00Z", author="محرر"
    )
    silent = TEXT.replace("<div>الثلاثاء 12 فيفري 2025 الساعة 02:05 م</div>", "").replace(
        "<div>كتب: مروان الحسن</div>", ""
    )
    article, _ = process(page(silent.encode(), link=hint), shipped_rules())
    assert (article.published_at, article.published_source, article.author) == ("2025-02-12T11:05:00Z", "feed", "محرر")
    article, _ = process(page(TEXT.encode(), link=hint), shipped_rules())
    assert (article.published_source, article.author) == ("text", "مروان الحسن")
    assert article.title.startswith("تراجع أسعار")


def flash(*paragraphs, title="قسد: إحباط محاولة هروب", before="", after="", kind="article"):
    """A short page without a date or an author."""
    body = "".join(f"<p>{text}</p>" for text in paragraphs)
    return page(
        f'<html lang="ar"><head><meta charset="utf-8"><title>{title} - وكالة</title>'
        f'<meta property="og:type" content="{kind}"></head><body><nav><a href="/">الرئيسية</a></nav><main><article>'
        f"<h1>{title}</h1>{before}{body}</article></main>{after}<footer>جميع الحقوق محفوظة</footer></body>".encode()
    )


@pytest.mark.parametrize(
    "paragraphs",
    [
        ["أعلنت قوات سوريا الديمقراطية قبل قليل إحباط محاولة هروب لمعتقلي داعش.", "التفاصيل لاحقاً، نوافيكم بها."],
        ["أعلنت قسد إحباط محاولة هروب من سجن الصناعة"],
    ],
)
@pytest.mark.parametrize("title", ["إحباط محاولة هروب", "عاجل | قسد تعلن إحباط محاولة هروب جماعي من سجن الصناعة"])
def test_a_news_flash_is_not_taken_for_no_article(paragraphs, title):
    read = extract(flash(*paragraphs, title=title))
    assert read.is_article is not False
    assert paragraphs[0] in read.text


def test_a_flash_of_a_headline_alone_is_its_own_text():
    title = "قسد تعلن إحباط محاولة هروب جماعي من سجن الصناعة"
    for around in ("", "<div>شارك الخبر: فيسبوك</div><time datetime='2026-01-21T09:00Z'>21 يناير 2026</time>"):
        read = extract(flash(title=title, before=around))
        assert (read.text, read.title, read.is_article) == (title, title, None)
        assert read.extractor.endswith("+headline")
    assert extract(flash(title=title, kind="website")).is_article is False


def test_a_date_reckoned_back_from_now_says_so_wherever_it_is_printed():
    told = ["أعلنت قوات سوريا الديمقراطية قبل قليل إحباط محاولة هروب جماعي لمعتقلي داعش من سجن الصناعة."] * 2
    for before in (
        "<span>منذ 3 ساعات</span>",
        "<time>منذ 3 ساعات</time>",
        '<b itemprop="datePublished">منذ 3 ساعات</b>',
    ):
        read = extract(flash(*told, before=before))
        assert (read.published_at, read.published_source) == ("2026-01-21T11:00+03:00", "relative"), before
        assert "منذ" not in read.text
    text = extract_text("\n".join(["قسد تحبط محاولة هروب", "منذ يومين", *told]), at=AT)
    assert (text.published_at, text.published_source) == ("2026-01-19", "relative")
    exact = '<time datetime="2026-01-18T23:50:00+03:00">منذ 3 أيام</time><span>منذ 3 أيام</span>'
    read = extract(flash(*told, before=exact))
    assert (read.published_at, read.published_source) == ("2026-01-18T23:50:00+03:00", "time-tag")


def test_hours_that_count_up_within_the_text_are_no_text():
    told = ["أعلنت قوات سوريا الديمقراطية قبل قليل إحباط محاولة هروب جماعي لمعتقلي داعش من سجن الصناعة."]
    first, last = told[0], told[0].replace("قبل قليل", "مساء اليوم")
    looks = [extract(flash(first, f"منذ {n} ساعات", f"آخر تحديث منذ {n} دقائق", last)).text for n in (2, 5)]
    assert looks == [f"{first}\n{last}"] * 2


def test_a_listed_date_to_come_is_no_publication():
    silent = flash("أعلنت قوات سوريا الديمقراطية قبل قليل إحباط محاولة هروب جماعي لمعتقلي داعش من السجن.")
    for listed, kept in (("2099-01-01T00:00:00Z", None), ("2026-01-21T09:00:00Z", "2026-01-21T09:00:00Z")):
        article, _ = process(replace(silent, link=Link(silent.url, published_at=listed)), shipped_rules())
        assert (article.published_at, article.published_source) == (kept, kept and "feed")


def test_a_board_of_rates_that_has_nothing_to_do_with_the_story_is_no_text():
    told = ["أعلنت قوات سوريا الديمقراطية أن عدد المحتجزين في محافظة الحسكة بلغ مئة وخمسين معتقلاً من التنظيم."]
    rates = "<table><tr><th>العملة</th><th>شراء</th></tr><tr><td>الدولار الأمريكي</td><td>14500</td></tr></table>"
    page_ = flash(*told, "وانتهى البيان عند هذا الحد ولم تصدر تفاصيل أخرى.")
    body = page_.body.replace(b"</article>", rates.encode() + b"</article>")
    assert "14500" not in extract(replace(page_, body=body)).text


def test_what_is_related_is_not_judged():
    text = (
        "افتتاح حديقة جديدة في المدينة\nافتتحت البلدية اليوم حديقة جديدة وسط المدينة بحضور عدد كبير من الأهالي.\n"
        "المصدر: البلدية\nاقرأ أيضاً:\nقسد تنقل معتقلي داعش من سجن الشدادي\n"
        "نقلت قوات سوريا الديمقراطية مئات المعتقلين من عناصر تنظيم داعش من سجن الشدادي في سوريا إلى سجن آخر."
    )
    article, judgement = process(
        page(text.encode(), headers=(("Content-Type", "text/plain; charset=utf-8"),)), shipped_rules()
    )
    assert "سجن الشدادي" in article.related[0]
    assert not judgement.matches


@pytest.mark.parametrize(
    "after",
    [
        "<h3><a href='/o'>{0}</a></h3><p>{1}</p>",
        "<p><a href='/o'>{0}</a></p><p>{1}</p>",
        "<div><a href='/o'><img><h4>{0}</h4></a><p>{1}</p></div>",
        "</div><div><span>الخبر السابق</span><a href='/o'>{0}</a><p>{1}</p>",
        "</div></article><article><h1>{0}</h1><div><p>{1}</p><p>{1} {0}.</p>",
    ],
)
def test_a_teaser_of_another_story_without_a_marker_leaves(after):
    teaser = "تشارك في البطولة ثمانية أندية للناشئين وتقام مبارياتها المسائية في صالة الألعاب المغلقة."
    after = after.format("انطلاق بطولة الناشئين لكرة السلة", teaser)
    body = clocked(FRAMES[2], ("", "", ""), 3, under=after).body
    assert extract(page(body)).text == "\n".join(TOLD)


@pytest.mark.parametrize("cut", ["<p>{}...</p>", "<div class='x'>{}…</div>"])
def test_the_beginning_of_a_paragraph_repeated_is_no_text(cut):
    body = clocked(FRAMES[2], ("", "", ""), 3, under=cut.format(TOLD[0][:60]), head=cut.format(TOLD[1][:60])).body
    assert extract(page(body)).text == "\n".join(TOLD)


def test_a_paragraph_after_a_link_that_goes_on_with_the_story_stays():
    last = "<p><a href='/o'>تأهيل محطة الضخ في ريف الرقة</a></p><p>وستزود القناة قرى الريف الغربي بمياه الري صيفاً.</p>"
    assert extract(page(clocked(FRAMES[2], ("", "", ""), 3, under=last).body)).text.endswith("صيفاً.")


@pytest.mark.parametrize("told", ["<div>{}</div>", "<section><p>{}</p></section>", "<blockquote>{}</blockquote>"])
def test_a_paragraph_with_a_link_in_it_is_no_card(told):
    last = "وقدرت <a href='/r'>دراسة لمديرية الموارد المائية</a> كلفة الأعمال بستين ألف دولار."
    under = "<h4>اقرأ أيضاً</h4><p><a href='/o'>انطلاق بطولة الناشئين لكرة السلة</a></p>" + told.format(last)
    lines = extract(page(clocked(FRAMES[2], ("", "", ""), 3, under=under).body)).text.split("\n")
    assert lines == [*TOLD, "وقدرت دراسة لمديرية الموارد المائية كلفة الأعمال بستين ألف دولار."]


NAMES = ["افتتاح سوق جديد للخضار في مدينة الطبقة", "توزيع البذار على فلاحي الريف الشمالي"]
TODAY = "الأربعاء 21 يناير 2026"
CLOCKS = {  # what sites print of today and of other stories, and where: over the headline, beside the text, under it
    "a line over the page": ("<div class='c3'>الأربعاء ٢١ كانون الثاني ٢٠٢٦ م</div>", "", ""),
    "Hijri beside Gregorian in a header": (
        "<header><a href='/'>بريد الفرات</a><p>الأربعاء 2 شعبان 1447 هـ الموافق 21 يناير 2026</p></header>",
        "",
        "",
    ),
    "a list of tools": ("<ul><li>21 جانفي 2026</li><li><a href='/in'>دخول</a></li></ul>", "", ""),
    "a ticker": (f"<div><b>عاجل</b><span>{TODAY}</span><a href='/o'>{NAMES[0]}</a></div>", "", ""),
    "a time tag": ("<div><time datetime='2026-01-21T12:00:00+03:00'>21/01/2026</time></div>", "", ""),
    "yesterday's clock of a page kept": ("<span>20 كانون الثاني/يناير 2026</span>", "", ""),
    "a calendar beside the text": ("", "<h3>التقويم</h3><table><caption>21 ك2 2026</caption></table>", ""),
    "prayer times": ("", "<div><h4>مواقيت الصلاة</h4><p>21 أي النار 2026</p><ul><li>الفجر 5:02</li></ul></div>", ""),
    "weather": ("", "<div class='weather'><span>20 يناير 2026</span><span>دمشق 18°</span></div>", ""),
    "an aside": ("", "<aside>3 شباط 2025</aside>", ""),
    "cards": ("", "".join(f"<div><a href='/o'>{name}</a><span>3 شباط 2025</span></div>" for name in NAMES), ""),
    "cards reckoned back from now": (
        "",
        "".join(f"<div><h4><a href='/o'>{name}</a></h4><p>منذ 3 ساعات</p></div>" for name in NAMES),
        "",
    ),
    "cards with time tags": (
        "",
        f"<article><a href='/o'>{NAMES[0]}</a><time datetime='2025-02-03'>3 فيفري 2025</time></article>",
        "",
    ),
    "readers' comments": ("", "", "<div><div><b>أبو أحمد</b><i>3 شباط 2025</i><p>شكراً لكم.</p></div></div>"),
    "a footer": ("", "", "<footer>21 نونبر 2025</footer>"),
    "the last update": ("", "", "<div><span>آخر تحديث</span><span>21 يناير 2026 - 10:30</span></div>"),
    "a line under the text": ("", "", "<div>21 يناير 2026</div>"),
}
TOLD = [
    "باشرت مديرية الموارد المائية أعمال تعزيل القناة الرئيسية في ريف الرقة الغربي بعد توقف دام سنتين.",
    "وقال مهندس في المديرية إن الأعمال تشمل اثني عشر كيلومتراً من القناة، وإنها ستنتهي قبل موسم الري المقبل.",
    "وطالب مزارعون بتوسيع الأعمال لتشمل الأقنية الفرعية التي تروي أكثر من ألفي هكتار من الأراضي.",
]
FRAMES = [
    "{over}<div class='row'><div class='c8'>{head}<div class='c12'>{text}</div>{under}</div><div>{beside}</div></div>",
    "{over}{head}{text}{under}{beside}",
    "{over}<main><article>{head}<div>{text}</div></article>{under}{beside}</main>",
    "<table><tr><td>{over}</td></tr><tr><td>{head}{text}</td><td>{beside}</td></tr></table>{under}",
    "<div>{over}{head}<div>{text}</div>{under}{beside}</div>",
    "<main><article>{over}{head}<div>{text}</div></article>{under}{beside}</main>",
]


def clocked(frame, clock, length, over="", under="", head=""):
    title = "تعزيل قناة الري الرئيسية في ريف الرقة"
    text = "".join(f"<p>{line}</p>" for line in TOLD[:length]) + under
    places = dict(zip(("over", "beside", "under"), clock, strict=True))
    body = frame.format(head=f"{over}<h1>{title}</h1>{head}", text=text, **places)
    return page(f"<html><head><meta charset='utf-8'><title>{title} - بريد الفرات</title></head><body>{body}".encode())


@pytest.mark.parametrize("clock", CLOCKS.values(), ids=CLOCKS)
def test_the_clock_of_a_page_and_dates_of_others_are_no_publication(clock):
    for frame in FRAMES:
        for length in (1, 3):
            assert extract(clocked(frame, clock, length)).published_at is None, frame


@pytest.mark.parametrize("clock", CLOCKS.values(), ids=CLOCKS)
@pytest.mark.parametrize(
    ("own", "day"),
    [
        ({"head": "<div><span>كتب: سامر العلي</span> <span>3 آذار 2024</span></div>"}, "2024-03-03"),
        ({"head": f"<p>{TODAY}</p>"}, "2026-01-21"),
        ({"over": "<p>نشر في: 21 يناير 2026</p>"}, "2026-01-21"),
        ({"under": "<p>٣ مارس ٢٠٢٤</p>"}, "2024-03-03"),
        ({"under": "<div>تاريخ النشر: 3 رمضان 1445</div>"}, "2024-03-13"),
    ],
)
def test_beside_such_clocks_the_date_of_the_article_is_found(clock, own, day):
    for frame in FRAMES:
        assert (extract(clocked(frame, clock, 3, **own)).published_at or "")[:10] == day, frame


@pytest.mark.parametrize(
    ("printed", "published", "modified"),
    [
        (
            "<div>نشر: 20/1/2026 10:30</div><div>آخر تحديث: 20/1/2026 11:45</div>",
            "2026-01-20T10:30",
            "2026-01-20T11:45",
        ),
        ("<b>نشر في 20 ك2 2026 | تم التحديث في 21 ك2 2026</b>", "2026-01-20", "2026-01-21"),
        ("<div><i>آخر تحديث</i> <time datetime='2026-01-20T11:45:00+03:00'>أمس</time></div>", None, "2026-01-20T11:45"),
        ("<div>آخر تحديث: 20 يناير 2026</div>", None, "2026-01-20"),
        ("<div>نشر في 20 يناير 2026 - آخر تحديث: 3 يناير 2026</div>", "2026-01-20", None),
        ("<div>آخر تحديث: 3 شباط 2027</div>", None, None),
        ("<div>آخر تحديث منذ 3 ساعات</div>", None, None),
        ("<aside>آخر تحديث: 20 يناير 2026</aside>", None, None),
        ("<div class='rates-clock'>آخر تحديث: 20 يناير 2026</div>", None, None),
    ],
)
def test_an_update_in_print_is_one_and_no_publication(printed, published, modified):
    article = extract(clocked(FRAMES[0], ("", "", ""), 3, head=printed))
    assert (article.published_at and article.published_at[: len(published or "")]) == published
    assert (article.modified_at and article.modified_at[: len(modified or "")]) == modified


def test_a_date_between_a_lead_and_a_text_of_one_paragraph_is_the_articles():
    head = f"<div class='excerpt'>{TOLD[1]}</div><div class='meta'><small>3 آذار 2024</small></div>"
    for frame in FRAMES:
        assert extract(clocked(frame, ("", "", ""), 1, head=head)).published_at == "2024-03-03", frame


@pytest.mark.parametrize("over", ["<div class='post-meta'>{}</div>", "<header><p>{}</p>"])
def test_the_day_of_reading_over_the_headline_is_the_articles_where_its_markup_says_so(over):
    frame = FRAMES[-1] if "meta" in over else FRAMES[-1].replace("<div>{text}", "</header><div>{text}")
    assert extract(clocked(frame, ("", "", ""), 3, over=over.format(TODAY))).published_at == "2026-01-21"


@pytest.mark.parametrize("body", [b"", b"   ", b"<!-- nothing -->", b"\x00\x00"])
def test_nothing_to_read_is_said(body):
    with pytest.raises(ExtractionError, match=r"news\.example"):
        extract(page(body))
    with pytest.raises(ExtractionError):
        extract_text("\n \n", at=AT)


@given(st.binary(max_size=400), st.sampled_from(["<html><body>{}</body></html>", "<article><h1>{}</h1><p>{}", "{}"]))
def test_any_bytes_give_an_article_or_an_extraction_error(noise, frame):
    try:
        article = extract(page(frame.encode().replace(b"{}", noise)))
    except ExtractionError:
        return
    assert article.extractor
    assert isinstance(decode(noise, "utf-8"), str)

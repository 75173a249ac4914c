"""What an answered page really is: the article, or what stands in its place."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import ExtractionError
from archive.models import Article, Page
from archive.versions import likeness
from crawler.addresses import akin, is_listing, twin
from crawler.effective import Effective, effective, named, onward
from crawler.extract import extract

URL = "https://nahr.example/news/71-nql"
TITLE = "نقل دفعة من المحتجزين إلى سجن جديد"
LINES = (
    "أعلنت قوات سوريا الديمقراطية اليوم أنها نقلت دفعة من معتقلي التنظيم من سجن الصناعة في الحسكة إلى سجن جديد.",
    "وقال مصدر فيها إن عملية النقل جرت بإشراف التحالف الدولي وإن عدد المحتجزين الذين نقلوا بلغ مئة وخمسين.",
    "وأضاف المصدر أن السجون التي تضم عناصر التنظيم في شمال شرق البلاد ما زالت تحت السيطرة الكاملة.",
    "ولم تذكر الجهة أسماء من نقلوا، لكنها قالت إن بينهم أجانب من عدة دول رفضت حتى الآن استعادتهم.",
)
KEPT = Article(TITLE, "\n".join(LINES), published_at="2026-01-21")
OTHER = (
    "افتتحت وزارة الزراعة معرض الزهور السنوي في الحديقة العامة بمشاركة أكثر من مئة عارض من سبع محافظات.",
    "ويستمر المعرض عشرة أيام من التاسعة صباحاً حتى العاشرة ليلاً، والدخول إليه مجاني للأطفال وطلاب المدارس.",
    "وقال مدير المعرض إن المساحة المخصصة لهذا العام زادت بمقدار الثلث، وإن المشاركين جاؤوا من الأرياف أيضاً.",
)


def site(title: str, *lines: str, heading: str | None = None, head: str = "", extra: str = "") -> str:
    """A page in a template: navigation, a heading, paragraphs, a footer."""
    return (
        f'<!doctype html><html lang="ar"><head><meta charset="utf-8"><title>{title} - شبكة النهر</title>{head}</head>'
        f'<body><nav><a href="/">الرئيسية</a><a href="/tag/x">سياسة</a></nav><main><h1>{heading or title}</h1>'
        f"{''.join(f'<p>{line}</p>' for line in lines)}{extra}</main><footer>جميع الحقوق محفوظة</footer></body></html>"
    )


STORY = site(TITLE, *LINES, head='<meta property="og:type" content="article">')


def page(body: str, final: str = URL, **headers: str) -> Page:
    listed = (("Content-Type", "text/html; charset=utf-8"), *headers.items())
    return Page(URL, final, "2026-01-21T11:00:00Z", 200, listed, body.encode())


def look(body: str, known: Article | None = None, final: str = URL, names: tuple[str, ...] = ()) -> Effective:
    given = page(body, final)
    try:
        article = extract(given)
    except ExtractionError:
        article = None
    return effective(given, article, known, frozenset(names))


GONE = [
    site("الصفحة غير موجودة", "ربما تبحث عن شيء آخر، جرب البحث."),
    site("شبكة النهر", "ربما حذفت أو نقلت إلى عنوان آخر.", heading="عذراً، الصفحة التي تبحث عنها غير متوفرة"),
    site("لم يتم العثور على الصفحة", "عد إلى الصفحة الرئيسية."),
    site("تم حذف الخبر"),
    site(TITLE, "تم حذف هذا الخبر بناء على طلب الجهة المعنية."),
    site("المحتوى غير متاح", "هذا المحتوى لم يعد متاحاً على موقعنا."),
    site("شبكة النهر", "الخبر المطلوب غير موجود أو تم حذفه من قبل إدارة الموقع.", heading="عفوا"),
    site("خطأ 404"),
    site(
        "Page not found", "It looks like nothing was found at this location.", heading="Oops! That page can’t be found."
    ),
    site("410 Gone"),
    site("بيان", "سُحبت هذه المادة."),
    site("توضيح", "أُلغي نشر هذا الخبر."),
    site("من هيئة التحرير", "حُذف هذا الخبر لعدم دقة مصادره."),
    site("بيان", "سحبت هذه المادة بناء على طلب عائلة الضحية."),
]
BLOCKED = [
    '<html lang="en"><head><title>Just a moment...</title></head><body><script>window._cf_chl_opt={}</script></body>',
    '<html><head><title></title></head><body>Checking your browser before accessing nahr.example.</body></html>',
    '<html><head><title>DDOS-GUARD</title></head><body><h1>Checking your browser before accessing</h1></body></html>',
    "<html><head><script>var s={};sucuri_cloudproxy_js='';</script></head><body></body></html>",
    '<html><body><iframe src="/_Incapsula_Resource?x">Request unsuccessful. Incapsula incident ID: 7</iframe></body>',
    '<html><body><form action="/v"><div class="h-captcha" data-sitekey="x"></div></form></body></html>',
    "<html><body><script>document.cookie='human=1;path=/';location.reload();</script></body></html>",
    site("جاري التحقق من المتصفح", "سيتم تحويلك خلال ثوانٍ، يرجى الانتظار."),
    site("نحن نقدر خصوصيتك", "نحن وشركاؤنا نخزن معلومات على جهازك ونصل إليها، مثل ملفات تعريف الارتباط."),
    site("تسجيل الدخول", "يرجى إدخال اسم المستخدم وكلمة المرور.", extra='<input type="password">'),
    site(
        f"محمي: {TITLE}", "هذا المحتوى محمي بكلمة مرور. لعرضه أدخل كلمة المرور.",
        extra='<form class="post-password-form"><input name="post_password" type="password"></form>',
    ),
    site(TITLE, LINES[0], extra="<div>هذا المقال متاح للمشتركين فقط. اشترك الآن بدولار في الشهر.</div>"),
]  # fmt: skip
OUTAGE = [
    site("الموقع تحت الصيانة", "سنعود قريباً، شكراً لصبركم."),
    site("شبكة النهر", "نعتذر عن الإزعاج.", heading="نعمل حالياً على تحديث الموقع"),
    site("خطأ في الاتصال بقاعدة البيانات"),
    site("Maintenance", "Briefly unavailable for scheduled maintenance. Check back in a minute."),
]


@pytest.mark.parametrize(
    ("status", "body"),
    [(status, body) for status, all_ in (("gone", GONE), ("blocked", BLOCKED), ("outage", OUTAGE)) for body in all_],
)
def test_what_stands_in_the_place_of_an_article_is_told_by_its_words(status, body):
    assert look(body, KEPT).status == status
    if "للمشتركين" not in body and TITLE not in re.sub("محمي", "", body):
        assert look(body).status == status


REAL = [
    site("جارٍ التحقق من هوية منفذ الهجوم", "قالت الشرطة إنها تتحقق من هوية منفذ الهجوم على السوق.", LINES[2]),
    site("هذا الخبر غير صحيح: الوزارة تنفي", "نفت الوزارة صحة ما نشر عن إغلاق المعبر يوم الجمعة.", LINES[2]),
    site("حذف صفحة الوزارة من فيسبوك", "ظهرت للزوار رسالة تقول إن الصفحة غير موجودة، ولم تعلق الوزارة.", LINES[2]),
    site("لم يتم العثور على ناجين تحت الأنقاض", "أنهت فرق الدفاع المدني البحث في المبنى المنهار دون ناجين.", LINES[2]),
    site("تم حذف الخبر: كيف تختفي الأخبار من مواقعنا", *LINES, *OTHER),
    site("الصفحة غير موجودة: رسالة تصدم زوار موقع البلدية", *LINES, *OTHER),
    site("تم حذف الخبر: وزارة الإعلام توضح", "قالت الوزارة إن موقعها تعرض للاختراق ليلة أمس.", LINES[2]),
    site("حذف الخبر عن السد يثير الجدل", "قالت الوزارة إن موقعها تعرض للاختراق ليلة أمس."),
    site("تم حذف الخبر من موقع الوزارة بعد ساعة من نشره", "قالت الوزارة إن موقعها تعرض للاختراق ليلة أمس."),
    site("خطأ 404 يربك طلاب الجامعة", *OTHER, *LINES),
    site("404 قتلى حصيلة الزلزال", LINES[2], "وقالت الوزارة إن 404 أشخاص قتلوا في الزلزال."),
    site("الموقع الأثري مغلق أمام الزوار", "قالت المديرية إن أعمال الترميم تنتهي في نيسان المقبل.", LINES[3]),
    site(TITLE, *LINES, *OTHER, extra='<script src="https://www.google.com/recaptcha/api.js"></script>'),
    site(
        TITLE, *LINES, *OTHER, extra='<script src="/_Incapsula_Resource?SWJIYLWA=7"></script><div class="g-recaptcha">'
    ),
    site(TITLE, *LINES, *OTHER, extra="<script src='/cdn-cgi/challenge-platform/scripts/jsd/main.js'></script>"),
]


@pytest.mark.parametrize("body", REAL)
def test_a_story_that_speaks_of_missing_pages_is_a_story(body):
    assert look(body).status in ("live", "not_article")
    kept = extract(page(body))
    assert look(body, kept).status == "live"


def test_the_beginning_of_an_article_before_a_login_is_no_article():
    wall = "يرجى تسجيل الدخول لمتابعة قراءة المقال كاملاً على موقعنا"
    assert look(site(TITLE, wall, LINES[0])).status == "blocked"


def test_a_kept_article_is_live_while_its_words_are_there():
    assert look(STORY, KEPT) == Effective("live")
    shrunk = site("عذراً، الصفحة التي تبحث عنها غير موجودة", *LINES)  # whatever the template says over it
    assert look(shrunk, KEPT).status == "live"
    assert look(site(TITLE, *LINES, *OTHER), KEPT).status == "live"  # it grew
    assert look(site(TITLE, LINES[0]), KEPT).status in ("live", "unreadable")  # it was cut: an edit, not a wall


def test_a_challenge_by_header_is_one_whatever_the_page_says():
    given = page(STORY, **{"CF-Mitigated": "challenge"})
    assert effective(given, extract(given), KEPT).status == "blocked"


HOME = "https://nahr.example"


@pytest.mark.parametrize(
    ("final", "status"),
    [(f"{HOME}/", "gone"), (f"{HOME}/ar", "gone"), (f"{HOME}/tag/sijn", "gone"), (f"{HOME}/404.html", "gone"),
     (f"{HOME}/login?next=/news", "blocked"), (f"{HOME}/maintenance", "outage")],
)  # fmt: skip
def test_where_a_redirect_leads_says_what_became_of_the_article(final, status):
    assert look(site("شبكة النهر", OTHER[0]), KEPT, final).status == status


def test_a_redirect_to_the_same_words_is_a_move_and_to_others_is_the_end():
    new = f"{HOME}/news/71-naql-almuhtajazin"
    assert look(STORY, KEPT, new).status == "moved"
    assert look(site(TITLE, *LINES, OTHER[0]), KEPT, new).status == "moved"
    elsewhere = look(site("معرض الزهور يفتتح أبوابه", *OTHER, *OTHER[:1]), KEPT, f"{HOME}/news/71-nql-2")
    assert (elsewhere.status, elsewhere.other) == ("gone", True)
    assert look(STORY, None, new).status == "live"  # nothing is known of it yet


def test_an_address_of_the_article_itself_proves_a_move_in_other_words():
    surely = '<meta property="og:type" content="article">'
    rewritten = site("معرض الزهور يفتتح", *OTHER, head=f'{surely}<link rel="shortlink" href="{HOME}/?p=71">')
    assert look(rewritten, KEPT, f"{HOME}/news/new", names=(f"{HOME}/?p=71",)).status == "moved"


def test_other_words_at_the_same_address_are_an_edit_only_of_what_surely_is_an_article():
    surely = '<meta property="og:type" content="article"><meta name="author" content="ليلى حداد">'
    assert look(site("معرض الزهور يفتتح أبوابه", *OTHER, head=surely), KEPT).status == "live"
    doubtful = site("شبكة النهر", "أهلاً بكم في موقعنا الجديد.")
    assert look(doubtful, KEPT).status in ("unreadable", "not_article")


@pytest.mark.parametrize("said", ["نعتذر لقرائنا.", "لم يُنقل أحد من السجن.", "سُحبت هذه المادة الغذائية من الأسواق."])
def test_a_note_that_calls_itself_an_article_is_an_edit_of_the_one_kept_however_short(said):
    surely = '<meta property="og:type" content="article">'
    dated = f'{surely}<meta property="article:published_time" content="2026-01-21T09:00:00Z">'
    assert look(site("بيان", said, head=dated), KEPT).status == "live"
    assert look(site("بيان من هيئة التحرير", said, head=surely), KEPT).status == "live"
    for body in (site("بيان", said), site("بيان", said, head=surely), site("تسجيل الدخول", said, head=dated),
                 site("بوابة المشتركين في الشبكة", "اسم المستخدم:", "كلمة المرور:", head=surely)):  # fmt: skip
        assert look(body, KEPT).status not in ("live", "gone")


@pytest.mark.parametrize(
    ("body", "to"),
    [
        ('<html><head><meta http-equiv="refresh" content="0; url=/news/72"></head></html>', "/news/72"),
        (
            "<meta content='0;URL=\"/news/72?a=1&amp;b=2\"' http-equiv=REFRESH><body>جاري التحويل</body>",
            "/news/72?a=1&b=2",
        ),
        ('<script>window.location.href = "/news/72";</script>', "/news/72"),
        ("<html><body><script>location.replace('https://nahr.example/news/72')</script></body></html>", "/news/72"),
        ('<meta http-equiv="refresh" content="300; url=/news/72"><body>خبر</body>', None),
        (f'<meta http-equiv="refresh" content="0; url={URL}"><body>خبر</body>', None),
        ('<script>location.href = "javascript:alert(1)"</script>', None),
        ('<div id="app"></div><script>if (navigator.old) location.href = "/old-browser";</script>', None),
        ('<noscript><meta http-equiv="refresh" content="0; url=/nojs"></noscript><div id="app"></div>', None),
        (STORY.replace("</head>", '<meta http-equiv="refresh" content="5; url=/news/72"></head>'), None),
        (STORY.replace("</body>", '<script>function go(){location.href="/search"}</script></body>'), None),
    ],
)
def test_a_page_without_text_sends_on(body, to):
    given = page(body)
    try:
        article = extract(given)
    except ExtractionError:
        article = None
    assert onward(given, article) == (HOME + to if to else None)


def test_a_twin_for_telephones_leads_to_its_canonical_page():
    amp = f"{URL}/amp"
    body = STORY.replace("</head>", f'<link rel="canonical" href="{URL}"></head>')
    given = Page(amp, amp, "2026-01-21T11:00:00Z", 200, (), body.encode())
    assert named(given, extract(given)) == URL
    assert extract(given).addresses == (("amp", amp), ("canonical", URL))


def test_addresses_a_page_names_are_read_and_those_of_sections_and_strangers_are_not():
    head = (
        '<link rel="canonical" href="/news/71-nql"><link rel="amphtml" href="/news/71-nql/amp">'
        '<link rel="shortlink" href="https://www.nahr.example/?p=71"><meta property="og:url" content="/tag/x">'
        '<link rel="alternate" media="only screen and (max-width: 640px)" href="https://m.nahr.example/news/71-nql">'
        '<link rel="alternate" hreflang="en" href="/en/news/71">'
    )
    assert set(extract(page(STORY.replace("</head>", head + "</head>"))).addresses) == {
        ("canonical", URL), ("amp", f"{URL}/amp"), ("id", "https://www.nahr.example/?p=71"),
        ("mobile", "https://m.nahr.example/news/71-nql"),
    }  # fmt: skip
    for wrong in ("/", "/tag/x", "https://evil.example/news/71-nql", "javascript:x", "http://["):
        body = STORY.replace("</head>", f'<link rel="canonical" href="{wrong}"></head>')
        assert extract(page(body)).addresses == ()
    unlike = STORY.replace("</head>", '<link rel="canonical" href="/about-this-paper"></head>')
    assert extract(page(unlike)).addresses == (("named", f"{HOME}/about-this-paper"),)
    two = STORY.replace("</head>", '<link rel="canonical" href="/a-1"><link rel="canonical" href="/b-2"></head>')
    assert extract(page(two)).addresses == ()


def test_addresses_by_their_looks():
    assert all(twin(HOME + path) == "amp" for path in ("/a?amp=1", "/a?outputType=amp", "/a.amp.html", "/amp/a"))
    assert not any(twin(HOME + path) for path in ("/a/amphora", "/?p=7&x=1", "/a?p=7", "/a?amp=0"))
    assert not is_listing(f"{HOME}/?p=7")
    assert not is_listing(f"{HOME}/index.php?id=7")
    assert akin(f"{HOME}/2026/01/21/12345-a", f"{HOME}/12345/b")
    assert not akin(f"{HOME}/20260121/first-one", f"{HOME}/20260121/second-one")


def test_likeness_is_of_words_not_of_their_dress():
    dressed = Article(TITLE, "\n".join(LINES).replace("الحسكة", "الحَسَكة").replace("،", " ،"))
    assert likeness(KEPT, dressed) == 1
    assert likeness(KEPT, Article("معرض الزهور", "\n".join(OTHER))) == 0
    assert likeness(Article("", ""), KEPT) == 0


PIECES = [
    "<",
    ">",
    "<script",
    "</script>",
    "<h1>",
    "<meta http-equiv=refresh content='0;url=",
    "location='",
    "عذرا",
    "404",
]


@given(st.lists(st.sampled_from([*PIECES, "\x00", "&#", "'", '"', "<title>", "ن" * 50]), max_size=60))
def test_no_page_breaks_the_reading(pieces):
    given = page("".join(pieces))
    effective(given, None)
    onward(given, None)


@pytest.mark.parametrize(
    "piece", ["<script", "<h1>", "<", "<meta ", "<meta http-equiv=refresh ", "location=", "عذرا ", "صفحة "]
)
def test_what_never_ends_is_read_in_bounded_time(piece):
    given = page(piece * 200_000)
    effective(given, None)
    onward(given, None)

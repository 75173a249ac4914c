"""One story or another kind of page: pages that Arabic sites serve beside articles, and the shortest articles."""

import pytest

from archive.models import Page
from crawler.extract import extract

SITE = "بريد الفرات"
LINES = [
    "أعلنت إدارة السوق أن المحال ستفتح أبوابها أمام الزبائن مطلع الأسبوع المقبل بأسعار مخفضة.",
    "تستهدف الحملة خمسة آلاف طفل دون الخامسة وتستمر عشرة أيام في جميع المخيمات.",
    "تضم المدارس الثلاث أكثر من ستين شعبة صفية وتتسع لألفي طالب وطالبة.",
]
NAMES = ["افتتاح سوق جديد للخضار في مدينة الطبقة", "حملة تلقيح للأطفال في المخيمات", "تأهيل ثلاث مدارس في الريف"]
CARDS = "".join(
    f"<div><h3><a href='/a/{n}'>{name}</a></h3><p>{LINES[n]}</p></div>" for n, name in enumerate(NAMES * 2) if n < 3
)
PLAIN = "".join(f"<h3>{name}</h3><p>{line}</p>" for name, line in zip(NAMES, LINES, strict=True))
ABOUT = (
    "<p>بريد الفرات مؤسسة إعلامية مستقلة تأسست عام 2013 في مدينة الرقة، وتعنى بأخبار الجزيرة.</p>"
    "<p>يعمل في المؤسسة أكثر من ثلاثين صحفياً ومراسلاً، وتلتزم بمعايير المهنة وأخلاقياتها.</p>"
    "<p>تصدر المؤسسة نشرة يومية ومجلة شهرية، ولها إذاعة محلية تبث على موجة إف إم.</p>"
)
CLAIM = "<meta property='og:type' content='article'>"


def read(title, body, path="a/12", head="", classes="", status=200):
    url = f"https://news.example/{path}"
    text = (
        f"<html lang='ar'><head><meta charset='utf-8'><title>{title} - {SITE}</title>{head}</head>"
        f"<body class='{classes}'><nav><a href='/'>الرئيسية</a></nav><div><h1>{title}</h1>{body}</div>"
        f"<footer>جميع الحقوق محفوظة</footer></body></html>"
    )
    headers = (("Content-Type", "text/html"),)
    return extract(Page(url, url, "2026-11-22T09:00:00Z", status, headers, text.encode(), outlet_name=SITE))


@pytest.mark.parametrize(
    ("title", "body", "more"),
    [
        ("نتائج البحث عن سد الفرات", f"<p>عدد النتائج: 42</p>{CARDS}", {"path": "find"}),
        ("سامر العلي", f"<p>صحفي سوري مقيم في الرقة، يكتب في الشأن المحلي منذ عام 2012.</p>{CARDS}", {}),
        ("سد الفرات", f"<p>{ABOUT[3:80]} {LINES[0]}</p>{CARDS}", {"path": "t/dam"}),
        ("صور من كل مكان في سوريا هذا الأسبوع", PLAIN, {"path": "photos/"}),
        ("أخبار سوريا", PLAIN, {"path": "list/4"}),
        ("العدد 15823 من جريدتنا ليوم الأحد", "<time>20 تشرين الثاني 2026</time><p>يمكنكم تصفح النسخة الورقية "
         "من الصحيفة أو تحميل الصفحات منفردة من الروابط أدناه.</p>", {"path": "issue/15823"}),
        ("الصفحة التي طلبتها ليست هنا", "<p>قد يكون العنوان مكتوباً بطريقة خاطئة، أو أن الصفحة حذفت من قبل "
         "إدارة الموقع.</p>", {}),
        ("نأسف، لم نتمكن من العثور على ما تريد قراءته", "<p>ربما حذف هذا الخبر أو تغير عنوانه، ويمكنكم تصفح أحدث "
         "المواد أدناه.</p>", {}),
        ("نحن نهتم بخصوصية زوار موقعنا جميعاً", "<p>نستخدم ملفات تعريف الارتباط لتحسين تجربتك وعرض إعلانات تناسب "
         "اهتماماتك.</p>", {}),
        ("يتم الآن تحويلكم إلى موقع آخر", "<p>أنت على وشك مغادرة موقعنا، ولسنا مسؤولين عن محتوى الروابط "
         "الخارجية.</p>", {}),
        ("هذا المقال متاح للمشتركين فقط دون غيرهم", "<p>للاستمرار في القراءة يرجى تسجيل الدخول أو الاشتراك في إحدى "
         "باقاتنا الشهرية.</p>", {}),
        ("من نحن: بريد الفرات", ABOUT, {}),
        ("عن بريد الفرات", ABOUT, {"head": CLAIM}),
        ("قصتنا مع النهر منذ البداية", ABOUT, {"head": CLAIM, "classes": "page-template-default page page-id-12"}),
        ("سياسة الخصوصية وملفات الارتباط", ABOUT, {}),
        ("يسعدنا أن تكتبوا إلينا في كل وقت", ABOUT, {"path": "contact-us"}),
        (NAMES[0], f"<p>{LINES[0]}</p>", {"status": 410, "head": CLAIM}),
    ],
)  # fmt: skip
def test_pages_beside_articles_are_told_from_them(title, body, more):
    assert read(title, body, **more).is_article is False


FLASH = (
    "<p>أعلنت قوات سوريا الديمقراطية صباح الأحد إحباط محاولة هروب جماعي من سجن الصناعة في الحسكة، وقالت إن "
    "عشرين من الموقوفين أعيدوا إلى زنازينهم بعد اشتباك قصير لم يسفر عن إصابات.</p>"
)


@pytest.mark.parametrize(
    ("title", "body", "text"),
    [
        ("هروب من السجن", FLASH, "عشرين من الموقوفين"),
        ("انفجار يهز مدينة الباب", "<p>سمع دوي انفجار قوي وسط المدينة.</p>", "سمع دوي"),
        ("حصاد القطن في سهول رأس العين", "<time>20 تشرين الثاني 2026</time><figure><img><figcaption>مزارعات "
         "يقطفن القطن في حقل قرب رأس العين (عدسة سامر العلي)</figcaption></figure>", "مزارعات يقطفن القطن"),
        ("بيان إلى الرأي العام", "<p>ندين التفجير.</p><p>الرحمة للشهداء والشفاء للجرحى.</p>", "ندين التفجير"),
        ("خطأ طبي يودي بحياة طفل في حمص", "<p>توفي طفل في أحد مشافي حمص، وفتحت مديرية الصحة تحقيقاً.</p>", "توفي"),
        ("عذراً أيها السوريون، لا كهرباء هذا الشتاء", FLASH, "زنازينهم"),
        ("من نحن في عيون الآخرين اليوم؟", FLASH, "زنازينهم"),
        ("تحويل السير في شارع الجلاء أسبوعاً", "<p>أعلنت شرطة المرور تحويل السير في الشارع أسبوعاً.</p>", "شرطة"),
    ],
)  # fmt: skip
def test_short_articles_are_articles(title, body, text):
    article = read(title, body, head=CLAIM)
    assert article.is_article is True
    assert text in article.text

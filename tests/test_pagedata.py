"""Pages whose article stands in data alone (JSON-LD, a framework's state), and AMP: read, and the way named."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.models import Page
from crawler.extract import extract

TITLE = "تعزيل قناة الري الرئيسية في ريف الرقة"
TOLD = [
    "باشرت مديرية الموارد المائية أعمال تعزيل القناة الرئيسية في ريف الرقة الغربي بعد توقف دام سنتين.",
    "وقال مهندس في المديرية إن الأعمال تشمل اثني عشر كيلومتراً من القناة، وإنها ستنتهي قبل موسم الري.",
    "وطالب مزارعون بتوسيع الأعمال لتشمل الأقنية الفرعية التي تروي أكثر من ألفي هكتار من الأراضي.",
]
HTML = "".join(f"<p>{line}</p>" for line in TOLD)
OTHER = {"title": "افتتاح سوق جديد للخضار في المدينة", "body": f"<p>{TOLD[0].replace('القناة', 'السوق')}</p>" * 9}


def read(data="", shown="", lang="ar"):
    text = (
        f"<html lang='{lang}'><head><meta charset='utf-8'><title>{TITLE} - بريد الفرات</title></head>"
        f"<body><div id='app'>{shown}</div>{data}</body></html>"
    )
    url = "https://news.example/a/12"
    return extract(Page(url, url, "2026-11-22T09:00:00Z", 200, (("Content-Type", "text/html"),), text.encode()))


def state(value, form="<script id='__NEXT_DATA__' type='application/json'>{}</script>", ascii=True):
    return form.format(json.dumps(value, ensure_ascii=ascii))


ASSIGNED = "<script>window.__INITIAL_STATE__ = {};(function(){{var s;}}());</script>"


@pytest.mark.parametrize(
    "data",
    [
        state({"props": {"article": {"title": TITLE, "body": HTML}, "related": [OTHER]}}),
        state(
            {"detail": {"headline": TITLE, "content": "<br>".join(TOLD)}, "menu": [{"title": TITLE}]}, ASSIGNED, False
        ),
        state({"data": [{"title": TITLE, "text": "\n".join(TOLD)}]}, "<script>window['__NUXT__']={}</script>"),
        state([["Reactive", 1], {"post": 2}, {"title": 3, "content": 4}, TITLE, HTML]),
        state({"posts": {"12": {"title": {"rendered": TITLE}, "content": {"rendered": HTML}}}}),
        state({"title": TITLE, "content": [{"type": "paragraph", "text": line} for line in TOLD]}),
    ],
)
def test_the_article_in_the_data_of_a_framework(data):
    article = read(data)
    assert (article.title, article.text, article.extractor) == (TITLE, "\n".join(TOLD), "page-data")
    assert article.is_article is True


def test_what_is_shown_goes_before_data_and_data_of_others_are_none():
    shown = read(state({"title": TITLE, "body": HTML}), f"<h1>{TITLE}</h1><div>{HTML}</div>")
    assert (shown.text, shown.extractor.split("/")[0]) == ("\n".join(TOLD), "trafilatura")
    for data in (
        state({"related": [OTHER]}),
        state({"title": TITLE, "body": "نص قصير"}),
        "<script>window.a = {b: 1}</script>",
    ):
        other = read(data)
        assert other.text == ""
        assert other.is_article is not True


@pytest.mark.parametrize("body", ["\n".join(TOLD), HTML, "<br />".join(TOLD)])
def test_json_ld_keeps_its_paragraphs(body):
    item = {
        "@type": "NewsArticle",
        "headline": TITLE,
        "datePublished": "2026-11-20T10:30:00+03:00",
        "articleBody": body,
    }
    article = read(state(item, "<script type='application/ld+json'>{}</script>"))
    assert (article.text, article.extractor, article.is_article) == ("\n".join(TOLD), "json-ld", True)


def test_what_amp_sets_around_the_text_leaves():
    article = read(shown=(
        f"<amp-sidebar><ul><li><a href='/'>الرئيسية</a></li></ul></amp-sidebar><article><h1>{TITLE}</h1>"
        f"<amp-carousel><p>صورة من أعمال التعزيل قرب قرية السلحبية غرب الرقة صباح اليوم.</p></amp-carousel>"
        f"<amp-img src='a.jpg'></amp-img><p>{TOLD[0]}</p><amp-iframe><p placeholder>جاري التحميل</p></amp-iframe>"
        f"<p>{TOLD[1]}</p><amp-img src='b.jpg' /><p>{TOLD[2]}</p></article>"
        f"<amp-list><template><p>{TOLD[0].replace('القناة', 'السوق')}</p></template></amp-list>"
    ))  # fmt: skip
    assert (article.text, article.extractor[-4:]) == ("\n".join(TOLD), "+amp")


DEEP = "[" * 200_000
LONE = json.dumps({"title": TITLE, "body": HTML + "\ud800\x00 نص"})


def test_hostile_data_are_passed_over():
    wide = state([[{"title": TITLE}] * 200_000])
    for data in (f"<script type='application/json'>{DEEP}</script>", f"<script>window.__S__={DEEP}</script>", wide):
        assert read(data).text == ""
    assert read(f"<script type='application/json'>{LONE}</script>").text.encode()


JSON = st.recursive(st.none() | st.integers() | st.text(max_size=20) | st.just(TITLE) | st.just(HTML), lambda value: (
    st.lists(value, max_size=4) | st.dictionaries(st.sampled_from(["title", "body", "content", "data"]), value)
), max_leaves=12)  # fmt: skip


@given(JSON)
def test_any_json_is_read_or_passed_over(value):
    assert read(state(value)).text.encode() is not None

"""Telegram channels, against a site that shows them as t.me does: what is posted is found, read, and told of."""

from __future__ import annotations

import doctest
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

import crawler.telegram
from archive.models import Page
from archive.reading import open_archive
from archive.times import stamp
from archive.topics import shipped_rules
from crawler.effective import effective
from crawler.extract import extract
from crawler.process import process
from crawler.telegram import links_from_channel, posts_on, preview, read_post, withheld
from tests.crawl_kit import Desk
from tests.servers import Site
from tests.telegram_site import Channel

RED = """<i class="emoji" style="background-image:url('//telegram.org/img/emoji/40/F09F94B4.png')"><b>🔴</b></i>"""
TRANSFER = f"""{RED}<b>عاجل</b> | مراسلنا في الحسكة: قوات سوريا الديمقراطية تنقل نحو سبعين معتقلاً من تنظيم داعش من سجن \
الصناعة إلى سجن في ريف المالكية.<br/><br/>وقال مصدر أمني إن النقل جرى ليلاً بإشراف التحالف.<br/>للمزيد: \
<a href="https://example.org/a?b=1" target="_blank" rel="noopener">https://example.org/a?b=1</a>"""
TRANSFER_TEXT = """🔴عاجل | مراسلنا في الحسكة: قوات سوريا الديمقراطية تنقل نحو سبعين معتقلاً من تنظيم داعش من سجن \
الصناعة إلى سجن في ريف المالكية.
وقال مصدر أمني إن النقل جرى ليلاً بإشراف التحالف.
للمزيد: https://example.org/a?b=1"""
WHEAT = "ارتفع سعر القمح في أسواق القامشلي إلى خمسة آلاف ليرة للكيلوغرام الواحد."


def channel_of(*posts: object, **more: object) -> Channel:
    """A channel without a server: `posts` are texts, or keys of a post."""
    site = Site()
    site.url = "https://t.me"
    channel = Channel(site, "sawt_furat", "صوت الفرات", **more)  # type: ignore[arg-type]
    for post in posts:
        channel.post(**(post if isinstance(post, dict) else {"text": post}))  # type: ignore[arg-type]
    return channel


class Answer:
    """What a channel answers, without a server."""

    def __init__(self, path: str) -> None:
        self.path, self.location = path, None

    def answer(self, body: str = "", status: int = 200, **headers: str) -> None:
        self.body, self.location = body.encode(), headers.get("location")

    def redirect(self, to: str) -> None:
        self.answer(location=to)


def ask(channel: Channel, path: str) -> bytes:
    answer = Answer(path)
    channel.answer(answer)  # type: ignore[arg-type]
    return answer.body


def listed(channel: Channel, mark: str | None = None, query: str = ""):
    path = f"/s/{channel.name}{query}"
    return links_from_channel(ask(channel, path), f"https://t.me{path}", mark)


def page(channel: Channel, number: int, outlet: str = "صوت الفرات") -> Page:
    path = f"/{channel.name}/{number}"
    shown = f"https://t.me{path}?embed=1&mode=tme"
    body = ask(channel, f"{path}?embed=1&mode=tme")
    headers = (("Content-Type", "text/html; charset=utf-8"),)
    return Page(f"https://t.me{path}", shown, "2026-01-21T09:00:00Z", 200, headers, body, outlet_name=outlet)


def test_examples_in_docstrings():
    assert doctest.testmod(crawler.telegram).failed == 0


def test_what_has_words_is_listed_newest_first_and_nothing_else():
    channel = channel_of(
        {"text": "Channel created", "service": True},
        TRANSFER,
        {"text": None, "photos": 3},
        {"text": WHEAT, "photos": 2},
        {"text": None, "poll": ("هل تتوقع عودة النازحين؟", "نعم", "لا")},
        {"text": None, "unshown": True},
    )
    listing = listed(channel)
    assert [(link.url, link.published_at) for link in listing.links] == [
        ("https://t.me/sawt_furat/8", "2026-01-21T07:08:05+00:00"),
        ("https://t.me/sawt_furat/6", "2026-01-21T07:06:05+00:00"),
        ("https://t.me/sawt_furat/2", "2026-01-21T07:02:05+00:00"),
    ]
    assert (listing.problem, listing.more, listing.mark) == (None, (), "9")


def test_older_posts_are_read_back_to_what_is_known_and_no_further():
    channel = channel_of(*(f"خبر قصير رقم {number} من دير الزور" for number in range(1, 51)))
    first = listed(channel)
    assert len(first.links) == 20
    assert (first.more, first.mark) == (("https://t.me/s/sawt_furat?before=31",), "50")
    assert listed(channel, mark="30").more == listed(channel, mark="44").more == ()
    assert listed(channel, mark="29").more == first.more
    back = listed(channel, mark="5", query="?before=31")
    assert (back.links[0].url, back.more) == ("https://t.me/sawt_furat/30", ("https://t.me/s/sawt_furat?before=11",))
    assert listed(channel, query="?before=11").more == ()


def test_a_channel_that_shows_nothing_is_told_from_an_empty_one():
    assert listed(channel_of()).problem is None
    closed = channel_of(TRANSFER, shown=False)
    problem = links_from_channel(ask(closed, "/sawt_furat"), "https://t.me/sawt_furat", None).problem
    assert "switched off" in (problem or "")
    assert links_from_channel(b"", "https://t.me/s/sawt_furat", None).problem


def test_only_the_channels_own_posts_are_listed():
    body = ask(channel_of(TRANSFER, WHEAT), "/s/sawt_furat").replace(b'"sawt_furat/1"', b'"other_name/1"')
    links = links_from_channel(body, "https://t.me/s/Sawt_Furat", None).links
    assert [link.url for link in links] == ["https://t.me/sawt_furat/2"]


def test_a_post_is_read_as_it_was_written():
    channel = channel_of(
        {"text": TRANSFER, "forwarded": "وكالة البادية", "signed": "ليلى حداد", "reply": WHEAT, "edited": True,
         "photos": 2, "unshown": True}
    )  # fmt: skip
    read = extract(page(channel, 1))
    assert (read.title, read.text) == ("", TRANSFER_TEXT)
    assert (read.credit, read.author, read.language) == ("وكالة البادية", "ليلى حداد", "ar")
    assert (read.published_at, read.published_source) == ("2026-01-21T07:01:05+00:00", "time-tag")
    assert (read.modified_at, read.is_article, read.extractor) == (None, True, "telegram")


def test_a_post_forwarded_from_the_outlets_own_channel_credits_nobody():
    channel = channel_of({"text": WHEAT, "forwarded": "صَوت الفرات"}, "تفاصيل الحادثة.<br/>المصدر: وكالة البادية")
    assert extract(page(channel, 1)).credit is None
    assert extract(page(channel, 2)).credit == "وكالة البادية"


def test_what_a_post_says_of_deleting_deletes_no_post():
    one = page(channel_of("تم حذف الخبر السابق عن سجن الصناعة بعد نفي المصدر"), 1)
    assert effective(replace(one, final_url=one.url, view=one.final_url), extract(one)).status == "live"


def test_a_polls_words_are_text_and_its_votes_are_not():
    channel = channel_of({"text": None, "poll": ("هل تتوقع عودة النازحين؟", "نعم", "لا")})
    assert extract(page(channel, 1)).text == "هل تتوقع عودة النازحين؟\nنعم\nلا"


def test_why_a_post_is_not_shown():
    channel = channel_of(TRANSFER)
    there, gone = page(channel, 1), page(channel, 2)
    assert withheld(there.body, there.url) is None
    assert withheld(there.body, there.url.replace("sawt_furat", "Sawt_Furat")) is None
    assert withheld(gone.body, gone.url) == ("gone", "Telegram says: Post not found")
    channel.refusal = "This channel can't be displayed because it violated <b>local</b> laws."
    barred = page(channel, 1)
    assert withheld(barred.body, barred.url) == (
        "blocked",
        "Telegram says: This channel can't be displayed because it violated local laws.",
    )
    assert withheld(there.body, gone.url) == ("unreadable", "is no page of this post")
    there, gone, barred = (p.body.decode().replace('"', "'").encode() for p in (there, gone, barred))
    assert [withheld(body, page(channel, 1).url) for body in (there, gone)] == [
        None,
        ("gone", "Telegram says: Post not found"),
    ]
    assert withheld(barred, page(channel, 1).url)[0] == "blocked"


def test_an_ordinary_page_that_shows_a_post_is_read_as_any_other():
    channel = channel_of(TRANSFER)
    one = page(channel, 1)
    story = Page("https://news.example/a", "https://news.example/a", one.at, 200, one.headers, one.body)
    assert extract(story).extractor != "telegram"


@pytest.mark.parametrize(
    ("text", "topics"),
    [
        (TRANSFER, {"isis_detainees", "sdf"}),
        ("قسد تفرج عن دفعة جديدة من معتقلي داعش في الرقة", {"isis_detainees", "sdf"}),
        (f"{RED}قتيلان من قسد بهجوم مسلح على حاجز لها قرب البصيرة شرقي دير الزور", {"sdf"}),
        (WHEAT, set()),
        ("صباح الخير من ضفاف الفرات، نتمنى لكم يوماً سعيداً", set()),
    ],
)
def test_the_topic_of_a_short_text_without_a_title_is_seen(text, topics):
    channel = channel_of(text)
    _, judgement = process(page(channel, 1), shipped_rules())
    assert {match.topic for match in judgement.matches if match.strength == "substantive"} - {"syria"} == topics


@pytest.mark.parametrize(
    "name",
    ["", "ab", "+AbCdEf", "https://t.me/+AbC", "https://t.me/joinchat/AbC", "two words", "https://example.org/a"],
)
def test_what_names_no_public_channel_is_refused(name):
    with pytest.raises(ValueError, match=r"."):
        preview(name)


_PIECES = [
    "<div class='tgme_widget_message' data-post='sawt_furat/7'>", "<div class='tgme_widget_message_text'>", "</div>",
    "<br>", "<div data-post='sawt_furat/1000000000000'>", "<time datetime='x'>", "data-post=", "<b>", "\x00",
    "&#xD800;", "قسد",
]  # fmt: skip
_MARKUP = st.lists(st.sampled_from(_PIECES) | st.text(max_size=5)).map("".join)


@given(_MARKUP | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")), st.none() | st.text(max_size=3))
def test_no_preview_breaks_the_reader(text, mark):
    body = text.encode("utf-8", "replace")
    listing = links_from_channel(body, "https://t.me/s/sawt_furat", mark)
    assert all(link.url.startswith("https://t.me/sawt_furat/") for link in listing.links)
    withheld(body, "https://t.me/sawt_furat/7")
    for post in posts_on(html.document_fromstring("<p>" + text.replace("\x00", ""))).values():
        assert "\n\n" not in read_post(post).text


# Against a site


@pytest.fixture
def channel() -> Iterator[Channel]:
    with Site() as site:
        yield Channel(site, "sawt_furat", "صوت الفرات")


def at_outlet(desk: Desk, channel: Channel) -> Desk:
    desk.outlet("sawt", channel.site, telegram=f'["{channel.url}"]')
    return desk.open()


def revisit(desk: Desk) -> None:
    """Make every kept post due, and look again."""
    due = "UPDATE articles SET next_check_at = first_seen_at WHERE next_check_at IS NOT NULL"
    desk.writer.submit(lambda tx: tx.db.execute(due)).result()
    desk.crawl()


def test_posts_are_kept_under_the_address_that_people_open(desk, channel):
    channel.post(TRANSFER, photos=2)
    channel.post("صباح الخير، نتمنى لكم يوماً سعيداً.")
    assert at_outlet(desk, channel).crawl().outcome == "ok"
    (kept,) = desk.rows("SELECT url, title, text, versions, topics FROM latest")
    assert kept[:4] == (f"{channel.site.url}/sawt_furat/1", "", TRANSFER_TEXT, 1)
    assert "isis_detainees" in kept[4]
    assert desk.rows("SELECT url, series FROM captures ORDER BY id") == [
        (f"{channel.site.url}/sawt_furat/3?embed=1&mode=tme", "passed"),
        (f"{channel.site.url}/sawt_furat/1?embed=1&mode=tme", "kept"),
    ]
    with open_archive(desk.config.archive) as archive:
        shown = process(archive.capture(2), shipped_rules())[0]
    assert shown.text == TRANSFER_TEXT


def test_counters_make_no_edit_and_words_do(desk, channel):
    channel.post(TRANSFER)
    at_outlet(desk, channel).crawl()
    revisit(desk)
    assert desk.rows("SELECT count(*) FROM versions") == [(1,)]
    channel.posts[1].text, channel.posts[1].edited = TRANSFER.replace("سبعين", "ثمانين"), True
    revisit(desk)
    assert desk.rows("SELECT kind FROM events ORDER BY id") == [("new",), ("edited",)]
    assert desk.rows("SELECT modified_at FROM versions") == [(None,), (None,)]


def test_a_deleted_post_is_withdrawn_and_a_barred_channel_withdraws_nothing(desk, channel):
    channel.post(TRANSFER)
    at_outlet(desk, channel).crawl()
    channel.refusal = "This channel can't be displayed because it violated local laws."
    revisit(desk)
    assert desk.rows("SELECT status FROM articles") == [("live",)]
    assert desk.rows("SELECT outcome FROM fetches ORDER BY id DESC LIMIT 1") == [("blocked",)]
    channel.refusal = ""
    del channel.posts[1]
    revisit(desk)
    assert desk.rows("SELECT status FROM articles") == [("suspect",)]


def test_what_was_posted_since_the_last_visit_is_found_page_by_page(desk, channel):
    for number in range(1, 6):
        channel.post(f"خبر قصير رقم {number} من دير الزور")
    at_outlet(desk, channel).crawl()
    for number in range(6, 56):
        channel.post(f"خبر قصير رقم {number} من دير الزور")
    desk.crawl()
    assert desk.rows("SELECT count(*) FROM articles") == [(55,)]
    asked = [hit.path for hit in channel.site.log if hit.path.startswith("/s/")]
    assert asked == [f"/s/sawt_furat{back}" for back in ("", "", "?before=36", "?before=16")]
    assert desk.rows("SELECT mark FROM sources") == [("55",)]


def test_a_channel_without_a_preview_is_told_of(desk, channel):
    channel.shown = False
    assert at_outlet(desk, channel).crawl().outcome == "failed"
    (error,) = desk.rows("SELECT error FROM fetches WHERE source_id IS NOT NULL")
    assert "has its preview on the web switched off" in error[0]


def test_what_robots_forbids_is_not_asked_for_nor_withdrawn_and_status_says_why(desk, channel):
    channel.post(TRANSFER)
    at_outlet(desk, channel).crawl()
    channel.post(WHEAT)
    channel.site.page("/robots.txt", "User-agent: *\nDisallow: /")
    desk.ahead, asked = timedelta(days=2), len(channel.site.log)
    desk.guest._origins.clear()  # as a day later
    revisit(desk)
    assert [hit.path for hit in channel.site.log[asked:]] == ["/robots.txt"]
    assert desk.outcomes() == {"/s/sawt_furat": "refused", "/sawt_furat/1": "refused"}
    assert desk.rows("SELECT status, next_check_at IS NOT NULL FROM articles") == [("live", 1)]
    with open_archive(desk.config.archive) as archive:
        (health,) = archive.health(stamp(desk.now()))
    assert health.last_error == "refused: robots.txt forbids it"


def test_a_post_is_saved_by_its_address(desk, channel):
    url = channel.post(WHEAT)
    at_outlet(desk, channel)
    ((address, saved),) = desk.loop.run(desk.crawls.save([url]))
    assert (address, saved.kind) == (url, "new")

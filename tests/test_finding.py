"""Every way an outlet publishes, against servers that really publish so: what it lists is found, within bounds."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.crawl_kit import TEXT, Desk
from tests.servers import ANY, Site, Visit, article, rss

PER_PAGE = 10


@dataclass
class Blog:
    """A WordPress in small: pages of its feed, REST API with modified_after, a sitemap index, articles."""

    site: Site
    posts: list[dict[str, Any]] = field(default_factory=list)  # the newest last
    knows_modified_after: bool = True

    def __post_init__(self) -> None:
        self.site.route(ANY, self.answer)

    def publish(self, count: int = 1, modified: str = "2026-01-21T10:00:00", under: str = "") -> None:
        """Posts `under` /private are found and, since robots.txt forbids them, cost no time."""
        for _ in range(count):
            number = len(self.posts) + 1
            path = f"{under}/{number}/"
            self.posts.append({"id": number, "path": path, "modified": modified, "text": f"{TEXT}\n{number}."})

    def answer(self, visit: Visit) -> None:
        parts = urlsplit(visit.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/robots.txt":
            return visit.answer("User-agent: *\nDisallow: /private", content_type="text/plain")
        if parts.path == "/feed/":
            return self.feed(visit, int(query.get("paged", 1)))
        if parts.path == "/wp-json/wp/v2/posts":
            return self.rest(visit, query)
        if parts.path == "/wp-sitemap.xml":
            return visit.answer(index(f"{self.site.url}/wp-sitemap-posts-post-1.xml"), content_type="application/xml")
        if parts.path == "/wp-sitemap-posts-post-1.xml":
            return visit.answer(urlset(*(self.site.url + post["path"] for post in self.posts)))
        for post in self.posts:
            if post["path"] == parts.path:
                return visit.answer(article(f"نقل معتقلي داعش {post['id']}", post["text"]))
        return visit.answer("لا توجد صفحة هنا", 404)

    def feed(self, visit: Visit, page: int) -> None:
        newest = self.posts[::-1][(page - 1) * PER_PAGE : page * PER_PAGE]
        text = rss([self.site.url + post["path"] for post in newest])
        text = text.replace("<channel>", "<channel><generator>https://wordpress.org/?v=6.1</generator>")
        visit.answer(text, 200 if newest else 404, content_type="application/rss+xml")

    def rest(self, visit: Visit, query: dict[str, str]) -> None:
        found = self.posts[::-1]
        if query["orderby"] == "modified":
            found = sorted(found, key=lambda post: post["modified"], reverse=True)
            if self.knows_modified_after:
                found = [post for post in found if post["modified"] + "Z" > query.get("modified_after", "")]
        size, page = int(query["per_page"]), int(query.get("page", 1))
        rows = [
            {"id": post["id"], "link": self.site.url + post["path"], "date_gmt": "2026-01-21T08:00:00",
             "modified_gmt": post["modified"], "title": {"rendered": "خبر"}}
            for post in found[(page - 1) * size : page * size]
        ]  # fmt: skip
        pages = -(-len(found) // size)
        visit.answer(json.dumps(rows), content_type="application/json", x_wp_totalpages=str(pages))


def urlset(*urls: str) -> str:
    return f"<urlset>{''.join(f'<url><loc>{url}</loc></url>' for url in urls)}</urlset>"


def index(*urls: str) -> str:
    return f"<sitemapindex>{''.join(f'<sitemap><loc>{url}</loc></sitemap>' for url in urls)}</sitemapindex>"


def found(desk: Desk) -> set[str]:
    """Paths of all that was ever found: read, or waiting."""
    rows = desk.rows("SELECT url FROM addresses UNION SELECT url FROM frontier")
    return {urlsplit(url).path for (url,) in rows}


def asked(site: Site, path: str) -> list[str]:
    """Every request for a path, with what was added to it."""
    return [hit.path.removeprefix(path) for hit in site.log if hit.path.startswith(path)]


def let_pass(desk: Desk, **span: float) -> None:
    desk.ahead += timedelta(**span)


def test_a_wordpress_feed_is_read_to_its_end_once_and_then_as_far_as_it_is_new(desk: Desk, site: Site) -> None:
    blog = Blog(site)
    blog.publish(23, under="/private")
    blog.publish(2)
    desk.outlet("one", site, feeds=f'["{site.url}/feed/"]')
    assert desk.open().crawl().discovered == 25
    assert asked(site, "/feed/") == ["", "?paged=2", "?paged=3", "?paged=4"]  # the last is a 404
    assert desk.rows("SELECT backlog, count(*) FROM frontier GROUP BY 1") == [(1, 23)]
    assert desk.rows("SELECT backlog, count(*) FROM articles GROUP BY 1") == [(1, 2)]
    blog.publish(2, under="/private")
    site.log.clear()
    assert desk.crawl().discovered == 2
    assert asked(site, "/feed/") == [""]
    blog.publish(14, under="/private")  # more than a page of it between two polls
    site.log.clear()
    assert desk.crawl().discovered == 14
    assert asked(site, "/feed/") == ["", "?paged=2"]


def test_wordpress_tells_what_was_published_scheduled_and_edited(desk: Desk, site: Site) -> None:
    blog = Blog(site)
    blog.publish(130, modified="2026-01-01T00:00:00", under="/private")
    blog.publish(2)
    desk.outlet("one", site, wordpress=f'"{site.url}"')
    desk.open()
    desk.crawl()
    assert len(found(desk)) == 132
    assert len(asked(site, "/wp-json/")) == 2
    assert desk.rows("SELECT count(*) FROM latest") == [(2,)]
    now = desk.now().strftime("%Y-%m-%dT%H:%M:%S")
    blog.posts[131] |= {"modified": now, "text": TEXT.replace("مئة وخمسين", "مئتين")}
    blog.publish(1, modified=now)
    blog.publish(1, modified="2026-01-02T00:00:00")  # scheduled long ago, its time has come
    site.log.clear()
    done = desk.crawl()
    assert len(asked(site, "/wp-json/")) == 2
    assert (done.discovered, done.kept) == (2, 3)
    assert desk.rows("SELECT kind, count(*) FROM events GROUP BY kind ORDER BY kind") == [("edited", 1), ("new", 4)]
    blog.publish(1, modified=now)  # in the same second
    let_pass(desk, minutes=15)
    assert desk.crawl().discovered == 1
    assert not [hit for hit in site.log if "if-none-match" in hit.headers]


def test_an_old_wordpress_is_read_as_well(desk: Desk, site: Site) -> None:
    blog = Blog(site, knows_modified_after=False)
    blog.publish(110, modified="2024-01-01T00:00:00", under="/private")
    blog.publish(20, modified="2025-01-01T00:00:00", under="/private")
    desk.outlet("one", site, wordpress=f'"{site.url}/wp-json/"')
    desk.open().crawl()
    blog.publish(1, modified="2025-02-01T00:00:00", under="/private")
    site.log.clear()
    assert desk.crawl().discovered == 1
    assert len(asked(site, "/wp-json/")) == 2


def test_a_closed_api_is_a_failure_and_the_sitemap_takes_the_lead(desk: Desk, site: Site) -> None:
    blog = Blog(site)
    blog.publish(3, under="/private")
    desk.outlet("one", site, wordpress=f'"{site.url}"', sitemaps=f'["{site.url}/wp-sitemap.xml"]')
    desk.open().crawl()
    let_pass(desk, minutes=20)
    desk.crawl(all_sources=False)
    assert asked(site, "/wp-sitemap.xml") == [""]  # it fills gaps, once an hour
    blog.rest = lambda visit, query: visit.answer('{"code": "rest_forbidden"}', 401)  # type: ignore[method-assign]
    blog.publish(1, under="/private")
    let_pass(desk, minutes=20)
    desk.crawl(all_sources=False)
    assert desk.rows("SELECT kind, failures FROM sources ORDER BY position") == [("wordpress", 1), ("sitemap", 0)]
    desk.crawl(all_sources=False)  # at once
    assert "/private/4/" in found(desk)
    let_pass(desk, minutes=20)
    desk.crawl(all_sources=False)
    assert asked(site, "/wp-sitemap.xml") == ["", "", ""]


def test_another_feed_of_the_same_news_is_read_once_an_hour_and_at_once_when_the_first_fails(
    desk: Desk, site: Site
) -> None:
    blog = Blog(site)
    blog.publish(PER_PAGE, under="/private")
    desk.outlet("one", site, feeds=f'["{site.url}/feed/?first", "{site.url}/feed/?second"]', every='"15m"')
    desk.open()
    for _ in range(9):
        desk.crawl(all_sources=False)
        blog.publish(under="/private")
        let_pass(desk, minutes=16)
    assert [asked(site, f"/feed/?{which}").count("") for which in ("first", "second")] == [9, 3]
    site.route("/feed/?first", lambda visit: visit.answer("خطأ", 500))
    desk.crawl(all_sources=False)
    desk.crawl(all_sources=False)  # at once
    assert len(found(desk)) == len(blog.posts)
    for _ in range(2):
        blog.publish(under="/private")
        let_pass(desk, minutes=16)
        desk.crawl(all_sources=False)
        assert len(found(desk)) == len(blog.posts)


def test_a_feed_that_does_not_lead_is_read_as_often_as_it_has_what_the_first_lacks(desk: Desk, site: Site) -> None:
    politics, sport = ([f"{site.url}/private/{name}/{n}" for n in range(9)] for name in ("politics", "sport"))
    site.page("/robots.txt", "User-agent: *\nDisallow: /private")
    desk.outlet("one", site, feeds=f'["{site.url}/politics", "{site.url}/sport"]', every='"15m"')
    for name, listed in (("politics", politics), ("sport", sport)):
        site.route(f"/{name}", lambda visit, listed=listed: visit.answer(rss(listed), content_type="text/xml"))
    desk.open()
    for turn in range(10):
        desk.crawl(all_sources=False)
        for listed in (politics, sport):
            listed.append(f"{listed[0]}-{turn}")
        let_pass(desk, minutes=20)
    assert (site.hits("/politics"), site.hits("/sport")) == (10, 7)  # for an hour it was taken for the same
    assert len(found(desk)) == 9 + 9 + 9 + 9


def test_sitemaps_of_all_kinds_and_one_of_them_broken(desk: Desk, site: Site) -> None:
    site.page("/a.xml.gz", gzip.compress(urlset(f"{site.url}/a").encode()), content_type="application/x-gzip")
    site.page("/b.xml", gzip.compress(urlset(f"{site.url}/b").encode()), content_encoding="gzip")
    site.feed("/c.rss", [f"{site.url}/c"])
    site.page("/d.txt", f"{site.url}/d\n", content_type="text/plain")
    site.page("/nested.xml", index(f"{site.url}/e.xml"))
    site.page("/e.xml", urlset(f"{site.url}/e", f"{site.url}/tag/x", f"{site.url}/sport/e"))
    site.page("/bad.xml", "<html>")
    children = ["/gone.xml", "/a.xml.gz", "/bad.xml", "/b.xml", "/c.rss", "/d.txt", "/nested.xml"]
    urls = [site.url + path for path in children]
    site.page("/sitemap.xml", index(*urls, "http://other.example/x.xml"), etag='"1"')
    desk.outlet("one", site, sitemaps=f'["{site.url}/sitemap.xml"]', exclude='["^/sport/"]')
    desk.open().crawl()
    assert found(desk) == {"/a", "/b", "/c", "/d", "/e"}
    seen = desk.outcomes()
    assert (seen["/gone.xml"], seen["/bad.xml"], seen["/e.xml"]) == ("gone", "unreadable", "ok")
    assert desk.rows("SELECT failures, first_read_at IS NULL FROM sources") == [(0, 0)]


def test_a_page_that_fails_loses_none_before_it_and_first_contact_is_made_again(desk: Desk, site: Site) -> None:
    site.page("/1.xml", urlset(f"{site.url}/a"))
    site.route("/2.xml", lambda visit: visit.answer(status=500))
    site.route("/3.xml", lambda visit: visit.cut())
    site.page("/4.xml", urlset(f"{site.url}/c"))
    site.page("/sitemap.xml", index(*(f"{site.url}/{number}.xml" for number in (4, 3, 2, 1))))
    desk.outlet("one", site, sitemaps=f'["{site.url}/sitemap.xml"]')
    desk.open().crawl()
    assert found(desk) == {"/c"}
    site.page("/3.xml", urlset(f"{site.url}/b"))
    site.page("/2.xml", urlset())
    desk.crawl()
    assert found(desk) == {"/a", "/b", "/c"}
    assert desk.rows("SELECT count(*), sum(backlog) FROM frontier") == [(3, 3)]
    site.log.clear()
    desk.crawl()
    assert asked(site, "/") == ["sitemap.xml", "4.xml"]  # later only the last of the series is read


def test_endless_pages_are_read_within_bounds(desk: Desk, site: Site) -> None:
    def feed(visit: Visit) -> None:
        page = int(visit.path.partition("p=")[2] or 0)
        head = f'<a:link xmlns:a="http://www.w3.org/2005/Atom" rel="next" href="/feed?p={page + 1}"/>'
        text = rss([f"{site.url}/private/{turn[0]}-{page}"])
        visit.answer(text.replace("<channel>", f"<channel>{head}"), content_type="application/rss+xml")

    turn = [0]
    site.robots = "User-agent: *\nDisallow: /private"
    site.page("/robots.txt", site.robots)
    site.route(ANY, feed)
    desk.outlet("one", site, feeds=f'["{site.url}/feed?p=0"]')
    desk.open().crawl()
    assert len(asked(site, "/feed")) == 20
    turn[0], site.log[:] = 1, []
    desk.crawl()
    assert len(asked(site, "/feed")) == 5


def test_older_pages_on_another_host_of_the_outlet_are_read_and_on_a_strangers_not(desk: Desk, site: Site) -> None:
    def feed(address: str, older: str) -> None:
        text = rss([f"http://nahr.example/private/{len(site.routes)}"])
        head = f'<a:link xmlns:a="http://www.w3.org/2005/Atom" rel="next" href="{older}"/>'
        site.page(address, text.replace("<channel>", f"<channel>{head}"), content_type="application/rss+xml")

    hosts = ["nahr.example", "www.nahr.example", "feeds.nahr.example", "nahr.example.com", "other.example"]
    for host in hosts:
        site.page(f"http://{host}/robots.txt", "User-agent: *\nDisallow: /private")
    feed("http://nahr.example/feed", "http://www.nahr.example/feed?page=2")
    feed("http://www.nahr.example/feed?page=2", "http://feeds.nahr.example/3")
    feed("http://feeds.nahr.example/3", "http://nahr.example.com/4")
    feed("http://nahr.example.com/4", "http://other.example/5")
    desk.outlet("one", site, feeds='["http://nahr.example/feed"]', homepage='"http://www.nahr.example/"')
    desk.settings["crawl.proxy"] = site.url
    desk.open().crawl()
    assert [urlsplit(hit.path).netloc for hit in site.log if "robots" not in hit.path] == hosts[:3]


def test_a_page_that_shows_the_same_again_is_the_last(desk: Desk, site: Site) -> None:
    text = rss([f"{site.url}/a"]).replace("<channel>", "<channel><generator>https://wordpress.org/</generator>")
    site.route(ANY, lambda visit: visit.answer(text if visit.path.startswith("/feed") else "", 200))
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.open().crawl()
    assert asked(site, "/feed") == ["", "?paged=2"]


@pytest.mark.parametrize("lie", ["304", "same"])
def test_validators_that_lie_are_found_out_and_given_up(desk: Desk, site: Site, lie: str) -> None:
    listed = [f"{site.url}/1"]

    def feed(visit: Visit) -> None:
        if lie == "304" and visit.headers.get("if-none-match"):
            return visit.start(304)
        return visit.answer(rss(listed), content_type="application/rss+xml", etag='W/"for-ever"')

    site.route("/feed", feed)
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.open().crawl()
    listed.append(f"{site.url}/2")
    desk.crawl()
    assert ("/2" in found(desk)) == (lie == "same")
    let_pass(desk, hours=3)
    desk.crawl()
    assert "/2" in found(desk)
    listed.append(f"{site.url}/3")
    desk.crawl()
    assert "/3" in found(desk)
    sent = [hit.headers.get("if-none-match") for hit in site.log if hit.path == "/feed"]
    assert sent == [None, 'W/"for-ever"', None, None]


def test_a_feed_that_moves_fast_is_read_fast(desk: Desk, site: Site) -> None:
    blog = Blog(site)
    blog.publish(10, under="/private")
    desk.outlet("one", site, feeds=f'["{site.url}/feed/"]', every='"15m"')
    desk.open()
    due = "SELECT (unixepoch(next_at) - unixepoch(max(coalesce(last_new_at, ''), first_read_at))) / 60 FROM sources"
    desk.crawl()
    assert desk.rows(due)[0][0] in (15, 16)
    let_pass(desk, minutes=16)
    blog.publish(6, under="/private")
    desk.crawl(all_sources=False)
    assert desk.rows(due) == [(3,)]


def test_a_sitemap_dated_years_ahead_hides_nothing_that_comes_before(desk: Desk, site: Site) -> None:
    index = "<sitemapindex>{}</sitemapindex>"
    child = f"<sitemap><loc>{site.url}/{{}}.xml</loc><lastmod>{{}}</lastmod></sitemap>"
    for name in ("future", "news-1", "news-2"):
        site.page(f"/{name}.xml", f"<urlset><url><loc>{site.url}/{name}/71234</loc></url></urlset>")
    first = index.format(child.format("future", "2031-01-01") + child.format("news-1", "2026-01-01"))
    site.page("/map.xml", first)
    desk.outlet("one", site, sitemaps=f'["{site.url}/map.xml"]')
    desk.open().crawl()
    (mark,) = desk.rows("SELECT mark FROM sources")[0]
    assert "2026" <= mark < "2031"
